"""The last-write-wins rule: events arrive late, twice and in any order, and `raw` must end in Strava's own state.

The newest observation wins. At the same moment a tombstone beats a detail, a detail beats a summary, and the greater
hash decides between two of a kind, so that the outcome never depends on which came first. One exception: a summary
never replaces a living detail, it can only ask for that detail to be fetched again. It still shows that the
activity exists: a tombstone must be as new as the last one, `seen_alive_at`.

A tombstone of what only got too old is no word of Strava's, so a delete replaces it.

A row that is dated in the future, because a clock was set back since, proves nothing: any observation replaces it.

`event_time`, `event_id` and `source` of a row tell what brought its present content; seeing the same content again
moves only `observed_at` and `seen_alive_at`, because a reader of the warehouse then has nothing to do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from backends.warehouse.activities import Applied, Decision, Observation, Source, StoredActivity
from strava.payload import DETAILED, ActivityPayload

CLOCK_SKEW = timedelta(seconds=60)  # as far as two clocks may differ: two workers', or Strava's and ours

_SUMMARY_KIND, _DETAIL_KIND, _TOMBSTONE_KIND = range(3)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Disagree = Callable[[ActivityPayload, ActivityPayload | None], bool]


def decide(stored: StoredActivity | None, seen: Observation, is_outdated: Callable[[ActivityPayload], bool]) -> Applied:
    """Tell what the observation makes of the row; STORED and DELETED mean that it replaces the row.

    `is_outdated` is asked only for a summary newer than a living detail: does that detail have to be fetched again?
    """
    activity = seen.activity
    if stored is not None:
        if _content(activity) == _stored_content(stored) and not _is_expired(stored):
            return Applied.UNCHANGED
        if activity is not None and not activity.is_detailed and is_living_detail(stored):
            is_newer = seen.observed_at > stored.observed_at
            return Applied.NEEDS_DETAIL if is_newer and is_outdated(activity) else Applied.UNCHANGED
        if _is_outdone(seen, stored):
            return Applied.SUPERSEDED
    return Applied.DELETED if activity is None else Applied.STORED


@dataclass(slots=True)
class Decisions:
    """What a batch made of the rows that it touched: one decision for each observation, and what is to be written.

    `winners` are the observations that replace their rows, the latest change last; `moved` are the rows whose
    `observed_at` or `seen_alive_at` is new.
    """

    rows: dict[int, StoredActivity]
    answers: list[Decision] = field(default_factory=list)
    winners: dict[int, Observation] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)

    def add(self, seen: Observation, disagree: Disagree) -> None:
        """Fold one more observation in."""
        stored, winner = self.rows.get(seen.activity_id), self.winners.get(seen.activity_id)
        answer = decide(stored, seen, lambda summary: disagree(summary, winner.activity if winner else None))
        if stored is None or answer in {Applied.STORED, Applied.DELETED}:
            self.winners.pop(seen.activity_id, None)
            self.winners[seen.activity_id] = seen
            self.rows[seen.activity_id] = _alive_until(_row(seen), stored)
        elif (row := _seen_again(stored, seen)) != stored:
            self.moved.add(seen.activity_id)
            self.rows[seen.activity_id] = row
        self.answers.append(Decision(answer, self.rows[seen.activity_id]))


def apply(
    stored: Mapping[int, StoredActivity], observations: Iterable[Observation], disagree: Disagree, *, now: datetime
) -> Decisions:
    """Fold the observations, in order, into the rows that are stored; `now` is by the store's clock.

    `disagree(summary, newer)` compares a summary with the activity's living detail: with `newer`, which this batch
    brings, or with the stored payload when that is None.
    """
    decisions = Decisions({activity_id: _without_future(row, now) for activity_id, row in stored.items()})
    for observation in observations:
        decisions.add(observation, disagree)
    return decisions


def _without_future(row: StoredActivity, now: datetime) -> StoredActivity:
    latest = now + CLOCK_SKEW
    if row.observed_at > latest:
        row = replace(row, observed_at=_LONG_AGO)
    if row.seen_alive_at is not None and row.seen_alive_at > latest:
        row = replace(row, seen_alive_at=_LONG_AGO)
    return row


def _content(activity: ActivityPayload | None) -> str | None:
    return None if activity is None else activity.payload_hash


def _stored_content(stored: StoredActivity) -> str | None:
    return None if stored.is_deleted else stored.payload_hash


def _is_expired(stored: StoredActivity) -> bool:
    """Whether the row is no word of Strava's: the activity may be there, and a delete is news."""
    return stored.is_deleted and stored.source == Source.RETENTION


def is_living_detail(stored: StoredActivity) -> bool:
    """Whether the row is of an activity that is there, in detail."""
    return not stored.is_deleted and stored.resource_state == DETAILED


def _is_outdone(seen: Observation, stored: StoredActivity) -> bool:
    if seen.activity is None and stored.seen_alive_at is not None and seen.observed_at < stored.seen_alive_at:
        return True
    return _rank(_row(seen)) < _rank(stored)


def _seen_again(stored: StoredActivity, seen: Observation) -> StoredActivity:
    """Return the row with the times that an observation moves which leaves its content as it is."""
    if _content(seen.activity) == _stored_content(stored):
        stored = replace(stored, observed_at=max(stored.observed_at, seen.observed_at))
    return stored if seen.activity is None else _alive_until(stored, _row(seen))


def _alive_until(row: StoredActivity, other: StoredActivity | None) -> StoredActivity:
    """Return the row, if it is a living one, as alive until the later of two sights."""
    if row.is_deleted or other is None or other.seen_alive_at is None:
        return row
    return replace(row, seen_alive_at=max(row.seen_alive_at or row.observed_at, other.seen_alive_at))


def _rank(row: StoredActivity) -> tuple[datetime, int, str]:
    if row.is_deleted:
        return row.observed_at, _TOMBSTONE_KIND, ""
    kind = _DETAIL_KIND if row.resource_state == DETAILED else _SUMMARY_KIND
    return row.observed_at, kind, row.payload_hash or ""


def _row(seen: Observation) -> StoredActivity:
    activity = seen.activity
    return StoredActivity(
        activity_id=seen.activity_id,
        athlete_id=seen.athlete_id,
        resource_state=None if activity is None else activity.resource_state,
        observed_at=seen.observed_at,
        is_deleted=activity is None,
        seen_alive_at=None if activity is None else seen.observed_at,
        payload_hash=None if activity is None else activity.payload_hash,
        event_time=seen.event_time,
        source=seen.source,
    )
