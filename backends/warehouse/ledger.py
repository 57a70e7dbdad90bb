"""The ledger: what became of every event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from backends.warehouse.activities import Decision, Observation
from strava.events import ReceivedEvent, StravaEvent


class Outcome(StrEnum):
    """How one delivery of an event ended, as the ledger tells it."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    DEFERRED = "deferred"
    PARKED = "parked"
    IGNORED = "ignored"
    PURGED = "purged"


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry:
    """One row of `raw.strava_events`: an event, a delivery of it and its outcome.

    `delivery_id` is the key: writing the same delivery twice is success and leaves one row.
    `event` is None when the message could not be read. `retry_at` is when a deferred event that is off the queue is
    published again.
    """

    delivery_id: str
    event_id: str | None
    event: StravaEvent | None
    outcome: Outcome
    reason: str
    attempt: int
    received_at: datetime | None
    finished_at: datetime
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ObservedDelivery:
    """A delivery that led to an observation. `entry_of` is told what the rule made of it and returns the ledger row.

    It is called where the store decides, perhaps in another thread and more than once; it must neither fail nor wait.
    """

    observation: Observation
    entry_of: Callable[[Decision], LedgerEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerFilter:
    """Which rows of the ledger are wanted; what is None lets every row through. `since` is about `finished_at`."""

    athlete_id: int | None = None
    activity_id: int | None = None
    outcome: Outcome | None = None
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DueLook:
    """A living activity that is due for a second look, and the event that first brought it."""

    activity_id: int
    athlete_id: int
    event_id: str


class EventLedger(Protocol):
    """What became of every event."""

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        """Store the observations by the last-write-wins rule and the ledger rows of all, durable together.

        A `delivery_id` that is there already keeps its row. Raises WarehouseBusy; then nothing of the batch is stored.
        """

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first; of their events' updates the texts are lost."""

    async def parked_events(self, athlete_id: int) -> list[ReceivedEvent]:
        """Return the athlete's events that were parked last, oldest first; of their updates the texts are lost."""

    async def deferred_events(self, *, due_by: datetime | None, how_many: int) -> list[LedgerEntry]:
        """Return the newest row of each event that waits off the queue, due first; of updates the texts are lost.

        With `due_by` only those whose `retry_at` has come by then, and those that were written in the future.
        """

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since then.

        Only creates of the last `within` count, and only connected athletes; oldest first, `how_many` at most.
        """
