"""Recorded curves: fetched after the detail for whom they are wanted, again when a crop changes them, gone with it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse.backfills import Backfill
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.streams import StreamRule, Streams
from runtime.settings import settings_complaint
from simulator.rates import Limits
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import STREAM_KEYS, StravaClient
from strava.events import ReceivedEvent, StravaEvent
from strava.oauth import OAuthApp, StravaAuth
from tests.worker.conftest import ATHLETE, PUSH_HEADERS, PUSH_TOKEN
from tests.worker.histories import Killed, MortalStore
from tests.worker.simulated import APP, Simulated, simulated
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.attempts import Rests
from worker.backfill import backfill
from worker.event_router import EventRouter
from worker.findings import ReconcilePolicy
from worker.history import Histories
from worker.purge import Purge
from worker.push_auth import SharedToken
from worker.reconcile import reconcile
from worker.second_look import SecondLooks
from worker.settings import WorkerSettings
from worker.streams import StreamSweep, fetch_streams

RUNS = (StreamRule(sport_type="Run"),)
READS = 40


class Life:
    """An athlete at the simulator, and the worker's part, all on one clock."""

    def __init__(self, there: Simulated, auth: StravaAuth, store: SqliteRawStore, clock: Any, folder: Path) -> None:
        self.world = there.simulation.world
        self.actions = there.simulation.actions
        self.used = there.used
        self.store = store
        self.clock = clock
        self.budget = RateBudget(clock=clock, steady=clock.steady_s)
        self._there = there
        self._auth = auth
        self.events = ActivityEvents(store, self.client, clock=clock, steady=clock.steady_s)
        gone = Purge(store, FileTokenStore(folder / "tokens.json"), OAuthApp(there.http, oauth_url="/oauth", **APP))
        router = EventRouter(store, self.events, gone, self.client, clock=clock)
        queue = EmbeddedQueue(folder / "queue.sqlite")
        self._app = create_app(router, store, queue, push_auth=SharedToken(PUSH_TOKEN))

    def client(self, _: int = ATHLETE, lane: Lane = Lane.LIVE) -> StravaClient:
        """The athlete's client in a lane."""
        return StravaClient(
            self._there.http, self._auth, api_url="/api/v3", budget=self.budget, lane=lane, clock=self.clock
        )

    def sweep(self, *rules: StreamRule) -> StreamSweep:
        """What keeps streams complete, as the worker starts it."""
        source_of: Callable[[int], StravaClient] = lambda each: self.client(each, Lane.STREAMS)  # noqa: E731
        return StreamSweep(self.store, source_of, rules, clock=self.clock, steady=self.clock.steady_s)

    async def hear(self, save: Any, envelope: Any) -> None:
        """Push the event of a save to the worker."""
        event = StravaEvent.from_json({**save.event, "subscription_id": 1})
        body = envelope(ReceivedEvent.of(event, self.clock()), message_id=str(self.clock()))
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://w.test", headers=PUSH_HEADERS) as http:
            assert (await http.post("/push", content=body)).status_code < 300

    async def load(self) -> None:
        """Load the history and let a day pass."""
        await backfill(self.client(lane=Lane.LIVE), self.store, ATHLETE, clock=self.clock)
        self.clock.advance(86_500)


@pytest.fixture
async def life(clock: Any, tokens: FileTokenStore, store: SqliteRawStore, tmp_path: Path) -> AsyncIterator[Life]:
    """An athlete with some weeks of history, connected, of whom nothing is stored."""
    terms: dict[str, Any] = {"reads": Limits(READS, 1000), "overall": Limits(2000, 20_000)}
    async with simulated(clock, seed=5, athlete_id=ATHLETE, years=0.08, **terms) as there:
        yield Life(there, await there.connect(tokens), store, clock, tmp_path)


async def test_a_new_run_gets_its_streams_and_a_ride_does_not(life: Life, envelope: Any, rows: Any) -> None:
    """With STREAMS=Run one call brings all curves of the run, as Strava sent them; nothing is asked twice."""
    run, ride = life.actions.create({"sport_type": "Run"}), life.actions.create({"sport_type": "Ride"})
    sweep = life.sweep(*RUNS)
    await life.hear(run, envelope)
    await life.hear(ride, envelope)
    before = life.used()[0]
    await sweep.fetch_due()
    await sweep.fetch_due()
    assert life.used()[0] == before + 1
    [row] = rows("select * from strava_streams")
    assert (row["activity_id"], row["athlete_id"]) == (run.id, ATHLETE)
    curves = json.loads(row["payload"])
    recorded = life.world.streams(run.id)
    assert curves.keys() == recorded.keys() & set(STREAM_KEYS)
    assert all(curves[key]["data"] == recorded[key] for key in curves)
    assert curves["heartrate"]["series_type"] == "distance"


async def test_a_crop_is_fetched_again_and_a_new_title_is_not(life: Life, envelope: Any, rows: Any) -> None:
    """The crop sends no event: the daily check finds it, and the sweep what it made outdated, also without STREAMS."""
    await life.load()
    run = life.actions.create({"sport_type": "Run", "distance": 10_000.0})
    await life.hear(run, envelope)
    due = await life.store.due_streams(ATHLETE, [StreamRule()])
    await fetch_streams(life.client(), life.store, due[:1], Rests(life.clock), clock=life.clock)
    [whole] = rows("select * from strava_streams")
    sweep = life.sweep()
    await life.hear(life.actions.edit(run.id, {"name": "Race"}), envelope)
    before = life.used()[0]
    await sweep.fetch_due()
    assert life.used()[0] == before

    life.clock.advance(3700)
    life.world.edit(run.id, {"distance": 6000.0})
    listing = life.client(lane=Lane.RECONCILE)
    await reconcile(listing, listing, life.store, ATHLETE, policy=ReconcilePolicy(looks=0), clock=life.clock)
    await sweep.fetch_due()
    [row] = rows("select * from strava_streams")
    assert row["activity_id"] == whole["activity_id"] == run.id
    assert json.loads(row["fetched_for"])[1] == 6000
    assert json.loads(row["payload"])["distance"]["data"][-1] == pytest.approx(6000, abs=10)
    assert (whole["fetched_for"], whole["payload"]) != (row["fetched_for"], row["payload"])
    assert row["ingested_at"] > whole["ingested_at"]


async def test_a_delete_takes_the_streams_along(life: Life, envelope: Any, rows: Any) -> None:
    """They go with the payload, and those that were under way meanwhile are not stored."""
    run = life.actions.create({"sport_type": "Run"})
    await life.hear(run, envelope)
    [due] = await life.store.due_streams(ATHLETE, RUNS)
    payload = await life.client().streams(run.id)
    assert await life.store.put_streams(Streams(due=due, observed_at=life.clock(), payload=payload))
    await life.hear(life.actions.delete(run.id), envelope)
    assert rows("select * from strava_streams") == []
    assert not await life.store.put_streams(Streams(due=due, observed_at=life.clock(), payload=payload))
    await life.sweep(*RUNS).fetch_due()
    assert rows("select * from strava_streams") == []


async def test_an_activity_without_streams_is_asked_for_once(life: Life, envelope: Any, rows: Any) -> None:
    """A manual entry has none: that is remembered until the activity changes."""
    lift = life.actions.create({"sport_type": "WeightTraining", "manual": True})
    await life.hear(lift, envelope)
    for _ in range(2):
        await life.sweep(StreamRule(athlete_id=ATHLETE)).fetch_due()
    [row] = rows("select activity_id, payload from strava_streams")
    assert row == {"activity_id": lift.id, "payload": None}
    assert life.used()[0] == 2
    await life.hear(life.actions.edit(lift.id, {"name": "Heavier"}), envelope)
    await life.sweep().fetch_due()
    assert life.used()[0] == 4


async def test_streams_leave_the_calls_to_what_comes_before(life: Life, envelope: Any, rows: Any) -> None:
    """All that is stored wants its streams; half of the limit is left to a live event, and the rest comes later."""
    await life.load()
    sweep = life.sweep(StreamRule())
    await sweep.fetch_due()
    await sweep.fetch_due()  # waits
    assert life.used()[0] == READS // 2
    await life.hear(life.actions.create({"sport_type": "Run"}), envelope)
    assert life.used()[0] == READS // 2 + 1
    for _ in range(4):
        life.clock.advance(901)
        await sweep.fetch_due()
    assert {row["activity_id"] for row in rows("select * from strava_streams")} == set(life.world.ids())


async def test_a_backfill_under_way_comes_first(life: Life) -> None:
    """Streams wait until the athlete's details are loaded."""
    await life.load()
    await life.store.request_backfill(Backfill.requested(ATHLETE, life.clock()))
    before = life.used()
    await life.sweep(StreamRule()).fetch_due()
    assert life.used() == before


async def test_a_backfill_with_streams_goes_on_after_any_kill(life: Life, tmp_path: Path) -> None:
    """Killed six times, it ends with the streams of all, told when it would; no call was refused."""
    await life.load()
    await life.store.request_backfill(Backfill.requested(ATHLETE, life.clock(), has_streams=True))
    dice, kills, foretold = random.Random(2), 0, []
    for _ in range(60):
        store = MortalStore(tmp_path / "pipeline.sqlite", clock=life.clock)
        store.writes_left = dice.randrange(2, 14) if kills < 6 else 10**9
        with suppress(Killed):
            await Histories(store, life.client, life.budget, clock=life.clock).load_due()
        kills += store.writes_left <= 0
        await store.close()
        assert life.used()[0] <= READS
        [row] = await life.store.backfills()
        foretold += [row.expected_at] if row.expected_at else []
        if row.finished_at:
            break
        life.clock.advance(max(1.0, (row.waits_until - life.clock()).total_seconds() if row.waits_until else 1.0))
    assert kills == 6
    assert row.finished_at is not None
    assert abs(row.finished_at - foretold[-1]) < timedelta(minutes=15)
    assert await life.store.stream_count(ATHLETE) == len(life.world.ids())


async def test_late_segments_are_looked_for_after_hours(life: Life, envelope: Any) -> None:
    """One look ten minutes after the create, one after six hours, and no more."""
    await life.hear(life.actions.create({"sport_type": "Run"}), envelope)
    minutes, hours = (
        SecondLooks(life.events, life.store, due_after=timedelta(seconds=seconds), steady=life.clock.steady_s)
        for seconds in (600, 21_600)
    )
    asked = []
    for wait_s in (601, 3600, 21_600, 21_600):
        life.clock.advance(wait_s)
        before = life.used()[1]
        for looks in (minutes, hours):
            await looks.look_at_due(asyncio.Event())
        asked.append(life.used()[1] - before)
    assert asked == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        ("all", [(None, None)]),
        ("Run, ride", [(None, "Run"), (None, "ride")]),
        ("7,8:TrailRun", [(7, None), (8, "TrailRun")]),
    ],
)
def test_streams_are_wanted_as_the_setting_says(text: str, rules: list[tuple[int | None, str | None]]) -> None:
    """All, sports, athletes, and an athlete's sport."""
    read = WorkerSettings(streams=text).stream_rules
    assert [(rule.athlete_id, rule.sport_type) for rule in read] == rules


@pytest.mark.parametrize("text", ["Run;Ride", "0", "7:", "7:all", "Run,,Ride", "7:Run:Ride"])
def test_a_wrong_setting_is_refused_in_one_sentence(text: str) -> None:
    """It says how to write it, at the start."""
    with pytest.raises(ValidationError) as refused:
        WorkerSettings(streams=text)
    assert settings_complaint(refused.value) == (
        "Settings are wrong (environment or .env): STREAMS: write all, sports (Run,Ride), athletes' ids (1234567) or "
        "an athlete's sport (1234567:Run), comma-separated. The README lists every setting."
    )
