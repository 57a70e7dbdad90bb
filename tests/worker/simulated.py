"""The Strava simulator in the test's own process, on its clock, and an athlete of it who connects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from backends.tokens.file import FileTokenStore
from simulator.app import create_app
from simulator.journal import Journal
from simulator.rates import Limits
from simulator.recorded import Recorded
from simulator.simulation import Simulation, Terms
from simulator.webhook_delivery import RetrySpacing
from simulator.world.world import Origin, World, other_worlds
from strava.oauth import OAuthApp, StravaAuth

APP: dict[str, Any] = {"client_id": "4242", "client_secret": "simulated-client-secret"}


class Simulated:
    """A simulator and the way to it."""

    def __init__(self, simulation: Simulation, http: httpx.AsyncClient, clock: Any) -> None:
        self.simulation = simulation
        self.http = http
        self._clock = clock

    def used(self) -> list[int]:
        """Return what is used of the quarter hour and of the day, refused calls included."""
        told = self.simulation.rates.headers(self._clock())["X-ReadRateLimit-Usage"]
        return [int(used) for used in told.split(",")]

    def spend(self, calls: int) -> None:
        """Have another machine make calls."""
        for _ in range(calls):
            self.simulation.rates.spend_read(self._clock())

    async def connect(
        self, tokens: FileTokenStore, scope: str = "read_all", athlete_id: int | None = None
    ) -> StravaAuth:
        """Have the athlete, or another one, grant access, keep the tokens, and return what signs with them."""
        athlete_id = athlete_id or self.simulation.world.athlete_id
        app = OAuthApp(self.http, oauth_url="/oauth", clock=self._clock, **APP)
        form = {"client_id": APP["client_id"], "redirect_uri": "http://app.test/cb", "state": "s", "decision": "allow",
                "scope": [f"activity:{scope}", "profile:read_all"], "athlete_id": f"{athlete_id}"}  # fmt: skip
        back = await self.http.post("/oauth/authorize", data=form)
        granted, _ = await app.exchange(parse_qs(urlsplit(back.headers["location"]).query)["code"][0])
        await tokens.save(athlete_id, granted)
        return StravaAuth(athlete_id, tokens, app, clock=self._clock)


@asynccontextmanager
async def simulated(
    clock: Any,
    *,
    seed: int,
    athlete_id: int,
    years: float,
    reads: Limits,
    overall: Limits,
    athletes: Any = 1,
    webhook: Any = None,
    recorded: Recorded | None = None,
) -> AsyncIterator[Simulated]:
    """Open a simulator with these limits, whose athletes have so many years of history each.

    The first has what is `recorded` too. Events go to the `webhook`; without it no test may subscribe.
    """
    journal = Journal(None)
    terms = Terms(**APP, read_limit=reads, overall_limit=overall, retry_spacing=RetrySpacing(0, 0))
    async with httpx.AsyncClient(transport=webhook) as callbacks:
        world = World(Origin(seed=seed, athlete_id=athlete_id, years=years, until=clock().date()), journal, recorded)
        others = other_worlds(world.origin, journal, athletes)
        app = create_app(world, journal, callbacks, terms=terms, clock=clock, others=others)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://strava.test") as http:
            yield Simulated(app.state.simulation, http, clock)
    journal.close()
