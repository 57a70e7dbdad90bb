"""`athlete import`: brings an athlete's own files into the warehouse, and reports what became of each."""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from athlete.backends import open_store
from athlete.data_dir import require_pipeline, require_usable, running_process
from athlete.errors import CommandError, exit_on_error, warn
from athlete.events import read_moment, within_reach
from athlete.importing.charts import Charts
from athlete.output import HIDDEN, say
from backends.engine import is_on_gcp
from dashboard.settings import DashboardSettings
from runtime.logs import configure_logs
from strava.archive.archive import Archive
from strava.archive.bag import bags
from strava.errors import UnreadableArchive
from worker.dbt_runner.settings import TransformSettings
from worker.importing import pipeline
from worker.importing.choice import Choice
from worker.importing.outcomes import FileOutcome, FileResult, ReadFile
from worker.importing.owner import NotSure
from worker.importing.pipeline import OtherArchive, PurgedMeanwhile
from worker.importing.readers import read_files
from worker.importing.report import RowKind, count_rows, items, no_such_sport, sentences
from worker.importing.running import Imported, Wish, foresee_rows, import_archive, importing, name_of, opened, was_read
from worker.importing.stored_report import stored_items, stored_sentences

SOME_FAILED, NOTHING_READ, INTERRUPTED = 1, 2, 130
MOST_JOBS = 64
STEPS = {"rows": "storing rows", "files": "reading files", "matching": "matching"}


@exit_on_error
def import_files(  # noqa: PLR0913 - one argument an option
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Strava's export as a ZIP or folder, its activities.csv, or FIT, TCX and GPX files."
        ),
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, store nothing.")] = False,
    athlete: Annotated[
        int | None, typer.Option(help="Whose files they are: needed where neither they nor the data tell.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what began since: a date (2025-01-01) or an age (90d).")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this sport, as Strava calls it (Run); may be given more than once.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, max=MOST_JOBS, help="Processes that read files; 0 is one a processor core.")
    ] = 0,
    keep_files: Annotated[
        bool, typer.Option("--keep-files/--no-keep-files", help="Keep a copy of each recording in DATA_DIR/files.")
    ] = True,
    resume: Annotated[
        str | None, typer.Option(help="Go on with this import of the same archive; else it is found by itself.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Import your own files: Strava's bulk export, or FIT, TCX and GPX recordings. No account is needed.

    The list of activities is stored first, then the recordings, the newest first, each matched with the activity that
    it is of. An import that was stopped goes on where it was when the same command is given again. Nothing is unpacked.

    The exit code is 0 if all could be read, 1 if some could not, and 2 if nothing could, it is another athlete's, or
    an option is wrong.
    """
    settings = TransformSettings()
    configure_logs(settings.log_format, "CRITICAL")  # what failed is told below
    zone = DashboardSettings().display_timezone
    try:
        within_reach("--athlete", athlete)
        began = read_moment("--since", since, zone)
    except CommandError as error:  # whose exit code would say that some could not be read
        raise typer.BadParameter(str(error)) from error
    if dry_run and resume is not None:
        raise typer.BadParameter("A dry run stores nothing, so it goes on with none: leave out --resume, or --dry-run.")
    wish = Wish(
        choice=Choice(since=began, only=frozenset(each.casefold() for each in only or ())),
        athlete_id=athlete,
        resume=resume,
        keeps_files=keep_files,
        jobs=jobs or os.cpu_count() or 1,
        home_zone=zone,
    )
    if dry_run:
        read = asyncio.run(_read_all(bags(paths), wish, settings, as_json=as_json))
    else:
        require_usable(settings.data_dir)
        try:
            read = asyncio.run(_import_all(bags(paths), wish, settings, as_json=as_json))
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopped; the same command goes on from here.", highlight=False)
            raise typer.Exit(INTERRUPTED) from None
    if all(each is None for each in read):
        raise typer.Exit(NOTHING_READ)
    if not all(read):
        raise typer.Exit(SOME_FAILED)


async def _import_all(
    found: Sequence[Sequence[Path]], wish: Wish, settings: TransformSettings, *, as_json: bool
) -> list[bool | None]:
    """Import one archive after another; tell of each whether all of it could be read, or None where nothing could."""
    charts, read = Charts(settings), list[bool | None]()
    async with importing(settings) as store:
        for paths in found:
            try:
                with opened(paths) as archive, _shown() as bars:
                    done = await import_archive(
                        archive,
                        name_of(paths),
                        wish,
                        store=store,
                        settings=settings,
                        after_rows=charts.begin,
                        tell=bars.show,
                    )
                    _print(archive, done, as_json=as_json)
                    warn(_no_such_sport(done.current.source, archive, wish, is_all=done.is_empty))
                read.append(done.was_read)
            except UnreadableArchive as error:
                warn(str(error).translate(HIDDEN))
                read.append(None)
            except (NotSure, OtherArchive, PurgedMeanwhile) as error:
                warn(f"{name_of(paths)} {error}".translate(HIDDEN))
                read.append(None)
        with Console(stderr=True).status("dbt is at work …"):
            warn(await charts.finish())
    if charts.are_built:
        Console(stderr=True).print("The charts are built: `athlete up` shows them.", highlight=False)
    return read


def _print(archive: Archive, done: Imported, *, as_json: bool) -> None:
    if as_json:
        for item in stored_items(done):
            print(json.dumps(item, ensure_ascii=False))  # noqa: T201 - lines for machines
    else:
        for sentence in stored_sentences(archive, done):
            say(sentence.translate(HIDDEN))


def _no_such_sport(name: str, archive: Archive, wish: Wish, *, is_all: bool) -> str:
    return no_such_sport(name, archive, wish.choice.missing_sports(archive), is_all=is_all).translate(HIDDEN)


@dataclass(slots=True)
class _Bars:
    """A line a step, on a terminal."""

    progress: Progress
    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def show(self, step: pipeline.Progress) -> None:
        if step.step not in self._tasks:
            self._tasks[step.step] = self.progress.add_task(STEPS[step.step], total=step.of or None)
        self.progress.update(self._tasks[step.step], completed=step.done, total=step.of or None)


@contextmanager
def _shown() -> Iterator[_Bars]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _Bars(progress)


async def _read_all(
    found: Sequence[Sequence[Path]], wish: Wish, settings: TransformSettings, *, as_json: bool
) -> list[bool | None]:
    """Read and report archives; tell of each whether all of it could be read, or None where nothing could."""
    return [await _read_one(paths, wish, settings, as_json=as_json) for paths in found]


async def _read_one(paths: Sequence[Path], wish: Wish, settings: TransformSettings, *, as_json: bool) -> bool | None:
    """Read and report one archive; tell whether all of it could be read, or None where nothing of it."""
    name = name_of(paths)
    try:
        archive = opened(paths)
    except UnreadableArchive as error:
        warn(str(error).translate(HIDDEN))
        return None
    with archive:
        rows = [row for row in archive.rows if wish.choice.takes_row(row)]
        try:
            foreseen = await _foreseen(archive, wish, settings)
        except NotSure as error:
            warn(f"{name} {error}".translate(HIDDEN))
            return None
        results = await _read_files(archive, wish)
        if as_json:
            for item in items(name, archive, rows, results, foreseen):
                print(json.dumps(item, ensure_ascii=False))  # noqa: T201 - lines for machines
        else:
            for sentence in sentences(name, archive, rows, results, foreseen):
                say(sentence.translate(HIDDEN))
        warn(_no_such_sport(name, archive, wish, is_all=not rows and not results))
        failed = sum(result.outcome is FileOutcome.FAILED for result in results)
        left_out = len(archive.rows) + len(archive.files) - len(rows) - len(results)
        unreadable = count_rows(archive, rows)[RowKind.UNREADABLE]
        return was_read(len(rows) + len(results) - failed, failed + unreadable, left_out)


async def _foreseen(archive: Archive, wish: Wish, settings: TransformSettings) -> Mapping[int, str]:
    """Return what would become of the rows. Raises NotSure, WarehouseBusy, OSError."""
    if not (is_on_gcp(settings) or settings.pipeline_path.exists()):
        return await foresee_rows(archive, wish, store=None)
    require_pipeline(settings)
    is_at_rest = not is_on_gcp(settings) and running_process(settings.data_dir) is None
    async with open_store(settings, read_only=True, leaves_no_trace=is_at_rest) as store:
        return await foresee_rows(archive, wish, store=store)


async def _read_files(archive: Archive, wish: Wish) -> Sequence[FileResult]:
    wanted, results, read_count = wish.choice.of_files(archive), list[FileResult](), 0
    own = {each.name for each in wanted if each.activity_id is None}
    with _shown() as bars:

        async def tell(read: ReadFile) -> None:
            nonlocal read_count
            read_count += 1
            if wish.choice.takes_read(read, has_row=read.result.name not in own):
                results.append(read.result)
            bars.show(pipeline.Progress(step="files", done=read_count, of=len(wanted)))

        await read_files(archive, wanted, jobs=max(1, min(wish.jobs, len(wanted))), tell=tell)
    return results
