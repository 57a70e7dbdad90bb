"""A person's own SQL over all of the warehouse, read-only and bounded."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from backends.database_errors import damaged_database
from backends.warehouse import WarehouseBusy
from backends.warehouse.duckdb.connection import CATALOG, NO_DOWNLOADS, attach, column_names
from backends.warehouse.duckdb.errors import NO_MART, damage, sentence, translation
from backends.warehouse.duckdb.extension import extension_directory
from backends.warehouse.duckdb.only_reading import only_reading
from backends.warehouse.marts import ArrowResult, MartDamaged, MartMissing, QueryFailed, QueryResult

if TYPE_CHECKING:
    import pyarrow as pa

# What a person's query may take of the machine, and no look at Python's variables.
_BOUNDS = {"memory_limit": "1GB", "temp_directory": "", "python_enable_replacements": "false"}
_TOO_MUCH = "The query needs more than 1 GB of memory: narrow it with where, fewer columns or a limit."
_FETCH_ROWS = 1_000
_ARROW_ROWS = 100_000
_NO_SQLITE = re.compile("file is not a database|malformed|disk I/O error")


class DuckdbSqlConsole:
    """Implements `SqlConsole`: staging and mart from the published snapshot, raw from the pipeline's SQLite file.

    What is not there or damaged is left out, so raw can be looked at without marts. Queries reach nothing but these
    two files. Opening raises WarehouseBusy, QueryFailed, OSError.
    """

    def __init__(self, *, data_dir: Path, mart_path: Path, pipeline_path: Path) -> None:
        extensions = {"extension_directory": str(extension_directory(data_dir))}
        self._connection = duckdb.connect(":memory:", config={**NO_DOWNLOADS, **_BOUNDS, **extensions})
        try:
            self._connection.execute("set global timezone = 'UTC'")
            if pipeline_path.exists():
                self._attach_raw(pipeline_path)
            self._without_marts = self._attach_marts(mart_path)
            self._connection.execute("set enable_external_access = false")
            self._connection.execute("set lock_configuration = true")
        except duckdb.Error as error:
            self.close()
            raise translation(error) from error

    def _attach_raw(self, path: Path) -> None:
        self._connection.execute("load sqlite_scanner")
        try:
            attach(self._connection, path, "raw", "type sqlite, read_only")
            self._connection.execute("select count(*) from duckdb_tables() where database_name = 'raw'")
        except duckdb.Error as error:
            if _NO_SQLITE.search(str(error)):
                raise QueryFailed(damaged_database(sentence(error), path)) from error
            raise

    def _attach_marts(self, path: Path) -> MartMissing | None:
        """Attach the snapshot, or return why there is none."""
        if not path.exists():
            return MartMissing(NO_MART)
        try:
            attach(self._connection, path, CATALOG)
        except duckdb.Error as error:
            if damaged := damage(error, path):
                return damaged
            raise
        self._connection.execute(f"use {CATALOG}")
        return None

    def query(self, sql: str) -> QueryResult:
        """Run one statement that reads; tables are `raw.<table>`, `staging.<table>` and `mart.<table>`, and no others.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        try:
            found = self._connection.execute(only_reading(self._connection, sql))
            return QueryResult(column_names(found), _fetched(found))
        except duckdb.Error as error:
            raise self._told(sql, error) from error

    def arrow(self, sql: str) -> ArrowResult:
        """Run one statement that reads, as `query` does."""
        try:
            reader = self._connection.execute(only_reading(self._connection, sql)).to_arrow_reader(_ARROW_ROWS)
        except duckdb.Error as error:
            raise self._told(sql, error) from error
        return ArrowResult(reader.schema, _batches(reader))

    def _told(self, sql: str, error: duckdb.Error) -> Exception:
        if self._without_marts and re.search(r"\b(staging|mart)\b", sql, re.IGNORECASE):
            return self._without_marts
        return _asking(error)

    def close(self) -> None:
        """Release both files."""
        self._connection.close()


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    try:
        while batch := found.fetchmany(_FETCH_ROWS):
            yield from batch
    except duckdb.Error as error:
        raise _asking(error) from error


def _batches(reader: "pa.RecordBatchReader") -> "Iterator[pa.RecordBatch]":
    try:
        yield from reader
    except (duckdb.Error, OSError) as error:  # Arrow turns the engine's errors into those of a stream
        raise _asking(error) if isinstance(error, duckdb.Error) else QueryFailed(str(error)) from error


def _asking(error: duckdb.Error) -> WarehouseBusy | QueryFailed | MartDamaged:
    """Choose our error for what a person's own query met."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailed(_TOO_MUCH)
    return damage(error, Path("mart.duckdb")) or translation(error)
