"""kill -9 at random points: all that Strava was answered 200 for is in `raw` in the end, as Strava itself has it."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import SimulatorClient
from backends.sqlite import connect
from strava.payload import ActivityPayload

PROGRAMS = {"service", "worker", "deliverer"}
# The service less often: Strava gives up after three attempts, and then nobody was promised anything.
VICTIMS = (
    "service",
    "worker",
    "deliverer",
    "worker",
    "service",
    "deliverer",
    "worker",
    "deliverer",
    "worker",
    "service",
    "worker",
    "deliverer",
)


async def busy_life(simulator: SimulatorClient, rng: random.Random, *, creates: int) -> None:
    """Create, rename and delete without waiting for anything."""
    living: list[int] = []
    for number in range(creates):
        living.append(await simulator.create(sport_type="Run", name=f"Run {number}"))
        if rng.random() < 0.5:
            await simulator.edit(rng.choice(living), name=f"Renamed {number}")
        # Nobody deletes within the second of the save; then the worker asks for minutes which of the two came last.
        if number > 40 and rng.random() < 0.3:
            await simulator.delete(living.pop(rng.randrange(10)))
        await asyncio.sleep(0.05)


async def kill_now_and_then(session: DemoSession, rng: random.Random) -> None:
    """Kill a program at a random moment, again and again; the tree starts it again."""
    for victim in VICTIMS:
        await asyncio.sleep(rng.uniform(0.2, 1.2))
        if pid := session.tree.running[victim].pid:
            os.kill(pid, signal.SIGKILL)


async def until_quiet(session: DemoSession) -> None:
    """Wait until Strava has given up or delivered every event and its duplicates, and the queue is empty."""
    async with asyncio.timeout(120):
        while True:
            if await session.simulator.is_idle() and (await session.queue.status()).waiting == 0:
                return
            await asyncio.sleep(0.1)


def finished_events(session: DemoSession) -> set[str]:
    """Return the ids of the events that came to an end in the ledger."""
    with closing(connect(session.config.data_dir / "pipeline.sqlite", read_only=True)) as connection:
        rows = connection.execute("select event_id from strava_events where outcome not in ('deferred', 'parked')")
        return {event_id for (event_id,) in rows}


@pytest.mark.slow
async def test_nothing_is_lost_to_kills(start: Callable[..., Awaitable[DemoSession]]) -> None:
    """After many kills every event has a final row in the ledger, and raw equals Strava, payload by payload."""
    session = await start(PROGRAMS, retry_spacing_s="15,15")
    rng = random.Random(1)
    await session.simulator.switch_faults(duplicate=0.2, reorder=0.3, latency_s=0.02)

    await asyncio.gather(busy_life(session.simulator, rng, creates=180), kill_now_and_then(session, random.Random(2)))
    await until_quiet(session)

    saves = await session.simulator.saves()
    assert {save.fate for save in saves} == {"delivered"}, "three attempts of Strava were not enough"
    assert {save.event_id(session.subscription_id) for save in saves} <= finished_events(session)
    truth = {item["id"]: ActivityPayload.from_json(item).payload_hash for item in await session.simulator.activities()}
    stored_ids = await session.store.activity_ids(session.athlete_id)
    stored = await session.store.stored(stored_ids)
    assert {activity_id: row.payload_hash for activity_id, row in stored.items() if row} == truth
    assert (await session.queue.status()).dead == 0
