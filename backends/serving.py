"""Runs a program that answers HTTP: one uvicorn on uvloop, which a signal ends cleanly once its work is finished."""

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
import uvloop
from starlette.types import ASGIApp

GRACE_S = 8  # Cloud Run and most process managers kill after ten seconds


def run(make_app: Callable[[], ASGIApp], *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then leave with 0; what is in flight is finished first.

    The application is made inside the running event loop.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(make_app, host, port))


async def _serve(make_app: Callable[[], ASGIApp], host: str, port: int) -> None:
    config = uvicorn.Config(
        make_app(),
        host=host,
        port=port,
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # nobody asks who the caller is
        timeout_graceful_shutdown=GRACE_S,
    )
    await uvicorn.Server(config).serve()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Uvicorn repeats the signal once it has finished: that is the end, and a clean one."""
    sys.exit(0)
