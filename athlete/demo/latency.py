"""How long each save took to reach `raw` and the chart: the simulator's clock against the pipeline's ledger."""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from athlete.demo.simulator_client import REPEAT, Save
from backends.sqlite import connect

SQL = (Path(__file__).parent / "latency.sql").read_text()


@dataclass(frozen=True, kw_only=True)
class Journey:
    """One event's way: the save, and when the ledger and the marts had it (None: not yet)."""

    save: Save
    outcome: str | None = None
    reason: str = ""
    stored_at: datetime | None = None
    charted_at: datetime | None = None

    @property
    def to_raw_ms(self) -> float | None:
        """Milliseconds from the save to its ledger row."""
        return _between_ms(self.save.saved_at, self.stored_at)

    @property
    def to_chart_ms(self) -> float | None:
        """Milliseconds from the save to the first published mart that holds it."""
        return _between_ms(self.save.saved_at, self.charted_at)

    @property
    def has_news(self) -> bool:
        """Whether the event tells of a change; a repeated one arrives, but changes no chart."""
        return self.save.kind != REPEAT


def journeys(pipeline: Path, saves: Sequence[Save], subscription_id: int) -> list[Journey]:
    """Follow every save that Strava told of to its own end in the ledger.

    A repeated event has the id of its first, and so have two equal saves within a second: each one's end is the first
    that was received after it.
    """
    told = [(save, event_id) for save in saves if (event_id := save.event_id(subscription_id))]
    ends: defaultdict[str, list[_End]] = defaultdict(list)
    with closing(connect(pipeline, read_only=True)) as connection:
        for row in connection.execute(SQL, {"event_ids": json.dumps([event_id for _, event_id in told])}):
            ends[row[0]].append(_End(*row[1:]))
    return [_journey(save, ends[event_id]) for save, event_id in told]


class _End(NamedTuple):
    """One final row of the ledger, as it is kept."""

    received_at: str
    outcome: str
    reason: str
    finished_at: str
    charted_at: str | None


def _journey(save: Save, ends: Sequence[_End]) -> Journey:
    own = next((end for end in ends if datetime.fromisoformat(end.received_at) >= save.saved_at), None)
    if own is None:
        return Journey(save=save)
    return Journey(
        save=save,
        outcome=own.outcome,
        reason=own.reason,
        stored_at=datetime.fromisoformat(own.finished_at),
        charted_at=datetime.fromisoformat(own.charted_at) if own.charted_at else None,
    )


def _between_ms(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds() * 1000


def speeds(ways: Sequence[Journey]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Return how fast the events with news were, from save to raw and from save to chart."""
    news = [way for way in ways if way.has_news]
    to_raw = [way.to_raw_ms for way in news if way.to_raw_ms is not None]
    to_chart = [way.to_chart_ms for way in news if way.to_chart_ms is not None]
    return p50_p95(to_raw), p50_p95(to_chart)


def p50_p95(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 95th percentile, rounded to whole milliseconds; None where there is nothing."""
    if not milliseconds:
        return {"p50": None, "p95": None}
    if len(milliseconds) == 1:
        return {"p50": round(milliseconds[0]), "p95": round(milliseconds[0])}
    cuts = quantiles(milliseconds, n=20, method="inclusive")
    return {"p50": round(cuts[9]), "p95": round(cuts[18])}
