"""Imports an archive: rows first, then files newest first, each with its outcome, so that it can go on later."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from backends.warehouse import WarehouseBusy
from backends.warehouse.own_files import (
    ArchivedActivity,
    Import,
    ImportItem,
    ImportStatus,
    ItemKind,
    MatchFacts,
    OwnFiles,
    RowOutcome,
)
from runtime.clock import utc_now
from strava.archive.archive import Archive
from strava.archive.row import ArchiveRow
from worker.importing.choice import Choice
from worker.importing.home import HomeZone, note_home
from worker.importing.kept_files import KeptFiles
from worker.importing.matching import Match
from worker.importing.outcomes import FileOutcome, FileResult, ReadFile
from worker.importing.readers import ReadFiles, read_files
from worker.importing.relink import relink_all
from worker.importing.stored import archived, fingerprint
from worker.importing.storing import FileStoring, KnownFiles, file_item_id, known_files


class OtherArchive(Exception):
    """The import that is to go on was of another archive, or has ended."""


class PurgedMeanwhile(Exception):
    """The athlete was purged since the import began: nothing more of it is stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a step is: `rows`, `files`, or `matching`, of which nothing is counted."""

    step: str
    done: int = 0
    of: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """How it is imported: in how many processes, where the bytes are kept if at all, and how much is stored at once."""

    jobs: int
    keep: KeptFiles | None = None
    rows_at_once: int = 500
    files_at_once: int = 32
    read: ReadFiles = read_files
    clock: Callable[[], datetime] = utc_now


@dataclass(kw_only=True)
class ArchiveImport:
    """One import, which goes on with one of the same archive that did not come to its end.

    `after_rows` is called when all rows are stored, and `tell` with each step. `results` are what became of the files
    that this run read, `matches` those of all recordings of the athlete, by `file_id`. `home_zones` are the zones of
    the activities of which nothing tells one: `home_zone` where no other activity does.
    """

    store: OwnFiles
    archive: Archive
    source: str
    athlete_id: int
    choice: Choice
    means: Means
    home_zone: ZoneInfo
    resume: str | None = None
    tell: Callable[[Progress], None] = lambda _: None
    after_rows: Callable[[], Awaitable[object]] | None = None
    results: list[FileResult] = field(default_factory=list)
    matches: Mapping[str, Match] = field(default_factory=dict)
    home_zones: Mapping[int, HomeZone] = field(default_factory=dict)

    async def run(self) -> Import:
        """Import all that has no outcome yet. Raises WarehouseBusy, OSError, OtherArchive, PurgedMeanwhile.

        Cancelled, it notes that it was stopped.
        """
        current, done = await self._begin()
        try:
            await self._store_unread(current, done)
            await self._store_rows(current, done)
            facts = await self.store.match_facts(self.athlete_id)
            self.home_zones = await note_home(self.store, facts, self.home_zone)
            if self.after_rows:
                await self.after_rows()
            if await self._store_files(current, done, known_files(facts)):
                facts = await self.store.match_facts(self.athlete_id)
            self.tell(Progress(step="matching"))
            self.matches = await relink_all(self.store, facts)
            linked = [self._linked(each) for each in facts]
            self.home_zones = await note_home(self.store, linked, self.home_zone)
        except BaseException as error:
            is_stop = isinstance(error, asyncio.CancelledError | KeyboardInterrupt)
            status = ImportStatus.STOPPED if is_stop else ImportStatus.FAILED
            with suppress(WarehouseBusy, PurgedMeanwhile):
                await asyncio.shield(self._note(current, status, "" if is_stop else str(error) or type(error).__name__))
            raise
        return await self._note(current, ImportStatus.FINISHED)

    async def foresee_rows(self) -> list[ImportItem]:
        """Return the items that `run` would have of rows, and store nothing. Raises WarehouseBusy, OtherArchive."""
        current, items = await self._current()
        for rows in self._batches(current, self._rows_left(current, {each.item_id for each in items})):
            items += await self.store.foresee_rows(rows, current.import_id)
        return [each for each in items if each.kind is ItemKind.ROW and each.outcome != RowOutcome.UNREADABLE]

    async def _begin(self) -> tuple[Import, set[str]]:
        """Note the import that goes on or begins; return it and the items of it that have an outcome."""
        current, items = await self._current()
        await self._put(current)
        return current, {each.item_id for each in items}

    async def _current(self) -> tuple[Import, list[ImportItem]]:
        """Return the import that goes on or would begin now, and its items."""
        mark, now = fingerprint(self.archive), self.means.clock()
        last = await self.store.last_import(mark)
        if self.resume is not None and (last is None or last.import_id != self.resume):
            raise OtherArchive(f"is not the archive of the import {self.resume}, or was imported again since.")
        if self.resume is not None and last is not None and last.status is ImportStatus.FINISHED:
            raise OtherArchive(f"was imported to its end by {self.resume}; without --resume it is imported again.")
        if last is not None and last.athlete_id == self.athlete_id and last.status is not ImportStatus.FINISHED:
            items = await self.store.import_items(last.import_id)
            return replace(last, status=ImportStatus.RUNNING, updated_at=now, finished_at=None, reason=None), items
        listed = self.archive.activities
        current = Import(
            import_id=uuid4().hex,
            athlete_id=self.athlete_id,
            started_at=now,
            updated_at=now,
            status=ImportStatus.RUNNING,
            source=self.source,
            fingerprint=mark,
            exported_at=self.archive.exported_at,
            language=self.archive.language,
            row_count=len(self.archive.rows) + (listed.unreadable_rows if listed else 0),
            file_count=len(self.archive.files),
            media_count=self.archive.media,
            other_count=self.archive.others,
        )
        return current, []

    async def _note(self, current: Import, status: ImportStatus, reason: str = "") -> Import:
        now = self.means.clock()
        ended = replace(current, status=status, updated_at=now, finished_at=now, reason=reason or None)
        await self._put(ended)
        return ended

    async def _put(self, current: Import) -> None:
        if not await self.store.put_import(current):
            raise PurgedMeanwhile(f"is of athlete {self.athlete_id}, who was purged meanwhile; nothing of it is kept.")

    async def _store_unread(self, current: Import, done: set[str]) -> None:
        """Store the items of problems and of lines of the list that are no rows."""
        listed = self.archive.activities
        problems = [
            self._item(current, ItemKind.PROBLEM, str(number), FileOutcome.FAILED, problem.name, problem.reason)
            for number, problem in enumerate(self.archive.problems)
        ]
        lines = [
            self._item(current, ItemKind.ROW, f"unreadable-{number}", RowOutcome.UNREADABLE)
            for number in range(listed.unreadable_rows if listed else 0)
        ]
        if left := [each for each in [*problems, *lines] if each.item_id not in done]:
            await self.store.put_files([], left)

    def _item(  # noqa: PLR0913, PLR0917 - the columns of an item
        self,
        current: Import,
        kind: ItemKind,
        key: str,
        outcome: str,
        name: str | None = None,
        reason: str | None = None,
    ) -> ImportItem:
        return ImportItem(
            item_id=f"{current.import_id}/{kind}/{key}",
            import_id=current.import_id,
            athlete_id=self.athlete_id,
            kind=kind,
            name=name,
            outcome=outcome,
            reason=reason,
            finished_at=self.means.clock(),
        )

    async def _store_rows(self, current: Import, done: set[str]) -> None:
        count, left = sum(map(self.choice.takes_row, self.archive.rows)), self._rows_left(current, done)
        stored = count - len(left)
        for rows in self._batches(current, left):
            self.tell(Progress(step="rows", done=stored, of=count))
            await self.store.put_archive_rows(rows, current.import_id)
            stored += len(rows)
        self.tell(Progress(step="rows", done=count, of=count))

    def _rows_left(self, current: Import, done: set[str]) -> list[ArchiveRow]:
        """Return the rows that are wanted and have no outcome yet."""
        wanted = filter(self.choice.takes_row, self.archive.rows)
        return [row for row in wanted if f"{current.import_id}/row/{row.activity_id}" not in done]

    def _batches(self, current: Import, rows: Sequence[ArchiveRow]) -> Iterator[list[ArchivedActivity]]:
        """Yield rows as they are stored, as many as at once."""
        for place in range(0, len(rows), self.means.rows_at_once):
            yield [archived(row, current) for row in rows[place : place + self.means.rows_at_once]]

    def _linked(self, each: MatchFacts) -> MatchFacts:
        match = self.matches.get(each.file_id or "")
        return replace(each, activity_id=match.activity_id) if match else each

    async def _store_files(self, current: Import, done: set[str], known: KnownFiles) -> bool:
        """Read and store the files that are left; tell whether there was a recording to store."""
        wanted = self.choice.of_files(self.archive)
        left = [each for each in wanted if file_item_id(current, each.name) not in done]
        storing = FileStoring(
            store=self.store,
            current=current,
            is_export=self.archive.activities is not None,
            choice=self.choice,
            keep=self.means.keep,
            clock=self.means.clock,
            wanted={each.name: each for each in left},
            known=known,
            files_at_once=self.means.files_at_once,
        )

        async def take(read: ReadFile) -> None:
            self.results.append(read.result)
            await storing.add(read)
            self.tell(Progress(step="files", done=len(wanted) - len(left) + len(self.results), of=len(wanted)))

        if left:
            jobs = max(1, min(self.means.jobs, len(left)))
            await self.means.read(
                self.archive,
                left,
                jobs=jobs,
                tell=take,
                is_stored=storing.is_stored,
                has_data=True,
            )
            await storing.flush()
        return storing.has_stored
