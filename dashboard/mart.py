"""The pages' way to the mart: each query is a file, and its rows are cached until the next snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from threading import Lock
from typing import Any

from backends.warehouse.marts import MartReader

Row = Mapping[str, Any]


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


class Mart:
    """Answers by query name; several sessions share what one of them has asked of the same marts."""

    def __init__(self, reader: MartReader) -> None:
        self._reader = reader
        self._remembered: tuple[str | None, dict[tuple[str, tuple[object, ...]], list[Row]]] = None, {}
        self._lock = Lock()

    def version(self) -> str | None:
        """Return which marts are published now, without a query; None while there are none. Raises WarehouseBusy."""
        return self._reader.version()

    def snapshot(self) -> Snapshot:
        """Return the health of the published marts. Raises MartMissing, QueryFailed, WarehouseBusy."""
        return Snapshot(tuple(self.rows("pipeline_health")))

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Run `queries/<query>.sql`, or return what it said of these marts before.

        Raises MartMissing, QueryFailed, WarehouseBusy.
        """
        version = self.version()
        with self._lock:
            if version != self._remembered[0]:
                self._remembered = version, {}
            _, remembered = self._remembered
        if (query, parameters) not in remembered:
            remembered[query, parameters] = list(self._reader.rows(_sql(query), parameters))
        return remembered[query, parameters]


def in_utc(at: datetime) -> datetime:
    """The mart's moments are UTC; say so where the engine left the zone out."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _sql(query: str) -> str:
    return (files("dashboard") / "queries" / f"{query}.sql").read_text(encoding="utf-8")
