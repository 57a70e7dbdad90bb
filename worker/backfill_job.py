"""The job that loads histories on Google Cloud: as far as Strava's limits allow, then it ends.

The sweep starts it again when the next call may be made, so a history of weeks is no program that runs for weeks.
"""

import asyncio

import structlog

from backends.engine.pipeline import open_shared_marks, prepare_store
from backends.marks.lease import LeaseHeld, LeasePolicy, leased
from worker.history import Histories
from worker.job import JobEnd, run_job, unless_stopped
from worker.parts import Parts, open_parts
from worker.settings import WorkerSettings
from worker.transform_start import open_transform_start

_LOOK_S = 10.0  # each look and each row that tells how far it is are billed

log = structlog.get_logger(__name__)


async def load(settings: WorkerSettings, stop: asyncio.Event) -> JobEnd:
    """Load what is due, alone. Raises WarehouseBusy, TokensUnavailable, PartMissing, SchemaMismatch."""
    await prepare_store(settings)
    parts = open_parts(settings, settings.cloud_run_api_endpoint)
    try:
        async with leased(open_shared_marks(settings), "history", LeasePolicy()):
            return await _loaded(parts, stop)
    except LeaseHeld as error:
        log.info("history.already_loading", reason=str(error))
        return JobEnd.DONE
    finally:
        await parts.close()


async def _loaded(parts: Parts, stop: asyncio.Event) -> JobEnd:
    """Load round after round while something is due, and start the job that builds the marts after each."""
    spares = parts.settings.spares_archived
    histories = Histories(parts.store, parts.client_of, parts.budget, look_s=_LOOK_S, spares_archived=spares)
    start = open_transform_start(parts.settings, parts.http)
    while not stop.is_set() and await histories.has_due():
        await unless_stopped(histories.load_due(), stop)
        await start.if_due()
    return JobEnd.CUT_SHORT if stop.is_set() else JobEnd.DONE


if __name__ == "__main__":
    run_job("backfill job", WorkerSettings, load)
