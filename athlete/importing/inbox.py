"""Imports what lies in the inbox, which `athlete up` watches, and moves each file to `done` or `failed` with a report.

What breaks the import is put aside too, told in the log, and no other file waits for it.

`python -m athlete.importing.inbox NAME …`; the exit code is 0 if all were moved, and 1 if they are to be tried again.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog

from athlete.errors import EXPECTED
from athlete.importing.report import FILE_WORDS
from athlete.importing.running import Imported, Wish, import_archive, importing, name_of, opened
from athlete.importing.stored_report import stored_sentences
from athlete.inbox import DONE, FAILED
from backends.warehouse import RawStore
from dashboard.settings import DashboardSettings
from runtime.logs import configure_logs
from strava.archive.archive import Archive
from strava.archive.bag import bags
from strava.archive.members import is_recording
from strava.errors import UnreadableArchive
from worker.dbt_runner.settings import TransformSettings
from worker.importing.owner import NotSure
from worker.importing.pipeline import PurgedMeanwhile

log = structlog.get_logger(__name__)

LONGEST = 200  # bytes of a name: with what is added to it a file system takes it
BAD = frozenset({"failed", "skipped"})


async def take(settings: TransformSettings, names: Sequence[str]) -> None:
    """Import these files of the inbox and move them. Raises CommandError, WarehouseBusy, OSError."""
    folder = settings.inbox_path
    wish = Wish(jobs=os.cpu_count() or 1, home_zone=DashboardSettings().display_timezone)
    async with importing(settings) as store:
        for paths in bags(path for name in names if (path := folder / name).is_file()):
            sizes = {path: path.stat().st_size for path in paths}
            for path, target, report in await _taken(paths, wish, store, settings):
                if path.stat().st_size != sizes[path]:  # it is still being written, so the next look finds it again
                    log.info("inbox.still_growing")
                    continue
                _move(path, folder / target, report)
                log.info("inbox.taken", result=target)


async def _taken(
    paths: Sequence[Path], wish: Wish, store: RawStore, settings: TransformSettings
) -> Sequence[tuple[Path, str, str]]:
    """Import what belongs together, or each alone where that breaks; return of each where it goes and its report."""
    try:
        return await _imported(paths, wish, store, settings)
    except EXPECTED:
        raise
    except Exception as error:
        log.exception("inbox.fault", files=len(paths))
        if len(paths) > 1:
            return [told for path in paths for told in await _taken([path], wish, store, settings)]
        return [(path, FAILED, f"{path.name}: it breaks the import ({type(error).__name__})") for path in paths]


async def _imported(
    paths: Sequence[Path], wish: Wish, store: RawStore, settings: TransformSettings
) -> Sequence[tuple[Path, str, str]]:
    """Import what belongs together; return of each file where it goes and what its report says."""
    try:
        with opened(paths) as archive:
            done = await import_archive(archive, name_of(paths), wish, store=store, settings=settings)
            return list(_told(paths, archive, done))
    except UnreadableArchive as error:
        return [(path, FAILED, str(error)) for path in paths]
    except (NotSure, PurgedMeanwhile) as error:
        return [(path, FAILED, f"{path.name} {error}") for path in paths]


def _told(paths: Sequence[Path], archive: Archive, done: Imported) -> Iterator[tuple[Path, str, str]]:
    if not all(is_recording(path.name) for path in paths):
        report = "\n".join(stored_sentences(archive, done))
        yield from ((path, DONE, report) for path in paths)
        return
    items = {item.name: item for item in done.items}
    for path in paths:
        item = items.get(path.name)
        if item is None:
            yield path, FAILED, f"{path.name}: it was not read."
        else:
            reason = f": {item.reason}" if item.reason else ""
            yield path, FAILED if item.outcome in BAD else DONE, f"{path.name}: {FILE_WORDS[item.outcome]}{reason}"


def _move(path: Path, folder: Path, report: str) -> None:
    """Move a file, under another name where one of its name lies there, and write the report beside it."""
    folder.mkdir(exist_ok=True)
    plain = Path(os.fsdecode(os.fsencode(path.name)[-LONGEST:]))
    target, number = folder / plain, 1
    while target.exists() or target.with_name(f"{target.name}.txt").exists():
        number += 1
        target = folder / f"{plain.stem}-{number}{plain.suffix}"
    written = target.with_name(f"{target.name}.txt")
    written.write_text(f"{report}\n", encoding="utf-8", errors="backslashreplace")  # a name may be no text
    path.rename(target)


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
