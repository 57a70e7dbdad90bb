"""GET /health says that the service runs, and with `?deep=true` whether it can store events now.

The internet can reach this address, so it tells nothing else. The worker's /health describes the queue.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response, status

from backends.health_check import HealthCheck
from backends.queue import EventQueue, QueueUnavailable


def health_routes(queue: EventQueue, *, clock: Callable[[], float] = time.monotonic) -> APIRouter:
    """Return the route. The deep answer is 503 while the queue is unavailable, and the log says why."""
    router = APIRouter(tags=["health"])

    async def reachable() -> Mapping[str, Any]:
        await queue.probe()
        return {}

    check = HealthCheck("queue", reachable, QueueUnavailable, clock=clock)

    @router.get("/health", summary="Liveness; deep=true also tries the queue")
    async def health(response: Response, *, deep: bool = False) -> dict[str, str]:
        if deep and not (await check.result()).is_ok:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable"}
        return {"status": "ok"}

    return router
