"""Who is connected, how far their history is complete, and what a purge removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Athlete:
    """One row of `raw.strava_athletes`: no name, no e-mail. `status`: connected | revoked | purged."""

    athlete_id: int
    scope: frozenset[str]
    status: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestionState:
    """How far an athlete's history is vouched for; written only after the rows it vouches for.

    `complete_as_of`: all that Strava listed at that moment is stored. A listing that was cut short began at
    `listing_began_at` and goes on with what started before `backfill_cursor`.
    """

    athlete_id: int
    complete_as_of: datetime | None
    listing_began_at: datetime | None
    backfill_cursor: datetime | None
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeReceipt:
    """What a purge removed: counts by table and a keyed hash of the athlete id, no personal data."""

    purge_id: str
    athlete_hash: str
    purged_at: datetime
    removed: Mapping[str, int]


class AthleteStore(Protocol):
    """Who is connected, how far their history is vouched for, and forgetting them."""

    async def athletes(self) -> list[Athlete]:
        """Return every athlete ever connected and not purged."""

    async def put_athlete(self, athlete: Athlete) -> None:
        """Add or replace one athlete."""

    async def purge(self, athlete_id: int) -> PurgeReceipt:
        """Remove every row of the athlete from `raw` and its queued work, and keep the receipt."""


class IngestionStates(Protocol):
    """Watermarks and cursors."""

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""

    async def put_ingestion_state(self, state: IngestionState) -> None:
        """Replace the athlete's state."""
