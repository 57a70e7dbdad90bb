"""Strava's API: the athlete, their zones and totals, their activities with laps, zones and streams, and gear.

https://developers.strava.com/docs/reference/
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import FiniteFloat

from simulator.dependencies import Access, ActivitiesEntered, Entered
from simulator.responses import Refusal
from simulator.scopes import ACTIVITY_ALL, PROFILE, may_see, shown
from simulator.world import zones
from simulator.world.stats import stats
from simulator.world.streams import Resolution, SeriesType
from simulator.world.streams import answer as streams_answer

MAX_PER_PAGE = 200
router = APIRouter(prefix="/api/v3", tags=["Strava API"])


@router.get("/athlete")
async def athlete(access: Entered) -> Response:
    """The authenticated athlete, detailed with `profile:read_all`."""
    return access.answer(access.account.world.athlete(is_detailed=PROFILE in access.scopes))


@router.get("/athlete/zones")
async def athlete_zones(access: Entered) -> Response:
    """Where the athlete's zones of heart rate and power begin; needs `profile:read_all`."""
    if PROFILE not in access.scopes:
        raise Refusal(401, "AccessToken", "profile:read_permission", "missing")
    return access.answer(zones.of_athlete(access.account.world.person.ftp_w))


@router.get("/athletes/{athlete_id}/stats")
async def athlete_stats(access: Entered, athlete_id: int) -> Response:
    """The totals of the authenticated athlete, of nobody else."""
    world = access.account.world
    if athlete_id != world.athlete_id:
        raise access.not_found("Athlete")
    summaries = [world.summary(key) for key in world.ids() if _is_there(access, key)]
    return access.answer(stats(summaries, access.simulation.clock()))


@router.get("/athlete/activities")
async def activities(
    access: ActivitiesEntered,
    before: FiniteFloat | None = None,
    after: FiniteFloat | None = None,
    page: Annotated[int, Query()] = 1,
    per_page: Annotated[int, Query()] = 30,
) -> Response:
    """Summaries: newest first, but oldest first when only `after` is given."""
    if page < 1 or not 1 <= per_page <= MAX_PER_PAGE:
        raise Refusal(400, "Activity", "page" if page < 1 else "per page", "invalid")
    world = access.account.world
    ids = world.ids(after=after, before=before)
    if after is None or before is not None:
        ids.reverse()
    is_whole = ACTIVITY_ALL in access.scopes and access.simulation.dice.faults.visible_after_s == 0
    seen = ids if is_whole else [key for key in ids if _is_seen(access, key)]
    wanted = seen[(page - 1) * per_page : page * per_page]
    return access.answer([shown(access.scopes, world.summary(key)) for key in wanted])


@router.get("/activities/{activity_id}")
async def activity(access: ActivitiesEntered, activity_id: int, include_all_efforts: bool = False) -> Response:  # noqa: FBT001, FBT002 - a query parameter of Strava's
    """One activity, detailed; hidden segment efforts only with `include_all_efforts`."""
    full = _find(access, activity_id)
    if not include_all_efforts and full.get("segment_efforts"):
        full = full | {"segment_efforts": [effort for effort in full["segment_efforts"] if not effort.get("hidden")]}
    return access.answer(shown(access.scopes, full))


@router.get("/activities/{activity_id}/laps")
async def activity_laps(access: ActivitiesEntered, activity_id: int) -> Response:
    """The laps that the detail has too; a manual activity has none."""
    return access.answer(_find(access, activity_id).get("laps", []))


@router.get("/activities/{activity_id}/zones")
async def activity_zones(access: ActivitiesEntered, activity_id: int) -> Response:
    """The seconds in each zone, of each kind that was measured."""
    full = _find(access, activity_id)
    return access.answer(zones.of_activity(full, access.account.world.streams(activity_id)))


@router.get("/activities/{activity_id}/streams")
@router.get("/activities/{activity_id}/streams/{keys}")
async def streams(  # noqa: PLR0913, PLR0917 - Strava's parameters
    access: ActivitiesEntered,
    activity_id: int,
    keys: str = "",
    key_by_type: bool = False,  # noqa: FBT001, FBT002 - a query parameter of Strava's
    resolution: Resolution | None = None,
    series_type: SeriesType = "distance",
) -> Response:
    """The asked-for curves, by key or as a list; 404 when there are none. Some clients put `keys` in the path."""
    _find(access, activity_id)
    data = access.account.world.streams(activity_id)
    found = streams_answer(data, set(keys.split(",")), resolution, series_type)
    if not found:
        raise access.not_found("Stream")
    return access.answer(found if key_by_type else [{"type": key} | value for key, value in found.items()])


@router.get("/gear/{gear_id}")
async def gear(access: Entered, gear_id: str) -> Response:
    """A pair of shoes or a bike."""
    found = access.account.world.gear(gear_id)
    if found is None:
        raise access.not_found("Gear")
    return access.answer(found)


def _find(access: Access, activity_id: int) -> dict[str, Any]:
    """Return the activity if it is there, visible and not hit by a fault. Raises Refusal."""
    if not _is_seen(access, activity_id) or access.simulation.dice.happens("not_found"):
        raise access.not_found("Activity")
    return access.account.world.detail(activity_id)


def _is_seen(access: Access, activity_id: int) -> bool:
    if not _is_there(access, activity_id):
        return False
    return may_see(access.scopes, is_private=access.account.world.is_private(activity_id))


def _is_there(access: Access, activity_id: int) -> bool:
    """Whether Strava shows a living activity already."""
    saved_at = access.simulation.saves.created_at(activity_id)
    hidden_for = timedelta(seconds=access.simulation.dice.faults.visible_after_s)
    is_early = saved_at is not None and access.simulation.clock() - saved_at < hidden_for
    return activity_id in access.account.world and not is_early
