"""The queue on this machine: a table in the pipeline's SQLite file, and the deliverer that pushes to the worker."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from backends.queue import QueueStatus, QueueUnavailable, messages
from backends.queue.commit_process import CommitProcess
from backends.queue.deliverer import Deliverer
from backends.queue.policy import DeliveryPolicy
from backends.sqlite import BUSY_TIMEOUT_S, connect, open_database
from runtime.clock import utc_now

__all__ = ["Deliverer", "DeliveryPolicy", "EmbeddedQueue"]


class EmbeddedQueue:
    """Publishes into the file through a process of its own, which is started when it is needed and again if it ends.

    Making one may raise SchemaMismatch, sqlite3.Error or OSError. To be used from one event loop.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._process: CommitProcess | None = None
        self._closed = False
        open_database(path, busy_timeout_s=busy_timeout_s).close()

    async def open(self) -> None:
        """Start the committing process, which the first publish does otherwise. Raises QueueUnavailable."""
        await self._running().opened()

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable."""
        encoded = messages.encode(data, attributes)
        return str(await self._running().store(encoded))

    async def status(self) -> QueueStatus:
        """Measure the queue; once one was started, the committing process must write too. Raises QueueUnavailable."""
        if self._process is not None and not self._closed:
            await self._running().probe()
        return await asyncio.to_thread(self._measure)

    async def close(self) -> None:
        """Finish what is in flight and release the file."""
        self._closed = True
        if self._process is not None:
            await self._process.close()

    def _running(self) -> CommitProcess:
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        if self._process is None or self._process.has_ended:
            self._process = CommitProcess(self._path, busy_timeout_s=self._busy_timeout_s, clock=self._clock)
        return self._process

    def _measure(self) -> QueueStatus:
        try:
            with closing(connect(self._path, read_only=True)) as connection:
                return messages.status(connection, self._clock())
        except sqlite3.Error as error:
            raise QueueUnavailable(f"the queue's file could not be used: {error}") from error
