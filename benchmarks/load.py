"""A bounded HTTP load on loopback, by plain sockets and epoll: the client must cost less than what it measures."""

import multiprocessing
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

ANSWER_TIMEOUT_S = 10
OK = b"HTTP/1.1 200"
HEAD_ENDS = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True)
class LoadResult:
    """Answers of one round: how many a second, and each one's seconds. Every answer was 200."""

    answers_per_s: float
    latencies_s: Sequence[float]


class _Connection:
    """One keep-alive connection that asks again as soon as it is answered."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._received = b""
        self._asked_at = 0.0

    def ask(self) -> None:
        """Send the next request; it is small enough for the socket's buffer."""
        self._asked_at = time.perf_counter()
        self.socket.sendall(next(self._requests))

    def take(self) -> float | None:
        """Read what has arrived; return the seconds that the answer took once it is whole. Raises RuntimeError."""
        received = self.socket.recv(65_536)
        if not received:
            raise RuntimeError("the server under load hung up")
        self._received += received
        if not _is_whole(self._received):
            return None
        if not self._received.startswith(OK):
            raise RuntimeError(f"the server under load answered {self._received.splitlines()[0].decode()}")
        self._received = b""
        return time.perf_counter() - self._asked_at


def _is_whole(received: bytes) -> bool:
    head_ends = received.find(HEAD_ENDS)
    if head_ends < 0:
        return False
    at = received.lower().find(LENGTH, 0, head_ends)
    length = 0 if at < 0 else int(received[at + len(LENGTH) : received.index(b"\r\n", at)])
    return len(received) >= head_ends + len(HEAD_ENDS) + length


def _run(port: int, path: str, bodies: Callable[[int], bytes], connections: int, seconds: float) -> LoadResult:
    requests = _requests(path, bodies)
    opened = {each.socket.fileno(): each for each in (_Connection(port, requests) for _ in range(connections))}
    ready = select.epoll()
    began = time.perf_counter()
    for number, connection in opened.items():
        ready.register(number, select.EPOLLIN)
        connection.ask()
    latencies = _until(began + seconds, ready, opened)
    elapsed = time.perf_counter() - began
    for connection in opened.values():
        connection.socket.close()
    return LoadResult(len(latencies) / elapsed, latencies)


def _until(deadline: float, ready: select.epoll, opened: dict[int, _Connection]) -> list[float]:
    """Keep every connection asking until the deadline, then take the answers that are still due."""
    latencies: list[float] = []
    waiting = len(opened)
    while waiting:
        events = ready.poll(ANSWER_TIMEOUT_S)
        if not events:
            raise RuntimeError(f"the server under load left {waiting} requests unanswered")
        for number, _ in events:
            connection = opened[number]
            took = connection.take()
            if took is None:
                continue
            latencies.append(took)
            if time.perf_counter() < deadline:
                connection.ask()
            else:
                waiting -= 1
    return latencies


def _requests(path: str, bodies: Callable[[int], bytes]) -> Iterator[bytes]:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ".encode()
    for number in count():
        body = bodies(number)
        yield b"%b%d\r\n\r\n%b" % (head, len(body), body)


def load(port: int, path: str, bodies: Callable[[int], bytes], *, connections: int, seconds: float) -> LoadResult:
    """POST `bodies(n)` from another process for so many seconds. Raises RuntimeError on any answer but 200."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (port, path, bodies, connections, seconds))
