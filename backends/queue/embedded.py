"""The queue on this machine: a table in the pipeline's SQLite file, and the deliverer that pushes to the worker."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock

from backends.group_commit import SqliteWriter
from backends.queue import QueueStatus, QueueUnavailable, messages
from backends.queue.deliverer import Deliverer
from backends.queue.policy import DeliveryPolicy
from backends.sqlite import BUSY_TIMEOUT_S, connect

__all__ = ["Deliverer", "DeliveryPolicy", "EmbeddedQueue"]

_Batch = list[tuple[bytes, asyncio.Future[int]]]


class EmbeddedQueue:
    """Publishes into the file; what gathers until the writer is free for it makes one batch.

    The writer's thread closes a batch, not the event loop: so it writes one while the loop reads the requests of the
    next, instead of each waiting for the other.

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
        self._loop: asyncio.AbstractEventLoop | None = None  # asked for once: asking is a system call in Python 3.11
        self._open: _Batch | None = None
        self._lock = Lock()  # between the loop, which fills a batch, and the writer's thread, which closes it
        self._closed = False

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable."""
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        loop = self._loop = self._loop or asyncio.get_running_loop()
        receipt: asyncio.Future[int] = loop.create_future()
        encoded = messages.encode(data, attributes)
        with self._lock:
            if self._open is None:
                self._open = self._begin()
            self._open.append((encoded, receipt))
        return str(await receipt)

    async def status(self) -> QueueStatus:
        """Measure the queue. Raises QueueUnavailable."""
        return await asyncio.to_thread(self._measure)

    async def close(self) -> None:
        """Finish what is in flight and release the file."""
        self._closed = True
        await self._writer.close()

    def _begin(self) -> _Batch:
        batch: _Batch = []
        stored = self._writer.post(partial(self._store, batch), is_one_statement=True)
        stored.add_done_callback(partial(self._answer, batch))
        return batch

    def _close(self, batch: _Batch) -> None:
        with self._lock:
            if self._open is batch:
                self._open = None

    def _store(self, batch: _Batch, connection: sqlite3.Connection) -> range:
        self._close(batch)
        return messages.publish(connection, [encoded for encoded, _ in batch], self._clock())

    def _answer(self, batch: _Batch, stored: asyncio.Future[range]) -> None:
        self._close(batch)  # it may have failed before the writer came to it
        error = stored.exception()
        if error is None:
            for message_id, (_, receipt) in zip(stored.result(), batch, strict=True):
                if not receipt.done():  # its caller gave up waiting
                    receipt.set_result(message_id)
            return
        for _, receipt in batch:
            if not receipt.done():
                receipt.set_exception(_unavailable(error))

    def _measure(self) -> QueueStatus:
        try:
            with closing(connect(self._path, read_only=True)) as connection:
                return messages.status(connection, self._clock())
        except sqlite3.Error as error:
            raise _unavailable(error) from error


def _unavailable(error: BaseException) -> QueueUnavailable:
    unavailable = QueueUnavailable(f"the queue's file could not be used: {error}")
    unavailable.__cause__ = error
    return unavailable
