"""One delivery of a message, and the row that it leaves in the ledger."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Decision, Observation
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery
from runtime.batching import Batcher
from strava.events import ReceivedEvent
from worker.results import Result, ResultOf, result_of_error

log = structlog.get_logger(__name__)

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


class Delivery:
    """One delivery, and the row that it leaves in the ledger. `received` is None when it could not be read."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Callable[[], datetime],
        delivery_id: str,
        received: ReceivedEvent | None = None,
        attempt: int = 1,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._delivery_id = delivery_id
        self._received = received
        self.attempt = attempt
        self.recorded: Result | None = None

    async def record(self, observation: Observation, result_of: ResultOf) -> Result:
        """Store the observation and the row: see `Record`."""
        finished_at = self._clock()
        results: list[Result] = []

        def entry_of(decision: Decision) -> LedgerEntry:
            try:
                results.append(result_of(decision))
            except Exception as error:  # noqa: BLE001 - looked up as every other error of a handler
                results.append(result_of_error(error, self.attempt))
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
        received = self._received
        return LedgerEntry(
            delivery_id=self._delivery_id,
            event_id=None if received is None else received.event_id,
            event=None if received is None else received.event,
            outcome=result.outcome,
            reason=result.reason,
            attempt=self.attempt,
            received_at=None if received is None else received.received_at,
            finished_at=finished_at,
        )
