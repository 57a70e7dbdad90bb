"""Publishing to the embedded queue, which is a table in the pipeline's SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from backends.group_commit import SqliteWriter
from backends.queue import QueueStatus, QueueUnavailable
from backends.queue.embedded import messages
from backends.sqlite import BUSY_TIMEOUT_S, SchemaMismatch, connect, open_database
from backends.write_probe import rewrite_version
from runtime.batching import Batcher
from runtime.clock import utc_now

_Waiting = tuple[float, messages.Encoded]  # until when its publisher waits, and the message


class EmbeddedQueue:
    """Publishes from one thread. Messages that wait together share one transaction and one disk flush.

    `open` or the first `publish` starts the thread; `status` alone starts none. Use it from one event loop. The
    constructor raises SchemaMismatch, sqlite3.Error or OSError. One that is `read_only` is for a short look: it tells
    its status, and neither makes nor migrates the file, nor with `leaves_no_trace` anything beside it.
    """

    def __init__(  # noqa: PLR0913 - where it is, and by keyword what may be left as it is
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        publish_timeout_s: float = 1.5,
        read_only: bool = False,
        leaves_no_trace: bool = False,
    ) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._publish_timeout_s = publish_timeout_s
        self._writer: SqliteWriter | None = None
        self._publish = Batcher(self._store, shared=QueueUnavailable, largest=messages.LARGEST_BATCH)
        self._closed = False
        self._read_only = read_only
        self._leaves_no_trace = leaves_no_trace
        if not read_only:
            open_database(path, busy_timeout_s=busy_timeout_s).close()

    async def open(self) -> None:
        """Open the file for writing; otherwise the first publish opens it. Raises QueueUnavailable."""
        self._refuse_when_closed()
        self._opened()

    async def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Make the message durable and return its id. Raises QueueUnavailable, also after the time limit.

        A message that missed the limit may still be stored. If the file was moved or replaced, one publish fails, and
        later ones use the file that is at the path.
        """
        self._refuse_when_closed()
        until = asyncio.get_running_loop().time() + self._publish_timeout_s
        return str(await self._publish((until, messages.encode(data, attributes))))

    async def probe(self) -> None:
        """Check that the file can be read, and written if it is open for that. Raises QueueUnavailable."""
        await self.status()

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
        await self._publish.finish()
        if self._writer is not None:
            await self._writer.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise QueueUnavailable("the queue was closed")
        if self._read_only:
            raise QueueUnavailable("the queue was opened to be read only")

    def _opened(self) -> SqliteWriter:
        if self._writer is None:
            try:
                self._writer = SqliteWriter(self._path, busy_timeout_s=self._busy_timeout_s, gives_way=False)
            except (SchemaMismatch, sqlite3.Error, OSError) as error:
                raise _unavailable(error) from error
        return self._writer

    async def _store(self, batch: Sequence[_Waiting]) -> Sequence[int]:
        """Store the batch and return its ids. Who waits longest sets the time limit. Raises QueueUnavailable."""
        (until, _), *_ = batch
        store = partial(messages.publish, encoded=[encoded for _, encoded in batch], published_at=self._clock())
        try:
            async with asyncio.timeout_at(until):
                first_id = await self._opened().submit(store)
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        except TimeoutError as error:
            raise QueueUnavailable(f"not durable within {self._publish_timeout_s:g} s") from error
        return range(first_id, first_id + len(batch))

    def _measure(self) -> QueueStatus:
        with closing(connect(self._path, read_only=True, leaves_no_trace=self._leaves_no_trace)) as connection:
            return messages.status(connection, self._clock())


def _unavailable(error: Exception) -> QueueUnavailable:
    return QueueUnavailable(f"the queue's file could not be used: {error}")
