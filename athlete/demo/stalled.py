"""What a person is told when the charts do not follow: how many events wait, and what the last transform said."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from athlete.demo.checks import ARRIVED
from athlete.demo.config import DemoConfig
from athlete.transform import one_line
from backends.warehouse.ledger import LedgerEntry
from backends.warehouse.runs import TransformRuns

PATIENCE = timedelta(seconds=15)


async def count_late(entries: Iterable[LedgerEntry], runs: TransformRuns, now: datetime) -> int:
    """Count the events that are stored, but have not been on a chart for longer than they should need."""
    run = await runs.last_run()
    arrived = [entry for entry in entries if entry.outcome in ARRIVED and now - entry.finished_at > PATIENCE]
    return len({entry.event_id for entry in arrived if run is None or entry.finished_at > run.started_at})


async def warning(config: DemoConfig, runs: TransformRuns, waiting: int) -> str:
    """Say that so many events wait, why as far as it is known, and where to look."""
    events = "1 event is" if waiting == 1 else f"{waiting} events are"
    why = await reason(config, runs)
    return f"{events} stored, but not on the charts after {PATIENCE.seconds} s: {why}"


async def reason(config: DemoConfig, runs: TransformRuns) -> str:
    """Say what the last transform said, and where to look."""
    error = await runs.last_error()
    said = f"the last transform failed ({one_line(error)})" if error else "no transform has ended meanwhile"
    return f"{said}; see {config.data_dir / 'logs' / 'transformer.log'}."
