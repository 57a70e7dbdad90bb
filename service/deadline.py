"""A time limit for very many short waits: asyncio's own sets a timer for each, which costs more than parsing an event.

Here one timer serves all waits, since all have the same limit and so end in the order in which they began.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Deadline:
    """Lets each wait last at most so many seconds. To be used from one event loop, one wait at a time in each task."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # asked for once: asking is a system call in Python 3.11

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Return what the awaitable returns. Raises TimeoutError, having cancelled it, when that takes too long."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        self._ends[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._check, loop)
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            if task in self._late and task.uncancel() == 0:
                raise TimeoutError from error
            raise
        finally:
            del self._ends[task]
            self._late.discard(task)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, end in self._ends.items():
            if end > now:
                self._timer = loop.call_at(end, self._check, loop)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._timer = None
