"""The worker from outside: an envelope in, a row, a ledger row and an answer out."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from backends.queue.envelope import PushEnvelope
from backends.tokens.file import FileTokenStore
from backends.warehouse.activities import Decision, Observation, Source
from backends.warehouse.ledger import LedgerFilter, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.client import StravaClient
from strava.events import ReceivedEvent
from strava.payload import ActivityPayload
from tests.contracts.test_own_files import an_import, listed
from tests.worker.conftest import takes_all
from worker.activities import ActivityEvents
from worker.push_handler import PushHandler
from worker.results import Record, Result, ResultOf, TryLater, result_of_error

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]

LEDGER = "select outcome, reason from strava_events order by ingested_at"
WAITS = (
    "select round((julianday(retry_at) - julianday(finished_at)) * 86400) as s from strava_events order by ingested_at"
)
ATHLETE = 4605555801


async def push(worker: httpx.AsyncClient, body: bytes) -> int:
    """Push one message and return the status of the answer."""
    return (await worker.post("/push", content=body)).status_code


async def test_a_create_is_fetched_and_stored(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """204, one detailed row that names its event, one ledger row that names its delivery."""
    strava.shows(101, name="Morning run")
    event = make_event()
    assert await push(worker, envelope(event, message_id="77", attempt=3)) == 204
    [row] = rows("select * from strava_activities")
    [told] = rows("select * from strava_events")
    assert (row["activity_id"], row["resource_state"], row["is_deleted"], row["source"]) == (101, 3, 0, "webhook")
    assert (row["event_id"], row["event_time"]) == (event.event_id, "2026-05-01T12:00:00.000000Z")
    assert (told["delivery_id"], told["outcome"], told["attempt"]) == (f"{event.event_id}/77/3", "stored", 3)
    assert told["received_at"] == "2026-05-01T12:00:00.000001Z"


async def test_a_duplicate_is_success(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """The same event again, long after, is answered from the row alone; the same delivery again adds no ledger row."""
    strava.shows(101)
    early = make_event()
    clocked = envelope(make_event(), message_id="2")
    assert await push(worker, clocked) == 204
    assert [await push(worker, clocked), await push(worker, envelope(early, message_id="3"))] == [204, 204]
    assert [row["outcome"] for row in rows(LEDGER)] == ["stored", "unchanged"]
    assert len(rows("select * from strava_activities")) == 1


async def test_an_event_that_was_overtaken_asks_nothing(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Strava was asked more than a second after this event had arrived: no call is spent on it."""
    strava.shows(101)
    old = make_event(aspect_type="update", updates={"title": "x"})
    clock.advance(5)
    await push(worker, envelope(make_event()))
    assert await push(worker, envelope(old, message_id="2")) == 204
    assert strava.asked == ["activities/101"]
    assert rows(LEDGER)[-1] == {"outcome": "unchanged", "reason": "Strava was asked after this event already."}


@pytest.mark.parametrize(
    ("state", "status", "kept"), [(None, 204, "Race"), (3, 204, "Race"), (2, 503, "Run"), (1, 503, "Run")]
)
async def test_an_edit_is_not_dropped_for_want_of_a_word(
    worker: httpx.AsyncClient,
    strava: Any,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    state: int | None,
    status: int,
    kept: str,
) -> None:
    """A newer answer that does not say it is detailed is stored; one that says it is not is asked for again."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(60)
    strava.shows(101, name="Race", resource_state=state)
    assert await push(worker, envelope(make_event(aspect_type="update"), message_id="2")) == status
    [row] = rows("select payload from strava_activities")
    assert json.loads(row["payload"])["name"] == kept


async def test_a_delete_removes_the_payload(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """The row becomes a tombstone without a payload, and Strava is not even asked."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(120)
    assert await push(worker, envelope(make_event(aspect_type="delete"), message_id="2")) == 204
    [row] = rows("select is_deleted, payload, payload_hash from strava_activities")
    assert row == {"is_deleted": 1, "payload": None, "payload_hash": None}
    assert (strava.asked, rows(LEDGER)[-1]["outcome"]) == (["activities/101"], "deleted")


async def test_a_late_delete_does_not_remove_what_came_back(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Private and public again: the delete arrives after the new create was stored, is checked, and changes nothing."""
    delete = make_event(aspect_type="delete")
    clock.advance(30)
    strava.shows(101)
    await push(worker, envelope(make_event()))
    assert await push(worker, envelope(delete, message_id="2")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]
    assert strava.asked == ["activities/101"] * 2


async def test_a_delete_of_what_was_just_listed_is_checked(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """A list showed it after the delete, though its detail is old: Strava is asked, and what came back is kept."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(600)
    delete = make_event(aspect_type="delete")
    clock.advance(5)
    line = ActivityPayload.from_json({"id": 101, "athlete": {"id": ATHLETE}, "resource_state": 2, "name": "Run"})
    await store.apply(
        [Observation(activity_id=101, athlete_id=ATHLETE, observed_at=clock.now, source=Source.BACKFILL, activity=line)]
    )
    assert await push(worker, envelope(delete, message_id="2")) == 204
    assert rows("select is_deleted, resource_state from strava_activities") == [{"is_deleted": 0, "resource_state": 3}]
    assert strava.asked == ["activities/101"] * 2


async def test_a_delete_of_what_was_just_seen_is_checked(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Within the margin of the clocks nobody knows which came first, so Strava is asked, and says it is gone."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(2)
    strava.hides(101)
    await push(worker, envelope(make_event(aspect_type="delete"), message_id="2"))
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 1}]
    assert len(strava.asked) == 2


async def test_delete_before_create(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """When the delete overtakes its create, the create finds the tombstone and does not wait for Strava."""
    create = make_event()
    clock.advance(3)
    await push(worker, envelope(make_event(aspect_type="delete"), message_id="2"))
    assert await push(worker, envelope(create)) == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deleted", "unchanged"]
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 1}]


async def test_two_events_of_one_second_at_once(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, clock: Any, envelope: Wrap, rows: Rows
) -> None:
    """Private and public again within a second, delivered together: the activity is there when all is quiet."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(60)
    waiting = [envelope(make_event(aspect_type=kind), message_id=kind) for kind in ("create", "delete", "update")]
    for _ in range(5):
        answers = await asyncio.gather(*(push(worker, each) for each in waiting))
        waiting = [each for each, status in zip(waiting, answers, strict=True) if status != 204]
        clock.advance(1)
    assert waiting == []
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


async def test_a_burst_on_one_activity_costs_one_call(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """Events of one activity take turns, and the first answer covers all that had arrived a while before."""
    strava.shows(101)
    bodies = [envelope(make_event(updates={"title": str(n)}), message_id=str(n)) for n in range(8)]
    clock.advance(2)
    assert await asyncio.gather(*(push(worker, body) for body in bodies)) == [204] * 8
    assert strava.asked == ["activities/101"]


async def test_many_activities_at_once(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Fifty pushes in flight end as fifty rows."""
    for activity_id in range(1, 51):
        strava.shows(activity_id)
    bodies = [envelope(make_event(activity_id), message_id=str(activity_id)) for activity_id in range(1, 51)]
    assert await asyncio.gather(*(push(worker, body) for body in bodies)) == [204] * 50
    assert rows("select count(*) as n from strava_activities where is_deleted = 0") == [{"n": 50}]


async def test_an_activity_that_is_not_shown_yet_is_asked_for_again(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """404 shortly after a create brings the event again; nothing is stored until Strava shows the activity."""
    event = make_event()
    assert await push(worker, envelope(event)) == 503
    assert rows("select * from strava_activities") == []
    clock.advance(20)
    strava.shows(101)
    assert await push(worker, envelope(event, attempt=2)) == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "stored"]


async def test_clocks_that_differ_do_not_shorten_the_grace(
    worker: httpx.AsyncClient, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """With our clock 400 s ahead a create that was just heard is asked for again all the same."""
    event = make_event(event_time=int(clock.now.timestamp()) - 400)
    clock.advance(1)
    assert await push(worker, envelope(event)) == 503
    assert rows("select * from strava_activities") == []


@pytest.mark.parametrize("ahead_s", [-3600, -60, -30, 0, 60, 400])
async def test_private_and_public_again_under_clocks_that_differ(
    worker: httpx.AsyncClient,
    strava: Any,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    ahead_s: int,
) -> None:
    """The activity is there in the end, however far our clock is from Strava's."""
    strava.shows(101)
    await push(worker, envelope(make_event(event_time=int(clock.now.timestamp()) - ahead_s)))
    clock.advance(600)
    strava.hides(101)
    gone = make_event(aspect_type="delete", event_time=int(clock.now.timestamp()) - ahead_s)
    assert await push(worker, envelope(gone, message_id="2")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 1}]
    clock.advance(20)
    strava.shows(101)
    back = make_event(event_time=int(clock.now.timestamp()) - ahead_s)
    assert await push(worker, envelope(back, message_id="3")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


async def test_a_delete_that_was_held_back_is_checked(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Nothing is stored, but the event is an hour old: Strava is asked, and what came back since is kept."""
    strava.shows(101)
    held_back = make_event(aspect_type="delete", event_time=int(clock.now.timestamp()) - 3600)
    assert await push(worker, envelope(held_back)) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


async def test_a_stored_activity_that_is_not_shown_for_long_is_gone(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Strava's own 404 counts once it is seen again after the grace, not before, however old the event is."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(600)
    strava.hides(101)
    event = make_event(aspect_type="update")
    clock.advance(4000)
    answers = [await push(worker, envelope(event, message_id="2"))]
    clock.advance(299)
    answers.append(await push(worker, envelope(event, message_id="2", attempt=2)))
    assert (answers, rows("select is_deleted from strava_activities")) == ([503, 503], [{"is_deleted": 0}])
    clock.advance(1.5)
    assert await push(worker, envelope(event, message_id="2", attempt=3)) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 1}]
    assert rows(LEDGER)[-1] == {"outcome": "deleted", "reason": "Strava no longer shows the activity."}


async def test_a_sign_of_life_starts_the_grace_again(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Not shown, shown, and not shown again: the grace counts from the second time."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    for number in (2, 3):
        clock.advance(600)
        strava.hides(101)
        assert await push(worker, envelope(make_event(aspect_type="update"), message_id=f"{number}a")) == 503
        strava.shows(101)
        clock.advance(5)
        assert await push(worker, envelope(make_event(aspect_type="update"), message_id=f"{number}b")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


async def test_a_line_in_a_list_starts_the_grace_again(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """Somebody else saw it alive since the first 404: that 404 counts no more."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(600)
    strava.hides(101)
    event = make_event(aspect_type="update")
    await push(worker, envelope(event, message_id="2"))
    line = ActivityPayload.from_json({"id": 101, "athlete": {"id": ATHLETE}, "resource_state": 2, "name": "Run"})
    clock.advance(200)
    await store.apply(
        [Observation(activity_id=101, athlete_id=ATHLETE, observed_at=clock(), source=Source.BACKFILL, activity=line)]
    )
    clock.advance(200)
    assert await push(worker, envelope(event, message_id="2", attempt=2)) == 503
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


@pytest.mark.parametrize(
    "foreign",
    [
        httpx.Response(404, text="<html>Not Found</html>"),
        httpx.Response(404),
        httpx.Response(404, json={"message": "no Route matched"}),
        httpx.Response(410, text="Gone"),
    ],
)
@pytest.mark.parametrize("aspect_type", ["update", "create", "delete"])
async def test_a_404_that_is_not_stravas_word_erases_nothing(
    worker: httpx.AsyncClient,
    strava: Any,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    foreign: httpx.Response,
    aspect_type: str,
) -> None:
    """A proxy's page, or a base address with a part missing: the stored activity stays for ever."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(600)
    strava.answers["activities/101"] = foreign
    event = make_event(aspect_type=aspect_type, event_time=int(clock.now.timestamp()) - 400)
    for attempt in (1, 2, 3):
        assert await push(worker, envelope(event, message_id="2", attempt=attempt)) == 503
        clock.advance(4000)
    assert rows("select is_deleted, payload is null as is_empty from strava_activities") == [
        {"is_deleted": 0, "is_empty": 0}
    ]


async def test_an_activity_that_stays_invisible_is_not_deleted(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Nothing was ever stored: the ledger says so, it is asked for ever more rarely, and stored once it is shown."""
    event = make_event()
    waits = []
    for attempt, passed_s in ((1, 301), (2, 302), (3, 604)):
        clock.advance(passed_s)
        answer = await worker.post("/push", content=envelope(event, attempt=attempt))
        waits.append((answer.status_code, answer.headers.get("retry-after")))
    assert waits == [(503, "302"), (503, "604"), (204, None)]  # the third wait is too long for the queue
    assert rows(WAITS)[-1] == {"s": 1207}
    assert rows("select * from strava_activities") == []
    assert rows(LEDGER)[0]["reason"] == "Strava has not shown the activity so far; it is asked again in 5 minutes."
    strava.shows(101)
    assert await push(worker, envelope(event, attempt=4)) == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred"] * 3 + ["stored"]


async def test_what_was_never_shown_is_not_waited_for_longer_than_two_days(
    worker: httpx.AsyncClient, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """The end is `ignored` with a sentence, not a tombstone; shortly before, it waits six hours at most."""
    event = make_event()
    clock.advance(2 * 86_400 - 1)
    assert await push(worker, envelope(event)) == 204
    assert rows(WAITS) == [{"s": 21_600}]
    clock.advance(2)
    assert await push(worker, envelope(event, attempt=2)) == 204
    assert rows("select * from strava_activities") == []
    assert rows(LEDGER)[-1]["outcome"] == "ignored"
    assert "within 2 days" in rows(LEDGER)[-1]["reason"]


async def test_an_update_of_what_came_back_survives_a_404(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """The tombstone is older than the update: Strava lags, so it is asked again. One that is younger settles it."""
    old = make_event(aspect_type="update")
    clock.advance(10)
    await push(worker, envelope(make_event(aspect_type="delete"), message_id="2"))
    assert await push(worker, envelope(old, message_id="3")) == 204
    assert rows(LEDGER)[-1] == {"outcome": "unchanged", "reason": "The activity was deleted after this event."}
    clock.advance(10)
    young = make_event(aspect_type="update")
    assert await push(worker, envelope(young, message_id="4")) == 503
    strava.shows(101)
    assert await push(worker, envelope(young, message_id="4", attempt=2)) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]


@pytest.mark.parametrize(("received_s", "event_s"), [(3600, 3600), (0, 3600), (3600, 0)])
async def test_a_delete_from_the_future_is_asked_about(
    worker: httpx.AsyncClient,
    strava: Any,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    received_s: int,
    event_s: int,
) -> None:
    """Times in the future, by a clock that was wrong or by somebody's hand, erase nothing that Strava shows."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.advance(600)
    event = make_event(aspect_type="delete", event_time=int(clock.now.timestamp()) + event_s)
    event = replace(event, received_at=event.received_at + timedelta(seconds=received_s))
    assert await push(worker, envelope(event, message_id="2")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 0}]
    assert strava.asked == ["activities/101"] * 2


async def test_a_deauthorisation_from_the_future_is_asked_about(
    worker: httpx.AsyncClient, strava: Any, tokens: FileTokenStore, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """Strava takes the tokens, so they stay."""
    strava.answers["athlete"] = httpx.Response(200, json={"id": ATHLETE})
    later = int(clock.now.timestamp()) + 3600
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"}, event_time=later)
    assert await push(worker, envelope(goodbye)) == 204
    assert await tokens.load(ATHLETE) is not None
    assert strava.asked == ["athlete"]


async def test_an_answer_about_another_athlete_proves_nothing(
    worker: httpx.AsyncClient, strava: Any, tokens: FileTokenStore, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """Asked whether the tokens work, something on the way answers for somebody else: the event waits."""
    strava.answers["athlete"] = httpx.Response(200, json={"id": 5})
    long_ago = int(clock.now.timestamp()) - 30 * 86_400
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"}, event_time=long_ago)
    assert await push(worker, envelope(goodbye)) == 503
    assert await tokens.load(ATHLETE) is not None


@pytest.mark.parametrize("set_by_s", [-7200, -30, 7200])
async def test_an_edit_after_the_clock_was_set_is_not_lost(
    worker: httpx.AsyncClient,
    strava: Any,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    set_by_s: int,
) -> None:
    """Stored by a clock that was wrong: the edit and the delete that follow are believed."""
    strava.shows(101)
    await push(worker, envelope(make_event()))
    clock.set(set_by_s)
    clock.advance(5)
    strava.shows(101, name="Race")
    assert await push(worker, envelope(make_event(aspect_type="update"), message_id="2")) == 204
    [row] = rows("select payload from strava_activities")
    assert json.loads(row["payload"])["name"] == "Race"
    clock.advance(5)
    strava.hides(101)
    assert await push(worker, envelope(make_event(aspect_type="delete"), message_id="3")) == 204
    assert rows("select is_deleted from strava_activities") == [{"is_deleted": 1}]


async def test_an_activity_of_somebody_else_is_not_taken(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """A forged event cannot bring another athlete's activity in."""
    strava.shows(101, athlete={"id": 999})
    assert await push(worker, envelope(make_event())) == 204
    assert (rows("select * from strava_activities"), rows(LEDGER)[0]["outcome"]) == ([], "parked")


@pytest.mark.parametrize("aspect_type", ["update", "delete"])
async def test_an_activity_of_somebody_else_stays_as_it_is(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    aspect_type: str,
) -> None:
    """A forged event of another connected athlete neither changes nor deletes it, and costs no call."""
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, athlete_id=999))
    strava.shows(101)
    await push(worker, envelope(make_event()))
    before = rows("select * from strava_activities")
    strava.asked.clear()
    assert await push(worker, envelope(make_event(aspect_type=aspect_type, owner_id=999), message_id="2")) == 204
    assert rows("select * from strava_activities") == before
    assert (rows(LEDGER)[-1]["outcome"], strava.asked) == ("parked", [])


async def test_an_unknown_athlete_is_parked(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Nobody is asked, and the ledger says what to do."""
    assert await push(worker, envelope(make_event(owner_id=999))) == 204
    [told] = rows(LEDGER)
    assert (told["outcome"], strava.asked) == ("parked", [])
    assert "athlete connect" in told["reason"]


async def test_tokens_that_are_missing_for_a_moment_lose_nothing(
    worker: httpx.AsyncClient, strava: Any, tokens: FileTokenStore, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Known, but nobody to ask in whose name: the event waits, the ledger says to connect, and then it is stored."""
    strava.shows(101)
    kept = await tokens.load(ATHLETE)
    assert kept is not None
    await tokens.delete(ATHLETE)
    event = make_event()
    assert await push(worker, envelope(event)) == 503
    assert "athlete connect" in rows(LEDGER)[0]["reason"]
    await tokens.save(ATHLETE, kept)
    assert await push(worker, envelope(event, attempt=2)) == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "stored"]


async def test_a_deauthorisation_purges_once(
    worker: httpx.AsyncClient,
    strava: Any,
    tokens: FileTokenStore,
    store: SqliteRawStore,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """Data and tokens go at once; later deliveries and activities cost no call, and leave rows that name nobody."""
    strava.shows(101)
    assert await push(worker, envelope(make_event())) == 204
    strava.rejects_tokens()
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(goodbye, message_id="2")) == 204
    asked = list(strava.asked)
    assert asked[-3:] == ["athlete", "/oauth/token", "/oauth/revoke"]
    assert await push(worker, envelope(goodbye, message_id="3")) == 204
    assert await push(worker, envelope(make_event(102), message_id="4")) == 204
    assert strava.asked == asked
    assert (await store.row_count(ATHLETE), await tokens.load(ATHLETE)) == (0, None)
    left = rows("select outcome, athlete_id, object_id, event_time, reason from strava_events order by ingested_at")
    told = {(row["outcome"], row["athlete_id"], row["object_id"], row["event_time"]) for row in left}
    assert (told, len(left)) == ({("purged", None, None, None)}, 3)
    [receipt] = rows("select purge_id from purges")
    assert receipt["purge_id"] in left[0]["reason"]


async def test_a_deauthorisation_does_not_wait_for_a_spent_limit(
    worker: httpx.AsyncClient, strava: Any, store: SqliteRawStore, make_event: Event, envelope: Wrap
) -> None:
    """OAuth's calls are not counted: the rejected refresh token is Strava's word, also where the API gives none."""
    strava.rejects_tokens()
    strava.answers["athlete"] = httpx.Response(429, json={"message": "Rate Limit Exceeded"})
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(goodbye)) == 204
    assert strava.asked == ["athlete", "/oauth/token", "/oauth/revoke"]
    assert await store.athletes() == []


async def test_a_deauthorisation_that_strava_contradicts_removes_nothing(
    worker: httpx.AsyncClient, strava: Any, store: SqliteRawStore, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """The tokens work: an event may be forged, or Strava slow. It is asked again for an hour, then nothing is done."""
    strava.answers["athlete"] = httpx.Response(200, json={"id": ATHLETE})
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(goodbye)) == 503
    clock.advance(3601)
    assert await push(worker, envelope(goodbye, attempt=2)) == 204
    assert [each.status for each in await store.athletes()] == ["connected"]


async def test_a_deauthorisation_without_tokens_is_no_word_of_stravas(
    worker: httpx.AsyncClient, tokens: FileTokenStore, store: SqliteRawStore, make_event: Event, envelope: Wrap
) -> None:
    """Tokens may be missing for another reason, such as a damaged file: a person decides, and nothing is removed."""
    await tokens.delete(ATHLETE)
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(goodbye)) == 204
    [row] = await store.recent(LedgerFilter(outcome=Outcome.PARKED), limit=9)
    assert "`athlete purge` if they did" in row.reason
    assert [each.status for each in await store.athletes()] == ["connected"]


async def test_an_old_deauthorisation_does_not_end_a_new_connection(
    worker: httpx.AsyncClient,
    strava: Any,
    tokens: FileTokenStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """The athlete has connected again since, as Strava confirms: the late event is ignored."""
    strava.answers["athlete"] = httpx.Response(200, json={"id": ATHLETE})
    long_ago = int(clock.now.timestamp()) - 30 * 86_400
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"}, event_time=long_ago)
    await push(worker, envelope(goodbye))
    assert await tokens.load(ATHLETE) is not None
    assert rows(LEDGER)[0]["outcome"] == "ignored"


async def test_a_deauthorisation_does_not_end_a_connection_of_this_second(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """The athlete was read a moment before connecting again: what counts is the connection that is stored now."""
    strava.answers["athlete"] = httpx.Response(200, json={"id": ATHLETE})
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    await push(worker, envelope(make_event(aspect_type="delete")))
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, updated_at=clock.now))
    assert await push(worker, envelope(goodbye, message_id="2")) == 204
    assert [each.status for each in await store.athletes()] == ["connected"]
    assert await tokens.load(ATHLETE) is not None


@pytest.mark.parametrize("ahead_s", [0, 90, -90, 3600])
async def test_a_deauthorisation_right_after_connecting_revokes(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    ahead_s: int,
) -> None:
    """Connected, and left within the minute: Strava rejects the tokens, so clocks that differ cannot hide it."""
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, updated_at=clock.now))
    strava.rejects_tokens()
    clock.advance(20)
    at_strava = int(clock.now.timestamp()) - ahead_s
    gone = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"}, event_time=at_strava)
    assert await push(worker, envelope(gone)) == 204
    assert await store.athletes() == []
    assert await tokens.load(ATHLETE) is None


async def test_a_deauthorisation_of_who_left_an_older_version_purges(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
) -> None:
    """It kept the data of who left. Nothing is asked of Strava's API, for that access has ended."""
    [athlete] = await store.athletes()
    await store.put_athlete(replace(athlete, status="revoked", updated_at=clock.now))
    gone = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(gone)) == 204
    assert (strava.asked, await store.athletes()) == (["/oauth/revoke"], [])


async def test_a_deauthorisation_leaves_what_was_imported(
    worker: httpx.AsyncClient,
    strava: Any,
    store: SqliteRawStore,
    tokens: FileTokenStore,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """The athlete's own copy is theirs. Nothing is asked in their name then, and later events wait for a connect."""
    await store.put_import(an_import(athlete_id=ATHLETE))
    await store.put_archive_rows([listed(101, athlete_id=ATHLETE)], "i1")
    strava.shows(101)
    assert await push(worker, envelope(make_event())) == 204
    strava.rejects_tokens()
    goodbye = make_event(ATHLETE, "update", object_type="athlete", updates={"authorized": "false"})
    assert await push(worker, envelope(goodbye, message_id="2")) == 204
    asked = list(strava.asked)
    assert [each.status for each in await store.athletes()] == ["archive_only"]
    assert (await store.stored([101]), await tokens.load(ATHLETE)) == ({}, None)
    assert [each.source.value for each in await store.match_facts(ATHLETE)] == ["archive"]
    assert await push(worker, envelope(goodbye, message_id="3")) == 204
    assert [each.status for each in await store.athletes()] == ["archive_only"]
    assert await push(worker, envelope(make_event(102), message_id="4")) == 204
    assert strava.asked == asked
    assert len(rows("select purge_id from purges")) == 1


async def test_a_deauthorisation_of_an_unknown_athlete_asks_nobody(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """There is no access to end."""
    gone = make_event(999, "update", object_type="athlete", owner_id=999, updates={"authorized": "false"})
    assert await push(worker, envelope(gone)) == 204
    [told] = rows(LEDGER)
    assert (strava.asked, told["outcome"]) == ([], "ignored")
    assert told["reason"] == "Athlete 999 is not connected here, so there is no access to end."


class Overtaken:
    """The real store, into which somebody else puts something newer between the question and the write."""

    def __init__(self, store: SqliteRawStore, newer: Observation) -> None:
        self._store = store
        self._newer = newer
        self.event_basis = store.event_basis
        self.stored = store.stored
        self.counts = store.counts
        self.activity_ids = store.activity_ids

        self.apply = store.apply

    async def record(self, observation: Observation, result_of: ResultOf) -> Result:
        await self._store.apply([self._newer])
        [applied] = await self._store.apply([observation])
        return result_of(
            Decision(applied, (await self._store.stored([observation.activity_id]))[observation.activity_id])
        )


@pytest.mark.parametrize(
    ("state", "aspect_type", "outcome"),
    [
        (3, "update", Outcome.UNCHANGED),
        (2, "update", None),
        (None, "update", None),
        (3, "delete", Outcome.UNCHANGED),
    ],
)
async def test_something_newer_that_came_in_between_decides(
    store: SqliteRawStore,
    strava: Any,
    clock: Any,
    client_of: Callable[[int], StravaClient],
    make_event: Event,
    state: int | None,
    aspect_type: str,
    outcome: Outcome | None,
) -> None:
    """Another process was faster: its detail settles the event; its summary or tombstone means to ask again."""
    strava.shows(101)
    newer = ActivityPayload.from_json(
        {"id": 101, "athlete": {"id": ATHLETE}, "resource_state": state or 3, "name": "B"}
    )
    seen = Observation(
        activity_id=101,
        athlete_id=ATHLETE,
        observed_at=clock.now + timedelta(seconds=30),
        source=Source.BACKFILL,
        activity=newer if state else None,
    )
    overtaken = Overtaken(store, seen)
    events = ActivityEvents(overtaken, client_of, clock=clock, steady=clock.steady_s)
    if outcome is None:
        with pytest.raises(TryLater, match="Something newer is known of the activity, but not in detail"):
            await events.take(make_event(aspect_type=aspect_type), overtaken.record, takes_all)
    else:
        result = await events.take(make_event(aspect_type=aspect_type), overtaken.record, takes_all)
        assert (result.outcome, result.reason) == (outcome, "Something newer is stored already.")


async def test_an_answer_that_was_not_stored_covers_no_event(
    store: SqliteRawStore, strava: Any, clock: Any, client_of: Callable[[int], StravaClient], make_event: Event
) -> None:
    """A tombstone came in between, so the event was deferred: brought again, it asks again, and nothing is lost."""
    strava.shows(101)
    received = make_event()
    clock.advance(10)
    gone = Observation(
        activity_id=101,
        athlete_id=ATHLETE,
        observed_at=clock.now + timedelta(seconds=30),
        source=Source.WEBHOOK,
        activity=None,
    )
    overtaken = Overtaken(store, gone)
    events = ActivityEvents(overtaken, client_of, clock=clock, steady=clock.steady_s)

    async def record(observation: Observation, result_of: ResultOf) -> Result:
        try:
            return await overtaken.record(observation, result_of)
        except TryLater as error:
            return result_of_error(error)

    results = [await events.take(received, record, takes_all) for _ in range(2)]
    assert [result.outcome for result in results] == [Outcome.DEFERRED, Outcome.STORED]


async def test_what_an_operator_must_know_is_logged(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap
) -> None:
    """A fault is an error with its traceback, a dead letter an error with its attempts, a deferral a warning."""
    strava.answers["activities/101"] = ZeroDivisionError("at Isar 7")
    strava.shows(102)
    with capture_logs() as logs:
        await push(worker, envelope(make_event(101)))
        await push(worker, envelope(make_event(102), message_id="2"))
        dead = envelope(make_event(103), message_id="3", CloudPubSubDeadLetterSourceDeliveryCount="100")
        await worker.post("/dead-letter", content=dead)
    told = [(line["event"], line["log_level"]) for line in logs]
    assert told == [
        ("event.fault", "error"),
        ("activity.deferred", "warning"),
        ("activity.stored", "info"),
        ("event.dead", "error"),
    ]
    assert logs[0]["exc_info"]
    assert logs[2]["aspect_type"] == "create"
    assert (logs[3]["attempts"], logs[3]["event_id"]) == (100, make_event(103).event_id)
    assert 0 <= logs[2]["duration_ms"] < 60_000


async def test_an_attempt_without_a_number_is_the_first(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """A subscription without a dead-letter policy does not count, so the ledger says 1."""
    strava.shows(101)
    body = json.loads(envelope(make_event()))
    del body["deliveryAttempt"]
    assert await push(worker, json.dumps(body).encode()) == 204
    assert rows("select attempt from strava_events") == [{"attempt": 1}]


async def test_other_athlete_events_are_ignored(
    worker: httpx.AsyncClient, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Nothing is kept of a profile."""
    profile = make_event(ATHLETE, "update", object_type="athlete", updates={"weight": "70"})
    assert await push(worker, envelope(profile)) == 204
    assert rows(LEDGER) == [{"outcome": "ignored", "reason": "Nothing is kept of athlete update events."}]


async def test_only_activities_are_logged_as_such(store: SqliteRawStore, make_event: Event, envelope: Wrap) -> None:
    """Each log line about an event carries the activity's id, or the other object's under its own name."""
    seen: list[dict[str, Any]] = []

    async def handle_event(_: ReceivedEvent, __: Record) -> Result:
        seen.append(structlog.contextvars.get_contextvars())
        return Result(outcome=Outcome.IGNORED, reason="")

    push_handler = PushHandler(handle_event, store)
    for event in (make_event(101), make_event(9, "update", object_type="athlete")):
        structlog.contextvars.clear_contextvars()
        await push_handler.handle(envelope(event, message_id=event.event_id))
    assert [{key for key in each if key != "event_id"} for each in seen] == [{"activity_id"}, {"athlete_id"}]
    assert (seen[0]["activity_id"], seen[1]["athlete_id"]) == (101, 9)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"message": {"data": 7}}'])
async def test_what_is_no_envelope_is_parked(worker: httpx.AsyncClient, rows: Rows, body: bytes) -> None:
    """It would be no envelope next time either: taken off the queue, with a row that says so."""
    assert await push(worker, body) == 204
    [told] = rows(LEDGER)
    assert told["outcome"] == "parked"
    assert rows("select attempt from strava_events") == [{"attempt": 1}]
    assert told["reason"].startswith("The message cannot be read: ")


async def test_what_is_no_event_is_parked(worker: httpx.AsyncClient, clock: Any, rows: Rows) -> None:
    """An envelope around something else leaves a row with its message id and what it held, fit for a terminal."""
    data = "Grüße\x1b[2J\n\u202e".encode() + b"\xff" + b"x" * 5_000
    body = PushEnvelope(data=data, message_id="9", publish_time=clock.now, subscription="events").to_json()
    assert await push(worker, body) == 204
    [told] = rows("select delivery_id, outcome, event_id, message from strava_events")
    message = told.pop("message")
    assert told == {"delivery_id": "unreadable/9/1", "outcome": "parked", "event_id": "unreadable/9"}
    assert message.startswith(r"Grüße\x1b[2J\n\u202e\xffxxx")
    assert (message.isprintable(), message.endswith("xx… (5,016 bytes)")) == (True, True)
    assert rows(LEDGER)[0]["reason"].startswith("The message cannot be read: ")


async def test_an_event_that_no_ledger_could_hold_leaves_a_row(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Updates nested deeply and counts beyond 64 bits: what changed is told without them, and nothing fails."""
    deep = b'{"private":' + b'{"a":' * 300 + b"{}" + b"}" * 301
    strava.shows(101)
    message = make_event().to_message().replace(b'"updates":{}', b'"updates":' + deep)
    push_of = json.loads(envelope(make_event()))
    push_of["message"]["data"] = base64.b64encode(message).decode()
    push_of["deliveryAttempt"] = 2**63
    push_of["message"]["attributes"]["CloudPubSubDeadLetterSourceDeliveryCount"] = "9" * 5000
    answers = [await worker.post(path, content=json.dumps(push_of)) for path in ("/push", "/dead-letter")]
    assert [answer.status_code for answer in answers] == [204, 204]
    told = rows("select outcome, updates, attempt from strava_events order by ingested_at")
    assert [row["outcome"] for row in told] == ["stored", "parked"]
    assert {(row["updates"], row["attempt"]) for row in told} == {('{"private":null}', 2**63 - 1)}


async def test_a_dead_letter_is_parked(
    worker: httpx.AsyncClient, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """What the queue gave up on is told with the number of attempts, once, beside the attempts themselves."""
    event = make_event()
    await push(worker, envelope(event))
    body = envelope(event, CloudPubSubDeadLetterSourceDeliveryCount="100")
    answers = [(await worker.post("/dead-letter", content=body)).status_code for _ in range(2)]
    assert answers == [204, 204]
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "parked"]
    [deferred, parked] = rows("select reason, reason_kind from strava_events order by ingested_at")
    assert parked["reason"] == f"Gave up after 100 attempts. The last one ended so: {deferred['reason']}"
    assert parked["reason_kind"] == deferred["reason_kind"] == "not_shown_yet"


async def test_a_dead_letter_that_cannot_be_read_is_parked(worker: httpx.AsyncClient, clock: Any, rows: Rows) -> None:
    """Even that leaves a row, and a body that is no push leaves one however often it comes."""
    body = PushEnvelope(
        data=b"?", message_id="9", publish_time=clock.now, subscription="dead-letter", delivery_attempt=4
    ).to_json()
    assert (await worker.post("/dead-letter", content=body)).status_code == 204
    for path in ("/dead-letter", "/push"):
        assert (await worker.post(path, content=b"!")).status_code == 204
    told = rows("select outcome, message, event_id from strava_events order by ingested_at")
    assert [(row["outcome"], row["message"]) for row in told] == [("parked", "?"), ("parked", "!")]
    assert (told[0]["event_id"], told[1]["event_id"][:11]) == ("unreadable/9", "unreadable/")


async def test_health(worker: httpx.AsyncClient, store: SqliteRawStore) -> None:
    """Without the warehouse the worker lives, but is not well."""
    await store.close()
    without = await worker.get("/health", params={"deep": "true"})
    assert (without.status_code, without.json()["status"]) == (503, "unavailable")
    assert (await worker.get("/health")).status_code == 200


async def test_a_warehouse_that_is_shut_loses_nothing(
    worker: httpx.AsyncClient, store: SqliteRawStore, make_event: Event, envelope: Wrap
) -> None:
    """No row can be written, not even in the ledger: the queue keeps the message."""
    await store.close()
    assert await push(worker, envelope(make_event())) == 503
