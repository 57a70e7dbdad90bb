"""An athlete's zones, FTP and weight as they changed, the gear that activities name, and Strava's own totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from backends.warehouse.last_write_wins import CLOCK_SKEW


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenSettings:
    """What Strava showed of weight, FTP and zones; what the scopes hide is absent."""

    athlete_id: int
    observed_at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSettings:
    """An athlete's newest row; `seen_at` is when Strava last showed all of it."""

    settings_id: str
    values: Mapping[str, Any]
    seen_at: datetime

    def is_newer_than(self, seen: SeenSettings, now: datetime) -> bool:
        """Whether what was seen comes too late; a row from the future, before a clock was set back, proves nothing."""
        return seen.observed_at < self.seen_at <= now + CLOCK_SKEW

    def is_shown_whole_by(self, seen: SeenSettings) -> bool:
        """Whether every value was shown again, with nothing lent by the row itself."""
        return self.values == seen.values


def settings_after(stored: StoredSettings | None, seen: SeenSettings) -> Mapping[str, Any] | None:
    """Return the values of the row to add, or None where nothing changed; the stored row lends what is absent."""
    before = stored.values if stored else {}
    values = {**before, **seen.values}
    return None if values == before else values


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenGear:
    """A bike or a pair of shoes as Strava showed it; `payload` None where Strava does not have it."""

    gear_id: str
    athlete_id: int
    observed_at: datetime
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenTotals:
    """What Strava said of an athlete's totals of rides, runs and swims."""

    athlete_id: int
    observed_at: datetime
    payload: Mapping[str, Any]


class ProfileStore(Protocol):
    """Settings, gear and totals of athletes who are connected; of others nothing is stored."""

    async def put_settings(self, seen: SeenSettings) -> bool:
        """Add a row where a value differs from the athlete's newest row, which lends what is absent.

        A row of which all values are shown again is as fresh as that, and keeps the date of the change.
        False where nothing changed, something newer is stored or the athlete is not known. Raises WarehouseBusy.
        """

    async def due_gear(self, athlete_id: int, *, observed_before: datetime, not_found_before: datetime) -> list[str]:
        """Return the gear that living activities name and that is unknown or was last asked for before a moment.

        For what Strava did not have then, there is a moment of its own.
        """

    async def put_gear(self, seen: SeenGear) -> bool:
        """Add or replace it; what Strava does not have any more keeps its payload.

        False where something newer is stored or the athlete is unknown. Raises WarehouseBusy.
        """

    async def put_totals(self, seen: SeenTotals) -> bool:
        """Put them in the place of the athlete's earlier ones.

        False where something newer is stored or the athlete is unknown. Raises WarehouseBusy.
        """
