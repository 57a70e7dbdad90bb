"""A look at the pipeline's database that changes nothing: its schema, and whether it is whole."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from backends.database_errors import damaged_database, database_fault
from backends.sqlite import SchemaMismatch, connect, schema_versions

_CHECK_S = 5.0
_STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's machine, some tenths of a millisecond


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseState:
    """How many migrations are applied, and how many there are; `fault` says why nothing can be read, and what to do.

    `is_checked` is False where the file is so large that the time was too short to read all of it.
    """

    version: int = 0
    newest: int = 0
    is_checked: bool = False
    fault: str | None = None


def examine(path: Path, *, is_at_rest: bool, within_s: float = _CHECK_S) -> DatabaseState:
    """Look at the file, and read as much of it as the seconds allow; where nobody writes, no trace is left."""
    try:
        with closing(connect(path, read_only=True, leaves_no_trace=is_at_rest)) as connection:
            version, newest = schema_versions(connection, path)
            damage, is_checked = _damage(connection, within_s)
    except SchemaMismatch as error:
        return DatabaseState(fault=str(error))
    except sqlite3.Error as error:
        return DatabaseState(fault=database_fault(error, path))
    fault = None if damage is None else damaged_database(damage, path)
    return DatabaseState(version=version, newest=newest, is_checked=is_checked, fault=fault)


def _damage(connection: sqlite3.Connection, within_s: float) -> tuple[str | None, bool]:
    """Return SQLite's word for the first fault, and whether it came to the end."""
    until = time.monotonic() + within_s
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
    try:
        [[found]] = connection.execute("pragma quick_check(1)").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None, False
    return (None if found == "ok" else " ".join(str(found).split())), True
