"""Many pieces of work, some at a time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def in_turns(items: Iterable[T], work: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do the work for each item, in order. Raises the first error of the work.

    After an error no item is begun, and what is under way ends: an answer that was paid for is not thrown away.
    """
    waiting = iter(items)

    async def take_turns() -> None:
        try:
            for item in waiting:
                await work(item)
        finally:
            deque(waiting, maxlen=0)  # after an error the others have nothing left to begin

    for end in await asyncio.gather(*(take_turns() for _ in range(at_once)), return_exceptions=True):
        if end is not None:
            raise end
