"""How long events took, as the published marts tell it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backends.warehouse.marts import MartReader

# What is told from the save on can be up to a second too long: Strava tells saves in whole seconds.
STAGES = ("save_to_heard", "heard_to_raw", "heard_to_chart", "save_to_raw", "save_to_chart")
UNKNOWN = {"p50": None, "p95": None}

Percentiles = Mapping[str, Mapping[str, float | None]]


def percentiles(mart: MartReader, athlete_id: int) -> Percentiles:
    """Return the seconds of every stage, of the last 24 hours. Raises MartMissing, QueryFailed, WarehouseBusy."""
    rows: list[dict[str, Any]] = mart.rows(
        "select stage, p50_s, p95_s from mart.pipeline_latency where athlete_id = ? and window_days = 1", [athlete_id]
    )
    measured = {row["stage"]: {"p50": row["p50_s"], "p95": row["p95_s"]} for row in rows}
    return {stage: measured.get(stage, UNKNOWN) for stage in STAGES}


def events_on_chart(mart: MartReader, since: datetime) -> Mapping[str, Mapping[str, Any]]:
    """Return the events heard since then that are on a chart, by id, oldest first; raises what `percentiles` does."""
    rows: list[dict[str, Any]] = mart.rows(
        "select event_id, heard_to_raw_s, heard_to_chart_s from mart.event_latency"
        " where is_on_chart and received_at >= ? order by received_at",
        [since.replace(tzinfo=None)],
    )
    return {row["event_id"]: row for row in rows}
