"""`athlete events`: the ledger, which says what became of every event."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from athlete.backends import open_store
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error, warn
from athlete.output import Form, minute, print_rows, say, second
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now, utc_text
from runtime.settings import SharedSettings

T = TypeVar("T", int, int | None)

OUTCOMES = " or ".join(", ".join(Outcome).rsplit(", ", 1))
COLUMNS = ("finished_at", "athlete_id", "object_type", "object_id", "aspect_type", "outcome", "reason", "attempt",
           "event_time", "received_at", "event_id", "retry_at", "message")  # fmt: skip
FOR_A_PERSON = ("when", "activity", "change", "outcome", "reason")
IN_FULL = (*FOR_A_PERSON, "athlete", "event", "message")
EXPLAINED = {
    Outcome.STORED: "Strava was asked, and its answer is stored. Nothing is left to do.",
    Outcome.UNCHANGED: "What is stored is as new as what Strava shows, or newer. Nothing is left to do.",
    Outcome.DELETED: "The activity is gone at Strava, so its content was removed here. Nothing is left to do.",
    Outcome.DEFERRED: "It cannot be finished now, for this reason, and is tried again by itself.",
    Outcome.PARKED: "It needs a person. Do what the reason says, then run `athlete replay --parked`; if it is of no "
    "use, run `athlete events --dismiss EVENT`.",
    Outcome.IGNORED: "It is about nothing that is kept here, or a person dismissed it. Nothing is left to do.",
    Outcome.PURGED: "Its athlete's data was removed, and it brings nothing back. The athlete can connect again.",
}
LARGEST = 2**63 - 1  # of the ledger's integers
LONGEST_SHOWN = 40
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@exit_on_error
def events(  # noqa: PLR0913 - one argument a filter
    *,
    event: Annotated[
        str | None, typer.Option(help="Only the event with this id, in full: with what a message held that is none.")
    ] = None,
    athlete: Annotated[int | None, typer.Option(help="Only events of the athlete with this id.")] = None,
    activity: Annotated[int | None, typer.Option(help="Only events of the activity with this id.")] = None,
    outcome: Annotated[
        Outcome | None, typer.Option(metavar="OUTCOME", help=f"Only events that ended {OUTCOMES}.")
    ] = None,
    parked: Annotated[bool, typer.Option("--parked", help="Only what still needs a person, with its id.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Of that only what the queue gave up, and why.")] = False,
    since: Annotated[
        str | None,
        typer.Option(help="Only what happened since: a time (2026-05-01, 2026-05-01T12:00Z) or an age (30m, 12h, 7d)."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what happened before: a time or an age.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many events.")] = 50,
    dismiss: Annotated[
        str | None, typer.Option(metavar="EVENT", help="Settle the parked event with this id: nothing more is done.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every column, as one JSON object a line.")] = False,
) -> None:
    """List the events that Strava sent and what became of each, newest first.

    An event that had to be tried again has a row for each attempt. With --parked, --dead or --event its id is told, by
    which `athlete replay --event` tries it once more and --dismiss settles it. Times are those
    of DISPLAY_TIMEZONE.
    """
    settings, zone = SharedSettings(), DashboardSettings().display_timezone
    require_pipeline(settings)
    warn(asyncio.run(lost_athletes(settings)))
    if dismiss is not None:
        say(asyncio.run(_dismiss(settings, dismiss)))
        return
    wanted = LedgerFilter(
        event_id=event,
        athlete_id=within_reach("--athlete", athlete),
        activity_id=within_reach("--activity", activity),
        outcome=Outcome.PARKED if parked else outcome,
        since=read_moment("--since", since, zone),
        until=read_moment("--until", until, zone),
        is_newest=parked or dead,
        is_dead=dead,
    )
    rows = asyncio.run(_recent(settings, wanted, limit))
    console, in_full = Console(), parked or dead or event is not None
    if as_json:
        print_rows(COLUMNS, map(whole_row, rows), Form.JSON, console)
    elif in_full:
        print_rows(IN_FULL, (full_row(row, zone) for row in rows), Form.TABLE, console, downwards=True)
    else:
        print_rows(FOR_A_PERSON, (short_row(row, zone) for row in rows), Form.TABLE, console, whole=FOR_A_PERSON[:-1])
    if not as_json:
        for each in dict.fromkeys(row.outcome for row in rows):
            console.print(f"{each}: {EXPLAINED[each]}", highlight=False, markup=False)


async def _recent(settings: SharedSettings, wanted: LedgerFilter, limit: int) -> list[LedgerEntry]:
    async with open_store(settings, read_only=True) as store:
        return await store.recent(wanted, limit=within_reach("--limit", limit))


async def _dismiss(settings: SharedSettings, event_id: str) -> str:
    """Settle a parked event by a row of a person's, and return what to say. Raises CommandError."""
    async with open_store(settings) as store:
        found = await store.recent(LedgerFilter(event_id=event_id, is_newest=True), limit=1)
        if not found:
            raise CommandError(f"No event has the id {shortened(event_id)}: `athlete events --parked` tells ids.")
        [entry] = found
        if entry.outcome is not Outcome.PARKED:
            raise CommandError(f"Event {event_id} is {entry.outcome}, so nothing of it waits for a person.")
        now = utc_now()
        row = replace(
            entry,
            delivery_id=f"{event_id}/dismissed/{utc_text(now)}",
            outcome=Outcome.IGNORED,
            reason="A person dismissed it with `athlete events --dismiss`.",
            reason_kind=None,
            attempt=0,
            finished_at=now,
            message=None,
        )
        await store.dismiss(row)
    return f"Dismissed event {event_id}. It had been parked because: {entry.reason}"


def whole_row(entry: LedgerEntry) -> Sequence[Any]:
    """Return the values of COLUMNS; those of an event that could not be read are None."""
    event = entry.event
    about = (event.owner_id, event.object_type, event.object_id, event.aspect_type) if event else (None,) * 4
    ended = (entry.outcome, entry.reason, entry.attempt)
    event_time, received_at = event and utc_text(event.event_time), entry.received_at and utc_text(entry.received_at)
    retry_at = entry.retry_at and utc_text(entry.retry_at)
    return utc_text(entry.finished_at), *about, *ended, event_time, received_at, entry.event_id, retry_at, entry.message


def short_row(entry: LedgerEntry, zone: ZoneInfo) -> Sequence[Any]:
    """Return what a person asks first: when, which activity, what happened, how it ended and why."""
    event = entry.event
    about = (event.object_id if event.is_activity else event.object_type, event.aspect_type) if event else ("", "")
    again = f" Tried again from {minute(entry.retry_at, zone)}." if entry.retry_at else ""
    return second(entry.finished_at, zone), *about, entry.outcome, f"{entry.reason}{again}"


def full_row(entry: LedgerEntry, zone: ZoneInfo) -> Sequence[Any]:
    """Return the values of IN_FULL."""
    return *short_row(entry, zone), entry.event and entry.event.owner_id, entry.event_id, entry.message


def within_reach(option: str, number: T) -> T:
    """Return the number if the database can hold it. Raises CommandError."""
    if number is not None and abs(number) > LARGEST:
        raise CommandError(f"{option} is beyond every number that is stored: give at most {LARGEST}.")
    return number


def read_moment(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read what an option says, if it was given. Raises CommandError."""
    return None if text is None else read_since(text, utc_now(), zone, option)


def read_since(text: str, now: datetime, zone: ZoneInfo, option: str = "--since") -> datetime:
    """Read a date, a time (of the zone unless it has an offset) or an age such as 12h. Raises CommandError."""
    age = re.fullmatch(r"([0-9]{1,19})([mhd])", text)
    try:
        if age:
            return now - timedelta(**{UNITS[age[2]]: int(age[1])})
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise CommandError(f"{option} {text} is beyond every calendar; leave it out to see all events.") from error
    except ValueError as error:
        shown = shortened(text)
        raise CommandError(f"{option} {shown} is neither a time such as 2026-05-01 nor an age such as 12h.") from error


def shortened(text: str) -> str:
    """Return what was typed, short enough for a sentence."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
