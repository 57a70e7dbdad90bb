"""The parts that the programs of the pipeline share: queue, `raw`, tokens, the rate budget, and what starts jobs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from backends.budget.file import FileBudgetStore
from backends.engine import bigquery_place, google_packages, is_on_gcp
from backends.jobs import JobStarter
from backends.marks import SharedMarks
from backends.queue import EventQueue, QueueMonitor
from backends.queue.embedded.queue import EmbeddedQueue
from backends.tokens import AthleteTokens
from backends.tokens.file import FileTokenStore
from backends.warehouse import RawStore
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.data_dir import make_private
from runtime.settings import PartMissing, SharedSettings
from strava.budget import SHARES, RateBudget
from strava.budget_state import Lane


async def prepare_store(settings: SharedSettings) -> None:
    """Make `raw`, or bring it to its newest shape; SQLite's is when it is opened.

    Raises WarehouseBusy, SchemaMismatch, PartMissing.
    """
    if not is_on_gcp(settings):
        return
    with google_packages():
        from backends.warehouse.bigquery.client import BigQuery  # noqa: PLC0415 - Google's packages
        from backends.warehouse.bigquery.tables import migrate  # noqa: PLC0415 - as above
    bigquery = BigQuery(bigquery_place(settings))
    try:
        await bigquery.run(migrate)
    finally:
        await bigquery.close()


def open_store(settings: SharedSettings, *, read_only: bool = False, leaves_no_trace: bool = False) -> RawStore:
    """Return `raw`; the caller closes it. `leaves_no_trace` is for a look while no pipeline of this machine runs.

    Raises WarehouseBusy, SchemaMismatch, PartMissing.
    """
    if not is_on_gcp(settings):
        return SqliteRawStore(
            settings.pipeline_path,
            read_only=read_only,
            leaves_no_trace=leaves_no_trace,
            archive_follows=settings.archive_follows_deletes,
        )
    with google_packages():
        from backends.warehouse.bigquery.client import BigQuery  # noqa: PLC0415 - Google's packages
        from backends.warehouse.bigquery.store import BigQueryRawStore  # noqa: PLC0415 - as above
    return BigQueryRawStore(BigQuery(bigquery_place(settings)), archive_follows=settings.archive_follows_deletes)


@asynccontextmanager
async def opened_store(settings: SharedSettings) -> AsyncIterator[RawStore]:
    """Open `raw` in its newest shape, and close it at the end. Raises WarehouseBusy, SchemaMismatch, PartMissing."""
    await prepare_store(settings)
    store = open_store(settings)
    try:
        yield store
    finally:
        await store.close()


def open_tokens(settings: SharedSettings, *, read_only: bool = False) -> AthleteTokens:
    """Return the athletes' tokens; the caller closes them. To be read only, a file keeps the rights that it has.

    Raises TokensUnavailable, PartMissing.
    """
    if not is_on_gcp(settings):
        return FileTokenStore(settings.tokens_path, read_only=read_only)
    from backends.tokens.secret_manager import open_secret_manager_tokens  # noqa: PLC0415 - Google's packages

    with google_packages():
        return open_secret_manager_tokens(settings)


def open_queue(settings: SharedSettings, *, publish_timeout_s: float = 1.5) -> EventQueue:
    """Return the queue to publish to; the caller closes it. To be called in the running event loop.

    Raises QueueUnavailable, PartMissing, SchemaMismatch, sqlite3.Error, OSError.
    """
    if not is_on_gcp(settings):
        make_private(settings.data_dir)
        return EmbeddedQueue(settings.pipeline_path, publish_timeout_s=publish_timeout_s)
    with google_packages():
        from backends.queue.pubsub.queue import PubsubQueue, publisher_client  # noqa: PLC0415 - Google's packages
    if not settings.pubsub_topic:
        raise PartMissing("PUBSUB_TOPIC is empty: write projects/PROJECT/topics/TOPIC; BACKEND=gcp needs it.")
    client = publisher_client(settings.pubsub_emulator_host)
    return PubsubQueue(client, settings.pubsub_topic, publish_timeout_s=publish_timeout_s)


def open_queue_monitor(settings: SharedSettings) -> QueueMonitor | None:
    """Return what tells how the queue stands; None on Google Cloud, where Cloud Monitoring tells it.

    Raises SchemaMismatch, sqlite3.Error, OSError.
    """
    return None if is_on_gcp(settings) else EmbeddedQueue(settings.pipeline_path)


def open_budget(settings: SharedSettings, shares: Mapping[Lane, float] = SHARES) -> RateBudget:
    """Return the app's calls, as all programs on this data folder share them.

    On Google Cloud the folder is the container's own, and each answer of Strava's tells what the others used.
    """
    return RateBudget(FileBudgetStore(settings.budget_path), shares=shares)


def open_jobs(settings: SharedSettings, http: httpx.AsyncClient) -> JobStarter | None:
    """Return what starts jobs on Google Cloud; None elsewhere, and where no region is set. Raises PartMissing."""
    if not is_on_gcp(settings) or not settings.google_cloud_region:
        return None
    with google_packages():
        from backends.jobs.cloud_run import CloudRunJobs  # noqa: PLC0415 - Google's packages
    return CloudRunJobs(
        http,
        project=settings.google_cloud_project,
        region=settings.google_cloud_region,
        endpoint=settings.cloud_run_api_endpoint,
    )


def open_shared_marks(settings: SharedSettings) -> SharedMarks:
    """Return the marks by which the programs on Google Cloud agree. Raises PartMissing."""
    with google_packages():
        from backends.warehouse.bigquery.marks import BigQueryMarks  # noqa: PLC0415 - Google's packages
    return BigQueryMarks(bigquery_place(settings))
