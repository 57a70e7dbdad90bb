"""GET /health: alive, and with `?deep=true` whether events could be taken now.

The service is reached from outside, so it says no more than that; how the queue stands is told by the worker.
"""

import asyncio

import structlog
from fastapi import APIRouter, Response, status

from backends.queue import EventQueue, QueueUnavailable

DEEP_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


def health_routes(queue: EventQueue) -> APIRouter:
    """Make the route; the deep answer is a 503 while no event could be made durable. The log says why."""
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Liveness; deep=true also tries the queue")
    async def health(response: Response, *, deep: bool = False) -> dict[str, str]:
        if not deep:
            return {"status": "ok"}
        try:
            async with asyncio.timeout(DEEP_TIMEOUT_S):
                await queue.status()
        except (QueueUnavailable, TimeoutError) as error:
            reason = str(error) or f"no answer within {DEEP_TIMEOUT_S:g} s"
            log.error("health.queue_unreachable", reason=reason)
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable"}
        return {"status": "ok"}

    return router
