"""GET /health: alive, and with `?deep=true` whether events could be taken now."""

import asyncio
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import APIRouter, Response, status

from backends.queue import EventQueue, QueueUnavailable

DEEP_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


def health_routes(queue: EventQueue) -> APIRouter:
    """Make the route; the deep answer carries `waiting`, `oldest_age_s` and `dead` of the queue, or is a 503."""
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Liveness; deep=true also measures the queue")
    async def health(response: Response, *, deep: bool = False) -> dict[str, Any]:
        if not deep:
            return {"status": "ok"}
        try:
            async with asyncio.timeout(DEEP_TIMEOUT_S):
                return {"status": "ok", "queue": asdict(await queue.status())}
        except (QueueUnavailable, TimeoutError) as error:
            reason = str(error) or f"no answer within {DEEP_TIMEOUT_S:g} s"
            log.error("health.queue_unreachable", reason=reason)
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable", "queue": {"reason": reason}}

    return router
