"""What must hold when the scenario is over: Strava and the warehouse tell the same, down to each payload."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from athlete.demo.config import STREAMS_DAYS
from athlete.demo.latency import STAGES, UNKNOWN, percentiles
from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import Save
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from backends.warehouse.marts import MartMissing, MartReader, QueryFailed
from backends.warehouse.reconciliations import Reconciliation, Verdict, compared_counts
from backends.warehouse.streams import StreamRule
from runtime.clock import utc_now
from strava.payload import ActivityPayload

SETTLE_PATIENCE_S = 90.0  # a loaded machine needs minutes, but something moves all the time
_LOOK_S = 0.1
MOST_DELIVERIES = 100_000  # of the scenario, which has some hundred
ARRIVED = {Outcome.STORED, Outcome.UNCHANGED, Outcome.DELETED}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold, and what was seen."""

    name: str
    holds: bool
    seen: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """All checks, and the numbers of the run as they go on the JSON line."""

    checks: Sequence[Check]
    numbers: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether all holds."""
        return all(check.holds for check in self.checks)


async def settle(
    session: DemoSession,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bool:
    """Wait until Strava has nothing left to send, the queue is empty, the curves are there and the marts are fresh.

    It waits as long as anything moves; False where nothing has for SETTLE_PATIENCE_S.
    """
    seen, moved_at = "", clock()
    while not await _is_quiet(session):
        now = await _standing(session)
        if now != seen:
            seen, moved_at = now, clock()
        elif clock() - moved_at >= SETTLE_PATIENCE_S:
            return False
        await pause(_LOOK_S)
    return True


async def _is_quiet(session: DemoSession) -> bool:
    is_sent = await session.simulator.is_idle() and (await session.queue.status()).waiting == 0
    is_fresh = is_sent and await _is_fresh(session.store)
    return is_fresh and not await _due_curves(session) and await _is_fresh(session.store)


async def _due_curves(session: DemoSession) -> int:
    """Return how many activities lack the curves that the demo shows, or have outdated ones."""
    store, athlete_id = session.store, session.athlete_id
    recent = await store.due_streams(athlete_id, [StreamRule()], since=_curves_since())
    return len(recent) + len(await store.due_streams(athlete_id, []))


def _curves_since() -> datetime:
    return utc_now() - timedelta(days=STREAMS_DAYS)


async def _standing(session: DemoSession) -> str:
    """Return a text that changes whenever a message, a row or a build moves on; a build that fails again does not."""
    store = session.store
    run, error = await store.last_run(), await store.last_error()
    built = [] if error else sorted(map(_size_and_time, session.config.data_dir.glob("transform.duckdb*")))
    waiting = (await session.queue.status()).waiting
    return f"{waiting} {await store.watermark()} {run and run.run_id} {error} {built}"


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:  # a log that dbt has just emptied
        return 0, 0
    return found.st_size, found.st_mtime_ns


async def _is_fresh(store: RawStore) -> bool:
    run = await store.last_run()
    return run is not None and run.watermark == await store.watermark()


async def check_all(session: DemoSession, mart: MartReader, *, is_quiet: bool) -> Report:
    """Compare everything with the simulator's own truth. `is_quiet` is what `settle` said before."""
    rows = await session.store.recent(LedgerFilter(), limit=MOST_DELIVERIES)
    outcomes = outcomes_of(await session.simulator.saves(), rows, session.subscription_id)
    truth = await session.simulator.activities()
    stored = await session.store.stored(await session.store.activity_ids(session.athlete_id))
    hashes = {activity_id: row.payload_hash for activity_id, row in stored.items()}
    dead = (await session.queue.status()).dead
    is_fresh = await _is_fresh(session.store)
    check = await session.store.last_reconciliation(session.athlete_id)
    checks = [
        Check(name="The pipeline became quiet", holds=is_quiet, seen="nothing waits" if is_quiet else "see the logs"),
        every_event(outcomes),
        _same_activities(truth, hashes),
        _same_payloads(truth, hashes),
        nothing_parked(rows, dead),
        Check(name="The marts are fresh", holds=is_fresh, seen=f"last transform {'=' if is_fresh else '≠'} raw"),
        _same_mart(truth, mart),
        await _have_curves(session),
        *checked_daily(check),
    ]
    numbers = {
        "events_sent": len(outcomes),
        "events_stored": sum(outcome in ARRIVED for outcome in outcomes),
        "activities_strava": len(truth),
        "activities_warehouse": len(hashes),
        "verdict": check and check.verdict,
        **_latencies_ms(mart, session.athlete_id),
    }
    return Report(checks=checks, numbers=numbers)


def outcomes_of(saves: Sequence[Save], rows: Sequence[LedgerEntry], subscription_id: int) -> list[Outcome | None]:
    """Return how each event that Strava sent ended, by the ledger's rows, newest first; None where it has not.

    A repeated event has the id of its first, and so have two equal saves within a second: each one's end is the first
    that was received after it.
    """
    ends: defaultdict[str | None, list[LedgerEntry]] = defaultdict(list)
    for row in reversed(rows):
        if row.outcome is not Outcome.DEFERRED:
            ends[row.event_id].append(row)
    return [
        next((end.outcome for end in ends[event_id] if end.received_at and end.received_at >= save.saved_at), None)
        for save in saves
        if (event_id := save.event_id(subscription_id))
    ]


def every_event(outcomes: Sequence[Outcome | None]) -> Check:
    """Each event that Strava sent, repeated ones too, has its own good end in the ledger."""
    ended = sum(outcome in ARRIVED for outcome in outcomes)
    seen = f"{ended:,} of {len(outcomes):,} events"
    return Check(name="Every event arrived", holds=ended == len(outcomes) > 0, seen=seen)


def _same_activities(truth: Sequence[Mapping[str, Any]], stored: Mapping[int, str | None]) -> Check:
    ids = {activity["id"] for activity in truth}
    missing, extra = len(ids - stored.keys()), len(stored.keys() - ids)
    is_same = not missing and not extra
    seen = compared_counts(len(ids), len(stored), is_complete=is_same)
    if not is_same:
        seen += f": {missing:,} missing, {extra:,} extra"
    return Check(name="Nothing is missing", holds=is_same, seen=seen)


def _same_payloads(truth: Sequence[Mapping[str, Any]], stored: Mapping[int, str | None]) -> Check:
    own = {activity["id"]: ActivityPayload.from_json(activity).payload_hash for activity in truth}
    same = sum(stored.get(activity_id) == payload_hash for activity_id, payload_hash in own.items())
    return Check(
        name="Each payload is Strava's newest", holds=same == len(own), seen=f"{same:,} of {len(own):,} are equal"
    )


def nothing_parked(rows: Sequence[LedgerEntry], dead: int) -> Check:
    """No row of the ledger says parked, also if its event was stored later, and no letter is dead."""
    parked = sum(row.outcome is Outcome.PARKED for row in rows)
    return Check(name="Nothing is parked", holds=parked == dead == 0, seen=f"{parked:,} parked, {dead:,} dead letters")


def _same_mart(truth: Sequence[Mapping[str, Any]], mart: MartReader) -> Check:
    name = "The marts tell the same"
    try:
        row = mart.rows("select count(*) as activities, sum(distance_m) as distance_m from mart.fct_activities")[0]
    except (MartMissing, QueryFailed, WarehouseBusy) as error:
        return Check(name=name, holds=False, seen=str(error))
    distance_m = sum(activity.get("distance") or 0 for activity in truth)
    in_mart_m = float(str(row["distance_m"] or 0))
    return Check(
        name=name,
        holds=row["activities"] == len(truth) and abs(in_mart_m - distance_m) < 1,
        seen=f"Strava {distance_m / 1000:,.1f} km = mart {in_mart_m / 1000:,.1f} km",
    )


async def _have_curves(session: DemoSession) -> Check:
    asked = await session.store.stream_count(session.athlete_id, since=_curves_since())
    due = await _due_curves(session)
    seen = f"asked for {asked:,} of the last {STREAMS_DAYS} days, {due:,} due"
    return Check(name="Recent activities have their curves", holds=asked > 0 and not due, seen=seen)


def checked_daily(row: Reconciliation | None) -> list[Check]:
    """The daily job found the one edit of which no event told, and vouches for all the rest."""
    crop, verdict = "A crop without an event is found", "The daily job's verdict is complete"
    if row is None:
        return [Check(name=name, holds=False, seen="the job told none; see daily.log") for name in (crop, verdict)]
    found = [f"{getattr(row, name):,} {name}" for name in ("missing", "extra", "changed", "repaired")]
    is_found = (row.missing, row.extra, row.changed, row.repaired) == (0, 0, 1, 1)
    return [
        Check(name=crop, holds=is_found, seen=", ".join(found)),
        Check(name=verdict, holds=row.verdict is Verdict.COMPLETE, seen=f"{row.verdict}: {row.counts}"),
    ]


def _latencies_ms(mart: MartReader, athlete_id: int) -> dict[str, Any]:
    try:
        measured = percentiles(mart, athlete_id)
    except (MartMissing, QueryFailed, WarehouseBusy):  # told by the check of the marts
        measured = dict.fromkeys(STAGES, UNKNOWN)
    return {
        f"{stage}_ms": {name: seconds and round(seconds * 1000) for name, seconds in took.items()}
        for stage, took in measured.items()
    }


def report_table(report: Report) -> Table:
    """Show what must hold, and how fast it was."""
    table = Table(title="The scenario, checked", title_justify="left")
    for heading in ("", "what must hold", "what was seen"):
        table.add_column(heading)
    for check in report.checks:
        table.add_row("[green]✓[/]" if check.holds else "[red]✗[/]", check.name, check.seen)
    for stage in STAGES:
        times = report.numbers[f"{stage}_ms"]
        seen = f"p50 {_milliseconds(times['p50'])}, p95 {_milliseconds(times['p95'])}"
        table.add_row("", stage.replace("_to_", " → "), seen)
    return table


def _milliseconds(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:,} ms"
