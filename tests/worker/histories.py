"""An athlete whose history is loaded from a simulator, and the worker's part, which may be killed at any write."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from backends.budget.file import FileBudgetStore
from backends.tokens.file import FileTokenStore
from backends.warehouse.backfills import Backfill
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import STREAM_KEYS, StravaClient
from strava.errors import ServerFailed
from strava.events import StravaEvent
from strava.payload import ActivityPage, ActivityPayload
from strava.transport import RetryPolicy
from tests.worker.simulated import Simulated
from worker.history import Histories

ATHLETE = 4605555801
T = TypeVar("T")
AT_ONCE = RetryPolicy(attempts=5, first_wait_s=0.0, longest_wait_s=0.0)


class Killed(BaseException):
    """The process is gone."""


class MortalStore(SqliteRawStore):
    """The real warehouse of a process that is killed before or after one of its writes."""

    writes_left = 10**9

    def _count(self) -> None:
        self.writes_left -= 1
        if self.writes_left <= 0:
            raise Killed

    async def _write(self, work: Any, *, removes: bool = False) -> Any:
        self._count()
        done = await super()._write(work, removes=removes)
        self._count()
        return done


class Broken(StravaClient):
    """Fails as a fault in the program does."""

    def activities(self, **_: object) -> AsyncIterator[ActivityPage]:
        raise ValueError("nobody foresaw this")


class FailingOn(StravaClient):
    """Strava fails on these activities, and on the streams of those, whenever it is asked; `asked` tells how often."""

    details: Collection[int]
    curves: Collection[int]
    asked: Counter[int]

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        return await self._unless(activity_id in self.details, activity_id, super().activity(activity_id, tries=tries))

    async def streams(self, activity_id: int, keys: Iterable[str] = STREAM_KEYS) -> dict[str, Any]:
        return await self._unless(activity_id in self.curves, activity_id, super().streams(activity_id, keys))

    async def _unless(self, fails: bool, activity_id: int, call: Coroutine[Any, Any, T]) -> T:
        if not fails:
            return await call
        call.close()
        self.asked[activity_id] += 1
        raise ServerFailed(500)


class Life:
    """An athlete's past at a simulator with limits, and the worker's part on a folder; all on one clock."""

    def __init__(self, folder: Path, clock: Any, there: Simulated, tokens: FileTokenStore) -> None:
        self.folder = folder
        self.clock = clock
        self.simulation = there.simulation
        self.activity_ids = set(self.simulation.world.ids())
        self.used = there.used
        self.failing: dict[str, Any] = {"details": set(), "curves": set(), "asked": Counter()}
        self._there = there
        self._tokens = tokens
        self._stores: list[MortalStore] = []

    def store(self) -> MortalStore:
        """Open the warehouse as a program that starts does."""
        self._stores.append(MortalStore(self.folder / "pipeline.sqlite", clock=self.clock))
        return self._stores[-1]

    def histories(self, store: SqliteRawStore, broken: int = 0, *, spares_archived: bool = False) -> Histories:
        """Start the worker's part, which meets a fault of its own with the athlete who is `broken`."""
        budget = RateBudget(
            FileBudgetStore(self.folder / "budget.json"), clock=self.clock, steady=self.clock.steady_s, boot="boot"
        )

        def client_of(athlete_id: int, lane: Lane) -> StravaClient:
            if athlete_id == broken:
                return Broken(self._there.http, None, api_url="")
            client = FailingOn(
                self._there.http,
                self._auth,
                api_url="/api/v3",
                budget=budget,
                lane=lane,
                retry_policy=AT_ONCE,
                clock=self.clock,
            )
            vars(client).update(self.failing)
            return client

        return Histories(store, client_of, budget, clock=self.clock, spares_archived=spares_archived)

    async def connect(self) -> None:
        """Have the athlete connect."""
        self._auth = await self._there.connect(self._tokens)

    async def close(self) -> None:
        for store in self._stores:
            await store.close()


async def ask(life: Life, store: SqliteRawStore, *, since: datetime | None = None, has_details: bool = True) -> None:
    """Ask for a backfill."""
    await store.request_backfill(Backfill.requested(ATHLETE, life.clock(), since=since, has_details=has_details))


def created(activity_id: int, now: datetime, athlete_id: int = ATHLETE) -> LedgerEntry:
    """Return the row of an event, heard now, that tells of a new activity."""
    told = {"object_type": "activity", "object_id": activity_id, "aspect_type": "create", "owner_id": athlete_id}
    event = StravaEvent.from_json(told | {"subscription_id": 1, "event_time": int(now.timestamp()), "updates": {}})
    return LedgerEntry(
        delivery_id=event.event_id,
        event_id=event.event_id,
        event=event,
        outcome=Outcome.STORED,
        reason="",
        attempt=1,
        received_at=now,
        finished_at=now,
    )


async def the_row(store: SqliteRawStore) -> Backfill:
    """Return how far the one backfill is."""
    [row] = await store.backfills()
    return row


async def lives(life: Life, store: SqliteRawStore, lifetimes: list[int]) -> AsyncIterator[Backfill]:
    """Load until it is finished, a month at most, and yield the row whenever the program ends or has to wait.

    It is killed before or after each write that ends one of the `lifetimes`, which are used up on the way.
    """
    ended_at = life.clock() + timedelta(days=30)
    while (await the_row(store)).finished_at is None and life.clock() < ended_at:
        running = life.store()
        running.writes_left = lifetimes[0] if lifetimes else 10**9
        try:
            await life.histories(running).load_due()
            lifetimes[:1] = [running.writes_left] if lifetimes else []
        except Killed:
            lifetimes.pop(0)
        await running.close()
        row = await the_row(store)
        yield row
        life.clock.advance(max(1.0, (row.waits_until - life.clock()).total_seconds() if row.waits_until else 1.0))
