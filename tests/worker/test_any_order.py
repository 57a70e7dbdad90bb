"""The law of the product: however events arrive, the table ends as Strava's own state.

A model Strava lives on a logical clock. Hypothesis decides what happens there, when an event is heard and how often,
when it is delivered, and in which order everything that is in flight goes on.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backends.warehouse.activities import ActivityStore, Applied, Decision, Observation, StoredActivity
from backends.warehouse.athletes import IngestionState
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.event_basis import EventBasis
from backends.warehouse.last_write_wins import apply
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.errors import NotFound
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import ActivityPage, ActivityPayload, disagrees
from tests.bigquery_stores import EmptiedDataset
from tests.worker.conftest import takes_all
from worker.activities import ActivityEvents
from worker.backfill import backfill
from worker.delivery import Delivery, recorder_of
from worker.results import TryLater

ATHLETE = 7
ACTIVITIES = (101, 102)
BEGINNING = datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
STEPS_OF_TIME = (0.05, 0.3, 0.9, 2.5, 6.0, 40.0, 400.0)
SKEWS = st.sampled_from([-60.0, -25.0, -3.0, -0.4, 0.0, 0.7, 3.0, 25.0, 60.0])


class Stage:
    """Where all that is in flight waits until the script lets one go on."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.waiting: list[asyncio.Future[None]] = []
        self.is_open = is_open

    async def pause(self) -> None:
        if not self.is_open:
            gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(gate)
            await gate

    def release(self, choice: int) -> None:
        if self.waiting:
            self.waiting.pop(choice % len(self.waiting)).set_result(None)

    def open(self) -> None:
        self.is_open = True
        while self.waiting:
            self.release(0)


@dataclass
class Activity:
    """One activity of the model: whether this app may see it, since when, and which version it is."""

    is_visible: bool = False
    visible_since: datetime = BEGINNING
    version: int = 0


@dataclass
class ModelStrava:
    """Strava with one athlete. `skew` is how far its clock is ahead of ours, `lag` how long a new activity is 404.

    `now` is the true time, by which Strava's clock goes on; `set_by` is how far ours was set since the beginning.
    """

    skew: timedelta
    lag: timedelta
    stage: Stage
    now: datetime = BEGINNING
    set_by: timedelta = timedelta(0)
    activities: dict[int, Activity] = field(default_factory=lambda: {key: Activity() for key in ACTIVITIES})
    events: list[StravaEvent] = field(default_factory=list)

    def clock(self) -> datetime:
        """Never the same moment twice."""
        self.now += timedelta(microseconds=1)
        return self.now + self.set_by

    def toggle(self, activity_id: int) -> None:
        """Save or delete it, or make it private or public again: the same events."""
        it = self.activities[activity_id]
        it.is_visible = not it.is_visible
        it.visible_since = self.now
        self._tell(activity_id, "create" if it.is_visible else "delete")

    def edit(self, activity_id: int) -> None:
        """Change it; while it is private nobody is told."""
        it = self.activities[activity_id]
        it.version += 1
        if it.is_visible:
            self._tell(activity_id, "update")

    def _tell(self, activity_id: int, aspect_type: str) -> None:
        self.events.append(
            StravaEvent(
                object_type="activity",
                aspect_type=aspect_type,
                object_id=activity_id,
                owner_id=ATHLETE,
                subscription_id=1,
                event_time=(self.now + self.skew).replace(microsecond=0),
                updates={},
            )
        )

    def payload(self, activity_id: int, resource_state: int) -> ActivityPayload:
        fields: dict[str, Any] = {
            "id": activity_id,
            "athlete": {"id": ATHLETE},
            "resource_state": resource_state,
            "name": f"version {self.activities[activity_id].version}",
            "start_date": "2026-05-01T05:00:00Z",
        }
        return ActivityPayload.from_json(fields if resource_state == 2 else {**fields, "laps": []})

    def steady_s(self) -> float:
        """The seconds since the beginning."""
        return (self.now - BEGINNING).total_seconds()

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        await self.stage.pause()
        it = self.activities[activity_id]
        answer = self.payload(activity_id, 3) if it.is_visible and self.now >= it.visible_since + self.lag else None
        await self.stage.pause()
        if answer is None:
            raise NotFound(f"activities/{activity_id}")
        return answer

    async def list_activities(self, *, before: datetime | None = None) -> AsyncIterator[ActivityPage]:
        await self.stage.pause()
        page = [self.payload(key, 2) for key, it in self.activities.items() if it.is_visible]
        await self.stage.pause()
        if page:
            yield ActivityPage(page)


class Lister:
    """The model as `backfill` sees it."""

    def __init__(self, strava: ModelStrava) -> None:
        self.activity = strava.activity
        self._list = strava.list_activities

    def activities(
        self, *, after: datetime | None = None, before: datetime | None = None
    ) -> AsyncIterator[ActivityPage]:
        assert after is None
        return self._list(before=before)


class MemoryStore:
    """The real last-write-wins rule over a dictionary, pausing before each access as a busy warehouse would."""

    def __init__(self, stage: Stage, clock: Callable[[], datetime]) -> None:
        self._stage = stage
        self._clock = clock
        self.rows: dict[int, StoredActivity] = {}
        self._payloads: dict[int, ActivityPayload] = {}

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        return [decision.applied for decision in await self._decide(observations)]

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        observed = [each for each in batch if isinstance(each, ObservedDelivery)]
        for each, decision in zip(observed, await self._decide([one.observation for one in observed]), strict=True):
            each.entry_of(decision)

    async def _decide(self, observations: Sequence[Observation]) -> list[Decision]:
        await self._stage.pause()
        touched = {key: row for key, row in self.rows.items() if key in {seen.activity_id for seen in observations}}
        decisions = apply(touched, observations, self._disagrees, now=self._clock())
        self.rows |= {key: decisions.rows[key] for key in decisions.moved | decisions.winners.keys()}
        self._payloads |= {key: seen.activity for key, seen in decisions.winners.items() if seen.activity}
        return decisions.answers

    def _disagrees(self, summary: ActivityPayload, winner: ActivityPayload | None) -> bool:
        detail = winner or self._payloads[summary.activity_id]
        return disagrees(summary=json.loads(summary.text), detail=json.loads(detail.text))

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        return {key: self.rows[key] for key in activity_ids if key in self.rows}

    async def event_basis(self, activity_ids: Collection[int]) -> EventBasis:
        return EventBasis([], await self.stored(activity_ids))

    async def activity_ids(
        self, athlete_id: int, *, resource_state: int | None = None, since: datetime | None = None
    ) -> list[int]:
        assert since is None
        return [key for key, row in self.rows.items() if not row.is_deleted and row.resource_state == resource_state]

    async def archived_ids(self, athlete_id: int) -> set[int]:
        return set()

    async def counts(self, athlete_id: int) -> Mapping[int, int]:
        return {}

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        return None

    async def put_ingestion_state(self, state: IngestionState) -> None:
        assert state.athlete_id == ATHLETE


class Pipeline:
    """The service's and the queue's part: hears events, delivers them, and delivers again what was deferred."""

    def __init__(self, strava: ModelStrava, store: MemoryStore | SqliteRawStore) -> None:
        self._strava = strava
        self._recorder = recorder_of(store)
        self._take = ActivityEvents(store, lambda _: strava, clock=strava.clock, steady=strava.steady_s).take
        self._heard: set[int] = set()  # by identity: two events of one second may say the same
        self.messages: list[ReceivedEvent] = []
        self.unfinished: list[ReceivedEvent] = []
        self._running: set[asyncio.Task[None]] = set()

    def hear(self, event: StravaEvent) -> None:
        received = ReceivedEvent.of(event, self._strava.clock())
        self._heard.add(id(event))
        self.messages.append(received)
        self.unfinished.append(received)

    def hear_the_rest(self) -> None:
        for event in self._strava.events:
            if id(event) not in self._heard:
                self.hear(event)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run())
        self._running.add(task)

    async def deliver(self, received: ReceivedEvent) -> None:
        try:
            delivery = Delivery(self._recorder, self._strava.clock, received.event_id, received)
            result = await self._take(received, delivery.record, takes_all)
        except TryLater:
            return
        if result.outcome is Outcome.DEFERRED:
            return
        assert result.outcome in {Outcome.STORED, Outcome.UNCHANGED, Outcome.DELETED, Outcome.IGNORED}
        self.unfinished = [message for message in self.unfinished if message is not received]

    async def finish(self) -> None:
        await asyncio.gather(*self._running)
        self._running.clear()


def expected(strava: ModelStrava) -> dict[int, str]:
    """What Strava would show if it were asked for everything now."""
    return {key: strava.payload(key, 3).payload_hash for key, it in strava.activities.items() if it.is_visible}


async def stored(store: ActivityStore) -> dict[int, str]:
    """What the table holds alive and in detail."""
    rows = [row for row in (await store.stored(ACTIVITIES)).values() if not row.is_deleted]
    assert all(row.resource_state == 3 for row in rows)
    return {row.activity_id: str(row.payload_hash) for row in rows}


Step = tuple[str, int]
KINDS = ["toggle", "edit", "hear", "deliver", "deliver", "go", "go", "go", "go", "wait", "list"]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6)), max_size=60)
SET_BY_S = (0.0, -7200.0, -90.0, -20.0, -1.5, 20.0, 90.0, 7200.0)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["toggle", "edit", "edit", "list"]),
        st.sampled_from(ACTIVITIES),
        st.sampled_from(SET_BY_S),
        st.sampled_from(STEPS_OF_TIME),
        st.booleans(),
    ),
    max_size=20,
)


def take_step(step: Step, strava: ModelStrava, pipeline: Pipeline, history: Coroutine[Any, Any, object]) -> None:
    """Do one thing that the script asks for, where it is possible."""
    kind, choice = step
    if kind == "toggle":
        strava.toggle(ACTIVITIES[choice % len(ACTIVITIES)])
    elif kind == "edit":
        strava.edit(ACTIVITIES[choice % len(ACTIVITIES)])
    elif kind == "hear" and strava.events:
        pipeline.hear(strava.events[-1 - choice % len(strava.events)])
    elif kind == "deliver" and pipeline.messages:
        pipeline.start(pipeline.deliver(pipeline.messages[-1 - choice % len(pipeline.messages)]))
    elif kind == "go":
        strava.stage.release(choice)
    elif kind == "wait":
        strava.now += timedelta(seconds=STEPS_OF_TIME[choice])
    elif kind == "list":
        pipeline.start(history)
        return
    history.close()


async def settle() -> None:
    """Let everything run that can run: every step of a delivery ends in a pause of the stage."""
    ready = vars(asyncio.get_running_loop())["_ready"]  # what asyncio's own loop has yet to call
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - the loop itself is what is asked
        await asyncio.sleep(0)


async def live(script: Sequence[Step], strava: ModelStrava, store: Any) -> None:
    """Play the script, then deliver what is left until the queue is empty."""
    pipeline = Pipeline(strava, store)
    for step in script:
        take_step(step, strava, pipeline, backfill(Lister(strava), store, ATHLETE, clock=strava.clock))
        await settle()
    strava.stage.open()
    await pipeline.finish()
    await drain(pipeline, strava)


async def drain(pipeline: Pipeline, strava: ModelStrava) -> None:
    """Deliver what is left until the queue is empty."""
    pipeline.hear_the_rest()
    for wait_s in (*[20] * 40, *[7200] * 40):  # what was never shown is waited for two days
        for received in list(pipeline.unfinished):
            await pipeline.deliver(received)
        strava.now += timedelta(seconds=wait_s)
    assert pipeline.unfinished == []


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=STEPS, skew=SKEWS)
def test_any_order_and_repetition_ends_as_strava(script: list[Step], skew: float) -> None:
    """Events late, twice, swapped and at once, listings in between, clocks apart: the table is Strava's state."""

    async def play() -> None:
        strava = ModelStrava(timedelta(seconds=skew), timedelta(0), Stage())
        store = MemoryStore(strava.stage, strava.clock)
        await live(script, strava, store)
        assert await stored(store) == expected(strava)

    asyncio.run(play())


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=STEPS, skew=SKEWS)
def test_an_activity_that_is_not_shown_at_once_is_not_lost(script: list[Step], skew: float) -> None:
    """Strava answers 404 for two seconds after a save: the activity is there in the end all the same."""

    async def play() -> None:
        strava = ModelStrava(timedelta(seconds=skew), timedelta(seconds=2), Stage())
        store = MemoryStore(strava.stage, strava.clock)
        await live(script, strava, store)
        assert await stored(store) == expected(strava)

    asyncio.run(play())


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, skew=SKEWS)
@example(  # the first event after the step is a delete, and the next one came back before it
    changes=[
        ("toggle", 101, 0.0, 0.05, True),
        ("toggle", 102, 0.0, 0.05, True),
        ("toggle", 101, 0.0, 0.05, False),
        ("toggle", 101, 0.0, 0.05, False),
        ("toggle", 102, 0.0, 0.05, True),
        ("toggle", 102, -7200.0, 0.05, False),
    ],
    skew=-60.0,
)
def test_a_clock_that_is_set_loses_nothing(changes: list[tuple[str, int, float, float, bool]], skew: float) -> None:
    """Our clock is set ahead and back, by seconds and by hours, between two changes: the table is Strava's state."""

    async def play() -> None:
        strava = ModelStrava(timedelta(seconds=skew), timedelta(0), Stage(is_open=True))
        store = MemoryStore(strava.stage, strava.clock)
        pipeline = Pipeline(strava, store)
        for kind, activity_id, set_by_s, wait_s, is_heard in changes:
            if kind == "list":
                await backfill(Lister(strava), store, ATHLETE, clock=strava.clock)
            else:
                {"toggle": strava.toggle, "edit": strava.edit}[kind](activity_id)
            if is_heard and strava.events:
                pipeline.hear(strava.events[-1])
                await pipeline.deliver(pipeline.messages[-1])
            strava.set_by += timedelta(seconds=set_by_s)
            strava.now += timedelta(seconds=wait_s)
        await drain(pipeline, strava)
        assert await stored(store) == expected(strava)

    asyncio.run(play())


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=STEPS)
def test_the_real_warehouse_ends_as_strava(tmp_path_factory: pytest.TempPathFactory, script: list[Step]) -> None:
    """The same on SQLite, where deliveries that run at once meet in real transactions."""
    path: Path = tmp_path_factory.mktemp("raw") / "pipeline.sqlite"

    async def play() -> None:
        strava = ModelStrava(timedelta(0), timedelta(0), Stage(is_open=True))
        store = SqliteRawStore(path, clock=strava.clock)
        try:
            await live(script, strava, store)
            assert await stored(store) == expected(strava)
        finally:
            await store.close()

    asyncio.run(play())


class InTurns:
    """Several workers' stores: each call is the next one's."""

    def __init__(self, *stores: BigQueryRawStore) -> None:
        self._next = cycle(stores)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._next), name)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])  # of each life an activity is left
async def test_two_workers_on_bigquery_end_as_strava(bigquery_dataset: EmptiedDataset, seed: int) -> None:
    """The same on BigQuery, where two programs take turns and their statements overlap."""
    chance = random.Random(seed)
    script = [(chance.choice(KINDS), chance.randrange(7)) for _ in range(40)]
    strava = ModelStrava(timedelta(0), timedelta(0), Stage(is_open=True))
    open_store = bigquery_dataset.opener(strava.clock)
    one, other = open_store(), open_store()
    await live(script, strava, InTurns(one, other))
    assert await stored(other) == expected(strava)
    await asyncio.gather(one.close(), other.close())
