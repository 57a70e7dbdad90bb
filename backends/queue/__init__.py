"""The queue port: what the service publishes to. Delivery to the worker is by HTTP push, at least once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class QueueUnavailable(Exception):
    """The event was not made durable; the sender must send it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueStatus:
    """How the queue stands: messages not yet acknowledged, the oldest one's age, and dead letters kept."""

    waiting: int
    oldest_age_s: float | None
    dead: int


class QueueMonitor(Protocol):
    """How the queue is watched."""

    async def status(self) -> QueueStatus:
        """Measure the queue; where it was published to, find out too whether a message could be stored now.

        Raises QueueUnavailable.
        """


class EventQueue(QueueMonitor, Protocol):
    """Where events go. A publish that returned is never lost."""

    async def open(self) -> None:
        """Take what publishing needs, so that no event waits for it. Raises QueueUnavailable."""

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable, also when that takes too long."""

    async def close(self) -> None:
        """Finish what is in flight and release the resources."""
