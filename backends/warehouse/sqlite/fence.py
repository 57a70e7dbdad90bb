"""The fence that a purge leaves: what was still on its way when it came must not bring the athlete back.

A purged athlete has no row, and a receipt that can be checked against an id. One who connects again has a row, which
says up to when what was seen is of the connection that was purged. Both are read in the transaction that writes, so
nothing can come in between. Who was never purged is never held back.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.purge_receipts import CheckedReceipts

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_NEVER = datetime.min.replace(tzinfo=UTC)
_ROWS = "select athlete_id, fenced_until from strava_athletes where athlete_id in (select value from json_each(?))"


@dataclass(frozen=True, slots=True)
class Fence:
    """Up to when what was seen of an athlete is held back; who is not named is free."""

    closed_until: Mapping[int, datetime]

    @classmethod
    def around(
        cls, connection: sqlite3.Connection, athlete_ids: Iterable[int], receipts: CheckedReceipts, now: datetime
    ) -> "Fence":
        """Read the fence of these athletes. Raises ReceiptsUnchecked.

        A row that is dated in the future, because the clock was set back since, holds nothing back.
        """
        wanted = set(athlete_ids)
        rows = dict(connection.execute(_ROWS, (json.dumps(sorted(wanted)),)).fetchall())
        known = {each: datetime.fromisoformat(until) for each, until in rows.items() if until is not None}
        closed = {each: until for each, until in known.items() if until <= now + CLOCK_SKEW}
        purged = purges_of(connection, wanted - rows.keys(), receipts)
        return cls(closed | dict.fromkeys(purged, _ALWAYS))

    def holds_back(self, athlete_id: int, seen_at: datetime) -> bool:
        """Whether what was seen of the athlete at that moment must not be stored."""
        return seen_at <= self.closed_until.get(athlete_id, _NEVER)


def purges_of(
    connection: sqlite3.Connection, athlete_ids: Iterable[int], receipts: CheckedReceipts
) -> dict[int, datetime]:
    """Return when each of these athletes was last purged; who never was is not in it. Raises ReceiptsUnchecked."""
    wanted = list(athlete_ids)
    if not wanted:
        return {}
    purged_at = dict(connection.execute("select athlete_hash, purged_at from purges").fetchall())
    stamps = {each: [purged_at[mark] for mark in receipts.of(each, purged_at.keys())] for each in wanted}
    return {each: datetime.fromisoformat(max(found)) for each, found in stamps.items() if found}
