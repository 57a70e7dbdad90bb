"""The control API: switch faults, act as the athlete, and see the truth. It costs no rate limit."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from simulator.activity_log import Save
from simulator.autoplay import AutoplaySettings
from simulator.faults import Faults
from simulator.responses import answer
from simulator.simulation import simulation_of

router = APIRouter(prefix="/simulator", tags=["Control"])
NOT_EDITABLE = frozenset({"id", "athlete", "resource_state", "map"})
MOST_M = 10_000_000.0  # a quarter of the way around the earth; splits are made for all of it


class Fields(BaseModel):
    """Fields of an activity under Strava's names; those not listed here are taken as they come.

    A listed field may be left out but is never null, as at Strava.
    """

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    sport_type: str | None = None
    private: bool | None = None
    visibility: Literal["everyone", "followers_only", "only_me"] | None = None
    start_date: datetime | None = None
    start_date_local: datetime | None = None
    timezone: str | None = None
    distance: Annotated[FiniteFloat, Field(ge=0, le=MOST_M)] | None = None
    moving_time: Annotated[int, Field(ge=0)] | None = None
    start_latlng: list[FiniteFloat] | None = None
    end_latlng: list[FiniteFloat] | None = None
    segment_efforts: list[dict[str, Any]] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("null is no value of this field")
        return value

    def given(self) -> dict[str, Any]:
        """Return what was given. Raises HTTPException 422 for a field that nobody can choose."""
        dumped = self.model_dump(exclude_unset=True)
        fields = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in dumped.items()}
        _refuse_any(NOT_EDITABLE, fields)
        return fields


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """Whether it runs, for whom, and whether it has an event on its way."""
    simulation = simulation_of(request)
    return {
        "status": "ok",
        "athlete_id": simulation.world.athlete_id,
        "activities": len(simulation.world),
        "is_connected": bool(simulation.grants.scopes),
        "is_subscribed": simulation.subscriptions.current is not None,
        "is_living": simulation.autoplay.settings.running,
        "is_idle": simulation.webhook_delivery.is_idle,
    }


@router.get("/faults")
async def faults(request: Request) -> Faults:
    """The faults that are switched on."""
    return simulation_of(request).dice.faults


@router.put("/faults")
async def switch_faults(request: Request, wanted: Faults) -> Faults:
    """Replace all faults: what is not named is off. The dice start again."""
    simulation_of(request).dice.switch(wanted)
    return wanted


@router.post("/activities", status_code=201)
async def create(request: Request, fields: Fields) -> Response:
    """Save an activity now."""
    return _saved(simulation_of(request).actions.create(fields.given()), status=201)


@router.patch("/activities/{activity_id}")
async def edit(request: Request, activity_id: int, fields: Fields) -> Response:
    """Edit: title, type and privacy are told by an event, all else is silent. A smaller distance is a crop."""
    simulation = simulation_of(request)
    _check_living(request, activity_id)
    changes = fields.given()
    _refuse_any(frozenset({"start_date_local"}), changes)  # it follows from `start_date`
    return _saved(simulation.actions.edit(activity_id, changes))


@router.delete("/activities/{activity_id}")
async def delete(request: Request, activity_id: int) -> Response:
    """Delete."""
    _check_living(request, activity_id)
    return _saved(simulation_of(request).actions.delete(activity_id))


@router.post("/activities/{activity_id}/repeat")
async def repeat(request: Request, activity_id: int) -> Response:
    """Send the newest event of the activity once more."""
    simulation = simulation_of(request)
    told = [save for save in simulation.saves.after() if save.id == activity_id and save.event is not None]
    if not told:
        raise HTTPException(404, "no event of this activity was ever sent")
    return _saved(simulation.actions.repeat(told[-1]))


@router.post("/deauthorize")
async def deauthorize(request: Request) -> Response:
    """Revoke the application's access, as the athlete does on Strava's settings page."""
    save = simulation_of(request).actions.deauthorize()
    if save is None:
        raise HTTPException(409, "the application has no access")
    return _saved(save)


@router.get("/activities")
async def truth(
    request: Request,
    fields: Annotated[Literal["id", "hash", "full"], Query()] = "full",
) -> StreamingResponse:
    """All living activities, newest first: `{id}`, `{id, hash}` or `{id, hash, activity}` as full scopes see them.

    The hash is SHA-256 of the activity as compact JSON with sorted keys, in UTF-8.
    """
    return StreamingResponse(_truth(request, fields), media_type="application/json")


@router.get("/saves")
async def saves(request: Request, after: int = 0) -> Response:
    """The log of saves after a save id, oldest first, with all attempts to deliver."""
    return answer([asdict(save) for save in simulation_of(request).saves.after(after)])


@router.get("/live")
async def live(request: Request) -> AutoplaySettings:
    """How the life goes on by itself."""
    return simulation_of(request).autoplay.settings


@router.post("/live")
async def switch_live(request: Request, wanted: AutoplaySettings) -> AutoplaySettings:
    """Start, stop or change the life that goes on by itself."""
    await simulation_of(request).autoplay.switch(wanted)
    return wanted


async def _truth(request: Request, fields: str) -> AsyncIterator[bytes]:
    world, opening = simulation_of(request).world, b"["
    for activity_id in reversed(world.ids()):
        if activity_id in world:  # it may have been deleted while this was being read
            item: dict[str, Any] = {"id": activity_id}
            if fields != "id":
                full = world.detail(activity_id)
                item["hash"] = hashlib.sha256(orjson.dumps(full, option=orjson.OPT_SORT_KEYS)).hexdigest()
                item |= {"activity": full} if fields == "full" else {}
            yield opening + orjson.dumps(item)
            opening = b","
            await asyncio.sleep(0)  # others are served meanwhile
    yield b"]" if opening == b"," else b"[]"


def _refuse_any(refused: frozenset[str], fields: dict[str, Any]) -> None:
    if not refused.isdisjoint(fields):
        raise HTTPException(422, f"nobody can choose {', '.join(sorted(refused & set(fields)))}")


def _check_living(request: Request, activity_id: int) -> None:
    if activity_id not in simulation_of(request).world:
        raise HTTPException(404, "no such activity")


def _saved(save: Save, status: int = 200) -> Response:
    told = {"id": save.id, "save_id": save.save_id, "saved_at": save.saved_at, "event": save.event}
    return answer(told, status=status)
