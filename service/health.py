"""GET /health: alive, and with `?deep=true` whether events could be taken now.

The service is reached from outside, so it says no more than that; how the queue stands is told by the worker.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response, status

from backends.health_check import HealthCheck
from backends.queue import EventQueue, QueueUnavailable


def health_routes(queue: EventQueue, *, clock: Callable[[], float] = time.monotonic) -> APIRouter:
    """Make the route; the deep answer is a 503 while no event could be made durable. The log says why."""
    router = APIRouter(tags=["health"])

    async def reachable() -> Mapping[str, Any]:
        await queue.status()
        return {}

    check = HealthCheck("queue", reachable, QueueUnavailable, clock=clock)

    @router.get("/health", summary="Liveness; deep=true also tries the queue")
    async def health(response: Response, *, deep: bool = False) -> dict[str, str]:
        if deep and not (await check.result()).is_ok:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable"}
        return {"status": "ok"}

    return router
