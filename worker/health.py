"""GET /health: alive, and with `?deep=true` whether the warehouse answers."""

import asyncio
from typing import Any

import structlog
from fastapi import APIRouter, Response, status

from backends.warehouse import TransformRuns, WarehouseBusy

DEEP_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


def health_routes(store: TransformRuns) -> APIRouter:
    """Make the route; the deep answer is a 503 while the warehouse cannot be read."""
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Liveness; deep=true also asks the warehouse")
    async def health(response: Response, *, deep: bool = False) -> dict[str, Any]:
        if not deep:
            return {"status": "ok"}
        try:
            async with asyncio.timeout(DEEP_TIMEOUT_S):
                return {"status": "ok", "warehouse": {"watermark": await store.watermark()}}
        except (WarehouseBusy, TimeoutError) as error:
            reason = str(error) or f"no answer within {DEEP_TIMEOUT_S:g} s"
            log.error("health.warehouse_unreachable", reason=reason)
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable", "warehouse": {"reason": reason}}

    return router
