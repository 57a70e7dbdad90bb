"""What an import stored, counted so that the parts add up to the rows and files of its archive."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any

from backends.warehouse.own_files import ImportItem
from strava.archive.archive import Archive
from worker.importing.matching import Match
from worker.importing.report import FILE_WORDS, counted, listed, many, not_wanted, row_sentences, what
from worker.importing.running import Imported

KEYS: Mapping[str, str] = {
    "same_upload": "by the upload's number", "same_recording": "by the device that made both",
    "same_name": "by the file's name", "alike": "by start, length and place",
}  # fmt: skip
DETAILS_A_DAY = 750  # of Strava's smallest limit, by the share that a backfill may use
SUSPECTS: Mapping[str, str] = {
    "suspect_time_zone": "alike but for whole quarter hours, and not joined (is a clock wrong?)",
    "overlaps": "at the same time as another activity, and not joined",
}


def stored_sentences(archive: Archive, done: Imported) -> Iterator[str]:
    """Yield the report in lines for a person."""
    yield f"{done.current.source}: {what(archive)}"
    rows = Counter(item.outcome for item in done.items if item.kind == "row")
    if archive.activities:
        told = {item.activity_id for item in done.items if item.kind == "row"}
        yield from row_sentences(archive, [row for row in archive.rows if row.activity_id in told], rows)
    files = [item for item in done.items if item.kind == "file"]
    outcomes = Counter(item.outcome for item in files)
    if archive.files:
        yield f"{many(len(files), 'file')}: {counted({word: outcomes[kind] for kind, word in FILE_WORDS.items()})}"
    if rows["new"]:
        yield _price(rows["new"])
    yield from _matches([(item, link) for item in files if (link := _link(item, done)) is not None])
    yield from _zones(done)
    if done.unlisted:
        yield f"{done.unlisted:,} of earlier exports are not in this one, and stay until Strava says they were deleted"
    if done.left_out:
        yield not_wanted(done.left_out)
    yield f"not looked at: {archive.media:,} media, {many(archive.others, 'other file')}"
    yield from listed("left out or doubtful", [_line(item) for item in done.items if item.kind == "problem"])
    for kind in ("failed", "skipped", "cut_short"):
        yield from listed(FILE_WORDS[kind], [_line(item) for item in files if item.outcome == kind])


def _price(count: int) -> str:
    """Say what Strava's API could add, and what that would cost."""
    days = ceil(count / DETAILS_A_DAY)
    return (
        f"{count:,} known by the export alone: what only Strava's API tells (exact sport, privacy, segments) "
        f"costs {many(count, 'call')}, {many(days, 'day')} of `athlete backfill`"
    )


def _zones(done: Imported) -> Iterator[str]:
    """Say how many activities of the import count by a zone that nothing of them tells, and where it is from."""
    own = {item.activity_id for item in done.items}
    taken = Counter(home for activity_id, home in done.home_zones.items() if activity_id in own)
    if taken:
        zones = {str(home.zone): count for home, count in taken.most_common()}
        is_default = any(home.is_default for home in taken)
        told = "DISPLAY_TIMEZONE, as no activity tells one" if is_default else "the nearest in time"
        yield f"{taken.total():,} without a zone of their own, counted by {told}: {counted(zones)}"


def _matches(links: Sequence[tuple[ImportItem, Match]]) -> Iterator[str]:
    """Yield by which keys recordings were matched that no row names, and which are doubtful."""
    keys = Counter(link.matched_by for _, link in links)
    if keys:
        counts = {"of its own": keys[None], **{f"matched {word}": keys[key] for key, word in KEYS.items()}}
        yield f"{many(len(links), 'recording')} that no row names: {counted(counts)}"
    for key, word in KEYS.items():
        named = [f"{item.name}: activity {link.activity_id}" for item, link in links if link.matched_by == key]
        yield from listed(f"matched {word}", named)
    for suspect, word in SUSPECTS.items():
        named = [f"{item.name}: {link.suspect_twin}" for item, link in links if link.suspect == suspect]
        yield from listed(word, named)


def _link(item: ImportItem, done: Imported) -> Match | None:
    """Return the match of a recording that no row names; what it may be is known only of one of its own."""
    if item.matched_by in KEYS:
        return Match(item.activity_id or 0, item.matched_by, item.twin)
    return done.links.get(item.activity_id or 0) if item.matched_by is None else None


def stored_items(done: Imported) -> Iterator[dict[str, Any]]:
    """Yield one object for the import, each row, each file, and each problem."""
    current = done.current
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
    for item in done.items:
        link = _link(item, done)
        told = {
            name: getattr(item, name) for name in ("name", "activity_id", "outcome", "matched_by", "twin", "reason")
        }
        told |= link._asdict() if link else {}
        yield {"item": str(item.kind), **{name: value for name, value in told.items() if value is not None}}


def _line(item: ImportItem) -> str:
    return f"{item.name}: {item.reason}"
