"""What may get too old beside activities and their streams, and how a history whose payloads expired is asked for."""

from datetime import datetime

from backends.warehouse.backfills import Backfill
from backends.warehouse.schema import STRAVA_ACTIVITIES, STRAVA_STREAMS, TABLES
from backends.warehouse.table import Table

# Every other table of what Strava sent: its rows go as a whole, and are counted for that.
WHOLE_ROWS = [
    table
    for table in TABLES
    if table not in (STRAVA_ACTIVITIES, STRAVA_STREAMS) and {"payload", "observed_at"} <= table.types.keys()
]


LAST = "last"  # the one row of `retention_runs`


def removal(table: Table, mark: str) -> str:
    """Return the statement that removes the oldest rows; `mark` begins the names of its two parameters."""
    seen_at = "coalesce(last_seen_at, observed_at)" if "last_seen_at" in table.types else "observed_at"
    too_old = f"{seen_at} < {mark}observed_before order by {seen_at} limit {mark}how_many"
    found = f"select {table.key} from {table.name} where {too_old}"  # noqa: S608 - our own names
    return f"delete from {table.name} where {table.key} in ({found})"  # noqa: S608 - as above


def reloading(known: Backfill | None, athlete_id: int, now: datetime) -> Backfill:
    """Return a new request with the choices of the one before; one that is under way goes on, after the whole list."""
    if known is None:
        return Backfill.requested(athlete_id, now)
    if known.finished_at is not None:
        return Backfill.requested(athlete_id, now, has_details=known.has_details, has_streams=known.has_streams)
    return known.changed(
        now,
        since=None,
        started_at=known.started_at and now,
        listed_count=0,
        listed_at=None,
        waits_until=None,
        waits_because=None,
        waits_kind=None,
        expected_at=None,
    )
