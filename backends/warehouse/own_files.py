"""What an athlete's own files say: Strava's export, recordings, and the imports that brought them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

DELETED_SINCE = "deleted at Strava after the export"


class ImportStatus(StrEnum):
    """How far an import is."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class ItemKind(StrEnum):
    """What an item of an import is: a row of the list of activities, a file, or an entry that is neither."""

    ROW = "row"
    FILE = "file"
    PROBLEM = "problem"


class RowOutcome(StrEnum):
    """What became of a row of the list of activities."""

    NEW = "new"
    SAME_ID = "same_id"  # the activity is known by the API, or from an export that says the same or is newer
    UPDATED = "updated"
    SKIPPED = "skipped"
    UNREADABLE = "unreadable"


class Origin(StrEnum):
    """Where a file came from."""

    ARCHIVE = "archive"  # Strava's export
    OWN = "own"


class FactSource(StrEnum):
    """Who tells of what is compared."""

    API = "api"
    ARCHIVE = "archive"
    FILE = "file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One row of `raw.imports`. `source` is a name without its path, `fingerprint` tells its content from others."""

    import_id: str
    athlete_id: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    status: ImportStatus
    source: str
    fingerprint: str
    exported_at: datetime | None = None
    language: str | None = None
    row_count: int = 0
    file_count: int = 0
    media_count: int = 0
    other_count: int = 0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportItem:
    """What became of one row, file or other entry of an import."""

    item_id: str
    import_id: str
    athlete_id: int
    kind: ItemKind
    name: str | None = None
    activity_id: int | None = None
    outcome: str
    matched_by: str | None = None
    twin: str | None = None
    reason: str | None = None
    finished_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedActivity:
    """An activity that an export lists. `row` is JSON, a list of header and value; `activity` too, in the API's words.

    `exported_at` is when Strava wrote the export.
    """

    activity_id: int
    athlete_id: int
    import_id: str
    exported_at: datetime
    language: str | None
    start_at: datetime | None
    row: str
    activity: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRow:
    """One recorded session of a file. `activity` and `streams` are JSON in the words of Strava's API.

    `activity_id` is `own_activity_id` as long as no activity is known that it is of.
    """

    file_id: str
    athlete_id: int
    sha256: str
    session: int
    import_id: str
    name: str
    origin: str
    kind: str
    is_truncated: bool
    device_key: str | None
    activity_id: int
    own_activity_id: int
    matched_by: str | None = None
    twin: str | None = None
    suspect: str | None = None
    suspect_twin: str | None = None
    exported_at: datetime | None
    start_at: datetime
    elapsed_time_s: int
    activity: str
    streams: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchFacts:
    """What an activity of the API or of an export, or a recording, is compared by; what is not known is None.

    `first_point` is a latitude and a longitude, `timezone` as Strava writes it; `utc_offset_source` is of own files
    alone, and `athlete` where the clock was put by `put_home_times`. `file_id` and what follows it are of a recording:
    how it is linked now.
    """

    source: FactSource
    athlete_id: int
    activity_id: int
    start_at: datetime | None
    elapsed_time_s: int | None
    distance_m: float | None
    sport_type: str | None
    first_point: tuple[float, float] | None
    upload_id: int | None = None
    external_id: str | None = None
    timezone: str | None = None
    utc_offset_s: int | None = None
    utc_offset_source: str | None = None
    file_id: str | None = None
    own_activity_id: int | None = None
    name: str | None = None
    device_key: str | None = None
    matched_by: str | None = None
    twin: str | None = None
    suspect: str | None = None
    suspect_twin: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """The activity that a recording is of, by which key and twin; or what it may be of, and is not linked with."""

    file_id: str
    activity_id: int
    matched_by: str | None = None
    twin: str | None = None
    suspect: str | None = None
    suspect_twin: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HomeTime:
    """The clock of an export's activity, or of a recording, by the athlete's usual zone, as Strava writes it."""

    activity_id: int
    file_id: str | None = None
    timezone: str
    utc_offset_s: int


class OwnFiles(Protocol):
    """Own files and their imports. All methods raise WarehouseBusy.

    An import that a purge has overtaken stores nothing more: `put_import` tells so.
    """

    async def put_import(self, current: Import) -> bool:
        """Add it or put it in the place of its earlier state; False where its athlete was purged since it started.

        An athlete who is not known becomes known by it, with the status `archive_only`: Strava is not asked for them.
        """

    async def imports(self, athlete_id: int | None = None) -> list[Import]:
        """Return the imports, of all or of one athlete, the one that started last first."""

    async def last_import(self, fingerprint: str) -> Import | None:
        """Return the import of this content that started last."""

    async def import_items(self, import_id: str) -> list[ImportItem]:
        """Return what became of an import's entries so far, in the order of their keys."""

    async def put_archive_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Store rows of an import's list, 500 at most, together with their items, which are returned in order.

        The newest export's row stays; one that says the same is not written. What was deleted at Strava after the
        export is not stored, and its item is `skipped`. An item that is there already stays.
        """

    async def foresee_rows(self, rows: Sequence[ArchivedActivity], import_id: str) -> list[ImportItem]:
        """Return the items that `put_archive_rows` would store of these rows if the import was known; store nothing."""

    async def put_files(self, files: Sequence[FileRow], items: Sequence[ImportItem]) -> list[ImportItem]:
        """Store recordings of an import, each in the place of its earlier row, with their items, which are returned.

        A recording of an activity that was deleted at Strava after the export is not stored, and its item is `skipped`.
        An item that is there already stays.
        """

    async def file_only_count(self, athlete_id: int) -> int:
        """Return how many activities own files alone tell of, which Strava's list is not compared with.

        What the API told of until that got too old is not among them.
        """

    async def known_files(self, sha256s: Collection[str]) -> set[str]:
        """Return those of which a recording is stored."""

    async def match_facts(
        self, athlete_id: int, since: datetime | None = None, until: datetime | None = None
    ) -> list[MatchFacts]:
        """Return the athlete's activities and recordings that began in the period, or whose start is not known.

        An activity that the API and an export tell of comes twice.
        """

    async def unlinked_files(self) -> list[MatchFacts]:
        """Return the recordings that may have to be linked otherwise, of all athletes.

        These are those of an activity that is gone, and of those without an activity of Strava's the ones near which
        one has come or changed since.
        """

    async def relink(self, links: Sequence[Link]) -> int:
        """Link recordings as is said; return how many there were. What is deleted stays so."""

    async def put_home_times(self, times: Sequence[HomeTime]) -> int:
        """Note the clocks of the athlete's usual zone, marked as such; return how many there were.

        One without a `file_id` is of the row of an export. What is deleted stays so.
        """
