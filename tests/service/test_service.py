"""The service around the webhook: health, log volume, and the program itself."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from athlete.supervisor import free_port
from runtime.log_sampling import LogSampler
from service.app import Service
from service.health import health_routes
from service.webhook import EventEndpoint
from service.webhook_auth import WebhookAuth

Make = Callable[..., Service]
Open = Callable[[ASGIApp], httpx.AsyncClient]


async def test_health_is_cheap(make_app: Make, open_client: Open, queue: Any) -> None:
    """Liveness does not ask the queue."""
    queue.fault = "gone"
    answer = await open_client(make_app()).get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_deep_health_tries_the_queue_and_tells_no_numbers(make_app: Make, open_client: Open) -> None:
    """The internet can reach the service, so its answer does not say how many events wait."""
    answer = await open_client(make_app()).get("/health", params={"deep": "true"})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_deep_health_is_503_without_the_queue(make_app: Make, open_client: Open, queue: Any) -> None:
    """While the queue is unavailable the answer is 503. The log says why, and the answer does not."""
    queue.fault = "the disk is full"
    with capture_logs() as logs:
        answer = await open_client(make_app()).get("/health", params={"deep": "true"})
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
    assert [(line["event"], line["log_level"], line["reason"]) for line in logs] == [
        ("health.unreachable", "error", "the disk is full")
    ]


async def test_the_service_starts_without_its_queue(make_app: Make, open_client: Open, queue: Any, event: Any) -> None:
    """One line says why; events are answered with 503, so that Strava sends them again, until the queue is back."""
    queue.fault = "no route to Pub/Sub"
    app = make_app()
    client = open_client(app)
    with capture_logs() as logs:
        async with app.router.lifespan_context(app):
            answers = [(await client.post("/webhook/s3cret", json=event)).status_code]
            queue.fault = None
            answers.append((await client.post("/webhook/s3cret", json=event)).status_code)
    assert answers == [503, 200]
    [told] = [line for line in logs if line["event"] == "queue.unavailable"]
    assert told["reason"] == "no route to Pub/Sub"


async def test_many_deep_requests_cost_one_probe(open_client: Open, queue: Any) -> None:
    """The queue is tried once in five seconds, however many requests come. The next try reports its fault."""
    now = 0.0
    app = FastAPI()
    app.include_router(health_routes(queue, clock=lambda: now))
    client = open_client(app)
    asking = [client.get("/health", params={"deep": "true"}) for _ in range(20)]
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}
    queue.fault, now = "the disk is full", 4.9
    kept = await client.get("/health", params={"deep": "true"})
    assert (kept.status_code, queue.probes) == (200, 1)
    now = 5.0
    renewed = await client.get("/health", params={"deep": "true"})
    assert (renewed.status_code, queue.probes) == (503, 2)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
async def test_nothing_is_documented_unless_asked_for(make_app: Make, open_client: Open, path: str) -> None:
    """OpenAPI is off by default. With `api_docs` only the JSON is served: pages would load scripts from elsewhere."""
    assert (await open_client(make_app()).get(path)).status_code == 404
    asked = await open_client(make_app(api_docs=True)).get(path)
    assert asked.status_code == (200 if path == "/openapi.json" else 404)


async def test_the_queue_is_opened_and_closed_with_the_service(make_app: Make, queue: Any) -> None:
    """The queue opens before the first event and closes when the service stops."""
    app = make_app()
    async with app.router.lifespan_context(app):
        assert (queue.is_open, queue.is_closed) == (True, False)
    assert queue.is_closed


async def test_a_flood_of_events_costs_few_log_lines(open_client: Open, queue: Any, event: dict[str, Any]) -> None:
    """The first events of a second get a line each. The last line counts all others."""
    auth = WebhookAuth(path_secret="s3cret", verify_token="verify-me")
    sampler = LogSampler(lines_per_s=3, clock=lambda: 0.0)
    endpoint = EventEndpoint(queue, auth, max_body_bytes=16_384, queued_sampler=sampler)
    client = open_client(endpoint)
    with capture_logs() as logs:
        for _ in range(11):
            assert (await client.post("/webhook/s3cret", json=event)).status_code == 200
        endpoint.log_rest()
    assert [(line["event"], line["count"]) for line in logs] == [*[("event.queued", 1)] * 3, ("event.queued", 8)]


@pytest.fixture
def port() -> int:
    """Where the program listens."""
    return free_port()


@pytest.fixture
def program(tmp_path: Path, port: int, project_root: Path) -> Iterator[subprocess.Popen[str]]:
    """The service as a process, with an empty data folder."""
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "SERVICE_PORT": str(port),
        "WEBHOOK_PATH_SECRET": "s3cret-s3cret-s3cret",
        "STRAVA_VERIFY_TOKEN": "verify-me",
        "LOG_FORMAT": "json",
        "PYTHONPATH": str(project_root),
    }
    command = [sys.executable, "-m", "service.main"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def wait_until_up(url: str) -> None:
    """Wait until /health answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(url).raise_for_status()
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.slow
def test_the_program_stops_cleanly(
    program: subprocess.Popen[str], port: int, event: dict[str, Any], tmp_path: Path
) -> None:
    """It stores an event, ends with 0 on SIGTERM, and logs JSON without its secrets."""
    url = f"http://127.0.0.1:{port}"
    wait_until_up(f"{url}/health")
    taken = httpx.post(f"{url}/webhook/s3cret-s3cret-s3cret", json=event)
    deep = httpx.get(f"{url}/health", params={"deep": "true"})
    foreign = httpx.post(f"{url}/webhook/s3cret-s3cret-s3cret", json=event, headers={"origin": "https://evil.test"})
    tunnelled = httpx.post(f"{url}/webhook/s3cret-s3cret-s3cret", json=event, headers={"host": "tunnel.test"})
    program.send_signal(signal.SIGTERM)
    _, logged = program.communicate(timeout=30)
    assert (taken.status_code, deep.json(), program.returncode) == (200, {"status": "ok"}, 0)
    assert (foreign.status_code, tunnelled.status_code) == (403, 200)
    assert '"event": "service.stopped"' in logged
    assert '"event": "event.queued"' in logged
    assert '"request_id"' in logged
    assert "s3cret" not in logged
    assert "verify-me" not in logged
    assert (tmp_path / "data" / "pipeline.sqlite").exists()
