"""The whole way over Pub/Sub: webhook, service, Google's emulator, a push with a signed token, worker, ledger.

The emulator signs no pushes. What it pushes goes through a relay, which adds the header that Pub/Sub would send.
"""

import asyncio
import json
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from athlete.supervisor import free_port
from backends.queue.pubsub.queue import PubsubQueue, publisher_client
from service.app import create_app
from service.webhook_auth import WebhookAuth
from tests.google_tokens import ACCOUNT, AUDIENCE, served, signing_key
from tests.pubsub_emulator import EmulatedTopic
from worker.main import build
from worker.settings import WorkerSettings

pytestmark = pytest.mark.slow
HEARD, GIVEN_UP = 7, 8  # the activities of two events
FORGER = signing_key("forger's", key_id="google's")


class SigningRelay:
    """Signs what the emulator pushes and hands it to the worker; serves Google's certificates too."""

    def __init__(self) -> None:
        self.worker: httpx.AsyncClient | None = None
        self.answers: dict[object, list[int]] = defaultdict(list)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def app(self) -> ASGIApp:
        """What listens."""
        pushes = [Route(path, self.push, methods=["POST"]) for path in ("/push", "/dead-letter")]
        return Starlette(routes=[Route("/certs", self.certificates), *pushes])

    async def certificates(self, _: Request) -> Response:
        return Response(served(signing_key()), media_type="application/json")

    async def push(self, request: Request) -> Response:
        assert self.worker is not None
        body = await request.body()
        about = json.loads(body)["message"].get("attributes", {}).get("object_id")
        about = f"dead {about}" if request.url.path == "/dead-letter" else about
        headers = {"content-type": "application/json", "authorization": self._header(about)}
        answer = await self.worker.post(request.url.path, content=body, headers=headers)
        self.answers[about].append(answer.status_code)
        return Response(status_code=answer.status_code)

    def _header(self, about: object) -> str:
        """Return the worst header first; the right one comes last, and for one event never."""
        headers = [FORGER.header(), signing_key().header(expires_in_s=-60), signing_key().header(email="other@x")]
        tried = len(self.answers[about])
        if about == str(GIVEN_UP) or (about == str(HEARD) and tried < len(headers)):
            return headers[tried % len(headers)]
        return signing_key().header()


@asynccontextmanager
async def listening(relay: SigningRelay) -> AsyncIterator[None]:
    """Serve the relay on its port."""
    server = uvicorn.Server(uvicorn.Config(relay.app, port=relay.port, lifespan="off", log_level="error", ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Start a program inside the test, and speak to it."""
    async with (
        app.router.lifespan_context(app),  # type: ignore[attr-defined]
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://program.test") as client,
    ):
        yield client


async def test_an_event_goes_the_whole_way(pubsub_emulator: str, tmp_path: Path) -> None:
    """A push is refused until its token is right and then leaves a ledger row; one never is, and is a dead letter.

    The service's probes come to the worker too, and leave none. The log tells of the refusals, and shows no token.
    """
    relay, topic = SigningRelay(), EmulatedTopic(pubsub_emulator)
    await topic.create()
    worker = build(
        WorkerSettings(
            data_dir=tmp_path,
            push_audience=AUDIENCE,
            push_service_account=ACCOUNT,
            push_certificates_url=f"{relay.url}/certs",
        )
    )
    queue = PubsubQueue(publisher_client(pubsub_emulator), topic.name, publish_timeout_s=10)
    service = create_app(queue, WebhookAuth(path_secret="s3cret", verify_token="verify-me"))
    with capture_logs() as logs:
        async with (
            listening(relay),
            started(worker) as relay.worker,
            started(service) as strava,
            topic.pushing(f"{relay.url}/push", f"{relay.url}/dead-letter"),
        ):
            for activity in (HEARD, GIVEN_UP):
                answer = await strava.post("/webhook/s3cret", content=event(activity))
                assert answer.status_code == 200
            assert (await strava.get("/health?deep=true")).json() == {"status": "ok"}
            while not relay.answers[f"dead {GIVEN_UP}"]:  # noqa: ASYNC110 - the emulator is who pushes
                await asyncio.sleep(0.05)
    await topic.close()
    assert relay.answers == {
        None: [204, 204],  # the probes of the start and of the health check
        str(HEARD): [401, 401, 403, 204],
        str(GIVEN_UP): [401, 401, 403, 401, 401],
        f"dead {GIVEN_UP}": [204],
    }
    assert ledger(tmp_path) == {(HEARD, 1), (GIVEN_UP, 5)}
    refused = [line for line in logs if line["event"] == "push.refused"]
    assert {line["status"] for line in refused} >= {401}
    assert sum(line["count"] for line in refused) <= 8
    assert "eyJ" not in str(logs)  # how every signed token begins


def event(activity_id: int) -> bytes:
    """What Strava posts."""
    told = {"aspect_type": "create", "event_time": 1_700_000_000, "object_id": activity_id, "object_type": "activity"}
    return json.dumps({**told, "owner_id": 4242, "subscription_id": 1, "updates": {}}).encode()


def ledger(folder: Path) -> set[tuple[int, int]]:
    """Return the activity and the attempts of each row."""
    with closing(sqlite3.connect(folder / "pipeline.sqlite")) as connection:
        return set(connection.execute("select object_id, attempt from strava_events"))
