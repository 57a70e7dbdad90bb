"""Reading the published marts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import duckdb

from backends.warehouse import WarehouseBusy
from backends.warehouse.duckdb.connection import CATALOG, attach, column_names, in_memory
from backends.warehouse.duckdb.errors import NO_MART, REBUILD, damage, sentence, translation
from backends.warehouse.marts import MartMissing, MartRows

_OF_ATHLETES = """
    select schema_name as layer, table_name, bool_or(column_name = 'athlete_id') as names_athlete
    from duckdb_columns()
    where
        database_name = current_database()
        and schema_name in ('staging', 'mart')
        and column_name in ('athlete_id', 'activity_id')
    group by all
    order by all
"""
# How long a whole file is at least; DuckDB itself only notices a lost end when it reads there. It cuts free blocks off
# the end, and its header still counts them.
_SIZE_TOLD = f"select used_blocks * block_size from pragma_database_size() where database_name = '{CATALOG}'"  # noqa: S608 - our own name


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
    """Implements `MartReader` and `MartCounts` on the published snapshot; opens the new file when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._opened: tuple[_Signature, duckdb.DuckDBPyConnection] | None = None

    def version(self) -> str | None:
        """Return what tells the published file from the one before. Raises WarehouseBusy."""
        try:
            signature = _Signature.of(self._path)
        except OSError as error:
            raise WarehouseBusy(f"{self._path} cannot be looked at just now: {error}.") from error
        return signature and "-".join(map(str, signature))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        """Run one query (positional `?` parameters) on the newest snapshot.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        try:
            found = self._cursor().execute(sql, list(parameters))
            names = column_names(found)
            return MartRows(dict(zip(names, row, strict=True)) for row in found.fetchall())
        except duckdb.CatalogException as error:
            raise MartMissing(f"{sentence(error)} The marts may be older than this program: {REBUILD}") from error
        except duckdb.Error as error:
            raise damage(error, self._path) or translation(error) from error

    def rows_of(self, athlete_id: int, activity_ids: Sequence[int]) -> Mapping[str, int]:
        """Implements `MartCounts`: every table that names athletes or activities is counted, those to come included."""
        counts = {"staging": 0, "mart": 0}
        for table in self.rows(_OF_ATHLETES):
            by_athlete = ("athlete_id = ?", athlete_id)
            condition, value = by_athlete if table["names_athlete"] else ("list_contains(?, activity_id)", activity_ids)
            counting = f"select count(*) as n from {table['layer']}.{table['table_name']} where {condition}"  # noqa: S608 - own names
            [row] = self.rows(counting, [value])
            counts[str(table["layer"])] += int(str(row["n"]))
        return counts

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
            return self._opened[1].cursor().execute(f"use {CATALOG}")

    def _signature(self) -> _Signature:
        signature = _Signature.of(self._path)
        if signature is None:
            self._opened = None
            raise MartMissing(NO_MART)
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
                return damage(error, self._path) is None
            if signature.size < told:
                return False
        self._whole = signature
        return signature is not None


def _open_snapshot(path: Path) -> duckdb.DuckDBPyConnection:
    """Attach the snapshot to an engine of its own, which can reach nothing else.

    DuckDB shares one engine among all who open a path, so opening the path itself could return the file before.
    """
    connection = in_memory(path)
    attach(connection, path, CATALOG)
    connection.execute("set global timezone = 'UTC'")
    connection.execute("set enable_external_access = false")
    return connection
