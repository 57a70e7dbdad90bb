"""The job that imports what lies in a folder of a bucket on Google Cloud, as `athlete up` does with its inbox.

The list of an export is stored first, and the job that builds the marts is started then, and at the end, as often as
its interval allows; the sweep starts it for the rest. Two at once: the later one leaves. What a stopped one left is
found again at the next start.
"""

import asyncio
import os

import structlog

from backends.bucket import Bucket, BucketUnavailable
from backends.engine.bucket import open_bucket
from backends.warehouse import RawStore
from runtime.http_client import client_for
from strava.archive.archive import Archive
from worker.importing.bucket_inbox import BucketInbox
from worker.importing.inbox import take
from worker.importing.running import AnotherImport, Imported, Wish, import_archive, importing
from worker.job import JobEnd, run_job, unless_stopped
from worker.settings import ImportSettings
from worker.transform_start import TransformStart, open_transform_start

_START_TIMEOUT_S = 30.0

log = structlog.get_logger(__name__)


async def import_inbox(settings: ImportSettings, stop: asyncio.Event) -> JobEnd:
    """Import what lies there, alone. Raises WarehouseBusy, PartMissing, SchemaMismatch, OSError."""
    try:
        bucket = await asyncio.to_thread(open_bucket, settings, settings.inbox_bucket, settings.storage_api_endpoint)
        async with client_for(settings.cloud_run_api_endpoint, timeout=_START_TIMEOUT_S) as http:
            start = open_transform_start(settings, http)
            async with importing(settings) as store:
                return await import_all(settings, bucket, store, start, stop)
    except AnotherImport as error:
        log.info("import.already_running", reason=str(error))
        return JobEnd.DONE
    except BucketUnavailable as error:
        log.error("inbox.not_read", reason=str(error))
        return JobEnd.FAILED


async def import_all(
    settings: ImportSettings, bucket: Bucket, store: RawStore, start: TransformStart, stop: asyncio.Event
) -> JobEnd:
    """Import what lies there now, until `stop` is set. Raises BucketUnavailable, WarehouseBusy, OSError."""
    inbox = await asyncio.to_thread(BucketInbox, bucket)
    wish = Wish(jobs=os.cpu_count() or 1, home_zone=settings.display_timezone)

    async def run(archive: Archive, name: str) -> Imported:
        return await import_archive(archive, name, wish, store=store, settings=settings, after_rows=start.if_due)

    async def take_all() -> bool:
        await take(inbox, inbox.names, run)
        return True

    is_done = await unless_stopped(take_all(), stop)
    if inbox.names:
        await start.if_due()
    return JobEnd.DONE if is_done else JobEnd.CUT_SHORT


if __name__ == "__main__":
    run_job("import job", ImportSettings, import_inbox)
