"""Events of another subscription: ignored, with a row and a line that say what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from backends.warehouse.activities import Observation
from backends.warehouse.ledger import Outcome
from strava.events import ReceivedEvent
from worker.main import build
from worker.results import Record, Result, ResultOf
from worker.settings import WorkerSettings
from worker.subscription_check import SubscriptionCheck

Event = Callable[..., ReceivedEvent]
REASON = (
    "The event's subscription is 120, STRAVA_SUBSCRIPTION_ID says 119: "
    "set it to 120 and start again, or delete the other subscription at Strava."
)
STORED = Result(outcome=Outcome.STORED, reason="Stored.")


@dataclass
class FakeRouter:
    """Stores everything, and keeps what it was given."""

    taken: list[ReceivedEvent] = field(default_factory=list)

    async def __call__(self, received: ReceivedEvent, _: Record) -> Result:
        self.taken.append(received)
        return STORED


async def record(_: Observation, __: ResultOf) -> Result:
    """Store nothing, for nothing is observed."""
    raise AssertionError("nothing was observed")


async def test_an_event_of_another_subscription_says_what_to_do(make_event: Event) -> None:
    """It is ignored, not ingested; reason and log name both ids and the setting; a flood costs one line a second."""
    router = FakeRouter()
    check = SubscriptionCheck(router, 119)
    with capture_logs() as logs:
        results = [await check(make_event(subscription_id=120), record) for _ in range(3)]
    assert {result.outcome for result in results} == {Outcome.IGNORED}
    assert {result.reason for result in results} == {REASON}
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("event.other_subscription", "warning", REASON)
    ]
    assert router.taken == []


@pytest.mark.parametrize("configured", [None, 120])
async def test_events_of_the_own_subscription_are_taken(make_event: Event, configured: int | None) -> None:
    """With the id configured its own events, without one the events of every subscription."""
    router = FakeRouter()
    event = make_event(subscription_id=120)
    assert await SubscriptionCheck(router, configured)(event, record) is STORED
    assert router.taken == [event]


async def test_a_person_finds_it_in_the_ledger(
    tmp_path: Path, make_event: Event, envelope: Callable[..., bytes], rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    """The program as its settings put it together takes the event off the queue and leaves a row with the sentence."""
    app = build(WorkerSettings(data_dir=tmp_path, push_token=SecretStr("word"), strava_subscription_id=119))
    headers = {"authorization": "Bearer word", "content-type": "application/json"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test") as client,
    ):
        answer = await client.post("/push", content=envelope(make_event(subscription_id=120)), headers=headers)
    assert answer.status_code == 204
    assert rows("select outcome, reason from strava_events") == [{"outcome": "ignored", "reason": REASON}]
