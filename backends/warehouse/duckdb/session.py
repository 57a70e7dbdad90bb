"""The database that dbt built, opened to run statements on it with `raw` beside it: all of them or none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from backends.warehouse import WarehouseBusy
from backends.warehouse.duckdb.connection import CATALOG, attach, in_memory
from backends.warehouse.duckdb.errors import sentence
from backends.warehouse.marts import MartMissing

Execute = Callable[[str], Sequence[Sequence[Any]]]


class DuckdbSession:
    """Keeps an engine without a database, whose extension and functions are loaded once; files are open in a run alone.

    `prepare` registers the functions that statements call.
    """

    def __init__(
        self,
        transform_path: Path,
        pipeline_path: Path,
        extension_directory: Callable[[], Path],
        prepare: Callable[[duckdb.DuckDBPyConnection], None],
    ) -> None:
        self._transform_path = transform_path
        self._pipeline_path = pipeline_path
        self._extension_directory = extension_directory
        self._prepare = prepare
        self._connection: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """Give a function that runs a statement and returns its rows; commit at the end.

        Raises MartMissing where a table is not there, WarehouseBusy.
        """
        try:
            connection = self._connection or self._started()
            with _attached(connection, self._transform_path, self._pipeline_path):
                connection.begin()
                try:
                    yield lambda sql: connection.execute(sql).fetchall()
                    connection.commit()
                except BaseException:
                    with suppress(duckdb.Error):  # an error of the engine itself has ended the transaction
                        connection.rollback()
                    raise
        except duckdb.CatalogException as error:
            raise MartMissing(sentence(error)) from error
        except duckdb.Error as error:
            self._close()
            raise WarehouseBusy(sentence(error)) from error

    def _started(self) -> duckdb.DuckDBPyConnection:
        folder = str(self._extension_directory())
        connection = in_memory(self._transform_path, extension_directory=folder)
        connection.execute("load sqlite_scanner")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set threads = 1")  # for many short statements a second one costs more than it brings
        # choosing how to compress hundreds of short columns takes longer than writing them: an eighth of a refresh
        connection.execute("set force_compression = 'uncompressed'")
        # what a run commits goes straight into the file, without a log before it
        connection.execute("set checkpoint_threshold = '1 KB'")
        self._prepare(connection)
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, transform_path: Path, pipeline_path: Path) -> Iterator[None]:
    """Open both files, and close them: another process may build next, and the file is all there is to copy."""
    attach(connection, transform_path, CATALOG, "")
    try:
        attach(connection, pipeline_path, "raw", "type sqlite, read_only")
        connection.execute(f"use {CATALOG}")
        yield
    finally:
        connection.execute("use memory")
        connection.execute("detach database if exists raw")
        connection.execute(f"detach {CATALOG}")
        for threads in (2, 1):  # upon a change DuckDB gives back the memory that it keeps for the next run: 135 MB
            connection.execute(f"set threads = {threads}")
