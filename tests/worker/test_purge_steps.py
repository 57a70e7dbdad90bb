"""A purge that comes between any two steps of what is under way leaves no row, even where Strava goes on answering."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import LedgerFilter, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import NotConnected, NotFound
from strava.events import ReceivedEvent
from strava.payload import ActivityPage, ActivityPayload, AthletePayload
from worker.activities import ActivityEvents
from worker.deferred_events import DeferredEvents
from worker.event_router import EventRouter
from worker.history import Histories
from worker.push_handler import PushHandler
from worker.reconcile import reconcile
from worker.results import Result, TryLater

ATHLETE = 4605555801
EXTRA, BURIED, OUTDATED, MISSING = 1, 2, 3, 4
Work = Callable[[SqliteRawStore], Awaitable[object]]


class OvertakenStore(SqliteRawStore):
    """The real warehouse of one program; `happen` comes before its n-th write."""

    writes = 0
    overtaken_at = 0
    happen: Callable[[], Awaitable[object]]

    async def _write(self, work: Any, *, removes: bool = False) -> Any:
        self.writes += 1
        if self.writes == self.overtaken_at:
            await self.happen()
        return await super()._write(work, removes=removes)


def shown(activity_id: int, state: int, **fields: Any) -> ActivityPayload:
    """An activity as Strava shows it."""
    whole = {"id": activity_id, "athlete": {"id": ATHLETE}, "resource_state": state, "name": "Run", "distance": 5000.0,
             "gear_id": "g1"}  # fmt: skip
    return ActivityPayload.from_json({**whole, "start_date": f"2026-04-0{activity_id}T06:00:00Z", **fields})


class Answering:
    """A client that goes on answering; `happen` comes while an activity is asked for."""

    happen: Callable[[], Awaitable[object]] | None = None

    async def activities(self, **_: object) -> AsyncIterator[ActivityPage]:
        for activity_id in (MISSING, OUTDATED, BURIED):
            yield ActivityPage([shown(activity_id, 2)], 0)

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        if self.happen is not None:
            await self.happen()
        if activity_id == EXTRA:
            raise NotFound("activity")
        return shown(activity_id, 3)

    async def athlete(self) -> AthletePayload:
        return AthletePayload.from_json({"id": ATHLETE, "weight": 70.0})

    async def renew(self) -> None: ...

    async def zones(self) -> dict[str, Any]:
        return {"heart_rate": {"zones": []}}

    async def gear(self, gear_id: str) -> dict[str, Any]:
        return {"id": gear_id, "name": "Shoes"}

    async def totals(self, athlete_id: int) -> dict[str, Any]:
        return {"all_run_totals": {"count": athlete_id}}

    async def streams(self, activity_id: int) -> dict[str, Any]:
        return {"time": {"data": [activity_id]}}


async def unwanted(_: int) -> Any:
    """Fail: nothing is to be asked, and nobody has left."""
    raise AssertionError


class Scene:
    """Two programs on one warehouse: the one that works, and the one that purges."""

    def __init__(self, path: Path, clock: Any) -> None:
        self.clock = clock
        self.working = OvertakenStore(path, clock=clock)
        self.other = SqliteRawStore(path, clock=clock)
        self.working.happen = self.purge

    async def purge(self) -> None:
        await self.other.purge(ATHLETE)

    async def connect(self) -> None:
        """Connect the athlete, of whom four activities are stored in another way than Strava has them."""
        now = self.clock()
        athlete = Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=now)
        await self.other.connect(athlete, Backfill.requested(ATHLETE, now, has_streams=True))
        kept = [shown(EXTRA, 3), shown(OUTDATED, 3, distance=99.0), None]
        for activity_id, activity in zip((EXTRA, OUTDATED, BURIED), kept, strict=True):
            seen = Observation(
                activity_id=activity_id,
                athlete_id=ATHLETE,
                observed_at=self.clock(),
                source=Source.BACKFILL,
                activity=activity,
            )
            await self.other.apply([seen])
        self.clock.advance(60)


@pytest.fixture
async def scene(tmp_path: Path, clock: Any) -> AsyncIterator[Scene]:
    """A warehouse in which nobody is connected."""
    scene = Scene(tmp_path / "steps.sqlite", clock)
    yield scene
    await scene.working.close()
    await scene.other.close()


def backfilling(scene: Scene) -> Work:
    """The worker's part of a backfill."""
    budget = RateBudget(clock=scene.clock, steady=scene.clock.steady_s)
    return lambda store: Histories(store, lambda *_: Answering(), budget, clock=scene.clock).load_due()


def reconciling(scene: Scene) -> Work:
    """The daily check of the athlete."""
    return lambda store: reconcile(Answering(), Answering(), store, ATHLETE, clock=scene.clock)


@pytest.mark.slow
@pytest.mark.parametrize(("work_of", "least"), [(backfilling, 10), (reconciling, 7)])
async def test_a_purge_at_every_write(scene: Scene, work_of: Callable[[Scene], Work], least: int) -> None:
    """Before each write of a whole run, one after the other; the athlete connects again before each run."""
    work = work_of(scene)
    await scene.connect()
    await work(scene.working)
    assert await scene.other.row_count(ATHLETE) > 5
    steps = scene.working.writes
    assert steps >= least
    await scene.purge()
    for step in range(1, steps + 1):
        await scene.connect()
        scene.working.writes, scene.working.overtaken_at = 0, step
        await work(scene.working)
        assert await scene.other.row_count(ATHLETE) == 0, step


@pytest.mark.parametrize("aspect_type", ["create", "delete"])
async def test_a_purge_while_an_event_is_handled(
    scene: Scene, clock: Any, make_event: Any, envelope: Any, aspect_type: str
) -> None:
    """Strava's answer comes after the purge: the event is settled as purged, and its row names nobody."""
    await scene.connect()
    client = Answering()
    activities = ActivityEvents(scene.working, lambda _: client, clock=clock, steady=clock.steady_s)
    router = EventRouter(scene.working, activities, unwanted, lambda _: client, clock=clock)
    late = {"event_time": int(clock.now.timestamp()) - 86_400}  # so that Strava is asked about a deletion too
    client.happen = scene.purge
    body = envelope(make_event(OUTDATED, aspect_type, **late))
    result: Result = await PushHandler(router, scene.working, clock=clock).handle(body)
    assert (result.outcome, result.status) == (Outcome.PURGED, 204)
    assert await scene.other.row_count(ATHLETE) == 0
    [row] = await scene.other.recent(LedgerFilter(), limit=9)
    assert (row.outcome, row.event) == (Outcome.PURGED, None)


async def test_a_purge_during_a_second_look(scene: Scene, clock: Any) -> None:
    """The look ends as of somebody who is not connected."""
    await scene.connect()
    client = Answering()
    client.happen = scene.purge
    activities = ActivityEvents(scene.working, lambda _: client, clock=clock, steady=clock.steady_s)
    with pytest.raises(NotConnected):
        await activities.look_again(OUTDATED, "e1")
    assert await scene.other.row_count(ATHLETE) == 0


async def test_a_purge_during_the_sweep(
    scene: Scene, clock: Any, make_event: Any, envelope: Any, tmp_path: Path
) -> None:
    """What the sweep had read already is published once more at most, and then settled without a call."""
    await scene.connect()

    async def lapsed(received: ReceivedEvent, _: object) -> Result:
        raise TryLater("wait", "Wait.", 7200.0)

    event = make_event(MISSING)
    await PushHandler(lapsed, scene.other, clock=clock).handle(envelope(event))
    clock.advance(7300)
    queue = EmbeddedQueue(tmp_path / "queue.sqlite", clock=clock)

    async def room(_: Lane) -> int:
        return 1

    scene.working.overtaken_at = 1
    await DeferredEvents(scene.working, queue, room, clock=clock).publish_due()
    assert await scene.other.row_count(ATHLETE) == 0
    assert await scene.other.deferred_events(due_by=None, how_many=9) == []
    client = Answering()
    activities = ActivityEvents(scene.working, lambda _: client, clock=clock, steady=clock.steady_s)
    router = EventRouter(scene.working, activities, unwanted, lambda _: client, clock=clock)
    client.happen = lambda: unwanted(ATHLETE)
    result = await PushHandler(router, scene.working, clock=clock).handle(envelope(event, message_id="2"))
    assert result.outcome is Outcome.PURGED
    assert await scene.other.row_count(ATHLETE) == 0
    assert clock.now - event.received_at > timedelta(hours=2)
    await queue.close()
