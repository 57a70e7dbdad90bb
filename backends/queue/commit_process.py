"""The parent's end of the committing process: messages in, their ids back once they are on the disk."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import cast

import structlog

from backends.queue import QueueUnavailable, committer, messages

# Sent but not answered; what arrives meanwhile makes the next, so that batches grow with the load.
BATCHES_UNDER_WAY = 2

_STARTING_S = 10.0  # how much longer the first answer may take: an interpreter starts slowly on a busy machine
_PROBE_S = 1.5  # as long as an event may take
_LOOKS = 4  # a stuck process is told by several looks, since one may come late and before the answers that wait

log = structlog.get_logger(__name__)

_Batch = list[tuple[bytes, asyncio.Future[int]]]


class CommitProcess(asyncio.SubprocessProtocol):
    """One committer, and what it has not answered yet; it is started at once. To be used from one event loop."""

    def __init__(self, path: Path, *, busy_timeout_s: float, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[int] = self._loop.create_future()
        self._opened.add_done_callback(self._is_open)
        self._under_way: deque[_Batch] = deque([[(b"", self._opened)]])  # the first answer is that of the opening
        self._gathered: _Batch = []
        self._sending_is_due = False
        self._half_line = b""
        self._process: asyncio.SubprocessTransport | None = None
        self._input: asyncio.WriteTransport | None = None
        self._is_closing = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._patience_s = busy_timeout_s + 1  # waiting for the lock is not being stuck
        self._silent_looks = 0  # since the last answer
        self._next_look: asyncio.TimerHandle | None = self._loop.call_later(_STARTING_S, self._look)
        self._stuck: str | None = None
        program = (sys.executable, "-m", committer.__name__, str(path), str(busy_timeout_s))
        self._starting = self._loop.create_task(self._start(program))
        self._starting.add_done_callback(self._started)

    @property
    def has_ended(self) -> bool:
        """Whether a new one is needed."""
        return self._ended.done()

    async def opened(self) -> None:
        """Wait until the file is open. Raises QueueUnavailable."""
        await asyncio.shield(self._opened)

    def store(self, encoded: bytes) -> asyncio.Future[int]:
        """Have the message stored; the id comes once it is durable, or QueueUnavailable."""
        receipt: asyncio.Future[int] = self._loop.create_future()
        self._gathered.append((encoded, receipt))
        if not self._sending_is_due:  # once the loop has read what else has arrived
            self._sending_is_due = True
            self._loop.call_soon(self._send)
        return receipt

    async def probe(self) -> None:
        """Find out whether a message could be stored now, storing none. Raises QueueUnavailable."""
        try:
            async with asyncio.timeout(_PROBE_S):
                await self.opened()
                await self._ask()
        except TimeoutError as error:
            raise QueueUnavailable(f"the committing process has not answered for {_PROBE_S:g} s") from error

    async def close(self) -> None:
        """Have everything answered, then let the process end, and kill it if it is stuck; closing twice is success."""
        self._is_closing = True
        self._send()
        _, stuck = await asyncio.wait([self._ended], timeout=self._patience_s)
        if stuck and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await asyncio.wait([self._ended])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take what leads to the process."""
        self._process = cast("asyncio.SubprocessTransport", transport)
        self._input = cast("asyncio.WriteTransport", self._process.get_pipe_transport(0))

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        """Pass on the answers, and send what was gathered meanwhile."""
        self._silent_looks = 0
        *lines, self._half_line = (self._half_line + data).split(b"\n")
        for line in lines:
            _answer(self._under_way.popleft(), line)
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        """Fail what the process has left unanswered."""
        process = cast("asyncio.SubprocessTransport", self._process)
        process.close()
        refused = self._opened.exception() if self._opened.done() else None
        ended = f"the committing process ended with exit code {process.get_returncode()}"
        self._end(str(refused or self._stuck or ended))

    async def _start(self, program: Sequence[str]) -> None:
        await self._loop.subprocess_exec(lambda: self, *program, stderr=None)

    def _started(self, starting: asyncio.Task[None]) -> None:
        if starting.cancelled():
            self._end("the start of the committing process was cancelled")
        elif (error := starting.exception()) is not None:
            self._end(f"the committing process could not be started: {error}")

    def _is_open(self, opened: asyncio.Future[int]) -> None:
        opened.exception()  # nobody need have waited for it
        self._watch()

    def _watch(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = self._loop.call_later(self._patience_s / _LOOKS, self._look)

    def _look(self) -> None:
        """Kill the process when it has answered nothing since several looks though it should."""
        self._next_look = None
        if not self._under_way:
            return
        if self._silent_looks >= _LOOKS and self._process is not None:
            self._stuck = f"the committing process did not answer for {self._patience_s:g} s"
            with suppress(ProcessLookupError):
                self._process.kill()
        self._silent_looks += 1
        self._watch()

    async def _ask(self) -> None:
        if self._input is None or self._input.is_closing():
            raise QueueUnavailable("the committing process is ending")
        receipt: asyncio.Future[int] = self._loop.create_future()
        self._write([(b"", receipt)], [])
        await receipt

    def _send(self) -> None:
        self._sending_is_due = False
        if self._input is None or self._input.is_closing():  # not started yet, or dying
            return
        if self._gathered and len(self._under_way) < BATCHES_UNDER_WAY:
            batch, self._gathered = self._gathered, []
            self._write(batch, [encoded for encoded, _ in batch])
        if self._is_closing and not self._gathered and not self._under_way:
            self._input.close()

    def _write(self, batch: _Batch, encoded: Sequence[bytes]) -> None:
        self._under_way.append(batch)
        cast("asyncio.WriteTransport", self._input).write(messages.batch(encoded, self._clock()))
        if self._next_look is None:
            self._watch()

    def _end(self, reason: str) -> None:
        if self._ended.done():
            return
        if self._next_look is not None:
            self._next_look.cancel()
        self._ended.set_result(None)
        left = [*chain.from_iterable(self._under_way), *self._gathered]
        self._under_way, self._gathered = deque(), []
        unanswered = sum(receipt is not self._opened for _, receipt in left)
        if unanswered or not self._is_closing:
            log.warning("queue.committer_ended", reason=reason, unanswered=unanswered)
        _refuse(left, reason)


def _answer(batch: _Batch, line: bytes) -> None:
    if line.startswith(committer.REFUSED):
        _refuse(batch, f"the queue's file could not be used: {line.removeprefix(committer.REFUSED).decode()}")
        return
    first = int(line) - len(batch) + 1
    for message_id, (_, receipt) in enumerate(batch, first):
        if not receipt.done():  # its caller gave up waiting
            receipt.set_result(message_id)


def _refuse(batch: _Batch, reason: str) -> None:
    for _, receipt in batch:
        if not receipt.done():
            receipt.set_exception(QueueUnavailable(reason))
