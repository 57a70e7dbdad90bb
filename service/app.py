"""The service receives Strava's events and publishes them to the queue.

Posts to the webhook bypass FastAPI: its work per request costs more than half of the rate that a plain ASGI
application reaches. FastAPI serves all other requests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from backends.queue import EventQueue, QueueUnavailable
from runtime.api_docs import documented
from service.connect import connect_routes
from service.health import health_routes
from service.openapi import EVENT_OPERATION
from service.webhook import EventEndpoint, challenge_routes, new_request_id
from service.webhook_auth import WEBHOOK_PREFIX, WebhookAuth

log = structlog.get_logger(__name__)


class Service(FastAPI):
    """FastAPI, with the event endpoint in front of its router."""

    def __init__(self, events: EventEndpoint, **options: Any) -> None:
        super().__init__(**options)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            if scope["method"] == "POST" and scope["path"].startswith(WEBHOOK_PREFIX):
                await self._events(scope, receive, send)
                return
            structlog.contextvars.bind_contextvars(request_id=new_request_id())
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Describe FastAPI's routes and the event endpoint."""
        schema = super().openapi()
        schema["paths"][WEBHOOK_PREFIX + "{secret}"]["post"] = EVENT_OPERATION
        return schema


async def nothing() -> None:
    """Do nothing more when the service stops."""


def create_app(  # noqa: PLR0913 - two collaborators, and by keyword what may be left as it is
    queue: EventQueue,
    auth: WebhookAuth,
    *,
    connect: APIRouter | None = None,
    on_stop: Callable[[], Awaitable[None]] = nothing,
    max_body_bytes: int = 16_384,
    api_docs: bool = False,
) -> Service:
    """Build the service. It opens the queue when it starts and closes it when it stops, after `on_stop`.

    `connect` are the routes by which athletes connect, unless that is switched off; `api_docs` adds /openapi.json.
    """
    events = EventEndpoint(queue, auth, max_body_bytes=max_body_bytes)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if auth.disabled_reason:
            log.warning("webhook.switched_off", reason=auth.disabled_reason)
        try:
            await queue.open()
        except QueueUnavailable as error:  # events are answered with 503 until it is back
            log.error("queue.unavailable", reason=str(error))
        log.info("service.started")
        yield
        events.log_rest()
        await on_stop()
        await queue.close()
        log.info("service.stopped")

    app = Service(
        events,
        title="Athlete Dashboard service",
        lifespan=lifespan,
        redirect_slashes=False,  # the way to the other form would lead over http, with the secrets of the address
        **documented(api_docs=api_docs),
    )
    app.include_router(challenge_routes(auth))
    app.include_router(health_routes(queue))
    app.include_router(connect or connect_routes(None))
    return app
