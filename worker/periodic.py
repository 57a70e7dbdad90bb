"""Work that is done again and again beside the pushes, also after a round that failed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from backends.warehouse import WarehouseBusy

log = structlog.get_logger(__name__)


async def repeat(work: Callable[[], Awaitable[object]], stop: asyncio.Event, *, every_s: float, name: str) -> None:
    """Do the work until `stop` is set. A fault in one round is logged under `name` and must not end all later ones."""
    waiting, fault = f"{name}.waiting", f"{name}.fault"
    while not stop.is_set():
        try:
            await work()
        except WarehouseBusy as error:
            log.warning(waiting, reason=str(error))
        except Exception:
            log.exception(fault)
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()


async def repeat_until_cut_short(
    work: Callable[[], Awaitable[object]], stop: asyncio.Event, *, every_s: float, name: str
) -> None:
    """Repeat work that takes long: what is under way when `stop` is set is cancelled."""
    working = asyncio.create_task(repeat(work, stop, every_s=every_s, name=name))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    working.cancel()
    stopping.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
