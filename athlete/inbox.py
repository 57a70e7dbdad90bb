"""Looks into the inbox, `DATA_DIR/inbox`, and has imported what lies there, once it has stopped growing."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from worker.importing.inbox import whole

log = structlog.get_logger(__name__)

STILL_S = 2.0  # for as long a file's size must stand still
FIRST_REST_S, LONGEST_REST_S = 15.0, 600.0  # after an import that could not be done at all

Stamp = tuple[int, int]


class Inbox:
    """Has `run` import the files of a folder by their names, which returns an exit code; 0 is that all were moved away.

    Folders are left alone, and so is what is still being written: an empty file, one whose name begins with a dot or
    ends as browsers name a download, and one that such a download is to become.
    """

    def __init__(
        self,
        folder: Path,
        run: Callable[[Sequence[str]], Awaitable[int]],
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._folder = folder
        self._run = run
        self._clock = clock or asyncio.get_running_loop().time
        self._seen: dict[str, tuple[Stamp, float]] = {}
        self._failures, self._rests_until = 0, 0.0

    async def keep_on(self, stop: asyncio.Event, every_s: float) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            try:
                await self.look()
            except OSError as error:
                log.warning("inbox.not_read", reason=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stop.wait()

    async def look(self) -> bool:
        """Have what stands still imported; tell whether there was anything. Raises OSError."""
        now = self._clock()
        ready = self._standing_still(now)
        if not ready or now < self._rests_until:
            return False
        code = await self._run(ready)
        self._failures = self._failures + 1 if code else 0
        if code:
            self._rests_until = self._clock() + min(FIRST_REST_S * 2.0 ** (self._failures - 1), LONGEST_REST_S)
            log.warning("inbox.not_imported", exit_code=code, files=len(ready))
        return True

    def _standing_still(self, now: float) -> list[str]:
        """Return the names of the files whose size and time have not changed for a while."""
        found = dict(_files(self._folder))
        self._seen = {
            name: seen if (seen := self._seen.get(name)) is not None and seen[0] == stamp else (stamp, now)
            for name, stamp in found.items()
        }
        return sorted(name for name, (_, since) in self._seen.items() if now - since >= STILL_S)


def _files(folder: Path) -> Sequence[tuple[str, Stamp]]:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return []
    with entries:
        found = {entry.name: entry for entry in entries}
    return [
        (name, (status.st_size, status.st_mtime_ns))
        for name in whole(found)
        if found[name].is_file(follow_symlinks=False)
        if (status := found[name].stat(follow_symlinks=False)).st_size
    ]
