"""The deliverer's client keeps connections alive and opens one for each push under way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends.queue.embedded import push_client


class Server:
    """An HTTP server on loopback that counts its connections. Requests to /held wait until the test releases them."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = 0
        self.held = asyncio.Semaphore(0)
        self.free = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                if b"/held" in request:
                    self.held.release()
                    await self.free.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
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
