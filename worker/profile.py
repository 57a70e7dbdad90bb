"""What Strava says of an athlete beside activities, asked for once a day and before a backfill.

Zones, weight and FTP, its own totals, and the gear that activities name.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.athletes import AthleteStore
from backends.warehouse.profile import ProfileStore, SeenGear, SeenSettings, SeenTotals
from runtime.clock import utc_now
from strava.errors import OF_ONE_THING, NotFound, ScopeMissing, StravaError
from strava.payload import AthletePayload

log = structlog.get_logger(__name__)

_ZONES_SCOPE = "profile:read_all"
GEAR_IS_OLD_AFTER = timedelta(days=7)
_MISSING_GEAR_RESTS = timedelta(days=30)  # it was deleted, so it hardly ever comes back
_OF_ATHLETE = ("sex", "weight", "ftp")  # the rest of the answer names a person


class ProfileSource(Protocol):
    """Where an athlete's settings, totals and gear are asked for: `strava.client.StravaClient`."""

    async def athlete(self) -> AthletePayload:
        """Return the athlete whose token this is. Raises StravaError."""

    async def zones(self) -> dict[str, Any]:
        """Return where the athlete's zones begin. Raises StravaError, of which ScopeMissing."""

    async def gear(self, gear_id: str) -> dict[str, Any]:
        """Return a bike or a pair of shoes. Raises StravaError."""

    async def totals(self, athlete_id: int) -> dict[str, Any]:
        """Return Strava's own totals of the athlete whose token this is. Raises StravaError."""


class KnownProfiles(ProfileStore, AthleteStore, Protocol):
    """The part of `raw` that an athlete's settings, totals and gear need."""


async def refresh_profile(
    source: ProfileSource,
    store: KnownProfiles,
    athlete_id: int,
    *,
    gear_is_old_after: timedelta = GEAR_IS_OLD_AFTER,
    clock: Callable[[], datetime] = utc_now,
) -> list[str]:
    """Store settings that changed, totals, and gear that is unknown or old; return what could not be had, in sentences.

    Gear that Strava does not have is asked for again after a month. A scope that was not granted costs no call.
    Raises WarehouseBusy.
    """
    notes: list[str] = []
    try:
        await _refresh_settings(source, store, athlete_id, clock, notes)
        await _refresh_totals(source, store, athlete_id, clock, notes)
        now = clock()
        due = await store.due_gear(
            athlete_id, observed_before=now - gear_is_old_after, not_found_before=now - _MISSING_GEAR_RESTS
        )
        await _refresh_gear(source, store, athlete_id, due, clock, notes)
    except (StravaError, TokensUnavailable) as error:  # the next call would be refused too
        notes.append(f"Settings, totals and gear were not all read. {error}")
    for note in notes:
        log.warning("profile.incomplete", athlete_id=athlete_id, reason=note)
    return notes


async def _refresh_settings(
    source: ProfileSource,
    store: KnownProfiles,
    athlete_id: int,
    clock: Callable[[], datetime],
    notes: list[str],
) -> None:
    asked_at, values = clock(), dict[str, Any]()
    try:
        athlete = await source.athlete()
        if athlete.athlete_id == athlete_id:
            values = {name: athlete.fields[name] for name in _OF_ATHLETE if name in athlete.fields}
        if await _may_read_zones(store, athlete_id):
            values["zones"] = await source.zones()
        else:
            notes.append(f"Zones were not read, and FTP and weight may be missing. {ScopeMissing(_ZONES_SCOPE)}")
    except (ScopeMissing, NotFound, *OF_ONE_THING) as error:
        notes.append(f"Zones, FTP and weight were not all read. {error}")
    await store.put_settings(SeenSettings(athlete_id=athlete_id, observed_at=asked_at, values=values))


async def _refresh_totals(
    source: ProfileSource,
    store: ProfileStore,
    athlete_id: int,
    clock: Callable[[], datetime],
    notes: list[str],
) -> None:
    asked_at = clock()
    try:
        payload = await source.totals(athlete_id)
    except (ScopeMissing, NotFound, *OF_ONE_THING) as error:
        notes.append(f"Strava's totals were not read. {error}")
        return
    await store.put_totals(SeenTotals(athlete_id=athlete_id, observed_at=asked_at, payload=payload))


async def _may_read_zones(store: KnownProfiles, athlete_id: int) -> bool:
    """Tell whether the scope may be granted; Strava does not always tell the scopes."""
    scopes = [each.scope for each in await store.athletes() if each.athlete_id == athlete_id]
    return all(not scope or _ZONES_SCOPE in scope for scope in scopes)


async def _refresh_gear(  # noqa: PLR0913, PLR0917 - whom to ask, what for, and where it goes
    source: ProfileSource,
    store: ProfileStore,
    athlete_id: int,
    due: Sequence[str],
    clock: Callable[[], datetime],
    notes: list[str],
) -> None:
    for gear_id in due:
        asked_at = clock()
        try:
            payload: dict[str, Any] | None = await source.gear(gear_id)
        except NotFound:  # deleted
            payload = None
        except (ScopeMissing, *OF_ONE_THING) as error:
            notes.append(f"Gear {gear_id} was not read. {error}")
            continue
        await store.put_gear(SeenGear(gear_id=gear_id, athlete_id=athlete_id, observed_at=asked_at, payload=payload))
