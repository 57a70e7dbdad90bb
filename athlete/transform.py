"""`athlete transform`: run dbt now and publish the marts."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from athlete.complaints import Complaint, complains
from backends.logs import configure_logs
from worker.transform.main import open_transformer
from worker.transform.models import Node
from worker.transform.settings import TransformSettings
from worker.transform.transformer import Transformed

SUCCEEDED = {"success", "pass"}


@complains
def transform(
    *,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build every table anew from raw.")] = False,
    tests: Annotated[
        bool, typer.Option("--tests", help="Run dbt's tests too; a failed one publishes nothing.")
    ] = False,
) -> None:
    """Build staging and mart from raw and publish them; waits for a run that is under way."""
    settings = TransformSettings()
    configure_logs(settings.log_format, "WARNING")
    console = Console()
    with console.status("dbt is at work …"):
        done = asyncio.run(_once(settings, full_refresh=full_refresh, tests=tests))
    if done.run.error:
        raise Complaint(f"The marts were not published; the ones before stay. dbt said: {done.run.error}")
    console.print(_table(done.nodes))
    seconds = (done.run.finished_at - done.run.started_at).total_seconds()
    console.print(f"Published {settings.mart_path} after {seconds:.1f} s.", highlight=False)


async def _once(settings: TransformSettings, *, full_refresh: bool, tests: bool) -> Transformed:
    async with open_transformer(settings) as transformer:
        return await transformer.once(full_refresh=full_refresh, tests=tests)


def _table(nodes: tuple[Node, ...]) -> Table:
    table = Table("node", "status")
    table.add_column("seconds", justify="right")
    for node in nodes:
        colour = "green" if node.status in SUCCEEDED else "yellow"
        table.add_row(node.name, Text(node.status, colour), f"{node.seconds:.2f}")
    return table
