"""Runs a program that answers HTTP: one uvicorn on uvloop, which a signal ends cleanly once its work is finished."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
import uvloop
from starlette.types import ASGIApp

from runtime.http_limits import Incoming, LimitedProtocol, RequestLimits

GRACE_S = 8  # Cloud Run and most process managers kill after ten seconds


def run(
    make_app: Callable[[], ASGIApp],
    *,
    host: str,
    port: int,
    limits: RequestLimits | None = None,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then leave with 0; what is in flight is finished first.

    The application is made inside the running event loop; `on_started` is called once it answers. Raises OSError with
    a sentence when the port cannot be opened, and what making the application raises.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_make_and_serve(make_app, host=host, port=port, limits=limits, on_started=on_started))


async def _make_and_serve(make_app: Callable[[], ASGIApp], **options: Any) -> None:
    await serve(make_app(), **options)


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        await super().startup(sockets)
        if self.started:
            self._on_started()


async def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    limits: RequestLimits | None = None,
    on_started: Callable[[], None] = lambda: None,
) -> None:
    """Serve in the running event loop until a signal ends it, within what a stranger may send.

    Raises OSError with a sentence when the port cannot be opened.
    """
    incoming = Incoming(limits or RequestLimits())
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=cast("type[asyncio.Protocol]", partial(LimitedProtocol, incoming)),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody asks who the caller is
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, on_started)
    async with incoming.watched():
        await server.serve(_listening(host, port))
    if not server.started:
        sys.exit(1)  # uvicorn has logged why


def _listening(host: str, port: int) -> list[socket.socket]:
    """Open the port at every address of the host ourselves: uvicorn would log a failure and end on the spot."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        places = dict.fromkeys((family, (str(address[0]), port)) for family, _, _, _, address in found)
        return [socket.create_server(address, family=family) for family, address in places]
    except OSError as error:
        raise OSError(f"{host}:{port} cannot be listened on ({error.strerror}); set another host or port.") from error


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Uvicorn repeats the signal once it has finished: that is the end, and a clean one."""
    sys.exit(0)
