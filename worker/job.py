"""How a program runs that ends by itself: its logs, a signal that ends it so that the next goes on, its exit code."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from typing import Any, TypeVar

import structlog

from backends.database_errors import explain_database_error
from backends.queue import QueueUnavailable
from backends.sqlite import SchemaMismatch
from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from runtime.http_client import ProxyUnusable
from runtime.logs import configure_logs
from runtime.settings import PartMissing, SharedSettings
from runtime.startup import exit_on_startup_error

S = TypeVar("S", bound=SharedSettings)
T = TypeVar("T")

log = structlog.get_logger(__name__)


class JobEnd(IntEnum):
    """How a job ended; 2 is that it could not begin."""

    DONE = 0
    FAILED = 1
    CUT_SHORT = 143  # by a signal, as a shell tells it; what is left is found again at the next start


def run_job(name: str, read_settings: Callable[[], S], work: Callable[[S, asyncio.Event], Awaitable[int]]) -> None:
    """Run it to its end and leave with its code. The event that `work` gets is set by SIGTERM and SIGINT."""
    with exit_on_startup_error(name, explain=explain_database_error):
        settings = read_settings()
        configure_logs(settings.log_format, settings.log_level, project=settings.google_cloud_project)
        code = asyncio.run(_until_told(name, settings, work))
    sys.exit(code)


async def _until_told(name: str, settings: S, work: Callable[[S, asyncio.Event], Awaitable[int]]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        code = await work(settings, stop)
    except (PartMissing, ProxyUnusable, SchemaMismatch):  # what is to be set up: one sentence
        raise
    except (WarehouseBusy, TokensUnavailable, QueueUnavailable, OSError) as error:
        log.error("job.failed", job=name, reason=str(error))
        return JobEnd.FAILED
    except Exception as error:
        if explain_database_error(error) is not None:
            raise
        log.exception("job.fault", job=name)
        return JobEnd.FAILED
    if code == JobEnd.CUT_SHORT:
        log.warning("job.cut_short", job=name, reason="It was told to end; the next one goes on.")
    return code


async def unless_stopped(
    work: Coroutine[Any, Any, T], stop: asyncio.Event, *, within_s: float | None = None
) -> T | None:
    """Do the work, and return what it returns. It is cancelled at the signal, or when its time is over: then None."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
