"""Messages a second that 64 callers publish to Pub/Sub, as a share of plain gRPC calls of 64 messages each."""

import asyncio
import time
from collections.abc import Mapping
from statistics import median, quantiles

import grpc
import uvloop
from google.pubsub_v1 import PublishRequest, PublishResponse

from athlete.supervisor import free_port
from backends.queue.pubsub.queue import PubsubQueue, publisher_client
from benchmarks.servers import running
from benchmarks.webhook import event
from runtime.clock import utc_now
from strava.events import message_from_http

CALLERS = 64
ROUNDS = 7
MESSAGES = 6_400
TOPIC = "projects/benchmark/topics/strava-events"
EVENTS = [message_from_http(event(number), utc_now()) for number in range(CALLERS)]

_Request, _Response = PublishRequest.pb(), PublishResponse.pb()


def measure() -> dict[str, float]:
    """Alternate rounds of plain calls and of publishing; return the ratio of the medians, and the callers' p99."""
    ports = free_port(), free_port()
    command = ["-m", "benchmarks.fake_pubsub", *map(str, ports)]
    with (
        running(command, f"http://127.0.0.1:{ports[1]}/"),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        plain, published, waits = runner.run(_measure(f"127.0.0.1:{ports[0]}"))
    return {
        "publish_plain_per_s": median(plain),
        "publish_per_s": median(published),
        "publish_ratio": median(published) / median(plain),
        "publish_p99_ms": 1000 * quantiles(waits, n=100)[98],
    }


async def _measure(host: str) -> tuple[list[float], list[float], list[float]]:
    plain: list[float] = []
    published: list[float] = []
    waits: list[float] = []
    queue = PubsubQueue(publisher_client(host), TOPIC, publish_timeout_s=30)
    await queue.open()
    async with grpc.aio.insecure_channel(host) as channel:
        for _ in range(ROUNDS):
            plain.append(await _plain_calls(channel))
            published.append(await _publishing(queue, waits))
    await queue.close()
    return plain, published, waits


async def _plain_calls(channel: grpc.aio.Channel) -> float:
    """Send one request after another, each as large as what 64 callers give at once."""
    call = channel.unary_unary(
        "/google.pubsub.v1.Publisher/Publish",
        request_serializer=_Request.SerializeToString,
        response_deserializer=_Response.FromString,
    )
    began = time.perf_counter()
    for _ in range(MESSAGES // CALLERS):
        request = _Request(topic=TOPIC)
        for data, attributes in EVENTS:
            request.messages.add(data=data, attributes=attributes)
        await call(request)
    return MESSAGES / (time.perf_counter() - began)


async def _publishing(queue: PubsubQueue, waits: list[float]) -> float:
    async def caller(data: bytes, attributes: Mapping[str, str]) -> None:
        for _ in range(MESSAGES // CALLERS):
            asked = time.perf_counter()
            await queue.publish(data, attributes)
            waits.append(time.perf_counter() - asked)

    began = time.perf_counter()
    await asyncio.gather(*(caller(*each) for each in EVENTS))
    return MESSAGES / (time.perf_counter() - began)
