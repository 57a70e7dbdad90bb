"""Payloads that got too old, inside one transaction: they go, and what is still at Strava is asked for again."""

import json
import sqlite3
from datetime import datetime

from backends.warehouse import rows
from backends.warehouse.activities import Expired
from backends.warehouse.athletes import ASKED_FOR
from backends.warehouse.retention import LAST, WHOLE_ROWS, reloading, removal
from backends.warehouse.schema import RETENTION_RUNS, STRAVA_ACTIVITIES, STRAVA_STREAMS
from backends.warehouse.sqlite.athletes import list_again
from backends.warehouse.sqlite.database import SQL, named, put_statement
from backends.warehouse.sqlite.transactions import STEP, Clock, drop_beside, next_stamp
from runtime.clock import utc_text

_TOUCHES = [
    f"update {table.name} set ingested_at = :ingested_at where activity_id = :activity_id"  # noqa: S608 - our own names
    for table in (STRAVA_ACTIVITIES, STRAVA_STREAMS)
]
_PUT_RUN = put_statement(RETENTION_RUNS, replaces=True)
# What belongs to an activity lets it count as changed.
REMOVALS = [SQL["expire_streams"], *(f"{removal(table, ':')} returning null" for table in WHOLE_ROWS)]


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
    for statement in REMOVALS:
        left = {**before, "how_many": how_many - len(found) - others}
        gone = connection.execute(statement, left).fetchall()
        others += len(gone)
        touched |= {row[0] for row in gone if row[0] is not None}
    later = stamp + len(found) * STEP
    changed = [
        {"activity_id": each, "ingested_at": utc_text(later + place * STEP)}
        for place, each in enumerate(sorted(touched))
    ]
    for touch in _TOUCHES:
        connection.executemany(touch, changed)
    if found or others:
        connection.execute(_PUT_RUN, {"retention": LAST, "ingested_at": utc_text(later + len(changed) * STEP)})
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
        list_again(connection, reloading(known.get(athlete_id), athlete_id, max(clock(), expired_at)))
    return [athlete_id for athlete_id, _ in found]
