"""What strangers send to a real server on loopback: too much, too slowly, too often, and an event beside them."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import asyncio, sys
from fastapi import FastAPI, Request
from runtime.http_guard import HttpGuard
from runtime.http_limits import RequestLimits
from runtime.serving import run

def make_app():
    app = FastAPI()

    @app.post("/take")
    async def take(request: Request):
        return len(await request.body())

    @app.get("/health")
    async def health():
        return "ok"

    @app.get("/slow")
    async def slow():
        await asyncio.sleep(1.5)
        return "done"

    return HttpGuard(app, host="127.0.0.1")

limits = RequestLimits(header_bytes=4096, request_bytes=100_000, request_s=1, connections=50)
run(make_app, host="127.0.0.1", port=int(sys.argv[1]), limits=limits)
"""
HALF = b"POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"


class Server:
    """The program, how it is reached, and what it has said."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.port = port
        self.process = process
        self.log = log
        self._said_before = len(log.read_text().splitlines())

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def say(self, data: bytes) -> bytes:
        """Send and return what is answered until the connection ends."""
        with self.connect() as connection:
            return answer_to(connection, data)

    def take(self) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}/take", content=b"event", timeout=2)

    def log_lines(self) -> list[str]:
        return self.log.read_text().splitlines()[self._said_before :]


def answer_to(connection: socket.socket, data: bytes) -> bytes:
    """Send as much as is taken, and read until the other side closes."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        connection.sendall(data)
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(65_536):
            answer += more
    return answer


def has_ended(connection: socket.socket) -> bool:
    """Whether the other side closes the connection within its time-out."""
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@contextlib.contextmanager
def serving(folder: Path, project_root: Path) -> Iterator[Server]:
    """Run a server with tight limits."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    command = [sys.executable, "-c", PROGRAM, str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=project_root, stdout=output, stderr=output) as process,
    ):
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=30) as http:
            http.get(f"http://127.0.0.1:{port}/health")
        yield Server(port, process, log)
        process.terminate()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Server]:
    """One server for all that strangers send."""
    with serving(tmp_path_factory.mktemp("server"), project_root) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """The server, which has said nothing yet."""
    return Server(running.port, running.process, running.log)


HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
LARGE: dict[str, tuple[bytes, bytes]] = {
    "a header at once": (HEAD + b"X: " + b"x" * 5_000 + b"\r\n\r\n", b"HTTP/1.1 431 "),
    "many headers": (HEAD + b"".join(b"X-%d: x\r\n" % n for n in range(500)) + b"\r\n", b"HTTP/1.1 431 "),
    "an address": (b"GET /" + b"x" * 5_000 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.1 431 "),
    "a body": (b"POST /take HTTP/1.1\r\nContent-Length: 100001\r\n\r\n" + b"x" * 100_001, b"HTTP/1.1 413 "),
    "no HTTP": (b"EHLO mail\r\n\r\n", b"HTTP/1.1 400 "),
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused(server: Server, name: str) -> None:
    """Headers, address and body have limits on every path; the answer says which, and the connection closes."""
    sent, status = LARGE[name]
    assert server.say(sent).startswith(status)
    assert server.take().json() == 5
    assert "Traceback" not in "\n".join(server.log_lines())


def test_endless_headers_do_not_hold_up_others(server: Server) -> None:
    """A header without an end is cut off at its limit, not read until it ends."""
    with server.connect() as connection:
        began = time.monotonic()
        answer_to(connection, HEAD + b"X: " + b"x" * 20_000_000)
        assert time.monotonic() - began < 5
    assert server.take().json() == 5


def test_a_body_beside_its_headers_is_not_counted_as_headers(server: Server) -> None:
    """A body longer than headers may be is taken, and so is the next request on the same connection."""
    body = b"x" * 50_000
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=5) as http:
        answers = [http.post("/take", content=body).json() for _ in range(3)]
    assert answers == [50_000] * 3


def test_many_requests_at_once_are_each_within_the_limits(server: Server) -> None:
    """A client that sends many small requests without waiting is answered each, however many come in one piece."""
    many = 400
    asked = b"".join([HEAD + b"\r\n"] * (many - 1)) + HEAD + b"Connection: close\r\n\r\n"
    assert server.say(asked).count(b"HTTP/1.1 200 ") == many


def test_long_headers_after_another_request_are_refused(server: Server) -> None:
    """The limit is each request's own: what came before on the connection, in the same piece, gives no leave."""
    answer = server.say(HEAD + b"\r\n" + HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n")
    assert [line.split()[1] for line in answer.splitlines() if line.startswith(b"HTTP/1.1 ")][-1] == b"431"


def test_a_request_that_never_ends_is_closed(server: Server) -> None:
    """After the time limit the connection ends, wherever the request stopped; nobody is told of a traceback."""

    def seconds_until_closed(begun: bytes) -> float:
        began = time.monotonic()
        server.say(begun)
        return time.monotonic() - began

    with ThreadPoolExecutor() as senders:
        seconds = list(senders.map(seconds_until_closed, [b"", HEAD, HALF, HALF + b"x", b"\r\n"]))
    assert all(0.9 < each < 8 for each in seconds)
    assert "Traceback" not in "\n".join(server.log_lines())


def test_a_request_that_trickles_is_closed(server: Server) -> None:
    """A byte now and then does not prolong the time limit."""
    began = time.monotonic()
    with server.connect() as connection:
        connection.sendall(HEAD + b"X: ")
        connection.settimeout(0.1)
        while not has_ended(connection):
            connection.sendall(b"x")
            assert time.monotonic() - began < 8


def test_a_thousand_half_requests_do_not_shut_it(server: Server) -> None:
    """Six times as many half requests as there are connections: beside them an event is taken within 2 s."""
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            for _ in range(50):
                connection = stack.enter_context(server.connect())
                with contextlib.suppress(ConnectionError):
                    connection.sendall(HALF)
            began = time.monotonic()
            assert server.take().json() == 5
            assert time.monotonic() - began < 2
        assert server.process.poll() is None
    assert "Traceback" not in "\n".join(server.log_lines())


def test_idle_connections_do_not_shut_it(server: Server) -> None:
    """Connections that were answered and stay open give way to new ones too."""
    whole = HEAD + b"\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            connection = stack.enter_context(server.connect())
            with contextlib.suppress(ConnectionError):
                connection.sendall(whole)
                connection.recv(1_000)
        assert server.take().json() == 5


def test_refusals_are_few_lines(tmp_path: Path, project_root: Path) -> None:
    """A flood of what is refused costs a line a second, and the lines tell how many there were."""
    with serving(tmp_path, project_root) as server:
        began = time.monotonic()
        for _ in range(100):
            server.say(b"EHLO mail\r\n\r\n")
        lines = [line for line in server.log_lines() if "http.refused" in line]
        assert 1 <= len(lines) <= time.monotonic() - began + 1
        assert len(server.log_lines()) < 20


def test_a_sender_that_leaves_is_no_traceback(server: Server) -> None:
    """Hanging up in the middle of a body is logged in one line, and the next is served."""
    with server.connect() as connection:
        connection.sendall(HALF)
    assert server.take().json() == 5
    assert "Traceback" not in "\n".join(server.log_lines())


def test_websockets_are_not_offered(server: Server) -> None:
    """A request to upgrade is answered as if it had not asked, and the log does not show its path."""
    upgrade = (
        b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    )
    answer = server.say(b"GET /webhook/s3cret HTTP/1.1\r\nHost: localhost\r\n" + upgrade + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert "s3cret" not in "\n".join(server.log_lines())


def test_a_slow_answer_is_not_a_slow_request(server: Server) -> None:
    """The time limit is the sender's: work that takes longer than it is finished and answered."""
    answer = httpx.get(f"http://127.0.0.1:{server.port}/slow", timeout=10)
    assert answer.json() == "done"
