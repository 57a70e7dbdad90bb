"""The fence in the pipeline's SQLite file, read in the transaction that writes, so nothing can come in between."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from backends.warehouse.fence import Fence, last_purges
from backends.warehouse.purge_receipts import CheckedReceipts

_ROWS = "select athlete_id, fenced_until from strava_athletes where athlete_id in (select value from json_each(?))"


def fence_around(
    connection: sqlite3.Connection, athlete_ids: Iterable[int], receipts: CheckedReceipts, now: datetime
) -> Fence:
    """Read the fence of these athletes. Raises ReceiptsUnchecked."""
    wanted = set(athlete_ids)
    rows = dict(connection.execute(_ROWS, (json.dumps(sorted(wanted)),)).fetchall())
    fenced_until = {each: until and datetime.fromisoformat(until) for each, until in rows.items()}
    return Fence.of(fenced_until, purges_of(connection, wanted - rows.keys(), receipts), now)


def purges_of(
    connection: sqlite3.Connection, athlete_ids: Iterable[int], receipts: CheckedReceipts
) -> dict[int, datetime]:
    """Return when each of these athletes was last purged; who never was is not in it. Raises ReceiptsUnchecked."""
    wanted = list(athlete_ids)
    if not wanted:
        return {}
    found = connection.execute("select athlete_hash, purged_at from purges").fetchall()
    return last_purges(wanted, {mark: datetime.fromisoformat(moment) for mark, moment in found}, receipts)
