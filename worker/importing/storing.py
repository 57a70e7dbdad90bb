"""Stores files as they are read, several at once, each together with its outcome."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from backends.warehouse.own_files import FileRow, Import, ImportItem, ItemKind, MatchFacts, OwnFiles
from worker.importing.choice import Choice
from worker.importing.kept_files import KeptFiles
from worker.importing.matching import ROW
from worker.importing.outcomes import FileOutcome, ReadFile
from worker.importing.readers import Wanted
from worker.importing.relink import match_new
from worker.importing.stored import file_rows

BYTES_AT_ONCE = 8 * 2**20
CLIP_S = 5  # by which a stored recording may be longer than its row before it is cut again


class Known(NamedTuple):
    """A stored session of a file: the activity that it is of, whether by a row, and how long it lasts."""

    activity_id: int
    is_by_row: bool
    elapsed_s: int


KnownFiles = dict[str, list[Known]]


def known_files(facts: Iterable[MatchFacts]) -> KnownFiles:
    """Return what is stored of an athlete's files, by their hashes."""
    found: KnownFiles = {}
    for each in facts:
        if each.file_id is not None:
            sha256, _, _ = each.file_id.partition("/")
            known = Known(each.activity_id, each.matched_by == ROW, each.elapsed_time_s or 0)
            found.setdefault(sha256, []).append(known)
    return found


def file_item_id(current: Import, name: str) -> str:
    """Return the key of a file's item."""
    return f"{current.import_id}/file/{name}"


@dataclass(kw_only=True, slots=True)
class FileStoring:
    """Takes files and stores what waits together, but none of which no session is wanted.

    `has_stored` tells whether there were any recordings to store.
    """

    store: OwnFiles
    current: Import
    is_export: bool
    choice: Choice
    keep: KeptFiles | None
    clock: Callable[[], datetime]
    wanted: Mapping[str, Wanted]
    known: KnownFiles
    files_at_once: int
    has_stored: bool = False
    _waiting: list[tuple[ImportItem, list[FileRow]]] = field(default_factory=list)
    _bytes: int = 0
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_stored(self, wanted: Wanted, sha256: str) -> bool:
        """Whether a file is stored as it would be now; one on its own counts as stored once it has been asked for.

        One that a row names is so by that row, and no longer than the row, which may have been cropped since.
        """
        known = self.known.setdefault(sha256, [])
        if wanted.activity_id is not None:
            longest = float("inf") if wanted.elapsed is None else wanted.elapsed + CLIP_S
            own = [each for each in known if each.is_by_row and each.activity_id == wanted.activity_id]
            return any(each.elapsed_s <= longest for each in own)
        if known:
            return True
        known.append(Known(0, is_by_row=False, elapsed_s=0))
        return False

    async def add(self, read: ReadFile) -> None:
        """Take a file, and store what waits if that is enough. Raises WarehouseBusy, OSError."""
        wanted = self.wanted[read.result.name]
        rows = file_rows(read, wanted, self.current, is_export=self.is_export)
        if not self.choice.takes_read(read, has_row=wanted.activity_id is not None):
            self._forget(read)
            return
        if not rows and read.result.outcome is not FileOutcome.SAME_FILE:
            self._forget(read)
        if rows and self.keep is not None:
            await asyncio.to_thread(self.keep.keep, str(read.result.sha256), read.content)
        self._waiting.append((self._item(read, wanted, rows), rows))
        self._bytes += sum(len(each.activity) + len(each.streams) for each in read.sessions)
        if len(self._waiting) >= self.files_at_once or self._bytes >= BYTES_AT_ONCE:
            await self.flush()

    def _forget(self, read: ReadFile) -> None:
        """Let another file with the same bytes be read again, as nothing of this one is stored."""
        sha256 = str(read.result.sha256)
        self.known[sha256] = [each for each in self.known.get(sha256, []) if each.activity_id]

    async def flush(self) -> None:
        """Match and store what waits. Raises WarehouseBusy."""
        async with self._one_at_a_time:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            if not waiting:
                return
            links = await match_new(self.store, [row for _, rows in waiting for row in rows])
            linked = [(item, [replace(row, **links.get(row.file_id, {})) for row in rows]) for item, rows in waiting]
            items = [_with_match(item, rows) for item, rows in linked]
            stored = [row for _, rows in linked for row in rows]
            self.has_stored |= bool(stored)
            await self.store.put_files(stored, items)

    def _item(self, read: ReadFile, wanted: Wanted, rows: list[FileRow]) -> ImportItem:
        result = read.result
        activity_id = wanted.activity_id if wanted.activity_id is not None else rows[0].activity_id if rows else None
        if result.outcome is FileOutcome.SAME_FILE and activity_id is None:
            activity_id = next((each.activity_id for each in self.known[str(result.sha256)] if each.activity_id), None)
        return ImportItem(
            item_id=file_item_id(self.current, result.name),
            import_id=self.current.import_id,
            athlete_id=self.current.athlete_id,
            kind=ItemKind.FILE,
            name=result.name,
            activity_id=activity_id,
            outcome=result.outcome,
            reason=result.reason or None,
            finished_at=self.clock(),
        )


def _with_match(item: ImportItem, rows: list[FileRow]) -> ImportItem:
    """Return a file's item with the match of its first session."""
    if not rows:
        return item
    first = rows[0]
    return replace(item, activity_id=first.activity_id, matched_by=first.matched_by, twin=first.twin)
