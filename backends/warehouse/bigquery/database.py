"""The dataset as a store uses it: reads, writes behind the fence, and one more try where somebody came in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from backends.warehouse import WarehouseBusy, rows
from backends.warehouse.athletes import Athlete
from backends.warehouse.bigquery.changes import FenceRows
from backends.warehouse.bigquery.client import BigQuery, Conflict, Stale
from backends.warehouse.bigquery.loads import drop, load
from backends.warehouse.bigquery.parameters import Parameter, array, scalar
from backends.warehouse.bigquery.statements import SQL, Statement, keep_one, put_statement, repeated
from backends.warehouse.fence import Fence
from backends.warehouse.purge_receipts import CheckedReceipts, ReceiptsUnchecked
from backends.warehouse.schema import STRAVA_ATHLETES
from backends.warehouse.table import Table
from runtime.clock import utc_now, utc_text

T = TypeVar("T")

_ATTEMPTS = 8
_OF_ATHLETE = [name for name in STRAVA_ATHLETES.types if name != "fenced_until"]
LARGEST_REQUEST = 6_000_000  # bytes of rows; a request may have 10 MB, with the statement and lists of ids
_FIRST_WAIT_S = 0.1  # doubled from attempt to attempt, and shortened by chance so that two do not meet again


class BigQueryDatabase:
    """Several programs may share the dataset. Every method raises WarehouseBusy when BigQuery is not to be had.

    If `archive_follows`, what an export says of an activity goes when it is deleted at Strava later.
    """

    def __init__(
        self,
        bigquery: BigQuery,
        *,
        clock: Callable[[], datetime] = utc_now,
        largest_request: int = LARGEST_REQUEST,
        archive_follows: bool = True,
    ) -> None:
        self._bigquery = bigquery
        self._archive_follows = archive_follows
        self._clock = clock
        self._largest_request = largest_request
        self._receipts = CheckedReceipts()
        self._fence_rows: FenceRows | None = None

    async def _read(self, name: str, *parameters: Parameter, **texts: str) -> list[rows.Row]:
        """Return the rows of a statement as plain values."""
        return await self._select(name, SQL[name].format(**texts) if texts else SQL[name], *parameters)

    async def _select(self, name: str, sql: str, *parameters: Parameter) -> list[rows.Row]:
        answer = await self._bigquery.query(name, sql, parameters)
        return [{column: _plain(value) for column, value in row.items()} for row in answer.rows]

    async def _read_moment(self, name: str) -> datetime | None:
        """Return the moment of a statement that gives one row with one column."""
        [row] = await self._read(name)
        [moment] = row.values()
        return _moment(moment)

    async def _change(self, name: str, *parameters: Parameter, **texts: str) -> int:
        """Run a statement that changes rows, and return how many."""
        return await self._execute(name, SQL[name].format(**texts) if texts else SQL[name], *parameters)

    async def _execute(self, name: str, sql: str, *parameters: Parameter) -> int:
        return await self._repeated(name, sql, parameters)

    async def _run(self, statement: Statement) -> int:
        """Run a statement that changes rows, and return how many; rows that are too many for a request come first."""
        given = statement.given
        if given is None or given.size <= self._largest_request:
            return await self._repeated(statement.name, statement.sql, statement.bound)
        table = await self._bigquery.run(partial(load, statement=statement.name, given=given))
        try:
            return await self._repeated(statement.name, statement.reading(table), statement.parameters)
        finally:
            with suppress(WarehouseBusy):  # it expires by itself
                await self._bigquery.run(partial(drop, table=table))

    async def _repeated(self, name: str, sql: str, parameters: Sequence[Parameter]) -> int:
        """Run a statement; one that another program stands in the way of is tried again."""
        for attempt in range(_ATTEMPTS):
            try:
                return (await self._bigquery.query(name, sql, parameters)).changed
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0.5, 1.0) * _FIRST_WAIT_S * 2**attempt)  # noqa: S311 - no secret
        raise AssertionError

    async def _keep_one_of(self, table: Table, activity_ids: Collection[int]) -> None:
        """Of rows that two programs added at once, keep the newest observation of each activity."""
        if not activity_ids:
            return
        ids = array("activity_ids", "int64", activity_ids)
        found = await self._select(f"repeated_{table.name}", repeated(table, activity_ids), ids)
        if twice := [row[table.key] for row in found]:
            only = array("activity_ids", "int64", twice)
            await self._execute(f"keep_one_{table.name}", keep_one(table, twice), only)

    async def _put(self, table: Table, row: Mapping[str, Any], *, replaces: bool = True) -> None:
        """Put a row that is of no athlete."""
        if "athlete_id" in table.types:
            raise ValueError(f"{table.name} knows athletes: `_put_of_athlete` keeps out who was purged")
        await self._execute(f"put_{table.name}", put_statement(table, replaces=replaces), *bound(table, row))

    async def _put_of_athlete(
        self, table: Table, row: Mapping[str, Any], *, seen_at: datetime, replaces: bool = True
    ) -> bool:
        """Put what was seen of the athlete at that moment; False, and nothing put, if a purge has come since."""

        async def put(guard: Sequence[Parameter]) -> bool:
            await self._put_guarded(table, row, guard, replaces=replaces)
            return True

        return await self._write_of_athlete(row["athlete_id"], seen_at, put)

    async def _write_of_athlete(
        self, athlete_id: int, seen_at: datetime, write: Callable[[Sequence[Parameter]], Awaitable[bool]]
    ) -> bool:
        """Write what was seen of the athlete at that moment; False, and nothing written, if a purge has come since."""

        async def unless_held_back(fence: Fence, guard: Sequence[Parameter]) -> bool:
            return not fence.holds_back(athlete_id, seen_at) and await write(guard)

        return await self._fenced([athlete_id], unless_held_back)

    async def _put_guarded(
        self, table: Table, row: Mapping[str, Any], guard: Sequence[Parameter], *, replaces: bool = True
    ) -> None:
        """Put a row of an athlete, while the fence around them is as it was read."""
        sql = put_statement(table, replaces=replaces, is_guarded=True)
        await self._execute(f"put_{table.name}", sql, *bound(table, row), *guard)

    async def _fenced(
        self,
        athlete_ids: Collection[int],
        work: Callable[[Fence, Sequence[Parameter]], Awaitable[T]],
        *,
        is_fence_new: bool = False,
    ) -> T:
        """Do what rests on the fence around these athletes, once more where it or a row has changed since.

        Who has no row may have connected since the fence was read, so it is read again, unless that was just now.
        """
        for _ in range(_ATTEMPTS):
            fence_rows = self._fence_rows
            if fence_rows is None or not (is_fence_new or fence_rows.fenced_until.keys() >= set(athlete_ids)):
                fence_rows = await self._read_fence()
            around = partial(fence_rows.fence, athlete_ids, self._receipts, self._clock())
            try:
                return await work(await self._checked(around), fence_rows.guard(athlete_ids))
            except Stale:
                self._forget()
        raise WarehouseBusy("Other programs change the same rows at once; try again later.")

    async def _checked(self, work: Callable[[], T]) -> T:
        """Do the work, once more after each check of receipts that it needs: they take long."""
        while True:
            try:
                return work()
            except ReceiptsUnchecked as unchecked:
                await asyncio.to_thread(self._receipts.check, unchecked.pairs)

    async def _read_fence(self) -> FenceRows:
        self._athletes_of(await self._read("athletes"))
        assert self._fence_rows is not None  # noqa: S101 - just read
        return self._fence_rows

    def _athletes_of(self, found: Sequence[rows.Row]) -> list[Athlete]:
        """Return who is in rows of `athletes.sql`, by their ids, and remember what these rows say of the fence."""
        athletes = [row for row in found if row["athlete_hash"] is None]
        receipts = [row for row in found if row["athlete_hash"] is not None]
        self._fence_rows = FenceRows(
            {row["athlete_id"]: _moment(row["fenced_until"]) for row in athletes},
            {row["athlete_hash"]: datetime.fromisoformat(row["purged_at"]) for row in receipts},
        )
        known = [rows.athlete({name: row[name] for name in _OF_ATHLETE}) for row in athletes]
        return sorted(known, key=lambda each: each.athlete_id)

    def _forget(self) -> None:
        """Forget what a write rests on, so that it is read again."""
        self._fence_rows = None


def bound(table: Table, row: Mapping[str, Any]) -> list[Parameter]:
    """Return a row's values as parameters, without the stamp that BigQuery sets."""
    return [scalar(name, kind, row[name]) for name, kind in table.types.items() if name != "ingested_at"]


def _plain(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
