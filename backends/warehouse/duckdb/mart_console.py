"""A reader's own SQL over the published marts, as a page offers it: bounded in memory, time and rows."""

from pathlib import Path
from threading import Lock, Timer

import duckdb

from backends.warehouse.duckdb.connection import CATALOG, NO_DOWNLOADS, attach, column_names
from backends.warehouse.duckdb.console import only_reading
from backends.warehouse.duckdb.errors import NO_MART, damage, translation
from backends.warehouse.duckdb.foreign_tables import refuse_other_schemas
from backends.warehouse.marts import MartAnswer, MartLimits, MartMissing, QueryFailed

# What a question may take of the machine; what does not fit is no reason to fill the disk.
_BOUNDS = {"memory_limit": "512MB", "threads": "2", "temp_directory": "", "python_enable_replacements": "false"}
_TOO_MUCH = "The query needs more than 512 MB of memory: narrow it with where, fewer columns or a limit."


class DuckdbMartConsole:
    """Implements `MartConsole` on the published snapshot; each question has an engine of its own, which ends with it.

    The snapshot is attached read-only, nothing else can be reached, and no setting be changed.
    """

    def __init__(self, path: Path, limits: MartLimits) -> None:
        self._path = path
        self._limits = limits

    def bytes_of(self, sql: str) -> int | None:
        """Return None, for reading is free."""

    def asking(self, sql: str) -> "DuckdbQuestion":
        """Open the marts for one statement. Raises MartMissing, WarehouseBusy, QueryFailed."""
        if not self._path.exists():
            raise MartMissing(NO_MART)
        connection = duckdb.connect(":memory:", config={**NO_DOWNLOADS, **_BOUNDS})
        try:
            attach(connection, self._path, CATALOG)
            connection.execute("set global timezone = 'UTC'")
            connection.execute(f"use {CATALOG}.mart")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
        except duckdb.Error as error:
            connection.close()
            raise damage(error, self._path) or translation(error) from error
        return DuckdbQuestion(connection, sql, self._limits)


class DuckdbQuestion:
    """Implements `MartQuestion`: one statement on its own engine."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str, limits: MartLimits) -> None:
        self._connection = connection
        self._sql = sql
        self._limits = limits
        self._late = ""
        self._lock = Lock()
        self._is_open = True

    def answer(self) -> MartAnswer:
        """Run the statement and fetch the first rows. Raises QueryFailed, WarehouseBusy."""
        timer = Timer(self._limits.seconds, self._end, [f"The query took longer than {self._limits.seconds:.0f} s."])
        timer.daemon = True
        timer.start()
        try:
            statement = only_reading(self._connection, self._sql)
            self._refuse_other_schemas(statement)
            found = self._connection.execute(statement)
            names, rows = column_names(found), found.fetchmany(self._limits.rows + 1)
        except duckdb.InterruptException as error:
            raise QueryFailed(self._late or "The query was cancelled.") from error
        except duckdb.OutOfMemoryException as error:
            raise QueryFailed(_TOO_MUCH) from error
        except duckdb.Error as error:
            raise translation(error) from error
        finally:
            timer.cancel()
            with self._lock:
                self._is_open = False
                self._connection.close()
        return MartAnswer.of(names, rows, self._limits)

    def cancel(self) -> None:
        """End the statement; its answer is then QueryFailed."""
        self._end("")

    def _end(self, reason: str) -> None:
        with self._lock:
            if self._is_open:
                self._late = reason
                self._connection.interrupt()

    def _refuse_other_schemas(self, statement: duckdb.Statement) -> None:
        if statement.type != duckdb.StatementType.SELECT:
            raise QueryFailed("Only a select can be asked here.")
        [[tree]] = self._connection.execute("select json_serialize_sql(?)", [self._sql]).fetchall()
        refuse_other_schemas(tree, CATALOG, "mart")
