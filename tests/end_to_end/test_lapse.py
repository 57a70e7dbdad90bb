"""A lapse of the app, through all programs: the queue holds nothing, and the event comes through in the end."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest
from rich.console import Console

from athlete.demo.history import load_history
from athlete.demo.session import DemoSession
from backends.sqlite import connect
from backends.warehouse.ledger import LedgerFilter, Outcome


@pytest.mark.slow
async def test_an_event_of_a_lapse_is_stored_after_it(start: Callable[..., Awaitable[DemoSession]]) -> None:
    """It is off the queue for an hour, which the test cuts short, and the worker's own sweep brings it again."""
    session = await start({"service", "worker", "deliverer"})
    await load_history(session, Console(file=io.StringIO()))  # or it might bring the activity before the event does
    await session.simulator.switch_faults(inactive=True)
    activity_id = await session.simulator.create(sport_type="Run", name="In the lapse")
    await until(session, Outcome.DEFERRED)
    assert (await session.queue.status()).waiting == 0

    await session.simulator.switch_faults()
    (session.config.data_dir / "budget.json").unlink()
    with closing(connect(session.config.files.pipeline_path)) as connection:
        connection.execute("update waiting_events set retry_at = finished_at")
    await until(session, Outcome.STORED)
    assert await session.store.activity_ids(session.athlete_id) == [activity_id]


async def until(session: DemoSession, outcome: Outcome) -> None:
    """Wait until the ledger has a row that ended so."""
    async with asyncio.timeout(90):
        while True:
            found = await session.store.recent(LedgerFilter(outcome=outcome), limit=1)
            if found and (await session.queue.status()).waiting == 0:
                return
            await asyncio.sleep(0.2)
