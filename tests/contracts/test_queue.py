"""Every queue keeps what it acknowledged, and pushes it as Pub/Sub does until the worker acknowledges it."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from backends.queue import EventQueue, QueueMonitor, QueueStatus, QueueUnavailable
from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy, push_client
from backends.queue.envelope import PushEnvelope
from backends.queue.pubsub.queue import PubsubQueue, publisher_client
from tests.pubsub_emulator import EmulatedTopic

pytestmark = pytest.mark.uvloop_too
MAX_DELIVERY_ATTEMPTS = 5  # the least that Pub/Sub allows


class QueueBackend(Protocol):
    """One engine under test: its queue, who counts what waits on it, and a context in which it pushes."""

    queue: EventQueue
    monitor: QueueMonitor | None
    tells_attempts: bool
    acknowledging: Sequence[str]

    def pushing(self, push_url: str, dead_letter_url: str) -> AbstractAsyncContextManager[None]: ...


class EmbeddedBackend:
    """The embedded queue and its deliverer."""

    tells_attempts = True
    acknowledging: Sequence[str] = ("200", "201", "202", "204")

    def __init__(self, path: Path) -> None:
        self._path = path
        embedded = EmbeddedQueue(path)
        self.queue: EventQueue = embedded
        self.monitor: QueueMonitor | None = embedded

    @asynccontextmanager
    async def pushing(self, push_url: str, dead_letter_url: str) -> AsyncIterator[None]:
        policy = RedeliveryPolicy(
            min_backoff_s=0.01,
            max_backoff_s=0.05,
            max_delivery_attempts=MAX_DELIVERY_ATTEMPTS,
            dead_letter_url=dead_letter_url,
        )
        stop = asyncio.Event()
        async with push_client() as http, asyncio.TaskGroup() as tasks:
            tasks.create_task(Deliverer(self._path, http, push_url, policy=policy).run(stop))
            yield
            stop.set()


class PubsubBackend:
    """Pub/Sub's emulator. It tells no attempts, and takes 202 for a refusal, which the real one does not."""

    tells_attempts = False
    acknowledging: Sequence[str] = ("200", "201", "204")
    monitor: QueueMonitor | None = None

    def __init__(self, topic: EmulatedTopic) -> None:
        self.queue: EventQueue = PubsubQueue(publisher_client(topic.host), topic.name, publish_timeout_s=10)
        self.pushing = topic.pushing


@asynccontextmanager
async def embedded(request: pytest.FixtureRequest) -> AsyncIterator[QueueBackend]:
    """The embedded queue, empty."""
    yield EmbeddedBackend(request.getfixturevalue("tmp_path") / "pipeline.sqlite")


@asynccontextmanager
async def pubsub(request: pytest.FixtureRequest) -> AsyncIterator[QueueBackend]:
    """A new topic on the emulator."""
    topic = EmulatedTopic(request.getfixturevalue("pubsub_emulator"), MAX_DELIVERY_ATTEMPTS)
    await topic.create()
    yield PubsubBackend(topic)
    await topic.close()


@pytest.fixture(params=[embedded, pubsub], ids=["embedded", "pubsub"])
async def queue_backend(request: pytest.FixtureRequest) -> AsyncIterator[QueueBackend]:
    """Each engine in turn, empty."""
    async with request.param(request) as backend:
        yield backend
        await backend.queue.close()


class PushEndpoint:
    """A push endpoint on loopback. It keeps the bodies and gives the test's answers; None closes the connection.

    `answer` is asked with the attributes of a message, and how often it has come.
    """

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, str], int], int | None] = lambda *_: 204
        self.connections: set[asyncio.StreamWriter] = set()
        self._arrived = asyncio.Condition()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/push"

    def times(self) -> Counter[str]:
        """How often each message has come, by its id."""
        return Counter(body["message"]["messageId"] for body in self.bodies)

    def attempts(self) -> list[int]:
        return [body["deliveryAttempt"] for body in self.bodies]

    async def received(self, how_many: int) -> None:
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.bodies) >= how_many)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed its connection
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        body = json.loads(await reader.readexactly(int(length.partition(":")[2])))
        message = body["message"]
        status = self.answer(message.get("attributes", {}), 1 + self.times()[message["messageId"]])
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
    for connection in endpoint.connections:  # the emulator keeps its connections open
        connection.close()
    await server.wait_closed()
    await asyncio.sleep(0)


worker = pytest.fixture(listening, name="worker")
dead_letters = pytest.fixture(listening, name="dead_letters")


async def until_counted(backend: QueueBackend, *, waiting: int = 0, dead: int = 0) -> None:
    """Wait until the engine counts so. Pub/Sub tells no publisher: there a test sees what was pushed, and no more."""
    while backend.monitor is not None:
        status = await backend.monitor.status()
        if (status.waiting, status.dead) == (waiting, dead):
            return
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
    assert body.keys() >= {"message", "subscription"}
    assert base64.b64decode(body["message"]["data"]) == b'{"title": "\xc3\xa4\xf0\x9f\x9a\xb4"}'
    assert body["message"]["attributes"] == {"owner_id": "7"}
    assert body["message"]["messageId"] == message_id
    published = datetime.fromisoformat(body["message"]["publishTime"])
    assert before - timedelta(seconds=1) <= published <= datetime.now(UTC) + timedelta(seconds=1)
    assert body.get("deliveryAttempt") == (1 if queue_backend.tells_attempts else None)


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


async def test_answers(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """An acknowledging answer takes a message off; after any other, or none, it returns until there is one."""
    acknowledging, refusing = queue_backend.acknowledging, ("302", "400", "404", "429", "500", "503", "none")

    def answer(attributes: dict[str, str], time: int) -> int | None:
        told = attributes["answer"]
        if told in refusing and time == 3:
            return 204
        return None if told == "none" else int(told)

    worker.answer = answer
    async with queue_backend.pushing(worker.url, dead_letters.url):
        ids = {
            each: await queue_backend.queue.publish(b"event", {"answer": each}) for each in (*acknowledging, *refusing)
        }
        await worker.received(len(acknowledging) + 3 * len(refusing))
        await until_counted(queue_backend)
    assert worker.times() == {**{ids[each]: 1 for each in acknowledging}, **{ids[each]: 3 for each in refusing}}
    if queue_backend.tells_attempts:
        assert sorted(worker.attempts()) == sorted([1] * len(acknowledging) + [1, 2, 3] * len(refusing))


@pytest.mark.slow
async def test_dead_letter(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """After the last attempt a message becomes a dead letter, which tells where it comes from.

    It is pushed until it is acknowledged; other messages are delivered meanwhile.
    """
    worker.answer = lambda attributes, _: 503 if attributes["kind"] == "poison" else 204
    dead_letters.answer = lambda _, time: 503 if time < 3 else 204
    async with queue_backend.pushing(worker.url, dead_letters.url):
        poison = await queue_backend.queue.publish(b"poison", {"kind": "poison"})
        for _ in range(20):
            await queue_backend.queue.publish(b"good", {"kind": "good"})
        await dead_letters.received(3)
        await until_counted(queue_backend, dead=1)
    assert worker.times()[poison] == MAX_DELIVERY_ATTEMPTS
    assert sum(body["message"]["attributes"]["kind"] == "good" for body in worker.bodies) == 20
    assert len(dead_letters.bodies) == 3
    letter = dead_letters.bodies[0]["message"]
    assert base64.b64decode(letter["data"]) == b"poison"
    assert letter["attributes"]["kind"] == "poison"
    source = {name.removeprefix("CloudPubSubDeadLetterSource"): told for name, told in letter["attributes"].items()}
    assert source["DeliveryCount"] == str(MAX_DELIVERY_ATTEMPTS)
    assert worker.bodies[0]["subscription"].endswith(source["Subscription"])
    first = next(body["message"] for body in worker.bodies if body["message"]["messageId"] == poison)
    assert datetime.fromisoformat(source["TopicPublishTime"]) == datetime.fromisoformat(first["publishTime"])


async def test_publishing_at_once(
    queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint
) -> None:
    """Messages published at the same time have different ids, and each arrives under its own."""
    wanted = [f"event {number}".encode() for number in range(200)]
    ids = await asyncio.gather(*(queue_backend.queue.publish(data, {}) for data in wanted))
    assert len(set(ids)) == 200
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(200)
    arrived = {body["message"]["messageId"]: base64.b64decode(body["message"]["data"]) for body in worker.bodies}
    assert arrived == dict(zip(ids, wanted, strict=True))


async def test_same_event_twice(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """The queue drops nothing as a duplicate: an event published twice is two messages."""
    ids = [await queue_backend.queue.publish(b"event", {"event_id": "e1"}) for _ in range(2)]
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(2)
    assert sorted(body["message"]["messageId"] for body in worker.bodies) == sorted(ids)


async def test_worker_comes_late(queue_backend: QueueBackend, worker: PushEndpoint, dead_letters: PushEndpoint) -> None:
    """A message that is published while nothing pushes waits, is counted, and is delivered once something does."""
    monitor = queue_backend.monitor
    if monitor is not None:
        assert await monitor.status() == QueueStatus(waiting=0, oldest_age_s=None, dead=0)
    for _ in range(3):
        await queue_backend.queue.publish(b"event", {})
    if monitor is not None:
        status = await monitor.status()
        assert (status.waiting, status.dead) == (3, 0)
        assert status.oldest_age_s is not None
        assert status.oldest_age_s >= 0
    async with queue_backend.pushing(worker.url, dead_letters.url):
        await worker.received(3)
        await until_counted(queue_backend)
    if monitor is not None:
        assert (await monitor.status()).oldest_age_s is None


async def test_probe(queue_backend: QueueBackend) -> None:
    """A probe of a queue that stores raises nothing, before and after the first publish."""
    await queue_backend.queue.probe()
    await queue_backend.queue.publish(b"event", {})
    await queue_backend.queue.probe()


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
