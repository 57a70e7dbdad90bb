"""Publishing to the embedded queue, which is a table in the pipeline's SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from backends.group_commit import SqliteWriter
from backends.queue import QueueStatus, QueueUnavailable
from backends.queue.embedded import messages
from backends.sqlite import BUSY_TIMEOUT_S, SchemaMismatch, connect, open_database
from backends.write_probe import rewrite_version
from runtime.clock import utc_now


class EmbeddedQueue:
    """Publishes from one thread. Messages that wait together share one transaction and one disk flush.

    `open` or the first `publish` starts the thread; `status` alone starts none. Use it from one event loop. The
    constructor raises SchemaMismatch, sqlite3.Error or OSError.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        publish_timeout_s: float = 1.5,
    ) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._publish_timeout_s = publish_timeout_s
        self._writer: SqliteWriter | None = None
        self._waiting: list[tuple[messages.Encoded, asyncio.Future[int]]] = []
        self._waiting_until = 0.0  # the time limit of the oldest waiting publish
        self._storing: asyncio.Task[None] | None = None
        self._closed = False
        open_database(path, busy_timeout_s=busy_timeout_s).close()

    async def open(self) -> None:
        """Open the file for writing; otherwise the first publish opens it. Raises QueueUnavailable."""
        self._opened()

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable, also after the time limit.

        A message that missed the limit may still be stored. If the file was moved or replaced, one publish fails, and
        later ones use the file that is at the path.
        """
        writer = self._opened()
        loop = asyncio.get_running_loop()
        receipt: asyncio.Future[int] = loop.create_future()
        if not self._waiting:
            self._waiting_until = loop.time() + self._publish_timeout_s
        self._waiting.append((messages.encode(data, attributes), receipt))
        if self._storing is None or self._storing.done():
            self._storing = loop.create_task(self._store_waiting(writer))
        return str(await receipt)

    async def status(self) -> QueueStatus:
        """Measure the queue. If it is open for writing, a write must succeed too. Raises QueueUnavailable."""
        try:
            if self._writer is not None and not self._closed:
                await self._writer.submit(rewrite_version)
            return await asyncio.to_thread(self._measure)
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    async def close(self) -> None:
        """Finish the publishes under way and release the file."""
        self._closed = True
        if self._storing is not None:
            await self._storing
        if self._writer is not None:
            await self._writer.close()

    def _opened(self) -> SqliteWriter:
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        if self._writer is None:
            try:
                self._writer = SqliteWriter(self._path, busy_timeout_s=self._busy_timeout_s, gives_way=False)
            except (SchemaMismatch, sqlite3.Error, OSError) as error:
                raise _unavailable(error) from error
        return self._writer

    async def _store_waiting(self, writer: SqliteWriter) -> None:
        """Store batch after batch. A batch closes when the event loop has read every request that has arrived.

        The loop and the thread share the interpreter's lock and slow each other down. So the thread works when the loop
        is about to be idle.
        """
        while self._waiting:
            gathered = 0
            while len(self._waiting) > gathered:
                gathered = len(self._waiting)
                await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: messages.LARGEST_BATCH], self._waiting[messages.LARGEST_BATCH :]
            store = partial(messages.publish, encoded=[each for each, _ in batch], published_at=self._clock())
            first_id, refusal = 0, None
            try:
                async with asyncio.timeout_at(self._waiting_until):
                    first_id = await writer.submit(store)
            except sqlite3.Error as error:
                refusal = _unavailable(error)
            except TimeoutError:
                refusal = QueueUnavailable(f"not durable within {self._publish_timeout_s:g} s")
            for message_id, (_, receipt) in enumerate(batch, first_id):
                if receipt.done():  # its caller gave up waiting
                    continue
                if refusal is None:
                    receipt.set_result(message_id)
                else:
                    receipt.set_exception(refusal)

    def _measure(self) -> QueueStatus:
        with closing(connect(self._path, read_only=True)) as connection:
            return messages.status(connection, self._clock())


def _unavailable(error: Exception) -> QueueUnavailable:
    return QueueUnavailable(f"the queue's file could not be used: {error}")
