"""A bounded HTTP load on loopback: raw asyncio connections, so that the client costs less than what it measures."""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class LoadResult:
    """Answers of one round: how many a second, and each one's seconds. Every answer was 200."""

    answers_per_s: float
    latencies_s: Sequence[float]


class _Connection(asyncio.Protocol):
    """One keep-alive connection that asks again as soon as it is answered, until the deadline."""

    def __init__(self, next_request: Callable[[], bytes], deadline: float, latencies: list[float]) -> None:
        self._next_request = next_request
        self._deadline = deadline
        self._latencies = latencies
        self._asked_at = 0.0
        self._buffer = b""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type for the checker
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._next_request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._fail(f"answered {head.splitlines()[0].decode()}")
            return
        self._buffer = b""
        now = time.perf_counter()
        self._latencies.append(now - self._asked_at)
        if now < self._deadline:
            self._ask()
        else:
            self._transport.close()

    def _fail(self, why: str) -> None:
        if not self.closed.done():
            self.closed.set_exception(RuntimeError(f"the server under load {why}"))
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closed.done():
            return
        if exc or time.perf_counter() < self._deadline:
            self.closed.set_exception(RuntimeError(f"the server under load hung up: {exc}"))
        else:
            self.closed.set_result(None)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def _load(port: int, path: str, bodies: Callable[[int], bytes], connections: int, seconds: float) -> LoadResult:
    numbers = count()
    latencies: list[float] = []

    def next_request() -> bytes:
        body = bodies(next(numbers))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        return head.encode() + b"\r\n\r\n" + body

    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(next_request, began + seconds, latencies), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.closed for _, connection in opened))
    return LoadResult(len(latencies) / (time.perf_counter() - began), latencies)


def _run(port: int, path: str, bodies: Callable[[int], bytes], connections: int, seconds: float) -> LoadResult:
    return asyncio.run(_load(port, path, bodies, connections, seconds))


def load(port: int, path: str, bodies: Callable[[int], bytes], *, connections: int, seconds: float) -> LoadResult:
    """POST `bodies(n)` from another process for so many seconds. Raises RuntimeError on any answer but 200."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (port, path, bodies, connections, seconds))
