"""Opens, locks and migrates the pipeline's SQLite file, which holds what must not be lost."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from runtime.data_dir import make_private

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 5.0
_RETRY_S = 0.0001
_YIELDING_RETRY_S = 0.002
_YIELDS_FOR_S = 1.0
_MOMENT_NS = 20_000_000  # a file's time moves on by the system's tick: 1 to 10 ms
_OWNER_ONLY = 0o600
_APPLIED = """
    create table if not exists schema_migrations (
        version integer primary key,
        name text not null,
        sha256 text not null                -- of the migration's file as it was applied
    ) strict
"""


class SchemaMismatch(Exception):
    """This program cannot use the file's schema. The text says what to do."""


class DatabaseMoved(sqlite3.OperationalError):
    """The open file was moved or replaced. Nothing is written until the file at the path is opened."""


def statements(folder: Path) -> Mapping[str, str]:
    """Return the texts of a folder's `.sql` files by their names without the suffix."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.sql")}


def connect(
    path: Path, *, read_only: bool = False, leaves_no_trace: bool = False, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> sqlite3.Connection:
    """Open the file in autocommit mode, for one thread at a time. Commits are flushed to the disk.

    It creates no folder and does not migrate. One that is only read may leave an empty log beside the file. With
    `leaves_no_trace` a file whose log is empty is read as it stands, so nobody may be writing: it sees nothing of what
    is written from then on. Raises sqlite3.OperationalError.
    """
    is_at_rest = read_only and leaves_no_trace and not _has_log(path)
    mode = "ro&immutable=1" if is_at_rest else "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")  # deleted data is overwritten
    return connection


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def open_database(
    path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, migrations: Path = MIGRATIONS
) -> sqlite3.Connection:
    """Open the file for writing and bring it to the newest schema. A new file and folder are their owner's alone.

    Several processes may do this at once. Raises SchemaMismatch, sqlite3.Error, OSError.
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

    An existing file is not opened: closing a second handle of it would drop the locks that SQLite holds on the first.
    """
    with suppress(FileExistsError):
        path.touch(_OWNER_ONLY, exist_ok=False)


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of the file at the path, which change when it is replaced; None without a file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - takes half the time of Path.stat, once per batch
    except OSError:
        return None
    return found.st_dev, found.st_ino


def last_write(path: Path) -> tuple[int, int, int] | None:
    """Return what is other after each write to the file's write-ahead log; None without one.

    That is when it was written, its size, and, while another write may still come at what the file system takes for the
    same moment, when it was looked at.
    """
    try:
        log = os.stat(f"{path}-wal")  # noqa: PTH116 - as above
    except OSError:
        return None
    now = time.time_ns()
    return log.st_mtime_ns, log.st_size, now if abs(now - log.st_mtime_ns) < _MOMENT_NS else 0


def empty_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log, which may hold removed rows, into the file and truncate it. Return whether it did.

    Most of the log moves beside readers and writers. Truncating needs a moment without them and does not wait for one,
    because waiting would hold the write lock. So the connection must have no busy timeout.
    """
    try:
        connection.execute("pragma wal_checkpoint(passive)").close()
        is_busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
    except sqlite3.Error:  # locked, or the disk is full
        return False
    return not is_busy


def when_free(attempt: Callable[[], T], patience_s: float, *, yields: bool = False) -> T:
    """Make an attempt that takes the file's write lock; repeat it ten times a millisecond while the file is locked.

    SQLite's own waiting sleeps up to 100 ms at a time, and does not apply to a change of the journal mode. With
    `yields` the attempts of the first second are twenty times rarer, so that a waiting publisher goes first.
    """
    began = time.monotonic()
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            waited_s = time.monotonic() - began
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited_s >= patience_s:
                raise
            time.sleep(_YIELDING_RETRY_S if yields and waited_s < _YIELDS_FOR_S else _RETRY_S)


def _migrate(connection: sqlite3.Connection, path: Path, files: Sequence[Path]) -> None:
    ours = _migrations(files)
    if _version(connection) == len(files) and _applied(connection) == ours:
        return
    with transaction(connection, BUSY_TIMEOUT_S):
        version = _version(connection)  # another process may have migrated it meanwhile
        _require_known(path, version, len(files))
        connection.execute(_APPLIED)
        if not (applied := _applied(connection)):  # a new file, or one without checksums
            _record(connection, applied := ours[:version])
        _require_unedited(path, applied, ours)
        for file in files[version:]:
            for statement in _split(file.read_text(encoding="utf-8")):
                connection.execute(statement)
        _record(connection, ours[version:])
        connection.execute(f"pragma user_version = {len(files)}")


def schema_versions(connection: sqlite3.Connection, path: Path, *, migrations: Path = MIGRATIONS) -> tuple[int, int]:
    """Return how many migrations are applied, and how many there are; nothing is changed. Raises SchemaMismatch."""
    ours, version = _migrations(sorted(migrations.glob("*.sql"))), _version(connection)
    _require_known(path, version, len(ours))
    _require_unedited(path, _applied(connection), ours)
    return version, len(ours)


_Migration = tuple[int, str, str]  # its number, its file's name, and the file's checksum


def _migrations(files: Sequence[Path]) -> list[_Migration]:
    return [(number, file.name, _sha256(file)) for number, file in enumerate(files, 1)]


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _applied(connection: sqlite3.Connection) -> list[_Migration]:
    if connection.execute("select 1 from sqlite_schema where name = 'schema_migrations'").fetchone() is None:
        return []
    return connection.execute("select version, name, sha256 from schema_migrations order by version").fetchall()


def _record(connection: sqlite3.Connection, migrations: Sequence[_Migration]) -> None:
    connection.executemany("insert into schema_migrations (version, name, sha256) values (?, ?, ?)", migrations)


def _require_known(path: Path, version: int, newest: int) -> None:
    if version > newest:
        raise SchemaMismatch(
            f"{path} was written by a newer version of this program (schema {version}, the newest known here "
            f"is {newest}). Upgrade the program, or point DATA_DIR at another folder."
        )


def _require_unedited(path: Path, applied: Sequence[_Migration], ours: Sequence[_Migration]) -> None:
    for (_, name, sha256), (_, our_name, our_sha256) in zip(applied, ours, strict=False):
        if sha256 != our_sha256:
            raise SchemaMismatch(
                f"{path} was made by another version of this program: its migration {name} is not this program's "
                f"{our_name}. Use the version that made the file, or point DATA_DIR at another folder."
            )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def _split(script: str) -> Iterator[str]:
    """Yield a script's statements one by one, because `executescript` would end the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


@contextmanager
def transaction(connection: sqlite3.Connection, patience_s: float, *, yields: bool = False) -> Iterator[None]:
    """Hold the file's write lock. Commit at the end, or roll back if the body raises."""
    when_free(lambda: connection.execute("begin immediate"), patience_s, yields=yields)
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
