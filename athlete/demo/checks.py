"""What must hold when a scripted life is over: Strava and the warehouse tell the same, down to each payload."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from athlete.demo.latency import Journey, journeys, speeds
from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import SimulatorClient
from backends.queue import EventQueue
from backends.sqlite import connect
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.marts import MartMissing, MartReader, QueryFailed
from strava.payload import ActivityPayload

SETTLE_TIMEOUT_S = 90
ARRIVED = {"stored", "unchanged", "deleted"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must hold, and what was seen."""

    name: str
    holds: bool
    seen: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All checks, and the numbers of the run as they go on the JSON line."""

    checks: Sequence[Check]
    numbers: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether all holds."""
        return all(check.holds for check in self.checks)


async def settle(
    simulator: SimulatorClient, queue: EventQueue, store: RawStore, *, timeout_s: float = SETTLE_TIMEOUT_S
) -> bool:
    """Wait until Strava has nothing left to send, the queue is empty and the marts are fresh; False if they are not."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await _is_quiet(simulator, queue, store):  # noqa: ASYNC110 - other programs bring the quiet
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False
    return True


async def _is_quiet(simulator: SimulatorClient, queue: EventQueue, store: RawStore) -> bool:
    return await simulator.is_idle() and (await queue.status()).waiting == 0 and await _is_fresh(store)


async def _is_fresh(store: RawStore) -> bool:
    run = await store.last_run()
    return run is not None and run.watermark == await store.watermark()


async def judge(session: DemoSession, mart: MartReader, *, is_quiet: bool) -> Verdict:
    """Compare everything with the simulator's own truth. `is_quiet` is what `settle` said before."""
    pipeline = session.config.files.pipeline_path
    ways = journeys(pipeline, await session.simulator.saves(), session.subscription_id)
    truth = await session.simulator.activities()
    stored = _stored_hashes(pipeline)
    dead = (await session.queue.status()).dead
    is_fresh = await _is_fresh(session.store)
    checks = [
        Check(name="The pipeline became quiet", holds=is_quiet, seen="in time" if is_quiet else "see the logs"),
        every_event(ways),
        _same_activities(truth, stored),
        _same_payloads(truth, stored),
        nothing_parked(pipeline, dead),
        Check(name="The marts are fresh", holds=is_fresh, seen=f"last transform {'=' if is_fresh else '≠'} raw"),
        _same_mart(truth, mart),
    ]
    return Verdict(checks=checks, numbers=_numbers(ways, truth, stored))


def _stored_hashes(pipeline: Path) -> dict[int, str]:
    with closing(connect(pipeline, read_only=True)) as connection:
        rows = connection.execute("select activity_id, payload_hash from strava_activities where is_deleted = 0")
        return dict(rows.fetchall())


def every_event(ways: Sequence[Journey]) -> Check:
    """Each event that Strava sent, repeated ones too, has its own good end in the ledger."""
    ended = sum(way.outcome in ARRIVED for way in ways)
    return Check(name="Every event arrived", holds=ended == len(ways) > 0, seen=f"{ended:,} of {len(ways):,} events")


def _same_activities(truth: Sequence[Mapping[str, Any]], stored: Mapping[int, str]) -> Check:
    ids = {activity["id"] for activity in truth}
    missing, extra = len(ids - stored.keys()), len(stored.keys() - ids)
    seen = f"Strava {len(ids):,} = warehouse {len(stored):,}"
    if missing or extra:
        seen = f"Strava {len(ids):,}, warehouse {len(stored):,}: {missing:,} missing, {extra:,} extra"
    return Check(name="Nothing is missing", holds=not missing and not extra, seen=seen)


def _same_payloads(truth: Sequence[Mapping[str, Any]], stored: Mapping[int, str]) -> Check:
    own = {activity["id"]: ActivityPayload.from_json(activity).payload_hash for activity in truth}
    same = sum(stored.get(activity_id) == payload_hash for activity_id, payload_hash in own.items())
    return Check(
        name="Each payload is Strava's newest", holds=same == len(own), seen=f"{same:,} of {len(own):,} are equal"
    )


def nothing_parked(pipeline: Path, dead: int) -> Check:
    """No row of the ledger says parked, whatever else became of its event, and no letter is dead."""
    with closing(connect(pipeline, read_only=True)) as connection:
        (parked,) = connection.execute("select count(*) from strava_events where outcome = 'parked'").fetchone()
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


def _numbers(ways: Sequence[Journey], truth: Sequence[Any], stored: Mapping[int, str]) -> dict[str, Any]:
    to_raw, to_chart = speeds(ways)
    return {
        "events_sent": len(ways),
        "events_stored": sum(way.outcome in ARRIVED for way in ways),
        "activities_strava": len(truth),
        "activities_warehouse": len(stored),
        "save_to_raw_ms": to_raw,
        "save_to_chart_ms": to_chart,
    }


def verdict_table(verdict: Verdict) -> Table:
    """Show what must hold, and how fast it was."""
    table = Table(title="A scripted life, checked", title_justify="left")
    for heading in ("", "what must hold", "what was seen"):
        table.add_column(heading)
    for check in verdict.checks:
        table.add_row("[green]✓[/]" if check.holds else "[red]✗[/]", check.name, check.seen)
    for name, key in (("save → raw", "save_to_raw_ms"), ("save → chart", "save_to_chart_ms")):
        times = verdict.numbers[key]
        table.add_row("", name, f"p50 {_milliseconds(times['p50'])}, p95 {_milliseconds(times['p95'])}")
    return table


def _milliseconds(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:,} ms"
