"""The DuckDB side of the warehouse: publishing what dbt built, reading it, and looking at all of it at once.

dbt builds `transform.duckdb`; readers open a published copy, so that they never meet the builder's lock.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import NamedTuple
from uuid import uuid4

import duckdb

from backends.atomic_file import atomic_replace
from backends.database_errors import damaged_database
from backends.warehouse import MartDamaged, MartMissing, QueryFailed, QueryResult, WarehouseBusy
from backends.warehouse.foreign_tables import refuse_foreign_tables
from runtime.data_dir import make_private

# Views name their tables in full, by the name of the file that dbt built, so a copy is attached under that name too.
_CATALOG = "transform"
_NO_DOWNLOADS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
# The person's own queries: what they may take of the machine, and no look at Python's variables.
_BOUNDS = {"memory_limit": "1GB", "temp_directory": "", "python_enable_replacements": "false"}
_TOO_MUCH = "The query needs more than 1 GB of memory: narrow it with where, fewer columns or a limit."
_FETCH_ROWS = 1_000
_REBUILD = "run `athlete transform`."
_NO_MART = f"No marts have been published yet: {_REBUILD}"
_EXPLAIN = re.compile(r"\s*explain(\s+analyze\b)?(\s*\(\s*(analyze|format)\b[^)]*\))?", re.IGNORECASE)
_DAMAGE = re.compile("not a valid DuckDB database file|Corrupt database file|Could not read enough bytes")
_NO_SQLITE = re.compile("file is not a database|malformed|disk I/O error")
# What a file's header says of its length; DuckDB itself only notices a lost end when it reads there.
_SIZE_TOLD = f"select total_blocks * block_size from pragma_database_size() where database_name = '{_CATALOG}'"  # noqa: S608 - our own name
_OF_THE_MOMENT = (
    duckdb.IOException,
    duckdb.ConnectionException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
)


def publish(transform_path: Path, mart_path: Path) -> None:
    """Copy what dbt built to where readers look, and swap it in as a whole.

    The caller sees to it that nobody has the builder's file open meanwhile, least of all this process: on Unix, closing
    one of a process's handles on a file gives up its locks of it, and then two may write. Readers keep what they have
    open and see the new snapshot at their next query. Raises MartMissing when nothing was built, WarehouseBusy.
    """
    draft = mart_path.with_name(f"{mart_path.name}.new")  # one name, so a killed publisher leaves no second copy
    try:
        _copy(transform_path, draft)
        atomic_replace(draft, mart_path)
    except FileNotFoundError as error:
        raise MartMissing(f"There is nothing to publish in {transform_path}: {_REBUILD}") from error
    except (OSError, duckdb.Error) as error:
        raise WarehouseBusy(f"{transform_path} cannot be published just now: {_sentence(error)}") from error


def compact(path: Path) -> None:
    """Write what dbt built into a new file, which takes the old one's place: DuckDB keeps the bytes of deleted rows.

    The caller sees to it that nobody has the file open meanwhile, as with `publish`. Takes 0.1 ms a row of the widest
    tables. Raises MartMissing when nothing was built, WarehouseBusy.
    """
    if not path.exists():
        raise MartMissing(f"There is nothing to compact in {path}: {_REBUILD}")
    draft = path.with_name(f"{path.name}.new")
    try:
        for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
            leftover.unlink(missing_ok=True)
        with duckdb.connect(":memory:", config=dict(_NO_DOWNLOADS)) as connection:
            for file, name in ((path, "built"), (draft, path.stem)):  # views hold the name that the file will have
                quoted = str(file).replace("'", "''")
                connection.execute(f"attach '{quoted}' as \"{name}\"")
            connection.execute(f'copy from database built to "{path.stem}"')
        atomic_replace(draft, path)
    except (OSError, duckdb.Error) as error:
        raise WarehouseBusy(f"{path} cannot be compacted just now: {_sentence(error)}") from error


def _copy(path: Path, draft: Path) -> None:
    """Copy a database with its write-ahead log, and bring what the log holds into the copy."""
    log, draft_log = (each.with_name(f"{each.name}.wal") for each in (path, draft))
    draft_log.unlink(missing_ok=True)
    shutil.copyfile(path, draft)
    if log.exists():
        shutil.copyfile(log, draft_log)
        with duckdb.connect(str(draft), config=dict(_NO_DOWNLOADS)) as connection:
            connection.execute("checkpoint")


def extension_directory(data_dir: Path) -> Path:
    """Return DuckDB's extension folder in the data folder, holding the packaged `sqlite` extension: no download.

    Safe in several processes. Raises QueryFailed when the package does not fit this DuckDB, OSError.
    """
    folder = data_dir.resolve() / "duckdb_extensions"
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("select library_version, platform from pragma_version(), pragma_platform()")
        [(version, platform)] = found.fetchall()
    packaged = _packaged_extension(version)
    if packaged is None:
        raise QueryFailed(f"DuckDB {version} needs the package duckdb-extension-sqlite=={version.lstrip('v')}.")
    # DuckDB takes the entry point's name from the file's name, and that is not the package's.
    place = folder / version / platform / "sqlite_scanner.duckdb_extension"
    if not place.is_symlink() or place.readlink() != packaged:
        make_private(place.parent)
        draft = place.with_name(uuid4().hex)
        draft.symlink_to(packaged)
        draft.replace(place)
    return folder


def _packaged_extension(version: str) -> Path | None:
    """Find the extension in its package, which only those who read SQLite through DuckDB install."""
    package = find_spec("duckdb_extension_sqlite")
    if package is None or package.origin is None:
        return None
    file = Path(package.origin).parent / "extensions" / version / "sqlite.duckdb_extension"
    return file if file.is_file() else None


class _Signature(NamedTuple):
    """What tells one published file from the next of the same name."""

    inode: int
    changed_ns: int
    size: int

    @classmethod
    def of(cls, path: Path) -> "_Signature | None":
        """Return the file's, or None when there is none. Raises OSError."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        return cls(status.st_ino, status.st_mtime_ns, status.st_size)


class DuckdbMartReader:
    """Implements `MartReader` on the published snapshot; opens it anew when another was swapped in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._opened: tuple[_Signature, duckdb.DuckDBPyConnection] | None = None

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, object]]:
        """Run one query (positional `?` parameters) on the newest snapshot.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        try:
            found = self._cursor().execute(sql, list(parameters))
            names = _names(found)
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.CatalogException as error:
            raise MartMissing(f"{_sentence(error)} The marts may be older than this program: {_REBUILD}") from error
        except duckdb.Error as error:
            raise _damage(error, self._path) or _translation(error) from error

    def close(self) -> None:
        """Release the snapshot; a query that is under way keeps it until it ends."""
        with self._lock:
            self._opened = None

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        # A snapshot that was replaced is let go of, not closed: closing would cut off the queries of other threads.
        with self._lock:
            signature = self._signature()
            if self._opened is None or self._opened[0] != signature:
                self._opened = signature, _open_snapshot(self._path)
            return self._opened[1].cursor().execute(f"use {_CATALOG}")

    def _signature(self) -> _Signature:
        signature = _Signature.of(self._path)
        if signature is None:
            self._opened = None
            raise MartMissing(_NO_MART)
        return signature


class SnapshotCheck:
    """Whether there is a published snapshot that is not damaged; it is opened only when it is another than before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole: _Signature | None = None

    def __call__(self) -> bool:
        """Return False where a transform must publish again; what may pass by itself is no damage."""
        signature = _Signature.of(self._path)
        if signature is not None and signature != self._whole:
            try:
                with _open_snapshot(self._path) as snapshot:
                    [[told]] = snapshot.execute(_SIZE_TOLD).fetchall()
            except duckdb.Error as error:
                return _damage(error, self._path) is None
            if signature.size < told:
                return False
        self._whole = signature
        return signature is not None


def _open_snapshot(path: Path) -> duckdb.DuckDBPyConnection:
    """Attach the snapshot to an engine of its own, which can reach nothing else.

    DuckDB shares one engine among all who open a path, so opening the path itself could return the file before.
    """
    connection = duckdb.connect(":memory:", config=dict(_NO_DOWNLOADS))
    _attach(connection, path, _CATALOG)
    connection.execute("set global timezone = 'UTC'")
    connection.execute("set enable_external_access = false")
    return connection


class DuckdbWarehouse:
    """Implements `SqlConsole`: staging and mart from the published snapshot, raw from the pipeline's SQLite file.

    What is not there or damaged is left out, so raw can be looked at without marts. Queries reach nothing but these
    two files. Opening raises WarehouseBusy, QueryFailed, OSError.
    """

    def __init__(self, *, data_dir: Path, mart_path: Path, pipeline_path: Path) -> None:
        extensions = {"extension_directory": str(extension_directory(data_dir))}
        self._connection = duckdb.connect(":memory:", config={**_NO_DOWNLOADS, **_BOUNDS, **extensions})
        try:
            self._connection.execute("set global timezone = 'UTC'")
            if pipeline_path.exists():
                self._attach_raw(pipeline_path)
            self._without_marts = self._attach_marts(mart_path)
            self._connection.execute("set enable_external_access = false")
            self._connection.execute("set lock_configuration = true")
        except duckdb.Error as error:
            self.close()
            raise _translation(error) from error

    def _attach_raw(self, path: Path) -> None:
        self._connection.execute("load sqlite_scanner")
        try:
            _attach(self._connection, path, "raw", "type sqlite, ")
            self._connection.execute("select count(*) from duckdb_tables() where database_name = 'raw'")
        except duckdb.Error as error:
            if _NO_SQLITE.search(str(error)):
                raise QueryFailed(damaged_database(_sentence(error), path)) from error
            raise

    def _attach_marts(self, path: Path) -> MartMissing | None:
        """Attach the snapshot, or return why there is none."""
        if not path.exists():
            return MartMissing(_NO_MART)
        try:
            _attach(self._connection, path, _CATALOG)
        except duckdb.Error as error:
            if damaged := _damage(error, path):
                return damaged
            raise
        self._connection.execute(f"use {_CATALOG}")
        return None

    def query(self, sql: str) -> QueryResult:
        """Run one statement that reads; tables are `raw.<table>`, `staging.<table>` and `mart.<table>`, and no others.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        try:
            found = self._connection.execute(_reading(self._connection, sql))
            return QueryResult(_names(found), _fetched(found))
        except duckdb.Error as error:
            if self._without_marts and re.search(r"\b(staging|mart)\b", sql, re.IGNORECASE):
                raise self._without_marts from error
            raise _asking(error) from error

    def close(self) -> None:
        """Release both files."""
        self._connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "") -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {name} ({options}read_only)")


def _reading(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one statement, which only reads: an attached file could still be written through its path."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryFailed(f"Give one statement; this is {len(statements) or 'none'}.")
    [statement] = statements
    explain = _EXPLAIN.match(sql)
    if statement.type == duckdb.StatementType.EXPLAIN and explain:
        _reading(connection, sql[explain.end() :])  # `explain analyze` runs what it explains
    elif statement.type != duckdb.StatementType.SELECT:
        raise QueryFailed(
            f"{statement.type.name} is refused: a query can only read, so begin with select, from, "
            "with, show, describe, summarize or explain."
        )
    else:
        [[tree]] = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
        refuse_foreign_tables(tree)
    return statement


def _names(found: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in found.description or ()]


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    try:
        while batch := found.fetchmany(_FETCH_ROWS):
            yield from batch
    except duckdb.Error as error:
        raise _asking(error) from error


def _asking(error: duckdb.Error) -> WarehouseBusy | QueryFailed | MartDamaged:
    """Choose our error for what a person's own query met."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailed(_TOO_MUCH)
    return _damage(error, Path("mart.duckdb")) or _translation(error)


def _damage(error: duckdb.Error, path: Path) -> MartDamaged | None:
    """Return our error where DuckDB's says that the snapshot itself is broken."""
    if not _DAMAGE.search(str(error)):
        return None
    return MartDamaged(f"{path} is damaged or empty ({_sentence(error)}) To build it again, {_REBUILD}")


def _translation(error: duckdb.Error) -> WarehouseBusy | QueryFailed:
    """Choose our error for DuckDB's: what may pass by itself, or a fault in the query."""
    return (WarehouseBusy if isinstance(error, _OF_THE_MOMENT) else QueryFailed)(_sentence(error))


def _sentence(error: Exception) -> str:
    """Return DuckDB's reason on one line, without its drawing of where in the query it stumbled."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())
