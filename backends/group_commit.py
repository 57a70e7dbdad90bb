"""One thread per process writes to the pipeline's SQLite file.

The work of many callers shares one transaction, because a commit costs one disk flush, small or large.
"""

import asyncio
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from backends.sqlite import (
    BUSY_TIMEOUT_S,
    DatabaseMoved,
    SchemaMismatch,
    empty_log,
    file_identity,
    open_database,
    transaction,
)

T = TypeVar("T")

_EMPTY_AT_START_S = 1.0  # a killed writer may have left removed rows in the log
_EMPTY_AGAIN_S = 0.25  # after a reader was in the way
_LONG_S = 0.02  # a longer transaction met a slow disk or waiting writers
_REST_S = 0.005


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    log_emptied_within_s: float
    answer: Future[Any] = field(default_factory=Future)


class SqliteWriter:
    """Runs work on one writing connection in one thread. Work that waits together is committed together.

    Publishing goes first: all other writers set `gives_way`, and then let a writer without it take the file's lock
    before them. When it closes, it empties the write-ahead log unless a reader needs it. The constructor raises
    SchemaMismatch, sqlite3.Error or OSError.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, gives_way: bool = True) -> None:
        self._path = path
        self._gives_way = gives_way
        self._busy_timeout_s = busy_timeout_s
        self._connection = self._open()
        self._identity = file_identity(path)
        self._empty_at = time.monotonic() + _EMPTY_AT_START_S
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=f"sqlite-writer {path.name}", daemon=True)
        self._thread.start()

    async def submit(self, work: Callable[[sqlite3.Connection], T], *, log_emptied_within_s: float = math.inf) -> T:
        """Run `work(connection)` in the writer's thread and return its result once it is on the disk.

        The work must neither commit nor roll back, because its transaction may hold the work of other callers. Its own
        exception undoes this work alone and is raised here. If the whole transaction fails (locked for too long, disk
        full), nothing is stored and sqlite3.Error is raised. DatabaseMoved is such an error: the file was replaced, and
        later work uses the new one. A cancelled caller's work is still done.

        `log_emptied_within_s`: work that removes data sets the time in which it leaves the write-ahead log too.
        """
        if self._closed:
            raise sqlite3.ProgrammingError("the writer was closed")
        job = _Job(work, log_emptied_within_s)
        self._jobs.put(job)
        answer: asyncio.Future[T] = asyncio.wrap_future(job.answer)
        return await asyncio.shield(answer)

    async def close(self) -> None:
        """Finish the submitted work and close the file. Closing twice is allowed."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _open(self) -> sqlite3.Connection:
        connection = open_database(self._path, busy_timeout_s=self._busy_timeout_s)
        connection.execute("pragma busy_timeout = 0")  # `when_free` waits for the lock
        return connection

    def _serve(self) -> None:
        last = False
        while not last:
            gathered = self._gather()
            jobs = [job for job in gathered if job is not None]
            last = len(jobs) < len(gathered)
            if jobs:
                began = time.monotonic()
                self._commit(jobs)
                ended = time.monotonic()
                self._empty_at = min(self._empty_at, ended + min(job.log_emptied_within_s for job in jobs))
                if self._gives_way and ended - began > _LONG_S and not last:
                    time.sleep(_REST_S)  # otherwise it takes the lock again before a publisher tries
            if time.monotonic() >= self._empty_at:
                self._empty_at = math.inf if empty_log(self._connection) else time.monotonic() + _EMPTY_AGAIN_S
        empty_log(self._connection)
        self._connection.close()

    def _gather(self) -> list[_Job | None]:
        wait_s = None if self._empty_at == math.inf else max(0.0, self._empty_at - time.monotonic())
        gathered: list[_Job | None] = []
        with suppress(queue.Empty):
            gathered.append(self._jobs.get(timeout=wait_s))
            while True:
                gathered.append(self._jobs.get_nowait())
        return gathered

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._require_same_file()
            with transaction(self._connection, self._busy_timeout_s, yields=self._gives_way):
                outcomes = [self._attempt(job.work) for job in jobs]
        except sqlite3.Error as error:
            outcomes = [(None, error)] * len(jobs)
        for job, (result, fault) in zip(jobs, outcomes, strict=True):
            if fault is None:
                job.answer.set_result(result)
            else:
                job.answer.set_exception(fault)

    def _require_same_file(self) -> None:
        """If the file was replaced, open the new one and refuse the work, which was meant for the old one."""
        if file_identity(self._path) == self._identity:
            return
        moved = f"{self._path} was moved or replaced while it was open"
        try:
            old, self._connection = self._connection, self._open()
        except (sqlite3.Error, SchemaMismatch, OSError) as error:
            raise DatabaseMoved(f"{moved}, and what is there now cannot be used: {error}") from error
        old.close()
        self._identity = file_identity(self._path)
        raise DatabaseMoved(f"{moved}; from now on the file that is there now is used")

    def _attempt(self, work: Callable[[sqlite3.Connection], Any]) -> tuple[Any, Exception | None]:
        """Run the work; return its result and None, or undo it and return None and its error."""
        self._connection.execute("savepoint job")
        result, fault = None, None
        try:
            result = work(self._connection)
        except Exception as error:  # raised to the caller
            if not self._connection.in_transaction:  # a full disk rolls back the whole transaction
                raise sqlite3.OperationalError(f"the transaction was lost: {error}") from error
            self._connection.execute("rollback to job")
            fault = error
        self._connection.execute("release job")
        return result, fault
