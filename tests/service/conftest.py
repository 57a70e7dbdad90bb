"""Fixtures of the tests of `service/`: a queue that can fail, and the service on it without a network."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from backends.queue import QueueUnavailable
from service.app import Service, create_app
from service.webhook_auth import WebhookAuth


class FakeQueue:
    """Keeps published messages; fails while `fault` is set."""

    def __init__(self) -> None:
        self.published: list[tuple[bytes, Mapping[str, str]]] = []
        self.fault: str | None = None
        self.is_open = False
        self.is_closed = False
        self.probes = 0

    async def open(self) -> None:
        await self._pass()
        self.is_open = True

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        await self._pass()
        self.published.append((data, attributes))
        return str(len(self.published))

    async def probe(self) -> None:
        self.probes += 1
        await self._pass()

    async def close(self) -> None:
        self.is_closed = True

    async def _pass(self) -> None:
        if self.fault is not None:
            raise QueueUnavailable(self.fault)


@pytest.fixture
def queue() -> FakeQueue:
    """The queue behind the service."""
    return FakeQueue()


@pytest.fixture
def make_app(queue: FakeQueue) -> Callable[..., Service]:
    """Makes the service; a test may change its secrets and limits."""
    known: dict[str, Any] = {"path_secret": "s3cret", "verify_token": "verify-me"}

    def make(**changes: Any) -> Service:
        auth = WebhookAuth(**{key: changes.pop(key, value) for key, value in known.items()})
        return create_app(queue, auth, **changes)

    return make


@pytest.fixture
async def open_client() -> AsyncIterator[Callable[[ASGIApp], httpx.AsyncClient]]:
    """Makes HTTP clients of an app in this process."""
    clients: list[httpx.AsyncClient] = []

    def client(app: ASGIApp) -> httpx.AsyncClient:
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service.test"))
        return clients[-1]

    yield client
    for each in clients:
        await each.aclose()


@pytest.fixture
def event() -> dict[str, Any]:
    """A create event as Strava posts it."""
    return {
        "object_type": "activity",
        "object_id": 1360128428,
        "aspect_type": "create",
        "updates": {},
        "owner_id": 134815,
        "subscription_id": 42,
        "event_time": 1767225600,
    }
