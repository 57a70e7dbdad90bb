"""BigQuery through Google's client: statements with bound parameters, in threads, with our own errors.

https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    BadRequest,
    Forbidden,
    GoogleAPICallError,
    GoogleAPIError,
    NotFound,
    RetryError,
    Unauthenticated,
    Unauthorized,
)
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from google.cloud.bigquery.table import Row

from backends.warehouse import StatementRejected, WarehouseBusy
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.statements import STALE

T = TypeVar("T")

_LONGEST_S = 300  # that a statement may go on at BigQuery; models look back for twice as long
TIMEOUT_S = 60.0  # of each call, of its repetitions, and of waiting for a statement
_CALLS_AT_ONCE = 4
# What BigQuery says of two that change one table at once: the same statement may pass in a moment.
_CONFLICTS = ("due to concurrent update", "could not serialize access", "too many dml statements")
# What passes by itself, of whatever status: https://cloud.google.com/bigquery/docs/error-messages
PASSING = frozenset({
    "backendError", "internalError", "jobRateLimitExceeded", "quotaExceeded", "rateLimitExceeded", "resourceInUse",
    "resourcesExceeded", "tableUnavailable",
})  # fmt: skip
OVER_LIMIT = "bytesBilledLimitExceeded"
_LABELS = {"program": "athlete-dashboard"}


class Stale(Exception):
    """What a write rests on has changed since it was read; nothing was written."""


class Conflict(WarehouseBusy):
    """Somebody else changes the same table just now; nothing was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the dataset is. An endpoint is asked without credentials: it is for a server on this machine."""

    project: str
    location: str
    dataset: str = "raw"
    endpoint: str = ""
    maximum_bytes_billed: int = 10 * 2**30  # of one statement


@dataclass(frozen=True, slots=True)
class Answer:
    """What one statement gave, and how many rows it changed."""

    rows: Sequence[Row]
    changed: int


class BigQuery:
    """One dataset. Every method raises WarehouseBusy when Google does not answer, or refuses."""

    def __init__(self, place: Place, *, repeats_for_s: float = TIMEOUT_S) -> None:
        self._place = place
        self._retry: Retry = DEFAULT_RETRY.with_timeout(repeats_for_s)
        self._own = threading.local()  # a client keeps a session of `requests`, which is for one thread
        self._threads = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="bigquery")

    async def query(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        """Run one statement, labelled by `name`. Raises Stale, StatementRejected too."""

        def ask(client: bigquery.Client, _: Place) -> Answer:
            config = bigquery.QueryJobConfig(
                query_parameters=list(parameters),
                labels={**_LABELS, "statement": name},
                maximum_bytes_billed=self._place.maximum_bytes_billed,
                job_timeout_ms=_LONGEST_S * 1000,  # or one could commit long after its caller gave up
            )
            job = client.query(sql, job_config=config, retry=self._retry, job_retry=None, timeout=TIMEOUT_S)
            found = job.result(retry=self._retry, timeout=TIMEOUT_S, job_retry=None)
            return Answer(list(found), job.num_dml_affected_rows or 0)

        return await self.run(ask)

    async def run(self, work: Callable[[bigquery.Client, Place], T]) -> T:
        """Do what blocks in a thread, with Google's client."""
        try:
            done = asyncio.get_running_loop().run_in_executor(self._threads, self._work, work)
        except RuntimeError as error:  # the executor's word for having been shut down
            raise WarehouseBusy("The warehouse was closed.") from error
        return await done

    async def close(self) -> None:
        """Finish what is in flight; closing twice is success."""
        await asyncio.to_thread(self._threads.shutdown)

    def _work(self, work: Callable[[bigquery.Client, Place], T]) -> T:
        try:
            return work(self._client(), self._place)
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise translated(error) from error

    def _client(self) -> bigquery.Client:
        if not hasattr(self._own, "client"):
            self._own.client = connected(self._place)
        client: bigquery.Client = self._own.client
        return client


def connected(place: Place) -> bigquery.Client:
    """Return Google's client for one thread, whose statements are about this dataset. Raises GoogleAuthError."""
    dataset = bigquery.DatasetReference(place.project, place.dataset)
    config = bigquery.QueryJobConfig(default_dataset=dataset)
    local = AnonymousCredentials() if place.endpoint else None
    options = ClientOptions(api_endpoint=place.endpoint) if place.endpoint else None
    return bigquery.Client(
        project=place.project,
        location=place.location,
        credentials=local,
        client_options=options,
        default_query_job_config=config,
    )


def translated(error: Exception) -> Exception:
    """Choose our error for Google's: Stale, Conflict, StatementRejected or WarehouseBusy."""
    if isinstance(error, RetryError) and error.cause:
        error = error.cause
    said = error.message if isinstance(error, GoogleAPICallError) else str(error)
    if STALE in said:
        return Stale(STALE)
    if any(each in said.lower() for each in _CONFLICTS):
        return Conflict(f"BigQuery changes the table for somebody else just now; try again later ({said}).")
    reasons = {each.get("reason") for each in getattr(error, "errors", None) or []}
    if OVER_LIMIT in reasons:
        return WarehouseBusy(
            f"A statement would bill more bytes than BIGQUERY_MAXIMUM_BYTES_BILLED allows ({said}); set it to that "
            "many or more, and start the programs again."
        )
    if isinstance(error, BadRequest) and not reasons & PASSING:
        return StatementRejected(f"BigQuery does not take the statement or a value in it: {said}")
    return WarehouseBusy(_sentence(error, said, passes=bool(reasons & PASSING)))


def _sentence(error: Exception, said: str, *, passes: bool) -> str:
    """Say what to do about Google's error; its text names tables and permissions."""
    if passes:
        return f"BigQuery's quota is spent, or it is overloaded or at work on the table; try again later ({said})."
    if isinstance(error, GoogleAuthError):
        return (
            f"There are no credentials for BigQuery ({error}); run `gcloud auth application-default login`, or give "
            "the program a service account."
        )
    if isinstance(error, Forbidden | Unauthorized | Unauthenticated):
        return (
            f"BigQuery refuses access ({said}); check GOOGLE_CLOUD_PROJECT, and give this account the roles BigQuery "
            "Job User for the project and BigQuery Data Editor for the dataset."
        )
    if isinstance(error, NotFound):
        return f"BigQuery does not find the dataset or a table of it ({said}); start the worker once."
    return f"BigQuery does not answer now ({said or type(error).__name__}); try again later."
