"""The queue on this machine: a table in the pipeline's SQLite file, and the deliverer that pushes to the worker."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from backends.group_commit import SqliteWriter
from backends.queue import QueueStatus, QueueUnavailable, messages
from backends.queue.deliverer import Deliverer
from backends.queue.messages import NewMessage
from backends.queue.policy import DeliveryPolicy
from backends.sqlite import BUSY_TIMEOUT_S, connect

__all__ = ["Deliverer", "DeliveryPolicy", "EmbeddedQueue"]

_Gathered = list[tuple[NewMessage, asyncio.Future[int]]]


class EmbeddedQueue:
    """Publishes into the file; what gathers while one batch is being written makes the next one.

    Opening may raise DatabaseTooNew, sqlite3.Error or OSError. To be used from one event loop.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._clock = clock
        self._writer = SqliteWriter(path, busy_timeout_s=busy_timeout_s)
        self._gathered: _Gathered = []
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable."""
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        receipt: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gathered.append((NewMessage.of(data, attributes, self._clock()), receipt))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return str(await receipt)

    async def status(self) -> QueueStatus:
        """Measure the queue. Raises QueueUnavailable."""
        return await asyncio.to_thread(self._measure)

    async def close(self) -> None:
        """Finish what is in flight and release the file."""
        self._closed = True
        if self._flushing is not None:
            await self._flushing
        await self._writer.close()

    async def _flush(self) -> None:
        try:
            while self._gathered:
                batch, self._gathered = self._gathered, []
                await self._store(batch)
        finally:
            self._flushing = None

    async def _store(self, batch: _Gathered) -> None:
        try:
            ids = await self._writer.submit(partial(messages.publish, messages=[new for new, _ in batch]))
        except sqlite3.Error as error:
            for receipt in _waiting(batch):
                receipt.set_exception(_unavailable(error))
        else:
            for message_id, (_, receipt) in zip(ids, batch, strict=True):
                if not receipt.done():  # its caller gave up waiting
                    receipt.set_result(message_id)

    def _measure(self) -> QueueStatus:
        try:
            with closing(connect(self._path, read_only=True)) as connection:
                return messages.status(connection, self._clock())
        except sqlite3.Error as error:
            raise _unavailable(error) from error


def _waiting(batch: _Gathered) -> list[asyncio.Future[int]]:
    return [receipt for _, receipt in batch if not receipt.done()]


def _unavailable(error: sqlite3.Error) -> QueueUnavailable:
    unavailable = QueueUnavailable(f"the queue's file could not be used: {error}")
    unavailable.__cause__ = error
    return unavailable
