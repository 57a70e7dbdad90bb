"""Strava's API: the athlete, their activities, streams and gear.

https://developers.strava.com/docs/reference/
"""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import FiniteFloat

from simulator.answers import bad_request
from simulator.gate import Access, ActivitiesEntered, Entered
from simulator.scopes import ACTIVITY_ALL, PROFILE, may_see, shown
from simulator.world.streams import Resolution, SeriesType
from simulator.world.streams import answer as streams_answer

MAX_PER_PAGE = 200
router = APIRouter(prefix="/api/v3", tags=["Strava API"])


@router.get("/athlete")
async def athlete(access: Entered) -> Response:
    """The authenticated athlete, detailed with `profile:read_all`."""
    return access.answer(access.simulation.world.athlete(is_detailed=PROFILE in access.scopes))


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
        raise bad_request("Activity", "page" if page < 1 else "per page", "invalid")
    world = access.simulation.world
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
    data = access.simulation.world.streams(activity_id)
    found = streams_answer(data, set(keys.split(",")), resolution, series_type)
    if not found:
        raise access.not_found("Stream")
    return access.answer(found if key_by_type else [{"type": key} | value for key, value in found.items()])


@router.get("/gear/{gear_id}")
async def gear(access: Entered, gear_id: str) -> Response:
    """A pair of shoes or a bike."""
    found = access.simulation.world.gear(gear_id)
    if found is None:
        raise access.not_found("Gear")
    return access.answer(found)


def _find(access: Access, activity_id: int) -> dict[str, Any]:
    """Return the activity if it is there, visible and not hit by a fault. Raises Refusal."""
    if not _is_seen(access, activity_id) or access.simulation.dice.happens("not_found"):
        raise access.not_found("Activity")
    return access.simulation.world.detail(activity_id)


def _is_seen(access: Access, activity_id: int) -> bool:
    world, faults = access.simulation.world, access.simulation.dice.faults
    if activity_id not in world:
        return False
    saved_at = access.simulation.saves.created_at(activity_id)
    if saved_at and access.simulation.clock() - saved_at < timedelta(seconds=faults.visible_after_s):
        return False
    return may_see(access.scopes, is_private=world.is_private(activity_id))
