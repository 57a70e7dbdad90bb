"""How far `raw` has come: by the column of each table, that the marts tell of, which moves with every change."""

import sqlite3
from datetime import datetime

from backends.warehouse.runs import first_change_statement, watermark_of
from backends.warehouse.stamps import COUNTED, MOVES, WHOLE
from runtime.clock import utc_text

# An index, or a few rows; names are our own.
STAMPS = f"select {', '.join(f'(select max({column}) from {table})' for table, column in MOVES.items())}"  # noqa: S608
_FEW = {
    **{each.name: f"select {', '.join(each.types)} from {each.name} order by {each.key}" for each in WHOLE},  # noqa: S608 - as above
    **{table: f"select count(*), max({MOVES[table]}) from {table}" for table in COUNTED},  # noqa: S608 - as above
}
FIRST_CHANGE = first_change_statement(":after")


def watermark(reader: sqlite3.Connection) -> str:
    """Return a text that changes whenever something did that the marts tell of."""
    stamps = dict(zip(MOVES, reader.execute(STAMPS).fetchone(), strict=True))
    return watermark_of(stamps, {table: reader.execute(rows).fetchall() for table, rows in _FEW.items()})


def first_change(reader: sqlite3.Connection, after: datetime) -> datetime | None:
    """Return when the first of these changes came after a moment."""
    [moment] = reader.execute(FIRST_CHANGE, {"after": utc_text(after)}).fetchone()
    return None if moment is None else datetime.fromisoformat(moment)
