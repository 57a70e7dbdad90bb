"""The job that does on Google Cloud, every few minutes, what the worker does in its background on one machine.

Cloud Run gives the worker processor time while it answers a push, and none in between. So this publishes what was
deferred and is due, looks once more at new activities, fetches streams, and starts the jobs that are due: the one that
loads histories, and the one that builds the marts where raw is newer than they are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from logging import INFO, WARNING

import structlog

from backends.engine.pipeline import open_jobs, open_queue, open_shared_marks, prepare_store
from backends.jobs import JobNotStarted, JobStarter
from backends.marks import Marks, SharedMarks
from backends.marks.lease import LeasePolicy, is_held
from backends.queue import EventQueue, QueueUnavailable
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.runs import TransformRuns
from runtime.clock import steady_s, utc_now
from worker.dbt_runner.project import is_built_by
from worker.dbt_runner.settings import PROJECT_DIR
from worker.history import Histories
from worker.job import JobEnd, run_job, unless_stopped
from worker.kept import Kept
from worker.parts import Background, Parts, open_parts
from worker.settings import WorkerSettings
from worker.transform_start import TESTED, TESTS_WANTED, TransformStart, open_transform_start

_AT_ONCE, _REST = timedelta(0), timedelta(hours=1)
LONGEST_S = 200.0  # the job ends after 240 s, and the next one begins after 300 s
LONGEST_TURN_S = 40.0
_EXPECTED = (WarehouseBusy, TokensUnavailable, QueueUnavailable, JobNotStarted)

Turns = Mapping[str, Callable[[], Awaitable[object]]]

log = structlog.get_logger(__name__)


async def sweep(settings: WorkerSettings, stop: asyncio.Event) -> JobEnd:
    """Do one turn of each. Raises WarehouseBusy, TokensUnavailable, QueueUnavailable, PartMissing, SchemaMismatch."""
    await prepare_store(settings)
    parts, queue = open_parts(settings, settings.cloud_run_api_endpoint), open_queue(settings)
    marks = open_shared_marks(settings)
    try:
        turns = turns_of(settings, parts, queue, marks, stop)
        return await take_turns(turns, stop, Kept(marks, "sweep"), within_s=LONGEST_S)
    finally:
        await queue.close()
        await parts.close()


def turns_of(
    settings: WorkerSettings, parts: Parts, queue: EventQueue, marks: SharedMarks, stop: asyncio.Event
) -> Turns:
    """Return what a sweep does, in its order. Raises PartMissing."""
    jobs, work = open_jobs(settings, parts.http), Background(parts, queue, None, marks=marks)
    start, seldom = (open_transform_start(settings, parts.http, at_least=each) for each in (_AT_ONCE, _REST))
    is_built = partial(is_built_by, PROJECT_DIR, target="bigquery", marks=marks)
    return {
        "deferred_events": work.deferred.publish_due,
        "second_look": lambda: work.looks.look_at_due(stop) if settings.second_look_s else _nothing(),
        "settling_look": lambda: work.settling.look_at_due(stop) if settings.settle_after_s else _nothing(),
        "access_watch": work.access.look,
        "pipeline_reading": work.readings.take,
        "history": lambda: start_backfill(jobs, settings.backfill_job, work.histories, marks),
        "transform": lambda: start_transform(start, seldom, parts.store, marks, is_built=is_built),
        "streams": work.streams.fetch_due,  # last: it may take all the time that is left
    }


async def take_turns(
    turns: Turns, stop: asyncio.Event, kept: Kept, *, within_s: float, turn_s: float = LONGEST_TURN_S
) -> JobEnd:
    """Do one after the other; one that fails keeps none from its turn. What is under way at its end is cancelled.

    Only the last may take all the time that is left. The job fails by a fault of ours, and where a turn had to wait or
    was left without time also in the sweep before, which `kept` tells.
    """
    until_s, faulty, waiting, left = steady_s() + within_s, list[str](), list[str](), list[str]()
    for name, turn in turns.items():
        left_s = until_s - steady_s()
        if stop.is_set():
            return JobEnd.CUT_SHORT
        if left_s <= 0:
            left.append(name)
            continue
        try:
            longest_s = left_s if name == list(turns)[-1] else min(left_s, turn_s)
            await unless_stopped(_awaited(turn), stop, within_s=longest_s)
        except _EXPECTED as error:
            log.warning("sweep.waiting", turn=name, reason=str(error))
            waiting.append(name)
        except Exception:
            log.exception("sweep.fault", turn=name)
            faulty.append(name)
    log.log(WARNING if left else INFO, "sweep.finished", failed=[*faulty, *waiting], left=left)
    is_again = await _is_again([*waiting, *left], kept)
    return JobEnd.FAILED if faulty or is_again else JobEnd.DONE


async def _is_again(names: list[str], kept: Kept) -> bool:
    """Whether one of these was told by the sweep before, and tell the next one of them."""
    try:
        before = (await kept.read()).get("undone", [])
        if before != names:
            await kept.write({"undone": names} if names else {})
    except (WarehouseBusy, OSError) as error:
        log.warning("sweep.not_kept", reason=str(error))
        return bool(names)
    return not set(names).isdisjoint(before)


async def start_backfill(jobs: JobStarter | None, job: str, histories: Histories, marks: SharedMarks) -> None:
    """Start the job that loads histories if there is one to load now, and the job is not at work already.

    Raises JobNotStarted, WarehouseBusy.
    """
    if jobs is None or await is_held(marks, "history", LeasePolicy()):
        return
    if await histories.has_due():
        await jobs.start(job)
        log.info("history.started", job=job)


async def start_transform(  # noqa: PLR0913 - what starts it, and by keyword what decides
    start: TransformStart,
    seldom: TransformStart,
    store: TransformRuns,
    marks: Marks,
    *,
    is_built: Callable[[], bool],
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Start the job that builds the marts if raw, the day or our version has changed since the last published run.

    What failed is tried again once an hour, by `seldom`; so are the daily tests if their job found another at work.
    """
    last = await store.last_run()
    is_of_today = last is not None and last.started_at.astimezone(UTC).date() == clock().date()
    is_ours = is_of_today and await asyncio.to_thread(is_built)
    if last is None or not is_ours or last.watermark != await store.watermark():
        await (start if await store.last_error() is None else seldom).if_due()
    elif await asyncio.to_thread(marks.read, TESTS_WANTED) != await asyncio.to_thread(marks.read, TESTED):
        await seldom.if_due()


async def _awaited(turn: Callable[[], Awaitable[object]]) -> None:
    await turn()


async def _nothing() -> None:
    """Do nothing where the settings switch a look off."""


if __name__ == "__main__":
    run_job("sweep", WorkerSettings, sweep)
