"""What was asked to be loaded of the athletes' past, and how far it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Backfill:
    """One row of `raw.backfills`; how many details there are is told by the activities themselves.

    It is finished, or waits, or is under way. `expected_at` is when the rate budget allows the last call. Of what could
    not be fetched `failed_count` tells, and `retry_at` when the first is tried again, also once it is finished.
    """

    athlete_id: int
    requested_at: datetime
    since: datetime | None = None
    has_details: bool = True
    started_at: datetime | None = None
    listed_count: int = 0
    listed_at: datetime | None = None
    waits_until: datetime | None = None
    waits_because: str | None = None
    waits_kind: str | None = None
    expected_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime
    has_streams: bool = False
    failed_count: int = 0
    retry_at: datetime | None = None

    @classmethod
    def requested(
        cls,
        athlete_id: int,
        now: datetime,
        *,
        since: datetime | None = None,
        has_details: bool = True,
        has_streams: bool = False,
    ) -> Self:
        """Return one that nobody has taken up yet."""
        wanted = {"since": since, "has_details": has_details, "has_streams": has_streams}
        return cls(athlete_id=athlete_id, requested_at=now, updated_at=now, **wanted)  # type: ignore[arg-type]

    def changed(self, now: datetime, **changes: object) -> Self:
        """Return it with these changes, of this moment."""
        return replace(self, updated_at=now, **changes)  # type: ignore[arg-type]

    def tried_at_once(self, now: datetime) -> Self:
        """Return it as one that nobody has taken up since what it left out was asked for again."""
        return self.changed(now, started_at=None, waits_until=None, waits_because=None, waits_kind=None, retry_at=now)


class Backfills(Protocol):
    """At most one backfill an athlete: a new request takes the place of the one before."""

    async def backfills(self) -> list[Backfill]:
        """Return the last one of each athlete, oldest request first."""

    async def request_backfill(self, backfill: Backfill) -> None:
        """Add it, or put it in the place of the athlete's earlier one. Raises WarehouseBusy."""

    async def note_backfill(self, backfill: Backfill) -> bool:
        """Tell how far it is; False, and nothing changed, where another was requested since. Raises WarehouseBusy."""
