"""Asking once more after a create, without an event, and taking parked events up again."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.queue.embedded import EmbeddedQueue
from backends.tokens import TokensUnavailable
from backends.tokens.file import FileTokenStore
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import Athlete
from backends.warehouse.ledger import DueLook, LedgerEntry, Outcome, take_up_parked
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.client import StravaClient
from strava.events import ReceivedEvent
from tests.shared_marks import MemoryMarks
from worker.activities import ActivityEvents
from worker.app import create_app
from worker.kept import Kept
from worker.push_auth import SharedToken
from worker.results import Record, Result
from worker.second_look import SecondLooks

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]

ATHLETE = 4605555801
STORED = "select payload, source, event_id from strava_activities"


@pytest.fixture
def looks(store: SqliteRawStore, client_of: Callable[[int], StravaClient], clock: Any) -> SecondLooks:
    """Second looks five minutes after a create."""
    looking = ActivityEvents(store, client_of, clock=clock, steady=clock.steady_s)
    return SecondLooks(looking, store, due_after=timedelta(minutes=5), steady=clock.steady_s)


async def push(worker: httpx.AsyncClient, body: bytes) -> int:
    """Push one message and return the status of the answer."""
    return (await worker.post("/push", content=body)).status_code


async def test_what_the_first_detail_lacked_is_there_minutes_later(
    worker: httpx.AsyncClient,
    strava: Any,
    looks: SecondLooks,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """No event tells of the calories: one more call does, once; the row still names the event that brought it."""
    strava.shows(101)
    event = make_event()
    await push(worker, envelope(event))
    strava.shows(101, calories=640.0)
    clock.advance(299)
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/101"]
    clock.advance(2)
    await looks.look_at_due(asyncio.Event())
    await looks.look_at_due(asyncio.Event())
    [row] = rows(STORED)
    assert (json.loads(row["payload"])["calories"], row["source"], row["event_id"]) == (640, "webhook", event.event_id)
    assert strava.asked == ["activities/101"] * 2


async def test_what_is_anothers_by_now_is_not_stored(
    worker: httpx.AsyncClient,
    strava: Any,
    looks: SecondLooks,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """A foreign answer, of a proxy or a wrong address, does not replace the athlete's own activity."""
    strava.shows(101)
    await push(worker, envelope(make_event(101)))
    before = rows(STORED)
    strava.shows(101, athlete={"id": 7}, name="Somebody else's")
    clock.advance(301)
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/101"] * 2
    assert rows(STORED) == before


async def test_an_edit_minutes_later_was_a_second_look_already(
    worker: httpx.AsyncClient, strava: Any, looks: SecondLooks, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """What was asked for late enough for another reason is not asked for again; an edit too early does not count."""
    for activity_id, edited_after_s in ((101, 301), (102, 100)):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=f"{activity_id}a"))
        clock.advance(edited_after_s)
        strava.shows(activity_id, name="Race")
        edit = make_event(activity_id, "update", updates={"title": "Race"})
        await push(worker, envelope(edit, message_id=f"{activity_id}b"))
    clock.advance(600)
    strava.asked.clear()
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/102"]


async def test_what_is_gone_old_or_revoked_is_not_looked_at(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    looks: SecondLooks,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """Deleted since, created more than a day ago, or of an athlete who has left: no call is spent."""
    for activity_id in (101, 102, 103):
        strava.shows(activity_id)
    await push(worker, envelope(make_event(101)))
    clock.advance(86_401)
    await push(worker, envelope(make_event(102), message_id="2"))
    clock.advance(120)
    await push(worker, envelope(make_event(102, "delete"), message_id="3"))
    clock.advance(400)
    strava.asked.clear()
    await looks.look_at_due(asyncio.Event())
    await push(worker, envelope(make_event(103), message_id="4"))
    clock.advance(400)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="revoked", updated_at=clock()))
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/103"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"message": "Record Not Found"}),
        httpx.Response(500),
        TokensUnavailable("another process refreshes them"),
    ],
)
async def test_a_look_that_failed_rests_for_an_hour(
    worker: httpx.AsyncClient,
    strava: Any,
    looks: SecondLooks,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    answer: httpx.Response | TokensUnavailable,
) -> None:
    """Not shown, failing, or without tokens: the activity stays, others are looked at, and it is asked again later."""
    for activity_id in (101, 102):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=str(activity_id)))
    strava.answers["activities/101"] = answer
    clock.advance(301)
    await looks.look_at_due(asyncio.Event())
    assert "activities/102" in strava.asked[3:]
    strava.asked.clear()
    clock.advance(3500)
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == []
    clock.advance(101)
    await looks.look_at_due(asyncio.Event())
    assert set(strava.asked) == {"activities/101"}
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}] * 2


async def test_a_program_rests_as_the_one_before_it(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    client_of: Callable[[int], StravaClient],
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """Each look is a program of its own: twenty hidden activities are asked for once an hour, and hold up no other."""
    for activity_id in range(101, 122):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=str(activity_id)))
    for activity_id in range(101, 121):
        strava.hides(activity_id)
    clock.advance(301)
    strava.asked.clear()
    marks = MemoryMarks()
    for _ in range(13):
        looking = ActivityEvents(store, client_of, clock=clock, steady=clock.steady_s)
        kept, five_min = Kept(marks, "looks"), timedelta(minutes=5)
        looks = SecondLooks(looking, store, due_after=five_min, steady=lambda: clock().timestamp(), kept=kept)
        await looks.look_at_due(asyncio.Event())
        clock.advance(300)
    hidden = [f"activities/{activity_id}" for activity_id in range(101, 121)]
    assert strava.asked == [*hidden, "activities/121", *hidden]
    assert not any(str(activity_id) in marks.read("looks").split('"') for activity_id in range(101, 122))


async def test_many_that_rest_hold_up_no_other(
    worker: httpx.AsyncClient, strava: Any, looks: SecondLooks, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """Twenty that are hidden fill one round; while they rest, the next round takes the one that came after them."""
    for activity_id in range(101, 122):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=str(activity_id)))
    for activity_id in range(101, 121):
        strava.hides(activity_id)
    clock.advance(301)
    strava.asked.clear()
    for _ in range(2):
        await looks.look_at_due(asyncio.Event())
    assert strava.asked == [f"activities/{activity_id}" for activity_id in range(101, 122)]


async def test_a_stop_ends_the_round(
    worker: httpx.AsyncClient, strava: Any, looks: SecondLooks, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """The worker is ending: no further look begins."""
    strava.shows(101)
    await push(worker, envelope(make_event(101)))
    clock.advance(301)
    stop = asyncio.Event()
    stop.set()
    await looks.look_at_due(stop)
    assert strava.asked == ["activities/101"]


async def test_a_spent_limit_ends_the_round(
    worker: httpx.AsyncClient, strava: Any, looks: SecondLooks, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """The first refusal is the last call; all are looked at once the limit is reset."""
    for activity_id in (101, 102, 103):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=str(activity_id)))
    clock.advance(301)
    strava.asked.clear()
    strava.answers["activities/101"] = httpx.Response(429)
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/101"]
    clock.advance(1000)
    strava.shows(101)
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/101", "activities/101", "activities/102", "activities/103"]


@pytest.mark.parametrize("code", ["Inactive", "invalid"])
async def test_an_app_that_strava_refuses_ends_the_round(
    worker: httpx.AsyncClient,
    strava: Any,
    looks: SecondLooks,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    recorded: Callable[[str], httpx.Response],
    code: str,
) -> None:
    """A lapsed or unknown app is told once; no activity is at fault, and all are looked at when the app is well."""
    for activity_id in (101, 102):
        strava.shows(activity_id)
        await push(worker, envelope(make_event(activity_id), message_id=str(activity_id)))
    refusal = {"message": "Refused", "errors": [{"resource": "Application", "field": "", "code": code}]}
    is_lapsed = code == "Inactive"
    strava.answers["activities/101"] = httpx.Response(403, json=refusal) if is_lapsed else recorded("error_401")
    strava.answers["/oauth/token"] = httpx.Response(401, json=refusal)
    clock.advance(301)
    with capture_logs() as logs:
        await looks.look_at_due(asyncio.Event())
    assert [line["event"] for line in logs] == ["second_look.waiting"]
    clock.advance(3601)
    strava.shows(101)
    strava.asked.clear()
    await looks.look_at_due(asyncio.Event())
    assert strava.asked == ["activities/101", "activities/102"]


class Busy:
    """A ledger that cannot be read once, fails once, and then has nothing due."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_over = asyncio.Event()

    async def due_looks(self, **_: object) -> list[DueLook]:
        self.asked += 1
        if self.asked == 1:
            raise WarehouseBusy("locked")
        if self.asked == 2:
            raise ZeroDivisionError
        self.is_over.set()
        return []

    async def record(self, batch: object) -> None: ...

    async def recent(self, wanted: object, *, limit: int) -> list[LedgerEntry]:
        return []

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        return []

    async def deferred_events(self, **_: object) -> list[LedgerEntry]:
        return []


async def test_the_worker_looks_while_it_serves(
    store: SqliteRawStore, tmp_path: Path, client_of: Callable[[int], StravaClient]
) -> None:
    """A locked warehouse or a fault ends one round, not the loop; the loop ends with the worker."""
    ledger = Busy()
    looking = ActivityEvents(store, client_of)
    looks = SecondLooks(looking, ledger, due_after=timedelta(minutes=5), poll_s=0.001)
    off = SecondLooks(looking, ledger, due_after=timedelta(0))
    await off.run(asyncio.Event())
    queue = EmbeddedQueue(tmp_path / "queue.sqlite")

    async def handle_event(_: ReceivedEvent, __: Record) -> Result:
        return Result(outcome=Outcome.IGNORED, reason="")

    app = create_app(handle_event, store, queue, push_auth=SharedToken("x" * 32), background=[looks.run])
    async with app.router.lifespan_context(app):
        await asyncio.wait_for(ledger.is_over.wait(), 30)
    asked = ledger.asked
    await asyncio.sleep(0.01)
    assert ledger.asked == asked >= 3


async def test_events_that_were_parked_are_taken_up_on_connecting(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """Nobody was connected: both were parked. Now each waits to be published under its id, and is stored."""
    ben = 999
    strava.shows(101, athlete={"id": ben})
    create = make_event(101, owner_id=ben)
    clock.advance(5)
    edit = make_event(101, "update", owner_id=ben, updates={"title": "Früh"})
    for number, event in enumerate((create, edit)):
        await push(worker, envelope(event, message_id=str(number)))
    await push(worker, envelope(make_event(102), message_id="9"))
    granted = await tokens.load(ATHLETE)
    assert granted is not None
    await tokens.save(ben, granted)
    await store.put_athlete(Athlete(athlete_id=ben, scope=frozenset(), status="connected", updated_at=clock()))
    assert [each.event_id for each in await store.parked_events(ben)] == [create.event_id, edit.event_id]
    assert await take_up_parked(store, ben, clock()) == 2
    again = await store.deferred_events(due_by=clock(), how_many=9)
    assert [event.event_id for event in again] == [create.event_id, edit.event_id]
    assert [event.received_at for event in again] == [create.received_at, edit.received_at]
    assert await store.parked_events(ben) == []
    for event in (create, edit):
        await push(worker, envelope(event, message_id=f"{event.event_id}b"))
    told = rows("select outcome from strava_events where athlete_id = 999 order by ingested_at")
    assert [row["outcome"] for row in told] == ["parked", "parked", "deferred", "deferred", "stored", "unchanged"]
    assert await store.deferred_events(due_by=None, how_many=9) == []
