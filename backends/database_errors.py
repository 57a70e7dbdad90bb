"""What SQLite's errors mean to the person whose file it is: the file's name, and what to do."""

import sqlite3
from pathlib import Path

from backends.sqlite import SchemaMismatch
from runtime.settings import SharedSettings

_DAMAGED = (
    "{path} is damaged or no database ({error}): restore it from a backup; without one, move it and its -wal and -shm "
    "files away and connect again with `athlete connect`."
)
_UNWRITABLE = (
    "{path} cannot be written ({error}): check that the file and its folder are yours and the disk is not read-only."
)
_UNOPENED = "{path} cannot be opened ({error}): check the rights of the file and of its folder."
_DISK = "The disk refuses {path} ({error}): check its free space and its health."
_IN_USE = "{path} is in use by another program ({error}): try again in a moment."
_OUTDATED = "{path} lacks what this program expects ({error}): `athlete up` brings it up to date."
_ANY = "{path} cannot be used ({error})."

_SENTENCES = {
    sqlite3.SQLITE_ERROR: _OUTDATED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: _DISK,
    sqlite3.SQLITE_FULL: _DISK,
    sqlite3.SQLITE_CANTOPEN: _UNOPENED,
    sqlite3.SQLITE_PERM: _UNOPENED,
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
}


def database_fault(error: sqlite3.Error, path: Path) -> str:
    """Return one sentence that names the file and says what to do."""
    code = getattr(error, "sqlite_errorcode", None)  # errors of Python's own module have none
    return _SENTENCES.get(-1 if code is None else code & 0xFF, _ANY).format(path=path, error=error)


def damaged_database(reason: str, path: Path) -> str:
    """Return what is said of a file that is no database, where another engine than SQLite has met it."""
    return _DAMAGED.format(path=path, error=reason)


def explain_database_error(error: Exception) -> str | None:
    """Return what to tell of an error of the pipeline's database; None of any other."""
    if isinstance(error, sqlite3.Error):
        return database_fault(error, SharedSettings().pipeline_path)
    return str(error) if isinstance(error, SchemaMismatch) else None
