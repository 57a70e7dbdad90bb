"""`athlete query`: one SQL statement over raw, staging and mart, read-only."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from athlete.backends import open_console
from athlete.data_dir import lost_athletes, require_data
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import form_of, print_rows, say
from athlete.parquet import write_parquet
from athlete.past import console_as_of
from backends.saved_queries import SavedQueries
from backends.warehouse.marts import SqlConsole
from runtime.settings import SharedSettings


@exit_on_error
def query(  # noqa: PLR0913 - the command line's options
    sql: Annotated[
        str | None, typer.Argument(help='For example: "select * from mart.activity_summary limit 10".')
    ] = None,
    *,
    saved: Annotated[
        str | None, typer.Option("--saved", metavar="NAME", help="Ask what page SQL saved under that name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="Write the rows into a Parquet file.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="Ask the marts as they were at the end of that day.",
        ),
    ] = None,
) -> None:
    """Ask your data one question in DuckDB's SQL, or BigQuery's with BACKEND=gcp; nothing can be changed.

    Tables are raw.… (what Strava sent), staging.… (cleaned) and mart.… (what the charts show). This lists them:

    "select if(schema = 'main', database, schema) || '.' || name from (show all tables)"

    And "describe mart.fct_activities" lists the columns of one.

    --as-of builds what the statement names again, apart from your marts, with that day in the place of today, without
    later activities and with the edits undone and the events left out that were stored since. What was deleted since
    is gone, and activities that were loaded or imported since are there.
    """
    if parquet is not None and (as_json or as_csv):
        raise CommandError("Choose one of --json, --csv and --parquet.")
    form = form_of(as_json=as_json, as_csv=as_csv)
    settings = SharedSettings()
    sql = _statement(settings, sql, saved)
    require_data(settings)
    warn(asyncio.run(lost_athletes(settings)))
    with _console(settings, sql, as_of) as console, _ended_by_ctrl_c():
        if parquet is not None:
            _write(console, sql, parquet)
            return
        answer = console.query(sql)
        warn(bytes_told(answer.scanned_bytes))
        print_rows(answer.columns, answer.rows, form, Console())


def _statement(settings: SharedSettings, sql: str | None, saved: str | None) -> str:
    """Return what is asked, be it given or saved. Raises CommandError, OSError."""
    if (sql is None) == (saved is None):
        raise CommandError("Give a statement, or the NAME of one that is saved with --saved NAME.")
    if saved is None:
        return sql or ""
    kept = SavedQueries(settings.queries_path)
    if saved not in (names := kept.names()):
        there = f"saved are {', '.join(names)}." if names else "page SQL of the dashboard saves some."
        raise CommandError(f"{settings.queries_path} has no query {saved}: {there}")
    return kept.read(saved)


@contextmanager
def _console(settings: SharedSettings, sql: str, as_of: datetime | None) -> Iterator[SqlConsole]:
    """Open the warehouse as it is, or as it was at the end of a day; what was built for that goes afterwards."""
    if as_of is None:
        with closing(open_console(settings)) as console:
            yield console
    else:
        with console_as_of(as_of.date(), sql) as console:
            yield console


def _write(console: SqlConsole, sql: str, path: Path) -> None:
    """Write the rows into a file. Raises CommandError where there is no folder for it."""
    if not path.parent.is_dir() or path.is_dir():
        raise CommandError(f"{path} cannot be written: name a file in a folder that is there.")
    found = console.arrow(sql)
    warn(bytes_told(found.scanned_bytes))
    count = write_parquet(path, found)
    say(f"{count:,} {'row is' if count == 1 else 'rows are'} in {path}.")


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
