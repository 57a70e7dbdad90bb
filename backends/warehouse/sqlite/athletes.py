"""Athletes inside one transaction: who connects, and removing what is theirs."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from backends.sqlite import statements
from backends.warehouse import rows
from backends.warehouse.athletes import Athlete, PurgeReceipt
from backends.warehouse.backfills import Backfill
from backends.warehouse.own_file_tables import OWN_FILES
from backends.warehouse.purge_receipts import CheckedReceipts
from backends.warehouse.schema import BACKFILLS, PURGES, STRAVA_ATHLETES, TABLES
from backends.warehouse.sqlite.database import SQL, put_statement
from backends.warehouse.sqlite.fence import purges_of
from backends.warehouse.sqlite.transactions import next_stamp
from runtime.clock import utc_text

_PUT_ATHLETE = put_statement(STRAVA_ATHLETES, replaces=True)
_PUT_BACKFILL = put_statement(BACKFILLS, replaces=True)
_PUT_PURGE = put_statement(PURGES, replaces=False)
_OF_ATHLETES = [table.name for table in TABLES if "athlete_id" in table.types]
_COUNTS = {name: f"select count(*) from {name} where athlete_id = :athlete_id" for name in _OF_ATHLETES}  # noqa: S608 - our own names
# Each table of `raw` that knows athletes is emptied of theirs, and what knows them beside `raw` in a way of its own.
REMOVALS: Mapping[str, str] = {
    **{name: f"delete from {name} where athlete_id = :athlete_id" for name in _OF_ATHLETES},  # noqa: S608 - our own names
    **statements(Path(__file__).parent / "sql" / "purge"),
}

Clock = Callable[[], datetime]


def put_athlete(connection: sqlite3.Connection, athlete: Athlete, receipts: CheckedReceipts, clock: Clock) -> None:
    """Add or replace the athlete; one who comes back after a purge gets the fence's end. Raises ReceiptsUnchecked."""
    found = connection.execute(SQL["fenced_until"], {"athlete_id": athlete.athlete_id}).fetchone()
    if found is not None:
        fenced_until = found[0]
    else:
        purged_at = purges_of(connection, [athlete.athlete_id], receipts).get(athlete.athlete_id)
        # A receipt's stamp may be ahead of a clock that was set back; what comes from now on is taken in any case.
        fenced_until = None if purged_at is None else utc_text(min(purged_at, clock()))
    connection.execute(_PUT_ATHLETE, rows.athlete_row(athlete) | {"fenced_until": fenced_until})


def connect(
    connection: sqlite3.Connection, athlete: Athlete, backfill: Backfill, receipts: CheckedReceipts, clock: Clock
) -> None:
    """Put the athlete and ask for the history, whose list begins again. Raises ReceiptsUnchecked."""
    put_athlete(connection, athlete, receipts, clock)
    list_again(connection, backfill)


def list_again(connection: sqlite3.Connection, backfill: Backfill) -> None:
    """Put the backfill, whose list begins from the top."""
    connection.execute(SQL["begin_list_again"], {"athlete_id": backfill.athlete_id})
    connection.execute(_PUT_BACKFILL, rows.bound(BACKFILLS, backfill))


def row_count(connection: sqlite3.Connection, athlete_id: int) -> int:
    """Count the athlete's rows in all of `raw`."""
    return sum(connection.execute(each, {"athlete_id": athlete_id}).fetchone()[0] for each in _COUNTS.values())


def purge(
    connection: sqlite3.Connection, athlete_id: int, athlete_hash: str, clock: Clock, *, keeps_own_files: bool = False
) -> PurgeReceipt:
    """Remove the athlete from every table that knows of athletes, the queue's included, and add the receipt.

    If it `keeps_own_files` and there are some, the athlete's row stays and tells up to when the rest was removed.
    """
    purged_at = next_stamp(connection, clock)
    whose = {"athlete_id": athlete_id}
    kept = {table.name for table in OWN_FILES} | {STRAVA_ATHLETES.name} if keeps_own_files else set[str]()
    if not any(connection.execute(_COUNTS[table], whose).fetchone()[0] for table in kept - {STRAVA_ATHLETES.name}):
        kept = set()
    removed = {
        table: connection.execute(statement, whose).rowcount
        for table, statement in sorted(REMOVALS.items())
        if table not in kept
    }
    if kept:
        connection.execute(SQL["keep_own_athlete"], whose | {"purged_at": utc_text(purged_at)})
    receipt = PurgeReceipt(purge_id=uuid4().hex, athlete_hash=athlete_hash, purged_at=purged_at, removed=removed)
    connection.execute(_PUT_PURGE, rows.bound(PURGES, receipt, removed=removed))
    return receipt
