"""The worker: takes what the queue pushes, one HTTP request a message."""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from backends.queue import PushAuth, QueueMonitor
from backends.warehouse import RawStore
from backends.warehouse.ledger import Outcome
from runtime.api_docs import documented
from runtime.clock import utc_now
from worker.health import health_routes
from worker.push_auth import only_pushes
from worker.push_handler import EventHandler, PushHandler
from worker.results import ACKNOWLEDGED, Result

log = structlog.get_logger(__name__)

STOP_GRACE_S = 3.0  # for the work in the background; what it leaves is found again at the next start

AfterPush = Callable[[Outcome], Awaitable[None]]
OnStop = Callable[[], Awaitable[None]]
Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


def create_app(  # noqa: PLR0913 - three collaborators, and by keyword what may be left as it is
    handle_event: EventHandler,
    store: RawStore,
    queue: QueueMonitor | None,
    *,
    push_auth: PushAuth,
    background: Sequence[Background] = (),
    after_push: AfterPush | None = None,
    on_stop: OnStop | None = None,
    api_docs: bool = False,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Assemble the worker; the queue is only watched, where it tells how it stands.

    Each `background` runs beside the pushes until its event is set; `on_stop` runs when nothing is in flight any more.
    `after_push` is told of each push how it ended, before its answer, and raises nothing.
    With `api_docs` /openapi.json describes it.
    """
    push_handler = PushHandler(handle_event, store, clock=clock)
    pushes = APIRouter(tags=["queue"], dependencies=[Depends(only_pushes(push_auth))])

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.info("worker.started")
        async with _beside(background):
            yield
        if on_stop is not None:
            await on_stop()
        log.info("worker.stopped")

    @pushes.post("/push", summary="Take one message, wrapped as Pub/Sub does", status_code=204)
    async def push(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(8))
        result = await push_handler.handle(await request.body())
        if after_push is not None:
            await after_push(result.outcome)
        return _answer(result)

    @pushes.post("/dead-letter", summary="Record a message that was given up", status_code=204)
    async def dead_letter(request: Request) -> Response:
        structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(8))
        return _answer(await push_handler.record_dead_letter(await request.body()))

    app = FastAPI(title="Athlete Dashboard worker", lifespan=lifespan, **documented(api_docs=api_docs))
    app.include_router(health_routes(store, queue, push_auth))
    app.include_router(pushes)
    return app


@asynccontextmanager
async def _beside(background: Sequence[Background]) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(work(stop)) for work in background]
    yield
    stop.set()
    if tasks:
        _done, unfinished = await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        for task in unfinished:
            task.cancel()


def _answer(result: Result) -> Response:
    after = None if result.status is ACKNOWLEDGED else result.retry_after_s
    headers = {} if after is None else {"retry-after": str(math.ceil(after))}
    return Response(status_code=result.status, headers=headers)
