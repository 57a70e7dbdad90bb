"""Imports files of the inbox, which `athlete up` watches, and moves each to `done` or `failed` with a report beside it.

`python -m athlete.importing.inbox NAME …`; the exit code is 0 if all were moved, and 1 if they are to be tried again.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from athlete.errors import EXPECTED
from backends.bucket import free_place, report_of
from dashboard.settings import DashboardSettings
from runtime.logs import configure_logs
from strava.archive.archive import Archive
from worker.dbt_runner.settings import TransformSettings
from worker.importing import inbox
from worker.importing.running import Imported, Wish, import_archive, importing, opened

log = structlog.get_logger(__name__)

LONGEST = 200  # bytes of a name: with what is added to it a file system takes it


class FolderInbox:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, int] = {}

    def opened(self, names: Sequence[str]) -> Archive:
        """Open what belongs together. Raises UnreadableArchive, OSError."""
        paths = [self._folder / name for name in names]
        self._sizes |= {path.name: path.stat().st_size for path in paths}
        return opened(paths)

    def put_aside(self, name: str, folder: str, report: str) -> bool:
        """Move a file, and write the report beside it; False where it has grown since it was opened. Raises OSError."""
        path = self._folder / name
        if path.stat().st_size != self._sizes[name]:
            return False
        (self._folder / folder).mkdir(exist_ok=True)
        target = self._folder / folder / os.fsdecode(os.fsencode(name)[-LONGEST:])
        place = free_place(target, Path.exists)
        report_of(place).write_text(f"{report}\n", encoding="utf-8", errors="backslashreplace")  # a name may be no text
        path.rename(place)
        return True


async def take(settings: TransformSettings, names: Sequence[str]) -> None:
    """Import these files of the inbox and move them. Raises WarehouseBusy, OSError."""
    folder = settings.inbox_path
    wish = Wish(jobs=os.cpu_count() or 1, home_zone=DashboardSettings().display_timezone)
    async with importing(settings) as store:

        async def run(archive: Archive, name: str) -> Imported:
            return await import_archive(archive, name, wish, store=store, settings=settings)

        await inbox.take(FolderInbox(folder), [name for name in names if (folder / name).is_file()], run)


def main() -> None:
    """Take the files that are named."""
    settings = TransformSettings()
    configure_logs(settings.log_format, settings.log_level)
    try:
        asyncio.run(take(settings, sys.argv[1:]))
    except EXPECTED as error:
        log.warning("inbox.waits", reason=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
