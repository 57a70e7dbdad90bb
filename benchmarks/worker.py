"""Events a second from push to durable row and ledger, as a share of a loop that only fetches with the same client."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, redirect_stderr
from pathlib import Path
from statistics import median
from typing import TypeVar

import httpx

from athlete.supervisor import free_port
from backends.queue.envelope import PushEnvelope
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.fake_strava import ATHLETE_ID
from benchmarks.servers import running
from benchmarks.webhook import event
from runtime.clock import utc_now
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from strava.client import StravaClient
from strava.events import ReceivedEvent, StravaEvent
from worker.activities import ActivityEvents
from worker.event_router import EventRouter
from worker.purge import Purged
from worker.push_handler import PushHandler

T = TypeVar("T")

CONCURRENCY = 16
ROUNDS = 5
EVENTS = 1_000


def measure() -> dict[str, float]:
    """Alternate rounds of fetching alone and of handling pushes; return the medians and their ratio."""
    port = free_port()
    # The worker logs a line an event, as it does by default; only the terminal is spared.
    with (
        running(["-m", "benchmarks.fake_strava", str(port)], f"http://127.0.0.1:{port}/"),
        tempfile.TemporaryDirectory() as folder,
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(nowhere),
    ):
        configure_logs(LogFormat.JSON)
        fetched, worked = asyncio.run(_measure(f"http://127.0.0.1:{port}", Path(folder)))
    return {
        "worker_fetches_per_s": median(fetched),
        "worker_events_per_s": median(worked),
        "worker_ratio": median(worked) / median(fetched),
    }


async def _measure(api_url: str, folder: Path) -> tuple[list[float], list[float]]:
    fetched: list[float] = []
    worked: list[float] = []
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        _open_handler(folder, StravaClient(http, None, api_url=api_url)) as push_handler,
    ):
        client = StravaClient(http, None, api_url=api_url)
        for number in range(ROUNDS):
            first = 1 + number * 10 * EVENTS
            fetched.append(await _rate(client.activity, iter(range(first, first + EVENTS))))
            pushes = (_push(first + 5 * EVENTS + n) for n in range(EVENTS))
            worked.append(await _rate(push_handler.handle, pushes))
    return fetched, worked


@asynccontextmanager
async def _open_handler(folder: Path, client: StravaClient) -> AsyncIterator[PushHandler]:
    store = SqliteRawStore(folder / "pipeline.sqlite")
    now = utc_now()
    await store.put_athlete(Athlete(athlete_id=ATHLETE_ID, scope=frozenset(), status="connected", updated_at=now))

    async def on_deauthorized(_: int) -> Purged:
        raise AssertionError("nobody leaves during a benchmark")

    router = EventRouter(store, ActivityEvents(store, lambda _: client), on_deauthorized, lambda _: client)
    try:
        yield PushHandler(router, store)
    finally:
        await store.close()


def _push(activity_id: int) -> bytes:
    received = ReceivedEvent.of(StravaEvent.from_http(event(0, first=activity_id)), utc_now())
    envelope = PushEnvelope(
        data=received.to_message(),
        attributes=received.attributes(),
        message_id=str(activity_id),
        publish_time=received.received_at,
        subscription="benchmark",
        delivery_attempt=1,
    )
    return envelope.to_json()


async def _rate(work: Callable[[T], Awaitable[object]], items: Iterator[T]) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(_drain(work, items) for _ in range(CONCURRENCY)))
    return EVENTS / (time.perf_counter() - began)


async def _drain(work: Callable[[T], Awaitable[object]], items: Iterator[T]) -> None:
    for item in items:
        await work(item)
