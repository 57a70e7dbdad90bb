"""`athlete events`: the ledger, which says what became of every event."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from athlete.backends import open_store
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import Form, print_rows
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings

T = TypeVar("T", int, int | None)

OUTCOMES = " or ".join(", ".join(Outcome).rsplit(", ", 1))
COLUMNS = ("finished_at", "athlete_id", "object_type", "object_id", "aspect_type", "outcome", "reason", "attempt",
           "event_time", "received_at", "event_id", "retry_at")  # fmt: skip
FOR_A_PERSON = ("when", "activity", "change", "outcome", "reason")
LARGEST = 2**63 - 1  # of the ledger's integers
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
    wanted = LedgerFilter(
        athlete_id=within_reach("--athlete", athlete),
        activity_id=within_reach("--activity", activity),
        outcome=outcome,
        since=None if since is None else read_since(since, utc_now()),
    )
    rows = asyncio.run(_recent(settings, wanted, limit))
    if as_json:
        print_rows(COLUMNS, map(whole_row, rows), Form.JSON, Console())
    else:
        print_rows(FOR_A_PERSON, map(short_row, rows), Form.TABLE, Console(), whole=FOR_A_PERSON[:-1])


async def _recent(settings: SharedSettings, wanted: LedgerFilter, limit: int) -> list[LedgerEntry]:
    async with open_store(settings, read_only=True) as store:
        return await store.recent(wanted, limit=within_reach("--limit", limit))


def whole_row(entry: LedgerEntry) -> Sequence[Any]:
    """Return the values of COLUMNS; those of an event that could not be read are None."""
    event = entry.event
    about = (event.owner_id, event.object_type, event.object_id, event.aspect_type) if event else (None,) * 4
    ended = (entry.outcome, entry.reason, entry.attempt)
    event_time, received_at = event and utc_text(event.event_time), entry.received_at and utc_text(entry.received_at)
    retry_at = entry.retry_at and utc_text(entry.retry_at)
    return utc_text(entry.finished_at), *about, *ended, event_time, received_at, entry.event_id, retry_at


def short_row(entry: LedgerEntry) -> Sequence[Any]:
    """Return what a person asks first: when, which activity, what happened, how it ended and why."""
    event = entry.event
    about = (event.object_id if event.is_activity else event.object_type, event.aspect_type) if event else ("", "")
    again = f" Tried again from {entry.retry_at.astimezone():%Y-%m-%d %H:%M}." if entry.retry_at else ""
    return f"{entry.finished_at.astimezone():%Y-%m-%d %H:%M:%S}", *about, entry.outcome, f"{entry.reason}{again}"


def within_reach(option: str, number: T) -> T:
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
