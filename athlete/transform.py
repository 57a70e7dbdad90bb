"""`athlete transform`: run dbt now and publish the marts."""

import asyncio
import re
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error
from backends.engine import is_on_gcp
from runtime.logs import configure_logs
from worker.dbt_runner.port import Node
from worker.dbt_runner.settings import TransformSettings
from worker.dbt_runner.transformer import Transformed

SUCCEEDED = {"success", "pass"}
FAILED = {"error", "fail", "runtime error", "partial success"}
MOST_CHARACTERS = 400


@exit_on_error
def transform(
    *,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Rebuild every table instead of adding what is new.")
    ] = False,
    tests: Annotated[
        bool, typer.Option("--tests", help="Run dbt's tests too; if one fails, nothing is published.")
    ] = False,
) -> None:
    """Build the tables behind the charts (staging, mart) from what Strava sent (raw), with dbt, and publish them.

    `athlete up` does this by itself after every event; a run that is under way is waited for.
    """
    settings = TransformSettings()
    require_pipeline(settings)
    if lost := asyncio.run(lost_athletes(settings)):
        raise CommandError(f"Nothing was published; the marts published before stay. {lost}")
    configure_logs(settings.log_format, "CRITICAL")  # a failure is told below
    console = Console()
    with console.status("dbt is at work …"):
        done = asyncio.run(_once(settings, full_refresh=full_refresh, tests=tests))
    if done.run.error:
        raise CommandError(f"Nothing was published; the marts published before stay. {fault(done)}")
    console.print(_table(done.nodes))
    seconds = (done.run.finished_at - done.run.started_at).total_seconds()
    where = "the marts in BigQuery" if is_on_gcp(settings) else settings.mart_path
    console.print(f"Published {where} after {seconds:.1f} s.", highlight=False)


def fault(done: Transformed) -> str:
    """Say on one line what stopped a run: the first node that failed, and how many more did."""
    failed = [node for node in done.nodes if node.status in FAILED]
    if not failed:
        return one_line(done.run.error or "")
    more = f" (and {len(failed) - 1} more)" if failed[1:] else ""
    return f"dbt failed at {failed[0].name}{more}: {one_line(failed[0].message or failed[0].status)}"


def one_line(message: str) -> str:
    """Join dbt's lines up to the database's drawing of where in the SQL it stumbled."""
    line = " ".join(re.split(r"\n\s*LINE \d+:", message, maxsplit=1)[0].split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}…"


async def _once(settings: TransformSettings, *, full_refresh: bool, tests: bool) -> Transformed:
    from worker.dbt_runner.main import open_transformer  # noqa: PLC0415 - dbt, which the other commands need not wait for

    async with open_transformer(settings) as transformer:
        return await transformer.run(full_refresh=full_refresh, tests=tests)


def _table(nodes: tuple[Node, ...]) -> Table:
    table = Table("node", "status")
    table.add_column("seconds", justify="right")
    for node in nodes:
        colour = "green" if node.status in SUCCEEDED else "yellow"
        table.add_row(node.name, Text(node.status, colour), f"{node.seconds:.2f}")
    return table
