"""Payloads that got too old, inside one transaction: they go, and what was built from them is built again."""

import sqlite3
from collections.abc import Callable
from datetime import datetime

from backends.warehouse.activities import Expired
from backends.warehouse.schema import STRAVA_ACTIVITIES, TABLES
from backends.warehouse.sqlite.database import SQL
from backends.warehouse.sqlite.transactions import STEP, drop_beside, next_stamp
from runtime.clock import utc_text

# Every other table of what Strava sent; what belongs to an activity lets its activity count as changed.
_OTHERS = [
    table for table in TABLES if table is not STRAVA_ACTIVITIES and {"payload", "observed_at"} <= table.types.keys()
]
_TOUCH = "update strava_activities set ingested_at = :ingested_at where activity_id = :activity_id"


def expire(
    connection: sqlite3.Connection, observed_before: datetime, how_many: int, clock: Callable[[], datetime]
) -> Expired:
    """Remove the payloads of so many activities, oldest first, and everything else that was seen before the moment."""
    before = utc_text(observed_before)
    found = connection.execute(SQL["expired_activities"], {"observed_before": before, "how_many": how_many}).fetchall()
    stamp = next_stamp(connection, clock)
    rows = [{"activity_id": row[0], "ingested_at": utc_text(stamp + place * STEP)} for place, row in enumerate(found)]
    connection.executemany(SQL["expire_activity"], rows)
    drop_beside(connection, [row[0] for row in found])
    touched: set[int] = set()
    others = 0
    for table in _OTHERS:
        returned = "activity_id" if "activity_id" in table.types else "null"
        removing = f"delete from {table.name} where observed_at < ? returning {returned}"  # noqa: S608 - our own names
        gone = connection.execute(removing, (before,)).fetchall()
        others += len(gone)
        touched |= {row[0] for row in gone if row[0] is not None}
    later = stamp + len(found) * STEP
    connection.executemany(
        _TOUCH,
        [
            {"activity_id": each, "ingested_at": utc_text(later + place * STEP)}
            for place, each in enumerate(sorted(touched))
        ],
    )
    return Expired(athlete_ids=frozenset(row[1] for row in found), activities=len(found), others=others)
