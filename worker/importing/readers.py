"""Reads an archive's files in child processes, as many as are wanted, and starts another where one dies."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field

import orjson

from strava.archive.archive import Archive
from strava.errors import UnreadableArchive
from worker.importing.outcomes import BUDGET_S, FileOutcome, FileResult

_LONGEST_ANSWER = 2**20
READER = (sys.executable, "-m", "worker.importing.reader")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to read, and what its row says: the start in seconds since 1970, and the elapsed seconds."""

    name: str
    start: float | None = None
    elapsed: float | None = None


def wanted_files(archive: Archive) -> list[Wanted]:
    """Return all files of an archive, those of rows first and the newest of them before the others."""
    named: dict[str, Wanted] = {}
    for row in archive.rows:
        if (name := archive.file_of(row)) is not None and name not in named:
            start = row.start
            named[name] = Wanted(name, start.timestamp() if start else None, row.activity.get("elapsed_time"))
    newest_first = sorted(named.values(), key=lambda each: -(each.start or 0))
    return [*newest_first, *(Wanted(name) for name in archive.files if name not in named)]


async def read_files(
    archive: Archive,
    wanted: Iterable[Wanted],
    *,
    jobs: int,
    tell: Callable[[FileResult], None],
    command: Sequence[str] = READER,
) -> None:
    """Read the files in `jobs` processes, which `command` starts, and tell each result as it comes."""
    files = iter(wanted)
    async with asyncio.TaskGroup() as group:
        for _ in range(jobs):
            group.create_task(_read_some(archive, files, _Reader(command), tell))


async def _read_some(
    archive: Archive, files: Iterator[Wanted], reader: "_Reader", tell: Callable[[FileResult], None]
) -> None:
    try:
        for wanted in files:
            try:
                content = archive.read(wanted.name)
            except UnreadableArchive as error:
                tell(FileResult(name=wanted.name, outcome=FileOutcome.FAILED, reason=error.reason))
                continue
            tell(await reader.read(wanted, content))
    finally:
        await reader.close()


@dataclass(slots=True)
class _Reader:
    """One child process, started when it is needed."""

    command: Sequence[str]
    _process: Process | None = field(default=None)

    async def read(self, wanted: Wanted, content: bytes) -> FileResult:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, stdout=PIPE, limit=_LONGEST_ANSWER
            )
        request = orjson.dumps({"size": len(content), **asdict(wanted)})
        answer = await _asked(self._process, request + b"\n" + content)
        if answer:
            return FileResult.from_json(orjson.loads(answer))
        code = await self._process.wait()
        self._process = None
        reason = f"takes more than {BUDGET_S:.0f} s" if code == -signal.SIGPROF else f"ends the reader (code {code})"
        return FileResult(name=wanted.name, outcome=FileOutcome.FAILED, reason=reason)

    async def close(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()  # it holds nothing that could be lost
            await self._process.wait()


async def _asked(process: Process, request: bytes) -> bytes:
    """Return the answer's line, empty where the process has died."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - as it was started
    try:
        process.stdin.write(request)
        await process.stdin.drain()
        return await process.stdout.readline()
    except (BrokenPipeError, ConnectionResetError):
        return b""
