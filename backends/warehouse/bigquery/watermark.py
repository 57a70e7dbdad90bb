"""What the transforms must catch up with in BigQuery, and when they did.

Each group of tables that change together is read by a statement of its own: BigQuery answers one that it was asked
before from its cache, free of charge, while none of its tables has changed. A table's time of modification would be
free too, but it also moves where nothing changed that a mart tells of.
https://cloud.google.com/bigquery/docs/cached-results
"""

import asyncio
from datetime import datetime

from backends.warehouse import rows
from backends.warehouse.bigquery.database import BigQueryDatabase
from backends.warehouse.bigquery.parameters import scalar
from backends.warehouse.runs import TransformRun, first_change_statement, watermark_of
from backends.warehouse.schema import STRAVA_EVENTS, TRANSFORM_RUNS
from backends.warehouse.stamps import MOVES, WHOLE

_TOGETHER = (
    ("strava_activities", "strava_events", "activity_changes"),  # every event
    ("strava_streams",),  # minutes later, and through a backfill
    ("backfills", "pipeline_readings"),  # again and again while something is under way
    # about once a day, and the athlete's own files when they are imported
    (
        *("strava_gear", "strava_athlete_settings", "strava_totals", "athlete_files", "reconciliations", "purges"),
        *("strava_athletes", "archive_activities", "activity_files", "imports", "import_items"),
    ),
)
_WHOLE = {table.name: table.key for table in WHOLE}
FIRST_CHANGE = first_change_statement("@after")


def _state(table: str) -> str:
    if table in _WHOLE:
        rows_in_order = f"string_agg(to_json_string(each), ' ' order by {_WHOLE[table]})"
        return f"(select {rows_in_order} from {table} as each) as {table}"  # noqa: S608 - our own names
    stamp = told = MOVES[table]
    source = table
    if table == STRAVA_EVENTS.name:  # pruned of rows that were settled days ago, which no mart tells of
        source = f"{table}, (select timestamp_sub(max(finished_at), interval 12 hour) as since from {table})"  # noqa: S608 - as above
        told = f"if(finished_at > since, {stamp}, null)"
    # A statement may commit after one that began later, and rows may go: their sum moves, where the newest does not.
    sums = f"sum(unix_seconds({told})), sum(mod(unix_micros({told}), 1000000))"  # microseconds would overflow
    return f"(select to_json_string([unix_micros(max({stamp})), {sums}]) from {source}) as {table}"  # noqa: S608 - as above


STATES = {f"state_of_{tables[0]}": f"select {', '.join(map(_state, tables))}" for tables in _TOGETHER}


class Watermark(BigQueryDatabase):
    """Implements `TransformRuns`."""

    async def watermark(self) -> str:
        """Return a text that changes whenever something did that the marts tell of."""
        found = await asyncio.gather(*(self._select(name, sql) for name, sql in STATES.items()))
        states = {table: state for [row] in found for table, state in row.items()}
        few = {table: [[states.pop(table)]] for table in _WHOLE}
        return watermark_of(states, few)

    async def first_change(self, *, after: datetime) -> datetime | None:
        """Return when the first of these changes came after a moment."""
        [row] = await self._select("first_change", FIRST_CHANGE, scalar("after", "timestamp", after))
        return row["moment"] and datetime.fromisoformat(row["moment"])

    async def last_run(self) -> TransformRun | None:
        """Return the newest run that was published."""
        found = await self._read("last_run")
        return TransformRun(**rows.read(TRANSFORM_RUNS, found[0])) if found else None

    async def last_error(self) -> str | None:
        """Return what stopped the newest run; None where nothing did."""
        found = await self._read("last_error")
        return found[0]["error"] if found else None

    async def put_run(self, run: TransformRun) -> None:
        """Add one run."""
        await self._put(TRANSFORM_RUNS, rows.bound(TRANSFORM_RUNS, run, ingested_at=None), replaces=False)

    async def last_purge(self) -> datetime | None:
        """Return when an athlete was last purged."""
        return await self._read_moment("last_purge")

    async def last_removal(self) -> datetime | None:
        """Return the stamp of what was last deleted, purged or too old: what was built before may still hold it."""
        return await self._read_moment("last_removal")
