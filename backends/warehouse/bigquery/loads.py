"""Rows that are too many for a request: a load job brings them into a table of their own, which a statement reads.

https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
"""

import io
from datetime import timedelta
from uuid import uuid4

import orjson
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from backends.warehouse.bigquery.client import TIMEOUT_S, Place
from backends.warehouse.bigquery.parameters import bindable, sql_type
from backends.warehouse.bigquery.statements import Given
from backends.warehouse.bigquery.tables import LABELS
from runtime.clock import utc_now

PREFIX = "_loaded_"
_KEPT = timedelta(hours=1)  # what a kill left behind
_RETRY = DEFAULT_RETRY.with_timeout(TIMEOUT_S)


def load(client: bigquery.Client, place: Place, *, statement: str, given: Given) -> str:
    """Bring the rows of a statement into a new table and return its name.

    Load jobs are free of charge, so `maximum_bytes_billed` is no setting of theirs. Raises GoogleAPIError.
    """
    name = f"{PREFIX}{uuid4().hex}"
    schema = [bigquery.SchemaField(column, sql_type(kind)) for column, kind in given.kinds.items()]
    table = bigquery.Table(f"{place.project}.{place.dataset}.{name}", schema=schema)
    table.expires = utc_now() + _KEPT
    table.labels = LABELS
    client.create_table(table, retry=_RETRY, timeout=TIMEOUT_S)
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        schema=schema,
        labels={**LABELS, "statement": statement},
    )
    # Without a size the upload can be resumed, and be larger than a request.
    job = client.load_table_from_file(io.BytesIO(_lines(given)), table, job_config=config, timeout=TIMEOUT_S)
    job.result(retry=_RETRY, timeout=TIMEOUT_S)
    return name


def drop(client: bigquery.Client, place: Place, *, table: str) -> None:
    """Remove such a table. Raises GoogleAPIError."""
    name = f"{place.project}.{place.dataset}.{table}"
    client.delete_table(name, not_found_ok=True, retry=_RETRY, timeout=TIMEOUT_S)


def _lines(given: Given) -> bytes:
    return b"".join(
        orjson.dumps(
            {column: bindable(row[column], kind) for column, kind in given.kinds.items()},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for row in given.rows
    )
