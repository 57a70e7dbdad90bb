"""What every ledger must do beyond keeping rows: find them, settle them by hand, and forget the old ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from backends.warehouse import RawStore
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from strava.events import StravaEvent
from tests.contracts.conftest import NOON, HandClock

ANNA, BEN = 9_100_001, 9_100_002


def row(
    delivery_id: str,
    outcome: Outcome = Outcome.STORED,
    *,
    athlete_id: int = ANNA,
    event_time: datetime = NOON,
    **fields: Any,
) -> LedgerEntry:
    """A row about the event that `delivery_id` begins with."""
    event_id = delivery_id.split("/", 1)[0]
    event = StravaEvent(
        object_type="activity",
        aspect_type="create",
        object_id=1,
        owner_id=athlete_id,
        subscription_id=5,
        event_time=event_time,
        updates={},
    )
    told = LedgerEntry(
        delivery_id=delivery_id,
        event_id=event_id,
        event=event,
        outcome=outcome,
        reason="because",
        attempt=1,
        received_at=NOON,
        finished_at=NOON,
    )
    return replace(told, **fields)


async def ids(store: RawStore, **wanted: Any) -> list[str]:
    """Return the deliveries that a filter lets through, newest first."""
    return [entry.delivery_id for entry in await store.recent(LedgerFilter(**wanted), limit=99)]


async def test_rows_are_found_by_event_time_and_newest(store: RawStore) -> None:
    """An event by its id, a span without its end, the newest row alone, and what is dead."""
    later = NOON + timedelta(hours=1)
    await store.record(
        [
            row("ab1/7/1", Outcome.DEFERRED),
            row("ab1/7/dead", Outcome.PARKED),
            row("ab2/8/dead", Outcome.PARKED),
            row("ab2/9/1", finished_at=later),
        ]
    )
    assert await ids(store, event_id="ab1") == ["ab1/7/dead", "ab1/7/1"]
    assert await ids(store, event_id="ab") == []
    assert await ids(store, since=NOON, until=later) == ["ab2/8/dead", "ab1/7/dead", "ab1/7/1"]
    assert await ids(store, is_newest=True) == ["ab2/9/1", "ab1/7/dead"]
    assert await ids(store, is_newest=True, is_dead=True) == ["ab1/7/dead"]


async def test_replays_come_after_every_live_event(store: RawStore) -> None:
    """However long they have been due; and one that is asked for twice comes once."""
    late = NOON + timedelta(minutes=9)
    await store.record([row(f"old/{name}", Outcome.DEFERRED, attempt=0, retry_at=NOON) for name in ("r1", "r2")])
    await store.record([row("live/1", Outcome.DEFERRED, retry_at=late)])
    found = await store.deferred_events(due_by=late, how_many=9)
    assert [(entry.delivery_id, entry.is_replay) for entry in found] == [("live/1", False), ("old/r2", True)]
    assert await store.deferred_events(due_by=late, how_many=1) == found[:1]
    await store.record([row("old/2"), row("live/2", Outcome.IGNORED)])
    assert await store.deferred_events(due_by=None, how_many=9) == []


async def test_what_is_dismissed_is_settled_and_forgets_its_message(store: RawStore) -> None:
    """The row of a message that could not be read stays; what it held does not."""
    unread = row("unreadable1/9/1", Outcome.PARKED, event=None, received_at=None, message="?")
    await store.record([unread])
    assert await store.recent(LedgerFilter(), limit=9) == [unread]
    dismissed = replace(unread, delivery_id="unreadable1/gone", outcome=Outcome.IGNORED, attempt=0, message=None)
    for _ in range(2):
        await store.dismiss(dismissed)
    assert await store.recent(LedgerFilter(), limit=9) == [dismissed, replace(unread, message=None)]
    assert await ids(store, is_newest=True, outcome=Outcome.PARKED) == []


async def test_pruning_keeps_what_somebody_still_needs(store: RawStore, clock: HandClock) -> None:
    """Settled events go with all their rows; what waits, what is parked, and each athlete's last event stay."""
    await store.record(
        [
            row("settled/1", Outcome.PARKED),
            row("settled/2"),
            row("parked/1", Outcome.PARKED),
            row("dead/1/dead", Outcome.PARKED),
            row("queued/1", Outcome.DEFERRED),
            row("waits/1", Outcome.DEFERRED, retry_at=NOON + timedelta(days=9_999)),
            row("unread/1", Outcome.PARKED, event=None, received_at=None, message="?"),
            row("dismissed/1", Outcome.PARKED, event=None, received_at=None),
            row("dismissed/2", Outcome.IGNORED, event=None, received_at=None),
            row("again/1", Outcome.PARKED),
            row("ben/1", athlete_id=BEN),
            *(row(f"old{number}/1") for number in range(1_200)),
        ]
    )
    clock.now = datetime.now(UTC) + timedelta(days=1)  # rows have the stamps of the store's clock, or of BigQuery's
    await store.record(
        [row("again/2", finished_at=clock.now), row("last/1", event_time=clock.now, finished_at=clock.now)]
    )
    watermark = await store.watermark()
    assert await store.prune_events(NOON) == 0
    assert await store.prune_events(clock.now) == 2 + 2 + 1_200
    assert await store.prune_events(clock.now) == 0
    kept = await ids(store)
    assert kept == ["last/1", "again/2", "ben/1", "again/1", "unread/1", "waits/1", "queued/1", "dead/1/dead",
                    "parked/1"]  # fmt: skip
    assert await store.watermark() == watermark
    [waiting] = await store.deferred_events(due_by=None, how_many=9)
    assert waiting.delivery_id == "waits/1"
