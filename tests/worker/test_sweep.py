"""The sweep of Google Cloud: one turn of each, in time, and the jobs that it starts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.marks.lease import LeasePolicy, leased
from backends.warehouse import WarehouseBusy
from backends.warehouse.backfills import Backfill
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from tests.shared_marks import MemoryMarks
from tests.worker.conftest import ATHLETE, NOON
from worker.history import Histories
from worker.job import JobEnd
from worker.sweep import start_backfill, start_transform, take_turns
from worker.transform_start import TransformStart


class Turns:
    """Turns that note that they were taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.stop = asyncio.Event()

    async def good(self) -> None:
        self.taken.append("good")

    async def busy(self) -> None:
        raise WarehouseBusy("Later.")

    async def faulty(self) -> None:
        raise ZeroDivisionError

    async def endless(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            self.taken.append("cancelled")

    async def ends_all(self) -> None:
        self.stop.set()
        await self.endless()


@pytest.fixture
def turns() -> Turns:
    """What is done."""
    return Turns()


async def test_each_has_its_turn(turns: Turns) -> None:
    """What fails keeps no other from its turn; the end tells it, by name and by code."""
    chosen = {"a": turns.busy, "b": turns.faulty, "c": turns.good}
    with capture_logs() as logs:
        assert await take_turns(chosen, turns.stop, within_s=9) is JobEnd.FAILED
    told = [(log["event"], log["log_level"], log.get("turn") or log.get("failed")) for log in logs]
    assert told == [
        ("sweep.waiting", "warning", "a"),
        ("sweep.fault", "error", "b"),
        ("sweep.finished", "info", ["a", "b"]),
    ]
    assert turns.taken == ["good"]
    assert await take_turns({"c": turns.good}, turns.stop, within_s=9) is JobEnd.DONE


async def test_what_takes_too_long_is_cut_short(turns: Turns) -> None:
    """It goes on in the next sweep, so that is no failure."""
    assert await take_turns({"a": turns.endless}, turns.stop, within_s=0.05) is JobEnd.DONE
    assert turns.taken == ["cancelled"]


async def test_a_signal_ends_it_at_once(turns: Turns) -> None:
    """What is under way is cancelled, and what comes after it is left to the next sweep."""
    assert await take_turns({"a": turns.ends_all, "b": turns.good}, turns.stop, within_s=9) is JobEnd.CUT_SHORT
    assert turns.taken == ["cancelled"]


# -- the jobs that it starts ----------------------------------------------------------------------------------------


class FakeJobs:
    """Notes what is started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def start(self, job: str) -> None:
        self.started.append(job)


async def test_a_history_that_is_due_starts_its_job(store: SqliteRawStore, clock: Any) -> None:
    """One that was asked for starts it; one that waits for Strava's limits, and one that is loaded, do not."""
    jobs, marks = FakeJobs(), MemoryMarks()
    histories = Histories(store, lambda *_: pytest.fail("Strava was asked"), RateBudget(), clock=clock)
    await start_backfill(jobs, "b", histories, marks)
    assert jobs.started == []
    asked = Backfill.requested(ATHLETE, NOON)
    await store.request_backfill(asked)
    waits = {"waits_until": NOON + timedelta(minutes=9), "waits_because": "limits"}
    async with leased(marks, "history", LeasePolicy()):
        await start_backfill(jobs, "b", histories, marks)  # it is at work already
    assert jobs.started == []
    for changes, starts in (
        ({"started_at": NOON}, 1),
        (waits, 1),
        (dict.fromkeys(waits), 2),
        ({"finished_at": NOON}, 2),
    ):
        asked = asked.changed(clock(), **changes)
        assert await store.note_backfill(asked)
        await start_backfill(jobs, "b", histories, marks)
        assert jobs.started == ["b"] * starts, changes
    await start_backfill(None, "b", histories, marks)


async def test_marts_that_are_behind_start_their_job(store: SqliteRawStore, clock: Any) -> None:
    """Before the first run, after a change, and on another day; while they are level nothing is started."""
    jobs = FakeJobs()
    start = TransformStart(jobs, MemoryMarks(), job="t", interval=timedelta(0), clock=clock)

    async def starts() -> int:
        before = len(jobs.started)
        await start_transform(start, store, clock=clock)
        return len(jobs.started) - before

    async def published() -> None:
        at = clock()
        run = TransformRun(
            run_id=str(at),
            watermark=await store.watermark(),
            started_at=at,
            finished_at=at,
            published_at=at,
            is_full_refresh=False,
            error=None,
        )
        await store.put_run(run)

    assert await starts() == 1
    await published()
    assert await starts() == 0
    await store.request_backfill(Backfill.requested(ATHLETE, NOON))
    assert await starts() == 1
    await published()
    clock.advance(86_400)
    assert await starts() == 1
