"""While nobody knows whether Strava answers, one call asks for all."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from strava.errors import AppInactive, AppRejected, NotFound, RateLimited, StravaError
from worker.budget import CallBudget


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def answering(
    calls: list[str], answer: str | Exception, gate: asyncio.Event | None = None
) -> Callable[[], Awaitable[str]]:
    """Make a call that is noted and ends so, once the gate is open."""

    async def call() -> str:
        calls.append(str(answer))
        if gate is not None:
            await gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


@pytest.mark.parametrize("error", [RateLimited(100), AppInactive(100), AppRejected(100)])
async def test_what_closes_strava_is_remembered_until_its_end(error: StravaError) -> None:
    """Within the wait nobody calls and the rest of the wait is told; at its end a call is made."""
    clock, calls = Clock(), list[str]()
    budget = CallBudget(steady=clock)
    with pytest.raises(type(error)):
        await budget.spend(answering(calls, error))
    clock.seconds = 99.5
    with pytest.raises(type(error)) as caught:
        await budget.spend(answering(calls, "late"))
    assert (getattr(caught.value, "retry_after"), len(calls)) == (0.5, 1)  # noqa: B009 - each of the three has it
    clock.seconds = 100
    assert await budget.spend(answering(calls, "open")) == "open"


async def test_a_thousand_calls_wait_for_one_probe() -> None:
    """Also where a call that began before the refusal ends well after it."""
    clock, calls, gate = Clock(), list[str](), asyncio.Event()
    budget = CallBudget(steady=clock)
    assert await budget.spend(answering(calls, "first")) == "first"
    in_flight = asyncio.create_task(budget.spend(answering(calls, "in flight", gate)))
    await asyncio.sleep(0)
    with pytest.raises(AppInactive):
        await budget.spend(answering(calls, AppInactive(3600)))
    gate.set()
    assert await in_flight == "in flight"
    clock.seconds = 3601
    calls.clear()
    ends = await asyncio.gather(
        *(budget.spend(answering(calls, AppInactive(3600))) for _ in range(1000)), return_exceptions=True
    )
    assert (len(calls), {type(end) for end in ends}) == (1, {AppInactive})


async def test_an_error_about_one_thing_opens_the_way_for_all() -> None:
    """Strava answered, if only that something is not there: the next calls run at once."""
    calls, gate = list[str](), asyncio.Event()
    budget = CallBudget(steady=Clock())
    with pytest.raises(NotFound):
        await budget.spend(answering(calls, NotFound("activities/7")))
    together = [asyncio.create_task(budget.spend(answering(calls, "x", gate))) for _ in range(5)]
    await asyncio.sleep(0)
    assert len(calls) == 6
    gate.set()
    await asyncio.gather(*together)


async def test_a_wait_is_a_day_at_most_and_never_gets_shorter() -> None:
    """A header that is beyond every window is not believed; a later, shorter refusal does not end a longer wait."""
    clock, calls, gate = Clock(), list[str](), asyncio.Event()
    budget = CallBudget(steady=clock)
    await budget.spend(answering(calls, "open"))
    short = asyncio.create_task(budget.spend(answering(calls, RateLimited(5), gate)))
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await budget.spend(answering(calls, RateLimited(1e9)))
    gate.set()
    with pytest.raises(RateLimited):
        await short
    with pytest.raises(RateLimited) as caught:
        await budget.spend(answering(calls, "x"))
    assert caught.value.retry_after == 86_400


async def test_a_longer_refusal_prolongs_the_wait() -> None:
    """Of two calls that were under way together, the one that is refused for longer counts."""
    clock, calls, gate = Clock(), list[str](), asyncio.Event()
    budget = CallBudget(steady=clock)
    await budget.spend(answering(calls, "open"))
    longer = asyncio.create_task(budget.spend(answering(calls, AppInactive(100), gate)))
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await budget.spend(answering(calls, RateLimited(5)))
    gate.set()
    with pytest.raises(AppInactive):
        await longer
    clock.seconds = 50
    with pytest.raises(AppInactive) as caught:
        await budget.spend(answering(calls, "x"))
    assert caught.value.retry_after == 50


async def test_after_a_wait_one_call_probes_and_its_answer_opens_the_way() -> None:
    """A thousand calls at the end of a wait: one is under way until it is answered, and then all are."""
    clock, calls, first, rest = Clock(), list[str](), asyncio.Event(), asyncio.Event()
    budget = CallBudget(steady=clock)
    await budget.spend(answering(calls, "open"))
    with pytest.raises(RateLimited):
        await budget.spend(answering(calls, RateLimited(5)))
    clock.seconds = 5
    calls.clear()
    gates = iter([first])
    waiting = [asyncio.create_task(budget.spend(answering(calls, "x", next(gates, rest)))) for _ in range(1000)]
    await asyncio.sleep(0)
    assert len(calls) == 1
    first.set()
    await asyncio.wait_for(waiting[0], 30)
    later = [asyncio.create_task(budget.spend(answering(calls, "later", rest))) for _ in range(3)]
    await asyncio.sleep(0)
    assert calls.count("later") == 3
    rest.set()
    await asyncio.gather(*waiting, *later)
