"""The sweep asks Strava and the warehouse for what is due, and for no more."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import DueStreams, StreamRule
from strava.errors import ServerFailed
from strava.payload import ActivityPayload
from tests.shared_marks import MemoryMarks
from worker.kept import Kept
from worker.streams import StreamSweep

ANNA, BEN = 7, 8


class CountingStore(SqliteRawStore):
    """The real warehouse; `looks` are the athletes whose activities were looked through, and since when."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.looks: list[tuple[int, bool]] = []

    async def due_streams(
        self, athlete_id: int, *args: Any, changed_since: datetime | None = None, **more: Any
    ) -> list[DueStreams]:
        self.looks.append((athlete_id, changed_since is None))
        return await super().due_streams(athlete_id, *args, changed_since=changed_since, **more)


class Curves:
    """Strava, which fails on some activities whenever it is asked."""

    def __init__(self, bad: Iterable[int] = ()) -> None:
        self.bad = set(bad)
        self.asked = Counter[int]()

    async def streams(self, activity_id: int) -> dict[str, Any]:
        self.asked[activity_id] += 1
        if activity_id in self.bad:
            raise ServerFailed(500)
        return {"time": {"data": [activity_id]}}


@pytest.fixture
async def store(tmp_path: Path, clock: Any) -> AsyncIterator[CountingStore]:
    """The real warehouse, with two athletes connected."""
    store = CountingStore(tmp_path / "pipeline.sqlite", clock=clock)
    for each in (ANNA, BEN):
        await store.put_athlete(
            Athlete(athlete_id=each, scope=frozenset(), status="connected", updated_at=clock() - timedelta(days=9))
        )
    yield store
    await store.close()


async def save(store: SqliteRawStore, clock: Any, athlete_id: int, *activity_ids: int) -> None:
    """Store details; a higher id started later."""
    for key in activity_ids:
        fields = {"id": key, "athlete": {"id": athlete_id}, "resource_state": 3, "sport_type": "Run",
                  "start_date": f"2026-01-01T00:{key % 60:02}:00Z"}  # fmt: skip
        seen = {"activity_id": key, "athlete_id": athlete_id, "observed_at": clock(), "source": Source.BACKFILL}
        await store.apply([Observation(activity=ActivityPayload.from_json(fields), **seen)])


def sweep_of(store: SqliteRawStore, curves: Curves, clock: Any) -> StreamSweep:
    """Return what keeps everybody's streams complete."""
    return StreamSweep(store, lambda _: curves, [StreamRule()], clock=clock, steady=clock.steady_s)


async def test_a_poll_looks_through_what_changed_alone(store: CountingStore, clock: Any) -> None:
    """With nothing new it looks through nobody's activities, also while another athlete's backfill takes days."""
    await save(store, clock, ANNA, 1, 2)
    await save(store, clock, BEN, 30)
    asked = Backfill.requested(BEN, clock())
    await store.request_backfill(asked)
    curves = Curves()
    sweep = sweep_of(store, curves, clock)
    for _ in range(100):
        await sweep.fetch_due()
        clock.advance(15)
    assert store.looks == [(ANNA, True)]
    await save(store, clock, BEN, 31)
    await save(store, clock, ANNA, 3)
    for _ in range(100):
        await sweep.fetch_due()
        clock.advance(15)
    assert store.looks == [(ANNA, True), (ANNA, False)]
    assert curves.asked == {1: 1, 2: 1, 3: 1}
    await store.note_backfill(asked.changed(clock(), finished_at=clock()))
    for _ in range(100):
        await sweep.fetch_due()
        clock.advance(15)
    assert store.looks == [(ANNA, True), (ANNA, False), (BEN, True)]
    assert curves.asked == dict.fromkeys((1, 2, 3, 30, 31), 1)


async def test_streams_that_always_fail_hold_up_no_others(store: CountingStore, clock: Any, rows: Any) -> None:
    """Of five at the head the first round ends early; the others are fetched at the next, those now and then."""
    await save(store, clock, ANNA, *range(1, 13))
    curves = Curves(bad=range(8, 13))
    sweep = sweep_of(store, curves, clock)
    with capture_logs() as logs:
        await sweep.fetch_due()
    assert curves.asked.keys() <= set(range(7, 13))
    failed = [line for line in logs if line["event"] == "streams.failed"]
    assert [line["activity_id"] for line in failed] == [12, 11, 10, 9, 8]
    assert {line["retry_at"][:16] for line in failed} == {"2026-05-01T12:15"}
    for _ in range(12 * 60):
        clock.advance(60)
        await sweep.fetch_due()
    assert {row["activity_id"] for row in rows("select activity_id from strava_streams")} == set(range(1, 8))
    assert {curves.asked[each] for each in range(8, 13)} <= {5, 6, 7, 8}
    assert all(curves.asked[each] == 1 for each in range(1, 8))
    assert len(store.looks) < 40
    curves.bad.clear()
    clock.advance(86_400)
    await sweep.fetch_due()
    assert await store.stream_count(ANNA) == 12


async def test_of_older_activities_only_outdated_streams_are_fetched(store: CountingStore, clock: Any) -> None:
    """With days, what began before them is not asked for, but again where it has streams of another version."""
    await save(store, clock, ANNA, 1, 2)
    curves = Curves()
    days = (clock().date() - date(2026, 1, 1)).days
    recent = StreamSweep(store, lambda _: curves, [StreamRule()], days=days, clock=clock, steady=clock.steady_s)
    await recent.fetch_due()
    assert not curves.asked
    await sweep_of(store, curves, clock).fetch_due()
    clock.advance(60)
    fields = {"id": 1, "athlete": {"id": ANNA}, "resource_state": 3, "distance": 9.0,
              "start_date": "2026-01-01T00:01:00Z"}  # fmt: skip
    seen = {"activity_id": 1, "athlete_id": ANNA, "observed_at": clock(), "source": Source.BACKFILL}
    await store.apply([Observation(activity=ActivityPayload.from_json(fields), **seen)])
    await recent.fetch_due()
    assert curves.asked == {1: 2, 2: 1}
    wider = StreamSweep(store, lambda _: Curves(), [StreamRule()], days=days + 1, clock=clock, steady=clock.steady_s)
    await save(store, clock, ANNA, 3)
    await wider.fetch_due()
    assert await store.stream_count(ANNA) == 3


async def test_streams_that_expired_are_fetched_again(store: CountingStore, clock: Any) -> None:
    """Once, without a rule that names them, by a sweep that had looked through all; their activity stays as it is."""
    await save(store, clock, ANNA, 1, 2)
    curves = Curves()
    await sweep_of(store, curves, clock).fetch_due()
    ruleless = StreamSweep(store, lambda _: curves, [], clock=clock, steady=clock.steady_s)
    await ruleless.fetch_due()
    clock.advance(60)
    await save(store, clock, ANNA, 1, 2)
    await store.expire(observed_before=clock() - timedelta(seconds=30), how_many=9)
    assert (await store.stream_count(ANNA), await store.activity_ids(ANNA)) == (0, [2, 1])
    for _ in range(2):
        await ruleless.fetch_due()
        assert (await store.stream_count(ANNA), curves.asked) == (2, {1: 2, 2: 2})


async def test_a_program_goes_on_from_the_one_before_it(store: CountingStore, clock: Any) -> None:
    """Each sweep is a program of its own: it looks through what changed alone, and what failed rests as in one."""
    await save(store, clock, ANNA, *range(1, 13))
    curves, marks = Curves(bad=range(8, 13)), MemoryMarks()

    async def sweep() -> None:
        again = StreamSweep(
            store,
            lambda _: curves,
            [StreamRule()],
            clock=clock,
            steady=lambda: clock().timestamp(),
            kept=Kept(marks, "streams"),
        )
        await again.fetch_due()
        clock.advance(300)

    for _ in range(12 * 12):
        await sweep()
    assert await store.stream_count(ANNA) == 7
    assert {curves.asked[each] for each in range(8, 13)} <= {5, 6, 7, 8}
    assert len(store.looks) < 40
    curves.bad.clear()
    clock.advance(86_400)
    await sweep()
    assert await store.stream_count(ANNA) == 12
    store.looks.clear()
    for _ in range(3):
        await sweep()
    await save(store, clock, ANNA, 13)
    await sweep()
    assert store.looks == [(ANNA, False), (BEN, False)]
    assert str(ANNA) not in marks.read("streams").split('"')
