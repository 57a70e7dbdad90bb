"""RETENTION_DAYS: what is too old goes, and the history is asked for of those who can be asked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Expired, Observation, Source
from backends.warehouse.athletes import IngestionState
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import DueStreams, Streams
from strava.payload import ActivityPayload
from tests.worker.conftest import FakeStrava
from worker.daily import with_profile
from worker.daily_report import Checked
from worker.retention import expire

ATHLETE, LEFT = 4605555801, 4605555802


async def observe(store: SqliteRawStore, now: datetime, days: Sequence[tuple[int, int]], **fields: Any) -> None:
    """Store activities 1, 2, 3 …, each of an athlete and seen so many days ago."""
    seen = [
        Observation(
            activity_id=number,
            athlete_id=whose,
            observed_at=now - timedelta(days=ago),
            source=Source.BACKFILL,
            activity=ActivityPayload.from_json({"id": number, "athlete": {"id": whose}, "resource_state": 3, **fields}),
        )
        for number, (whose, ago) in enumerate(days, 1)
    ]
    await store.apply(seen)


async def test_what_is_too_old_goes_and_is_asked_for_again(store: SqliteRawStore, clock: Any) -> None:
    """Of any number of activities, and once; nobody asks for one whose tokens Strava rejects."""
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, athlete_id=LEFT, status="token_rejected"))
    now = clock()
    await observe(store, now, [(ATHLETE, 8)] * 130 + [(LEFT, 9), (ATHLETE, 6)])
    assert await expire(store, 7, now) == 131
    assert (await store.activity_ids(ATHLETE), await store.activity_ids(LEFT)) == ([132], [])
    assert (await store.reload_expired(), await store.reload_expired()) == ([ATHLETE], [])
    [row] = await store.backfills()
    assert (row.athlete_id, row.since, row.has_details, row.has_streams) == (ATHLETE, None, True, False)
    await store.note_backfill(row.changed(clock(), finished_at=clock()))
    assert (await store.reload_expired(), await expire(store, 7, now)) == ([], 0)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_backfill_under_way_goes_on_as_it_was_asked_for(
    store: SqliteRawStore, clock: Any, *, is_whole: bool
) -> None:
    """Its choices, how far it is and its cursor stay; once it has ended what it left out is asked for, from the top."""
    now = clock()
    await observe(store, now, [(ATHLETE, 8)])
    since = None if is_whole else now - timedelta(days=90)
    asked = Backfill.requested(ATHLETE, now, since=since, has_streams=True).changed(now, started_at=now, listed_count=3)
    await store.request_backfill(asked)
    listing = IngestionState(
        athlete_id=ATHLETE, complete_as_of=None, listing_began_at=now, backfill_cursor=now, updated_at=now
    )
    await store.put_ingestion_state(listing)
    assert await expire(store, 7, clock()) == 1
    assert (await store.reload_expired(), await store.backfills()) == ([], [asked])
    assert await store.ingestion_state(ATHLETE) == listing
    await store.note_backfill(asked.changed(clock(), finished_at=clock()))
    assert await store.reload_expired() == [ATHLETE]
    [row] = await store.backfills()
    assert (row.since, row.listed_at, row.finished_at, row.has_streams) == (None, None, None, is_whole)
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert (state.listing_began_at, state.backfill_cursor) == (None, None)


class Interrupted(SqliteRawStore):
    """Counts what each step removes, and lets no more of them pass than it may."""

    steps_left = 2

    async def expire(self, *, observed_before: datetime, how_many: int) -> Expired:
        if not self.steps_left:
            raise WarehouseBusy("locked")
        self.steps_left -= 1
        before = await self.stream_count(ATHLETE)
        done = await super().expire(observed_before=observed_before, how_many=how_many)
        assert before - await self.stream_count(ATHLETE) == done.others <= 50
        return done


async def test_streams_go_in_steps_and_go_on_after_a_stop(tmp_path: Any, store: SqliteRawStore, clock: Any) -> None:
    """What was removed before the stop is removed, the next run does the rest, and the activities stay."""
    now = clock()
    await observe(store, now, [(ATHLETE, 1)] * 120)
    for number in range(1, 121):
        due = DueStreams(activity_id=number, athlete_id=ATHLETE, fetched_for="[]", activity_hash="h")
        await store.put_streams(Streams(due=due, observed_at=now - timedelta(days=8), payload={"time": {}}))
    stopped = Interrupted(tmp_path / "pipeline.sqlite", clock=clock)
    with pytest.raises(WarehouseBusy):
        await expire(stopped, 7, now)
    assert await store.stream_count(ATHLETE) == 20
    stopped.steps_left = 9
    assert await expire(stopped, 7, now) == 0
    assert (await store.stream_count(ATHLETE), len(await store.activity_ids(ATHLETE))) == (0, 120)
    await stopped.close()


@pytest.mark.parametrize("days", [1, 7])
async def test_settings_and_gear_that_strava_shows_every_day_never_expire(
    store: SqliteRawStore, strava: FakeStrava, client_of: Any, clock: Any, rows: Any, days: int
) -> None:
    """They keep the date of their last change; what Strava does not show any more goes when its time has come."""
    await observe(store, clock() + timedelta(days=30), [(ATHLETE, 0)], gear_id="g1")
    strava.answers |= {
        "athlete": httpx.Response(200, json={"id": ATHLETE, "weight": 61.5, "ftp": 240}),
        "athlete/zones": httpx.Response(200, json={}),
        "gear/g1": httpx.Response(200, json={"id": "g1", "distance": 100}),
    }
    held = []
    for _ in range(10):
        clock.advance(86_400 - 60)  # a run takes a while, and not always as long
        checked = Checked(athlete_id=ATHLETE)
        await with_profile(checked, store, client_of(ATHLETE), retention_days=days, clock=clock)
        clock.advance(60)
        await expire(store, days, clock())
        held.append((len(rows("select 1 from strava_gear")), len(rows("select 1 from strava_athlete_settings"))))
    assert held == [(1, 1)] * 10
    [row] = rows("select observed_at from strava_athlete_settings")
    assert row["observed_at"][:10] == "2026-05-02"
    strava.answers = {"athlete/zones": httpx.Response(200, json={}), "athlete": httpx.Response(200, json={"id": 1})}
    await with_profile(Checked(athlete_id=ATHLETE), store, client_of(ATHLETE), retention_days=days, clock=clock)
    clock.advance(days * 86_400)
    await expire(store, days, clock())
    assert rows("select 1 from strava_gear union all select 1 from strava_athlete_settings") == []
