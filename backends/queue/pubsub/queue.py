"""Publishing to a Pub/Sub topic. What gathers while one request is under way goes together in the next one."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc
from google.api_core.exceptions import (
    Aborted,
    Cancelled,
    DeadlineExceeded,
    GoogleAPICallError,
    InternalServerError,
    InvalidArgument,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import AsyncRetry, if_exception_type
from google.api_core.timeout import ConstantTimeout
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherAsyncClient, PublishRequest, PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport

from backends.queue import QueueUnavailable
from backends.queue.envelope import PROBE
from runtime.batching import Batcher

# https://cloud.google.com/pubsub/quotas#resource_limits: 1,000 messages and 10 MB a request
_LARGEST_BATCH = 1_000
_LARGEST_REQUEST_BYTES = 9_000_000
_ATTEMPTS = 3  # that have time to hang; one that fails at once is repeated more often
_OPEN_S = 10.0  # the first call also connects, and asks for credentials

_TRANSIENT = if_exception_type(
    Aborted, Cancelled, DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable, Unknown
)
# proto-plus wraps each field that is set; the plain messages below it cost a tenth.
_Message: Any = PubsubMessage.pb()
_Request: Any = PublishRequest.pb()

_Waiting = tuple[float, Any]  # until when its publisher waits, and the message


class _Rejected(Exception):
    """Pub/Sub refuses the content of a request: one of its messages is at fault, and the others are not."""


class PubsubQueue:
    """Publishes to one topic, one request at a time. Use it from one event loop.

    Every publish ends within `publish_timeout_s`, and so does `close`. How many messages wait, and for how long, is
    told by the subscription's metrics in Cloud Monitoring and not to a publisher.
    """

    def __init__(self, client: PublisherAsyncClient, topic: str, *, publish_timeout_s: float = 1.5) -> None:
        self._client = client
        self._topic = topic
        self._publish_timeout_s = publish_timeout_s
        self._attempt = ConstantTimeout(publish_timeout_s / _ATTEMPTS)
        self._publish = Batcher(self._send, shared=QueueUnavailable, largest=_LARGEST_BATCH)
        self._closed = False

    async def open(self) -> None:
        """Connect and fetch the credentials by a first probe. Raises QueueUnavailable."""
        await self._put(b"", {PROBE: "1"}, within_s=max(_OPEN_S, self._publish_timeout_s))

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable, also after the time limit.

        A message that missed the limit may still be stored.
        """
        return await self._put(data, attributes, within_s=self._publish_timeout_s)

    async def probe(self) -> None:
        """Publish an empty message that the worker passes over. Raises QueueUnavailable.

        It needs no other right than publishing, and shows that the topic is there and takes messages.
        """
        await self.publish(b"", {PROBE: "1"})

    async def close(self) -> None:
        """Finish the publishes under way and close the connection."""
        self._closed = True
        await self._publish.finish()
        await self._client.transport.close()

    async def _put(self, data: bytes, attributes: Mapping[str, str], *, within_s: float) -> str:
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        until = asyncio.get_running_loop().time() + within_s
        try:
            async with asyncio.timeout_at(until):
                return await self._publish((until, _Message(data=data, attributes=attributes)))
        except TimeoutError as error:
            raise QueueUnavailable(f"Pub/Sub did not answer within {within_s:g} s") from error
        except _Rejected as error:
            raise QueueUnavailable(f"Pub/Sub rejected the message: {error}") from error

    async def _send(self, batch: Sequence[_Waiting]) -> Sequence[str]:
        """Publish the batch and return its ids. It is tried as long as one of its publishers waits."""
        until = max(until for until, _ in batch)
        ids: list[str] = []
        try:
            async with asyncio.timeout_at(until):
                for messages in _requests([message for _, message in batch]):
                    ids += await self._request(messages, until)
        except TimeoutError as error:
            raise QueueUnavailable("nobody waits for the answer any more") from error
        except InvalidArgument as error:
            raise _Rejected(error.message) from error
        except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
            raise QueueUnavailable(f"{self._topic} took no message: {error}") from error
        return ids

    async def _request(self, messages: Sequence[Any], until: float) -> Sequence[str]:
        request = PublishRequest.wrap(_Request(topic=self._topic, messages=messages))
        left_s = until - asyncio.get_running_loop().time()
        retry = AsyncRetry(predicate=_TRANSIENT, initial=0.05, multiplier=2, maximum=0.4, timeout=left_s)
        answer = await self._client.publish(request, retry=retry, timeout=self._attempt)
        return answer.message_ids


def publisher_client(emulator_host: str = "") -> PublisherAsyncClient:
    """Return the client of Google's Pub/Sub, or of the emulator at `host:port`. Raises QueueUnavailable.

    To be called in the running event loop. It looks for Application Default Credentials, which the emulator needs not.
    """
    try:
        if emulator_host:
            channel = grpc.aio.insecure_channel(emulator_host)
            return PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        return PublisherAsyncClient()
    except GoogleAuthError as error:
        raise QueueUnavailable(
            f"Google's credentials cannot be used ({error}); `gcloud auth application-default login` makes some"
        ) from error


def _requests(messages: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Divide the messages so that no request is larger than Pub/Sub takes."""
    first, size = 0, 0
    for number, message in enumerate(messages):
        size += message.ByteSize()
        if size > _LARGEST_REQUEST_BYTES and number > first:
            yield messages[first:number]
            first, size = number, message.ByteSize()
    yield messages[first:]
