"""Runs the statements that dbt wrote for a refresh, after putting in what only this refresh knows."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import IntEnum
from functools import cached_property
from typing import Any

from backends.warehouse.marts import MartMissing
from runtime.clock import utc_text
from worker.dbt_runner.script import Model, Replaced

EARLIEST = "0001-01-01T00:00:00.000000Z"  # before all of raw; a column of timestamps takes it, too
_PLACES = re.compile("<<([a-z_]+):([^>]*)>>")
_PARTED = re.compile("<<part:([a-z_]+) ")
_CHANGED = re.compile("<<changed:([a-z_]+) ")
_CHANGES_ROWS = re.compile(r"\s*(delete|insert|update)\b", re.IGNORECASE)
_MOST_COMPARED = 1000  # rows that take the place of as many
_MOST_CURVES = 5  # activities whose curves are compared: all are text at once, of up to 10 MB for each
_MOST_IDS = 5000  # more are named by the first and the last, as by the macro `is_changed`
# As the macro `parts_of` has them: activities whose curves are in memory at once, and who has curves.
_PART = 50
_CURVES = "select activity_id from strava_streams union select activity_id from activity_files"

Execute = Callable[[str], Sequence[Sequence[Any]]]


class News(IntEnum):
    """What is other in a model's rows than before."""

    NOTHING = 0
    LABELS = 1
    ROWS = 2


class Statements:
    """Runs statements on one connection; what is put into them: `transforms/macros/refresh_script.sql`."""

    def __init__(self, execute: Execute, as_of: datetime, clock: Callable[[], datetime]) -> None:
        self._execute = execute
        self._as_of = as_of
        self._clock = clock
        self._ids: dict[str, list[int]] = {}  # a table of ids is asked after it was built, and dozens of times
        self._part: list[int] = []
        self._values: Mapping[str, Callable[[str], str]] = {
            "as_of": lambda days: utc_text(self._as_of - timedelta(days=int(days))),
            "now": lambda _: utc_text(self._clock()),
            "alone": lambda _: str(self.is_alone).lower(),
            "changed": self._changed,
            "part": lambda places: _is_one_of(self._part, places.split()[1]),
            "newest": self._newest,
        }

    def beside(self, execute: Execute) -> "Statements":
        """Return what runs others of the same refresh on another connection."""
        other = Statements(execute, self._as_of, self._clock)
        other._ids = self._ids
        other.is_alone = self.is_alone
        return other

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Run all of the block in one transaction: it reads `raw` as it is at one moment, and is committed once."""
        self._execute("begin transaction")
        yield
        self._execute("commit")

    @cached_property
    def is_alone(self) -> bool:
        """Whether all tables are of one build; after a run of dbt that ended halfway, by hand or by a kill, not."""
        try:
            self._execute("from staging.refreshed limit 0")
        except MartMissing:
            return False
        return True

    def end(self) -> None:
        """Note that a refresh was the last to build, until dbt begins to."""
        self._execute("create table if not exists staging.refreshed as select true as is_alone")

    def build(self, model: Model, *, is_measured: bool = True) -> News:
        """Run a model's statements; return what may be other in its rows than before.

        Where labels alone are new to it, what comes after the rows that it replaces has nothing to do.
        """
        news = self._replace(model.replaced) if model.replaced else News.NOTHING
        following = model.statements if is_measured or not model.replaced else []
        count = sum(self.run(statement) for statement in following)
        is_other = self._put(model.table) if model.table else count > 0
        return News.ROWS if is_other else news

    def is_filled(self, model: Model) -> bool:
        """Whether a model's table has rows."""
        return bool(self._execute(f"select 1 from {model.table} limit 1"))  # noqa: S608 - dbt's own name

    def run(self, statement: str) -> int:
        """Run one statement, or one in parts for each part of the activities that changed: for none, where none did.

        Returns how many rows of a table it removed, added or changed.
        """
        tables = set(_PARTED.findall(statement))
        if len(tables) > 1:
            raise ValueError(f"a statement runs for parts of one table of ids, not of {', '.join(sorted(tables))}")
        count = 0
        for part in self._parts_of(*tables) if tables else [[]]:
            self._part = part
            told = self._run(statement)
            count += told[0][0] if _CHANGES_ROWS.match(statement) else 0
        return count

    def _put(self, table: str) -> bool:
        """Put what was built beside a table in its place, unless it has the same rows, in any order."""
        new = f"{table}__new"
        # one hash more than the row's: its last step lets two rows that swap their last values cancel each other out
        was, is_now = (self._execute(f"from {each} as row select count(*), sum(hash(row, 0))") for each in (table, new))
        is_other = was != is_now
        self._execute(f"drop table {table if is_other else new}")
        if is_other:
            self._execute(f"alter table {new} rename to {table.partition('.')[2]}")
        return is_other

    def _replace(self, replaced: Replaced) -> News:
        """Put rows in the place of others, unless these are the same."""
        table, old = replaced.table, f"from {replaced.table} as kept where {replaced.where}"
        [(count,)] = self._run(f"select count(*) {old}")
        ids = max((len(self._ids_in(each)) for each in _CHANGED.findall(replaced.where)), default=0)
        most = _MOST_CURVES if _PARTED.search(replaced.rows) else _PART
        # what is first needs no comparing, and comparing much takes longer than it brings, and much memory
        is_compared = 0 < count <= _MOST_COMPARED and ids <= most
        if not is_compared and (not count or table not in replaced.rows):
            gone = self.run(f"delete {old}") if count else 0
            return News.ROWS if self.run(f"insert into {table} by name {replaced.rows}") or gone else News.NOTHING
        self._execute(f"create or replace temporary table replacing as from {table} limit 0")
        made = self.run(f"insert into replacing by name {replaced.rows}")
        news = self._compared(old, replaced.labels) if is_compared else News.ROWS if count or made else News.NOTHING
        if news:
            self.run(f"delete {old}")
            self._execute(f"insert into {table} from replacing")
        self._execute("drop table replacing")
        return news

    def _compared(self, old: str, labels: Sequence[str]) -> News:
        """Return what is other in `replacing` than in the old rows."""
        if self._sum_of(old) == self._sum_of("from replacing"):
            return News.NOTHING
        but_for = f"exclude ({', '.join(labels)})"
        if labels and self._sum_of(old, but_for) == self._sum_of("from replacing", but_for):
            return News.LABELS
        return News.ROWS

    def _sum_of(self, rows: str, but_for: str = "") -> Sequence[Any]:
        """Return how many rows these are, and a sum of them: by their texts, which tell an empty list from none."""
        told = f"select count(*), sum(hash(cast(row as varchar))) from (select * {but_for} {rows}) as row"  # noqa: S608
        [sums] = self._run(told)
        return sums

    def _run(self, statement: str) -> Sequence[Sequence[Any]]:
        return self._execute(_PLACES.sub(lambda place: self._values[place[1]](place[2]), statement))

    def _parts_of(self, table: str) -> Iterator[list[int]]:
        """Yield the table's ids, at most fifty that have curves at a time."""
        ids = self._ids_in(table)
        part: list[int] = []
        curved = 0
        for each in ids:
            part.append(each)
            curved += len(ids) <= _PART or each in self._with_curves
            if curved == _PART or len(part) == _MOST_IDS:
                yield part
                part, curved = [], 0
        if part:
            yield part

    @cached_property
    def _with_curves(self) -> frozenset[int]:
        return frozenset(row[0] for row in self._execute(f"from sqlite_query('raw', '{_CURVES}')"))

    def _changed(self, places: str) -> str:
        table, column = places.split()
        ids = self._ids_in(table)
        if len(ids) > _MOST_IDS:
            return f"{column} between {ids[0]} and {ids[-1]}"
        return _is_one_of(ids, column)

    def _ids_in(self, table: str) -> list[int]:
        if table not in self._ids:
            rows = self._execute(f"select activity_id from staging.{table} order by activity_id")  # noqa: S608 - dbt's own name
            self._ids[table] = [row[0] for row in rows]
        return self._ids[table]

    def _newest(self, table: str) -> str:
        [(moment,)] = self._execute(f"select strftime(max(ingested_at), '%Y-%m-%dT%H:%M:%S.%fZ') from {table}")  # noqa: S608 - dbt's own name
        return str(moment or EARLIEST)


def _is_one_of(ids: Sequence[int], column: str) -> str:
    return f"{column} in ({', '.join(map(str, ids))})" if ids else "false"
