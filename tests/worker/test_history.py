"""Backfills that the worker takes up: within the limits, through any kill, and told as they go."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.tokens.file import FileTokenStore
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import StreamRule
from runtime.clock import utc_text
from simulator.rates import Limits
from strava.payload import DETAILED, ActivityPayload
from tests.contracts.test_own_files import an_import, listed
from tests.worker.histories import ATHLETE, Life, ask, created, lives, the_row
from tests.worker.simulated import simulated
from worker.history import Histories, load_what_is_left

A_QUARTER, A_DAY = 40, 100
CALLS_AT_ONCE = 4


@pytest.fixture
async def life(tmp_path: Path, clock: Any, tokens: FileTokenStore) -> AsyncIterator[Life]:
    """The simulated athlete, connected, of whom nothing is stored."""
    terms: dict[str, Any] = {"reads": Limits(A_QUARTER, A_DAY), "overall": Limits(200, 2000)}
    async with simulated(clock, seed=7, athlete_id=ATHLETE, years=1, **terms) as there:
        life = Life(tmp_path, clock, there, tokens)
        await life.connect()
        store = life.store()
        await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=clock()))
        yield life
        await life.close()


async def test_no_detail_is_asked_for_of_what_an_export_tells(life: Life) -> None:
    """Where it would not last: the list and the three others are loaded, and then the history is done."""
    store = life.store()
    others = sorted(life.activity_ids)[-3:]
    await store.put_import(an_import(athlete_id=ATHLETE, started_at=life.clock(), updated_at=life.clock()))
    archived = [listed(each, athlete_id=ATHLETE, exported_at=life.clock()) for each in life.activity_ids - set(others)]
    await store.put_archive_rows(archived, "i1")
    await ask(life, store)
    await life.histories(store, spares_archived=True).load_due()
    row = await the_row(store)
    assert row.finished_at is not None
    assert set(await store.activity_ids(ATHLETE)) == life.activity_ids
    assert sorted(await store.activity_ids(ATHLETE, resource_state=DETAILED)) == others
    assert life.used()[0] < A_QUARTER


async def until_stored(store: SqliteRawStore) -> None:
    """Wait for the first row of an activity."""
    while not await store.activity_ids(ATHLETE):  # noqa: ASYNC110 - the port can only be asked
        await asyncio.sleep(0)


@pytest.mark.slow
async def test_a_history_is_loaded_within_the_limits_through_any_kill(life: Life) -> None:
    """Killed twenty times, it ends complete; no call was refused, and what was foretold came true."""
    store = life.store()
    await ask(life, store)
    dice, foretold = random.Random(3), []
    lifetimes = [dice.randrange(1, 40) for _ in range(20)]
    async for row in lives(life, store, lifetimes):
        assert max(life.used()[0] - A_QUARTER, life.used()[1] - A_DAY) <= 0
        foretold += [row.expected_at] if row.expected_at else []
    assert lifetimes == []
    assert set(await store.activity_ids(ATHLETE, resource_state=3)) == life.activity_ids
    state = await store.ingestion_state(ATHLETE)
    assert state is not None
    assert state.complete_as_of is not None
    finished_at = (await the_row(store)).finished_at
    assert finished_at is not None
    assert abs(finished_at - foretold[-1]) < timedelta(minutes=15)
    assert abs(finished_at - foretold[0]) < timedelta(days=1)


async def test_the_list_comes_before_the_details(life: Life) -> None:
    """When the budget is spent, every activity has its line already, and the row says what waits, why and how long."""
    store = life.store()
    await ask(life, store)
    await life.histories(store).load_due()
    row = await the_row(store)
    assert row.listed_count == len(life.activity_ids) == len(await store.activity_ids(ATHLETE))
    detailed = await store.activity_ids(ATHLETE, resource_state=3)
    newest = (await store.activity_ids(ATHLETE))[: len(detailed) + CALLS_AT_ONCE - 1]
    assert set(detailed) <= set(newest)  # of those that are asked at once any may be refused
    assert 0 < len(detailed) < A_QUARTER * 0.75
    assert row.waits_until is not None
    assert timedelta(0) < row.waits_until - life.clock() < timedelta(minutes=16)
    assert "detail lane" in str(row.waits_because)
    assert row.waits_kind == "rate_limited"
    assert row.expected_at is not None
    assert row.expected_at > row.waits_until
    before = life.used()
    await life.histories(store).load_due()  # nothing is asked while it waits
    assert life.used() == before


async def test_a_waiting_list_is_not_asked_for_again(life: Life) -> None:
    """What goes on with the details after a wait makes no call for the list."""
    store = life.store()
    await ask(life, store)
    await life.histories(store).load_due()
    waits_until = (await the_row(store)).waits_until
    assert waits_until is not None
    listed = (await the_row(store)).listed_count
    life.clock.advance((waits_until - life.clock()).total_seconds())
    before = set(await store.activity_ids(ATHLETE, resource_state=3))
    await life.histories(store).load_due()
    more = set(await store.activity_ids(ATHLETE, resource_state=3)) - before
    assert (await the_row(store)).listed_count == listed
    assert len(more) == life.used()[0]


async def test_since_and_without_details(life: Life) -> None:
    """Only what started since is loaded, in lines alone; the history is not vouched for."""
    store = life.store()
    since = life.clock() - timedelta(days=60)
    await ask(life, store, since=since, has_details=False)
    await life.histories(store).load_due()
    world = life.simulation.world
    starts = {each: datetime.fromisoformat(world.summary(each)["start_date"]) for each in life.activity_ids}
    wanted = {each for each, start in starts.items() if start >= since}
    assert 0 < len(wanted) < len(starts)
    assert set(await store.activity_ids(ATHLETE)) == wanted
    assert await store.activity_ids(ATHLETE, resource_state=3) == []
    assert (await the_row(store)).finished_at is not None
    assert await store.ingestion_state(ATHLETE) is None


async def test_another_request_ends_the_one_under_way(life: Life) -> None:
    """The row of the new one stays as it was asked for, and is taken up next."""
    store = life.store()
    await ask(life, store)
    histories = life.histories(life.store())
    loading = asyncio.create_task(histories.load_due())
    await until_stored(store)
    life.clock.advance(60)
    await ask(life, store, has_details=False)
    await loading
    row = await the_row(store)
    assert (row.has_details, row.started_at, row.finished_at) == (False, None, None)
    await histories.load_due()
    assert (await the_row(store)).finished_at is not None


async def test_a_purge_ends_what_is_under_way(life: Life) -> None:
    """The worker asks no more, and writes no row of the backfill again."""
    store = life.store()
    await ask(life, store)
    histories = life.histories(life.store())
    loading = asyncio.create_task(histories.load_due())
    await until_stored(store)
    await store.purge(ATHLETE)
    await loading
    assert await store.backfills() == []
    before = life.used()
    await histories.load_due()
    assert life.used() == before


async def test_dead_tokens_are_told_and_tried_again(life: Life, tokens: FileTokenStore) -> None:
    """Without tokens it waits an hour with the reason; with new ones it goes on by itself."""
    store = life.store()
    await tokens.delete(ATHLETE)
    await ask(life, store, has_details=False)
    await life.histories(store).load_due()
    row = await the_row(store)
    assert "connect" in str(row.waits_because)
    assert row.waits_until is not None
    await life.connect()
    life.clock.advance(3601)
    await life.histories(store).load_due()
    row = await the_row(store)
    assert (row.waits_because, row.waits_kind, row.finished_at is None) == (None, None, False)


async def test_it_stops_at_once_and_goes_on_later(life: Life) -> None:
    """A worker that is told to stop leaves the rest for the next start."""
    store = life.store()
    await ask(life, store)
    stop = asyncio.Event()
    running = asyncio.create_task(life.histories(life.store()).run(stop))
    await until_stored(store)
    stop.set()
    await running
    assert (await the_row(store)).finished_at is None


async def test_only_who_is_connected_is_asked_for(life: Life) -> None:
    """An athlete who took back the access costs no call and changes no row; connected again, it goes on."""
    store = life.store()
    await ask(life, store)
    revoked, before = (
        Athlete(athlete_id=ATHLETE, scope=frozenset(), status="revoked", updated_at=life.clock()),
        life.used(),
    )
    await store.put_athlete(revoked)
    asked = await the_row(store)
    await life.histories(store).load_due()
    assert (await the_row(store), life.used()) == (asked, before)
    await store.put_athlete(replace(revoked, status="connected"))
    await life.histories(store).load_due()
    assert await store.activity_ids(ATHLETE)


async def test_a_fault_of_ones_history_does_not_hold_up_another(life: Life) -> None:
    """What nobody foresaw is logged and told, waits some minutes, and the next athlete's turn comes."""
    store = life.store()
    other = ATHLETE + 1
    await store.put_athlete(Athlete(athlete_id=other, scope=frozenset(), status="connected", updated_at=life.clock()))
    await store.request_backfill(Backfill.requested(other, life.clock() - timedelta(minutes=1)))
    await ask(life, store, has_details=False)
    histories = life.histories(store, broken=other)
    with capture_logs() as logs:
        await histories.load_due()
        await histories.load_due()  # at once again: the fault is waited for
    assert [(line["event"], line["athlete_id"]) for line in logs if line["log_level"] == "error"] == [
        ("history.fault", other)
    ]
    rows = {row.athlete_id: row for row in await store.backfills()}
    assert rows[other].waits_because == "The pipeline itself failed; the worker's log says how."
    assert rows[other].waits_kind == "own_fault"
    assert rows[other].waits_until == pytest.approx(life.clock() + timedelta(minutes=5), abs=timedelta(seconds=1))
    assert rows[ATHLETE].finished_at is not None


async def test_the_end_is_foretold_behind_those_who_asked_before(life: Life) -> None:
    """Another athlete's 300 missing details come first: four days more at 75 a day."""
    store = life.store()
    other = ATHLETE + 1
    await store.put_athlete(Athlete(athlete_id=other, scope=frozenset(), status="connected", updated_at=life.clock()))
    waits = life.clock() + timedelta(hours=1)
    asked = Backfill.requested(other, life.clock() - timedelta(minutes=1)).changed(life.clock(), waits_until=waits)
    await store.request_backfill(asked)
    summaries = [
        ActivityPayload.from_json(
            {"id": each, "athlete": {"id": other}, "resource_state": 2, "start_date": "2026-01-01T10:00:00Z"}
        )
        for each in range(1, 301)
    ]
    await store.apply(
        [
            Observation(
                activity_id=each.activity_id,
                athlete_id=other,
                observed_at=life.clock(),
                source=Source.BACKFILL,
                activity=each,
            )
            for each in summaries
        ]
    )
    await ask(life, store)
    await life.histories(store).load_due()
    [_, row] = await store.backfills()
    assert row.expected_at is not None
    left = len(await store.activity_ids(ATHLETE, resource_state=2))
    days = (row.expected_at - life.clock()) / timedelta(days=1)
    assert (left + 300) / 75 - 2 < days < (left + 300) / 75 + 1


async def test_the_reason_holds_no_wait_that_ages(life: Life) -> None:
    """The row says until when; its sentence stays true while that time comes nearer."""
    store = life.store()
    await ask(life, store)
    await life.histories(store).load_due()
    assert "possible again" not in str((await the_row(store)).waits_because)


@pytest.mark.slow
async def test_a_bounded_list_is_counted_once(life: Life) -> None:
    """Going on with the details after a wait keeps what the list had come to."""
    store = life.store()
    await ask(life, store, since=life.clock() - timedelta(days=200))
    await life.histories(store).load_due()
    row = await the_row(store)
    assert row.listed_count > A_QUARTER
    assert row.waits_until is not None
    life.clock.advance((row.waits_until - life.clock()).total_seconds())
    await life.histories(store).load_due()
    assert (await the_row(store)).listed_count == row.listed_count


async def load(life: Life, histories: Histories) -> Backfill:
    """Load until the end, and return the row."""
    store = life.store()
    while (row := await the_row(store)).finished_at is None:
        life.clock.advance(max(0.0, (row.waits_until - life.clock()).total_seconds()) if row.waits_until else 0.0)
        await histories.load_due()
    return row


async def ask_where_some_fail(life: Life, store: SqliteRawStore) -> tuple[list[int], set[int], Backfill]:
    """Ask for a month with streams, where six details and one activity's streams fail; return all, those, the row."""
    since, world = life.clock() - timedelta(days=30), life.simulation.world
    starts = {key: datetime.fromisoformat(world.summary(key)["start_date"]) for key in life.activity_ids}
    wanted = sorted((key for key, start in starts.items() if start >= since), key=lambda key: starts[key])
    life.failing |= {"details": set(wanted[-6:]), "curves": {wanted[0]}}
    asked = Backfill.requested(ATHLETE, life.clock(), since=since, has_streams=True)
    await store.request_backfill(asked)
    return wanted, {wanted[0], *wanted[-6:]}, asked


@pytest.mark.slow
async def test_a_history_ends_without_what_cannot_be_fetched(life: Life) -> None:
    """Everything else is loaded; row and log say how many are left and until when, and until then they cost no call."""
    store = life.store()
    wanted, bad, asked = await ask_where_some_fail(life, store)
    histories = life.histories(store)
    with capture_logs() as logs:
        row = await load(life, histories)
    assert len(wanted) > 12
    assert set(await store.activity_ids(ATHLETE, resource_state=2)) == bad - {wanted[0]}
    assert await store.stream_count(ATHLETE) == len(wanted) - 7
    assert (row.failed_count, row.waits_until, row.expected_at) == (7, None, None)
    assert row.retry_at is not None
    [ended] = [line for line in logs if line["event"] == "history.loaded"]
    assert (ended["failed"], ended["retry_at"], ended["log_level"]) == (7, utc_text(row.retry_at), "warning")
    before = life.failing["asked"].copy()
    await histories.load_due()
    await life.histories(store).load_due()  # after a restart
    assert life.failing["asked"] == before
    assert before.keys() == bad
    await store.request_backfill(replace(asked, requested_at=life.clock()))  # a person asks for it now
    assert (await load(life, histories)).failed_count == 7
    assert {life.failing["asked"][key] - before[key] for key in bad} <= {1, 2, 3}


@pytest.mark.slow
async def test_what_failed_is_tried_again_after_the_end(life: Life) -> None:
    """By itself and ever more seldom, also after a restart; what is recorded since is none of the backfill's work."""
    store = life.store()
    _, bad, _ = await ask_where_some_fail(life, store)
    row = await load(life, life.histories(store))
    life.clock.advance(14_400)
    live = life.simulation.actions.create({"sport_type": "Run"})
    detail = ActivityPayload.from_json(life.simulation.world.detail(live.id))
    seen = {"activity_id": live.id, "athlete_id": ATHLETE, "observed_at": life.clock(), "source": Source.WEBHOOK}
    await store.apply([Observation(activity=detail, **seen)])
    await store.record([created(live.id, life.clock())])
    before, restarted = life.failing["asked"].copy(), life.histories(store)
    for _ in range(24):  # half a day
        life.clock.advance(1800)
        await restarted.load_due()
    told = await the_row(store)
    assert (told.failed_count, told.finished_at) == (7, row.finished_at)
    assert {life.failing["asked"][key] - before[key] for key in bad} <= {6, 7, 8}
    await load_what_is_left(store, ATHLETE, life.clock())  # as a daily check does, which found something missing
    assert await the_row(store) == replace(told, retry_at=life.clock.now, updated_at=life.clock.now)
    life.failing |= {"details": set(), "curves": set()}
    life.clock.advance(86_400)
    await restarted.load_due()
    done = await the_row(store)
    assert (done.failed_count, done.retry_at, done.finished_at) == (0, None, row.finished_at)
    assert await store.activity_ids(ATHLETE, resource_state=2) == []
    due = await store.due_streams(ATHLETE, [StreamRule()])
    assert [each.activity_id for each in due] == [live.id]
