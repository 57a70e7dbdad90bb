"""From one save to the charts while nothing else happens, by the simulated Strava's own clock."""

import asyncio
import random
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console

from athlete.backends import open_marts
from athlete.data_dir import claimed, demo_folder
from athlete.demo.checks import settle
from athlete.demo.command import DemoOptions, demo_config
from athlete.demo.history import load_history
from athlete.demo.session import DemoSession, open_session
from backends.warehouse.marts import MartReader
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now

SAVES = 40
PAUSE_S = 1.0  # at most, so that a save meets each program at another moment of its round
_SHOWN = "select event_id, received_at, heard_to_chart_s from mart.event_latency where is_on_chart"


def measure() -> dict[str, float]:
    """Let the athlete save, and edit what was saved, each once the charts have what came before."""
    with tempfile.TemporaryDirectory() as folder:
        settings = DashboardSettings(data_dir=Path(folder))
        with claimed(demo_folder(settings.data_dir, once=True)):
            shares = quantiles(asyncio.run(_waits_s(settings)), n=100)
    return {"lone_save_to_chart_p50_ms": 1000 * shares[49], "lone_save_to_chart_p95_ms": 1000 * shares[94]}


async def _waits_s(settings: DashboardSettings) -> list[float]:
    config = demo_config(settings, DemoOptions(), once=True)
    chance = random.Random(7)  # noqa: S311 - no secret
    async with open_session(config) as session:
        await load_history(session, Console(quiet=True))
        await _settle_or_raise(session)
        began = utc_now()
        activity_id = 0
        for number in range(SAVES):
            if number % 2:
                await session.simulator.edit(activity_id, name=f"Title {number}")
            else:
                noon = began.replace(hour=12, minute=10, second=0, microsecond=0) - timedelta(days=1 + number)
                activity_id = await session.simulator.create(sport_type="Run", start_date=noon.isoformat())
            await _settle_or_raise(session)
            await asyncio.sleep(chance.uniform(0, PAUSE_S))
        with closing(open_marts(config.files)) as mart:
            return await _waits_of_saves(session, mart, began)


async def _settle_or_raise(session: DemoSession) -> None:
    if not await settle(session):
        raise RuntimeError("the charts do not get what was saved")


async def _waits_of_saves(session: DemoSession, mart: MartReader, began: datetime) -> list[float]:
    rows: list[dict[str, Any]] = mart.rows(_SHOWN)
    shown = {row["event_id"]: _shown_at(row) for row in rows}
    saves = [save for save in await session.simulator.saves() if save.saved_at >= began]
    return [(shown[save.event_id(session.subscription_id)] - save.saved_at).total_seconds() for save in saves]


def _shown_at(row: dict[str, Any]) -> datetime:
    received_at: datetime = row["received_at"]
    return received_at.replace(tzinfo=UTC) + timedelta(seconds=row["heard_to_chart_s"])
