"""What the worker does on Google Cloud after a push, while it still has processor time."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from backends.warehouse.athletes import AthleteStatus
from backends.warehouse.ledger import Outcome
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget import RateBudget
from strava.errors import AppInactive
from strava.events import ReceivedEvent
from tests.shared_marks import MemoryMarks
from tests.worker.conftest import PUSH_HEADERS, PUSH_TOKEN
from worker.app import create_app
from worker.main import AfterPush
from worker.push_auth import SharedToken
from worker.results import Record, Result
from worker.transform_start import TransformStart


class FakeJobs:
    """Notes what is started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def start(self, job: str) -> None:
        self.started.append(job)


@pytest.fixture
def jobs() -> FakeJobs:
    """Where jobs are started."""
    return FakeJobs()


@pytest.fixture
def budget(clock: Any) -> RateBudget:
    """The app's calls."""
    return RateBudget(clock=clock, steady=clock.steady_s)


@pytest.fixture
def after_push(jobs: FakeJobs, store: SqliteRawStore, budget: RateBudget, clock: Any) -> AfterPush:
    """What is told of each push."""
    start = TransformStart(jobs, MemoryMarks(), job="t", interval=timedelta(0), clock=clock)
    parts: Any = SimpleNamespace(store=store, budget=budget, client_of=lambda _: pytest.fail("Strava was asked"))
    return AfterPush(start, parts)


@pytest.mark.parametrize("outcome", Outcome)
async def test_fresh_data_starts_the_marts(
    outcome: Outcome,
    jobs: FakeJobs,
    after_push: AfterPush,
    store: SqliteRawStore,
    make_event: Callable[..., ReceivedEvent],
    envelope: Callable[..., bytes],
) -> None:
    """What changed an activity or removed one starts the job before the push is answered, and nothing else does."""

    async def handle(_: ReceivedEvent, __: Record) -> Result:
        return Result(outcome=outcome, reason="The test wants it.")

    app = create_app(handle, store, None, push_auth=SharedToken(PUSH_TOKEN), after_push=after_push)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://worker.test", headers=PUSH_HEADERS) as client:
        assert (await client.post("/push", content=envelope(make_event()))).status_code in {204, 503}
    is_fresh = outcome in {Outcome.STORED, Outcome.DELETED, Outcome.PURGED}
    assert jobs.started == ["t"] * is_fresh


async def test_a_lapse_is_noted_by_the_push_that_met_it(
    after_push: AfterPush, store: SqliteRawStore, budget: RateBudget
) -> None:
    """The athletes are paused and an alert hears of it; a push that is put off for another reason changes nothing."""
    await after_push(Outcome.DEFERRED)
    assert {each.status for each in await store.athletes()} == {AthleteStatus.CONNECTED}
    await budget.close(AppInactive())
    with capture_logs() as logs:
        await after_push(Outcome.DEFERRED)
        await after_push(Outcome.DEFERRED)
    assert {each.status for each in await store.athletes()} == {AthleteStatus.APP_INACTIVE}
    assert [log["event"] for log in logs] == ["app.inactive"]


async def test_what_is_only_remembered_undoes_no_end_of_a_lapse(
    after_push: AfterPush, store: SqliteRawStore, budget: RateBudget, clock: Any
) -> None:
    """The sweep has found that Strava answers again: the worker, which still waits, notes no lapse until told."""
    await budget.close(AppInactive())
    await after_push(Outcome.DEFERRED)
    await store.change_status(AthleteStatus.CONNECTED, before=[AthleteStatus.APP_INACTIVE])
    with capture_logs() as logs:
        await after_push(Outcome.DEFERRED)
    assert logs == []
    assert {each.status for each in await store.athletes()} == {AthleteStatus.CONNECTED}
    clock.advance(3700)
    await budget.close(AppInactive())
    await after_push(Outcome.DEFERRED)
    assert {each.status for each in await store.athletes()} == {AthleteStatus.APP_INACTIVE}
