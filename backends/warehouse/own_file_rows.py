"""How own files and their imports become rows, what is stored of them, and rows become types again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import orjson

from backends.warehouse.athletes import Athlete, AthleteStatus
from backends.warehouse.own_file_tables import ARCHIVE_ACTIVITIES, IMPORT_ITEMS, IMPORTS
from backends.warehouse.own_files import (
    DELETED_SINCE,
    ArchivedActivity,
    FactSource,
    FileRow,
    HomeTime,
    Import,
    ImportItem,
    ImportStatus,
    ItemKind,
    Link,
    MatchFacts,
    Origin,
    RowOutcome,
)
from backends.warehouse.rows import FoundRow, Row, bound, read

LINK = {
    "file_id": "string",
    "activity_id": "int64",
    **dict.fromkeys(("matched_by", "twin", "suspect", "suspect_twin"), "string"),
}
HOME_TIME = {"activity_id": "int64", "file_id": "string", "timezone": "string", "utc_offset_s": "int64"}
_CLOCK = ("timezone", "utc_offset", "sources")  # no row tells them; they are put by `put_home_times`


class Sight(NamedTuple):
    """Whether the API knows an activity, and when it was last seen to be deleted at Strava."""

    is_living: bool
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """What an export that was stored says of an activity: its `row` and `activity` as JSON."""

    import_id: str
    exported_at: datetime
    row: str
    activity: str


UNSEEN = Sight(is_living=False, deleted_at=None)


def sights(found: Sequence[FoundRow], *, archive_follows: bool) -> dict[int, Sight]:
    """Read the rows of `archive_sights.sql`; unless an archive follows deletes, there are none for it."""
    return {
        row["activity_id"]: Sight(bool(row["is_living"]), _moment(row["deleted_at"]) if archive_follows else None)
        for row in found
    }


def contents(found: Sequence[FoundRow]) -> dict[int, Content]:
    """Read the rows of `archive_contents.sql`."""
    return {
        row["activity_id"]: Content(
            row["import_id"], datetime.fromisoformat(row["exported_at"]), row["row"], row["activity"]
        )
        for row in found
    }


def decide_row(given: ArchivedActivity, stored: Content | None, sight: Sight) -> tuple[RowOutcome, bool]:
    """Tell what becomes of a row of an export, and whether it is written."""
    if is_deleted_since(given.exported_at, sight):
        return RowOutcome.SKIPPED, False
    at_first = RowOutcome.SAME_ID if sight.is_living else RowOutcome.NEW
    if stored is None:
        return at_first, True
    if stored.exported_at > given.exported_at:
        return RowOutcome.SAME_ID, False
    if _is_same(stored.row, given.row) and _is_same(stored.activity, given.activity, without=_CLOCK):
        is_of_this_import = stored.import_id == given.import_id  # which ended before it had told so
        return at_first if is_of_this_import else RowOutcome.SAME_ID, stored.exported_at < given.exported_at
    return RowOutcome.UPDATED, True


def decide_rows(
    rows: Sequence[ArchivedActivity],
    import_id: str,
    now: datetime,
    *,
    stored: Mapping[int, Content],
    seen: Mapping[int, Sight],
) -> tuple[list[ArchivedActivity], list[ImportItem]]:
    """Return those rows of an export that are written, and the items of all."""
    decided = [
        (each, *decide_row(each, stored.get(each.activity_id), seen.get(each.activity_id, UNSEEN))) for each in rows
    ]
    written = [each for each, _, is_written in decided if is_written]
    return written, [row_item(each, import_id, outcome, now) for each, outcome, _ in decided]


def is_deleted_since(exported_at: datetime | None, sight: Sight) -> bool:
    """Whether an activity was deleted at Strava after an export that tells of it."""
    return exported_at is not None and sight.deleted_at is not None and sight.deleted_at >= exported_at


def _is_same(stored: str, given: str, without: Collection[str] = ()) -> bool:
    """Whether two JSON texts say the same, but for these keys; an engine may write them otherwise."""
    if stored == given:
        return True
    one, other = orjson.loads(stored), orjson.loads(given)
    for key in without:
        one.pop(key, None)
        other.pop(key, None)
    return bool(one == other)


def row_item(given: ArchivedActivity, import_id: str, outcome: RowOutcome, finished_at: datetime) -> ImportItem:
    """Return the item of a row of an export."""
    is_known = outcome in {RowOutcome.SAME_ID, RowOutcome.UPDATED}
    return ImportItem(
        item_id=f"{import_id}/row/{given.activity_id}",
        import_id=import_id,
        athlete_id=given.athlete_id,
        kind=ItemKind.ROW,
        activity_id=given.activity_id,
        outcome=outcome.value,
        matched_by=RowOutcome.SAME_ID.value if is_known else None,
        twin=str(given.activity_id) if is_known else None,
        reason=DELETED_SINCE if outcome is RowOutcome.SKIPPED else None,
        finished_at=finished_at,
    )


def left_out(files: Sequence[FileRow], seen: Mapping[int, Sight]) -> set[int]:
    """Return the activities of which no recording of an export is stored."""
    return {
        each.activity_id
        for each in files
        if each.origin == Origin.ARCHIVE and is_deleted_since(each.exported_at, seen.get(each.activity_id, UNSEEN))
    }


def skipped(items: Sequence[ImportItem], left: set[int]) -> list[ImportItem]:
    """Return the items, those of files that were left out as such."""
    return [
        replace(each, outcome="skipped", matched_by=None, twin=None, reason=DELETED_SINCE)
        if each.kind is ItemKind.FILE and each.activity_id in left
        else each
        for each in items
    ]


def archive_row(given: ArchivedActivity, ingested_at: datetime | None) -> Row:
    """Return the row of an activity of an export."""
    return bound(ARCHIVE_ACTIVITIES, given, is_deleted=False, ingested_at=ingested_at)


def own_athlete(current: Import) -> Athlete:
    """Return the athlete of an import as one of whom Strava is never asked."""
    return Athlete(
        athlete_id=current.athlete_id,
        scope=frozenset(),
        status=AthleteStatus.ARCHIVE_ONLY,
        updated_at=current.started_at,
    )


def import_row(current: Import) -> Row:
    """Return the row of an import."""
    return bound(IMPORTS, current, status=current.status.value)


def import_of(row: FoundRow) -> Import:
    """Read what `import_row` wrote."""
    fields = read(IMPORTS, row)
    return Import(**{**fields, "status": ImportStatus(fields["status"])})


def item_row(item: ImportItem) -> Row:
    """Return the row of an item."""
    return bound(IMPORT_ITEMS, item, kind=item.kind.value, outcome=str(item.outcome))


def item_of(row: FoundRow) -> ImportItem:
    """Read what `item_row` wrote."""
    fields = read(IMPORT_ITEMS, row)
    return ImportItem(**{**fields, "kind": ItemKind(fields["kind"])})


def link_row(link: Link) -> Row:
    """Return a link's parameters."""
    return {name: getattr(link, name) for name in LINK}


def home_time_row(time: HomeTime) -> Row:
    """Return the parameters of a clock that is taken to be the athlete's usual one."""
    return {name: getattr(time, name) for name in HOME_TIME}


def match_facts(row: FoundRow) -> MatchFacts:
    """Read a row of `match_facts.sql` or `unlinked_files.sql`, whose JSON array `facts` may be as odd as a payload."""
    elapsed, distance, sport_type, point, upload_id, external_id, *clock = orjson.loads(row["facts"])
    timezone, offset, offset_source = clock
    return MatchFacts(
        source=FactSource(row["source"]),
        athlete_id=row["athlete_id"],
        activity_id=row["activity_id"],
        start_at=_moment(row["start_at"]),
        elapsed_time_s=_whole(elapsed) if row["elapsed_time_s"] is None else row["elapsed_time_s"],
        distance_m=_number(distance),
        sport_type=_text(sport_type),
        first_point=_point(point),
        upload_id=_whole(upload_id),
        external_id=_text(external_id),
        timezone=_text(timezone),
        utc_offset_s=_whole(offset),
        utc_offset_source=_text(offset_source),
        file_id=row["file_id"],
        own_activity_id=row["own_activity_id"],
        name=row["name"],
        device_key=row["device_key"],
        matched_by=row["matched_by"],
        twin=row["twin"],
        suspect=row["suspect"],
        suspect_twin=row["suspect_twin"],
    )


def _number(value: object) -> float | None:
    """Return a number as such; what Strava sends is no promise."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None if (number := _number(value)) is None else round(number)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _point(value: object) -> tuple[float, float] | None:
    match value:
        case [int() | float() as latitude, int() | float() as longitude]:
            return float(latitude), float(longitude)
    return None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
