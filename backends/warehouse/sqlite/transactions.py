"""What happens to `raw` inside one transaction of the pipeline's SQLite file."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from backends.sqlite import statements
from backends.warehouse import last_write_wins
from backends.warehouse.activities import Applied, Observation, StoredActivity
from backends.warehouse.athletes import PurgeReceipt
from backends.warehouse.last_write_wins import Decisions
from backends.warehouse.ledger import LedgerEntry
from backends.warehouse.sqlite import rows
from strava.payload import ActivityPayload, disagrees

_SQL = statements(Path(__file__).parent / "sql")
_PURGES = statements(Path(__file__).parent / "sql" / "purge")
_STEP = timedelta(microseconds=1)

Clock = Callable[[], datetime]


def apply(connection: sqlite3.Connection, observations: Sequence[Observation], clock: Clock) -> list[Applied]:
    """Apply the observations under the last-write-wins rule and answer each, in order."""
    details = _StoredDetails(connection, observations)
    decisions = last_write_wins.apply(_versions(connection, observations), observations, details.disagree, now=clock())
    _store(connection, decisions, _next_stamp(connection, clock))
    return decisions.answers


def _versions(connection: sqlite3.Connection, observations: Sequence[Observation]) -> dict[int, StoredActivity]:
    activity_ids = json.dumps(list({seen.activity_id for seen in observations}))
    found = connection.execute(_SQL["activity_versions"], {"activity_ids": activity_ids})
    stored = (rows.stored_activity(sqlite3.Row(found, row)) for row in found)
    return {row.activity_id: row for row in stored}


def _store(connection: sqlite3.Connection, decisions: Decisions, stamp: datetime) -> None:
    connection.executemany(
        _SQL["put_activity"],
        [
            rows.activity_row(seen, decisions.rows[activity_id], stamp + place * _STEP)
            for place, (activity_id, seen) in enumerate(decisions.winners.items())
        ],
    )
    connection.executemany(
        _SQL["put_observed_at"],
        [rows.observed_row(decisions.rows[activity_id]) for activity_id in decisions.moved - decisions.winners.keys()],
    )
    deleted = [activity_id for activity_id, seen in decisions.winners.items() if seen.activity is None]
    if deleted:
        connection.execute(_SQL["drop_dead_letters"], {"activity_ids": json.dumps(deleted)})


def append(connection: sqlite3.Connection, entries: Sequence[LedgerEntry], clock: Clock) -> None:
    """Add ledger rows; a `delivery_id` already there is left as it is."""
    stamp = _next_stamp(connection, clock)
    connection.executemany(
        _SQL["put_event"], [rows.ledger_row(entry, stamp + place * _STEP) for place, entry in enumerate(entries)]
    )


def purge(connection: sqlite3.Connection, athlete_id: int, athlete_hash: str, clock: Clock) -> PurgeReceipt:
    """Remove the athlete from every table that knows of athletes, the queue's included, and add the receipt."""
    purged_at = _next_stamp(connection, clock)
    removed = {
        table: connection.execute(statement, {"athlete_id": athlete_id}).rowcount
        for table, statement in sorted(_PURGES.items())
    }
    receipt = PurgeReceipt(purge_id=uuid4().hex, athlete_hash=athlete_hash, purged_at=purged_at, removed=removed)
    connection.execute(_SQL["put_purge"], rows.receipt_row(receipt))
    return receipt


def _next_stamp(connection: sqlite3.Connection, clock: Clock) -> datetime:
    """Return a moment later than every stamp in the file, even if the clock was set back."""
    last = connection.execute(_SQL["last_stamp"]).fetchone()[0]
    now = clock()
    return now if last is None else max(now, datetime.fromisoformat(last) + _STEP)


class _StoredDetails:
    """The payloads of the stored details that a batch's summaries may disagree with; read once, and only if asked."""

    def __init__(self, connection: sqlite3.Connection, observations: Sequence[Observation]) -> None:
        self._connection = connection
        self._summaries = [seen.activity_id for seen in observations if seen.activity and not seen.activity.is_detailed]

    @cached_property
    def _texts(self) -> Mapping[int, str]:
        return dict(self._connection.execute(_SQL["payloads"], {"activity_ids": json.dumps(self._summaries)}))

    def disagree(self, summary: ActivityPayload, newer: ActivityPayload | None) -> bool:
        """Tell whether the summary contradicts the detail: the one this batch brings, or else the stored one."""
        detail = newer.text if newer else self._texts[summary.activity_id]
        return disagrees(summary=json.loads(summary.text), detail=json.loads(detail))
