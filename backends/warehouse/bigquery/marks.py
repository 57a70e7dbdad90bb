"""Marks in BigQuery, and whether dbt has built anything there.

The marks are the description of an empty table of `raw`: reading and changing it costs nothing, where a statement over
the smallest table is billed as 10 MB, and its etag lets one of several programs through.
https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/patch
"""

import json
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from google.api_core.exceptions import GoogleAPIError, NotFound, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from backends.warehouse import WarehouseBusy
from backends.warehouse.bigquery.client import Place, connected
from backends.warehouse.bigquery.marts import PUBLICATION

T = TypeVar("T")

TABLE = "_pipeline_marks"
_ATTEMPTS = 8
_TIMEOUT_S = 20.0  # of a call, and of its repetitions
_RETRY = DEFAULT_RETRY.with_timeout(_TIMEOUT_S)


class BigQueryMarks:
    """Implements `SharedMarks`; safe to use from several threads."""

    def __init__(self, place: Place, connect: Callable[[Place], bigquery.Client] = connected) -> None:
        self._place = place
        self._connect = connect
        self._lock = Lock()
        self._client: bigquery.Client | None = None

    def read(self, name: str) -> str:
        """Return what the mark says, or nothing where there is none. Raises WarehouseBusy."""
        return self._asked(lambda client: _texts(_table(client, self._place)).get(name, ""))

    def write(self, name: str, text: str) -> None:
        """Have the mark say it; an empty text removes the mark. Raises WarehouseBusy."""
        self._asked(lambda client: self._changed(client, name, None, text))

    def replace(self, name: str, before: str, text: str) -> bool:
        """Have the mark say `text` if it says `before` still. Raises WarehouseBusy."""
        return self._asked(lambda client: self._changed(client, name, before, text))

    def _changed(self, client: bigquery.Client, name: str, before: str | None, text: str) -> bool:
        for attempt in range(_ATTEMPTS):
            table = _table(client, self._place)
            texts = _texts(table)
            said = texts.pop(name, "")
            is_repeated = attempt > 0  # then it may be there already, by a change whose answer was lost
            if said == text and (is_repeated or before in {None, text}):
                return True
            if before is not None and said != before:
                return False
            table.description = json.dumps(texts | ({name: text} if text else {}), sort_keys=True)
            try:
                client.update_table(
                    table, ["description"], retry=_RETRY, timeout=_TIMEOUT_S
                )  # with the etag that was read
            except PreconditionFailed:  # another mark was changed in between, or this one
                continue
            return True
        raise WarehouseBusy("Other programs change the marks of the pipeline at once; try again later.")

    def _asked(self, work: Callable[[bigquery.Client], T]) -> T:
        with self._lock:
            try:
                self._client = self._client or self._connect(self._place)
                return work(self._client)
            except (GoogleAPIError, GoogleAuthError, OSError) as error:
                raise WarehouseBusy(f"BigQuery does not give or take the pipeline's marks: {error}") from error


class BigQuerySnapshot:
    """Implements `MartSnapshot`: dbt replaces the tables that readers see, each as a whole.

    There is nothing to copy or to rewrite. What was removed is in BigQuery's own history for 48 hours:
    https://cloud.google.com/bigquery/docs/time-travel. Where a test of dbt fails, readers see the new tables all the
    same.
    """

    def __init__(self, place: Place, mart: str = "mart") -> None:
        self._place = place
        self._mart = mart

    def is_built(self) -> bool:
        """Whether dbt has built anything. Raises WarehouseBusy."""
        try:
            with connected(self._place) as client:
                dataset = bigquery.DatasetReference(self._place.project, self._mart)
                return any(True for _ in client.list_tables(dataset, max_results=1, retry=_RETRY, timeout=_TIMEOUT_S))
        except NotFound:
            return False
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise WarehouseBusy(f"BigQuery does not tell which marts there are: {error}") from error

    def is_published(self) -> bool:
        """Whether readers have marts: a build has ended without a fault. Raises WarehouseBusy."""
        try:
            with connected(self._place) as client:
                table = PUBLICATION.rpartition(".")[2]
                client.get_table(f"{self._place.project}.{self._mart}.{table}", retry=_RETRY, timeout=_TIMEOUT_S)
        except NotFound:
            return False
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise WarehouseBusy(f"BigQuery does not tell whether the marts are published: {error}") from error
        return True

    def publish(self) -> None:
        """Do nothing: readers see what was built."""

    def separate(self) -> None:
        """Do nothing: there is no file."""

    def compact(self) -> None:
        """Do nothing: BigQuery forgets by itself."""

    def discard_if_damaged(self, error: str) -> bool:
        """Tell that nothing is damaged: a table of BigQuery is not a file."""
        del error
        return False


def _table(client: bigquery.Client, place: Place) -> bigquery.Table:
    """Return the table of the marks, made where it is missing."""
    reference = bigquery.DatasetReference(place.project, place.dataset).table(TABLE)
    try:
        return client.get_table(reference, retry=_RETRY, timeout=_TIMEOUT_S)
    except NotFound:
        new = bigquery.Table(reference, schema=[bigquery.SchemaField("nothing", "STRING")])
        new.description = "{}"
        client.create_table(new, exists_ok=True, retry=_RETRY, timeout=_TIMEOUT_S)
        return client.get_table(reference, retry=_RETRY, timeout=_TIMEOUT_S)


def _texts(table: bigquery.Table) -> dict[str, str]:
    try:
        told = json.loads(table.description or "{}")
    except ValueError:  # somebody wrote words there
        return {}
    return {str(name): str(text) for name, text in told.items()} if isinstance(told, dict) else {}
