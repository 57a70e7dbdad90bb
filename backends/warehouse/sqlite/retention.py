"""Payloads that got too old, inside one transaction: they go, and what is still at Strava is asked for again."""

import json
import sqlite3
from datetime import datetime

from backends.warehouse import rows
from backends.warehouse.activities import Expired
from backends.warehouse.athletes import ASKED_FOR
from backends.warehouse.backfills import Backfill
from backends.warehouse.schema import STRAVA_ACTIVITIES, STRAVA_STREAMS, TABLES, Table
from backends.warehouse.sqlite.athletes import list_again
from backends.warehouse.sqlite.database import SQL, named
from backends.warehouse.sqlite.transactions import STEP, Clock, drop_beside, next_stamp
from runtime.clock import utc_text

_TOUCHES = [
    f"update {table.name} set ingested_at = :ingested_at where activity_id = :activity_id"  # noqa: S608 - our own names
    for table in (STRAVA_ACTIVITIES, STRAVA_STREAMS)
]


def _removal(table: Table) -> str:
    if table is STRAVA_STREAMS:  # of an activity that stays
        return SQL["expire_streams"]
    seen_at = "coalesce(last_seen_at, observed_at)" if "last_seen_at" in table.types else "observed_at"
    too_old = f"{seen_at} < :observed_before order by {seen_at} limit :how_many"
    found = f"select {table.key} from {table.name} where {too_old}"  # noqa: S608 - our own names
    return f"delete from {table.name} where {table.key} in ({found}) returning null"  # noqa: S608 - as above


# Of every other table of what Strava sent. What belongs to an activity lets its activity count as changed.
REMOVALS = [
    _removal(table)
    for table in TABLES
    if table is not STRAVA_ACTIVITIES and {"payload", "observed_at"} <= table.types.keys()
]


def expire(connection: sqlite3.Connection, observed_before: datetime, how_many: int, clock: Clock) -> Expired:
    """Remove `how_many` at most of what was last seen before the moment: activities first, then what else there is."""
    before = {"observed_before": utc_text(observed_before)}
    found = connection.execute(SQL["expired_activities"], {**before, "how_many": how_many}).fetchall()
    stamp = next_stamp(connection, clock)
    expired = [
        {"activity_id": row[0], "ingested_at": utc_text(stamp + place * STEP)} for place, row in enumerate(found)
    ]
    connection.executemany(SQL["expire_activity"], expired)
    drop_beside(connection, [row[0] for row in found])
    touched: set[int] = set()
    others = 0
    for removal in REMOVALS:
        left = {**before, "how_many": how_many - len(found) - others}
        gone = connection.execute(removal, left).fetchall()
        others += len(gone)
        touched |= {row[0] for row in gone if row[0] is not None}
    later = stamp + len(found) * STEP
    changed = [
        {"activity_id": each, "ingested_at": utc_text(later + place * STEP)}
        for place, each in enumerate(sorted(touched))
    ]
    for touch in _TOUCHES:
        connection.executemany(touch, changed)
    return Expired(activities=len(found), others=others)


def to_reload(connection: sqlite3.Connection) -> list[tuple[int, datetime]]:
    """Return who lacks payloads that expired since the whole history was listed, and when the last did."""
    asked_for = {"asked_for": json.dumps(sorted(ASKED_FOR))}
    found = connection.execute(SQL["expired_athletes"], asked_for)
    return [(row[0], datetime.fromisoformat(row[1])) for row in found]


def reload_expired(connection: sqlite3.Connection, clock: Clock) -> list[int]:
    """Have the whole history of each of them listed from the top, and return the athletes."""
    found = to_reload(connection)
    backfills = map(rows.backfill, named(connection.execute(SQL["backfills"])))
    known = {each.athlete_id: each for each in backfills}
    for athlete_id, expired_at in found:
        # Not before what expired, also after the clock was set back, or it would be asked for again and again.
        list_again(connection, _reloading(known.get(athlete_id), athlete_id, max(clock(), expired_at)))
    return [athlete_id for athlete_id, _ in found]


def _reloading(known: Backfill | None, athlete_id: int, now: datetime) -> Backfill:
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
        expected_at=None,
    )
