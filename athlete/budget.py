"""`athlete budget`: the calls that Strava allows the app, who may still make how many, and who waits."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from athlete.backends import open_budget, open_queue, open_store
from athlete.data_dir import require_usable
from athlete.errors import exit_on_error, require_this_machine
from athlete.output import Form, print_rows
from backends.queue import QueueStatus
from backends.warehouse.ledger import LedgerEntry
from dashboard.settings import DashboardSettings
from runtime.clock import utc_text
from strava.budget import BudgetStatus, WindowStatus
from strava.budget_state import Lane
from worker.settings import WorkerSettings

COLUMNS = ("limit", "used", "of", "left", "comes back", "UTC", *(f"{lane} lane" for lane in Lane))
UNKNOWN = "Nothing is known of Strava's limits yet: the first answer from Strava tells them."
MINUTE_S = 60
MOST_COUNTED = 10_000


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the command tells. `queue` is None where no pipeline has run yet; `deferred` are events off the queue."""

    budget: BudgetStatus
    queue: QueueStatus | None = None
    deferred: Sequence[LedgerEntry] = ()


@exit_on_error
def budget(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False
) -> None:
    """Show the calls that Strava allows the app: used, left, when they come back, what each lane may use, who waits.

    Calls are made in lanes: live events before reconciling, details of the history and streams. Each lane leaves
    head-room for those before it. Nothing is asked of Strava.
    """
    settings = WorkerSettings()
    require_this_machine(
        settings, "each program there counts the calls by itself, as Strava's answers tell them: see the page Pipeline"
    )
    require_usable(settings.data_dir)
    standing = asyncio.run(_standing(settings))
    if as_json:
        print(json.dumps(_facts(standing)))  # noqa: T201 - for machines
        return
    console, zone = Console(), DashboardSettings().display_timezone
    if standing.budget.windows:
        rows = [_row(window, zone) for window in standing.budget.windows]
        print_rows(COLUMNS, rows, Form.TABLE, console, whole=COLUMNS)
    for sentence in _sentences(standing, zone):
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)


async def _standing(settings: WorkerSettings) -> Standing:
    budget_status = await open_budget(settings, settings.budget_shares).status()
    if not settings.pipeline_path.exists():
        return Standing(budget=budget_status)
    async with open_queue(settings) as queue, open_store(settings, read_only=True) as store:
        deferred = await store.deferred_events(due_by=None, how_many=MOST_COUNTED)
        return Standing(budget=budget_status, queue=await queue.status(), deferred=deferred)


def _facts(standing: Standing) -> dict[str, Any]:
    found = standing.budget
    return {
        "as_of": utc_text(found.as_of),
        "windows": [
            {
                "name": window.name,
                "limit": window.limit,
                "used": window.used,
                "left": window.left[Lane.LIVE],
                "resets_at": utc_text(window.resets_at),
                "lanes": window.left,
            }
            for window in found.windows
        ],
        "closed": found.closed_until
        and {
            "until": utc_text(found.closed_until),
            "reason": str(found.closed_because),
            "for_all": found.is_closed_for_all,
        },
        "refused_this_quarter_hour": found.refused,
        "queue": standing.queue and asdict(standing.queue),
        "deferred": [
            {
                "event_id": entry.event_id,
                "retry_at": entry.retry_at and utc_text(entry.retry_at),
                "reason": entry.reason,
            }
            for entry in standing.deferred
        ],
    }


def _row(window: WindowStatus, zone: ZoneInfo) -> Sequence[Any]:
    local, utc = _spoken(window.resets_at, zone), f"{window.resets_at.astimezone(UTC):%H:%M}"
    left = [window.left[lane] for lane in Lane]
    return window.name.spoken, window.used, window.limit, left[0], local, utc, *left


def _sentences(standing: Standing, zone: ZoneInfo) -> Iterator[str]:
    found = standing.budget
    if found.closed_until is not None:
        until = _spoken(found.closed_until, zone)
        who = "No call is made" if found.is_closed_for_all else "One program makes no call, and others do,"
        yield f"{who} until {until} ({found.closed_until:%H:%M} UTC). {found.closed_because}"
    elif not found.windows:
        yield UNKNOWN
    if found.refused:
        told = ", ".join(f"{lane} {count:,}" for lane, count in found.refused.items())
        yield f"Calls that had to wait in this quarter hour, by lane: {told}."
    if standing.queue is not None and standing.queue.waiting:
        age_s = standing.queue.oldest_age_s or 0.0
        yield f"Events that wait in the queue: {standing.queue.waiting:,}, the oldest for {age_s / MINUTE_S:.0f} min."
    if standing.deferred:
        first, count = standing.deferred[0].retry_at, len(standing.deferred)
        many = "or more " if count == MOST_COUNTED else ""
        when = f"; the first is tried again from {_spoken(first, zone)}" if first else ""
        yield f"Events that wait off the queue: {count:,} {many}({standing.deferred[0].reason.rstrip('.')}){when}."


def _spoken(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %H:%M} {zone.key}"
