"""GET /health: alive, and with `?deep=true` whether the warehouse can be written, and how the queue stands."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response, status

from backends.health_check import HealthCheck
from backends.queue import PushAuth, QueueMonitor, QueueUnavailable
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.athletes import CONNECTED, WITHOUT_ACCESS, Athlete
from runtime.clock import utc_text


def health_routes(
    store: RawStore, queue: QueueMonitor | None, push_auth: PushAuth, *, clock: Callable[[], float] = time.monotonic
) -> APIRouter:
    """Make the route; the deep answer is a 503 while something does not answer.

    It is `degraded`, and no 503, while Strava cannot be asked for somebody: all else is served. Who may push is also
    told a part for each thing that is asked: the warehouse's `watermark`; the queue's `waiting`, `oldest_age_s` and
    `dead`, where it tells them; of the athletes how many are connected, and those who are `paused`, since when and why;
    or the reason why there is no answer.
    """
    router = APIRouter(tags=["health"])

    async def warehouse() -> Mapping[str, Any]:
        await store.probe()
        return {"watermark": await store.watermark()}

    async def athletes() -> Mapping[str, Any]:
        found = [each for each in await store.athletes() if each.status not in WITHOUT_ACCESS]
        paused = [_paused(each) for each in found if each.status != CONNECTED]
        return {"connected": len(found) - len(paused), "paused": paused}

    checks = (
        HealthCheck("warehouse", warehouse, WarehouseBusy, clock=clock),
        *([] if queue is None else [HealthCheck("queue", _measure(queue), QueueUnavailable, clock=clock)]),
        HealthCheck("athletes", athletes, WarehouseBusy, clock=clock),
    )

    @router.get("/health", summary="Liveness; deep=true also writes to the warehouse and measures the queue")
    async def health(request: Request, response: Response, *, deep: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {"status": "ok"}
        for check in checks if deep else ():
            result = await check.result()
            told[check.part] = result.facts
            if not result.is_ok:
                response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
                told["status"] = "unavailable"
            elif result.facts.get("paused") and told["status"] == "ok":
                told["status"] = "degraded"
        may_know = await push_auth(request.headers.get("authorization", "")) is None
        return told if may_know else {"status": told["status"]}

    return router


def _measure(queue: QueueMonitor) -> Callable[[], Awaitable[Mapping[str, Any]]]:
    async def measure() -> Mapping[str, Any]:
        return asdict(await queue.status())

    return measure


def _paused(athlete: Athlete) -> Mapping[str, Any]:
    since = athlete.status_since or athlete.updated_at
    told = {"athlete_id": athlete.athlete_id, "status": athlete.status, "since": utc_text(since)}
    return told | {"reason": athlete.status_reason}
