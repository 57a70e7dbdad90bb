"""`athlete daily`: compare with Strava, repair, test the marts; the embedded scheduler runs the same once a day."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from athlete.backfill import INTERRUPTED
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error
from athlete.transform import fault
from backends.warehouse.reconciliations import Reconciliation, Verdict, beside_files
from dashboard.formatting import Teller
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now, utc_text
from runtime.logs import configure_logs
from worker.daily import AlreadyRunning, run_daily
from worker.daily_report import DailyReport, ExitCode
from worker.dbt_runner.settings import TransformSettings
from worker.findings import Progress
from worker.settings import WorkerSettings


@exit_on_error
def daily(
    *,
    athlete: Annotated[int | None, typer.Option(help="Only the athlete with this id, and not all.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Remove also where so many activities vanished that a run asks first.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Compare Strava's whole list with what is stored, repair what differs, then build and test the marts.

    `athlete up` runs it every day at DAILY_AT. Exit codes: 0 complete, 3 differences left, 4 not checked to the end, 5
    a mass change needs --confirm, 6 dbt or a test failed, 7 another one is running, 1 it could not run.
    """
    settings, transforms = WorkerSettings(), TransformSettings()
    zone = DashboardSettings().display_timezone
    require_pipeline(settings)
    if lost := asyncio.run(lost_athletes(settings)):
        raise CommandError(f"Nothing was checked. {lost}")
    chosen = settings.log_level if "log_level" in settings.model_fields_set else "CRITICAL"  # what failed is told below
    configure_logs(settings.log_format, chosen)
    try:
        report = _run(settings, transforms, athlete_id=athlete, is_confirmed=confirm)
    except KeyboardInterrupt:
        note = "Stopped. What was repaired stays repaired; the next run begins again."
        Console(stderr=True).print(note, highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print(json.dumps(_facts(report)))  # noqa: T201 - for machines
    else:
        console = Console()
        for sentence in sentences(report, zone):
            console.print(sentence, highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(report.exit_code)


def _run(
    settings: WorkerSettings, transforms: TransformSettings, *, athlete_id: int | None, is_confirmed: bool
) -> DailyReport:
    console = Console(stderr=True)
    with console.status("Asking Strava …") as status:

        def show(whose: str, progress: Progress | None) -> None:
            status.update("dbt is at work …" if progress is None else f"{whose}: {_how_far(progress)}")

        running = run_daily(settings, transforms, athlete_id=athlete_id, is_confirmed=is_confirmed, on_progress=show)
        try:
            return asyncio.run(running)
        except AlreadyRunning as error:
            console.print(str(error), highlight=False)
            raise typer.Exit(ExitCode.ALREADY_RUNNING) from error


def _how_far(progress: Progress) -> str:
    return f"{progress.step} {progress.done:,}" + ("" if progress.of is None else f" of {progress.of:,}")


def sentences(report: DailyReport, zone: ZoneInfo) -> Iterator[str]:
    """Say what a run found and did, an athlete a line."""
    if report.pruned is None:
        yield "The ledger could not be written, so nothing of it was removed: the next run does it."
    elif report.pruned:
        yield f"Rows of settled events removed from the ledger, older than LEDGER_DAYS: {report.pruned:,}."
    if not report.checked:
        yield "No athlete is connected, so there is nothing to check: run `athlete connect` first."
        return
    for each in report.checked:
        row = each.reconciliation
        yield f"Athlete {each.athlete_id}: {each.error if row is None else verdict_sentence(row, zone, each.file_only)}"
        yield from (f"Athlete {each.athlete_id}: {note}" for note in each.notes)
    if report.transform_job is not None:
        yield f"The job {report.transform_job} builds and tests the marts now."
    elif report.transform_error is None:
        yield "The marts are published, and all of dbt's tests passed."
    elif report.transformed is None:
        yield f"The marts were not built. {report.transform_error}"
    else:
        yield f"The marts published before stay. {fault(report.transformed)}"
    if report.stale:
        yield f"Sources that are too old: {'; '.join(report.stale)}."


def verdict_sentence(row: Reconciliation, zone: ZoneInfo, file_only: int = 0) -> str:
    """Say what a check found beside what own files alone tell of, and from when on it can go further."""
    waits = "" if row.retry_at is None else f" It can go on {Teller(now=utc_now(), zone=zone).about(row.retry_at)}."
    if row.verdict is Verdict.CUT_SHORT:
        return f"not checked. {row.reason}{waits}"
    found = ", ".join(f"{getattr(row, name):,} {name}" for name in ("missing", "extra", "changed", "repaired"))
    word = {Verdict.GUARDED: "waits for your word"}.get(row.verdict, row.verdict.value)
    counts = beside_files(row.counts, file_only)
    return f"{word}. {counts}: {found}." + (f" {row.reason}" if row.reason else "") + waits


def _facts(report: DailyReport) -> dict[str, Any]:
    return {
        **report.facts(),
        "checked": [
            {
                "athlete_id": each.athlete_id,
                "error": each.error,
                "notes": list(each.notes),
                "file_only": each.file_only,
                "reconciliation": _row(each.reconciliation),
            }
            for each in report.checked
        ],
        "transform_error": report.transform_error,
    }


def _row(row: Reconciliation | None) -> dict[str, Any] | None:
    if row is None:
        return None
    moments = {name: value and utc_text(value) for name, value in asdict(row).items() if name.endswith("_at")}
    return asdict(row) | moments
