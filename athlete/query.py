"""`athlete query`: one SQL statement over raw, staging and mart, read-only."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

import typer
from rich.console import Console

from athlete.backends import open_console
from athlete.data_dir import lost_athletes, require_data
from athlete.errors import exit_on_error, warn
from athlete.output import form_of, print_rows
from runtime.settings import SharedSettings


@exit_on_error
def query(
    sql: Annotated[str, typer.Argument(help='For example: "select * from mart.activity_summary limit 10".')],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
) -> None:
    """Ask your data one question in DuckDB's SQL, or BigQuery's with BACKEND=gcp; nothing can be changed.

    Tables are raw.… (what Strava sent), staging.… (cleaned) and mart.… (what the charts show). This lists them:

    "select if(schema = 'main', database, schema) || '.' || name from (show all tables)"

    And "describe mart.fct_activities" lists the columns of one.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    settings = SharedSettings()
    require_data(settings)
    warn(asyncio.run(lost_athletes(settings)))
    with closing(open_console(settings)) as console, _ended_by_ctrl_c():
        answer = console.query(sql)
        warn(bytes_told(answer.scanned_bytes))
        print_rows(answer.columns, answer.rows, form, Console())


def bytes_told(scanned: int | None) -> str:
    """Say what BigQuery bills for; nothing where reading is free."""
    if scanned is None:
        return ""
    return f"this reads {scanned / 2**20:,.1f} MiB; BigQuery bills 10 MiB of each table at least, unless it is cached."


@contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process on the spot: DuckDB does not listen in a long join, and nothing is half written."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
