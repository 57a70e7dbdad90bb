"""What a backfill could not fetch: an outage is no fault of an activity, and nothing that is left out is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.errors import RateLimited, ServerFailed, StravaError, Unreachable
from strava.payload import ActivityPayload
from tests.worker.histories import ATHLETE, created, the_row
from worker.history import Histories, load_what_is_left


def activity(activity_id: int, resource_state: int, start: str | None = None) -> ActivityPayload:
    """Return what Strava shows of an activity; a higher id started later."""
    start = start or f"2026-01-01T{activity_id // 60:02}:{activity_id % 60:02}:00Z"
    fields = {"id": activity_id, "athlete": {"id": ATHLETE}, "resource_state": resource_state}
    return ActivityPayload.from_json(fields | {"start_date": start})


class Strava:
    """Answers `calls` more times unless it is `down`; `meanwhile` happens once, within a call."""

    def __init__(self) -> None:
        self.down: StravaError | None = None
        self.calls = 10_000
        self.asked: list[int] = []
        self.curves: list[int] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        self.asked.append(activity_id)
        assert tries in {None, 1}
        await asyncio.sleep(0)
        if self.calls == 0:
            raise RateLimited(900)
        if self.down:
            raise self.down
        self.calls -= 1
        happen, self.meanwhile = self.meanwhile, None
        if happen is not None:
            await happen()
        return activity(activity_id, 3)

    async def streams(self, activity_id: int) -> dict[str, Any]:
        self.curves.append(activity_id)
        if self.down:
            raise self.down
        return {"time": {}}


@pytest.fixture
async def store(store: SqliteRawStore, clock: Any) -> SqliteRawStore:
    """The warehouse of an athlete who is connected."""
    athlete = Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock())
    await store.put_athlete(athlete)
    return store


async def see(store: SqliteRawStore, clock: Any, *shown: ActivityPayload) -> None:
    """Store what Strava showed."""
    seen = {"athlete_id": ATHLETE, "observed_at": clock(), "source": Source.BACKFILL}
    await store.apply([Observation(activity_id=each.activity_id, activity=each, **seen) for each in shown])


async def listed(store: SqliteRawStore, clock: Any, **told: Any) -> None:
    """Ask for a backfill whose list is stored already."""
    now = clock()
    asked = Backfill.requested(ATHLETE, now, has_streams=told.pop("has_streams", False))
    await store.request_backfill(asked.changed(now, started_at=now, listed_at=now, **told))


def histories(store: SqliteRawStore, clock: Any, strava: Strava) -> Histories:
    """Start the worker's part."""
    return Histories(store, lambda *_: strava, RateBudget(clock=clock), clock=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("down", [Unreachable("no network"), ServerFailed(503)])
async def test_an_outage_leaves_the_newest_first(store: SqliteRawStore, clock: Any, down: StravaError) -> None:
    """After four hours of it, in which each round costs few calls, no activity rests or comes after older ones."""
    await see(store, clock, *(activity(each, 2) for each in range(1, 301)))
    await listed(store, clock)
    strava = Strava()
    loading = histories(store, clock, strava)
    strava.down = down
    for _ in range(4 * 12):
        await loading.load_due()
        clock.advance(301)
    row = await the_row(store)
    assert (row.failed_count, row.retry_at) == (0, None)
    assert len(strava.asked) < 48 * 9
    strava.asked.clear()
    strava.down, strava.calls = None, 40
    await loading.load_due()
    detailed = await store.activity_ids(ATHLETE, resource_state=3)
    assert len(detailed) == 40
    assert detailed[:39] == list(range(300, 261, -1))


async def test_one_that_always_times_out_rests_where_nothing_else_is_left(store: SqliteRawStore, clock: Any) -> None:
    """Nothing can prove that Strava answers, so it is tried twice, then rests, and the backfill ends."""
    await see(store, clock, activity(1, 2))
    await listed(store, clock)
    strava = Strava()
    strava.down = Unreachable("timed out")
    loading = histories(store, clock, strava)
    for _ in range(3):
        await loading.load_due()
        clock.advance(301)
    row = await the_row(store)
    assert (row.finished_at is None, row.failed_count, strava.asked) == (False, 1, [1, 1])
    assert row.retry_at is not None
    assert row.retry_at > row.updated_at


async def test_what_a_daily_check_leaves_during_a_round_is_loaded(store: SqliteRawStore, clock: Any) -> None:
    """The round that was under way asks for another, be it of a backfill that had ended or not."""
    for finished_at in (clock(), None):
        await see(store, clock, activity(1 if finished_at else 4, 2))
        retry_at = finished_at and clock()
        await listed(store, clock, finished_at=finished_at, failed_count=1 if retry_at else 0, retry_at=retry_at)
        strava = Strava()
        first = 2 if finished_at else 5

        async def check(first: int = first) -> None:
            await see(store, clock, activity(first, 2), activity(first + 1, 2))
            await load_what_is_left(store, ATHLETE, clock())

        strava.meanwhile = check
        loading = histories(store, clock, strava)
        await loading.load_due()
        assert len(await store.activity_ids(ATHLETE, resource_state=2)) == 2
        await loading.load_due()
        assert await store.activity_ids(ATHLETE, resource_state=2) == []
        row = await the_row(store)
        assert (row.finished_at is None, row.retry_at) == (False, None)


async def test_streams_that_failed_are_tried_again_at_any_date(store: SqliteRawStore, clock: Any) -> None:
    """Also of one dated 2099; what Strava told of as new since the end is none of the backfill's work."""
    await see(store, clock, activity(1, 3, "2099-01-01T00:00:00Z"), activity(2, 3))
    await listed(store, clock, has_streams=True)
    strava = Strava()
    strava.down = ServerFailed(500)
    loading = histories(store, clock, strava)
    await loading.load_due()
    row = await the_row(store)
    assert (row.finished_at is None, row.failed_count) == (False, 2)
    clock.advance(3600)
    await see(store, clock, activity(3, 3))
    await store.record([created(3, clock())])
    strava.down = None
    strava.curves.clear()
    await loading.load_due()
    row = await the_row(store)
    assert (sorted(strava.curves), row.failed_count, row.retry_at) == ([1, 2], 0, None)


async def test_a_person_who_asks_again_ends_the_rests(store: SqliteRawStore, clock: Any) -> None:
    """What rests for minutes is tried at the next look, with the row's own bounds; once, and then it rests again."""
    await see(store, clock, activity(1, 3), activity(2, 3))
    await listed(store, clock, has_streams=True)
    strava = Strava()
    strava.down = ServerFailed(500)
    loading = histories(store, clock, strava)
    await loading.load_due()
    await loading.load_due()
    assert strava.curves == [2, 1]
    row = await the_row(store)
    await store.note_backfill(row.tried_at_once(clock()))
    for _ in range(3):
        await loading.load_due()
    assert strava.curves == [2, 1, 2, 1]
    strava.down = None
    await store.note_backfill((await the_row(store)).tried_at_once(clock()))
    await loading.load_due()
    done = await the_row(store)
    assert (done.failed_count, done.retry_at, done.finished_at) == (0, None, row.finished_at)
    assert await store.stream_count(ATHLETE) == 2
