"""The database that dbt built, opened to run statements on it with `raw` beside it: all of them or none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
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
        self._connections: tuple[duckdb.DuckDBPyConnection, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[tuple[Execute, Execute]]:
        """Give two functions that may run a statement each at once, and return its rows.

        What they committed is kept at the end of the block. After an error in it, or a kill, nothing is: the file stays
        as it was. They and this raise MartMissing where a table is not there, WarehouseBusy.
        """
        try:
            self._connections = self._connections or self._started()
            first, second = self._connections
            with _attached(self._connections, self._transform_path, self._pipeline_path):
                yield partial(_rows, first), partial(_rows, second)
                first.execute(f"checkpoint {CATALOG}")
        except BaseException as error:
            self._close()
            if isinstance(error, duckdb.Error):
                raise WarehouseBusy(sentence(error)) from error
            raise

    def _started(self) -> tuple[duckdb.DuckDBPyConnection, ...]:
        folder = str(self._extension_directory())
        connection = in_memory(self._transform_path, extension_directory=folder)
        connection.execute("load sqlite_scanner")
        connection.execute("set threads = 1")  # for many short statements a second one costs more than it brings
        # choosing how to compress hundreds of short columns takes longer than writing them: an eighth of a refresh
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute("pragma disable_checkpoint_on_shutdown")  # the file is written at the end of a whole run
        self._prepare(connection)
        connections = connection, connection.cursor()
        for each in connections:
            each.execute("set TimeZone = 'UTC'")
        return connections

    def _close(self) -> None:
        for each in self._connections:
            each.close()
        self._connections = ()


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> Sequence[Sequence[Any]]:
    try:
        return connection.execute(sql).fetchall()
    except duckdb.CatalogException as error:
        raise MartMissing(sentence(error)) from error
    except duckdb.Error as error:
        raise WarehouseBusy(sentence(error)) from error


@contextmanager
def _attached(
    connections: Sequence[duckdb.DuckDBPyConnection], transform_path: Path, pipeline_path: Path
) -> Iterator[None]:
    """Open both files, and close them: another process may build next, and the file is all there is to copy."""
    connection = connections[0]
    attach(connection, transform_path, CATALOG, "recovery_mode no_wal_writes")
    try:
        attach(connection, pipeline_path, "raw", "type sqlite, read_only")
        for each in connections:
            each.execute(f"use {CATALOG}")
        yield
    finally:
        for each in connections:
            with suppress(duckdb.Error):  # where no transaction is open
                each.rollback()
            each.execute("use memory")
        connection.execute("detach database if exists raw")
        connection.execute(f"detach {CATALOG}")
        for threads in (2, 1):  # upon a change DuckDB gives back the memory that it keeps for the next run: 135 MB
            connection.execute(f"set threads = {threads}")
