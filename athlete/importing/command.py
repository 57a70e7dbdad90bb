"""`athlete import`: what an athlete's own files hold. So far it reads and reports; it stores nothing."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from athlete.errors import CommandError, exit_on_error, warn
from athlete.importing.report import RowKind, count_rows, items, sentences
from athlete.output import HIDDEN, say
from strava.archive.archive import Archive, open_archive
from strava.archive.bag import bags, open_recordings
from strava.errors import UnreadableArchive
from worker.importing.outcomes import FileOutcome, FileResult, ReadFile
from worker.importing.readers import read_files, wanted_files

SOME_FAILED, NOTHING_READ = 1, 2
MOST_JOBS = 64


@exit_on_error
def import_files(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Strava's export as a ZIP or folder, its activities.csv, or FIT, TCX and GPX files."
        ),
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, store nothing.")] = False,
    jobs: Annotated[
        int, typer.Option(min=0, max=MOST_JOBS, help="Processes that read files; 0 is one a processor core.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Read your own files (Strava's bulk export, or recordings) and report what is in them; needs --dry-run so far.

    Nothing is unpacked. Of an export the list of activities, the recordings, the gear and your athlete's id are opened.

    The exit code is 0 if all could be read, 1 if some could not, and 2 if nothing could.
    """
    if not dry_run:
        raise CommandError("This version reads and reports; it cannot store yet: add --dry-run.")
    read = [_read_one(bag, jobs or os.cpu_count() or 1, as_json=as_json) for bag in bags(paths)]
    if not any(all_well is not None for all_well in read):
        raise typer.Exit(NOTHING_READ)
    if not all(read):
        raise typer.Exit(SOME_FAILED)


def _read_one(paths: Sequence[Path], jobs: int, *, as_json: bool) -> bool | None:
    """Read and report one archive; tell whether all of it could be read, or None where it could not be opened."""
    name = paths[0].name if len(paths) == 1 else f"{len(paths):,} files"
    try:
        archive = open_archive(paths[0]) if len(paths) == 1 else open_recordings(paths)
    except UnreadableArchive as error:
        warn(str(error).translate(HIDDEN))
        return None
    with archive:
        results = _read_files(archive, jobs)
        if as_json:
            for item in items(name, archive, results):
                print(json.dumps(item, ensure_ascii=False))  # noqa: T201 - lines for machines
        else:
            for sentence in sentences(name, archive, results):
                say(sentence.translate(HIDDEN))
        unreadable = count_rows(archive)[RowKind.UNREADABLE]
        return not unreadable and all(result.outcome is not FileOutcome.FAILED for result in results)


def _read_files(archive: Archive, jobs: int) -> Sequence[FileResult]:
    wanted, results = wanted_files(archive), list[FileResult]()
    columns = (TextColumn("reading files"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(wanted))

        async def tell(read: ReadFile) -> None:
            results.append(read.result)
            progress.advance(task)

        asyncio.run(read_files(archive, wanted, jobs=max(1, min(jobs, len(wanted))), tell=tell))
    return results
