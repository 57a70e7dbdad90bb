"""An athlete's own files, opened: the list of activities, the recordings by name, the gear, and what was left out.

https://support.strava.com/hc/en-us/articles/216918437-Exporting-your-Data-and-Bulk-Export
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

from runtime.clock import utc_now
from strava.archive.columns import NO_FILE_AT_STRAVA, Columns, find_columns
from strava.archive.container import (
    ODD_NAME,
    Container,
    FileContainer,
    FolderContainer,
    Limits,
    Problem,
    ZipContainer,
    shown,
)
from strava.archive.gear import ArchiveGear, GearKind, gear_ids, read_gear
from strava.archive.members import ACTIVITIES, BIKES, PROFILE, SHOES, Chosen, choose_file, choose_members
from strava.archive.row import ArchiveRow
from strava.archive.table import read_table
from strava.archive.zips_inside import ZipsInside
from strava.errors import UnreadableArchive

_GEAR_LISTS: Mapping[str, GearKind] = {BIKES: "bike", SHOES: "shoes"}
_ZIP_NAME = re.compile(r"export_(\d{1,18})(?:\D.*)?\.zip", re.IGNORECASE | re.ASCII)
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityList:
    """What `activities.csv` holds. `problems` has one entry for each line that is no row."""

    columns: Columns
    rows: Sequence[ArchiveRow]
    unreadable_rows: int
    problems: Sequence[Problem]


class Archive:
    """What can be imported of an export, of a bag of recordings, or of one recording.

    `activities` is None where there is no list. `exported_at` is when Strava wrote it. `athlete_id` is told by
    `profile.csv`, or else by the ZIP's name. `files` are sizes in bytes by name, in the archive's order; a file is
    opened by `read` alone; `is_read_in_order` tells that another order than theirs costs reading the archive again for
    each file. `media` and `others` count the files that are never opened.
    """

    def __init__(  # noqa: PLR0913 - what an archive is made of
        self,
        container: Container,
        chosen: Chosen,
        *,
        activities: ActivityList | None,
        gear: Sequence[ArchiveGear],
        athlete_id: int | None,
        exported_at: datetime | None,
        problems: Sequence[Problem],
        most_bytes: int,
    ) -> None:
        self.files, self.media, self.others = chosen.files, chosen.media, chosen.others
        self.activities, self.gear, self.problems = activities, gear, problems
        self.athlete_id, self.exported_at = athlete_id, exported_at
        self._container, self._folder = container, chosen.folder
        self.is_read_in_order = isinstance(container, ZipsInside)
        self._bytes_left = most_bytes
        self._stems: defaultdict[str, list[str]] = defaultdict(list)
        for name in chosen.files:
            self._stems[_stem(name)].append(name)

    @property
    def rows(self) -> Sequence[ArchiveRow]:
        """The activities of the list, in its order."""
        return self.activities.rows if self.activities else ()

    @property
    def language(self) -> str | None:
        """The account's language as far as the list tells it, such as `de` or `en-GB`; None if it is unknown."""
        return self.activities.columns.locale if self.activities else None

    def read(self, name: str) -> bytes:
        """Return the bytes of one of `files`, packed as they are there. Raises UnreadableArchive."""
        if name not in self.files:
            raise UnreadableArchive(name, "is none of the files to import")
        if self.files[name] > self._bytes_left:
            raise UnreadableArchive(name, "is beyond the most bytes that are read of one archive")
        content = self._container.read(name)
        self._bytes_left -= len(content)
        return content

    def file_of(self, row: ArchiveRow) -> str | None:
        """Return which of `files` a row names; a file that was unpacked since, or lost its suffix, is found too."""
        if row.file_name is None or row.file_name == NO_FILE_AT_STRAVA:
            return None
        name = self._folder + row.file_name.removeprefix("./")
        if name in self.files:
            return name
        alike = self._stems.get(_stem(name), [])
        return alike[0] if len(alike) == 1 else None

    def close(self) -> None:
        """Release the files."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_archive(path: Path, *, limits: Limits | None = None, now: datetime | None = None) -> Archive:
    """Open a ZIP or folder as Strava exports it, its `activities.csv` alone, a bag of recordings, or one recording.

    Nothing is unpacked. `now` is the time of day. Raises UnreadableArchive where there is nothing to import.
    """
    limits, now = limits or Limits(), now or utc_now()
    try:
        container = _container(path, limits)
        try:
            is_alone = isinstance(container, FileContainer)
            return read_archive(container, path.name, limits=limits, now=now, is_alone=is_alone)
        except BaseException:
            container.close()
            raise
    except OSError as error:
        raise UnreadableArchive(path.name, f"cannot be read: {error.strerror}") from error


def read_archive(container: Container, name: str, *, limits: Limits, now: datetime, is_alone: bool = False) -> Archive:
    """Read what the files of `container` say of themselves; `name` is the archive's. Raises UnreadableArchive.

    A file that `is_alone` is what a person says it is, be it called as it may.
    """
    chosen = choose_file(container.members[0]) if is_alone else choose_members(container.members)
    if not chosen.lists.get(ACTIVITIES) and not chosen.files:
        raise UnreadableArchive(name, "holds neither activities.csv nor a recording (.fit, .gpx, .tcx)")
    problems = list(container.problems)
    listed = chosen.lists.get(ACTIVITIES)
    activities = _activities(container, listed, now) if listed else None
    if activities:
        problems += activities.problems
    return Archive(
        container,
        chosen,
        activities=activities,
        gear=_gear(container, chosen, activities.rows if activities else (), problems),
        athlete_id=_athlete_id(container, chosen, name, problems),
        exported_at=_exported_at(container, listed, activities.rows, now) if listed and activities else None,
        problems=problems,
        most_bytes=limits.total,
    )


def _container(path: Path, limits: Limits) -> Container:
    if not path.name.isprintable():
        raise UnreadableArchive(shown(path.name), ODD_NAME)
    if path.is_dir():
        return FolderContainer(path, limits)
    if not path.is_file():
        raise UnreadableArchive(path.name, "is neither a file nor a folder" if path.exists() else "does not exist")
    if path.name.lower().endswith(".zip") and not path.stat().st_size:
        raise UnreadableArchive(path.name, "is empty")
    file = path.open("rb")
    if is_zip(file, path.name):
        return _zip_container(file, path.name, limits)
    file.close()
    return FileContainer(path, limits)


def is_zip(file: IO[bytes], name: str) -> bool:
    """Tell whether a file is to be opened as a ZIP: by how it begins, or by its name."""
    return file.read(4) in _ZIP_STARTS or name.lower().endswith(".zip")


def open_zip(file: IO[bytes], name: str, *, limits: Limits | None = None, now: datetime | None = None) -> Archive:
    """Open a ZIP that may be read from any place; it is closed with the archive. Raises UnreadableArchive."""
    limits = limits or Limits()
    container = _zip_container(file, name, limits)
    try:
        return read_archive(container, name, limits=limits, now=now or utc_now())
    except BaseException:
        container.close()
        raise


def _zip_container(file: IO[bytes], name: str, limits: Limits) -> Container:
    try:
        found = ZipContainer(file, limits)
        return found if choose_members(found.members).lists else ZipsInside(found, limits)
    except BaseException as error:
        file.close()
        if isinstance(error, UnreadableArchive):
            raise UnreadableArchive(name, error.reason) from error
        raise


def _activities(container: Container, name: str, now: datetime) -> ActivityList:
    table = read_table(name, container.read(name))
    columns, doubts = find_columns(table, now)
    if table.rows and columns.language is None and columns.file is None and columns.date_order is None:
        raise UnreadableArchive(name, "is no list of activities: no date, no file and no header that is known")
    rows = [ArchiveRow(columns, cells) for cells in table.rows]
    undated = [
        Problem(name, f"{row.activity_id}: its date cannot be read, and no file tells it")
        for row in rows
        if row.start is None and row.file_name in {None, NO_FILE_AT_STRAVA}
    ]
    return ActivityList(
        columns=columns,
        rows=rows,
        unreadable_rows=table.unreadable,
        problems=[*table.problems, *doubts, *undated],
    )


def _exported_at(container: Container, listed: str, rows: Sequence[ArchiveRow], now: datetime) -> datetime:
    """Return when the list was written: not after now, and not before its newest activity.

    A ZIP says it. What lies outside of one is a copy, whose time may be that of the copying: there the newest activity
    tells.
    """
    written = container.modified(listed)
    newest = max((start for row in rows if (start := row.start) is not None and start <= now), default=written)
    return newest if container.is_copy else min(max(written, newest), now)


def _gear(
    container: Container, chosen: Chosen, rows: Sequence[ArchiveRow], problems: list[Problem]
) -> list[ArchiveGear]:
    ids = gear_ids(rows)
    found = []
    for name, kind in _GEAR_LISTS.items():
        if name in chosen.lists:
            try:
                found += read_gear(kind, container.read(chosen.lists[name]), ids)
            except UnreadableArchive as error:
                problems.append(Problem(error.name, error.reason))
    return found


def _athlete_id(container: Container, chosen: Chosen, name: str, problems: list[Problem]) -> int | None:
    """Return the athlete's id; of the profile nothing else is looked at."""
    named = _ZIP_NAME.fullmatch(name)
    by_name = int(named[1]) if named else None
    if PROFILE not in chosen.lists:
        return by_name
    try:
        lines = container.read(chosen.lists[PROFILE]).decode("utf-8-sig", errors="replace").splitlines()
        cell = next(iter(next(csv.reader(lines[1:]), [])), "").strip()
    except (UnreadableArchive, csv.Error):
        cell = ""
    if not (cell.isascii() and cell.isdecimal() and len(cell) < 19):  # noqa: PLR2004 - digits of 64 bits
        problems.append(Problem(PROFILE, "does not begin with the athlete's id"))
        return by_name
    if by_name not in {None, int(cell)}:
        problems.append(Problem(name, "is named after another athlete than its profile.csv tells of"))
    return int(cell)


def _stem(name: str) -> str:
    """Return the path without the suffixes of its file."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))
