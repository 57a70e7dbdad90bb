"""`athlete events`: the ledger, which says what became of every event."""

import asyncio
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import Form, print_rows
from backends.sqlite import connect
from backends.warehouse.ledger import Outcome
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings

SQL = (Path(__file__).parent / "events.sql").read_text()
OUTCOMES = " or ".join(", ".join(Outcome).rsplit(", ", 1))
FOR_A_PERSON = ("when", "activity", "change", "outcome", "reason")
LARGEST = 2**63 - 1  # SQLite's
LONGEST_SHOWN = 40
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@exit_on_error
def events(  # noqa: PLR0913 - one argument a filter
    *,
    athlete: Annotated[int | None, typer.Option(help="Only events of the athlete with this id.")] = None,
    activity: Annotated[int | None, typer.Option(help="Only events of the activity with this id.")] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(metavar="OUTCOME", help=f"Only events that ended {OUTCOMES}.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only what happened since: a time (2026-05-01, 2026-05-01T12:00Z) or an age (30m, 12h, 7d)."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many events.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print every column, as one JSON object a line.")] = False,
) -> None:
    """List the events that Strava sent and what became of each, newest first.

    An event that had to be tried again has a row for each attempt. Times are this machine's.
    """
    settings = SharedSettings()
    require_pipeline(settings)
    warn(asyncio.run(lost_athletes(settings)))
    filters = {
        "athlete": within_reach("--athlete", athlete),
        "activity": within_reach("--activity", activity),
        "outcome": outcome and outcome.value,
        "since": since and utc_text(read_since(since, utc_now())),
        "limit": within_reach("--limit", limit),
    }
    with closing(connect(settings.pipeline_path, read_only=True)) as connection:
        _print_events(connection.execute(SQL, filters), as_json=as_json)


def _print_events(found: sqlite3.Cursor, *, as_json: bool) -> None:
    names = [column[0] for column in found.description]
    if as_json:
        print_rows(names, found, Form.JSON, Console())
    else:
        rows = (shortened(dict(zip(names, row, strict=True))) for row in found)
        print_rows(FOR_A_PERSON, rows, Form.TABLE, Console(), whole=FOR_A_PERSON[:-1])


def shortened(event: Mapping[str, Any]) -> Sequence[str]:
    """Keep of an event what a person asks first: when, which activity, what happened, how it ended and why."""
    moment = datetime.fromisoformat(event["finished_at"]).astimezone()
    thing = str(event["object_id"]) if event["object_type"] == "activity" else event["object_type"]
    return f"{moment:%Y-%m-%d %H:%M:%S}", thing, event["aspect_type"], event["outcome"], event["reason"]


def within_reach(option: str, number: int | None) -> int | None:
    """Return the number if the database can hold it. Raises CommandError."""
    if number is not None and abs(number) > LARGEST:
        raise CommandError(f"{option} is beyond every number that is stored: give at most {LARGEST}.")
    return number


def read_since(text: str, now: datetime) -> datetime:
    """Read a date, a time (local unless it has an offset) or an age such as 12h. Raises CommandError."""
    age = re.fullmatch(r"([0-9]{1,19})([mhd])", text)
    try:
        if age:
            return now - timedelta(**{UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        raise CommandError(f"--since {text} is beyond every calendar; leave it out to see all events.") from error
    except ValueError as error:
        shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
        raise CommandError(f"--since {shown} is neither a time such as 2026-05-01 nor an age such as 12h.") from error
