"""RETENTION_DAYS: what is too old goes, and the history is asked for of those who can be asked for."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Expired, Observation, Source
from backends.warehouse.athletes import IngestionState
from backends.warehouse.backfills import Backfill
from backends.warehouse.profile import SeenGear, SeenSettings, SeenTotals
from backends.warehouse.runs import changed_tables
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import DueStreams, Streams
from simulator.rates import Limits
from strava.payload import ActivityPayload
from tests.worker.conftest import FakeStrava
from tests.worker.histories import Life, ask, the_row
from tests.worker.simulated import simulated
from worker.daily import with_profile
from worker.daily_report import Checked
from worker.history import load_what_is_left
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


@pytest.mark.parametrize("days", [None, 90])
@pytest.mark.parametrize(("has_details", "has_streams"), [(True, True), (True, False), (False, False)])
async def test_a_reload_keeps_what_was_chosen(
    store: SqliteRawStore, clock: Any, *, days: int | None, has_details: bool, has_streams: bool
) -> None:
    """Details, streams or the lines alone, as the last request has it; of the whole history, its list from the top."""
    now = clock()
    await observe(store, now, [(ATHLETE, 8)])
    since = now - timedelta(days=days) if days else None
    asked = Backfill.requested(ATHLETE, now, since=since, has_details=has_details, has_streams=has_streams)
    await store.request_backfill(asked.changed(now, started_at=clock(), finished_at=clock()))
    await store.put_ingestion_state(
        IngestionState(
            athlete_id=ATHLETE, complete_as_of=None, listing_began_at=now, backfill_cursor=now, updated_at=now
        )
    )
    assert (await expire(store, 7, clock()), await store.reload_expired()) == (1, [ATHLETE])
    row = await the_row(store)
    assert (row.since, row.has_details, row.has_streams) == (None, has_details, has_streams)
    assert (row.started_at, row.listed_at, row.finished_at) == (None, None, None)
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert (state.listing_began_at, state.backfill_cursor) == (None, None)


@pytest.fixture
async def life(tmp_path: Path, clock: Any, tokens: FileTokenStore) -> AsyncIterator[Life]:
    """The simulated athlete, connected."""
    terms: dict[str, Any] = {"reads": Limits(40, 400), "overall": Limits(200, 2000)}
    async with simulated(clock, seed=7, athlete_id=ATHLETE, years=0.4, **terms) as there:
        life = Life(tmp_path, clock, there, tokens)
        await life.connect()
        yield life
        await life.close()


@pytest.mark.parametrize("days", [None, 60])
async def test_what_expires_under_a_backfill_keeps_its_line(
    life: Life, store: SqliteRawStore, clock: Any, days: int | None
) -> None:
    """A poll between two steps of an expiry lists all, and so does the next; the backfill goes on with its choices."""
    histories = life.histories(store)
    await ask(life, store, has_details=False)
    await histories.load_due()
    since = clock() - timedelta(days=days) if days else None
    asked = Backfill.requested(ATHLETE, clock(), since=since, has_streams=True)
    await store.request_backfill(asked)
    await histories.load_due()
    waits_until, seen_by = (await the_row(store)).waits_until, clock()
    clock.advance(60)
    assert waits_until is not None
    assert waits_until > clock()  # with a spent lane of the details
    removed = [(await store.expire(observed_before=seen_by, how_many=50)).activities]
    for _ in range(2):
        await histories.load_due()
        assert set(await store.activity_ids(ATHLETE)) == life.activity_ids
        row, before = await the_row(store), life.used()
        assert (row.requested_at, row.since, row.has_streams) == (asked.requested_at, None, True)
        assert row.listed_count == len(life.activity_ids)
        await histories.load_due()
        assert life.used() == before
        removed.append((await store.expire(observed_before=seen_by, how_many=50)).activities)
    assert removed[0] == 50 > removed[1] > removed[2] == 0
    await store.note_backfill(row.changed(clock(), finished_at=clock()))
    assert await store.reload_expired() == []


async def test_what_a_check_finds_is_loaded_and_no_choice_forgotten(
    life: Life, store: SqliteRawStore, clock: Any
) -> None:
    """The finished backfill loads the detail, and stays finished and one with streams."""
    asked = Backfill.requested(ATHLETE, clock(), since=clock() - timedelta(days=7), has_streams=True)
    await store.request_backfill(asked)
    histories = life.histories(store)
    await histories.load_due()
    ended = await the_row(store)
    assert ended.finished_at is not None
    run = life.simulation.actions.create({"sport_type": "Run"})
    summary = ActivityPayload.from_json(life.simulation.world.summary(run.id))
    seen = {"activity_id": run.id, "athlete_id": ATHLETE, "observed_at": clock(), "source": Source.RECONCILE}
    await store.apply([Observation(activity=summary, **seen)])
    await load_what_is_left(store, ATHLETE, clock())
    await histories.load_due()
    assert run.id in await store.activity_ids(ATHLETE, resource_state=3)
    assert replace(await the_row(store), updated_at=ended.updated_at) == ended


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


async def test_streams_go_in_steps_and_go_on_after_a_stop(
    tmp_path: Path, store: SqliteRawStore, clock: Any, rows: Any
) -> None:
    """What was removed before the stop is removed, the next run does the rest, and the activities stay.

    Also without a rule Strava is asked for them again; until then nothing of them is on the disk.
    """
    now = clock()
    await observe(store, now, [(ATHLETE, 1)] * 120)
    for number in range(1, 121):
        due = DueStreams(activity_id=number, athlete_id=ATHLETE, fetched_for="[]", activity_hash="h")
        await store.put_streams(Streams(due=due, observed_at=now - timedelta(days=8), payload={"time": "Sunrise"}))
    stopped = Interrupted(tmp_path / "pipeline.sqlite", clock=clock)
    with pytest.raises(WarehouseBusy):
        await expire(stopped, 7, now)
    assert await store.stream_count(ATHLETE) == 20
    stopped.steps_left = 9
    assert await expire(stopped, 7, now) == 0
    assert (await store.stream_count(ATHLETE), len(await store.activity_ids(ATHLETE))) == (0, 120)
    assert rows("select distinct payload, fetched_for from strava_streams") == [{"payload": None, "fetched_for": "[]"}]
    again = await store.due_streams(ATHLETE, [])
    assert len(again) == 120
    for due in again[:70]:
        await store.put_streams(Streams(due=due, observed_at=now, payload=None))
    assert (await store.stream_count(ATHLETE), len(await store.due_streams(ATHLETE, []))) == (70, 50)
    await stopped.close()
    await store.close()
    assert not [path for path in tmp_path.iterdir() if b"Sunrise" in path.read_bytes()]


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


async def test_the_transformer_is_told_of_what_else_expired(store: SqliteRawStore, clock: Any) -> None:
    """The older of two rows goes, of which no stamp moves: its table counts as changed, and no other."""
    now = clock()
    for number, ago in enumerate((9, 1)):
        seen_at = now - timedelta(days=ago)
        gear = SeenGear(gear_id=f"g{number}", athlete_id=ATHLETE, observed_at=seen_at, payload={"id": f"g{number}"})
        assert await store.put_gear(gear)
        values = {"weight": 60 + number}
        assert await store.put_settings(SeenSettings(athlete_id=ATHLETE, observed_at=seen_at, values=values))
    stale = SeenTotals(athlete_id=ATHLETE, observed_at=now - timedelta(days=8), payload={})
    assert await store.put_totals(stale)
    for table in ("strava_gear", "strava_athlete_settings", "strava_totals"):
        mark = await store.watermark()
        assert (await store.expire(observed_before=now - timedelta(days=7), how_many=1)).others == 1
        assert changed_tables(mark, await store.watermark()) == frozenset({table})
