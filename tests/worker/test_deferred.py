"""What must wait for longer than minutes leaves the queue, and comes again from the ledger."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.queue import QueueStatus, QueueUnavailable
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome, take_up_parked
from backends.warehouse.readings import PipelineReading
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.events import ReceivedEvent
from strava.oauth import OAuthApp
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.athletes import note_accepted
from worker.deferred_events import DEFERRED_BEFORE, DeferredEvents, room_as_read
from worker.event_router import EventRouter
from worker.purge import Purge
from worker.push_auth import SharedToken

ATHLETE = 4605555801
INACTIVE = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
HOUR_S = 3601
OUTCOMES = "select outcome, retry_at is not null as waits from strava_events order by ingested_at"

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]


class Queue:
    """Keeps what is published; after `last` messages it takes no more."""

    def __init__(self) -> None:
        self.published: list[tuple[ReceivedEvent, Mapping[str, str]]] = []
        self.last = 1_000_000
        self.has_three = asyncio.Event()

    async def open(self) -> None: ...

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        if len(self.published) >= self.last:
            raise QueueUnavailable("the disk is full")
        self.published.append((ReceivedEvent.from_push(data), attributes))
        if len(self.published) == 3:
            self.has_three.set()
        return str(len(self.published))

    async def probe(self) -> None: ...

    async def status(self) -> QueueStatus:
        return QueueStatus(waiting=0, oldest_age_s=None, dead=0)

    async def close(self) -> None: ...


class BusyStore(SqliteRawStore):
    """Records nothing while it is busy; something may happen once between an outcome and its row."""

    is_busy = False
    in_between: Callable[[], Awaitable[None]] | None = None

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        if self.is_busy:
            raise WarehouseBusy("locked")
        happen, self.in_between = self.in_between, None
        if happen is not None:
            await happen()
        await super().record(batch)


class Room:
    """How many calls can be made, and how many of them for the history's details."""

    def __init__(self) -> None:
        self.calls = 100
        self.details = 100

    async def __call__(self, lane: Lane) -> int:
        return min(self.calls, self.details) if lane is Lane.DETAIL else self.calls


@pytest.fixture
async def store(tmp_path: Path, clock: Any) -> AsyncIterator[BusyStore]:
    """The real warehouse, with one athlete connected."""
    store = BusyStore(tmp_path / "pipeline.sqlite", clock=clock)
    await store.put_athlete(Athlete(athlete_id=4605555801, scope=frozenset(), status="connected", updated_at=clock()))
    yield store
    await store.close()


@pytest.fixture
def queue() -> Queue:
    """The queue, from the publisher's side."""
    return Queue()


@pytest.fixture
def room() -> Room:
    """The budget."""
    return Room()


@pytest.fixture
def sweep(store: SqliteRawStore, queue: Queue, room: Room, clock: Any) -> DeferredEvents:
    """What publishes again."""
    return DeferredEvents(store, queue, room, clock=clock)


@pytest.fixture
async def worker(
    store: SqliteRawStore,
    tokens: FileTokenStore,
    oauth: OAuthApp,
    client_of: Callable[[int], StravaClient],
    clock: Any,
    queue: Queue,
) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the whole worker, whose ledger is on the test's clock too."""
    activities = ActivityEvents(store, client_of, clock=clock, steady=clock.steady_s)
    router = EventRouter(store, activities, Purge(store, tokens, oauth), client_of, clock=clock)
    app = create_app(router, store, queue, push_auth=SharedToken("x" * 32), clock=clock)
    headers = {"authorization": f"Bearer {'x' * 32}", "content-type": "application/json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://worker.test", headers=headers
    ) as client:
        yield client


@pytest.fixture
async def lapsed(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, clock: Any
) -> list[ReceivedEvent]:
    """Three events that came in a lapse and are off the queue."""
    events = [make_event(activity_id, event_time=int(clock.now.timestamp())) for activity_id in (101, 102, 103)]
    for event in events:
        strava.answers[f"activities/{event.event.object_id}"] = httpx.Response(403, json=INACTIVE)
        assert await push(worker, envelope(event, message_id=event.event_id)) == 204
    return events


async def push(worker: httpx.AsyncClient, body: bytes) -> int:
    """Push one message and return the status of the answer."""
    return (await worker.post("/push", content=body)).status_code


async def test_an_event_comes_again_when_its_time_has_come(
    worker: httpx.AsyncClient,
    strava: Any,
    lapsed: list[ReceivedEvent],
    sweep: DeferredEvents,
    queue: Queue,
    clock: Any,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """Not before; under its own id and time of arrival; and not again once it is stored."""
    assert await sweep.publish_due() == 0
    clock.advance(HOUR_S)
    assert await sweep.publish_due() == 3
    again = {(received.event_id, received.received_at) for received, _ in queue.published}
    assert again == {(event.event_id, event.received_at) for event in lapsed}
    for number, (received, attributes) in enumerate(queue.published):
        strava.shows(received.event.object_id)
        assert await push(worker, envelope(received, message_id=f"again {number}", **attributes)) == 204
    assert [row["outcome"] for row in rows(OUTCOMES)] == ["deferred"] * 6 + ["stored"] * 3
    clock.advance(86_400)
    assert await sweep.publish_due() == 0
    assert len(queue.published) == 3


async def test_what_is_on_its_way_is_not_published_again_at_once(
    lapsed: list[ReceivedEvent], store: SqliteRawStore, sweep: DeferredEvents, queue: Queue, room: Room, clock: Any
) -> None:
    """Nor by a worker that starts meanwhile; but if nothing has come of it in a quarter of an hour, it is."""
    clock.advance(HOUR_S)
    await sweep.publish_due()
    clock.advance(899)
    assert await DeferredEvents(store, queue, room, clock=clock).publish_due() == 0
    clock.advance(2)
    assert await sweep.publish_due() == 3


async def test_a_queue_that_takes_no_more_loses_nothing(
    lapsed: list[ReceivedEvent], sweep: DeferredEvents, queue: Queue, clock: Any
) -> None:
    """What it did not take comes a quarter of an hour later; the log says why."""
    clock.advance(HOUR_S)
    queue.last = 1
    with capture_logs() as logs:
        assert await sweep.publish_due() == 1
    assert [line["event"] for line in logs] == ["deferred_events.waiting", "deferred_events.published"]
    queue.last = 99
    clock.advance(901)
    await sweep.publish_due()
    assert {received.event_id for received, _ in queue.published} == {event.event_id for event in lapsed}


async def test_no_more_come_than_calls_can_be_made(
    lapsed: list[ReceivedEvent], sweep: DeferredEvents, room: Room, clock: Any, rows: Rows
) -> None:
    """In a lapse one event asks for all, and while the budget is closed none leaves a row."""
    clock.advance(HOUR_S)
    room.calls = 0
    assert await sweep.publish_due() == 0
    assert len(rows(OUTCOMES)) == 3
    room.calls = 1
    assert [await sweep.publish_due() for _ in range(4)] == [1, 1, 1, 0]


async def test_a_program_that_knows_no_budget_goes_by_the_last_reading(
    lapsed: list[ReceivedEvent], store: SqliteRawStore, queue: Queue, clock: Any
) -> None:
    """One event asks while the app is refused; then all come, for the worker's own budget has them wait again."""
    sweep = DeferredEvents(store, queue, room_as_read(store), clock=clock)
    clock.advance(HOUR_S)
    await store.put_reading(PipelineReading(read_at=clock(), changed_at=clock(), lapsed_since=clock()))
    assert await sweep.publish_due() == 1
    await store.put_reading(PipelineReading(read_at=clock(), changed_at=clock()))
    assert await sweep.publish_due() == 2


def asked_for(received: ReceivedEvent, moment: Any) -> LedgerEntry:
    """Make the row by which `athlete replay` has an event come again."""
    return LedgerEntry(
        delivery_id=f"{received.event_id}/replay",
        event_id=received.event_id,
        event=received.event,
        outcome=Outcome.DEFERRED,
        reason="",
        attempt=0,
        received_at=received.received_at,
        finished_at=moment,
        retry_at=moment,
    )


async def test_a_replay_stays_one_until_it_is_settled(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    sweep: DeferredEvents,
    queue: Queue,
    room: Room,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    clock: Any,
) -> None:
    """A lapse, an outage, a fault, the dead letter: no row of it is a live event's, and no calls of those are taken."""
    event = make_event(101)
    await store.record([asked_for(event, clock())])
    answers = httpx.Response(403, json=INACTIVE), httpx.Response(500), ZeroDivisionError("a fault of ours")
    for number, (answer, status) in enumerate(zip(answers, (204, 204, 500), strict=True)):
        clock.advance(HOUR_S)
        room.details = 0
        assert await sweep.publish_due() == 0
        room.details = 90
        assert await sweep.publish_due() == 1
        again, attributes = queue.published[-1]
        strava.answers["activities/101"] = answer
        with capture_logs():  # a fault's traceback takes seconds to draw
            assert await push(worker, envelope(again, message_id=f"{number}", attempt=3, **attributes)) == status
    dead = envelope(again, message_id="2", attempt=4, **attributes)
    assert (await worker.post("/dead-letter", content=dead)).status_code == 204
    strava.shows(101)
    assert await push(worker, dead) == 204
    told = rows("select outcome, attempt from strava_events order by ingested_at")
    assert [row["outcome"] for row in told[-3:]] == ["deferred", "parked", "stored"]
    assert {row["attempt"] for row in told} == {0}
    assert await push(worker, envelope(make_event(101, "update"), message_id="live", attempt=3)) == 204
    assert rows("select attempt from strava_events order by ingested_at")[-1] == {"attempt": 3}


async def test_a_replay_of_thousands_delays_no_live_event(
    lapsed: list[ReceivedEvent],
    store: SqliteRawStore,
    sweep: DeferredEvents,
    queue: Queue,
    room: Room,
    make_event: Event,
    clock: Any,
) -> None:
    """Asked for before the live events came due, the replays come after them, and leave calls for those to come."""
    others = (replace(make_event(number), event_id=f"{number}") for number in range(3_000))
    await store.record([asked_for(each, clock.now) for each in others])
    clock.advance(HOUR_S)
    room.calls, room.details = 5, 4
    live = {event.event_id for event in lapsed}
    assert await sweep.publish_due() == 4
    assert {received.event_id for received, _ in queue.published[:3]} == live
    assert queue.published[3][0].event_id not in live
    room.details = 0
    assert await sweep.publish_due() == 0
    room.calls = room.details = 90
    assert await sweep.publish_due() == 50


async def test_what_fails_again_leaves_the_queue_at_once(
    worker: httpx.AsyncClient,
    strava: Any,
    lapsed: list[ReceivedEvent],
    sweep: DeferredEvents,
    queue: Queue,
    clock: Any,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """An event that comes back into an outage does not go through its ten attempts again."""
    clock.advance(HOUR_S)
    await sweep.publish_due()
    received, attributes = queue.published[0]
    strava.answers[f"activities/{received.event.object_id}"] = httpx.Response(500)
    assert await push(worker, envelope(received, message_id="again", **attributes)) == 204
    assert rows(OUTCOMES)[-1] == {"outcome": "deferred", "waits": 1}
    clock.advance(601)
    assert await sweep.publish_due() == 1


async def test_an_event_whose_row_cannot_be_written_stays_in_the_queue(
    worker: httpx.AsyncClient, strava: Any, store: BusyStore, make_event: Event, envelope: Wrap
) -> None:
    """Nobody would bring it again."""
    strava.answers["activities/101"] = httpx.Response(403, json=INACTIVE)
    store.is_busy = True
    assert await push(worker, envelope(make_event(101))) == 503
    store.is_busy = False
    assert await push(worker, envelope(make_event(101), attempt=2)) == 204


async def test_a_number_of_an_attempt_that_comes_twice_loses_nothing(
    worker: httpx.AsyncClient, strava: Any, store: BusyStore, make_event: Event, envelope: Wrap
) -> None:
    """Pub/Sub may number no attempts: the row that brings the event again is added beside the first delivery's."""
    body = envelope(make_event(101))
    strava.answers["activities/101"] = httpx.Response(500)
    assert await push(worker, body) == 503
    strava.answers["activities/101"] = httpx.Response(403, json=INACTIVE)
    assert await push(worker, body) == 204
    assert len(await store.deferred_events(due_by=None, how_many=9)) == 1


async def test_it_runs_until_it_is_stopped(
    lapsed: list[ReceivedEvent], store: SqliteRawStore, queue: Queue, room: Room, clock: Any
) -> None:
    """Beside the pushes, again and again."""
    stop = asyncio.Event()
    clock.advance(HOUR_S)
    room.calls = 2
    beside = asyncio.create_task(DeferredEvents(store, queue, room, clock=clock, poll_s=0.01).run(stop))
    await asyncio.wait_for(queue.has_three.wait(), 30)
    stop.set()
    await asyncio.wait_for(beside, 30)


async def test_tokens_that_work_again_in_the_very_moment_in_which_an_event_is_parked(
    worker: httpx.AsyncClient, store: BusyStore, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Who found it out saw no parked row, so the queue brings the event again."""
    await store.change_status(AthleteStatus.TOKEN_REJECTED, before=[AthleteStatus.CONNECTED])
    clock.advance(HOUR_S)

    async def heal() -> None:
        await note_accepted(store, ATHLETE, clock=clock)

    store.in_between = heal
    assert (await worker.post("/push", content=envelope(make_event()))).status_code == 503
    assert rows(OUTCOMES) == [{"outcome": "parked", "waits": 0}]


async def test_a_deauthorisation_is_settled_in_a_lapse(
    worker: httpx.AsyncClient,
    lapsed: list[ReceivedEvent],
    strava: Any,
    store: BusyStore,
    tokens: FileTokenStore,
    sweep: DeferredEvents,
    queue: Queue,
    room: Room,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """The API answers nobody, and OAuth does: it is asked once a minute, and purges once it rejects the refresh token.

    Until then nothing is removed, however many events tell it. Off the queue it comes again although no call is left.
    """
    clock.advance(120)
    room.calls = 0
    far = {"expires_in": 21_600, "access_token": "access", "refresh_token": "rotated"}
    strava.answers["/oauth/token"] = httpx.Response(200, json=far)
    asked = len(strava.asked)
    for number in range(3):  # anybody may have sent them
        clock.advance(1)
        goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
        assert await push(worker, envelope(goodbye, message_id=f"{number}", **{DEFERRED_BEFORE: "true"})) == 204
    kept = await tokens.load(ATHLETE)
    assert (strava.asked[asked:], kept and kept.refresh_token) == (["/oauth/token"], "rotated")
    assert [each.status for each in await store.athletes()] == ["connected"]

    strava.rejects_tokens()
    strava.answers["athlete"] = httpx.Response(403, json=INACTIVE)
    clock.advance(601)
    assert await sweep.publish_due() == 3
    for received, attributes in queue.published:
        assert await push(worker, envelope(received, message_id=f"{received.event_id} again", **attributes)) == 204
    assert strava.asked[asked:] == ["/oauth/token", "/oauth/token", "/oauth/revoke"]
    assert (await store.athletes(), await tokens.load(ATHLETE), await store.row_count(ATHLETE)) == ([], None, 0)


async def test_a_parked_replay_stays_one(
    store: BusyStore, sweep: DeferredEvents, queue: Queue, clock: Any, make_event: Event
) -> None:
    """An athlete who connects is served with live events first, and no latency is measured of what a person asked."""
    live, replay = make_event(1, owner_id=ATHLETE), make_event(2, owner_id=ATHLETE)
    for each, attempt in ((replay, 0), (live, 7)):
        row = LedgerEntry(
            delivery_id=each.event_id,
            event_id=each.event_id,
            event=each.event,
            outcome=Outcome.PARKED,
            reason="Nobody was connected.",
            attempt=attempt,
            received_at=each.received_at,
            finished_at=clock(),
        )
        await store.record([row])
    assert await take_up_parked(store, ATHLETE, clock()) == 2
    waiting = await store.deferred_events(due_by=clock(), how_many=9)
    assert [(each.event_id, each.attempt) for each in waiting] == [(live.event_id, 1), (replay.event_id, 0)]
    assert await sweep.publish_due() == 2
    assert [attributes.get("replay") for _, attributes in queue.published] == [None, "true"]


async def test_what_was_parked_is_published_at_the_pace_of_the_budget(
    store: BusyStore, sweep: DeferredEvents, queue: Queue, room: Room, clock: Any, make_event: Event
) -> None:
    """A thousand parked events of who connects reach the queue as calls can be made, the oldest first, each once."""
    events = [make_event(number, owner_id=ATHLETE) for number in range(1000)]
    parked = [
        LedgerEntry(
            delivery_id=each.event_id,
            event_id=each.event_id,
            event=each.event,
            outcome=Outcome.PARKED,
            reason="Nobody was connected.",
            attempt=1,
            received_at=each.received_at,
            finished_at=clock(),
        )
        for each in events
    ]
    await store.record(parked)
    assert await take_up_parked(store, ATHLETE, clock()) == 1000
    published = []
    for calls in (0, 7, 100, 100):
        room.calls = calls
        published.append(await sweep.publish_due())
    assert published == [0, 7, 50, 50]
    assert [each.event_id for each, _ in queue.published] == [each.event_id for each in events[:107]]
    assert await take_up_parked(store, ATHLETE, clock()) == 0


SWEEPER = """
import asyncio, os, signal, sys
from datetime import datetime
from pathlib import Path
from backends.queue.embedded import EmbeddedQueue
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery
from backends.warehouse.sqlite.store import SqliteRawStore
from worker.deferred_events import DeferredEvents

path, now, dies_at = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), int(sys.argv[3])

class DyingQueue(EmbeddedQueue):
    count = 0

    async def publish(self, data, attributes):
        if self.count == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        return await super().publish(data, attributes)

async def room(lane):
    return 100

async def main():
    store, queue = SqliteRawStore(path, clock=lambda: now), DyingQueue(path)
    await DeferredEvents(store, queue, room, clock=lambda: now).publish_due()
    await queue.close()
    await store.close()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_kill_in_the_midst_of_it_loses_nothing(
    lapsed: list[ReceivedEvent], clock: Any, tmp_path: Path, project_root: Path, rows: Rows
) -> None:
    """Killed -9 before the first, between two and never: each event is published, and most of them once."""
    published = []
    for dies_at in (0, 2, 99):
        clock.advance(HOUR_S)
        arguments = (str(tmp_path / "pipeline.sqlite"), clock.now.isoformat(), str(dies_at))
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", SWEEPER, *arguments, cwd=project_root)
        assert await process.wait() == (0 if dies_at == 99 else -9)
        published.append(len(rows("select 1 from queue_messages")))
    assert published == [0, 2, 5]
    found = rows("select distinct json_extract(attributes, '$.event_id') as event_id from queue_messages")
    assert {row["event_id"] for row in found} == {event.event_id for event in lapsed}
