"""Applications served on loopback in a thread of the test's own process: a start costs no imports."""

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

from simulator.journal import Journal
from simulator.main import build as build_simulator
from simulator.settings import SimulatorSettings

MakeApp = Callable[[], AbstractAsyncContextManager[Any]]


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
            await server.serve(sockets=[listening])

    with socket.create_server(("127.0.0.1", port)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        server = running.get(timeout=30)
        while thread.is_alive() and not server.started:  # what it logs meanwhile is in no command's output
            time.sleep(0.001)
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@asynccontextmanager
async def simulator_app(**settings: Any) -> AsyncIterator[Any]:
    """Make a simulator that remembers nothing."""
    async with httpx.AsyncClient(trust_env=False) as http:
        yield build_simulator(SimulatorSettings(**settings), Journal(), http)
