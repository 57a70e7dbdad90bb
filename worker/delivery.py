"""One delivery of a message, and the row that it leaves in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Decision, Observation
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery
from runtime.batching import Batcher
from runtime.clock import utc_text
from strava.events import ReceivedEvent
from worker.results import Result, ResultOf, result_of_error

log = structlog.get_logger(__name__)

_MOST_SHOWN = 4_000  # bytes of a message that cannot be read

Recorder = Batcher[LedgerEntry | ObservedDelivery, None]


class Records(Protocol):
    """The part of the ledger that a delivery writes."""

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        """See `EventLedger.record`."""


def recorder_of(ledger: Records) -> Recorder:
    """Return what records together the deliveries that end together."""

    async def record(batch: Sequence[LedgerEntry | ObservedDelivery]) -> Sequence[None]:
        await ledger.record(batch)
        return [None] * len(batch)

    return Batcher(record, shared=WarehouseBusy)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableMessage:
    """A message that is no event, which the ledger counts as an event of its own."""

    event_id: str
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        """Return the beginning of what it held, so that it can be printed: no character of it does anything."""
        text = self.data[:_MOST_SHOWN].decode("utf-8", "backslashreplace")
        plain = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
        return plain if len(self.data) <= _MOST_SHOWN else f"{plain}… ({len(self.data):,} bytes)"


class Delivery:
    """One delivery, and the row that it leaves in the ledger.

    `attempt` is what the row tells, 0 of a replay. `tries` counts the attempts of this message and those of earlier
    ones of the event.
    """

    def __init__(  # noqa: PLR0913 - the facts of one delivery
        self,
        recorder: Recorder,
        clock: Callable[[], datetime],
        delivery_id: str,
        received: ReceivedEvent | UnreadableMessage,
        attempt: int = 1,
        *,
        tries: int = 1,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._delivery_id = delivery_id
        self._received = received
        self._attempt = attempt
        self.tries = tries
        self.recorded: Result | None = None

    async def record(self, observation: Observation, result_of: ResultOf) -> Result:
        """Store the observation and the row: see `Record`."""
        finished_at = self._clock()
        results: list[Result] = []

        def entry_of(decision: Decision) -> LedgerEntry:
            try:
                results.append(result_of(decision))
            except Exception as error:  # noqa: BLE001 - looked up as every other error of a handler
                results.append(result_of_error(error, self.tries))
            return self._entry(results[-1], finished_at)

        await self._recorder(ObservedDelivery(observation, entry_of))
        self.recorded = results[-1]
        return self.recorded

    async def finish(self, result: Result) -> Result:
        """Add the row of a delivery that stored nothing, and return the result, or why the row could not be stored."""
        try:
            await self._recorder(self._entry(result, self._clock()))
        except WarehouseBusy as error:
            log.warning("ledger.busy", delivery_id=self._delivery_id, reason=str(error))
            return result_of_error(error)
        return result

    def _entry(self, result: Result, finished_at: datetime) -> LedgerEntry:
        about, retry_at = self._received, _retry_at(result, finished_at)
        received = about if isinstance(about, ReceivedEvent) else None
        # The row must be added also where an earlier delivery with this attempt's number left one: nobody else brings
        # the event again. Pub/Sub numbers no attempts without a dead-letter policy.
        until = "" if retry_at is None else f"/{utc_text(retry_at)}"
        return LedgerEntry(
            delivery_id=f"{self._delivery_id}{until}",
            event_id=about.event_id,
            event=None if received is None else received.event,
            outcome=result.outcome,
            reason=result.reason,
            reason_kind=result.kind,
            attempt=self._attempt,
            received_at=None if received is None else received.received_at,
            finished_at=finished_at,
            retry_at=retry_at,
            message=str(about) if isinstance(about, UnreadableMessage) else None,
        )


def _retry_at(result: Result, finished_at: datetime) -> datetime | None:
    return finished_at + timedelta(seconds=result.retry_after_s or 0.0) if result.is_off_queue else None
