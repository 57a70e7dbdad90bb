"""Reads an archive's files in child processes, as many as are wanted, and starts another where one dies."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from strava.archive.archive import Archive
from strava.errors import UnreadableArchive
from worker.importing.outcomes import BUDGET_S, FileOutcome, FileResult, ReadFile, Session

_LONGEST_LINE = 2**20
READER = (sys.executable, "-m", "worker.importing.reader")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to read, and what its row says: the activity, the start in seconds since 1970, and the elapsed seconds."""

    name: str
    activity_id: int | None = None
    start: float | None = None
    elapsed: float | None = None


IsStored = Callable[[Wanted, str], bool]


class ReadFiles(Protocol):
    """What reads files as `read_files` does."""

    async def __call__(  # noqa: PLR0913 - as `read_files` has
        self,
        archive: Archive,
        wanted: Iterable[Wanted],
        *,
        jobs: int,
        tell: Callable[[ReadFile], Awaitable[None]],
        is_stored: IsStored | None = None,
        has_data: bool = False,
    ) -> None:
        """Read the files and tell each as it comes."""


def wanted_files(archive: Archive) -> list[Wanted]:
    """Return all files of an archive, those of rows first and the newest of them before the others.

    Of a ZIP within a ZIP they are in its order, as another one would unpack its begin for each file.
    """
    named: dict[str, Wanted] = {}
    for row in archive.rows:
        if (name := archive.file_of(row)) is not None and name not in named:
            start = row.start
            named[name] = Wanted(name, row.activity_id, start.timestamp() if start else None, row.elapsed_s)
    if archive.is_read_in_order:
        return [named.get(name) or Wanted(name) for name in archive.files]
    newest_first = sorted(named.values(), key=lambda each: -(each.start or 0))
    return [*newest_first, *(Wanted(name) for name in archive.files if name not in named)]


async def read_files(  # noqa: PLR0913 - by keyword, how they are read and what becomes of them
    archive: Archive,
    wanted: Iterable[Wanted],
    *,
    jobs: int,
    tell: Callable[[ReadFile], Awaitable[None]],
    is_stored: IsStored | None = None,
    has_data: bool = False,
    command: Sequence[str] = READER,
) -> None:
    """Read the files in `jobs` processes, which `command` starts, and tell each as it comes.

    The next file is read when the one before has been told, so that no more than `jobs` of them are in memory. A file
    whose hash `is_stored` is not read. `has_data` asks for their curves, too.
    """
    files, reading = iter(wanted), asyncio.Lock()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                reader = _Reader(command, is_stored or (lambda *_: False), has_data=has_data)
                group.create_task(_read_some(archive, files, reader, tell, reading))
    except BaseExceptionGroup as errors:  # one is enough: the others were cancelled
        raise errors.exceptions[0] from errors


async def _read_some(
    archive: Archive,
    files: Iterator[Wanted],
    reader: "_Reader",
    tell: Callable[[ReadFile], Awaitable[None]],
    reading: asyncio.Lock,
) -> None:
    try:
        for wanted in files:
            try:
                async with reading:  # of one archive, which may be far away
                    content = await asyncio.to_thread(archive.read, wanted.name)
            except UnreadableArchive as error:
                await tell(ReadFile(result=_failed(wanted, error.reason)))
            else:
                await tell(await reader.read(wanted, content))
    finally:
        await reader.close()


def _failed(wanted: Wanted, reason: str) -> FileResult:
    return FileResult(name=wanted.name, outcome=FileOutcome.FAILED, reason=reason)


@dataclass(slots=True)
class _Reader:
    """One child process, started when it is needed."""

    command: Sequence[str]
    is_stored: IsStored
    has_data: bool = field(kw_only=True)
    _process: Process | None = field(default=None)

    async def read(self, wanted: Wanted, content: bytes) -> ReadFile:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE
            )
        with suppress(BrokenPipeError, ConnectionResetError, asyncio.IncompleteReadError):
            return await self._asked(self._process, wanted, content)
        code = await self._process.wait()
        self._process = None
        reason = f"takes more than {BUDGET_S:.0f} s" if code == -signal.SIGPROF else f"ends the reader (code {code})"
        return ReadFile(result=_failed(wanted, reason), content=content)

    async def _asked(self, process: Process, wanted: Wanted, content: bytes) -> ReadFile:
        """Have the process read a file. Raises what a pipe raises whose other end has died."""
        assert process.stdout is not None  # noqa: S101 - as it was started
        asked = {
            "name": wanted.name,
            "size": len(content),
            "has_row": wanted.activity_id is not None,
            "start": wanted.start,
            "elapsed": wanted.elapsed,
            "has_data": self.has_data,
        }
        await _send(process, orjson.dumps(asked) + b"\n" + content)
        told = orjson.loads(await process.stdout.readuntil())
        if "sha256" in told:
            is_stored = self.is_stored(wanted, told["sha256"])
            await _send(process, b"false\n" if is_stored else b"true\n")
            if is_stored:
                result = FileResult(name=wanted.name, outcome=FileOutcome.SAME_FILE, sha256=told["sha256"])
                return ReadFile(result=result, content=content)
            told = orjson.loads(await process.stdout.readuntil())
        sessions = [await _session(process, each) for each in told["sessions"]]
        return ReadFile(result=FileResult.from_json(told["result"]), content=content, sessions=sessions)

    async def close(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()  # it holds nothing that could be lost
            await self._process.wait()


async def _send(process: Process, message: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - as it was started
    process.stdin.write(message)
    await process.stdin.drain()


async def _session(process: Process, told: dict[str, Any]) -> Session:
    """Take the long parts of a session from the pipe."""
    assert process.stdout is not None  # noqa: S101 - as it was started
    parts = {name: await process.stdout.readexactly(told[name]) for name in ("activity", "streams")}
    return Session(**told | parts)
