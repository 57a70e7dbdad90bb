"""Lets a save end before the task that asked for it is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def shielded(save: Coroutine[Any, Any, None]) -> None:
    """Run a save to its end, also when the caller is cancelled meanwhile; then be cancelled.

    The holder of `refreshing` must keep it while the rotated token is still on its way.
    """
    work = asyncio.ensure_future(save)
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise
