"""From a push to a ledger row: no event that the queue delivers goes by without one."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import structlog

from backends.queue.envelope import PROBE, PushEnvelope, UnreadableEnvelope
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import AthleteStore
from backends.warehouse.ledger import DEAD, EventLedger, LedgerFilter, Outcome
from runtime.clock import utc_now
from runtime.logs import logged_object
from strava.events import ReceivedEvent, UnreadableEvent
from worker.deferred_events import DEFERRED_BEFORE, REPLAYED
from worker.delivery import Delivery, UnreadableMessage, recorder_of
from worker.parked_events import has_connected_since
from worker.results import ACKNOWLEDGED, SHORT_RETRY_ATTEMPTS, Record, Result, TryLater, result_of_error

log = structlog.get_logger(__name__)

_PROBE_SEEN = Result(outcome=Outcome.IGNORED, reason="A health check of the service sent it; it is no event.")
UNREADABLE = "unreadable"  # begins the id of what is no event
_LONGEST_COUNT = 18  # digits, so that it fits 64 bits

EventHandler = Callable[[ReceivedEvent, Record], Awaitable[Result]]


class DeliveryStore(EventLedger, AthleteStore, Protocol):
    """The part of `raw` that a delivery needs."""


class PushHandler:
    """Reads what the queue pushes, has it handled, writes the ledger, and says how to answer."""

    def __init__(
        self, handle_event: EventHandler, store: DeliveryStore, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._handle = handle_event
        self._store = store
        self._recorder = recorder_of(store)
        self._clock = clock

    async def handle(self, body: bytes) -> Result:
        """Finish one push."""
        began_at, began = self._clock(), time.perf_counter()
        try:
            envelope = PushEnvelope.from_json(body)
            if PROBE in envelope.attributes:
                return _PROBE_SEEN
            received = ReceivedEvent.from_push(envelope.data)
        except UnreadableEnvelope as error:
            return await self._foreign(body).finish(result_of_error(error))
        except UnreadableEvent as error:
            return await self._delivery(envelope, _unreadable(envelope)).finish(result_of_error(error))
        named = logged_object(received.event.object_type, received.event.object_id)
        structlog.contextvars.bind_contextvars(event_id=received.event_id, **named)
        delivery = self._delivery(envelope, received)
        result = await self._handled(received, delivery)
        _log_result(received, result, began)
        if delivery.recorded is None:
            result = await delivery.finish(result)
        if result.outcome is Outcome.PARKED:
            return await self._unless_connected(received, result, began_at)
        return result

    async def record_dead_letter(self, body: bytes) -> Result:
        """Record a message that the queue gave up on, and why; it stays with the queue until its event is settled."""
        try:
            envelope = PushEnvelope.from_json(body)
        except UnreadableEnvelope as error:
            return await self._foreign(body).finish(result_of_error(error))
        if PROBE in envelope.attributes:
            return _PROBE_SEEN
        received = _read_or_none(envelope.data)
        about, attempts = received or _unreadable(envelope), _attempts(envelope)
        log.error("event.dead", event_id=about.event_id, attempts=attempts)
        try:
            ended, kind = await self._last_end(about.event_id)
        except WarehouseBusy as error:
            return result_of_error(error)
        told = _told_attempt(envelope, attempts)
        dead = Delivery(self._recorder, self._clock, _delivery_id(envelope, about, DEAD), about, told)
        result = await dead.finish(
            Result(outcome=Outcome.PARKED, reason=f"Gave up after {attempts} attempts. {ended}", kind=kind)
        )
        if received is None or result.outcome is not Outcome.PARKED:
            return result
        # Attempts before the connect prove nothing, and connecting did not see this row: the sweep takes the event up.
        retried = await self._unless_connected(received, result, envelope.publish_time)
        if retried is result:
            return result
        again = Delivery(self._recorder, self._clock, _delivery_id(envelope, about, "again"), about, told)
        return await again.finish(replace(retried, status=ACKNOWLEDGED, retry_after_s=0.0))

    async def _last_end(self, event_id: str) -> tuple[str, str | None]:
        """Say how the last attempt ended, and the word for it. Raises WarehouseBusy."""
        rows = await self._store.recent(LedgerFilter(event_id=event_id), limit=1)
        if not rows:
            return "The worker finished none of them.", "never_finished"
        return f"The last one ended so: {rows[0].reason}", rows[0].reason_kind

    def _delivery(self, envelope: PushEnvelope, about: ReceivedEvent | UnreadableMessage) -> Delivery:
        attempt = envelope.delivery_attempt
        return Delivery(
            self._recorder,
            self._clock,
            _delivery_id(envelope, about),
            about,
            _told_attempt(envelope, attempt),
            tries=attempt + (SHORT_RETRY_ATTEMPTS if DEFERRED_BEFORE in envelope.attributes else 0),
        )

    def _foreign(self, body: bytes) -> Delivery:
        """Return the delivery of a body that is no push: one row, however often it comes."""
        name = f"{UNREADABLE}/{hashlib.sha256(body).hexdigest()[:32]}"
        return Delivery(self._recorder, self._clock, name, UnreadableMessage(event_id=name, data=body))

    async def _handled(self, received: ReceivedEvent, delivery: Delivery) -> Result:
        try:
            return await self._handle(received, delivery.record)
        except Exception as error:  # the one place where the worker survives every error
            result = result_of_error(error, delivery.tries)
            if result.status is HTTPStatus.INTERNAL_SERVER_ERROR:
                log.exception("event.fault")
            return result

    async def _unless_connected(self, received: ReceivedEvent, parked: Result, began_at: datetime) -> Result:
        """Have a parked event come again if its athlete connected before its row could be read."""
        try:
            if not await has_connected_since(self._store, received.event.owner_id, began_at):
                return parked
        except WarehouseBusy as error:
            return result_of_error(error)
        log.info("event.retried", reason="its athlete connected meanwhile")
        return result_of_error(
            TryLater("connected_meanwhile", "The athlete connected while the event was parked; it is tried again.")
        )


def _delivery_id(envelope: PushEnvelope, about: ReceivedEvent | UnreadableMessage, suffix: str = "") -> str:
    whole = about.event_id if isinstance(about, UnreadableMessage) else f"{about.event_id}/{envelope.message_id}"
    return f"{whole}/{suffix or envelope.delivery_attempt}"


def _told_attempt(envelope: PushEnvelope, attempt: int) -> int:
    """Return the attempt as the ledger tells it: a replay stays one, however often it is tried and put off."""
    return 0 if REPLAYED in envelope.attributes else attempt


def _unreadable(envelope: PushEnvelope) -> UnreadableMessage:
    return UnreadableMessage(event_id=f"{UNREADABLE}/{envelope.message_id}", data=envelope.data)


def _read_or_none(data: bytes) -> ReceivedEvent | None:
    try:
        return ReceivedEvent.from_push(data)
    except UnreadableEvent:
        return None


def _attempts(envelope: PushEnvelope) -> int:
    """Read how often the queue tried: https://cloud.google.com/pubsub/docs/dead-letter-topics."""
    count = envelope.attributes.get("CloudPubSubDeadLetterSourceDeliveryCount", "")
    return int(count) if count.isdecimal() and len(count) <= _LONGEST_COUNT else envelope.delivery_attempt


def _log_result(received: ReceivedEvent, result: Result, began: float) -> None:
    say = log.warning if result.outcome in {Outcome.PARKED, Outcome.DEFERRED} else log.info
    say(
        f"{received.event.object_type}.{result.outcome}",
        aspect_type=received.event.aspect_type,
        reason=result.reason,
        duration_ms=round((time.perf_counter() - began) * 1000, 1),
    )
