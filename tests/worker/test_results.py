"""Strava's recorded answers, and everything that may go wrong, through the whole worker."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.ledger import Outcome
from strava.errors import (
    AccessTokenRefused,
    AppInactive,
    AppRejected,
    BadRequest,
    NotConnected,
    RateLimited,
    ScopeMissing,
    ServerFailed,
    TokenRejected,
    TurnedAway,
    Unreachable,
    UnreadableAnswer,
)
from strava.events import ReceivedEvent
from worker.results import TryLater, result_of_error

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]
Recorded = Callable[[str], httpx.Response]

LEDGER = "select outcome, reason from strava_events order by ingested_at"
WAITS = (
    "select round((julianday(retry_at) - julianday(finished_at)) * 86400) as s from strava_events order by ingested_at"
)
MARATHON, INDOOR_RIDE = 1353942913, 1455368249


@pytest.mark.parametrize(
    ("name", "activity_id", "start_date"),
    [
        ("activity_run_marathon", MARATHON, "2018-11-04T14:53:46.000000Z"),
        ("activity_ride_indoor", INDOOR_RIDE, "2022-05-14T18:21:19.000000Z"),
    ],
)
async def test_a_recorded_activity_is_stored_word_for_word(
    worker: httpx.AsyncClient,
    strava: Any,
    recorded: Recorded,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    name: str,
    activity_id: int,
    start_date: str,
) -> None:
    """The payload is what Strava sent, the start is its true UTC start, the athlete the recorded one."""
    strava.answers[f"activities/{activity_id}"] = recorded(name)
    answer = await worker.post("/push", content=envelope(make_event(activity_id)))
    [row] = rows("select * from strava_activities")
    assert answer.status_code == 204
    assert row["payload"] == recorded(name).text
    assert (row["activity_id"], row["athlete_id"], row["resource_state"]) == (activity_id, 4605555801, 3)
    assert (row["start_date"], row["is_deleted"], row["source"]) == (start_date, 0, "webhook")
    assert rows(LEDGER) == [{"outcome": "stored", "reason": "Fetched from Strava and stored."}]


async def test_what_the_recorded_activities_say_can_be_read_from_the_row(
    worker: httpx.AsyncClient, strava: Any, recorded: Recorded, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """A marathon of 42,268.1 m in 13,085 s; a ride of 101,529 m in 2,432 s, contradictory as it came."""
    for name, activity_id in (("activity_run_marathon", MARATHON), ("activity_ride_indoor", INDOOR_RIDE)):
        strava.answers[f"activities/{activity_id}"] = recorded(name)
        await worker.post("/push", content=envelope(make_event(activity_id), message_id=name))
    payloads = [
        json.loads(row["payload"]) for row in rows("select payload from strava_activities order by activity_id")
    ]
    assert [(it["sport_type"], it["distance"], it["moving_time"]) for it in payloads] == [
        ("Run", 42268.1, 13085),
        ("Ride", 101529.0, 2432),
    ]


@pytest.mark.parametrize(
    ("name", "status", "outcome", "says"),
    [
        ("error_401", 204, "parked", "connect again with `athlete connect`"),
        ("error_404", 503, "deferred", "does not show the activity yet"),
        ("error_429", 204, "deferred", "rate limit is used up"),
    ],
)
async def test_a_recorded_refusal_is_answered_by_the_table(
    worker: httpx.AsyncClient,
    strava: Any,
    recorded: Recorded,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    name: str,
    status: int,
    outcome: str,
    says: str,
) -> None:
    """A dead token needs the athlete, a young 404 and a spent budget need time; the ledger says which."""
    strava.answers[f"activities/{MARATHON}"] = recorded(name)
    strava.answers["/oauth/token"] = httpx.Response(400, json={"errors": [{"resource": "RefreshToken"}]})
    answer = await worker.post("/push", content=envelope(make_event(MARATHON)))
    [told] = rows(LEDGER)
    assert (answer.status_code, told["outcome"]) == (status, outcome)
    assert says in told["reason"]
    assert rows("select * from strava_activities") == []


async def test_a_spent_day_says_when_to_come_again(
    worker: httpx.AsyncClient, strava: Any, recorded: Recorded, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """The recorded 429 has used up the day: the event is off the queue until five seconds after midnight UTC."""
    strava.answers[f"activities/{MARATHON}"] = recorded("error_429")
    answer = await worker.post("/push", content=envelope(make_event(MARATHON)))
    assert (answer.status_code, "retry-after" in answer.headers) == (204, False)
    assert (rows(LEDGER)[0]["outcome"], rows(WAITS)) == ("deferred", [{"s": 43_205}])


async def test_a_spent_quarter_hour_is_waited_for_in_the_queue(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows, clock: Any
) -> None:
    """Minutes are the queue's own: 429 with the seconds to the quarter hour and five more."""
    clock.advance(100)
    strava.answers["activities/101"] = httpx.Response(429, json={"message": "Rate Limit Exceeded"})
    answer = await worker.post("/push", content=envelope(make_event(101)))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "805")
    assert rows("select outcome, retry_at from strava_events") == [{"outcome": "deferred", "retry_at": None}]


async def test_a_spent_budget_is_not_asked_again_before_its_reset(
    worker: httpx.AsyncClient,
    strava: Any,
    recorded: Recorded,
    clock: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
) -> None:
    """Other activities wait for the rest of the time without a call, and are fetched as soon as it is over."""
    strava.answers["activities/101"] = recorded("error_429")
    strava.shows(102)
    await worker.post("/push", content=envelope(make_event(101)))
    other = envelope(make_event(102), message_id="2")
    clock.advance(42_005)
    early = await worker.post("/push", content=other)
    assert (early.status_code, early.headers["retry-after"]) == (429, "1200")
    assert rows(WAITS) == [{"s": 43_205}, {"s": None}]
    assert strava.asked == ["activities/101"]
    clock.advance(1200)
    assert (await worker.post("/push", content=envelope(make_event(102), message_id="2", attempt=2))).status_code == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "deferred", "stored"]


async def test_a_lapsed_app_is_asked_for_again_in_an_hour(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Nobody but its owner can end it, so the event comes again in an hour."""
    inactive = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
    strava.answers["activities/101"] = httpx.Response(403, json=inactive)
    answer = await worker.post("/push", content=envelope(make_event()))
    assert answer.status_code == 204
    assert rows(WAITS) == [{"s": 3600}]


async def test_a_delete_needs_no_budget(
    worker: httpx.AsyncClient, strava: Any, recorded: Recorded, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """What is deleted at Strava goes at once, spent limit or not."""
    strava.answers["activities/101"] = recorded("error_429")
    await worker.post("/push", content=envelope(make_event(101)))
    assert (await worker.post("/push", content=envelope(make_event(102, "delete"), message_id="2"))).status_code == 204
    assert rows("select activity_id, is_deleted from strava_activities") == [{"activity_id": 102, "is_deleted": 1}]


async def test_tokens_that_cannot_be_read_lose_nothing(
    worker: httpx.AsyncClient, make_event: Event, envelope: Wrap, rows: Rows, tmp_path: Path
) -> None:
    """A damaged token file is no fault of the program's: 503, and the ledger says how to mend it."""
    (tmp_path / "tokens.json").write_text("{")
    assert (await worker.post("/push", content=envelope(make_event()))).status_code == 503
    [told] = rows(LEDGER)
    assert told["outcome"] == "deferred"
    assert "is damaged (it is not JSON); restore it" in told["reason"]


@pytest.mark.parametrize(
    ("answer", "status", "outcome"),
    [
        (httpx.Response(500), 503, "deferred"),
        (httpx.Response(403, text="<html>Access denied</html>"), 503, "deferred"),
        (httpx.Response(401, text="<html>Sign in</html>"), 503, "deferred"),
        (httpx.Response(404, text="<html>Not Found</html>"), 503, "deferred"),
        (httpx.Response(200, json={"id": 102, "athlete": {"id": 4605555801}}), 503, "deferred"),
        (httpx.Response(408), 503, "deferred"),
        (httpx.Response(200, text="<html>maintenance</html>"), 503, "deferred"),
        (httpx.Response(200, json={"id": 101}), 503, "deferred"),
        (httpx.ConnectError("refused"), 503, "deferred"),
        (httpx.ReadTimeout("slow"), 503, "deferred"),
        (httpx.Response(400, json={"message": "Bad Request"}), 503, "deferred"),
        (
            httpx.Response(400, json={"errors": [{"resource": "Activity", "field": "id", "code": "invalid"}]}),
            204,
            "parked",
        ),
    ],
)
async def test_other_faults_of_strava(
    worker: httpx.AsyncClient,
    strava: Any,
    make_event: Event,
    envelope: Wrap,
    rows: Rows,
    answer: httpx.Response | Exception,
    status: int,
    outcome: str,
) -> None:
    """What may pass is tried again, what cannot is parked, and each leaves its row."""
    strava.answers["activities/101"] = answer
    answered = await worker.post("/push", content=envelope(make_event()))
    assert (answered.status_code, "retry-after" in answered.headers) == (status, False)
    assert [row["outcome"] for row in rows(LEDGER)] == [outcome]


async def test_a_grant_that_is_alive_is_waited_for(
    worker: httpx.AsyncClient, strava: Any, recorded: Recorded, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """401 twice although the refresh in between succeeded: the event waits, and is stored later."""
    strava.answers[f"activities/{MARATHON}"] = recorded("error_401")
    fresh = {"access_token": "a2", "refresh_token": "refresh", "expires_in": 21_600}
    strava.answers["/oauth/token"] = httpx.Response(200, json=fresh)
    event = make_event(MARATHON)
    assert (await worker.post("/push", content=envelope(event))).status_code == 503
    strava.answers[f"activities/{MARATHON}"] = recorded("activity_run_marathon")
    assert (await worker.post("/push", content=envelope(event, attempt=2))).status_code == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "stored"]


async def test_what_time_can_cure_is_never_given_up(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """After ten attempts at a failing Strava an event leaves the queue for ten minutes, and again when it is back."""
    strava.answers["activities/101"] = httpx.Response(500)
    event = make_event()
    bodies = [*(envelope(event, attempt=attempt) for attempt in (1, 10, 11)),
              envelope(event, message_id="2", deferred="true")]  # fmt: skip
    assert [(await worker.post("/push", content=body)).status_code for body in bodies] == [503, 503, 204, 204]
    assert [row["s"] for row in rows(WAITS)] == [None, None, 600, 600]


async def test_a_poisoned_activity_costs_one_call_an_attempt(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """Strava fails on one activity for days: several tries at the first attempt only, and it is said."""
    strava.answers["activities/101"] = httpx.Response(500)
    strava.answers["activities/102"] = httpx.Response(500)
    for attempt in (1, 2, 3):
        await worker.post("/push", content=envelope(make_event(101), attempt=attempt))
    await worker.post("/push", content=envelope(make_event(102), message_id="2"))
    assert strava.asked == ["activities/101"] * 4 + ["activities/102"] * 2
    assert "at 3 attempts in a row; it is asked once an attempt" in rows(LEDGER)[2]["reason"]


async def test_an_activity_that_fails_for_days_waits_ever_longer(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """From the eleventh failure on the wait doubles, up to an hour, also for odd answers."""
    strava.answers["activities/101"] = httpx.Response(200, json={"id": 101})
    event = make_event(101)
    for attempt in range(1, 15):
        await worker.post("/push", content=envelope(event, attempt=attempt))
    assert [row["s"] for row in rows(WAITS)] == [None] * 10 + [1200, 2400, 3600, 3600]


async def test_a_cured_activity_is_tried_as_before(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap
) -> None:
    """One good answer ends the caution."""
    strava.answers["activities/101"] = httpx.Response(500)
    await worker.post("/push", content=envelope(make_event(101)))
    strava.shows(101)
    await worker.post("/push", content=envelope(make_event(101), attempt=2))
    clock.advance(60)
    strava.asked.clear()
    strava.answers["activities/101"] = httpx.Response(500)
    await worker.post("/push", content=envelope(make_event(101), message_id="2"))
    assert strava.asked == ["activities/101"] * 2


@pytest.mark.slow
async def test_a_thousand_events_of_a_lapsed_app_cost_one_probe(
    worker: httpx.AsyncClient, strava: Any, clock: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """All wait for the hour, pushed at once or one after another; then one more probe finds the app alive for all."""
    inactive = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
    for activity_id in range(1, 1001):
        strava.answers[f"activities/{activity_id}"] = httpx.Response(403, json=inactive)
    bodies = [envelope(make_event(each), message_id=str(each)) for each in range(1, 1001)]
    answers = await asyncio.gather(*(worker.post("/push", content=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {204}
    assert len(strava.asked) == 1
    clock.advance(3000)
    late = await worker.post("/push", content=bodies[7].replace(b'"deliveryAttempt":1', b'"deliveryAttempt":2'))
    assert (late.headers["retry-after"], len(strava.asked)) == ("600", 1)
    clock.advance(601)
    strava.shows(8)
    await worker.post("/push", content=bodies[7].replace(b'"deliveryAttempt":1', b'"deliveryAttempt":3'))
    assert (len(strava.asked), rows(LEDGER)[-1]["outcome"]) == (2, "stored")


@pytest.mark.slow
async def test_a_fault_of_our_own_loses_nothing(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap, rows: Rows
) -> None:
    """An error that nobody foresaw is 500, so the queue keeps the message, and the ledger names its kind only."""
    strava.answers["activities/101"] = ZeroDivisionError("at Isar 7")
    assert (await worker.post("/push", content=envelope(make_event()))).status_code == 500
    [told] = rows(LEDGER)
    assert told["outcome"] == "deferred"
    assert "ZeroDivisionError" in told["reason"]
    assert "Isar" not in told["reason"]


@pytest.mark.parametrize(
    ("error", "status", "outcome", "retry_after_s"),
    [
        (RateLimited(30), 429, Outcome.DEFERRED, 30),
        (ServerFailed(502), 503, Outcome.DEFERRED, None),
        (TurnedAway(403), 503, Outcome.DEFERRED, None),
        (AccessTokenRefused(1), 503, Outcome.DEFERRED, None),
        (Unreachable("ConnectError"), 503, Outcome.DEFERRED, None),
        (UnreadableAnswer("athlete", "not JSON"), 503, Outcome.DEFERRED, None),
        (RateLimited(1200), 429, Outcome.DEFERRED, 1200),
        (RateLimited(1201), 204, Outcome.DEFERRED, 1201),
        (AppInactive(), 204, Outcome.DEFERRED, 3600),
        (AppRejected(), 204, Outcome.DEFERRED, 3600),
        (AppInactive(7), 503, Outcome.DEFERRED, 7),
        (TokensUnavailable("The tokens cannot be read."), 503, Outcome.DEFERRED, None),
        (WarehouseBusy("locked"), 503, Outcome.DEFERRED, None),
        (TryLater("busy", "later"), 503, Outcome.DEFERRED, None),
        (TryLater("busy", "later", 90), 503, Outcome.DEFERRED, 90),
        (NotConnected(1), 503, Outcome.DEFERRED, None),
        (TokenRejected(1), 204, Outcome.PARKED, None),
        (ScopeMissing("activity:read_all"), 204, Outcome.PARKED, None),
        (BadRequest(418), 204, Outcome.PARKED, None),
    ],
)
def test_the_table(error: Exception, status: int, outcome: Outcome, retry_after_s: float | None) -> None:
    """Each foreseen error has its answer and its wait, and its own sentence is the reason."""
    result = result_of_error(error)
    assert (result.status, result.outcome, result.reason) == (status, outcome, str(error))
    assert result.retry_after_s == retry_after_s


def test_waits_are_for_what_is_tried_again() -> None:
    """What is parked names no wait, however many attempts it took; a fault of ours uses up its attempts."""
    assert result_of_error(BadRequest(418), 50).retry_after_s is None
    assert result_of_error(ZeroDivisionError(), 50).retry_after_s is None
    assert result_of_error(ZeroDivisionError(), 50).status == 500
    assert (result_of_error(RateLimited(30), 50).retry_after_s, result_of_error(RateLimited(30), 50).status) == (
        30,
        204,
    )
