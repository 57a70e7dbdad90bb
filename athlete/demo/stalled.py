"""What a person is told when the charts do not follow: how many saves wait, and what the last transform said."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from athlete.demo.checks import ARRIVED
from athlete.demo.config import DemoConfig
from athlete.demo.latency import Journey
from athlete.transform import one_line
from backends.sqlite import connect

SQL = (Path(__file__).parent / "last_transform.sql").read_text()
PATIENCE = timedelta(seconds=15)


def late(ways: Sequence[Journey], now: datetime) -> list[Journey]:
    """Return those that are stored, but have not been on a chart for longer than they should need."""
    return [
        way
        for way in ways
        if way.outcome in ARRIVED and way.stored_at and not way.charted_at and now - way.stored_at > PATIENCE
    ]


def warning(config: DemoConfig, waiting: int) -> str:
    """Say that so many saves wait, why as far as it is known, and where to look."""
    saves = "1 save is" if waiting == 1 else f"{waiting} saves are"
    return f"{saves} stored, but not on the charts after {PATIENCE.seconds} s: {reason(config)}"


def reason(config: DemoConfig) -> str:
    """Say what the last transform said, and where to look."""
    with closing(connect(config.files.pipeline_path, read_only=True)) as connection:
        last = connection.execute(SQL).fetchone()
    said = (
        f"the last transform failed ({one_line(last[0])})" if last and last[0] else "no transform has ended meanwhile"
    )
    return f"{said}; see {config.data_dir / 'logs' / 'transformer.log'}."
