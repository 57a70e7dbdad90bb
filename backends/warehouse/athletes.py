"""Who is connected and by which invitation, how far their history is complete, and what a purge removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CONNECTED, REVOKED = "connected", "revoked"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class InviteUse:
    """An invitation that is used. `athlete_id` is None while its athlete is being connected, and after a purge."""

    athlete_id: int | None


class InviteUses(Protocol):
    """Which invitations to connect are used: each works once, and is remembered until it expires."""

    async def claim_invite(self, invite_id: str, expires_at: datetime) -> bool:
        """Use the invitation, or return False because it is used: of several callers at once one gets True.

        Raises WarehouseBusy.
        """

    async def release_invite(self, invite_id: str) -> None:
        """Let an invitation be used again, unless it connected somebody. Raises WarehouseBusy."""

    async def settle_invite(self, invite_id: str, athlete_id: int) -> None:
        """Write down whom the claimed invitation connected. Raises WarehouseBusy."""

    async def invite_use(self, invite_id: str) -> InviteUse | None:
        """Return the invitation's use, or None while it can be used. Raises WarehouseBusy."""


async def connected_ids(athletes: AthleteStore) -> list[int]:
    """Return the athletes whose access stands. Raises WarehouseBusy."""
    return [each.athlete_id for each in await athletes.athletes() if each.status == CONNECTED]


class IngestionStates(Protocol):
    """Watermarks and cursors."""

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""

    async def put_ingestion_state(self, state: IngestionState) -> None:
        """Replace the athlete's state."""
