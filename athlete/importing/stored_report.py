"""What an import stored, counted so that the parts add up to the rows and files of its archive."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from athlete.importing.report import counted, listed, many, what
from backends.warehouse.own_files import Import, ImportItem
from strava.archive.archive import Archive

ROWS: Mapping[str, str] = {
    "new": "new", "updated": "changed", "same_id": "known before", "skipped": "deleted at Strava since",
    "unreadable": "unreadable",
}  # fmt: skip
FILES: Mapping[str, str] = {
    "read": "read", "cut_short": "cut short (kept to the break)", "same_file": "stored before",
    "skipped": "of no activity", "failed": "failed",
}  # fmt: skip
KEYS: Mapping[str, str] = {
    "same_upload": "by the upload's number", "same_recording": "by the device that made both",
    "same_name": "by the file's name", "alike": "by start, length and place",
}  # fmt: skip
DETAILS_A_DAY = 1000  # Strava's smallest limit of reads


def stored_sentences(archive: Archive, current: Import, items: Sequence[ImportItem], *, left_out: int) -> Iterator[str]:
    """Yield the report in lines for a person. `left_out` counts the rows and files that were not wanted."""
    yield f"{current.source}: {what(archive)}"
    rows = Counter(item.outcome for item in items if item.kind == "row")
    rows["unreadable"] = archive.activities.unreadable_rows if archive.activities else 0
    if archive.activities:
        yield f"{many(rows.total(), 'row')}: {counted({word: rows[kind] for kind, word in ROWS.items()})}"
    files = [item for item in items if item.kind == "file"]
    outcomes = Counter(item.outcome for item in files)
    if archive.files:
        yield f"{many(len(files), 'file')}: {counted({word: outcomes[kind] for kind, word in FILES.items()})}"
    keys = Counter(item.matched_by for item in files if item.matched_by and item.matched_by != "row")
    if keys:
        yield f"of an activity that was known: {counted({word: keys[kind] for kind, word in KEYS.items()})}"
    if left_out:
        yield f"{left_out:,} rows and files were not wanted (--since, --only)"
    yield f"not looked at: {archive.media:,} media, {many(archive.others, 'other file')}"
    yield from listed("left out or doubtful", [_line(item) for item in items if item.kind == "problem"])
    for kind in ("failed", "skipped", "cut_short"):
        yield from listed(FILES[kind], [_line(item) for item in files if item.outcome == kind])


def stored_items(current: Import, items: Sequence[ImportItem]) -> Iterator[dict[str, Any]]:
    """Yield one object for the import, each row, each file, and each problem."""
    yield {
        "item": "import",
        "import_id": current.import_id,
        "athlete_id": current.athlete_id,
        "name": current.source,
        "status": current.status,
        "language": current.language,
        "exported_at": current.exported_at and current.exported_at.isoformat(),
        "rows": current.row_count,
        "files": current.file_count,
        "media": current.media_count,
        "others": current.other_count,
    }
    for item in items:
        told = {
            name: getattr(item, name) for name in ("name", "activity_id", "outcome", "matched_by", "twin", "reason")
        }
        yield {"item": str(item.kind), **{name: value for name, value in told.items() if value is not None}}


def _line(item: ImportItem) -> str:
    return f"{item.name}: {item.reason}"
