"""How long each save took to reach `raw` and the chart: the pretend Strava's clock against the pipeline's ledger."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import quantiles

from athlete.demo.pretend import Save
from backends.sqlite import connect

SQL = (Path(__file__).parent / "journeys.sql").read_text()


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


def journeys(pipeline: Path, saves: Sequence[Save]) -> list[Journey]:
    """Follow every save that Strava told of. A repeated event's journey is that of its first save, so it has none."""
    with closing(connect(pipeline, read_only=True)) as connection:
        ends = {_key(row): row for row in connection.execute(SQL)}
    told = [save for save in saves if save.event_key and save.kind != "repeat"]
    return [_journey(save, ends.get(save.event_key)) for save in told if save.event_key]


def _key(row: Sequence[str]) -> tuple[int, str, int]:
    return int(row[0]), row[1], int(datetime.fromisoformat(row[2]).timestamp())


def _journey(save: Save, row: Sequence[str | None] | None) -> Journey:
    if row is None:
        return Journey(save=save)
    stored_at, charted_at = (datetime.fromisoformat(text) if text else None for text in row[5:7])
    return Journey(save=save, outcome=row[3], reason=row[4] or "", stored_at=stored_at, charted_at=charted_at)


def _between_ms(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds() * 1000


def p50_p95(milliseconds: Sequence[float]) -> dict[str, float | None]:
    """Return the median and the 95th percentile, rounded to whole milliseconds; None where there is nothing."""
    if not milliseconds:
        return {"p50": None, "p95": None}
    if len(milliseconds) == 1:
        return {"p50": round(milliseconds[0]), "p95": round(milliseconds[0])}
    cuts = quantiles(milliseconds, n=20, method="inclusive")
    return {"p50": round(cuts[9]), "p95": round(cuts[18])}
