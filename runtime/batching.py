"""Calls that wait together become one call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Calls a function of many items with what waits together: while one call runs, the next batch gathers.

    A batch closes once the event loop has read everything that has arrived. A call that works in a thread shares the
    interpreter's lock with the loop, and so begins when the loop is about to be idle.

    `call` returns one answer for each item, in order. When it fails on a batch, each item is tried on its own, so that
    one bad item does no harm to the others; an error of a `shared` type would meet each of them and is raised to all.
    To be used from one event loop.
    """

    def __init__(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        shared: type[Exception],
        largest: int = 1_000,
    ) -> None:
        self._call = call
        self._shared = shared
        self._largest = largest
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._running: asyncio.Task[None] | None = None

    def __call__(self, item: T) -> asyncio.Future[R]:
        """Promise the answer for one item; the future raises what the function raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, answer))
        if self._running is None or self._running.done():
            self._running = loop.create_task(self._run())
        return answer

    async def finish(self) -> None:
        """Wait until nothing waits."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while self._waiting:
            gathered = 0
            while len(self._waiting) > gathered:
                gathered = len(self._waiting)
                await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            await self._answer(batch)

    async def _answer(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            answers = await self._call([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to the callers, whose error it is
            if len(batch) > 1 and not isinstance(error, self._shared):
                await asyncio.gather(*(self._answer([alone]) for alone in batch))
                return
            for _, answer in batch:
                if not answer.done():  # its caller gave up waiting
                    answer.set_exception(error)
        else:
            for (_, answer), value in zip(batch, answers, strict=True):
                if not answer.done():
                    answer.set_result(value)
