"""What was found in an archive, counted so that the parts add up to the rows and files that it has."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from backends.warehouse.own_files import RowOutcome
from strava.archive.archive import Archive
from strava.archive.columns import NO_FILE_AT_STRAVA
from strava.archive.row import ArchiveRow
from worker.importing.outcomes import FileOutcome, FileResult

MOST_LINES = 20  # of one kind; --json has all
FAR_S = 60.0
CROPPED_S = 5.0


class RowKind(StrEnum):
    """What a record of the list names as its recording."""

    WITH_FILE = "with_file"
    FILE_MISSING = "file_missing"  # named, and not in the archive
    WITHOUT_FILE = "without_file"  # typed in
    FILE_LOST = "file_lost"  # Strava could not export it
    UNREADABLE = "unreadable"


ROW_WORDS: Mapping[RowKind, str] = {
    RowKind.WITH_FILE: "with a file", RowKind.FILE_MISSING: "whose file is not here",
    RowKind.WITHOUT_FILE: "without a file", RowKind.FILE_LOST: "whose file Strava has lost",
    RowKind.UNREADABLE: "unreadable",
}  # fmt: skip
WITHOUT_RECORDING = (RowKind.FILE_MISSING, RowKind.WITHOUT_FILE, RowKind.FILE_LOST)
ROWS: Mapping[str, str] = {
    RowOutcome.NEW: "new", RowOutcome.UPDATED: "changed", RowOutcome.SAME_ID: "known before",
    RowOutcome.SKIPPED: "deleted at Strava since", RowOutcome.UNREADABLE: "unreadable",
}  # fmt: skip
FILE_WORDS: Mapping[str, str] = {
    FileOutcome.READ: "read", FileOutcome.CUT_SHORT: "cut short (kept to the break)",
    FileOutcome.SAME_FILE: "stored before", FileOutcome.SKIPPED: "of no activity", FileOutcome.FAILED: "failed",
}  # fmt: skip


def count_rows(archive: Archive, rows: Sequence[ArchiveRow]) -> Mapping[RowKind, int]:
    """Return how many of these rows there are of each kind, and how many records are none."""
    counts = Counter(_kind(archive, row) for row in rows)
    counts[RowKind.UNREADABLE] = archive.activities.unreadable_rows if archive.activities else 0
    return {kind: counts[kind] for kind in RowKind}


def _kind(archive: Archive, row: ArchiveRow) -> RowKind:
    if row.file_name is None:
        return RowKind.WITHOUT_FILE
    if row.file_name == NO_FILE_AT_STRAVA:
        return RowKind.FILE_LOST
    return RowKind.WITH_FILE if archive.file_of(row) else RowKind.FILE_MISSING


def row_sentences(archive: Archive, rows: Sequence[ArchiveRow], outcomes: Mapping[str, int]) -> Iterator[str]:
    """Say what becomes of the rows, and of how many there is no recording and why."""
    counts = {word: outcomes.get(key, 0) for key, word in ROWS.items()}
    yield f"{many(sum(counts.values()), 'row')}: {counted(counts)}"
    kinds = count_rows(archive, rows)
    if bare := sum(kinds[kind] for kind in WITHOUT_RECORDING):
        why = counted({ROW_WORDS[kind]: kinds[kind] for kind in WITHOUT_RECORDING})
        yield f"{many(bare, 'row')} without a recording: {why}"


def sentences(
    name: str, archive: Archive, rows: Sequence[ArchiveRow], results: Sequence[FileResult], foreseen: Mapping[int, str]
) -> Iterator[str]:
    """Yield the report in lines for a person: `rows` are those that are wanted, and `results` of the files that are.

    `foreseen` is what would become of the rows, by activity.
    """
    yield f"{name}: {what(archive)}"
    if archive.activities:
        row_outcomes = Counter(foreseen[row.activity_id] for row in rows)
        row_outcomes[RowOutcome.UNREADABLE] = archive.activities.unreadable_rows
        yield from row_sentences(archive, rows, row_outcomes)
        undated = sum(row.start is None and archive.file_of(row) is not None for row in rows)
        if undated:
            yield f"{many(undated, 'date')} of rows with a file cannot be read; the file tells it"
    files = Counter(result.outcome for result in results)
    if archive.files:
        outcomes = counted({FILE_WORDS[kind]: files[kind] for kind in FileOutcome})
        yield f"{many(len(results), 'file')}: {outcomes}"
    far = sum(abs(result.seconds_off or 0) > FAR_S for result in results)
    if far:
        yield f"{many(far, 'file')} with a start more than a minute from what the row says"
    cropped = sum((result.seconds_more or 0) > CROPPED_S for result in results)
    if cropped:
        yield f"{many(cropped, 'file')} longer than the activity, which was cropped at Strava"
    if left := len(archive.rows) + len(archive.files) - len(rows) - len(results):
        yield not_wanted(left)
    yield f"not looked at: {archive.media:,} media, {many(archive.others, 'other file')}"
    problems = [f"{problem.name}: {problem.reason}" for problem in archive.problems]
    yield from listed("left out or doubtful", problems)
    for kind in (FileOutcome.FAILED, FileOutcome.SKIPPED, FileOutcome.CUT_SHORT):
        named = [f"{result.name}: {result.reason}" for result in results if result.outcome is kind]
        yield from listed(FILE_WORDS[kind], named)


def items(
    name: str, archive: Archive, rows: Sequence[ArchiveRow], results: Sequence[FileResult], foreseen: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yield one object for the archive, each row and file that is wanted, and each problem."""
    yield {
        "item": "archive",
        "name": name,
        "athlete_id": archive.athlete_id,
        "language": archive.language,
        "exported_at": archive.exported_at and archive.exported_at.isoformat(),
        "columns": len(archive.activities.columns.header) if archive.activities else None,
        "rows": dict(count_rows(archive, rows)) if archive.activities else None,
        "files": {kind.value: sum(result.outcome is kind for result in results) for kind in FileOutcome},
        "media": archive.media,
        "others": archive.others,
    }
    for row in rows:
        activity = row.activity
        told = {key: activity.get(key) for key in ("start_date", "sport_type", "upload_id", "gear_id")}
        yield {"item": "row", "activity_id": row.activity_id, "file": archive.file_of(row), **told} | {
            "outcome": foreseen[row.activity_id]
        }
    for result in results:
        yield {"item": "file", **asdict(result)}
    for problem in archive.problems:
        yield {"item": "problem", "name": problem.name, "reason": problem.reason}


def what(archive: Archive) -> str:
    """Say what kind of archive it is."""
    if not archive.activities:
        return "recordings without a list of activities"
    columns = len(archive.activities.columns.header)
    whose = f" of athlete {archive.athlete_id}" if archive.athlete_id else ""
    written = f", written {archive.exported_at:%Y-%m-%d %H:%M} UTC" if archive.exported_at else ""
    language = f"in {archive.language}" if archive.language else "in a language that is not known"
    return f"an export from Strava{whose}{written}, {language}, of {columns} columns"


def not_wanted(count: int) -> str:
    """Say how many were left out by a person's wish."""
    return f"{count:,} rows and files were not wanted (--since, --only)"


def no_such_sport(name: str, archive: Archive, missing: Collection[str], *, is_all: bool) -> str:
    """Say of which sports the list has no activity, and which it has; `is_all` if there was nothing else to import."""
    if not missing:
        return ""
    sports = Counter(str(row.activity.get("sport_type") or row.sport_label) for row in archive.rows)
    sports.pop("", None)
    others = "and none whose sport can be read."
    if sports:
        has = counted(dict(sports.most_common()))
        others = f"but {has}: give --only a sport as it is written here, or leave it out."
    return f"{name} lists no activity of the sport {' or '.join(missing)}, {others}{' Nothing was stored.' * is_all}"


def many(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def counted(counts: Mapping[str, int]) -> str:
    """Return what there is any of, with the numbers."""
    shown = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    return " · ".join(shown) or "none"


def listed(heading: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield lines under a heading, if there are any, and how many more there are."""
    if lines:
        yield f"{heading}:"
        yield from (f"  {line}" for line in lines[:MOST_LINES])
        if len(lines) > MOST_LINES:
            yield f"  … and {len(lines) - MOST_LINES:,} more, which --json lists"
