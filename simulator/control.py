"""The control API: switch faults, act as an athlete, and see the truth. It costs no rate limit.

`athlete_id` names the athlete who acts; without it, it is the first one.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from simulator.account import Account
from simulator.activity_log import Save
from simulator.autoplay import AutoplaySettings
from simulator.faults import Faults
from simulator.responses import answer
from simulator.simulation import simulation_of
from simulator.world.world import World

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


async def acting(request: Request, athlete_id: int | None = None) -> Account:
    """Return the account of the athlete who is named, or of the first one. Raises HTTPException 404."""
    account = simulation_of(request).account_of("" if athlete_id is None else str(athlete_id))
    if account is None:
        raise HTTPException(404, "no such athlete")
    return account


async def holding(request: Request, activity_id: int) -> Account:
    """Return the account that a living activity belongs to. Raises HTTPException 404."""
    for account in simulation_of(request).accounts:
        if activity_id in account.world:
            return account
    raise HTTPException(404, "no such activity")


Acting = Annotated[Account, Depends(acting)]
Holding = Annotated[Account, Depends(holding)]


@router.get("/health")
async def health(request: Request, account: Acting) -> dict[str, Any]:
    """Whether it runs, for whom, and whether it has an event on its way."""
    simulation = simulation_of(request)
    return {
        "status": "ok",
        "athlete_id": account.world.athlete_id,
        "athlete_ids": [each.world.athlete_id for each in simulation.accounts],
        "activities": len(account.world),
        "is_connected": bool(account.grants.scopes),
        "is_subscribed": simulation.subscriptions.current is not None,
        "is_living": account.autoplay.settings.running,
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
async def create(account: Acting, fields: Fields) -> Response:
    """Save an activity now."""
    return _saved(account.actions.create(fields.given()), status=201)


@router.patch("/activities/{activity_id}")
async def edit(account: Holding, activity_id: int, fields: Fields) -> Response:
    """Edit: title, type and privacy are told by an event, all else is silent. A smaller distance is a crop."""
    changes = fields.given()
    _refuse_any(frozenset({"start_date_local"}), changes)  # it follows from `start_date`
    return _saved(account.actions.edit(activity_id, changes))


@router.delete("/activities/{activity_id}")
async def delete(account: Holding, activity_id: int) -> Response:
    """Delete."""
    return _saved(account.actions.delete(activity_id))


@router.post("/activities/{activity_id}/repeat")
async def repeat(request: Request, activity_id: int) -> Response:
    """Send the newest event of the activity once more."""
    simulation = simulation_of(request)
    told = [save for save in simulation.saves.after() if save.id == activity_id and save.event is not None]
    if not told:
        raise HTTPException(404, "no event of this activity was ever sent")
    account = simulation.account_of(str(told[-1].athlete_id)) or simulation.accounts[0]
    return _saved(account.actions.repeat(told[-1]))


@router.post("/deauthorize")
async def deauthorize(account: Acting) -> Response:
    """Revoke the application's access, as the athlete does on Strava's settings page."""
    save = account.actions.deauthorize()
    if save is None:
        raise HTTPException(409, "the application has no access")
    return _saved(save)


@router.get("/activities")
async def truth(
    account: Acting,
    fields: Annotated[Literal["id", "hash", "full"], Query()] = "full",
) -> StreamingResponse:
    """All living activities of an athlete as full scopes see them, newest first.

    Each is `{id}`, `{id, hash}` or `{id, hash, activity}`. The hash is SHA-256 of the activity as compact JSON with
    sorted keys, in UTF-8.
    """
    return StreamingResponse(_truth(account.world, fields), media_type="application/json")


@router.get("/saves")
async def saves(request: Request, after: int = 0, athlete_id: int | None = None) -> Response:
    """The log of saves after a save id, oldest first, with all attempts to deliver: of all athletes or of one."""
    return answer([asdict(save) for save in simulation_of(request).saves.after(after, athlete_id)])


@router.get("/live")
async def live(account: Acting) -> AutoplaySettings:
    """How the life goes on by itself."""
    return account.autoplay.settings


@router.post("/live")
async def switch_live(account: Acting, wanted: AutoplaySettings) -> AutoplaySettings:
    """Start, stop or change the life that goes on by itself."""
    await account.autoplay.switch(wanted)
    return wanted


async def _truth(world: World, fields: str) -> AsyncIterator[bytes]:
    opening = b"["
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


def _saved(save: Save, status: int = 200) -> Response:
    told = {"id": save.id, "save_id": save.save_id, "saved_at": save.saved_at, "event": save.event}
    return answer(told, status=status)
