"""The transforms' runs, and what they must catch up with."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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


class TransformRuns(Protocol):
    """What the transforms must catch up with, and when they did."""

    async def watermark(self) -> str:
        """Return a text that changes whenever something did that the marts tell of."""

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
        """Return the stamp of the newest deletion or purge: what was built before may still hold what it removed."""


def watermark_of(stamps: Iterable[object], athletes: Iterable[Iterable[object]]) -> str:
    """Return a text that changes with the newest stamps of the tables, and with any row of an athlete.

    The athletes are few and their rows hold ids, which a purge must be able to remove: hence a digest.
    """
    digest = hashlib.sha256("\n".join("|".join(map(str, row)) for row in athletes).encode()).hexdigest()[:16]
    return " ".join(str(stamp) for stamp in (*stamps, digest))
