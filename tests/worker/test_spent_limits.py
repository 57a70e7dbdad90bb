"""The whole worker against the Strava simulator, with limits as tight as Strava's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backends.budget.file import FileBudgetStore
from backends.tokens.file import FileTokenStore
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.app import create_app
from simulator.journal import Journal
from simulator.rates import Limits
from simulator.simulation import Terms
from simulator.webhook_delivery import RetrySpacing
from simulator.world.world import Origin, World
from strava.budget import RateBudget
from strava.client import StravaClient
from strava.events import ReceivedEvent
from strava.oauth import OAuthApp, StravaAuth

ATHLETE = 4605555801
APP: dict[str, Any] = {"client_id": "4242", "client_secret": "simulated-client-secret"}
A_QUARTER, A_DAY = 40, 100

Event = Callable[..., ReceivedEvent]
Wrap = Callable[..., bytes]


class Simulator:
    """The simulator in this process; it tells how many calls it has counted."""

    def __init__(self, app: Any, http: httpx.AsyncClient, clock: Any) -> None:
        self._rates = app.state.simulation.rates
        self.http = http
        self._clock = clock
        self.activity_ids: list[int] = app.state.simulation.world.ids()

    def used(self) -> list[int]:
        """Return what is used of the quarter hour and of the day, refused calls included."""
        return [int(used) for used in self._rates.headers(self._clock())["X-ReadRateLimit-Usage"].split(",")]

    def spend(self, calls: int) -> None:
        """Have another machine make calls."""
        for _ in range(calls):
            self._rates.spend_read(self._clock())


@pytest.fixture
async def simulator(clock: Any) -> AsyncIterator[Simulator]:
    """The simulator, on the worker's clock."""
    journal = Journal(None)
    terms = Terms(
        **APP,
        read_limit=Limits(A_QUARTER, A_DAY),
        overall_limit=Limits(200, 2000),
        retry_spacing=RetrySpacing(0, 0),
    )
    async with httpx.AsyncClient() as unused:
        world = World(Origin(seed=7, athlete_id=ATHLETE, years=1, until=clock().date()), journal)
        app = create_app(world, journal, unused, terms=terms, clock=clock)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://strava.test") as http:
            yield Simulator(app, http, clock)
    journal.close()


@pytest.fixture
async def client_of(
    simulator: Simulator, clock: Any, tokens: FileTokenStore, tmp_path: Path
) -> Callable[[int], StravaClient]:
    """Makes the client of the athlete, who connects first, on the budget's file."""
    secret = APP["client_secret"]
    app = OAuthApp(simulator.http, client_id="4242", client_secret=secret, oauth_url="/oauth", clock=clock)
    form = {"client_id": "4242", "redirect_uri": "http://app.test/cb", "state": "s", "decision": "allow",
            "scope": ["activity:read_all", "profile:read_all"]}  # fmt: skip
    back = await simulator.http.post("/oauth/authorize", data=form)
    granted, _ = await app.exchange(parse_qs(urlsplit(back.headers["location"]).query)["code"][0])
    await tokens.save(ATHLETE, granted)
    budget = RateBudget(FileBudgetStore(tmp_path / "budget.json"), clock=clock, steady=clock.steady_s, boot="boot")
    auth = StravaAuth(ATHLETE, tokens, app, clock=clock)
    return lambda _: StravaClient(simulator.http, auth, api_url="/api/v3", budget=budget, clock=clock)


async def push_all(worker: httpx.AsyncClient, bodies: list[bytes]) -> list[int]:
    """Push all at once, as a queue of many messages does, and return how each was answered."""
    answers = await asyncio.gather(*(worker.post("/push", content=body) for body in bodies))
    return [answer.status_code for answer in answers]


async def test_a_thousand_events_cost_one_call_where_the_limit_is_spent(
    worker: httpx.AsyncClient, simulator: Simulator, make_event: Event, envelope: Wrap
) -> None:
    """Another machine has used up the quarter hour: one call finds it out for all, in the same minute and later."""
    simulator.spend(A_QUARTER)
    bodies = [envelope(make_event(each), message_id=str(each)) for each in range(1, 1001)]
    assert set(await push_all(worker, bodies)) == {429}
    assert simulator.used()[0] == A_QUARTER + 1
    assert set(await push_all(worker, bodies[:50])) == {429}
    assert simulator.used()[0] == A_QUARTER + 1


async def test_the_limits_are_used_up_and_never_overrun(
    worker: httpx.AsyncClient,
    simulator: Simulator,
    store: SqliteRawStore,
    make_event: Event,
    envelope: Wrap,
    clock: Any,
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """120 events come at once: 40 are fetched in each of two quarter hours, then 20, and the rest waits for the day."""
    bodies = [envelope(make_event(each), message_id=str(each)) for each in simulator.activity_ids[:120]]
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
