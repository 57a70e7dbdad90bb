"""Asks BigQuery for rows and never for changes, through Google's client, within a limit of bytes.

Answers come over REST: a page asks for some hundred rows, for which the Storage API would only add another connection.
https://cloud.google.com/bigquery/docs/running-queries#dry-run
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.api_core.exceptions import BadRequest, Forbidden, GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_JOB_RETRY, DEFAULT_RETRY
from google.cloud.bigquery.table import RowIterator

from backends.warehouse import WarehouseBusy
from backends.warehouse.bigquery.client import OVER_LIMIT, PASSING, TIMEOUT_S, Place, connected, translated
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.marts import MartMissing, QueryFailed

T = TypeVar("T")

REBUILD = "run `athlete transform`."
GOOGLES_ERRORS = (GoogleAPIError, GoogleAuthError, OSError)
_LABELS = {"program": "athlete-dashboard"}
_RETRY = DEFAULT_RETRY.with_timeout(TIMEOUT_S)
_JOB_RETRY = DEFAULT_JOB_RETRY.with_timeout(TIMEOUT_S)
_PAGE_ROWS = 1_000


class Selects:
    """Safe in several threads. `reader` labels the jobs, so that a bill tells who asked.

    After `longest_s` seconds BigQuery ends a select by itself.
    """

    def __init__(self, place: Place, *, reader: str, longest_s: float | None = None) -> None:
        self._place = place
        self._longest_ms = None if longest_s is None else round(longest_s * 1000)
        self._labels = {**_LABELS, "reader": reader}
        self._own = threading.local()  # a client keeps a session of `requests`, which is for one thread

    def bytes_of(self, sql: str, parameters: Sequence[Parameter] = ()) -> int:
        """Return how many bytes a select would read; asking costs nothing.

        Raises QueryFailed for what is no single select, or would read more than the limit, MartMissing, WarehouseBusy.
        """
        config = self._config(parameters)
        config.dry_run = True
        dry = self.call(lambda client: client.query(sql, job_config=config, retry=_RETRY, timeout=TIMEOUT_S))
        if dry.statement_type != "SELECT":
            raise QueryFailed(f"{dry.statement_type} is refused: only one select can be asked, and nothing be changed.")
        found: int = dry.total_bytes_processed or 0
        if found > self._place.maximum_bytes_billed:
            raise QueryFailed(_too_much(found, self._place.maximum_bytes_billed))
        return found

    def rows(self, sql: str, parameters: Sequence[Parameter] = ()) -> RowIterator:
        """Run what `bytes_of` has taken; what was asked of the same tables before comes from BigQuery's cache, free.

        Raises MartMissing, QueryFailed, WarehouseBusy. Fetching a further page raises GOOGLES_ERRORS.
        """
        return self.call(
            lambda client: client.query_and_wait(
                sql,
                job_config=self._config(parameters),
                page_size=_PAGE_ROWS,
                retry=_RETRY,
                job_retry=_JOB_RETRY,
                api_timeout=TIMEOUT_S,
                wait_timeout=TIMEOUT_S,
            )
        )

    def call(self, work: Callable[[bigquery.Client], T]) -> T:
        """Do something with Google's client. Raises MartMissing, QueryFailed, WarehouseBusy."""
        try:
            if not hasattr(self._own, "client"):
                self._own.client = connected(self._place)
            return work(self._own.client)
        except GOOGLES_ERRORS as error:
            raise reading_error(error) from error

    def close(self) -> None:
        """Release the connections of this thread; those of others end with them."""
        client: bigquery.Client | None = self._own.__dict__.pop("client", None)
        if client is not None:
            client.close()

    def _config(self, parameters: Sequence[Parameter]) -> bigquery.QueryJobConfig:
        config = bigquery.QueryJobConfig(
            query_parameters=list(parameters),
            labels=self._labels,
            maximum_bytes_billed=self._place.maximum_bytes_billed,
            use_query_cache=True,
        )
        if self._longest_ms is not None:
            config.job_timeout_ms = self._longest_ms
        return config


def reading_error(error: Exception) -> Exception:
    """Choose our error for Google's: MartMissing, QueryFailed or WarehouseBusy."""
    told = getattr(error, "errors", None) or []
    reasons = {each.get("reason") for each in told}
    said = " ".join(str(told[0].get("message") if told else error).split())
    if isinstance(error, NotFound):
        return MartMissing(f"{said}. What is of staging or mart may not be built yet, or be older: {REBUILD}")
    if OVER_LIMIT in reasons or (isinstance(error, BadRequest) and not reasons & PASSING):
        return QueryFailed(said)
    if isinstance(error, Forbidden) and not reasons & PASSING:
        return WarehouseBusy(
            f"BigQuery refuses access ({said}); check GOOGLE_CLOUD_PROJECT, and give this account the roles BigQuery "
            "Job User for the project and BigQuery Data Viewer for the datasets that it reads."
        )
    return translated(error)


def _too_much(found: int, limit: int) -> str:
    return (
        f"The query would read {found / 1e9:.1f} GB, and the limit is {limit / 1e9:.1f} GB "
        "(BIGQUERY_MAXIMUM_BYTES_BILLED): name fewer columns, or narrow it by what the tables are clustered by."
    )
