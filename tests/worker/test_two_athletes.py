"""Two athletes live at once at one simulator, through webhook, queue and worker: what is one's stays one's."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.queue.embedded import EmbeddedQueue
from backends.queue.embedded.deliverer import Deliverer
from backends.queue.embedded.retry_policy import RedeliveryPolicy
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import Athlete
from backends.warehouse.ledger import take_up_parked
from backends.warehouse.sqlite.store import SqliteRawStore
from service.app import create_app as create_service
from service.webhook_auth import WebhookAuth
from simulator.autoplay import AutoplaySettings, Mix
from simulator.faults import Faults
from simulator.rates import Limits
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.oauth import OAuthApp, StravaAuth
from strava.transport import RetryPolicy
from tests.worker.simulated import APP, Simulated, simulated
from worker.activities import ActivityEvents
from worker.app import create_app as create_worker
from worker.deferred_events import DeferredEvents
from worker.event_router import EventRouter
from worker.purge import Purge
from worker.push_auth import SharedToken

ROBIN, KIM = 4605555801, 4605555802
WEBHOOK = "http://service.test/webhook/the-path-secret"
WORD = "the-deliverers-word"
AMPLE = Limits(100_000, 1_000_000)
Rows = Callable[[str], list[dict[str, Any]]]


class Pipeline:
    """Service, queue and worker on one file, and the simulator that speaks to them."""

    def __init__(self, there: Simulated, store: SqliteRawStore, tokens: FileTokenStore, queue: EmbeddedQueue) -> None:
        self.there, self.store, self.tokens, self.queue = there, store, tokens, queue
        self.robin, self.kim = there.simulation.accounts
        self.auths: dict[int, StravaAuth] = {}

    async def connect(self, athlete_id: int, clock: Any) -> None:
        """Have an athlete connect, or connect again."""
        self.auths[athlete_id] = await self.there.connect(self.tokens, athlete_id=athlete_id)
        await self.store.put_athlete(
            Athlete(athlete_id=athlete_id, scope=frozenset(), status="connected", updated_at=clock())
        )

    async def settle(self, clock: Any) -> None:
        """Wait until all events are delivered and all messages are done; waits in between pass by the clock."""
        await self.there.simulation.webhook_delivery.idle()
        while (await self.queue.status()).waiting:
            clock.advance(1)
            await asyncio.sleep(0.005)

    def truth(self) -> dict[tuple[int, int], dict[str, Any]]:
        """Return what Strava shows, by athlete and activity."""
        worlds = [account.world for account in self.there.simulation.accounts]
        return {(world.athlete_id, key): world.detail(key) for world in worlds for key in world.ids()}


@pytest.fixture
async def pipeline(
    store: SqliteRawStore, tokens: FileTokenStore, clock: Any, tmp_path: Path
) -> AsyncIterator[Pipeline]:
    """Two connected athletes without a history, and the app's subscription, made by Strava's own challenge."""
    queue = EmbeddedQueue(tmp_path / "pipeline.sqlite")
    service = create_service(queue, WebhookAuth(path_secret="the-path-secret", verify_token="verify-me"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service.router.lifespan_context(service))
        there = await stack.enter_async_context(
            simulated(clock, seed=7, athlete_id=ROBIN, years=0, reads=AMPLE, overall=AMPLE, athletes=2,
                      webhook=httpx.ASGITransport(service))
        )  # fmt: skip
        pipeline = Pipeline(there, store, tokens, queue)
        for athlete_id in (ROBIN, KIM):
            await pipeline.connect(athlete_id, clock)
        form = APP | {"callback_url": WEBHOOK, "verify_token": "verify-me"}
        assert (await there.http.post("/api/v3/push_subscriptions", data=form)).status_code == 201
        push = httpx.ASGITransport(worker_of(pipeline, clock))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=push, headers={"authorization": f"Bearer {WORD}"})
        )
        deliverer = Deliverer(
            tmp_path / "pipeline.sqlite", http, "http://worker.test/push", policy=RedeliveryPolicy(), clock=clock
        )
        stop = asyncio.Event()
        delivering = asyncio.create_task(deliverer.run(stop))
        clock.advance(3600)  # what happens from here on is long after they connected
        yield pipeline
        stop.set()
        await delivering


def worker_of(pipeline: Pipeline, clock: Any) -> Any:
    """The whole worker, with each athlete's own client on the one budget of the app."""
    budget = RateBudget(clock=clock, steady=clock.steady_s)
    once = RetryPolicy(attempts=2, first_wait_s=0.0, longest_wait_s=0.0)

    def client_of(athlete_id: int) -> StravaClient:
        return StravaClient(
            pipeline.there.http, pipeline.auths[athlete_id], api_url="/api/v3", budget=budget, retry_policy=once,
            clock=clock,
        )  # fmt: skip

    activities = ActivityEvents(pipeline.store, client_of, clock=clock, steady=clock.steady_s)
    app = OAuthApp(pipeline.there.http, oauth_url="/oauth", retry_policy=once, clock=clock, **APP)
    end = Purge(pipeline.store, pipeline.tokens, app)
    router = EventRouter(pipeline.store, activities, end, client_of, clock=clock)
    return create_worker(router, pipeline.store, pipeline.queue, push_auth=SharedToken(WORD), clock=clock)


def stored(rows: Rows) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the living activities, by athlete and activity."""
    found = rows("select athlete_id, activity_id, payload from strava_activities where is_deleted = 0")
    return {(row["athlete_id"], row["activity_id"]): json.loads(row["payload"]) for row in found}


async def test_two_lives_at_once_end_as_strava_has_them(pipeline: Pipeline, rows: Rows, clock: Any) -> None:
    """Created, renamed, hidden and deleted, doubled and out of order: each row is its athlete's, as Strava shows it."""
    pipeline.there.simulation.dice.switch(
        Faults(duplicate=0.3, duplicate_within_s=0.05, reorder=0.3, reorder_within_s=0.05)
    )
    for account in (pipeline.robin, pipeline.kim):
        account.autoplay.settings = AutoplaySettings(running=False, mix=Mix(silent=0), seed=account.world.athlete_id)
    for _ in range(15):
        for account in (pipeline.robin, pipeline.kim):
            account.autoplay.step()
        clock.advance(1)
        await asyncio.sleep(0)
    await pipeline.settle(clock)
    assert stored(rows) == pipeline.truth()
    assert {athlete_id for athlete_id, _ in stored(rows)} == {ROBIN, KIM}
    deleted = rows("select distinct athlete_id from strava_activities where is_deleted = 1")
    assert {row["athlete_id"] for row in deleted} == {ROBIN, KIM}
    ledger = rows("select distinct athlete_id, object_id from strava_events")
    saves = pipeline.there.simulation.saves.after()
    assert {(row["athlete_id"], row["object_id"]) for row in ledger} == {(each.athlete_id, each.id) for each in saves}


async def always(_: Lane) -> int:
    """Let every call be made."""
    return 9


async def test_a_dead_token_is_one_athlete_s_alone(pipeline: Pipeline, rows: Rows, clock: Any) -> None:
    """Kim's events are parked while Robin's are stored; connecting again brings them in."""
    parked = pipeline.kim.actions.create({}).id
    pipeline.kim.grants.revoke()
    alive = pipeline.robin.actions.create({}).id
    await pipeline.settle(clock)
    assert stored(rows).keys() == {(ROBIN, alive)}
    ledger = rows("select athlete_id, object_id, outcome from strava_events")
    assert {(row["athlete_id"], row["object_id"], row["outcome"]) for row in ledger} == {
        (ROBIN, alive, "stored"),
        (KIM, parked, "parked"),
    }
    await pipeline.connect(KIM, clock)
    await take_up_parked(pipeline.store, KIM, clock())
    assert await DeferredEvents(pipeline.store, pipeline.queue, always, clock=clock).publish_due() == 1
    await pipeline.settle(clock)
    assert stored(rows) == pipeline.truth()


async def test_a_deauthorisation_is_one_athlete_s_alone(pipeline: Pipeline, rows: Rows, clock: Any) -> None:
    """Kim's tokens go and Kim's last event brings nothing back; Robin's life goes on."""
    for account in (pipeline.robin, pipeline.kim):
        account.actions.create({})
    await pipeline.settle(clock)
    assert stored(rows).keys() == pipeline.truth().keys()
    late = pipeline.kim.actions.create({}).id
    pipeline.kim.actions.deauthorize()
    pipeline.robin.actions.create({})
    await pipeline.settle(clock)
    pipeline.robin.actions.edit(pipeline.robin.world.ids()[0], {"name": "Still here"})
    await pipeline.settle(clock)
    connected = [each.athlete_id for each in await pipeline.store.athletes() if each.status == "connected"]
    assert connected == await pipeline.tokens.athlete_ids() == [ROBIN]
    now = stored(rows)
    assert (KIM, late) not in now
    of_robin = {key: payload for key, payload in pipeline.truth().items() if key[0] == ROBIN}
    assert len(of_robin) == 2
    assert {key: payload for key, payload in now.items() if key[0] == ROBIN} == of_robin
