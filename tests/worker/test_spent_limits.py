"""The whole worker against the Strava simulator, with limits as tight as Strava's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.budget.file import FileBudgetStore
from backends.tokens.file import FileTokenStore
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.rates import Limits
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.events import ReceivedEvent
from tests.worker.simulated import Simulated, simulated

ATHLETE = 4605555801
A_QUARTER, A_DAY = 40, 100

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]


@pytest.fixture
async def simulator(clock: Any) -> AsyncIterator[Simulated]:
    """The simulator, on the worker's clock."""
    terms: dict[str, Any] = {"reads": Limits(A_QUARTER, A_DAY), "overall": Limits(200, 2000)}
    async with simulated(clock, seed=7, athlete_id=ATHLETE, years=1, **terms) as there:
        yield there


@pytest.fixture
async def client_of(
    simulator: Simulated, clock: Any, tokens: FileTokenStore, tmp_path: Path
) -> Callable[[int], StravaClient]:
    """Makes the client of the athlete, who connects first, on the budget's file."""
    auth = await simulator.connect(tokens)
    budget = RateBudget(FileBudgetStore(tmp_path / "budget.json"), clock=clock, steady=clock.steady_s, boot="boot")
    return lambda _: StravaClient(simulator.http, auth, api_url="/api/v3", budget=budget, clock=clock)


async def push_all(worker: httpx.AsyncClient, bodies: list[bytes]) -> list[int]:
    """Push all at once, as a queue of many messages does, and return how each was answered."""
    answers = await asyncio.gather(*(worker.post("/push", content=body) for body in bodies))
    return [answer.status_code for answer in answers]


@pytest.mark.slow
async def test_a_thousand_events_cost_one_call_where_the_limit_is_spent(
    worker: httpx.AsyncClient, simulator: Simulated, make_event: Event, envelope: Wrap
) -> None:
    """Another machine has used up the quarter hour: one call finds it out for all, in the same minute and later."""
    simulator.spend(A_QUARTER)
    bodies = [envelope(make_event(each), message_id=str(each)) for each in range(1, 1001)]
    assert set(await push_all(worker, bodies)) == {429}
    assert simulator.used()[0] == A_QUARTER + 1
    assert set(await push_all(worker, bodies[:50])) == {429}
    assert simulator.used()[0] == A_QUARTER + 1


@pytest.mark.slow
async def test_the_limits_are_used_up_and_never_overrun(
    worker: httpx.AsyncClient,
    simulator: Simulated,
    store: SqliteRawStore,
    make_event: Event,
    envelope: Wrap,
    clock: Any,
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """120 events come at once: 40 are fetched in each of two quarter hours, then 20, and the rest waits for the day."""
    bodies = [envelope(make_event(each), message_id=str(each)) for each in simulator.simulation.world.ids()[:120]]
    stored = [0]
    for _ in range(4):
        answers = await push_all(worker, bodies)
        stored.append(len(rows("select 1 from strava_activities")))
        assert simulator.used()[0] == stored[-1] - stored[-2]
        bodies = [body for body, answer in zip(bodies, answers, strict=True) if answer == 429]
        clock.advance(906)
    assert (stored, simulator.used()[1], bodies) == ([0, A_QUARTER, 2 * A_QUARTER, A_DAY, A_DAY], A_DAY, [])
    waiting = await store.deferred_events(due_by=None, how_many=99)
    assert len(waiting) == 20
