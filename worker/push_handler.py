"""From a push to a ledger row: nothing that the queue delivers goes by without one."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

import structlog

from backends.queue.envelope import PushEnvelope, UnreadableEnvelope
from backends.warehouse import WarehouseBusy
from backends.warehouse.athletes import AthleteStore
from backends.warehouse.ledger import EventLedger, Outcome
from runtime.clock import utc_now
from runtime.logs import logged_object
from strava.events import ReceivedEvent, UnreadableEvent
from worker.deferred_events import DEFERRED_BEFORE
from worker.delivery import Delivery, recorder_of
from worker.parked_events import has_connected_since
from worker.results import SHORT_RETRY_ATTEMPTS, Record, Result, TryLater, result_of_error

log = structlog.get_logger(__name__)

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
            received = ReceivedEvent.from_push(envelope.data)
        except UnreadableEnvelope as error:
            return await self._delivery(_foreign_id(body)).finish(result_of_error(error))
        except UnreadableEvent as error:
            unreadable = self._delivery(_delivery_id(envelope, None), None, envelope.delivery_attempt)
            return await unreadable.finish(result_of_error(error))
        named = logged_object(received.event.object_type, received.event.object_id)
        structlog.contextvars.bind_contextvars(event_id=received.event_id, **named)
        delivery = Delivery(
            self._recorder,
            self._clock,
            _delivery_id(envelope, received),
            received,
            envelope.delivery_attempt,
            tried_before=SHORT_RETRY_ATTEMPTS if DEFERRED_BEFORE in envelope.attributes else 0,
        )
        result = await self._handled(received, delivery)
        _log_result(received, result, began)
        if delivery.recorded is None:
            result = await delivery.finish(result)
        if result.outcome is Outcome.PARKED:
            return await self._unless_connected(received, result, began_at)
        return result

    async def record_dead_letter(self, body: bytes) -> Result:
        """Record a message that the queue gave up on; it stays with the queue for a replay."""
        try:
            envelope = PushEnvelope.from_json(body)
        except UnreadableEnvelope as error:
            return await self._delivery(_foreign_id(body)).finish(result_of_error(error))
        received = _read_or_none(envelope.data)
        attempts = _attempts(envelope)
        result = Result(
            outcome=Outcome.PARKED,
            reason=f"Gave up after {attempts} attempts; the last rows of this event say why.",
        )
        log.error("event.dead", event_id=received and received.event_id, attempts=attempts)
        return await self._delivery(_delivery_id(envelope, received, "dead"), received, attempts).finish(result)

    def _delivery(self, delivery_id: str, received: ReceivedEvent | None = None, attempt: int = 1) -> Delivery:
        return Delivery(self._recorder, self._clock, delivery_id, received, attempt)

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
        return result_of_error(TryLater("The athlete connected while the event was parked; it is tried again."))


def _delivery_id(envelope: PushEnvelope, received: ReceivedEvent | None, suffix: str = "") -> str:
    event_id = "unreadable" if received is None else received.event_id
    return f"{event_id}/{envelope.message_id}/{suffix or envelope.delivery_attempt}"


def _foreign_id(body: bytes) -> str:
    return f"unreadable/{hashlib.sha256(body).hexdigest()[:32]}"


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
