"""The pipeline's SQLite file as a store uses it: one writer thread that commits in groups, and one that reads."""

import asyncio
import math
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from backends.database_errors import database_fault
from backends.group_commit import SqliteWriter
from backends.sqlite import BUSY_TIMEOUT_S, connect, empty_log, file_identity, statements
from backends.warehouse import WarehouseBusy, rows
from backends.warehouse.purge_receipts import CheckedReceipts, ReceiptsUnchecked
from backends.warehouse.sqlite.fence import fence_around
from backends.warehouse.table import Table
from backends.write_probe import rewrite_version
from runtime.clock import utc_now

T = TypeVar("T")

SQL = statements(Path(__file__).parent / "sql")
_EMPTIED_WITHIN_S = 1.0  # how long a removed payload may stay in the write-ahead log, unless a reader needs the log


def put_statement(table: Table, *, replaces: bool) -> str:
    """Return the insert of one bound row; a row with its key is replaced, or left as it is."""
    names = list(table.types)
    values = ", ".join(f":{name}" for name in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != table.key)
    then = f"update set {changes}" if replaces else "nothing"
    into = f"{table.name} ({', '.join(names)})"
    return f"insert into {into} values ({values}) on conflict ({table.key}) do {then}"  # noqa: S608 - our own names


def named(found: sqlite3.Cursor) -> Iterator[sqlite3.Row]:
    """Return the rows of a connection that gives tuples as those that know their columns."""
    return (sqlite3.Row(found, tuple(row)) for row in found)


class SqliteDatabase:
    """Several processes may share the file.

    Every method raises WarehouseBusy when the file is locked for longer than the patience, the disk is full, or the
    store was closed; opening raises it too, and SchemaMismatch for a file that another version of the program made.
    When another file takes the place of the open one, one call raises WarehouseBusy, and later ones use the new file.
    A store that is `read_only` neither makes nor migrates the file, and writing to it raises WarehouseBusy. With
    `leaves_no_trace` it is for a look while nobody writes, as `connect` explains. If `archive_follows`, what an export
    says of an activity goes when it is deleted at Strava later.
    """

    def __init__(  # noqa: PLR0913 - all that a store may be told
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        read_only: bool = False,
        leaves_no_trace: bool = False,
        archive_follows: bool = True,
    ) -> None:
        self._path = path
        self._archive_follows = archive_follows
        self._clock = clock
        self._connect = partial(connect, read_only=True, leaves_no_trace=leaves_no_trace, busy_timeout_s=busy_timeout_s)
        self._receipts = CheckedReceipts()
        with self._translated():
            self._writer = None if read_only else SqliteWriter(path, busy_timeout_s=busy_timeout_s)
            self._identity = file_identity(path)
            self._reader = self._open_reader()
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-reader {path.name}")

    async def close(self) -> None:
        """Finish what is in flight and release the file; closing twice is success.

        The writer comes last: only a connection that may write leaves the write-ahead log empty.
        """
        await asyncio.to_thread(self._reading.shutdown)
        self._reader.close()
        if self._writer:
            await self._writer.close()

    async def probe(self) -> None:
        """Write something durable that changes nothing."""
        await self._write(rewrite_version)

    async def _write(self, work: Callable[[sqlite3.Connection], T], *, removes: bool = False) -> T:
        if self._writer is None:
            raise WarehouseBusy(f"The warehouse in {self._path} was opened to be read only.")
        with self._translated():
            return await self._writer.submit(work, log_emptied_within_s=_EMPTIED_WITHIN_S if removes else math.inf)

    async def _write_fenced(self, work: Callable[[sqlite3.Connection], T], *, removes: bool = False) -> T:
        """Write what asks for the fence around athletes who were purged."""
        return await self._checked(lambda: self._write(work, removes=removes))

    async def _checked(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, once more after each check of receipts that it needs: that takes too long in a transaction."""
        while True:
            try:
                return await work()
            except ReceiptsUnchecked as unchecked:
                await asyncio.to_thread(self._receipts.check, unchecked.pairs)

    async def _write_of_athlete(
        self, work: Callable[[sqlite3.Connection], T], athlete_id: int, *, seen_at: datetime
    ) -> T | None:
        """Write what was seen of the athlete at that moment; None, and nothing written, if a purge has come since."""

        def fenced(connection: sqlite3.Connection) -> T | None:
            fence = fence_around(connection, [athlete_id], self._receipts, self._clock())
            return None if fence.holds_back(athlete_id, seen_at) else work(connection)

        return await self._write_fenced(fenced)

    async def _put_of_athlete(self, table: Table, row: rows.Row, *, seen_at: datetime) -> None:
        put = put_statement(table, replaces=True)
        await self._write_of_athlete(
            lambda connection: connection.execute(put, row).close(), row["athlete_id"], seen_at=seen_at
        )

    async def _put(self, table: Table, row: rows.Row, *, replaces: bool = True) -> None:
        """Put a row that is of no athlete."""
        if "athlete_id" in table.types:
            raise ValueError(f"{table.name} knows athletes: `_put_of_athlete` keeps out who was purged")
        put = put_statement(table, replaces=replaces)
        await self._write(lambda connection: connection.execute(put, row).close())

    async def _execute(self, statement: str, **parameters: object) -> None:
        await self._write(lambda connection: connection.execute(SQL[statement], parameters).close())

    async def _read(self, statement: str, **parameters: object) -> list[sqlite3.Row]:
        return await self._in_reader(lambda reader: reader.execute(SQL[statement], parameters).fetchall())

    async def _in_reader(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._reading, lambda: work(self._current_reader()))
        except RuntimeError as error:  # the executor's word for having been shut down
            raise WarehouseBusy(f"The warehouse in {self._path} was closed.") from error
        with self._translated():
            return await answer

    def _current_reader(self) -> sqlite3.Connection:
        """Return the connection to the file that is at the path now."""
        identity = file_identity(self._path)
        if identity != self._identity:
            moved, self._reader = self._reader, self._open_reader()
            moved.close()
            self._identity = identity
        return self._reader

    def _open_reader(self) -> sqlite3.Connection:
        reader = self._connect(self._path)
        reader.row_factory = sqlite3.Row
        return reader

    def _empty_log(self) -> None:
        with self._translated(), closing(connect(self._path, busy_timeout_s=0)) as connection:
            empty_log(connection)  # the writer goes on trying where a reader is in the way

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:  # a row that the tables refuse: waiting does not mend it
            raise
        except sqlite3.Error as error:
            raise WarehouseBusy(database_fault(error, self._path)) from error
        except OSError as error:
            raise WarehouseBusy(f"The warehouse in {self._path} cannot be used just now: {error}.") from error
