"""An athlete's zones, FTP and weight as they changed, and the gear that activities name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenSettings:
    """What Strava showed of weight, FTP and zones; what the scopes hide is absent."""

    athlete_id: int
    observed_at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenGear:
    """A bike or a pair of shoes as Strava showed it; `payload` None where Strava does not have it."""

    gear_id: str
    athlete_id: int
    observed_at: datetime
    payload: Mapping[str, Any] | None


class ProfileStore(Protocol):
    """Settings and gear of athletes who are connected; of others nothing is stored."""

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
