"""The sweep of Google Cloud: one turn of each, in time, and the jobs that it starts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.marks.lease import LeasePolicy, leased
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Observation, Source
from backends.warehouse.backfills import Backfill
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.errors import RateLimited
from strava.payload import ActivityPage, ActivityPayload
from tests.shared_marks import MemoryMarks
from tests.worker.conftest import ATHLETE, NOON, Clock
from worker.history import Histories
from worker.job import JobEnd
from worker.kept import Kept
from worker.retention import expire
from worker.sweep import start_backfill, start_transform, take_turns
from worker.transform_start import TESTED, TESTS_WANTED, TransformStart


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


@pytest.fixture
def kept() -> Kept:
    """What a sweep tells the next."""
    return Kept(MemoryMarks(), "sweep")


async def test_each_has_its_turn(turns: Turns, kept: Kept) -> None:
    """What fails keeps no other from its turn; the end tells it, by name and by code."""
    chosen = {"a": turns.busy, "b": turns.faulty, "c": turns.good}
    with capture_logs() as logs:
        assert await take_turns(chosen, turns.stop, kept, within_s=9) is JobEnd.FAILED
    told = [(log["event"], log["log_level"], log.get("turn") or log.get("failed")) for log in logs]
    assert told == [
        ("sweep.waiting", "warning", "a"),
        ("sweep.fault", "error", "b"),
        ("sweep.finished", "info", ["b", "a"]),
    ]
    assert turns.taken == ["good"]
    assert await take_turns({"c": turns.good}, turns.stop, kept, within_s=9) is JobEnd.DONE


async def test_what_waits_once_is_no_failure(turns: Turns, kept: Kept) -> None:
    """It is one when the next sweep finds the same, or cannot tell."""

    async def end(turn: Callable[[], Awaitable[None]]) -> JobEnd:
        return await take_turns({"a": turn}, turns.stop, kept, within_s=9)

    ends = [await end(turn) for turn in (turns.busy, turns.good, turns.busy, turns.busy)]
    assert ends == [JobEnd.DONE, JobEnd.DONE, JobEnd.DONE, JobEnd.FAILED]
    marks = MemoryMarks()
    marks.is_down = True
    assert await take_turns({"a": turns.busy}, turns.stop, Kept(marks, "sweep"), within_s=9) is JobEnd.FAILED


async def test_what_takes_too_long_is_cut_short(turns: Turns, kept: Kept) -> None:
    """It goes on in the next sweep, so that is no failure; and it leaves the others their time."""
    chosen = {"a": turns.endless, "b": turns.good}
    assert await take_turns(chosen, turns.stop, kept, within_s=9, turn_s=0.05) is JobEnd.DONE
    assert turns.taken == ["cancelled", "good"]


async def test_what_is_left_twice_is_a_failure(turns: Turns, kept: Kept) -> None:
    """No time for a turn at all: the log names it, and nobody would learn of it otherwise."""
    for end in (JobEnd.DONE, JobEnd.FAILED):
        with capture_logs() as logs:
            assert await take_turns({"a": turns.endless, "b": turns.good}, turns.stop, kept, within_s=0.05) is end
        assert [(log["log_level"], log["left"]) for log in logs] == [("warning", ["b"])]
    assert turns.taken == ["cancelled"] * 2


async def test_a_signal_ends_it_at_once(turns: Turns, kept: Kept) -> None:
    """What is under way is cancelled, and what comes after it is left to the next sweep."""
    assert await take_turns({"a": turns.ends_all, "b": turns.good}, turns.stop, kept, within_s=9) is JobEnd.CUT_SHORT
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


async def test_what_expired_starts_the_job_of_histories(store: SqliteRawStore, clock: Clock) -> None:
    """Nobody asked for that history but the retention."""
    payload = ActivityPayload.from_json({"id": 1, "athlete": {"id": ATHLETE}, "resource_state": 3})
    seen_at = clock() - timedelta(days=8)
    seen = Observation(activity_id=1, athlete_id=ATHLETE, observed_at=seen_at, source=Source.BACKFILL, activity=payload)
    await store.apply([seen])
    assert await expire(store, 7, clock()) == 1
    jobs, histories = (
        FakeJobs(),
        Histories(store, lambda *_: pytest.fail("Strava was asked"), RateBudget(), clock=clock),
    )
    await start_backfill(jobs, "b", histories, MemoryMarks())
    assert jobs.started == ["b"]


class Marts:
    """The turn that starts the marts' job, and the runs that it finds."""

    def __init__(self, store: SqliteRawStore, clock: Clock) -> None:
        self.store, self.clock, self.marks, self.jobs = store, clock, MemoryMarks(), FakeJobs()
        self.is_built = True

    async def starts(self) -> int:
        before = len(self.jobs.started)
        each = (timedelta(0), timedelta(hours=1))
        start, seldom = (
            TransformStart(self.jobs, self.marks, job="t", interval=interval, clock=self.clock) for interval in each
        )
        is_built, clock = (lambda: self.is_built), self.clock
        await start_transform(start, seldom, self.store, self.marks, is_built=is_built, clock=clock)
        return len(self.jobs.started) - before

    async def ran(self, error: str | None = None) -> None:
        at = self.clock()
        run = TransformRun(
            run_id=str(at),
            watermark=await self.store.watermark(),
            started_at=at,
            finished_at=at,
            published_at=None if error else at,
            is_full_refresh=False,
            error=error,
        )
        await self.store.put_run(run)


@pytest.fixture
def marts(store: SqliteRawStore, clock: Clock) -> Marts:
    """The turn, on a store without a run."""
    return Marts(store, clock)


async def test_marts_that_are_behind_start_their_job(marts: Marts, store: SqliteRawStore, clock: Clock) -> None:
    """Before the first run, after a change or an upgrade, and on another day; while they are level none is started."""
    assert await marts.starts() == 1
    await marts.ran()
    assert await marts.starts() == 0
    await store.request_backfill(Backfill.requested(ATHLETE, NOON))
    assert await marts.starts() == 1
    await marts.ran()
    marts.is_built = False
    assert await marts.starts() == 1
    marts.is_built = True
    assert await marts.starts() == 0
    clock.advance(86_400)
    assert await marts.starts() == 1


async def test_a_build_that_failed_is_tried_again_by_the_hour(marts: Marts, clock: Clock) -> None:
    """Each try is billed; once it is mended, the next change is built at once."""
    started = []
    for _ in range(25):
        if await marts.starts():
            started.append(clock())
            await marts.ran("a model is broken")
        clock.advance(300)
    assert [round((each - started[0]) / timedelta(hours=1)) for each in started] == [0, 1, 2]
    await marts.ran()
    await marts.store.request_backfill(Backfill.requested(ATHLETE, NOON))
    assert await marts.starts() == 1


async def test_tests_that_found_another_at_work_are_made_up_for(marts: Marts, clock: Clock) -> None:
    """The daily job started them, and the job ended because another held the lease."""
    await marts.ran()
    marts.marks.texts |= {TESTS_WANTED: "today", "transform_started_at": clock().isoformat()}
    assert await marts.starts() == 0
    clock.advance(3601)
    assert [await marts.starts() for _ in range(3)] == [1, 0, 0]
    clock.advance(3601)
    marts.marks.texts[TESTED] = "today"
    assert await marts.starts() == 0


@pytest.mark.parametrize(("look_s", "looks"), [(0.01, range(8, 99)), (60.0, range(2, 4))])
async def test_it_looks_as_often_as_it_is_told_whether_it_is_still_wanted(
    store: SqliteRawStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, look_s: float, looks: range
) -> None:
    """Where each look is billed it looks seldom, and ends as soon as Strava's limit does."""

    class Slow:
        async def activities(self, **_: object) -> AsyncIterator[ActivityPage]:
            await asyncio.sleep(0.3)
            raise RateLimited(9.0)
            yield

    asked, find = list[None](), store.backfills

    async def counted() -> list[Backfill]:
        asked.append(None)
        return await find()

    await store.request_backfill(Backfill.requested(ATHLETE, clock()))
    monkeypatch.setattr(store, "backfills", counted)
    histories = Histories(store, lambda *_: Slow(), RateBudget(), clock=clock, look_s=look_s)  # type: ignore[arg-type]
    await asyncio.wait_for(histories.load_due(), 5)
    assert len(asked) in looks
