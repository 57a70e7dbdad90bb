"""Strava's recorded answers, and everything that may go wrong, through the whole worker."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.tokens import TokensUnavailable
from backends.warehouse import Outcome
from strava.errors import (
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
from worker.verdicts import verdict_on

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]
Rows = Callable[[str], list[dict[str, Any]]]
Recorded = Callable[[str], httpx.Response]

LEDGER = "select outcome, reason from strava_events order by ingested_at"
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
        ("error_429", 429, "deferred", "rate limit is used up"),
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


async def test_a_spent_budget_says_when_to_come_again(
    worker: httpx.AsyncClient, strava: Any, recorded: Recorded, make_event: Event, envelope: Wrap
) -> None:
    """The recorded 429 has used up the day: at noon, the seconds to midnight UTC."""
    strava.answers[f"activities/{MARATHON}"] = recorded("error_429")
    answer = await worker.post("/push", content=envelope(make_event(MARATHON)))
    assert answer.headers["retry-after"] == "43200"


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
    clock.advance(42_000)
    early = await worker.post("/push", content=other)
    assert (early.status_code, early.headers["retry-after"]) == (429, "1200")
    assert strava.asked == ["activities/101"]
    clock.advance(1200)
    assert (await worker.post("/push", content=envelope(make_event(102), message_id="2", attempt=2))).status_code == 204
    assert [row["outcome"] for row in rows(LEDGER)] == ["deferred", "deferred", "stored"]


async def test_a_lapsed_app_is_asked_for_again_in_an_hour(
    worker: httpx.AsyncClient, strava: Any, make_event: Event, envelope: Wrap
) -> None:
    """Nobody but its owner can end it, so the event comes again in an hour."""
    inactive = {"message": "Forbidden", "errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
    strava.answers["activities/101"] = httpx.Response(403, json=inactive)
    answer = await worker.post("/push", content=envelope(make_event()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3600")


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
    assert "is damaged; restore it" in told["reason"]


@pytest.mark.parametrize(
    ("answer", "status", "outcome"),
    [
        (httpx.Response(500), 503, "deferred"),
        (httpx.Response(403, text="<html>Access denied</html>"), 503, "deferred"),
        (httpx.Response(408), 503, "deferred"),
        (httpx.Response(200, text="<html>maintenance</html>"), 503, "deferred"),
        (httpx.Response(200, json={"id": 101}), 503, "deferred"),
        (httpx.ConnectError("refused"), 503, "deferred"),
        (httpx.ReadTimeout("slow"), 503, "deferred"),
        (httpx.Response(400, json={"message": "Bad Request"}), 204, "parked"),
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
    assert (await worker.post("/push", content=envelope(make_event()))).status_code == status
    assert [row["outcome"] for row in rows(LEDGER)] == [outcome]


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
    ("error", "status", "outcome"),
    [
        (RateLimited(30), 429, Outcome.DEFERRED),
        (ServerFailed(502), 503, Outcome.DEFERRED),
        (TurnedAway(403), 503, Outcome.DEFERRED),
        (Unreachable("ConnectError"), 503, Outcome.DEFERRED),
        (UnreadableAnswer("athlete", "not JSON"), 503, Outcome.DEFERRED),
        (AppInactive(), 503, Outcome.DEFERRED),
        (AppRejected(), 503, Outcome.DEFERRED),
        (TokensUnavailable("The tokens cannot be read."), 503, Outcome.DEFERRED),
        (TokenRejected(1), 204, Outcome.PARKED),
        (NotConnected(1), 204, Outcome.PARKED),
        (ScopeMissing("activity:read_all"), 204, Outcome.PARKED),
        (BadRequest(418), 204, Outcome.PARKED),
    ],
)
def test_the_table(error: Exception, status: int, outcome: Outcome) -> None:
    """Each foreseen error has its answer, and its own sentence is the reason."""
    verdict = verdict_on(error)
    assert (verdict.status, verdict.outcome, verdict.reason) == (status, outcome, str(error))
