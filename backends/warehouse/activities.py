"""Activities in `raw`, under the last-write-wins rule."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from strava.payload import ActivityPayload


class Source(StrEnum):
    """How an observation came about."""

    WEBHOOK = "webhook"
    RECONCILE = "reconcile"
    BACKFILL = "backfill"
    ARCHIVE = "archive"
    RETENTION = "retention"  # of a tombstone: the payload was older than it may get


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What was seen of one activity at one moment. `activity` None means: it was not there."""

    activity_id: int
    athlete_id: int
    observed_at: datetime
    source: Source
    activity: ActivityPayload | None = None
    event_time: datetime | None = None
    event_id: str | None = None


class Applied(StrEnum):
    """What the last-write-wins rule made of an observation."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    SUPERSEDED = "superseded"  # a newer observation is stored already
    NEEDS_DETAIL = "needs_detail"  # a newer summary disagrees with the stored detail: fetch it again
    PURGED = "purged"  # of an athlete who was purged and has not connected since it was made: nothing is stored


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredActivity:
    """One row of `raw.strava_activities`, without its payload. `seen_alive_at` is None once it is deleted."""

    activity_id: int
    athlete_id: int
    resource_state: int | None
    observed_at: datetime
    is_deleted: bool
    payload_hash: str | None
    seen_alive_at: datetime | None = None
    event_time: datetime | None = None  # of the event that led here, if one did
    source: str = field(default="", compare=False)


class Decision(NamedTuple):
    """What the last-write-wins rule made of one observation, and the row as it stands after it."""

    applied: Applied
    row: StoredActivity


class ActivityStore(Protocol):
    """Activities under the last-write-wins rule."""

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        """Fold the observations in, in one transaction; one answer each, in order. Raises WarehouseBusy."""

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        """Return what is stored of the activities, tombstones included; an unknown id has no entry."""

    async def counts(self, athlete_id: int) -> Mapping[int, int]:
        """Return how many living activities are stored, by `resource_state` (2 summary, 3 detailed)."""

    async def activity_ids(
        self, athlete_id: int, *, resource_state: int | None = None, since: datetime | None = None
    ) -> list[int]:
        """Return the ids of living activities, newest start first, of those that started at `since` or later."""


class Archived(Protocol):
    """What an athlete's own exports tell of."""

    async def archived_ids(self, athlete_id: int) -> set[int]:
        """Return the activities that an export of the athlete tells of. Raises WarehouseBusy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """What got too old and was removed: payloads of activities, and rows of other tables."""

    activities: int
    others: int


class Retention(Protocol):
    """Payloads of Strava's that may not get older than some days."""

    async def expire(self, *, observed_before: datetime, how_many: int) -> Expired:
        """Remove `how_many` at most of what was last seen at Strava before the moment, the oldest activities first.

        An activity becomes a tombstone of the source `retention`, which anything newer lifts. Streams that are older
        than their activity leave a row without a payload, which is due. Raises WarehouseBusy.
        """

    async def reload_expired(self) -> list[int]:
        """Have the whole history listed from the top for each athlete whose payloads expired since it last was.

        What the athlete's own export tells of needs no list.

        A backfill that is under way goes on with its choices after the list, over the whole history; else the history
        is asked for, with the choices of the last request. Who cannot be asked for is left out. Returns the athletes.
        Raises WarehouseBusy.
        """


class StoredPayloads(Archived, Protocol):
    """What activities are stored as, to be compared with what Strava shows."""

    async def payloads(self, activity_ids: Collection[int]) -> Mapping[int, str]:
        """Return what is stored of the living ones among these, word for word."""

    async def least_recently_observed(
        self, athlete_id: int, *, observed_before: datetime, first_since: datetime, how_many: int
    ) -> list[int]:
        """Return living details that were last observed before a moment, `how_many` at most.

        Those that started at or after `first_since` come first, then those whose observation is the oldest.
        """
