"""A Strava simulator, the real service and servers that answer as told, each on loopback in a thread of its own."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from athlete.main import app
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.subscriptions import KnownSubscription
from service.main import guard
from service.settings import ServiceSettings
from tests.serving import serving, simulator_app

SECRET = "0123456789abcdef-the-path"
VERIFY_TOKEN = "the-verify-token"
CREDENTIALS = {"client_id": "4242", "client_secret": "simulated-client-secret"}


@dataclass
class Reply:
    """A server that answers every request alike, with the challenge where CHALLENGE stands in the body."""

    status: int = 200
    body: str = '{"hub.challenge": "CHALLENGE"}'
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await asyncio.sleep(self.after_s)
        query = dict(httpx.QueryParams(scope["query_string"].decode()))
        body = self.body.replace("CHALLENGE", query.get("hub.challenge", "")).encode()
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Simulator:
    """A simulator over HTTP: its subscriptions, and its faults."""

    def __init__(self, url: str) -> None:
        self.url = url

    def subscriptions(self) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v3/push_subscriptions", params=CREDENTIALS, trust_env=False)
        found: list[dict[str, Any]] = answer.json()
        return found

    def unsubscribe(self, subscription_id: int) -> None:
        url = f"{self.url}/api/v3/push_subscriptions/{subscription_id}"
        httpx.delete(url, params=CREDENTIALS, trust_env=False).raise_for_status()

    def subscribe(self, callback_url: str) -> int:
        form = {**CREDENTIALS, "callback_url": callback_url, "verify_token": VERIFY_TOKEN}
        answer = httpx.post(f"{self.url}/api/v3/push_subscriptions", data=form, trust_env=False)
        return int(answer.json()["id"])

    def switch_faults(self, **faults: Any) -> None:
        httpx.put(f"{self.url}/simulator/faults", json=faults, trust_env=False).raise_for_status()


@pytest.fixture
def serve_made() -> Iterator[Callable[..., str]]:
    """Serves what an async context makes, for the length of a test, and returns its address."""
    with ExitStack() as running:
        yield lambda make_app, tls=None: running.enter_context(serving(make_app, tls))


@pytest.fixture
def serve(serve_made: Callable[..., str]) -> Callable[..., str]:
    """Serves an application."""
    return lambda asgi_app, tls=None: serve_made(lambda: nullcontext(asgi_app), tls)


@pytest.fixture
def reply() -> type[Reply]:
    """Makes an application that answers every GET alike."""
    return Reply


@pytest.fixture
def strava(serve_made: Callable[..., str]) -> Simulator:
    """A running simulator without a history."""
    return Simulator(serve_made(lambda: simulator_app(years=0)))


@pytest.fixture
def service(serve_made: Callable[..., str], tmp_path: Path) -> Callable[..., str]:
    """Starts the real service with secrets of its own, behind its guard."""

    def start(path_secret: str = SECRET, verify_token: str = VERIFY_TOKEN, **more: Any) -> str:
        settings = ServiceSettings(
            data_dir=tmp_path / "service",
            webhook_path_secret=SecretStr(path_secret),
            strava_verify_token=SecretStr(verify_token),
            **more,
        )

        @asynccontextmanager
        async def make() -> AsyncIterator[Any]:
            yield guard(settings)

        return serve_made(make)

    return start


@pytest.fixture
def environment(strava: Simulator, tmp_path: Path) -> dict[str, str]:
    """The settings of a command with a data folder of its own."""
    return {
        "DATA_DIR": str(tmp_path / "data"),
        "STRAVA_API_URL": f"{strava.url}/api/v3",
        "STRAVA_CLIENT_ID": CREDENTIALS["client_id"],
        "STRAVA_CLIENT_SECRET": CREDENTIALS["client_secret"],
        "WEBHOOK_PATH_SECRET": SECRET,
        "STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
        "STRAVA_SUBSCRIPTION_ID": "",
        "PUBLIC_URL": "",
        "LOG_LEVEL": "",
        "COLUMNS": "300",
    }


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., Result]:
    """Runs `athlete subscription …`; it never ends in a traceback, and tells no secret."""

    def invoke(*arguments: str, **settings: str) -> Result:
        result = CliRunner().invoke(app, ["subscription", *arguments], env={**environment, **settings})
        assert not {SECRET, VERIFY_TOKEN, CREDENTIALS["client_secret"]} & set(re.findall(r"[\w-]+", result.output))
        assert not isinstance(result.exception, Exception), result.output
        return result

    return invoke


@pytest.fixture
def told() -> Callable[[Result], dict[str, Any]]:
    """Reads what a command printed with --json."""

    def read(result: Result) -> dict[str, Any]:
        assert result.exit_code == 0, result.output
        fields: dict[str, Any] = json.loads(result.stdout)
        return fields

    return read


@pytest.fixture
def remembered(tmp_path: Path) -> Callable[[], list[KnownSubscription]]:
    """Reads which subscriptions the data folder knows."""

    async def read() -> list[KnownSubscription]:
        store = SqliteRawStore(tmp_path / "data" / "pipeline.sqlite")
        known = await store.subscriptions()
        await store.close()
        return known

    return lambda: asyncio.run(read())


@pytest.fixture
def current(remembered: Callable[[], list[KnownSubscription]]) -> Callable[[], int | None]:
    """Reads which subscription is current."""
    return lambda: next((each.subscription_id for each in remembered() if each.ended_at is None), None)
