"""Imports what lies in an inbox, and puts each file into `done` or `failed` with a report.

What breaks the import is put aside too, told in the log, and no other file waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from backends.bucket import BucketUnavailable
from backends.warehouse import StatementRejected, WarehouseBusy
from runtime.settings import PartMissing
from strava.archive.archive import Archive
from strava.archive.members import is_recording
from strava.errors import UnreadableArchive
from worker.importing.owner import NotSure
from worker.importing.pipeline import PurgedMeanwhile
from worker.importing.report import FILE_WORDS
from worker.importing.running import Imported, name_of
from worker.importing.stored_report import stored_sentences

log = structlog.get_logger(__name__)

DONE, FAILED = "done", "failed"  # folders in it, for what was imported and what could not be
UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".opdownload", ".tmp")
_BAD = frozenset({"failed", "skipped"})
_NO_FAULT_OF_A_FILE = (BucketUnavailable, OSError, PartMissing, StatementRejected, WarehouseBusy)

Told = tuple[str, str, str]  # a file, the folder that it goes to, and its report
ImportArchive = Callable[[Archive, str], Awaitable[Imported]]


class Inbox(Protocol):
    """Where files wait. Both methods block."""

    def opened(self, names: Sequence[str]) -> Archive:
        """Open what belongs together: recordings, or one file of any kind. Raises UnreadableArchive."""

    def put_aside(self, name: str, folder: str, report: str) -> bool:
        """Move a file with its report; return False where it changed since it was opened, and stays."""


def whole(names: Collection[str]) -> list[str]:
    """Return the names of files that are not still being written, in order.

    A name that begins with a dot is, and one that ends as browsers name a download, and what that is to become.
    """
    ends = {name: end for name in names for end in UNFINISHED if name.casefold().endswith(end)}
    left = {DONE, FAILED, *ends, *(name[: -len(end)] for name, end in ends.items())}
    return sorted(name for name in names if not name.startswith(".") and name not in left)


async def take(inbox: Inbox, names: Sequence[str], run: ImportArchive) -> None:
    """Import these files and put them aside. Raises what `run` and the inbox raise that is no fault of a file."""
    recordings = [name for name in names if is_recording(name)]
    for together in [*([name] for name in names if not is_recording(name)), recordings]:
        for name, folder, report in await _taken(inbox, together, run) if together else ():
            if await asyncio.to_thread(inbox.put_aside, name, folder, report):
                log.info("inbox.taken", result=folder)
            else:  # the next look finds it again
                log.info("inbox.still_growing")


async def _taken(inbox: Inbox, names: Sequence[str], run: ImportArchive) -> Sequence[Told]:
    """Import what belongs together, or each alone where that breaks; return of each where it goes and its report."""
    try:
        return await _imported(inbox, names, run)
    except _NO_FAULT_OF_A_FILE:
        raise
    except Exception as error:
        log.exception("inbox.fault", files=len(names))
        if len(names) > 1:
            return [told for name in names for told in await _taken(inbox, [name], run)]
        return [(name, FAILED, f"{name}: it breaks the import ({type(error).__name__})") for name in names]


async def _imported(inbox: Inbox, names: Sequence[str], run: ImportArchive) -> Sequence[Told]:
    try:
        with await asyncio.to_thread(inbox.opened, names) as archive:
            done = await run(archive, name_of([Path(name) for name in names]))
            return list(_told(names, archive, done))
    except UnreadableArchive as error:
        return [(name, FAILED, str(error)) for name in names]
    except (NotSure, PurgedMeanwhile) as error:
        return [(name, FAILED, f"{name} {error}") for name in names]


def _told(names: Sequence[str], archive: Archive, done: Imported) -> Iterator[Told]:
    if not all(is_recording(name) for name in names):
        report = "\n".join(stored_sentences(archive, done))
        yield from ((name, FAILED if done.was_read is None else DONE, report) for name in names)
        return
    items = {item.name: item for item in done.items}
    for name in names:
        item = items.get(name)
        if item is None:
            yield name, FAILED, f"{name}: it was not read."
        else:
            reason = f": {item.reason}" if item.reason else ""
            yield name, FAILED if item.outcome in _BAD else DONE, f"{name}: {FILE_WORDS[item.outcome]}{reason}"
