"""Who is connected and by which invitation, how far their history is complete, and what a purge removed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from backends.warehouse.backfills import Backfill


class AthleteStatus(StrEnum):
    """Whether Strava can be asked in the athlete's name."""

    CONNECTED = "connected"
    APP_INACTIVE = "app_inactive"  # the app lapsed at Strava, so nobody can be asked for; one call an hour finds out
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a state; connecting again is the only cure
    REVOKED = "revoked"  # left while an older version ran, which kept the data
    ARCHIVE_ONLY = "archive_only"  # known by own files alone: Strava is never asked


CONNECTED, REVOKED = AthleteStatus.CONNECTED, AthleteStatus.REVOKED
ARCHIVE_ONLY = AthleteStatus.ARCHIVE_ONLY
WITHOUT_ACCESS = frozenset({AthleteStatus.REVOKED, AthleteStatus.ARCHIVE_ONLY})  # for whom Strava is never asked
INVITE_KEPT = timedelta(days=1)  # after it expired: a clock may be set back
ASKED_FOR = frozenset({AthleteStatus.CONNECTED, AthleteStatus.APP_INACTIVE})  # whose calls the rate budget lets pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Athlete:
    """One row of `raw.strava_athletes`: no name, no e-mail. `status` is one of AthleteStatus.

    `updated_at` is when the athlete last connected, or was made known by an import. `status_since` and `status_reason`
    tell of another status; of one who is connected, `status_since` is when rejected tokens worked again.
    """

    athlete_id: int
    scope: frozenset[str]
    status: str
    updated_at: datetime
    status_since: datetime | None = None
    status_reason: str | None = None


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
    """Who is connected, and forgetting them. Methods raise WarehouseBusy.

    After a purge every write of the store leaves out what is of the athlete, until they connect again; and then what
    was seen before. So work under way need not be stopped.
    """

    async def athletes(self) -> list[Athlete]:
        """Return every athlete ever connected and not purged."""

    async def put_athlete(self, athlete: Athlete) -> None:
        """Add or replace one athlete."""

    async def connect(self, athlete: Athlete, backfill: Backfill) -> None:
        """Add or replace the athlete and ask for the history, whose list begins again: all of it, or nothing."""

    async def change_status(
        self,
        status: AthleteStatus,
        *,
        before: Collection[AthleteStatus],
        athlete_id: int | None = None,
        reason: str | None = None,
    ) -> int:
        """Move the athlete, or all, from one of these statuses to another; return how many were moved.

        Who is connected again because a lapse of the app ended has no `status_since`.
        """


class Purges(Protocol):
    """Removing athletes, and what is known of it afterwards. Methods raise WarehouseBusy."""

    async def purge(self, athlete_id: int, *, keeps_own_files: bool = False) -> PurgeReceipt:
        """Remove every row of the athlete from `raw` and its queued work, and keep the receipt.

        If it `keeps_own_files`, what was imported stays, of an athlete who is `archive_only` from then on.
        """

    async def purged_at(self, athlete_id: int) -> datetime | None:
        """Return when an athlete who is unknown was purged; None for one who is known, or was never purged."""

    async def row_count(self, athlete_id: int) -> int:
        """Count the athlete's rows in all of `raw`."""


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
    """Return the athletes for whom Strava can be asked, as far as it is known. Raises WarehouseBusy."""
    return [each.athlete_id for each in await athletes.athletes() if each.status in ASKED_FOR]


class IngestionStates(Protocol):
    """Watermarks and cursors."""

    async def ingestion_state(self, athlete_id: int) -> IngestionState | None:
        """Return the athlete's state, or None before the first load."""

    async def put_ingestion_state(self, state: IngestionState) -> None:
        """Replace the athlete's state."""
