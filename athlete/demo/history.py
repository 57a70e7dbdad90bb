"""The demo's history: the worker loads it, as it does with the real Strava, and the demo watches."""

import asyncio

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from athlete.demo.session import DemoSession
from backends.warehouse.backfills import Backfill
from runtime.clock import utc_now
from strava.payload import DETAILED

LOOK_S = 0.2


async def load_history(session: DemoSession, console: Console) -> int:
    """Have all of it loaded, and return how many activities are stored in detail.

    Connecting asked for it. A demo that goes on asks once more, for what was saved while nothing ran.
    """
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("history", total=None)
        asked = await _asked(session)
        while asked.finished_at is None:
            counts = await session.store.counts(session.athlete_id)
            total = sum(counts.values()) if asked.listed_at else None
            shown = asked.waits_because or "history"
            progress.update(bar, completed=counts.get(DETAILED, 0), total=total, description=shown)
            await asyncio.sleep(LOOK_S)
            asked = await _known(session) or asked
    return (await session.store.counts(session.athlete_id)).get(DETAILED, 0)


async def _asked(session: DemoSession) -> Backfill:
    known = await _known(session)
    if known is None or known.finished_at is not None:
        known = Backfill.requested(session.athlete_id, utc_now())
        await session.store.request_backfill(known)
    return known


async def _known(session: DemoSession) -> Backfill | None:
    rows = await session.store.backfills()
    return next((row for row in rows if row.athlete_id == session.athlete_id), None)
