"""Strava's webhook: the challenge, by which Strava checks the address, and the events.

https://developers.strava.com/docs/webhooks/. The event endpoint is plain ASGI because it is the hot path.
"""

import secrets
from collections.abc import Mapping
from typing import Annotated

import structlog
from fastapi import APIRouter, HTTPException, Query, status
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backends.queue import EventQueue, QueueUnavailable
from runtime.clock import utc_now
from runtime.log_sampling import LogSampler, SampledWarnings
from runtime.logs import logged_object
from service.webhook_auth import WEBHOOK_PREFIX, WebhookAuth
from strava.events import UnreadableEvent, message_from_http

# The path itself is not logged: it may be almost the secret.
UNKNOWN_PATH_REASON = "the path is not the webhook's, or the webhook is switched off"

# Each response is made once and sent many times.
OK_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
OK_BODY = {"type": "http.response.body", "body": b""}
NOT_FOUND = JSONResponse({"detail": "Not Found"}, 404)
CONTENT_TOO_LARGE = JSONResponse(
    {"detail": "The body is larger than any Strava event."}, 413, headers={"connection": "close"}
)
SERVICE_UNAVAILABLE = JSONResponse(
    {"detail": "The event could not be stored; send it again."}, 503, headers={"retry-after": "30"}
)

log = structlog.get_logger(__name__)


class EventEndpoint:
    """POST /webhook/{secret}: publishes an event and answers 200 once it is durable."""

    def __init__(
        self,
        queue: EventQueue,
        auth: WebhookAuth,
        *,
        max_body_bytes: int,
        queued_sampler: LogSampler | None = None,
    ) -> None:
        self._queue = queue
        self._auth = auth
        self._max_body_bytes = max_body_bytes
        self._unknown_paths = SampledWarnings("webhook.unknown_path")
        self._queued_sampler = queued_sampler or LogSampler(lines_per_s=20)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request whose path begins with WEBHOOK_PREFIX. Raises ClientDisconnect."""
        if not self._auth.is_path_secret(scope["path"].removeprefix(WEBHOOK_PREFIX)):
            self._unknown_paths.warning(method="POST", reason=UNKNOWN_PATH_REASON)
            await NOT_FOUND(scope, receive, send)
            return
        body = b""
        more = True
        while more and len(body) <= self._max_body_bytes:  # Content-Length is not trusted
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if refusal := await self._publish(body):
            await refusal(scope, receive, send)
            return
        await send(OK_START)
        await send(OK_BODY)

    async def _publish(self, body: bytes) -> Response | None:
        """Publish an event; return the answer where it could not be."""
        if len(body) > self._max_body_bytes:
            reason = f"the body is longer than {self._max_body_bytes} bytes"
            log.warning("event.refused", request_id=new_request_id(), reason=reason)
            return CONTENT_TOO_LARGE
        try:
            data, attributes = message_from_http(body, utc_now())
        except UnreadableEvent as error:
            log.warning("event.refused", request_id=new_request_id(), reason=str(error), body_bytes=len(body))
            return JSONResponse({"detail": f"This is not a Strava event: {error}."}, 400)
        try:
            await self._queue.publish(data, attributes)
        except QueueUnavailable as error:
            log.error("event.not_queued", reason=str(error), **_log_fields(attributes))
            return SERVICE_UNAVAILABLE
        if count := self._queued_sampler.count():
            log.info("event.queued", count=count, **_log_fields(attributes))
        return None

    def log_rest(self) -> None:
        """Log how many events were queued since the last line."""
        if self._queued_sampler.not_logged:
            log.info("event.queued", count=self._queued_sampler.not_logged)


def new_request_id() -> str:
    """Return 16 random hex digits. Events get one only when they are logged, because it costs time."""
    return secrets.token_hex(8)


def _log_fields(attributes: Mapping[str, str]) -> dict[str, object]:
    return {
        "request_id": new_request_id(),
        "event_id": attributes["event_id"],
        "object_type": attributes["object_type"],
        "aspect_type": attributes["aspect_type"],
        **logged_object(attributes["object_type"], int(attributes["object_id"])),
    }


def challenge_routes(auth: WebhookAuth) -> APIRouter:
    """GET /webhook/{secret}: repeats the challenge of a caller that knows the path and the verify token."""
    router = APIRouter(tags=["webhook"])
    unknown_paths = SampledWarnings("webhook.unknown_path")
    refusals = SampledWarnings("webhook.challenge_refused")

    @router.get(WEBHOOK_PREFIX + "{secret:path}", summary="Answer Strava's challenge")
    async def challenge(
        secret: str,
        mode: Annotated[str, Query(alias="hub.mode")] = "",
        token: Annotated[str, Query(alias="hub.verify_token")] = "",
        challenge: Annotated[str, Query(alias="hub.challenge")] = "",
    ) -> dict[str, str]:
        if not auth.is_path_secret(secret):
            unknown_paths.warning(method="GET", reason=UNKNOWN_PATH_REASON)
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        if mode != "subscribe" or not auth.is_verify_token(token):
            refusals.warning(reason="hub.mode or hub.verify_token is wrong")
            raise HTTPException(status.HTTP_403_FORBIDDEN, "hub.mode or hub.verify_token is wrong")
        log.info("webhook.challenge_answered")
        return {"hub.challenge": challenge}

    return router
