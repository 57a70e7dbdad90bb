"""The deliverer's connections: kept alive, as many as are in use at once, whole again after a failure."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from backends.queue.connections import push_client


class Server:
    """An HTTP server on loopback that counts its connections; requests to /held wait, requests to /broken are cut."""

    def __init__(self) -> None:
        self.url = ""
        self.opened = self.open = 0
        self.held = asyncio.Semaphore(0)
        self.free = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        self.open += 1
        try:
            while b"/broken" not in (request := await reader.readuntil(b"\r\n\r\n")):
                if b"/held" in request:
                    self.held.release()
                    await self.free.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except asyncio.IncompleteReadError:
            pass  # the client closed its connection
        finally:
            self.open -= 1
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that is listening."""
    served = Server()
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield served
    listening.close()
    await listening.wait_closed()


async def test_one_after_another_share_a_connection(server: Server) -> None:
    """Requests that follow one another use one kept-alive connection."""
    async with push_client() as http:
        answers = [(await http.get(f"{server.url}/quick")).text for _ in range(5)]
    assert (answers, server.opened) == (["ok"] * 5, 1)


async def test_at_once_have_one_each(server: Server) -> None:
    """Requests at the same time have a connection each, and later ones use those."""
    async with push_client() as http:
        waiting = [asyncio.ensure_future(http.get(f"{server.url}/held")) for _ in range(8)]
        for _ in waiting:
            await server.held.acquire()
        server.free.set()
        await asyncio.gather(*waiting)
        await asyncio.gather(*(http.get(f"{server.url}/quick") for _ in range(8)))
    assert server.opened == 8


async def test_broken_connection_is_replaced(server: Server) -> None:
    """A connection that was cut raises httpx's error once, and the next request succeeds on a new one."""
    async with push_client() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(f"{server.url}/broken")
        assert (await http.get(f"{server.url}/quick")).text == "ok"


async def test_given_up_request_leaves_the_client_whole(server: Server) -> None:
    """A request that is cancelled while it waits does not keep its place from the next."""
    async with push_client() as http:
        waiting = asyncio.ensure_future(http.get(f"{server.url}/held"))
        await server.held.acquire()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        server.free.set()
        assert (await http.get(f"{server.url}/quick", timeout=5)).text == "ok"


async def test_closing_closes_the_connections(server: Server) -> None:
    """A closed client holds no connection open."""
    async with push_client() as http:
        await http.get(f"{server.url}/quick")
        assert server.open == 1
    while server.open:  # noqa: ASYNC110 - the server's side sees the end a little later
        await asyncio.sleep(0.005)
