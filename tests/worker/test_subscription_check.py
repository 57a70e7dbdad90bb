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
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.subscriptions import KnownSubscription
from strava.events import ReceivedEvent
from worker.main import build
from worker.results import Record, Result, ResultOf
from worker.settings import WorkerSettings
from worker.subscription_check import SubscriptionCheck

Event = Callable[..., ReceivedEvent]
Rows = Callable[[str], list[dict[str, Any]]]
FOREIGN = (
    "The event's subscription is 120, this pipeline's is 119: if Strava has 120 now (`athlete subscription show`), "
    "`athlete subscription create` adopts it, without a restart."
)
OVERRIDDEN = (
    "The event's subscription is 120, but STRAVA_SUBSCRIPTION_ID admits 119 alone: remove that setting, start again, "
    "and run `athlete subscription create`, which finds the id itself."
)
STORED = Result(outcome=Outcome.STORED, reason="Stored.")


async def take(received: ReceivedEvent, _: Record) -> Result:
    """Take every event."""
    return STORED


async def record(_: Observation, __: ResultOf) -> Result:
    """Store nothing, for nothing is observed."""
    raise AssertionError("nothing was observed")


@dataclass
class CountedStore:
    """The real store, and how often it was read."""

    store: SqliteRawStore
    reads: int = field(default=0)

    async def subscriptions(self) -> list[KnownSubscription]:
        self.reads += 1
        return await self.store.subscriptions()

    async def set_subscription(self, subscription_id: int | None) -> None:
        await self.store.set_subscription(subscription_id)


@pytest.fixture
def outcome_of(store: SqliteRawStore, make_event: Event) -> Callable[[int], Any]:
    """Tells how an event of a subscription ends, with one check for the whole test."""
    check = SubscriptionCheck(take, store)

    async def outcome(subscription_id: int) -> Outcome:
        return (await check(make_event(subscription_id=subscription_id), record)).outcome

    return outcome


async def test_an_event_of_another_subscription_says_what_to_do(store: SqliteRawStore, make_event: Event) -> None:
    """It is ignored; reason and log name both ids and the command; a flood costs one line a second."""
    await store.set_subscription(119)
    check = SubscriptionCheck(take, store)
    with capture_logs() as logs:
        results = [await check(make_event(subscription_id=120), record) for _ in range(3)]
    assert {(result.outcome, result.reason) for result in results} == {(Outcome.IGNORED, FOREIGN)}
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("event.other_subscription", "warning", FOREIGN)
    ]


async def test_a_subscription_made_meanwhile_counts_at_once(
    store: SqliteRawStore, outcome_of: Callable[[int], Any]
) -> None:
    """Nothing is remembered: all are taken. Then the remembered one's alone, and a new one's without a restart."""
    assert await outcome_of(120) is Outcome.STORED
    await store.set_subscription(119)
    assert (await outcome_of(119), await outcome_of(120)) == (Outcome.STORED, Outcome.IGNORED)
    await store.set_subscription(120)
    assert await outcome_of(120) is Outcome.STORED


async def test_events_of_the_subscription_before_are_still_taken(
    store: SqliteRawStore, outcome_of: Callable[[int], Any]
) -> None:
    """What was queued when it was replaced is the athlete's nevertheless; a stranger's event is not."""
    await store.set_subscription(119)
    await store.set_subscription(120)
    assert [await outcome_of(each) for each in (119, 120, 121)] == [Outcome.STORED, Outcome.STORED, Outcome.IGNORED]


async def test_after_a_delete_every_event_is_taken_again(
    store: SqliteRawStore, outcome_of: Callable[[int], Any]
) -> None:
    """With no subscription of its own it cannot tell which one is foreign."""
    await store.set_subscription(119)
    assert await outcome_of(120) is Outcome.IGNORED
    await store.set_subscription(None)
    assert await outcome_of(120) is Outcome.STORED


async def test_events_of_a_known_subscription_cost_no_read(store: SqliteRawStore, make_event: Event) -> None:
    """The first event looks; those after it do not."""
    await store.set_subscription(119)
    counted = CountedStore(store)
    check = SubscriptionCheck(take, counted)
    for _ in range(5):
        assert await check(make_event(subscription_id=119), record) is STORED
    assert counted.reads == 1


@pytest.mark.slow
async def test_the_setting_overrides_what_is_remembered(store: SqliteRawStore, make_event: Event) -> None:
    """With it that subscription's events alone are taken, and the reason of all others names the setting."""
    await store.set_subscription(120)
    check = SubscriptionCheck(take, store, 119)
    assert await check(make_event(subscription_id=119), record) is STORED
    assert await check(make_event(subscription_id=120), record) == Result(outcome=Outcome.IGNORED, reason=OVERRIDDEN)


@pytest.mark.parametrize(("override", "reason"), [(None, FOREIGN), (119, OVERRIDDEN)])
async def test_a_person_finds_it_in_the_ledger(
    store: SqliteRawStore,
    tmp_path: Path,
    make_event: Event,
    envelope: Callable[..., bytes],
    rows: Rows,
    override: int | None,
    reason: str,
) -> None:
    """The program as its settings put it together takes the event off the queue and leaves a row with the sentence."""
    await store.set_subscription(119)
    app = build(WorkerSettings(data_dir=tmp_path, push_token=SecretStr("word"), strava_subscription_id=override))
    headers = {"authorization": "Bearer word", "content-type": "application/json"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test") as client,
    ):
        answer = await client.post("/push", content=envelope(make_event(subscription_id=120)), headers=headers)
    assert answer.status_code == 204
    assert rows("select outcome, reason from strava_events") == [{"outcome": "ignored", "reason": reason}]
