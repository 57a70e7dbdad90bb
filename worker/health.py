"""GET /health: alive, and with `?deep=true` whether the warehouse can be written, and how the queue stands."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response, status

from backends.queue import QueueMonitor, QueueUnavailable
from backends.warehouse import RawStore, WarehouseBusy
from worker.push_auth import PushAuth

DEEP_TIMEOUT_S = 2.0  # for each part

log = structlog.get_logger(__name__)

_Measure = Callable[[], Awaitable[Mapping[str, Any]]]


def health_routes(store: RawStore, queue: QueueMonitor, push_auth: PushAuth) -> APIRouter:
    """Make the route; the deep answer is a 503 while something does not answer.

    Who may push is also told a part for each thing that is asked: the warehouse's `watermark`; the queue's `waiting`,
    `oldest_age_s` and `dead`; or the reason why there is no answer.
    """
    router = APIRouter(tags=["health"])

    async def warehouse() -> Mapping[str, Any]:
        await store.probe()
        return {"watermark": await store.watermark()}

    async def messages() -> Mapping[str, Any]:
        return asdict(await queue.status())

    parts: Mapping[str, _Measure] = {"warehouse": warehouse, "queue": messages}

    @router.get("/health", summary="Liveness; deep=true also writes to the warehouse and measures the queue")
    async def health(request: Request, response: Response, *, deep: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {"status": "ok"}
        for name, measure in parts.items() if deep else ():
            try:
                async with asyncio.timeout(DEEP_TIMEOUT_S):
                    told[name] = await measure()
            except (QueueUnavailable, WarehouseBusy, TimeoutError) as error:
                reason = str(error) or f"no answer within {DEEP_TIMEOUT_S:g} s"
                log.error("health.unreachable", part=name, reason=reason)
                response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
                told |= {"status": "unavailable", name: {"reason": reason}}
        may_know = await push_auth(request.headers.get("authorization", "")) is None
        return told if may_know else {"status": told["status"]}

    return router
