"""Events that wait for longer than minutes, in the ledger: the queue would give them up in the end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from backends.queue import EventQueue, QueueUnavailable
from backends.warehouse.ledger import EventLedger, LedgerEntry
from backends.warehouse.readings import PipelineReadings
from runtime.clock import utc_now, utc_text
from strava.budget_state import Lane
from strava.events import ReceivedEvent
from worker.periodic import repeat

log = structlog.get_logger(__name__)

REPLAY_LANE = Lane.DETAIL  # a person's wish to look again is no more urgent than the history
DEFERRED_BEFORE = "deferred"  # attribute of a message whose event has waited in the ledger
REPLAYED = "replay"  # attribute of a message that a person asked for
_AT_ONCE = 50
_POLL_S = 15.0
_COMES_WITHIN = timedelta(minutes=15)  # what was published and left no row by then is published once more


class DeferredEvents:
    """Publishes what is due again, found in the ledger, so that a restart forgets nothing.

    Before an event is published, a row says that it is published once more should nothing come of it: a kill in between
    costs minutes, and never the event. No more are published than `room` says that a lane can make calls, so that a
    lapsed app is asked for by one event and not by all. Replays leave head-room for live events that wait. A
    deauthorisation waits for no call: OAuth decides it.
    """

    def __init__(
        self,
        ledger: EventLedger,
        queue: EventQueue,
        room: Callable[[Lane], Awaitable[int]],
        *,
        clock: Callable[[], datetime] = utc_now,
        poll_s: float = _POLL_S,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._room = room
        self._clock = clock
        self._poll_s = poll_s

    async def run(self, stop: asyncio.Event) -> None:
        """Publish what is due until `stop` is set."""
        await repeat(self.publish_due, stop, every_s=self._poll_s, name="deferred_events")

    async def publish_due(self) -> int:
        """Publish what is due, and return how many events that were. Raises WarehouseBusy."""
        now = self._clock()
        due = await self._publishable(now)
        if not due:
            return 0
        await self._ledger.record([_on_its_way(entry, now) for entry in due])
        published = 0
        try:
            for entry in due:
                received = _received(entry)
                told = {DEFERRED_BEFORE: "true"} | ({REPLAYED: "true"} if entry.is_replay else {})
                await self._queue.publish(received.to_message(), received.attributes() | told)
                published += 1
        except QueueUnavailable as error:
            log.warning("deferred_events.waiting", reason=str(error))
        log.info("deferred_events.published", count=published)
        return published

    async def _publishable(self, now: datetime) -> list[LedgerEntry]:
        due = await self._ledger.deferred_events(due_by=now, how_many=_AT_ONCE)
        if not due:
            return []
        of_athletes = await self._ledger.deferred_events(due_by=now, how_many=_AT_ONCE, of_athletes=True)
        due = due[: await self._room(Lane.RECONCILE)]
        if any(entry.is_replay for entry in due):
            for_all = await self._room(REPLAY_LANE)
            due = [entry for place, entry in enumerate(due) if place < for_all or not entry.is_replay]
        first = {entry.event_id for entry in of_athletes}
        return [*of_athletes, *(entry for entry in due if entry.event_id not in first)]


def room_as_read(store: PipelineReadings) -> Callable[[Lane], Awaitable[int]]:
    """Return the room for a program whose own budget knows nothing yet: the budget of who handles the events decides.

    There is one call while Strava refuses the app, as was last read, and else as many as are published at once.
    """

    async def room(_: Lane) -> int:
        reading = await store.reading()
        return _AT_ONCE if reading is None or reading.lapsed_since is None else 1

    return room


def _on_its_way(entry: LedgerEntry, now: datetime) -> LedgerEntry:
    return replace(
        entry,
        delivery_id=f"{entry.event_id}/again/{utc_text(now)}",
        reason="Published again, for its time has come.",
        reason_kind="published_again",
        finished_at=now,
        retry_at=now + _COMES_WITHIN,
    )


def _received(entry: LedgerEntry) -> ReceivedEvent:
    if entry.event is None or entry.received_at is None or entry.event_id is None:
        raise ValueError("a deferred event that could not be read")
    return ReceivedEvent(event=entry.event, received_at=entry.received_at, event_id=entry.event_id)
