"""A backlog in the queue: how long a live event waits behind it, and how fast worker and ledger work it off.

The backlog is of deletions, for Strava's limits let nobody fetch as many activities in a day; the live event is a save.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from athlete.supervisor import free_port
from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.fake_strava import ATHLETE_ID
from benchmarks.servers import running
from benchmarks.webhook import event
from runtime.clock import utc_now
from strava.events import message_from_http
from strava.tokens import TokenSet

WAITING = int(os.environ.get("BENCH_BACKLOG", "20000"))
LIVE_ID = 10**9
_POLL_S = 0.2


def measure() -> dict[str, float]:
    """Fill a queue, start worker and deliverer, and publish one more event once they are at work."""
    strava, worker = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as programs:
        asyncio.run(_fill(Path(folder)))
        environment = {
            "DATA_DIR": folder,
            "WORKER_PORT": str(worker),
            "PUSH_TOKEN": "benchmark" * 4,
            "STRAVA_API_URL": f"http://127.0.0.1:{strava}",
        }
        url = f"http://127.0.0.1:{strava}/"
        programs.enter_context(running(["-m", "benchmarks.fake_strava", str(strava)], url))
        url = f"http://127.0.0.1:{worker}/health"
        programs.enter_context(running(["-m", "worker.main"], url, environment))
        programs.enter_context(running(["-m", "athlete.deliverer"], url, environment))
        live_s, events_per_s = asyncio.run(_watch(Path(folder)))
    return {"backlog_live_s": live_s, "backlog_events_per_s": events_per_s}


async def _fill(folder: Path) -> None:
    athlete = Athlete(athlete_id=ATHLETE_ID, scope=frozenset(), status="connected", updated_at=utc_now())
    far_away = datetime(2100, 1, 1, tzinfo=UTC)
    tokens = TokenSet(access_token="access", refresh_token="refresh", expires_at=far_away)  # noqa: S106 - of no account
    await FileTokenStore(folder / "tokens.json").save(ATHLETE_ID, tokens)
    async with _opened(folder) as (store, queue):
        await store.put_athlete(athlete)
        await _publish(queue, "delete", range(1, WAITING + 1))


async def _publish(queue: EmbeddedQueue, aspect_type: str, activity_ids: range) -> None:
    now = utc_now()
    fields = {**json.loads(event(0)), "aspect_type": aspect_type, "event_time": int(now.timestamp())}
    bodies = (json.dumps({**fields, "object_id": activity_id}).encode() for activity_id in activity_ids)
    await asyncio.gather(*(queue.publish(*message_from_http(body, now)) for body in bodies))


async def _watch(folder: Path) -> tuple[float, float]:
    """Return the seconds from publishing the live event to its row, and how many events a second were finished."""
    async with _opened(folder) as (store, queue):
        while (waiting := (await queue.status()).waiting) == WAITING:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(_POLL_S)
        began = time.monotonic()
        await _publish(queue, "create", range(LIVE_ID, LIVE_ID + 1))
        live_s = 0.0
        while (await queue.status()).waiting:
            if not live_s and await store.stored([LIVE_ID]):
                live_s = time.monotonic() - began
            await asyncio.sleep(_POLL_S)
        ended = time.monotonic()
        return live_s or ended - began, waiting / (ended - began)


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[tuple[SqliteRawStore, EmbeddedQueue]]:
    store = SqliteRawStore(folder / "pipeline.sqlite")
    queue = EmbeddedQueue(folder / "pipeline.sqlite", publish_timeout_s=60)
    yield store, queue
    await queue.close()
    await store.close()
