"""`athlete events`: the ledger, which says what became of every event."""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from athlete.complaints import Complaint, complains
from athlete.printing import form_of, print_rows
from backends.settings import SharedSettings
from backends.sqlite import connect, utc_text
from backends.warehouse import Outcome

SQL = (Path(__file__).parent / "events.sql").read_text()
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@complains
def events(  # noqa: PLR0913 - one argument a filter
    *,
    athlete: Annotated[int | None, typer.Option(help="Only this athlete's.")] = None,
    activity: Annotated[int | None, typer.Option(help="Only this activity's.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those that ended so.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Not before: 2026-05-01, 2026-05-01T12:00Z, or 30m, 12h, 7d.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what became of the events that Strava sent, newest first, one row a delivery."""
    settings = SharedSettings()
    if not settings.pipeline_path.exists():
        raise Complaint(f"No events yet: there is no {settings.pipeline_path}. Start with `athlete up`.")
    filters = {
        "athlete": athlete,
        "activity": activity,
        "outcome": outcome and outcome.value,
        "since": since and utc_text(read_since(since, datetime.now(UTC))),
        "limit": limit,
    }
    with closing(connect(settings.pipeline_path, read_only=True)) as connection:
        found = connection.execute(SQL, filters)
        print_rows([column[0] for column in found.description], found, form_of(as_json=as_json), Console())


def read_since(text: str, now: datetime) -> datetime:
    """Read a date, a time (local unless it has an offset) or an age such as 12h. Raises Complaint."""
    if age := re.fullmatch(r"(\d+)([mhd])", text):
        return now - timedelta(**{UNITS[age[2]]: int(age[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise Complaint(f"--since {text} is neither a time such as 2026-05-01 nor an age such as 12h.") from error
