"""Real processes on one budget, against a Strava simulator that counts every call and refuses what is too much."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest

LIMIT = 60
Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


class FakeStrava(ThreadingHTTPServer):
    """Has one limit, whose window never ends while the test runs; its clock stands in the midst of a quarter hour."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.counting = Lock()
        self.calls = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeStrava

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Sun, 01 Mar 2026 11:50:00 GMT"

    def do_GET(self) -> None:
        with self.server.counting:
            self.server.calls += 1
            used = self.server.calls
        body = json.dumps({"id": "g1"}).encode()
        self.send_response(200 if used <= LIMIT else 429)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-RateLimit-Limit", f"{LIMIT},1000")
        self.send_header("X-RateLimit-Usage", f"{used},{used}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def strava() -> Iterator[FakeStrava]:
    """A Strava simulator on loopback."""
    with FakeStrava() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def spawn(project_root: Path, strava: FakeStrava, tmp_path: Path) -> Spawn:
    """Starts a caller and returns when it is ready to go."""

    async def start(*arguments: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(project_root / "tests" / "strava" / "caller.py"),
            str(tmp_path / "budget.json"),
            strava.url,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return process

    return start


@pytest.mark.slow
async def test_three_processes_stop_at_the_limit_together(spawn: Spawn, strava: FakeStrava) -> None:
    """Each wants 40 calls, 16 at once, and 60 are allowed: 60 are answered, 60 wait, and Strava refuses none."""
    processes = [await spawn("40") for _ in range(3)]

    said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    ends = [dict(part.split("=") for part in out.decode().split()) for out, _ in said]
    assert strava.calls == LIMIT
    assert sum(int(end.get("answered", 0)) for end in ends) == LIMIT
    assert sum(int(end.get("RateLimited", 0)) for end in ends) == 120 - LIMIT


@pytest.mark.slow
async def test_a_killed_process_takes_no_call_too_many_with_it(spawn: Spawn, strava: FakeStrava) -> None:
    """Killed -9 with calls under way, it leaves them counted: the next stops in time and is not held up."""
    killed = await spawn("40", "die")
    await killed.communicate(b"go\n")
    assert killed.returncode == -9
    before = strava.calls

    heir = await spawn("100")
    said, _ = await heir.communicate(b"go\n")

    ends = dict(part.split("=") for part in said.decode().split())
    assert ends.keys() == {"answered", "RateLimited"}
    assert LIMIT - 16 <= before + int(ends["answered"]) <= LIMIT
