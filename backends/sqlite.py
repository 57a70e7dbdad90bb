"""The pipeline's SQLite file: how it is opened, locked and migrated. It holds what must not be lost."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from backends.data_folder import make_private

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 5.0
_RETRY_S = 0.0001
_OWNER_ONLY = 0o600


class DatabaseTooNew(Exception):
    """The file was written by a newer program; its sentence says what to do."""


def utc_text(moment: datetime) -> str:
    """Return UTC text of one fixed width, YYYY-MM-DDTHH:MM:SS.ffffffZ, so that it sorts as time passes."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def statements(folder: Path) -> Mapping[str, str]:
    """Return the SQL texts of a folder's `.sql` files by their names without the suffix."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}


def connect(path: Path, *, read_only: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open the file in autocommit mode, for use by one thread at a time; commits are flushed to the disk.

    Raises sqlite3.OperationalError when it cannot be opened. Neither creates folders nor migrates.
    """
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")  # what was deleted is overwritten, not just forgotten
    return connection


def open_database(
    path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, migrations: Path = MIGRATIONS
) -> sqlite3.Connection:
    """Open the file for writing, creating it and its folder for their owner alone, and bring it to the newest schema.

    Safe in several processes at once. Raises DatabaseTooNew, sqlite3.Error, OSError.
    """
    make_private(path.parent)
    _create(path)
    connection = connect(path, busy_timeout_s=busy_timeout_s)
    try:
        when_free(lambda: connection.execute("pragma journal_mode = wal"), busy_timeout_s)
        connection.execute("pragma journal_size_limit = 67108864")
        _migrate(connection, path, sorted(migrations.glob("*.sql")))
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Make an empty file that is its owner's alone; SQLite gives its journal the same mode.

    One that exists is not touched: to close a second handle of it would drop the locks that SQLite holds on the first.
    """
    with suppress(FileExistsError):
        path.touch(_OWNER_ONLY, exist_ok=False)


def when_free(attempt: Callable[[], T], patience_s: float) -> T:
    """Do what takes the file's write lock, trying again ten times a millisecond while another process holds it.

    SQLite's own waiting sleeps up to 100 ms at a time, and is not used at all when the journal mode changes.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_S)


def _migrate(connection: sqlite3.Connection, path: Path, files: list[Path]) -> None:
    if _version(connection) == len(files):
        return
    with transaction(connection, BUSY_TIMEOUT_S):
        version = _version(connection)  # another process may have been faster
        if version > len(files):
            raise DatabaseTooNew(
                f"{path} was written by a newer version of this program (schema {version}, the newest known here "
                f"is {len(files)}). Upgrade the program, or point DATA_DIR at another folder."
            )
        for file in files[version:]:
            for statement in _split(file.read_text(encoding="utf-8")):
                connection.execute(statement)
        connection.execute(f"pragma user_version = {len(files)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _split(script: str) -> Iterator[str]:
    """Yield a script's statements one by one: `executescript` would end the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


@contextmanager
def transaction(connection: sqlite3.Connection, patience_s: float) -> Iterator[None]:
    """Hold the file's write lock; commit at the end, or undo everything when the body raises."""
    when_free(lambda: connection.execute("begin immediate"), patience_s)
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
