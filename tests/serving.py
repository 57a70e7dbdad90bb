"""Applications served in the test's own process, where a start costs no imports: on loopback, or without a socket."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from simulator.journal import Journal
from simulator.main import build as build_simulator
from simulator.settings import SimulatorSettings

MakeApp = Callable[[], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application in the test's own loop, and speak to it without a socket."""
    async with (
        app.router.lifespan_context(app),  # type: ignore[attr-defined]
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client,
    ):
        yield client


@asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[None]:
    """Serve an application on a port in the test's own loop, as what speaks grpc must be: it knows one loop."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="on", log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done(), "it did not start"
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


@contextmanager
def serving(make_app: MakeApp, tls: tuple[Path, Path] | None = None, *, port: int = 0) -> Iterator[str]:
    """Serve an application on a free port, or on this one; yield its address."""
    key, certificate = (None, None) if tls is None else tls
    running: Queue[uvicorn.Server] = Queue()

    async def serve() -> None:
        async with make_app() as app:
            server = uvicorn.Server(
                uvicorn.Config(app, log_config=None, ws="none", ssl_keyfile=key, ssl_certfile=certificate)
            )
            running.put(server)
            await server.serve(sockets=[listener])

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        server = running.get(timeout=30)
        while thread.is_alive() and not server.started:  # what it logs meanwhile is in no command's output
            time.sleep(0.001)
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@asynccontextmanager
async def simulator_app(**settings: Any) -> AsyncIterator[Any]:
    """Make a simulator that remembers nothing."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield build_simulator(SimulatorSettings(**settings), Journal(), http)
