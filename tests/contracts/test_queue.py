"""Every queue keeps what it acknowledged, and pushes it as Pub/Sub does until the worker acknowledges it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from backends.queue import EventQueue, QueueStatus, QueueUnavailable
from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy, push_client
from backends.queue.envelope import PushEnvelope

pytestmark = pytest.mark.uvloop_too
TOKEN = "a-word-of-the-deliverer"
MAX_DELIVERY_ATTEMPTS = 5  # the least that Pub/Sub allows


class QueueBackend(Protocol):
    """One engine under test: its queue, and a context in which it pushes."""

    queue: EventQueue

    def pushing(self, push_url: str, dead_letter_url: str) -> AbstractAsyncContextManager[None]: ...


class EmbeddedBackend:
    """The embedded queue and its deliverer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.queue: EventQueue = EmbeddedQueue(path)

    @asynccontextmanager
    async def pushing(self, push_url: str, dead_letter_url: str) -> AsyncIterator[None]:
        policy = RedeliveryPolicy(
            min_backoff_s=0.01,
            max_backoff_s=0.05,
            max_delivery_attempts=MAX_DELIVERY_ATTEMPTS,
            dead_letter_url=dead_letter_url,
        )
        stop = asyncio.Event()
        async with push_client(TOKEN) as http, asyncio.TaskGroup() as tasks:
            tasks.create_task(Deliverer(self._path, http, push_url, policy=policy).run(stop))
            yield
            stop.set()


BACKENDS: dict[str, Callable[[Path], QueueBackend]] = {
    "embedded": lambda folder: EmbeddedBackend(folder / "pipeline.sqlite")
}


@pytest.fixture(params=BACKENDS)
async def queue_backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[QueueBackend]:
    """Each engine in turn, empty."""
    backend = BACKENDS[request.param](tmp_path)
    yield backend
    await backend.queue.close()


class PushEndpoint:
    """A push endpoint on loopback. It keeps the bodies and gives the test's answers; None closes the connection."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[str] = []
        self.answer: Callable[[dict[str, Any]], int | None] = lambda _: 204
        self._arrived = asyncio.Condition()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/push"

    def attempts(self) -> list[int]:
        return [body["deliveryAttempt"] for body in self.bodies]

    async def received(self, how_many: int) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.bodies) >= how_many)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed its connection
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        self.heads.append(head)
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        body = json.loads(await reader.readexactly(int(length.partition(":")[2])))
        status = self.answer(body)
        if status is not None:
            end = "\r\n" if status == 204 else "Content-Length: 0\r\n\r\n"
            writer.write(f"HTTP/1.1 {status} Answer\r\n{end}".encode())
        async with self._arrived:
            self.bodies.append(body)
            self._arrived.notify_all()
        return status is not None


async def listening() -> AsyncIterator[PushEndpoint]:
    """Yield an endpoint that acknowledges every push by default."""
    endpoint = PushEndpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.port = server.sockets[0].getsockname()[1]
    yield endpoint
    server.close()
    await server.wait_closed()


worker = pytest.fixture(listening, name="worker")
dead_letters = pytest.fixture(listening, name="dead_letters")


async def until(queue: EventQueue, holds: Callable[[QueueStatus], bool]) -> None:
    """Wait until `status` returns these numbers."""
    while not holds(await queue.status()):  # noqa: ASYNC110 - other processes may be the ones who change it
        await asyncio.sleep(0.005)


async def test_push_is_the_wrapped_message(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """The worker receives Pub/Sub's envelope: base64 data, attributes, id, publish time and attempt 1."""
    before = datetime.now(UTC)
    message_id = await queue_backend.queue.publish(b'{"title": "\xc3\xa4\xf0\x9f\x9a\xb4"}', {"owner_id": "7"})
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(1)
    body = worker.bodies[0]
    assert body.keys() >= {"message", "subscription", "deliveryAttempt"}
    assert base64.b64decode(body["message"]["data"]) == b'{"title": "\xc3\xa4\xf0\x9f\x9a\xb4"}'
    assert body["message"]["attributes"] == {"owner_id": "7"}
    assert body["message"]["messageId"] == message_id
    published = datetime.fromisoformat(body["message"]["publishTime"])
    assert before - timedelta(seconds=1) <= published <= datetime.now(UTC) + timedelta(seconds=1)
    assert body["deliveryAttempt"] == 1


async def test_push_says_who_it_is_from(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """Every push is JSON with a bearer token, also a dead letter's."""
    worker.answer = lambda _: 503
    await queue_backend.queue.publish(b"poison", {})
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await until(queue_backend.queue, lambda status: status.dead == 1)
    heads = [head.splitlines() for head in (*worker.heads, *dead_letters.heads)]
    assert len(heads) == MAX_DELIVERY_ATTEMPTS + 1
    assert all(f"authorization: bearer {TOKEN}" in head for head in heads)
    assert all("content-type: application/json" in head for head in heads)


async def test_envelope_is_readable(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """`PushEnvelope` reads a push with any bytes and with attributes in any script."""
    data, attributes = bytes(range(256)), {"a": "", "größe": "日本 🚴", "quote": '"\\\n'}
    message_id = await queue_backend.queue.publish(data, attributes)
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(1)
    envelope = PushEnvelope.from_json(json.dumps(worker.bodies[0]).encode())
    assert (envelope.data, envelope.attributes, envelope.message_id) == (data, attributes, message_id)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_acknowledged_message_is_gone(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint, status: int
) -> None:
    """An acknowledging answer removes the message. Nothing waits, and later messages are delivered."""
    worker.answer = lambda _: status
    async with queue_backend.pushing(worker.url, dead_letters.url):
        first = await queue_backend.queue.publish(b"first", {})
        await until(queue_backend.queue, lambda status: status.waiting == 0)
        second = await queue_backend.queue.publish(b"second", {})
        await worker.received(2)
    assert [body["message"]["messageId"] for body in worker.bodies] == [first, second]


@pytest.mark.parametrize("refusal", [302, 400, 404, 429, 500, 503, None])
async def test_refused_message_returns(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint, refusal: int | None
) -> None:
    """After any other answer, or none, the message returns with the next attempt until it is acknowledged."""
    worker.answer = lambda body: 204 if body["deliveryAttempt"] == 3 else refusal
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await queue_backend.queue.publish(b"event", {"event_id": "e1"})
        await until(queue_backend.queue, lambda status: status.waiting == 0)
    assert worker.attempts() == [1, 2, 3]
    assert len({body["message"]["messageId"] for body in worker.bodies}) == 1
    assert {body["message"]["attributes"]["event_id"] for body in worker.bodies} == {"e1"}


async def test_dead_letter(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """After the last attempt the message becomes a dead letter, is kept, and tells where it comes from."""
    worker.answer = lambda _: 503
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await queue_backend.queue.publish(b"poison", {"event_id": "e1"})
        await until(queue_backend.queue, lambda status: status.dead == 1)
    assert worker.attempts() == [1, 2, 3, 4, 5]
    letter = dead_letters.bodies[0]["message"]
    assert base64.b64decode(letter["data"]) == b"poison"
    assert letter["attributes"]["event_id"] == "e1"
    source = {name.removeprefix("CloudPubSubDeadLetterSource"): told for name, told in letter["attributes"].items()}
    assert source["DeliveryCount"] == "5"
    assert worker.bodies[0]["subscription"].endswith(source["Subscription"])
    published = worker.bodies[0]["message"]["publishTime"]
    assert datetime.fromisoformat(source["TopicPublishTime"]) == datetime.fromisoformat(published)
    assert (await queue_backend.queue.status()).waiting == 0


async def test_dead_letter_is_acknowledged_too(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """A dead letter is pushed until its address acknowledges it."""
    worker.answer = lambda _: 503
    refusals = iter([503, 503])
    dead_letters.answer = lambda _: next(refusals, 204)
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await queue_backend.queue.publish(b"poison", {})
        await until(queue_backend.queue, lambda status: status.dead == 1)
    assert len(dead_letters.bodies) == 3


async def test_poison_does_not_hold_up_others(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """Other messages are delivered while one is refused again and again."""
    worker.answer = lambda body: 503 if body["message"]["attributes"]["kind"] == "poison" else 204
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await queue_backend.queue.publish(b"", {"kind": "poison"})
        for _ in range(20):
            await queue_backend.queue.publish(b"", {"kind": "good"})
        await until(queue_backend.queue, lambda status: (status.waiting, status.dead) == (0, 1))
    assert sum(body["message"]["attributes"]["kind"] == "good" for body in worker.bodies) == 20


async def test_publishing_at_once(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """Messages published at the same time have different ids, and each arrives under its own."""
    wanted = [f"event {number}".encode() for number in range(200)]
    ids = await asyncio.gather(*(queue_backend.queue.publish(data, {}) for data in wanted))
    assert len(set(ids)) == 200
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await until(queue_backend.queue, lambda status: status.waiting == 0)
    arrived = {body["message"]["messageId"]: base64.b64decode(body["message"]["data"]) for body in worker.bodies}
    assert arrived == dict(zip(ids, wanted, strict=True))


async def test_same_event_twice(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """The queue drops nothing as a duplicate: an event published twice is two messages."""
    ids = [await queue_backend.queue.publish(b"event", {"event_id": "e1"}) for _ in range(2)]
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(2)
    assert sorted(body["message"]["messageId"] for body in worker.bodies) == sorted(ids)


async def test_worker_comes_late(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """A message that is published without a deliverer waits, is counted, and is delivered once one runs."""
    assert await queue_backend.queue.status() == QueueStatus(waiting=0, oldest_age_s=None, dead=0)
    for _ in range(3):
        await queue_backend.queue.publish(b"event", {})
    status = await queue_backend.queue.status()
    assert (status.waiting, status.dead) == (3, 0)
    assert status.oldest_age_s is not None
    assert status.oldest_age_s >= 0
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await until(queue_backend.queue, lambda status: status.waiting == 0)
    assert (await queue_backend.queue.status()).oldest_age_s is None


async def test_opening(queue_backend: QueueBackend) -> None:
    """A queue may be opened before the first publish and again after it, but not after it was closed."""
    await queue_backend.queue.open()
    assert await queue_backend.queue.publish(b"event", {})
    await queue_backend.queue.open()
    await queue_backend.queue.close()
    with pytest.raises(QueueUnavailable):
        await queue_backend.queue.open()


async def test_closed_queue_refuses(queue_backend: QueueBackend) -> None:
    """A publish after closing raises QueueUnavailable. Closing twice is allowed."""
    await queue_backend.queue.publish(b"event", {})
    await queue_backend.queue.close()
    await queue_backend.queue.close()
    with pytest.raises(QueueUnavailable):
        await queue_backend.queue.publish(b"event", {})


async def test_closing_finishes_what_is_in_flight(queue_backend: QueueBackend) -> None:
    """Publishes under way when the queue closes are stored and return their ids."""
    under_way: list[Awaitable[str]] = [
        asyncio.ensure_future(queue_backend.queue.publish(b"event", {})) for _ in range(10)
    ]
    await asyncio.sleep(0)
    await queue_backend.queue.close()
    assert len(set(await asyncio.gather(*under_way))) == 10
