"""The deliverer's client says who pushes, keeps connections alive, and opens one for each push under way."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from athlete.supervisor import free_port
from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy, push_client


class Server:
    """An HTTP server on loopback that counts its connections. Requests to /held wait until the test releases them."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = 0
        self.heads: list[str] = []
        self.held = asyncio.Semaphore(0)
        self.free = asyncio.Event()
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.serving.append(asyncio.current_task())
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(request.decode().lower())
                if b"/held" in request:
                    self.held.release()
                    await self.free.wait()
                await reader.readexactly(int((re.findall(rb"(?i)content-length: (\d+)", request) or [b"0"])[0]))
                status = b"503 No" if b"/refused" in request else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed its connection
        finally:
            await closed(writer)


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection, also one that the client has closed."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A listening server."""
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield served
    served.free.set()
    await asyncio.gather(*filter(None, served.serving))
    listening.close()
    await listening.wait_closed()


async def test_one_after_another_share_a_connection(server: Server) -> None:
    """Consecutive requests use one kept-alive connection."""
    async with push_client() as http:
        answers = [(await http.get(f"{server.url}/quick")).text for _ in range(5)]
    assert (answers, server.opened) == (["ok"] * 5, 1)


@pytest.mark.slow
async def test_at_once_have_one_each(server: Server) -> None:
    """More simultaneous requests than httpx allows by default have a connection each."""
    async with push_client() as http:
        waiting = [asyncio.ensure_future(http.get(f"{server.url}/held")) for _ in range(120)]
        for _ in waiting:
            await server.held.acquire()
        server.free.set()
        await asyncio.gather(*waiting)
    assert server.opened == 120


ANSWERS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "no-body": b"HTTP/1.1 204 No Content\r\nRetry-After: 9\r\n\r\n",
    "processing": b"HTTP/1.1 102 Processing\r\n\r\n",
    "last": b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
    "talkative": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * 2,
    "endless": b"HTTP/1.0 200 OK\r\n\r\nok",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "garbage": b"what?\r\n\r\n",
}


class Answering:
    """An HTTP server on loopback that gives one of the answers, in two parts, and counts its connections."""

    def __init__(self) -> None:
        self.opened = 0
        self.serving: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.serving.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readuntil(b"\r\n\r\n"):
                answer = ANSWERS[request.split()[1][1:].decode()]
                for part in (answer[:20], answer[20:]):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if request.split()[1] in {b"/cut", b"/endless"}:
                    break
        await closed(writer)


@pytest.fixture
async def answering() -> AsyncIterator[tuple[Answering, str]]:
    """A listening server and its address."""
    served = Answering()
    async with await asyncio.start_server(served.serve, "127.0.0.1", 0) as listening:
        yield served, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, served.serving))


@pytest.mark.parametrize(
    ("path", "status", "text", "opened"),
    [
        ("chunked", 200, "ok", 1),
        ("no-body", 204, "", 1),
        ("processing", 102, "", 1),
        ("last", 503, "no", 2),
        ("talkative", 200, "", 2),
        ("endless", 200, "ok", 2),
    ],
)
async def test_answers_are_read(
    answering: tuple[Answering, str], path: str, status: int, text: str, opened: int
) -> None:
    """Each kind of answer; a connection that the worker closes, or says too much on, serves no second request."""
    server, url = answering
    async with push_client() as http:
        for _ in range(2):
            answer = await http.post(f"{url}/{path}", content=b"body")
            assert (answer.status_code, answer.text) == (status, text)
            await asyncio.sleep(0.03)
    assert server.opened == opened


@pytest.mark.parametrize("path", ["cut", "garbage"])
async def test_half_an_answer_is_none(answering: tuple[Answering, str], path: str) -> None:
    """Whether the worker saw the message is not known then, and the next push has a connection of its own."""
    server, url = answering
    async with push_client() as http:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get(f"{url}/{path}")
    assert server.opened == 2


async def test_who_does_not_listen_saw_nothing() -> None:
    """A message that nobody took is told from one that may have been taken."""
    async with push_client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{free_port()}/push")


async def test_a_push_that_is_given_up_leaves_its_connection(server: Server) -> None:
    """Its answer would be taken for that of the next one."""
    async with push_client() as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await http.get(f"{server.url}/held")
        assert (await http.get(f"{server.url}/quick")).text == "ok"
    assert server.opened == 2


async def test_push_says_who_it_is_from(server: Server, tmp_path: Path) -> None:
    """Every push is JSON with a bearer token, also a dead letter's."""
    queue, stop = EmbeddedQueue(tmp_path / "pipeline.sqlite"), asyncio.Event()
    await queue.publish(b"poison", {})
    policy = RedeliveryPolicy(max_delivery_attempts=1, dead_letter_url=f"{server.url}/dead-letter")
    async with push_client("a-word") as http, asyncio.TaskGroup() as tasks:
        pushes = Deliverer(tmp_path / "pipeline.sqlite", http, f"{server.url}/refused", policy=policy)
        tasks.create_task(pushes.run(stop))
        while (await queue.status()).dead == 0:  # noqa: ASYNC110 - the deliverer is who changes it
            await asyncio.sleep(0.005)
        stop.set()
    await queue.close()
    assert [head.split()[1] for head in server.heads] == ["/refused", "/dead-letter"]
    heads = [head.splitlines() for head in server.heads]
    assert all("authorization: bearer a-word" in head and "content-type: application/json" in head for head in heads)
