"""Publishing to Pub/Sub when it is slow, refuses or fails: against a server of its protocol that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from google.pubsub_v1 import PublishRequest, PublishResponse

from backends.queue import QueueUnavailable
from backends.queue.envelope import PROBE
from backends.queue.pubsub.queue import PubsubQueue, publisher_client

TOPIC = "projects/test/topics/strava-events"

Make = Callable[..., PubsubQueue]


class PublishServer:
    """Answers as Pub/Sub does. A test may make it fail (`faults`, one a request) or wait (`may_answer`)."""

    def __init__(self) -> None:
        self.requests: list[PublishRequest] = []
        self.faults: list[grpc.StatusCode] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.arrived = asyncio.Event()
        self.host = ""

    @property
    def sizes(self) -> Sequence[int]:
        return [len(request.messages) for request in self.requests]

    async def publish(
        self, request: PublishRequest, context: grpc.aio.ServicerContext[PublishRequest, PublishResponse]
    ) -> PublishResponse:
        self.requests.append(request)
        self.arrived.set()
        await self.may_answer.wait()
        if self.faults:
            await context.abort(self.faults.pop(0), "as the test wants it")
        if any(message.data == b"bad" for message in request.messages):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "one of them is bad")
        return PublishResponse(message_ids=[f"id of {message.data.decode()[:9]}" for message in request.messages])


@asynccontextmanager
async def running_publish_server() -> AsyncIterator[PublishServer]:
    """Listen on a free port of this machine."""
    served = PublishServer()
    grpc_server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    handler = grpc.unary_unary_rpc_method_handler(
        served.publish,
        request_deserializer=PublishRequest.deserialize,
        response_serializer=PublishResponse.serialize,
    )
    handlers = grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})
    grpc_server.add_generic_rpc_handlers((handlers,))
    served.host = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    await grpc_server.start()
    yield served
    served.may_answer.set()
    await grpc_server.stop(grace=None)


@pytest.fixture
async def server() -> AsyncIterator[PublishServer]:
    """A listening server."""
    async with running_publish_server() as served:
        yield served


@pytest.fixture
async def make_queue(server: PublishServer) -> AsyncIterator[Make]:
    """Makes queues on the server; they are closed with the test."""
    made: list[PubsubQueue] = []

    def make(publish_timeout_s: float = 30.0) -> PubsubQueue:
        made.append(PubsubQueue(publisher_client(server.host), TOPIC, publish_timeout_s=publish_timeout_s))
        return made[-1]

    yield make
    for queue in made:
        await queue.close()


async def test_what_gathers_goes_together(server: PublishServer, make_queue: Make) -> None:
    """While one request is under way the next gathers; each caller gets the id of its own message."""
    queue = make_queue()
    server.may_answer.clear()
    first = asyncio.ensure_future(queue.publish(b"0", {}))
    await server.arrived.wait()
    others = [asyncio.ensure_future(queue.publish(f"{number}".encode(), {"n": "1"})) for number in range(1, 65)]
    await asyncio.sleep(0)
    server.may_answer.set()
    assert await asyncio.gather(first, *others) == [f"id of {number}" for number in range(65)]
    assert server.sizes == [1, 64]
    assert server.requests[1].messages[0].attributes == {"n": "1"}
    assert {request.topic for request in server.requests} == {TOPIC}


async def test_no_request_is_too_large(server: PublishServer, make_queue: Make) -> None:
    """What gathers is divided: by number at 1,000, and by size below Pub/Sub's ten million bytes."""
    queue = make_queue()
    await asyncio.gather(*(queue.publish(b"x" * 4_000_000, {}) for _ in range(5)))
    assert server.sizes == [2, 2, 1]
    await asyncio.gather(*(queue.publish(b"x", {}) for _ in range(1_001)))
    assert server.sizes[3:] == [1_000, 1]


@pytest.mark.parametrize(
    "fault", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED]
)
async def test_a_passing_fault_is_tried_again(server: PublishServer, make_queue: Make, fault: grpc.StatusCode) -> None:
    """The caller sees nothing of a fault that passes in time."""
    server.faults = [fault, fault]
    assert await make_queue().publish(b"event", {}) == "id of event"
    assert server.sizes == [1, 1, 1]


@pytest.mark.parametrize("fault", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED])
async def test_a_lasting_fault_names_the_topic(server: PublishServer, make_queue: Make, fault: grpc.StatusCode) -> None:
    """A topic that is not there or may not be used is told at once, by the probe that opens the queue too."""
    server.faults = [fault, fault]
    with pytest.raises(QueueUnavailable, match=TOPIC):
        await make_queue().publish(b"event", {})
    with pytest.raises(QueueUnavailable, match="as the test wants it"):
        await make_queue().open()
    assert server.sizes == [1, 1]


@pytest.mark.slow
async def test_an_attempt_that_hangs_is_given_up(server: PublishServer, make_queue: Make) -> None:
    """A request without an answer is sent again while there is time, then the message is not durable."""
    queue = make_queue(publish_timeout_s=2.0)
    server.may_answer.clear()
    with pytest.raises(QueueUnavailable):
        await queue.publish(b"event", {})
    assert len(server.requests) >= 2
    server.may_answer.set()
    assert await queue.publish(b"later", {}) == "id of later"


async def test_who_came_later_has_the_whole_time(server: PublishServer, make_queue: Make) -> None:
    """A publisher whose time is over takes nobody of its batch along: here one that waits longer, for the opening."""
    queue = make_queue(publish_timeout_s=0.5)
    server.may_answer.clear()
    first = asyncio.ensure_future(queue.publish(b"first", {}))
    await server.arrived.wait()
    second, opening = asyncio.ensure_future(queue.publish(b"second", {})), asyncio.ensure_future(queue.open())
    for publish in (first, second):
        with pytest.raises(QueueUnavailable):
            await publish
    server.may_answer.set()
    await opening


async def test_a_rejected_message_harms_no_other(server: PublishServer, make_queue: Make) -> None:
    """When Pub/Sub rejects a request for one of its messages, the others are published without it."""
    queue = make_queue()
    wanted: list[Awaitable[str]] = [queue.publish(data, {}) for data in (b"one", b"bad", b"two")]
    one, bad, two = await asyncio.gather(*wanted, return_exceptions=True)
    assert (one, two) == ("id of one", "id of two")
    assert isinstance(bad, QueueUnavailable)


async def test_a_probe_can_be_told_from_an_event(server: PublishServer, make_queue: Make) -> None:
    """It is empty, and has the attribute by which a subscription's filter and the worker know it."""
    await make_queue().probe()
    [message] = server.requests[0].messages
    assert (message.data, list(message.attributes)) == (b"", [PROBE])
