"""What a batch of deliveries makes of the rows, worked out on what an engine read; the engine writes it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backends.warehouse import last_write_wins
from backends.warehouse.activities import Applied, Decision, Observation, StoredActivity
from backends.warehouse.fence import Fence
from backends.warehouse.last_write_wins import Decisions, Disagree
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome

Batch = Sequence[LedgerEntry | ObservedDelivery]
_UNSETTLED = frozenset({Outcome.DEFERRED, Outcome.PARKED})
_PURGED = "It is of an athlete whose data was removed; nothing was kept."


def observed(batch: Batch) -> list[Observation]:
    """Return the observations of a batch, in order."""
    return [each.observation for each in batch if isinstance(each, ObservedDelivery)]


def athlete_ids(batch: Batch) -> set[int]:
    """Return the athletes that a batch tells of."""
    events = [each.event for each in batch if isinstance(each, LedgerEntry) and each.event is not None]
    return {seen.athlete_id for seen in observed(batch)} | {event.owner_id for event in events}


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the rule made of observations: what to write, and one decision for each of them, in order."""

    changes: Decisions
    decisions: list[Decision]

    @property
    def deleted(self) -> list[int]:
        """The activities that are deleted by it."""
        return [activity_id for activity_id, seen in self.changes.winners.items() if seen.activity is None]

    @property
    def gone_at(self) -> dict[int, datetime]:
        """When the activities that are deleted by it, or still are by what was seen, were last seen to be so."""
        seen = (row for applied, row in self.decisions if applied in {Applied.DELETED, Applied.UNCHANGED})
        rows = {each.activity_id: self.changes.rows[each.activity_id] for each in seen}
        return {activity_id: row.observed_at for activity_id, row in rows.items() if row.is_deleted}


def let_in(observations: Iterable[Observation], fence: Fence) -> list[Observation]:
    """Return those that the fence does not hold back."""
    return [seen for seen in observations if not fence.holds_back(seen.athlete_id, seen.observed_at)]


def decide(
    observations: Sequence[Observation],
    stored: Mapping[int, StoredActivity],
    disagree: Disagree,
    *,
    fence: Fence,
    now: datetime,
) -> Outcomes:
    """Apply the last-write-wins rule to what the fence lets in; see `last_write_wins.apply`."""
    changes = last_write_wins.apply(stored, let_in(observations, fence), disagree, now=now)
    answers = iter(changes.answers)
    decisions = [
        _held_back(seen) if fence.holds_back(seen.athlete_id, seen.observed_at) else next(answers)
        for seen in observations
    ]
    return Outcomes(changes, decisions)


def entries(batch: Batch, decisions: Iterable[Decision], fence: Fence) -> list[LedgerEntry]:
    """Return the ledger rows of a batch. Of an athlete who was purged a row tells only that there was an event."""
    remaining = iter(decisions)
    return [_entry(each, remaining, fence) for each in batch]


def settled(rows: Iterable[LedgerEntry]) -> list[str | None]:
    """Return the events that no longer wait for anything."""
    return [entry.event_id for entry in rows if entry.outcome not in _UNSETTLED]


def _entry(given: LedgerEntry | ObservedDelivery, decisions: Iterator[Decision], fence: Fence) -> LedgerEntry:
    if isinstance(given, ObservedDelivery):
        seen, decision = given.observation, next(decisions)
        is_held_back = fence.holds_back(seen.athlete_id, seen.observed_at)
        entry = given.entry_of(_held_back(seen) if is_held_back else decision)
    else:
        entry, seen_at = given, given.received_at or given.finished_at
        is_held_back = entry.event is not None and fence.holds_back(entry.event.owner_id, seen_at)
    if not is_held_back:
        return entry
    reason = entry.reason if entry.outcome is Outcome.PURGED else _PURGED
    nameless = replace(entry, event_id=entry.delivery_id, event=None, message=None, retry_at=None)
    return replace(nameless, outcome=Outcome.PURGED, reason=reason, reason_kind=None)


def _held_back(seen: Observation) -> Decision:
    nothing = StoredActivity(
        activity_id=seen.activity_id,
        athlete_id=seen.athlete_id,
        resource_state=None,
        observed_at=seen.observed_at,
        is_deleted=True,
        payload_hash=None,
    )
    return Decision(Applied.PURGED, nothing)
