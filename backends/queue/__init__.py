"""The queue port. The service publishes messages; the queue pushes each to the worker over HTTP at least once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol


class QueueUnavailable(Exception):
    """The message is not durable; its sender must send it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueStatus:
    """The number of messages not yet acknowledged, the age of the oldest, and the number of dead letters."""

    waiting: int
    oldest_age_s: float | None
    dead: int


class EventQueue(Protocol):
    """Publishes messages. A message is never lost once `publish` has returned."""

    async def open(self) -> None:
        """Open what publishing needs, so that the first message does not wait for it. Raises QueueUnavailable."""

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable, also after a time limit."""

    async def probe(self) -> None:
        """Check, cheaply, that a message could be stored now. Raises QueueUnavailable."""

    async def close(self) -> None:
        """Finish the publishes under way and release the resources."""


class QueueMonitor(Protocol):
    """Tells what waits. A publisher of Pub/Sub is none: there the subscription's metrics tell it."""

    async def status(self) -> QueueStatus:
        """Measure the queue. One that publishes also checks that it can store. Raises QueueUnavailable."""


class MonitoredQueue(EventQueue, QueueMonitor, Protocol):
    """A queue that also tells what waits."""


@dataclass(frozen=True, slots=True)
class PushRefusal:
    """Why a push may not come in, and the status that says so; the reason holds nothing that was sent."""

    status: HTTPStatus
    reason: str


# Takes the `Authorization` header of a push; returns None when it may come in.
PushAuth = Callable[[str], Awaitable[PushRefusal | None]]
