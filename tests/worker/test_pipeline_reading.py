"""What is written down of the rate budget and the queue: what is new, at once where it matters, and nothing at rest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from backends.queue import QueueStatus, QueueUnavailable
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import RateLimited
from tests.worker.conftest import Clock
from worker.pipeline_reading import ReadingKeeper

INACTIVE = {"errors": [{"resource": "Application", "field": "Status", "code": "Inactive"}]}
MINUTE_S, QUARTER_S, DAY_S = 60, 900, 86_400


EMPTY = QueueStatus(waiting=0, oldest_age_s=None, dead=0)


@dataclass
class Queue:
    """A queue as it stands; None: it cannot be read."""

    standing: QueueStatus | None = EMPTY

    async def status(self) -> QueueStatus:
        if self.standing is None:
            raise QueueUnavailable("locked")
        return self.standing


class Scene:
    """A keeper on a real store, and a Strava that answers as told."""

    def __init__(self, store: SqliteRawStore, clock: Clock) -> None:
        self.store, self.clock, self.queue = store, clock, Queue()
        self.budget = RateBudget(clock=clock, steady=clock.steady_s, boot="boot")
        self.keeper = ReadingKeeper(store, self.queue, self.budget, clock=clock)

    async def ask(self, answer: httpx.Response, lane: Lane = Lane.LIVE) -> None:
        transport = httpx.MockTransport(lambda _: answer)
        async with httpx.AsyncClient(transport=transport, base_url="https://strava.test") as http:
            await http.get("/api/v3/athlete", auth=self.budget.auth(lane, None))

    async def is_built_after(self) -> bool:
        """Take a reading and tell whether the marts are built for it."""
        mark = await self.store.watermark()
        await self.keeper.take()
        return await self.store.watermark() != mark


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A pipeline that has asked nothing yet."""
    clock = Clock()
    clock.advance(MINUTE_S)  # a count from the first moments of a quarter hour may be of the one before
    store = SqliteRawStore(tmp_path / "pipeline.sqlite", clock=clock)
    yield Scene(store, clock)
    await store.close()


def told(used: int) -> httpx.Response:
    """Answer that so many of 100 calls of the quarter hour, and of 1,000 of the day, are used."""
    return httpx.Response(200, headers={"X-RateLimit-Limit": "100,1000", "X-RateLimit-Usage": f"{used},{used}"})


async def test_a_pipeline_at_rest_writes_nothing(scene: Scene) -> None:
    """Before the first call there is nothing to say; after the last, the quarter hour and the day end, and no more."""
    assert not await scene.keeper.take()
    await scene.ask(told(7))
    assert await scene.keeper.take()
    kept = 0
    for _ in range(3 * DAY_S // QUARTER_S):
        scene.clock.advance(QUARTER_S)
        kept += await scene.keeper.take()
    assert kept == 2
    reading = await scene.store.reading()
    assert reading is not None
    assert {name: use.used for name, use in reading.limits.items()} == {"quarter": 0, "day": 0}


async def test_numbers_are_kept_once_a_minute_and_cost_no_build(scene: Scene) -> None:
    """Every call tells a new count; the marts take it along with their next build, until calls get scarce."""
    await scene.ask(told(1))
    assert await scene.is_built_after()  # before, there was no reading at all
    for used in range(2, 21):
        scene.clock.advance(MINUTE_S / 10)
        await scene.ask(told(used))
        assert not await scene.is_built_after()
    reading = await scene.store.reading()
    assert reading is not None
    assert reading.limits["quarter"].used == 11  # of those that came within a minute each, the first
    await scene.ask(told(25))
    assert await scene.is_built_after()


async def test_who_waits_is_told_at_once(scene: Scene) -> None:
    """A lane that is out of calls, without a minute's rest, and once for all its calls; and that it waits no longer."""
    await scene.ask(told(60))
    await scene.keeper.take()
    waits = []
    for _ in range(3):
        with pytest.raises(RateLimited):
            await scene.ask(told(60), Lane.STREAMS)
        waits.append(await scene.is_built_after())
    assert waits == [True, False, False]
    scene.clock.advance(QUARTER_S)
    assert await scene.is_built_after()


async def test_a_lapse_is_told_from_its_first_refusal_to_its_end(scene: Scene) -> None:
    """Since when, why, and when the next call is made; each probe tells when the next one is, and no more."""
    await scene.ask(httpx.Response(403, json=INACTIVE))
    assert await scene.is_built_after()
    first = await scene.store.reading()
    assert first is not None
    assert "paid subscription has most likely lapsed" in str(first.closed_because)
    assert first.closed_kind == "app_inactive"
    assert first.closed_until is not None
    assert first.lapsed_since is not None
    assert (first.closed_until - first.lapsed_since).total_seconds() == 3600
    assert not await scene.is_built_after()
    scene.clock.advance(3601)
    await scene.ask(told(1))
    assert await scene.is_built_after()
    after = await scene.store.reading()
    assert after is not None
    assert (after.lapsed_since, after.closed_until, after.closed_because) == (None, None, None)


async def test_the_queue_is_told_of_when_something_waits_in_it(scene: Scene) -> None:
    """What is on its way is not; a queue that cannot be read hides no budget."""
    scene.queue.standing = QueueStatus(waiting=1, oldest_age_s=2.0, dead=0)
    assert not await scene.keeper.take()
    scene.queue.standing = QueueStatus(waiting=3, oldest_age_s=200.0, dead=0)
    assert await scene.is_built_after()
    reading = await scene.store.reading()
    assert reading is not None
    assert (reading.queued_count, f"{reading.queued_since:%H:%M:%S}") == (3, "11:57:00")
    scene.queue.standing = None
    await scene.ask(told(50))
    assert await scene.is_built_after()


# -- a program that begins with an empty budget, as each sweep of Google Cloud does -----------------------------------


class Sweeps(Scene):
    """Each reading is taken by a program of its own."""

    def begin(self) -> None:
        self.budget = RateBudget(clock=self.clock, steady=self.clock.steady_s, boot="boot")
        self.keeper = ReadingKeeper(self.store, None, self.budget, is_brief=True, clock=self.clock)


@pytest.fixture
def sweeps(scene: Scene) -> Sweeps:
    """Programs that follow each other on the store of the scene."""
    sweeps = Sweeps(scene.store, scene.clock)
    sweeps.begin()
    return sweeps


async def test_one_that_asks_nothing_leaves_what_was_read(sweeps: Sweeps) -> None:
    """Until the quarter hour ends: then its calls are back, which is told once."""
    await sweeps.ask(told(90))
    assert await sweeps.is_built_after()
    kept = []
    for _ in range(5):
        sweeps.begin()
        sweeps.clock.advance(5 * MINUTE_S)
        kept.append(await sweeps.is_built_after())
    assert kept == [False, False, True, False, False]
    reading = await sweeps.store.reading()
    assert reading is not None
    assert {name: use.used for name, use in reading.limits.items()} == {"quarter": 0, "day": 90}
    assert sweeps.clock() < reading.limits["quarter"].resets_at


async def test_a_lapse_that_each_learns_for_itself_is_told_once(sweeps: Sweeps) -> None:
    """It began with the first refusal, whichever program asks again; whoever asks nothing does not end it."""
    await sweeps.ask(httpx.Response(403, json=INACTIVE))
    assert await sweeps.is_built_after()
    first = await sweeps.store.reading()
    for number in range(30):
        sweeps.begin()
        sweeps.clock.advance(5 * MINUTE_S)
        if number % 3:
            await sweeps.ask(httpx.Response(403, json=INACTIVE))
        assert not await sweeps.is_built_after()
    last = await sweeps.store.reading()
    assert first is not None
    assert last is not None
    assert (last.lapsed_since, last.closed_because) == (first.lapsed_since, first.closed_because)
    assert last.closed_kind == "app_inactive"
    sweeps.begin()
    await sweeps.ask(told(1))
    assert await sweeps.is_built_after()
    after = await sweeps.store.reading()
    assert after is not None
    assert (after.lapsed_since, after.closed_until, after.closed_because) == (None, None, None)


async def test_a_spent_limit_is_told_until_its_end(sweeps: Sweeps) -> None:
    """No program need ask again for the page to say that calls are possible."""
    await sweeps.ask(httpx.Response(429, headers=dict(told(100).headers)))
    assert await sweeps.is_built_after()
    built = []
    for _ in range(3):
        sweeps.begin()
        sweeps.clock.advance(5 * MINUTE_S)
        built.append(await sweeps.is_built_after())
    assert built == [False, False, True]
    reading = await sweeps.store.reading()
    assert reading is not None
    assert (reading.closed_until, reading.closed_because) == (None, None)
