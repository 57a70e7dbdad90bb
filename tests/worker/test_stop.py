"""A normal stop loses nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from backends.tokens.file import FileTokenStore
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import ReceivedEvent
from strava.tokens import TokenSet
from worker.main import build
from worker.settings import WorkerSettings

ATHLETE = 4605555801
HEADERS = {"authorization": "Bearer word", "content-type": "application/json"}


class SlowStrava:
    """Rotates the tokens at once, and answers when it may."""

    def __init__(self) -> None:
        self.rotated = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.rotated.set()
        await self.may_answer.wait()
        body = json.dumps({"access_token": "fresh", "refresh_token": "next", "expires_in": 21_600}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()


@pytest.fixture
async def slow_strava() -> AsyncIterator[SlowStrava]:
    """Strava on loopback."""
    strava = SlowStrava()
    server = await asyncio.start_server(strava, "127.0.0.1", 0)
    strava.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield strava
    strava.may_answer.set()
    server.close()


async def test_a_refresh_under_way_is_saved_before_the_worker_stops(
    slow_strava: SlowStrava,
    store: SqliteRawStore,
    tmp_path: Path,
    make_event: Callable[..., ReceivedEvent],
    envelope: Callable[..., bytes],
) -> None:
    """Strava has rotated the refresh token and its answer is on the way: the store gets the new one."""
    tokens = FileTokenStore(tmp_path / "tokens.json")
    old = TokenSet(access_token="old", refresh_token="dead", expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await tokens.save(ATHLETE, old)
    app = build(
        WorkerSettings(
            data_dir=tmp_path,
            push_token=SecretStr("word"),
            strava_api_url=f"{slow_strava.url}/api/v3",
            strava_oauth_url=f"{slow_strava.url}/oauth",
        )
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test", headers=HEADERS) as client:
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        push = asyncio.create_task(client.post("/push", content=envelope(make_event())))
        await slow_strava.rotated.wait()
        push.cancel()
        await asyncio.wait({push})
        stopping = asyncio.create_task(lifespan.__aexit__(None, None, None))
        for _ in range(1000):  # the worker goes as far as it can without Strava's answer
            await asyncio.sleep(0)
        slow_strava.may_answer.set()
        await stopping
    kept = await tokens.load(ATHLETE)
    assert kept is not None
    assert kept.refresh_token == "next"
