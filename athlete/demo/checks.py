"""What must hold when a scripted life is over: Strava and the warehouse tell the same, down to each payload."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from athlete.complaints import Complaint
from athlete.demo.journeys import Journey, journeys, p50_p95
from athlete.demo.pretend import PretendStrava, Save
from athlete.demo.stage import Stage
from backends.queue import EventQueue
from backends.sqlite import connect
from backends.warehouse import MartReader, RawStore
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


async def settle(pretend: PretendStrava, queue: EventQueue, store: RawStore) -> None:
    """Wait until Strava has nothing left to send, the queue is empty and the marts are fresh. Raises Complaint."""
    try:
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            while not await _is_quiet(pretend, queue, store):  # noqa: ASYNC110 - other programs bring the quiet
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise Complaint(f"The pipeline was not quiet within {SETTLE_TIMEOUT_S} s; see the logs in DATA_DIR.") from error


async def _is_quiet(pretend: PretendStrava, queue: EventQueue, store: RawStore) -> bool:
    if any(save.fate == "pending" for save in await pretend.saves()):
        return False
    return (await queue.status()).waiting == 0 and await _is_fresh(store)


async def _is_fresh(store: RawStore) -> bool:
    run = await store.last_run()
    return run is not None and run.watermark == await store.watermark()


async def judge(stage: Stage, pretend: PretendStrava, queue: EventQueue, store: RawStore, mart: MartReader) -> Verdict:
    """Compare everything with the pretend Strava's own truth."""
    saves = [save for save in await pretend.saves() if save.event is not None]
    ways = journeys(stage.data_dir / "pipeline.sqlite", saves)
    truth = await pretend.activities()
    stored = _stored_hashes(stage.data_dir / "pipeline.sqlite")
    dead = (await queue.status()).dead
    checks = [
        _every_event(ways),
        _same_activities(truth, stored),
        _same_payloads(truth, stored),
        _nothing_parked(ways, dead),
        Check(name="The marts are fresh", holds=await _is_fresh(store), seen="last transform = raw's watermark"),
        _same_mart(truth, mart),
    ]
    return Verdict(checks=checks, numbers=_numbers(saves, ways, truth, stored))


def _stored_hashes(pipeline: Path) -> dict[int, str]:
    with closing(connect(pipeline, read_only=True)) as connection:
        rows = connection.execute("select activity_id, payload_hash from strava_activities where is_deleted = 0")
        return dict(rows.fetchall())


def _every_event(ways: Sequence[Journey]) -> Check:
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


def _nothing_parked(ways: Sequence[Journey], dead: int) -> Check:
    parked = sum(way.outcome == "parked" for way in ways)
    return Check(name="Nothing is parked", holds=parked == dead == 0, seen=f"{parked} parked, {dead} dead letters")


def _same_mart(truth: Sequence[Mapping[str, Any]], mart: MartReader) -> Check:
    row = mart.rows("select count(*) as activities, sum(distance_m) as distance_m from mart.fct_activities")[0]
    distance_m = sum(activity.get("distance") or 0 for activity in truth)
    in_mart_m = float(str(row["distance_m"] or 0))
    return Check(
        name="The marts tell the same",
        holds=row["activities"] == len(truth) and abs(in_mart_m - distance_m) < 1,
        seen=f"Strava {distance_m / 1000:,.1f} km = mart {in_mart_m / 1000:,.1f} km",
    )


def _numbers(
    saves: Sequence[Save], ways: Sequence[Journey], truth: Sequence[Any], stored: Mapping[int, str]
) -> dict[str, Any]:
    arrived = {way.save.event_key for way in ways if way.outcome in ARRIVED}
    return {
        "events_sent": len(saves),
        "events_stored": sum(save.event_key in arrived for save in saves),
        "activities_strava": len(truth),
        "activities_warehouse": len(stored),
        "save_to_raw_ms": p50_p95([way.to_raw_ms for way in ways if way.to_raw_ms is not None]),
        "save_to_chart_ms": p50_p95([way.to_chart_ms for way in ways if way.to_chart_ms is not None]),
    }
