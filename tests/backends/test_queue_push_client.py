"""The deliverer's client says who pushes, keeps connections alive, and opens one for each push under way."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy, push_client


class Server:
    """An HTTP server on loopback that counts its connections. Requests to /held wait until the test releases them."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = 0
        self.heads: list[str] = []
        self.held = asyncio.Semaphore(0)
        self.free = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(request.decode().lower())
                if b"/held" in request:
                    self.held.release()
                    await self.free.wait()
                await reader.readexactly(int((re.findall(rb"(?i)content-length: (\d+)", request) or [b"0"])[0]))
                status = b"503 No" if b"/refused" in request else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            pass  # the client closed its connection
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A listening server."""
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield served
    listening.close()
    await listening.wait_closed()


async def test_one_after_another_share_a_connection(server: Server) -> None:
    """Consecutive requests use one kept-alive connection."""
    async with push_client() as http:
        answers = [(await http.get(f"{server.url}/quick")).text for _ in range(5)]
    assert (answers, server.opened) == (["ok"] * 5, 1)


async def test_at_once_have_one_each(server: Server) -> None:
    """More simultaneous requests than httpx allows by default have a connection each."""
    async with push_client() as http:
        waiting = [asyncio.ensure_future(http.get(f"{server.url}/held")) for _ in range(120)]
        for _ in waiting:
            await server.held.acquire()
        server.free.set()
        await asyncio.gather(*waiting)
    assert server.opened == 120


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
