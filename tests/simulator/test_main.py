"""The program itself: real processes, real sockets on loopback."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from athlete.supervisor import free_port
from tests import refusals

pytestmark = pytest.mark.slow
FORM = {"client_id": "4242", "client_secret": "simulated-client-secret"}


@pytest.fixture
async def events() -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A webhook receiver on loopback: its address, and the events that arrive."""
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def receiver(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        if scope["method"] == "POST":
            arrived.put_nowait(body)
        challenge = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&") if part)
        echo = b'{"hub.challenge":"' + challenge.get("hub.challenge", "").encode() + b'"}'
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": echo})

    port = free_port()
    config = uvicorn.Config(receiver, port=port, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    yield f"http://127.0.0.1:{port}/webhook/x", arrived
    server.should_exit = True
    await serving


async def start(port: int, state: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Start the program and wait until it answers."""
    environment = {
        **os.environ,
        "SIMULATOR_PORT": f"{port}",
        "SIMULATOR_STATE": str(state),
        "SIMULATOR_YEARS": "0.1",
        "SIMULATOR_RETRY_SPACING": "0,0",
        **settings,
    }
    program = subprocess.Popen([sys.executable, "-m", "simulator.main"], env=environment)  # noqa: ASYNC220 - it must outlive this
    async with httpx.AsyncClient() as client:
        while program.poll() is None:
            try:
                await client.get(f"http://127.0.0.1:{port}/simulator/health")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return program
    raise AssertionError(f"ended with {program.returncode}")


async def test_program_connects_subscribes_and_delivers_and_continues_after_a_kill(
    tmp_path: Path, events: tuple[str, asyncio.Queue[bytes]]
) -> None:
    """OAuth, challenge and events over sockets; after kill -9 the next start knows all of it."""
    callback, arrived = events
    port, state = free_port(), tmp_path / "state.jsonl"
    program = await start(port, state)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        form: dict[str, Any] = FORM | {"redirect_uri": "http://localhost/cb", "scope": "activity:read_all"}
        back = await client.post("/oauth/authorize", data=form)
        code = httpx.URL(back.headers["location"]).params["code"]
        tokens = (
            await client.post("/oauth/token", data=FORM | {"grant_type": "authorization_code", "code": code})
        ).json()
        subscription = FORM | {"callback_url": callback, "verify_token": "v"}
        assert (await client.post("/api/v3/push_subscriptions", data=subscription)).status_code == 201
        first = (await client.post("/simulator/activities", json={})).json()
        assert f"{first['id']}".encode() in await arrived.get()
    program.send_signal(signal.SIGKILL)
    program.wait()
    program = await start(port, state)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        found = await client.get(f"/api/v3/activities/{first['id']}", headers=headers)
        assert (found.status_code, found.headers["x-readratelimit-limit"]) == (200, "100,1000")
        second = (await client.post("/simulator/activities", json={})).json()
        while f"{second['id']}".encode() not in await arrived.get():
            pass  # the first event may come again when the kill hit before its answer was remembered
    program.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(program.wait, 20) == 0


async def test_recorded_folder_can_replace_the_generated_years(tmp_path: Path) -> None:
    """`SIMULATOR_YEARS=0` and a folder: only what was recorded."""
    folder = Path(__file__).parents[1] / "fixtures" / "strava"
    port = free_port()
    program = await start(port, tmp_path / "state", SIMULATOR_YEARS="0", SIMULATOR_RECORDED_DIR=str(folder))
    async with httpx.AsyncClient() as client:
        health = (await client.get(f"http://127.0.0.1:{port}/simulator/health")).json()
    program.terminate()
    await asyncio.to_thread(program.wait, 20)
    assert health["activities"] == 14


def refusal_of(folder: Path, start: refusals.Start = refusals.refusal_of, /, **settings: str) -> str:
    """Start the program with settings that it cannot begin with, and return the one line that it says."""
    said = start("simulator", folder, {**os.environ, **settings})
    [line] = [each for each in said if "world.made" not in each]
    assert line.startswith("simulator: ")
    return line


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SIMULATOR_PORT", "s3cret", "valid integer"),
        ("SIMULATOR_PORT", "70000", "less than or equal to 65535"),
        ("SIMULATOR_YEARS", "inf", "finite number"),
        ("SIMULATOR_READ_LIMIT", "s3cret", "two numbers with a comma between them; write such as 100,1000"),
        ("SIMULATOR_OVERALL_LIMIT", "100", "two numbers with a comma between them"),
        ("SIMULATOR_RETRY_SPACING", "60;120", "two numbers with a comma between them; write such as 60,120"),
        ("SIMULATOR_RECORDED_DIR", "nowhere", "does not point to a directory"),
        ("SIMULATOR_STATE", "file/state", "set it to a file"),
        ("SIMULATOR_STATE", "folder", "set it to a file"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, name: str, value: str, says: str) -> None:
    """The program ends with 2 and names the setting and what it may be, not a secret that was pasted in its place."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    line = refusal_of(tmp_path, **{name: value})
    assert name in line
    assert says in line
    assert "s3cret" not in line
    assert "DATA_DIR" not in line


def test_a_recording_without_json_is_named(tmp_path: Path) -> None:
    """The sentence tells the setting and the file."""
    (tmp_path / "broken.json").write_text("{")
    line = refusal_of(tmp_path, refusals.refusal_with_imports, SIMULATOR_RECORDED_DIR=str(tmp_path))
    assert "SIMULATOR_RECORDED_DIR: broken.json holds no JSON" in line


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """The address is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal_of(tmp_path, SIMULATOR_PORT=str(port), SIMULATOR_YEARS="0")
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use" in line
