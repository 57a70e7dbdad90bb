"""The warehouse ports: `raw` for whoever writes what Strava said, `mart` for whoever shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from strava.events import ReceivedEvent, StravaEvent
from strava.payload import ActivityPayload


class WarehouseBusy(Exception):
    """The warehouse cannot take or give rows just now; the same call may pass later."""


class MartMissing(Exception):
    """No mart was published yet: the first transform has not finished."""


class MartDamaged(MartMissing):
    """The published marts cannot be read; the next transform publishes them again."""


class QueryFailed(Exception):
    """The engine refused a query; the sentence is the engine's reason."""


class Source(StrEnum):
    """How an observation came about."""

    WEBHOOK = "webhook"
    RECONCILE = "reconcile"
    BACKFILL = "backfill"
    ARCHIVE = "archive"


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
    `event` is None when the message could not be read.
    """

    delivery_id: str
    event_id: str | None
    event: StravaEvent | None
    outcome: Outcome
    reason: str
    attempt: int
    received_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Athlete:
    """One row of `raw.strava_athletes`: no name, no e-mail. `status`: connected | revoked | purged."""

    athlete_id: int
    scope: frozenset[str]
    status: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestionState:
    """How far an athlete's history is vouched for; written only after the rows it vouches for.

    `complete_as_of`: all that Strava listed at that moment is stored. A listing that was cut short began at
    `listing_began_at` and goes on with what started before `backfill_cursor`.
    """

    athlete_id: int
    complete_as_of: datetime | None
    listing_began_at: datetime | None
    backfill_cursor: datetime | None
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeReceipt:
    """What a purge removed: counts by table and a keyed hash of the athlete id, no personal data."""

    purge_id: str
    athlete_hash: str
    purged_at: datetime
    removed: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformRun:
    """One row of `raw.transform_runs`. `watermark` is `RawStore.watermark()` read before the run began."""

    run_id: str
    watermark: str
    started_at: datetime
    finished_at: datetime
    published_at: datetime | None
    is_full_refresh: bool
    error: str | None


class ActivityStore(Protocol):
    """Activities under the last-write-wins rule."""

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        """Fold the observations in, in one transaction; one answer each, in order. Raises WarehouseBusy."""

    async def activity(self, activity_id: int) -> StoredActivity | None:
        """Return what is stored of the activity, a tombstone included."""

    async def counts(self, athlete_id: int) -> Mapping[int, int]:
        """Return how many living activities are stored, by `resource_state` (2 summary, 3 detailed)."""

    async def activity_ids(self, athlete_id: int, *, resource_state: int | None = None) -> list[int]:
        """Return the ids of living activities, newest start first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueLook:
    """A living activity that is due for a second look, and the event that first brought it."""

    activity_id: int
    athlete_id: int
    event_id: str


class EventLedger(Protocol):
    """What became of every event."""

    async def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Add rows; a `delivery_id` already there is left as it is. Raises WarehouseBusy."""

    async def parked_events(self, athlete_id: int) -> list[ReceivedEvent]:
        """Return the athlete's events that were parked last, oldest first; of their updates the texts are lost."""

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since then.

        Only creates of the last `within` count, and only connected athletes; oldest first, `how_many` at most.
        """


class AthleteStore(Protocol):
    """Who is connected, how far their history is vouched for, and forgetting them."""

    async def athletes(self) -> list[Athlete]:
        """Return every athlete ever connected and not purged."""

    async def put_athlete(self, athlete: Athlete) -> None:
        """Add or replace one athlete."""

    async def purge(self, athlete_id: int) -> PurgeReceipt:
        """Remove every row of the athlete from `raw` and its queued work, and keep the receipt."""


class IngestionStates(Protocol):
    """Watermarks and cursors."""

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""

    async def put_ingestion_state(self, state: IngestionState) -> None:
        """Replace the athlete's state."""


class TransformRuns(Protocol):
    """What the transforms must catch up with, and when they did."""

    async def watermark(self) -> str:
        """Return a text that changes whenever activities, ledger, athletes or purges changed."""

    async def last_run(self) -> TransformRun | None:
        """Return the newest run that was published."""

    async def put_run(self, run: TransformRun) -> None:
        """Add one run."""

    async def last_purge(self) -> datetime | None:
        """Return when an athlete was last purged: what was built before must be built anew."""

    async def last_removal(self) -> datetime | None:
        """Return the stamp of the newest deletion or purge: what was built before may still hold what it removed."""


class WriteProbe(Protocol):
    """Whether the store could take rows now."""

    async def probe(self) -> None:
        """Write something durable that changes nothing. Raises WarehouseBusy."""


class RawStore(ActivityStore, EventLedger, AthleteStore, IngestionStates, TransformRuns, WriteProbe, Protocol):
    """All of `raw`."""

    async def close(self) -> None:
        """Finish what is in flight and release the resources."""


class MartReader(Protocol):
    """Reads the published marts; safe to call from several threads."""

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, object]]:
        """Run one query (positional `?` parameters) on the newest snapshot.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """

    def close(self) -> None:
        """Release the snapshot."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A query's column names, and its rows as they are fetched; fetching may raise what asking raises."""

    columns: list[str]
    rows: Iterator[tuple[object, ...]]


class SqlConsole(Protocol):
    """All of the warehouse to look at, for a person at the command line: raw, staging and mart, read-only."""

    def query(self, sql: str) -> QueryResult:
        """Run one statement. Raises MartMissing, WarehouseBusy, QueryFailed."""

    def close(self) -> None:
        """Release what was opened."""
