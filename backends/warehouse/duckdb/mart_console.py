"""A reader's own SQL over the published marts, as a page offers it: bounded in memory, time, rows and bytes."""

from pathlib import Path
from threading import Event, Lock, Thread, Timer

import duckdb

from backends.warehouse.duckdb.connection import CATALOG, NO_DOWNLOADS, attach, column_names
from backends.warehouse.duckdb.errors import NO_MART, damage, translation
from backends.warehouse.duckdb.foreign_tables import refuse_other_schemas
from backends.warehouse.duckdb.only_reading import only_reading
from backends.warehouse.marts import MartAnswer, MartLimits, MartMissing, QueryFailed

# What a question may take of the machine; what does not fit is no reason to fill the disk.
_BOUNDS = {"memory_limit": "512MB", "threads": "2", "temp_directory": "", "python_enable_replacements": "false"}
_BATCH_ROWS = 100
_INTERRUPT_AGAIN_S = 0.05
_TOO_LARGE = "The answer is larger than {megabytes} MB: take fewer columns or rows."
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
        self._closed = Event()

    def answer(self) -> MartAnswer:
        """Run the statement and fetch the first rows. Raises QueryFailed, WarehouseBusy."""
        timer = Timer(self._limits.seconds, self._end, [f"The query took longer than {self._limits.seconds:.0f} s."])
        timer.daemon = True
        timer.start()
        try:
            statement = only_reading(self._connection, self._sql)
            self._refuse_other_schemas(statement)
            found = self._connection.execute(statement)
            if any(_is_nested(column[1]) for column in found.description):
                self._refuse_large(found)
                found = self._connection.execute(statement)
            names, rows = column_names(found), self._fetched(found)
        except duckdb.InterruptException as error:
            raise QueryFailed(self._late or "The query was cancelled.") from error
        except duckdb.OutOfMemoryException as error:
            raise QueryFailed(_TOO_MUCH) from error
        except duckdb.Error as error:
            raise translation(error) from error
        finally:
            timer.cancel()
            with self._lock:
                self._closed.set()
                self._connection.close()
        return MartAnswer.of(names, rows, self._limits)

    def cancel(self) -> None:
        """End the statement; its answer is then QueryFailed."""
        Thread(target=self._end, args=[""], daemon=True).start()

    def _end(self, reason: str) -> None:
        """Interrupt until the statement has ended: DuckDB forgets what comes before one begins."""
        self._late = reason
        while not self._closed.is_set():
            with self._lock:
                if not self._closed.is_set():
                    self._connection.interrupt()
            self._closed.wait(_INTERRUPT_AGAIN_S)

    def _refuse_large(self, found: duckdb.DuckDBPyConnection) -> None:
        """Measure an answer in the engine's own form: lists take many times as much once they are Python's."""
        count = size = 0
        for batch in found.to_arrow_reader(_BATCH_ROWS):
            count, size = count + batch.num_rows, size + batch.nbytes
            if size > self._limits.bytes:
                raise QueryFailed(_TOO_LARGE.format(megabytes=self._limits.bytes // 10**6))
            if count > self._limits.rows:
                return

    def _fetched(self, found: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
        """Return one row more than the limit, if there are so many."""
        rows: list[tuple[object, ...]] = []
        size = 0
        while batch := found.fetchmany(min(_BATCH_ROWS, self._limits.rows + 1 - len(rows))):
            rows += batch
            size += sum(len(value) for row in batch for value in row if isinstance(value, str | bytes))
            if size > self._limits.bytes:
                raise QueryFailed(_TOO_LARGE.format(megabytes=self._limits.bytes // 10**6))
        return rows

    def _refuse_other_schemas(self, statement: duckdb.Statement) -> None:
        if statement.type != duckdb.StatementType.SELECT:
            raise QueryFailed("Only a select can be asked here.")
        [[tree]] = self._connection.execute("select json_serialize_sql(?)", [self._sql]).fetchall()
        refuse_other_schemas(tree, CATALOG, "mart")


def _is_nested(kind: object) -> bool:
    return str(kind).endswith("]") or str(kind).startswith(("STRUCT(", "MAP(", "UNION("))
