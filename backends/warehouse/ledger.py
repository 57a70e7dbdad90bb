"""The ledger: what became of every event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from backends.warehouse.activities import Decision, Observation
from runtime.clock import utc_text
from strava.events import StravaEvent

DEAD = "dead"  # how the `delivery_id` of a dead letter ends
_TAKEN_UP = "/taken-up/"  # in the `delivery_id` of what was parked; `deferred_events.sql` knows it too
_WHY_TAKEN_UP = "Strava can be asked in the athlete's name again, so it is taken up."
_AT_ONCE = 500  # rows; what the worker records meanwhile waits for no more


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
    `event` is None when the message could not be read; then `message` is what it held, fit to be printed.
    `reason_kind` is the word for the reason of what is deferred or parked, by which the pages translate it.
    `retry_at` is when a deferred event that is off the queue is published again. `attempt` is 0 in a row that a person
    asked for, by dismissal or replay, and in every later row of that replay: it waits until no live event is due, and
    how long it took is not measured.
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
    message: str | None = None
    reason_kind: str | None = None

    @property
    def is_replay(self) -> bool:
        """Whether it waits because a person asked for it."""
        return self.outcome is Outcome.DEFERRED and self.attempt == 0

    @property
    def is_taken_up(self) -> bool:
        """Whether it was parked and waits for a call since: so many may do so that some wait for long."""
        return self.outcome is Outcome.DEFERRED and _TAKEN_UP in self.delivery_id


@dataclass(frozen=True, slots=True)
class ObservedDelivery:
    """A delivery that led to an observation. `entry_of` is told what the rule made of it and returns the ledger row.

    It is called where the store decides, perhaps in another thread and more than once; it must neither fail nor wait.
    """

    observation: Observation
    entry_of: Callable[[Decision], LedgerEntry]


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerFilter:
    """Which rows of the ledger are wanted; what is None lets every row through.

    `since` (inclusive) and `until` (exclusive) are about `finished_at`. `is_newest` wants only the newest row of each
    event, `is_dead` only those of dead letters.
    """

    event_id: str | None = None
    athlete_id: int | None = None
    activity_id: int | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_newest: bool = False
    is_dead: bool = False


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

        A `delivery_id` that is there already keeps its row. A dead letter whose event is settled leaves the queue.
        Raises WarehouseBusy; then nothing of the batch is stored.
        """

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first; of their events' updates the texts are lost."""

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        """Return the newest rows of the athlete's parked events, oldest first; of updates the texts are lost."""

    async def deferred_events(
        self, *, due_by: datetime | None, how_many: int, of_athletes: bool = False
    ) -> list[LedgerEntry]:
        """Return the newest row of each event that waits off the queue; of updates the texts are lost.

        What is due first comes first, what was parked after that, and replays after all others; `of_athletes` leaves
        out those of activities.
        With `due_by` only those whose `retry_at` has come by then, and those that were written in the future.
        """

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since then.

        Only creates of the last `within` count, and only connected athletes; oldest first, `how_many` at most.
        """


class LedgerUpkeep(Protocol):
    """What a person or the daily job does with rows that are there already."""

    async def dismiss(self, entry: LedgerEntry) -> None:
        """Add a row that settles its event, and forget what its message held. Raises WarehouseBusy."""

    async def prune_events(self, before: datetime) -> int:
        """Remove the rows of events that were settled before a moment, and return how many that were.

        What is parked or deferred stays, and of each athlete the newest event, so that no mart changes by it. It goes
        in steps, between which others write. Raises WarehouseBusy; then a part may be removed.
        """


async def take_up_parked(ledger: EventLedger, athlete_id: int, now: datetime) -> int:
    """Have the athlete's parked events wait off the queue until now, and return how many. Raises WarehouseBusy.

    So they come again oldest first and as many at a time as calls can be made, as all that waits.
    """
    waiting = [
        replace(
            parked,
            delivery_id=f"{parked.event_id}{_TAKEN_UP}{utc_text(now)}",
            outcome=Outcome.DEFERRED,
            reason=_WHY_TAKEN_UP,
            reason_kind="taken_up",
            attempt=min(parked.attempt, 1),  # a replay stays one
            finished_at=now,
            retry_at=now,
            message=None,
        )
        for parked in await ledger.parked_events(athlete_id)
    ]
    for first in range(0, len(waiting), _AT_ONCE):
        await ledger.record(waiting[first : first + _AT_ONCE])
    return len(waiting)
