"""The pages' way to the mart: each query is a file, and its rows are cached until the next snapshot."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from threading import Lock
from time import perf_counter
from typing import Any

from backends.warehouse.marts import MartReader

Row = Mapping[str, Any]
MOST_VALUES = 2_000_000  # are remembered of one build: 80 to 150 MB


class Rows(list[Row]):
    """The rows of one query, and what was asked for them: `statement` with `parameters` for its `?`, in that order.

    `milliseconds` is what the engine took the first time; `scanned_bytes` is None where reading is free.
    """

    def __init__(self, rows: Iterable[Row], *, query: str, statement: str, parameters: tuple[object, ...]) -> None:
        super().__init__(rows)
        self.query = query
        self.statement = statement
        self.parameters = parameters
        self.milliseconds = 0.0
        self.scanned_bytes: int | None = None
        self.value_count = sum(len(value) if isinstance(value, list) else 1 for row in self for value in row.values())

    def changed(self, change: Callable[[Row], Row]) -> "Rows":
        """Return the same answer with each row changed."""
        rows = Rows(map(change, self), query=self.query, statement=self.statement, parameters=self.parameters)
        rows.milliseconds, rows.scanned_bytes = self.milliseconds, self.scanned_bytes
        return rows


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What every page needs of the published marts: `pipeline_health`, a row per connected athlete."""

    health: tuple[Row, ...]

    @property
    def athlete_ids(self) -> list[int]:
        """Every connected athlete, in a fixed order."""
        return [row["athlete_id"] for row in self.health]

    def of(self, athlete_id: int) -> Row:
        """Return one athlete's row."""
        return next(row for row in self.health if row["athlete_id"] == athlete_id)

    @property
    def built_at(self) -> datetime | None:
        """When the build began, so everything stored before is in it; None while nobody is connected."""
        return max((in_utc(row["last_transform_started_at"]) for row in self.health), default=None)


@dataclass(slots=True)
class MartVersion:
    """One published build, for one run of a page: its queries do not ask again which build is the newest.

    Of what was asked it remembers what was used last, up to MOST_VALUES values.
    """

    version: str | None
    _reader: MartReader
    _remembered: OrderedDict[tuple[str, tuple[object, ...]], Rows] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def snapshot(self) -> Snapshot:
        """Return the health of the published marts. Raises MartMissing, QueryFailed, WarehouseBusy."""
        return Snapshot(tuple(self.rows("pipeline_health")))

    def rows(self, query: str, *parameters: object) -> Rows:
        """Run `queries/<query>.sql`, or return what it said of these marts before; the caller changes no row.

        Raises MartMissing, QueryFailed, WarehouseBusy.
        """
        with self._lock:
            rows = self._remembered.pop((query, parameters), None)
            if rows is not None:
                self._remembered[query, parameters] = rows
                return rows
        rows = self._asked(query, parameters)
        if rows.value_count > MOST_VALUES:
            return rows
        with self._lock:
            self._remembered[query, parameters] = rows
            self._remembered.move_to_end((query, parameters))
            while sum(each.value_count for each in self._remembered.values()) > MOST_VALUES:
                self._remembered.popitem(last=False)
        return rows

    def _asked(self, query: str, parameters: tuple[object, ...]) -> Rows:
        statement = _sql(query)
        started = perf_counter()
        found = self._reader.rows(statement, parameters)
        rows = Rows(found, query=query, statement=statement, parameters=parameters)
        rows.milliseconds = (perf_counter() - started) * 1000
        rows.scanned_bytes = found.scanned_bytes
        return rows


class Mart:
    """The marts of the whole program; several sessions share what one of them has asked of the same build."""

    def __init__(self, reader: MartReader) -> None:
        self._reader = reader
        self._newest = MartVersion(None, reader)
        self._lock = Lock()

    def version(self) -> str | None:
        """Return which marts are published now, without a query; None while there are none. Raises WarehouseBusy."""
        return self._reader.version()

    def newest(self) -> MartVersion:
        """Return the build that is published now, asking once which it is. Raises WarehouseBusy."""
        version = self.version()
        with self._lock:
            if version != self._newest.version:
                self._newest = MartVersion(version, self._reader)
            return self._newest


def in_utc(at: datetime) -> datetime:
    """The mart's moments are UTC; say so where the engine left the zone out."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@cache
def _sql(query: str) -> str:
    return (files("dashboard") / "queries" / f"{query}.sql").read_text(encoding="utf-8")
