"""The job that builds the marts on Google Cloud: one refresh if they are behind, and one more for what came meanwhile.

What changes after that waits for the next start, so that a long backfill is not built without end. When the daily job
asked for it, everything is built with dbt's tests, and old sources are told. Two at once: the later one leaves.
"""

import asyncio

import structlog

from backends.engine.pipeline import open_shared_marks
from backends.marks import Marks
from backends.marks.lease import LeaseHeld
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformer
from worker.job import JobEnd, run_job
from worker.transform_start import TESTED, TESTS_WANTED

_MOST_RUNS = 2

log = structlog.get_logger(__name__)


async def transform(settings: TransformSettings, stop: asyncio.Event) -> JobEnd:
    """Bring the marts up to date. Raises WarehouseBusy, OSError, PartMissing."""
    try:
        async with open_transformer(settings, waits_s=0) as transformer:
            return await bring_up_to_date(transformer, open_shared_marks(settings), stop)
    except LeaseHeld as error:  # who holds it looks once more for changes before it ends
        log.info("transform.already_running", reason=str(error))
        return JobEnd.DONE


async def bring_up_to_date(transformer: Transformer, marks: Marks, stop: asyncio.Event) -> JobEnd:
    """Run as often as is needed, and at most twice. A run under way ends before the signal is heeded."""
    for _ in range(_MOST_RUNS):
        if stop.is_set():
            return JobEnd.CUT_SHORT
        wanted = await asyncio.to_thread(marks.read, TESTS_WANTED)
        if wanted != await asyncio.to_thread(marks.read, TESTED):
            is_good = await _tested(transformer)
            await asyncio.to_thread(marks.write, TESTED, wanted)  # also after a failure, which the end tells
            if not is_good:
                return JobEnd.FAILED
            continue
        done = await transformer.run_if_stale()
        if done is None:
            break
        if not done.is_published:
            return JobEnd.FAILED
    return JobEnd.DONE


async def _tested(transformer: Transformer) -> bool:
    """Publish what is fresh, which need not wait for the tests, then build with tests and look at the sources."""
    await transformer.run_if_stale()
    done = await transformer.run(tests=True)
    stale = await transformer.stale_sources() if done.is_published else []
    if stale:
        log.error("transform.sources_stale", reason="; ".join(stale))
    return done.is_published and not stale


if __name__ == "__main__":
    run_job("transform job", TransformSettings, transform)
