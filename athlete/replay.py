"""`athlete replay`: have events handled once more, in turn, after every live event that waits."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from athlete.backends import open_budget, open_store
from athlete.data_dir import lost_athletes, require_pipeline
from athlete.errors import CommandError, exit_on_error, warn
from athlete.events import LARGEST, read_moment, within_reach
from athlete.output import Form, print_rows, say, second
from backends.engine import is_on_gcp
from backends.warehouse import RawStore
from backends.warehouse.athletes import connected_ids
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from dashboard.formatting import Teller
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now, utc_text
from worker.deferred_events import REPLAY_LANE
from worker.settings import WorkerSettings

COLUMNS = ("when", "activity", "change", "outcome", "event")
REASON = "A person asked for it once more with `athlete replay`."
_WORKER = "The worker of `athlete up` takes them up within seconds"
AT_ONCE = 500  # rows; what the worker records meanwhile waits for no more


class Skipped(StrEnum):
    """Why an event is left as it is: the end of a sentence, and what to do."""

    UNREADABLE = "that cannot be read: look at them with `athlete events --parked`"
    NOT_KEPT = "about a profile, of which nothing is kept"
    NOT_CONNECTED = "of athletes who are not connected: run `athlete connect` first"
    UNDER_WAY = "under way already"
    SETTLED = "about an access that was taken back, settled already: `athlete purge` removes an athlete"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The newest rows of the events that come again, oldest first; how many are left as they are, and why.

    It costs so many calls at most, done by a moment that is None where nothing is asked or the limits are unknown.
    """

    events: Sequence[LedgerEntry]
    skipped: Mapping[Skipped, int]
    calls: int
    done_by: datetime | None


@exit_on_error
def replay(  # noqa: PLR0913 - one argument an option
    *,
    event: Annotated[str | None, typer.Option(help="The event with this id, which `athlete events` tells.")] = None,
    activity: Annotated[int | None, typer.Option(help="Every event of the activity with this id.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="What needs a person, once its reason is mended.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="Only what the queue gave up.")] = False,
    since: Annotated[
        str | None, typer.Option(help="What ended since: a time (2026-05-01, 2026-05-01T12:00Z) or an age (12h, 7d).")
    ] = None,
    until: Annotated[str | None, typer.Option(help="What ended before: a time or an age.")] = None,
    athlete: Annotated[int | None, typer.Option(help="Of all these only those of the athlete with this id.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list them, and what they cost.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one JSON object.")] = False,
) -> None:
    """Have events handled once more: one, those of an activity, what is parked or dead, or what ended within a time.

    Options narrow one another. Strava is asked what is true now, so a replay can be repeated, and changes nothing that
    is right already. The worker of `athlete up` takes them in turn, after every live event that waits.
    """
    settings, zone = WorkerSettings(), DashboardSettings().display_timezone
    require_pipeline(settings)
    if not (event or activity is not None or parked or dead or since or until):
        raise CommandError("Say what to replay: --event, --activity, --parked, --dead, --since or --until.")
    wanted = LedgerFilter(
        event_id=event,
        athlete_id=within_reach("--athlete", athlete),
        activity_id=within_reach("--activity", activity),
        outcome=Outcome.PARKED if parked else None,
        since=read_moment("--since", since, zone),
        until=read_moment("--until", until, zone),
        is_newest=True,
        is_dead=dead,
    )
    warn(asyncio.run(lost_athletes(settings)))
    found = asyncio.run(_replay(settings, wanted, dry_run=dry_run))
    if as_json:
        print(json.dumps(_facts(found, dry_run=dry_run)))  # noqa: T201 - for machines
        return
    if dry_run and found.events:
        print_rows(COLUMNS, (_row(each, zone) for each in found.events), Form.TABLE, Console(), whole=COLUMNS)
    for sentence in sentences(found, utc_now(), zone, dry_run=dry_run, is_cloud=is_on_gcp(settings)):
        say(sentence)


async def _replay(settings: WorkerSettings, wanted: LedgerFilter, *, dry_run: bool) -> Replay:
    """Choose the events and have them come again. Raises WarehouseBusy."""
    async with open_store(settings, read_only=dry_run) as store:
        newest = await store.recent(wanted, limit=LARGEST)
        connected, now = await connected_ids(store), utc_now()
        chosen: list[LedgerEntry] = []
        skipped: Counter[Skipped] = Counter()
        for entry in reversed(newest):
            reason = _skipped(entry, connected, now)
            if reason is None:
                chosen.append(entry)
            else:
                skipped[reason] += 1
        if not dry_run:
            await _defer(store, chosen)
    calls = len({(entry.event.object_type, entry.event.object_id) for entry in chosen if entry.event})
    budget = open_budget(settings, settings.budget_shares)
    done_by = await budget.allows_by(REPLAY_LANE, calls) if calls else None
    return Replay(events=chosen, skipped=skipped, calls=calls, done_by=done_by)


def _skipped(entry: LedgerEntry, connected: Collection[int], now: datetime) -> Skipped | None:
    event = entry.event
    if event is None:
        return Skipped.UNREADABLE
    if not event.is_activity and not event.is_deauthorization:
        return Skipped.NOT_KEPT
    if event.owner_id not in connected:
        return Skipped.NOT_CONNECTED
    if event.is_deauthorization and entry.outcome not in {Outcome.PARKED, Outcome.DEFERRED}:
        return Skipped.SETTLED  # the tokens may be dead for another reason by now
    if entry.outcome is not Outcome.DEFERRED:
        return None
    comes_by_itself = entry.retry_at is None or entry.retry_at <= now
    return Skipped.UNDER_WAY if comes_by_itself or entry.is_replay else None


async def _defer(store: RawStore, chosen: Sequence[LedgerEntry]) -> None:
    """Add the rows by which the worker finds them: durable before they are published, as for all that waits."""
    now = utc_now()
    rows = [
        replace(
            entry,
            delivery_id=f"{entry.event_id}/replay/{utc_text(now)}",
            outcome=Outcome.DEFERRED,
            reason=REASON,
            reason_kind="replayed",
            attempt=0,
            finished_at=now,
            retry_at=now,
        )
        for entry in chosen
    ]
    for first in range(0, len(rows), AT_ONCE):
        await store.record(rows[first : first + AT_ONCE])


def sentences(
    found: Replay, now: datetime, zone: ZoneInfo, *, dry_run: bool = False, is_cloud: bool = False
) -> Iterator[str]:
    """Say what comes again, what that costs, and what is left as it is."""
    count = len(found.events)
    if not count:
        yield "No event comes again."
    elif dry_run:
        done = f", done {Teller(now=now, zone=zone).about(found.done_by)}" if found.done_by else ""
        yield f"Events that would come again: {count:,}, at a cost of {found.calls:,} calls at most{done}."
    else:
        yield f"Events that come again: {count:,}, in turn, after every live event that waits."
        who = "The sweep takes them up within some minutes" if is_cloud else _WORKER
        yield f"{who}, as far as Strava's limits allow."
    for reason, number in found.skipped.items():
        yield f"Left as they are: {number:,} {reason}."
    if dry_run:
        yield "Nothing was changed."


def _row(entry: LedgerEntry, zone: ZoneInfo) -> Sequence[Any]:
    event, when = entry.event, entry.received_at or entry.finished_at
    about = (event.object_id if event.is_activity else event.object_type, event.aspect_type) if event else ("", "")
    return second(when, zone), *about, entry.outcome, entry.event_id


def _facts(found: Replay, *, dry_run: bool) -> dict[str, Any]:
    return {
        "is_dry_run": dry_run,
        "events": [entry.event_id for entry in found.events],
        "calls": found.calls,
        "done_by": found.done_by and utc_text(found.done_by),
        "skipped": {reason.name.lower(): number for reason, number in found.skipped.items()},
    }
