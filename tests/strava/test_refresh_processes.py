"""Real processes on one token file, against a Strava simulator that kills old tokens at once."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl

import pytest

from backends.tokens.file import FileTokenStore
from strava.tokens import TokenSet

ATHLETE_ID = 7
Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


class FakeStrava(ThreadingHTTPServer):
    """Knows one living pair of tokens; a refresh kills it and makes the next."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refreshes = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeStrava

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if form["refresh_token"] != f"refresh-{self.server.refreshes}":
            self._answer(400, {"errors": [{"resource": "RefreshToken", "field": "refresh_token", "code": "invalid"}]})
            return
        self.server.refreshes += 1
        made = self.server.refreshes
        self._answer(200, {"access_token": f"access-{made}", "refresh_token": f"refresh-{made}", "expires_in": 21_600})

    def do_GET(self) -> None:
        is_alive = self.headers["Authorization"] == f"Bearer access-{self.server.refreshes}"
        self._answer(200 if is_alive else 401, {"id": ATHLETE_ID})

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, status: int, fields: object) -> None:
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


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
async def token_file(tmp_path: Path) -> Path:
    """A token file whose tokens have run out."""
    path = tmp_path / "tokens.json"
    ended = datetime.now(UTC) - timedelta(hours=1)
    await FileTokenStore(path).save(
        ATHLETE_ID, TokenSet(access_token="access-0", refresh_token="refresh-0", expires_at=ended)
    )
    return path


@pytest.fixture
def spawn(project_root: Path, strava: FakeStrava, token_file: Path) -> Spawn:
    """Starts a refresher and returns when it is ready to go."""

    async def start(*how: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(project_root / "tests" / "strava" / "refresher.py"),
            str(token_file),
            strava.url,
            str(ATHLETE_ID),
            *how,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return process

    return start


@pytest.mark.slow
async def test_four_processes_refresh_once(spawn: Spawn, strava: FakeStrava) -> None:
    """Four processes find the tokens run out at the same time: one refreshes, and all get their answer."""
    processes = [await spawn() for _ in range(4)]

    said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    assert [out.split()[-1:] for out, _ in said] == [[b"7"]] * 4
    assert strava.refreshes == 1


@pytest.mark.slow
async def test_a_process_killed_after_the_save_loses_nothing(spawn: Spawn, strava: FakeStrava) -> None:
    """Killed -9 between save and use, it leaves tokens that the next process lives on, and no lock behind."""
    killed = await spawn("die")
    await killed.communicate(b"go\n")
    assert (killed.returncode, strava.refreshes) == (-9, 1)

    heir = await spawn()
    said, _ = await heir.communicate(b"go\n")

    assert said.split()[-1:] == [b"7"]
    assert strava.refreshes == 1
