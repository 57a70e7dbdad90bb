"""The scenario of `athlete demo --once`: every kind of save, with Strava at its most awkward."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from athlete.demo.simulator_client import SimulatorClient

PAUSE_S = 0.25
# New activities are 404 for a moment, events come twice and overtake one another, answers are slow and sometimes fail.
AWKWARD = {
    "visible_after_s": 0.6,
    "duplicate": 0.3,
    "duplicate_within_s": 1.0,
    "reorder": 0.3,
    "reorder_within_s": 1.0,
    "latency_s": 0.02,
    "latency_jitter_s": 0.08,
    "server_error": 0.03,
}
# Each on a day of its own, the newest today: the athlete uploads what the watch has kept.
NEW: tuple[dict[str, Any], ...] = (
    {"sport_type": "Run", "name": "Easy run"},
    {"sport_type": "Ride", "name": "Commute 🚲", "commute": True},
    {"sport_type": "Swim", "name": "Freibad"},
    {"sport_type": "TrailRun", "name": "朝のトレイル"},
    {"sport_type": "WeightTraining", "name": "Strength"},
    {"sport_type": "Hike", "name": "Over the ridge"},
    {"sport_type": "VirtualRide", "name": "Indoors again"},
    {"sport_type": "UnderwaterHockey", "name": "A sport that nobody knows yet"},
    {"sport_type": "Run", "name": "Typed in by hand", "manual": True, "start_date": "2024-03-30T22:30:00Z"},
    {"sport_type": "Run", "name": "Secret tempo", "private": True},
    {"sport_type": "Ride", "name": "Will be renamed"},
    {"sport_type": "Run", "name": "Will be deleted"},
    {"sport_type": "Run", "name": "Will be edited, then deleted"},
    {"sport_type": "Walk", "name": "Will be a hike"},
    {"sport_type": "Ride", "name": "Will hide and come back"},
)


async def play_scenario(simulator: SimulatorClient) -> None:
    """Create, edit, hide, show, repeat and delete, a few times a second."""
    await simulator.switch_faults(**AWKWARD)
    names: dict[str, int] = {}
    for days_ago, fields in enumerate(NEW):
        names[str(fields["name"])] = await simulator.create(**(_started(days_ago) | fields))
        await asyncio.sleep(PAUSE_S)
    await _change(simulator, names)
    await _burst(simulator, names["Easy run"])


def _started(days_ago: int) -> dict[str, str]:
    """Return the start at noon of an earlier day; today's is left to the simulator, which lets it end now."""
    noon = datetime.now(UTC).replace(hour=12, minute=10, second=0, microsecond=0) - timedelta(days=days_ago)
    return {"start_date": noon.isoformat()} if days_ago else {}


async def _change(simulator: SimulatorClient, names: dict[str, int]) -> None:
    hidden = names["Will hide and come back"]
    doomed = names["Will be edited, then deleted"]
    for step in (
        simulator.edit(names["Will be renamed"], name="Renamed 🎉"),
        simulator.delete(names["Will be deleted"]),
        simulator.edit(doomed, name="For nothing"),
        simulator.delete(doomed),
        simulator.edit(names["Will be a hike"], sport_type="Hike"),
        simulator.edit(hidden, private=True),
        simulator.repeat(names["Commute 🚲"]),
        simulator.edit(hidden, private=False),
        simulator.edit(names["Secret tempo"], private=False),
    ):
        await step
        await asyncio.sleep(PAUSE_S)


async def _burst(simulator: SimulatorClient, activity_id: int) -> None:
    """Edit one activity many times without a pause: the last title must win."""
    for number in range(8):
        await simulator.edit(activity_id, name=f"Easy run, title {number + 1}")
