"""`athlete doctor`: one line a check, green, yellow or red, with what to do."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

import httpx
import typer
from rich.console import Console

from athlete.doctor.context import Machine
from athlete.doctor.examination import Line, examine, opened
from athlete.doctor.findings import Status
from athlete.errors import exit_on_error
from athlete.output import Form, print_rows, say
from runtime.http_client import client_for
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from worker.dbt_runner.settings import PROJECT_DIR, TransformSettings

COLUMNS = ("check", "status", "what", "fix")
COLOURS: Mapping[str, str] = {Status.GREEN: "green", Status.YELLOW: "yellow", Status.RED: "bold red"}
TIMEOUT_S = 10.0


@exit_on_error
def doctor(
    context: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Leave out what asks Strava or the network.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line: check, status, what, fix.")] = (
        False
    ),
) -> None:
    """Check everything that the pipeline needs, and say what is wrong and how to mend it. Nothing is changed.

    It works while `athlete up` runs and while it does not. At most three calls are made to Strava, within the rate
    budget. Exit codes: 0 no line is red, 1 a line is red.
    """
    configure_logs(LogFormat.CONSOLE, "CRITICAL")  # what is wrong is told in the lines
    with Console(stderr=True).status("Looking …"):
        lines, calls = asyncio.run(_examined(context.obj or this_machine(), is_offline=offline))
    rows = [(line.check, line.finding.status, line.finding.what, line.finding.fix) for line in lines]
    if as_json:
        print_rows(COLUMNS, rows, Form.JSON, Console())
    else:
        print_rows(COLUMNS, rows, Form.TABLE, Console(), whole=COLUMNS[:2], styles=COLOURS)
        say(summary(lines, calls, is_offline=offline))
    if any(line.finding.status is Status.RED for line in lines):
        raise typer.Exit(1)


async def _examined(machine: Machine, *, is_offline: bool) -> tuple[list[Line], int]:
    async with opened(machine, is_offline=is_offline) as context:
        return await examine(context), context.strava.calls


def this_machine() -> Machine:
    """Return what the checks look at outside of the data."""
    return Machine(
        http_for=_client,
        free_bytes=lambda place: shutil.disk_usage(place).free,
        lock_file=PROJECT_DIR.parent / "requirements" / "athlete.txt",
        project_fault=_project_fault,
    )


def _client(url: str) -> httpx.AsyncClient:
    return client_for(url, timeout=TIMEOUT_S)


def _project_fault(settings: TransformSettings) -> str | None:
    from worker.dbt_runner.main import project_fault  # noqa: PLC0415 - dbt, which the other commands need not wait for

    return project_fault(settings)


def summary(lines: Sequence[Line], calls: int, *, is_offline: bool) -> str:
    """Count the lines, and say what was done for them."""
    counts = Counter(line.finding.status for line in lines)
    told = ", ".join(f"{counts[status]} {status}" for status in reversed(Status))
    asked = "Strava was not asked" if is_offline or not calls else f"Calls that Strava answered: {calls}"
    return f"{told}. {asked}, and nothing was changed."
