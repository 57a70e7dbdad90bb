"""The transforms' runs, and what they must catch up with."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backends.warehouse.schema import RETENTION_RUNS
from backends.warehouse.stamps import MOVES

_STAMPS = ("ingested_at", "purged_at")  # each is later than all before it, also where the clock was set back
_OF_ATHLETES = [("strava_athletes", "updated_at"), ("strava_athletes", "status_since")]


@dataclass(frozen=True, kw_only=True, slots=True)
class TransformRun:
    """One row of `raw.transform_runs`. `watermark` is `RawStore.watermark()` read before the run began."""

    run_id: str
    watermark: str
    started_at: datetime
    finished_at: datetime
    published_at: datetime | None
    is_full_refresh: bool
    error: str | None


def changed_tables(before: str, now: str) -> frozenset[str] | None:
    """Return the tables of raw that changed between two watermarks; None where they do not tell of the same tables.

    A watermark is `table=stamp` for each table, separated by spaces.
    """
    then, current = _stamps(before), _stamps(now)
    if then.keys() != current.keys():
        return None
    return frozenset(table for table, stamp in current.items() if stamp != then[table])


def _stamps(watermark: str) -> dict[str, str]:
    parts = (part.partition("=") for part in watermark.split(" "))
    return {table: stamp for table, _, stamp in parts}


class TransformRuns(Protocol):
    """What the transforms must catch up with, and when they did."""

    async def watermark(self) -> str:
        """Return a text that changes whenever something did that the marts tell of; see `changed_tables`."""

    async def first_change(self, *, after: datetime) -> datetime | None:
        """Return when the first change came after a moment, as far as it is told; None where none came."""

    async def last_run(self) -> TransformRun | None:
        """Return the newest run that was published."""

    async def last_error(self) -> str | None:
        """Return what stopped the newest run; None where nothing did."""

    async def put_run(self, run: TransformRun) -> None:
        """Add one run."""

    async def last_purge(self) -> datetime | None:
        """Return when an athlete was last purged: what was built before must be rebuilt."""

    async def last_removal(self) -> datetime | None:
        """Return the stamp of what was last deleted, purged or too old: what was built before may still hold it."""


def watermark_of(stamps: Mapping[str, object], rows: Mapping[str, Iterable[Iterable[object]]]) -> str:
    """Return a text that changes with the newest stamp of a table, and with any row where they are given.

    Such tables have one row per athlete, any of which may change, also to an earlier moment; or they lose rows, and the
    one row given tells how many there are. Rows hold ids, which a purge must be able to remove: hence a digest.
    """
    told = {**stamps, **{table: _digest(each) for table, each in rows.items()}}
    return " ".join(f"{table}={stamp}" for table, stamp in told.items())


def first_change_statement(after: str) -> str:
    """Return the query of the first stamp after a moment, which is the parameter that is written so."""
    moves = " union all ".join(
        f"select min({column}) as moment from {table} where {column} > {after}"  # noqa: S608 - our own names
        for table, column in (*MOVES.items(), *_OF_ATHLETES)
    )
    return f"select min(moment) as moment from ({moves}) as moves"  # noqa: S608 - as above


def last_stamp_statement() -> str:
    """Return the query of the newest stamp ever given.

    A purge takes one too, so that removing the newest row does not turn the clock back.
    """
    stamps = " union all ".join(
        f"select max({column}) as stamp from {table}"  # noqa: S608 - our own names
        for table, column in (*MOVES.items(), (RETENTION_RUNS.name, "ingested_at"))
        if column in _STAMPS
    )
    return f"select max(stamp) as stamp from ({stamps}) as stamps"  # noqa: S608 - as above


def _digest(rows: Iterable[Iterable[object]]) -> str:
    return hashlib.sha256("\n".join("|".join(map(str, row)) for row in rows).encode()).hexdigest()[:16]
