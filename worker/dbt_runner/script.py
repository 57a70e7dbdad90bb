"""The statements of a refresh as dbt wrote them once, and what each refresh puts into them."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from runtime.clock import utc_text

EVERY_RUN = "every_run"  # dbt's tag of models and sources that no watermark tells of
EARLIEST = "0001-01-01T00:00:00.000000Z"  # before all of raw; a column of timestamps takes it, too
_PLACES = re.compile("<<([a-z_]+):([^>]*)>>")
_PARTED = re.compile("<<part:([a-z_]+) ")
_MOST_IDS = 5000  # more are named by the first and the last, as by the macro `is_changed`
# As the macro `parts_of` has them: activities whose curves are in memory at once, and who has curves.
_PART = 50
_CURVES = "select activity_id from strava_streams union select activity_id from activity_files"

Execute = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One model: what it reads, and its statements; a view has none. `last` waits until every model is built."""

    name: str
    parents: list[str]
    sources: list[str]
    tags: list[str]
    statements: list[str]
    last: str | None


@dataclass(frozen=True, slots=True)
class Script:
    """All models, each after those that it reads."""

    models: list[Model]

    @classmethod
    def from_json(cls, text: str) -> "Script":
        """Read what `json` wrote. Raises ValueError, TypeError."""
        return cls([Model(**each) for each in json.loads(text)])

    def json(self) -> str:
        """Return it as text."""
        return json.dumps([asdict(model) for model in self.models])

    def selected(self, changed: Collection[str] | None) -> list[Model]:
        """Return the models with statements that come of these tables of raw, or all where None."""
        chosen: set[str] = set()
        for model in self.models:
            is_first = changed is None or EVERY_RUN in model.tags or not chosen.isdisjoint(model.parents)
            if is_first or not set(model.sources).isdisjoint(changed or ()):
                chosen.add(model.name)
        return [model for model in self.models if model.name in chosen and model.statements]


class Statements:
    """Runs statements after putting in what only this refresh knows; see `transforms/macros/refresh_script.sql`."""

    def __init__(self, execute: Execute, as_of: datetime, clock: Callable[[], datetime]) -> None:
        self._execute = execute
        self._as_of = as_of
        self._clock = clock
        self._ids: dict[str, list[int]] = {}  # a table of ids is asked after it was built, and dozens of times
        self._part: list[int] = []
        self._values: Mapping[str, Callable[[str], str]] = {
            "as_of": lambda days: utc_text(self._as_of - timedelta(days=int(days))),
            "now": lambda _: utc_text(self._clock()),
            "changed": self._changed,
            "part": lambda places: _is_one_of(self._part, places.split()[1]),
            "newest": self._newest,
        }

    def run(self, statement: str) -> None:
        """Run one statement, or one in parts for each part of the activities that changed: for none, where none did."""
        tables = set(_PARTED.findall(statement))
        if len(tables) > 1:
            raise ValueError(f"a statement runs for parts of one table of ids, not of {', '.join(sorted(tables))}")
        for part in self._parts_of(*tables) if tables else [[]]:
            self._part = part
            self._execute(_PLACES.sub(lambda place: self._values[place[1]](place[2]), statement))

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
