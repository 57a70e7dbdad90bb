"""Calls that wait together become one call, and one bad item harms no other."""

import asyncio
from collections.abc import Sequence

import pytest

from runtime.batching import Batcher


class Busy(Exception):
    """Meets every item of a batch alike."""


class Doubling:
    """Doubles numbers when it is let, and keeps the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self.is_busy = False

    async def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        await self.may_answer.wait()
        if self.is_busy:
            raise Busy
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]


async def started(call: Batcher[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    """Ask for each number, and let the first call begin."""

    async def ask(number: int) -> int:
        return await call(number)

    tasks = [asyncio.create_task(ask(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_waits_while_a_call_runs_is_the_next_call() -> None:
    """Each caller gets its own answer; a batch is no larger than the largest."""
    double = Doubling()
    call = Batcher(double, shared=Busy, largest=3)
    first = await started(call, [1])
    waiting = await started(call, [2, 3, 4, 5])
    assert double.batches == [[1]]
    double.may_answer.set()
    assert await asyncio.gather(*first, *waiting) == [2, 4, 6, 8, 10]
    assert double.batches == [[1], [2, 3, 4], [5]]
    assert await call(6) == 12


async def test_a_bad_item_harms_no_other() -> None:
    """The batch fails, so each item is tried alone, and only the bad one fails."""
    double = Doubling()
    double.may_answer.set()
    tasks = await started(Batcher(double, shared=Busy), [1, 0, 2])
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 4)
    assert isinstance(answers[1], ZeroDivisionError)
    assert double.batches == [[1, 0, 2], [1], [0], [2]]


async def test_an_error_that_meets_all_is_raised_to_all() -> None:
    """Nothing is tried again on its own while the store is busy."""
    double = Doubling()
    double.is_busy = True
    double.may_answer.set()
    tasks = await started(Batcher(double, shared=Busy), [1, 0, 2])
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Busy] * 3
    assert double.batches == [[1, 0, 2]]


@pytest.mark.parametrize("is_busy", [False, True])
async def test_a_caller_that_gave_up_is_passed_over(is_busy: bool) -> None:
    """The others still get their answers, and later calls are served."""
    double = Doubling()
    call = Batcher(double, shared=Busy)
    gone, staying = await started(call, [1, 2])
    gone.cancel()
    double.is_busy = is_busy
    double.may_answer.set()
    [answer] = await asyncio.gather(staying, return_exceptions=True)
    assert isinstance(answer, Busy) if is_busy else answer == 4
    double.is_busy = False
    assert await call(3) == 6
