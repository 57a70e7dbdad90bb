"""A simulated athlete whose stored history comes to differ from Strava's, of which no event tells."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from backends.tokens.file import FileTokenStore
from backends.warehouse.activities import Observation, Source
from backends.warehouse.sqlite.store import SqliteRawStore
from simulator.rates import Limits
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.oauth import StravaAuth
from strava.payload import ActivityPayload
from strava.transport import RetryPolicy
from tests.worker.simulated import Simulated, simulated
from worker.backfill import backfill

ATHLETE = 4605555801
DAY_S = 86_400


class Strava:
    """A simulated athlete at Strava, changed without any event, and the real client of the athlete."""

    def __init__(self, there: Simulated, auth: StravaAuth, clock: Any) -> None:
        self.simulation = there.simulation
        self.world = self.simulation.world
        self._there, self._auth, self._clock = there, auth, clock
        self._budget = RateBudget(clock=clock, steady=clock.steady_s)

    def client(self, lane: Lane = Lane.RECONCILE) -> StravaClient:
        """The client of the athlete in a lane."""
        return StravaClient(
            self._there.http,
            self._auth,
            api_url="/api/v3",
            budget=self._budget,
            lane=lane,
            retry_policy=RetryPolicy(attempts=2, first_wait_s=0.0, longest_wait_s=0.0),
            clock=self._clock,
        )

    @property
    def ids(self) -> list[int]:
        """What is there, newest first."""
        ids: list[int] = self.world.ids()
        return ids[::-1]

    def save(self, **fields: Any) -> int:
        """Save an activity whose event is lost."""
        return self.simulation.actions.create(fields).id

    def delete(self, *activity_ids: int) -> None:
        """Delete without an event."""
        for activity_id in activity_ids:
            self.world.delete(activity_id)

    def used(self) -> int:
        """How many reads Strava has counted in this quarter hour."""
        return self._there.used()[0]


@asynccontextmanager
async def living(
    clock: Any,
    tokens: FileTokenStore,
    *,
    athlete_id: int = ATHLETE,
    reads: int = 10_000,
    scope: str = "read_all",
    years: float = 0.12,
) -> AsyncIterator[Strava]:
    """An athlete with some months of history, who connects."""
    terms: dict[str, Any] = {"reads": Limits(reads, 100_000), "overall": Limits(20_000, 200_000)}
    async with simulated(clock, seed=athlete_id % 100, athlete_id=athlete_id, years=years, **terms) as there:
        yield Strava(there, await there.connect(tokens, scope), clock)


async def load(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Load the whole history, then let a day pass."""
    await backfill(strava.client(Lane.DETAIL), store, strava.world.athlete_id, clock=clock)
    clock.advance(DAY_S)


def event(
    activity_id: int, clock: Any, shown: ActivityPayload | None = None, *, athlete_id: int = ATHLETE
) -> Observation:
    """What the worker stores for an event that tells of the activity now."""
    return Observation(
        activity_id=activity_id, athlete_id=athlete_id, observed_at=clock(), source=Source.WEBHOOK, activity=shown
    )


async def forget(store: SqliteRawStore, activity_id: int) -> None:
    """Remove a row as if it had never come."""
    remove = "delete from strava_activities where activity_id = ?"
    await store._write(lambda connection: connection.execute(remove, (activity_id,)).close())
