"""The repairs of a daily check while Strava fails: on some activities, or on all that it is asked for."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest

from backends.tokens.file import FileTokenStore
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.budget_state import Lane
from strava.client import StravaClient
from strava.errors import RateLimited, ServerFailed
from strava.payload import ActivityPage, ActivityPayload
from tests.worker.reconciled import ATHLETE, Strava, living, load
from worker.backfill import backfill
from worker.findings import Findings, ReconcilePolicy
from worker.reconcile import reconcile
from worker.repairs import Repairs

AT_ONCE = ReconcilePolicy(looks=0, guard_share=1.0)


@pytest.fixture
async def fresh(clock: Any, tokens: FileTokenStore) -> AsyncIterator[Strava]:
    """An athlete of whom nothing is stored."""
    async with living(clock, tokens) as athlete:
        yield athlete


@pytest.fixture
async def strava(fresh: Strava, store: SqliteRawStore, clock: Any) -> Strava:
    """The athlete, whose history is stored as it was a day ago."""
    await load(fresh, store, clock)
    return fresh


class Broken:
    """Strava fails on some activities, or is out from one page of the list on."""

    def __init__(self, client: StravaClient, broken: Collection[int] = (), error: Exception | None = None) -> None:
        self._client = client
        self._error = error or ServerFailed(500)
        self.broken = broken
        self.asked: list[int] = []
        self.listings = 0
        self.is_out_after: int | None = None

    async def activities(self) -> AsyncIterator[ActivityPage]:
        self.listings += 1
        if self.is_out_after is not None and self.listings > self.is_out_after:
            raise self._error
        async for page in self._client.activities():
            yield page

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        self.asked.append(activity_id)
        if activity_id in self.broken:
            raise self._error
        return await self._client.activity(activity_id, tries=tries)


def edit(strava: Strava, how_many: int) -> list[int]:
    """Edit the newest without an event, and return them."""
    edited = [key for key in strava.ids if strava.world.detail(key)["distance"] > 1000][:how_many]
    for key in edited:
        strava.world.edit(key, {"distance": 900.0})
    return edited


def counts(row: Reconciliation) -> tuple[int, int, int, int]:
    """What differed, and how much of it was repaired."""
    return row.missing, row.extra, row.changed, row.repaired


async def test_an_outage_ends_the_repairs(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Of twelve edits few are asked for, and two that Strava has shown before; the verdict says what stopped it."""
    edited = edit(strava, 12)
    details = Broken(strava.client(Lane.DETAIL), strava.ids)
    row = await reconcile(strava.client(), details, store, ATHLETE, policy=ReconcilePolicy(looks=9), clock=clock)
    assert (row.verdict, counts(row)) == (Verdict.INCOMPLETE, (0, 0, len(edited), 0))
    assert "Strava failed with status 500" in str(row.reason)
    assert 5 < len(details.asked) < len(edited)
    assert len(set(details.asked) - set(edited)) == 2
    row = await reconcile(strava.client(), strava.client(), store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (row.verdict, counts(row)) == (Verdict.COMPLETE, (0, 0, len(edited), len(edited)))


async def test_an_outage_ends_them_where_no_detail_is_stored(fresh: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Of a history that this check has listed for the first time few details are asked for."""
    details = Broken(fresh.client(Lane.DETAIL), fresh.ids)
    row = await reconcile(fresh.client(), details, store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert row.missing == row.repaired == len(fresh.ids) > 15
    assert 5 < len(details.asked) <= 10


async def test_an_outage_ends_them_where_nothing_is_listed(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """All was deleted, and Strava is out once the list was read: the list is asked for again, and few of the others."""
    stored = strava.ids
    strava.delete(*stored)
    listing = Broken(strava.client(), stored)
    listing.is_out_after = 1
    confirmed = ReconcilePolicy(looks=0, is_confirmed=True)
    row = await reconcile(listing, strava.client(), store, ATHLETE, policy=confirmed, clock=clock)
    assert (counts(row), listing.listings) == ((0, len(stored), 0, 0), 2)
    assert "Strava failed with status 500" in str(row.reason)
    assert 5 <= len(listing.asked) < 10 < len(stored)


async def test_where_the_list_is_shown_the_repairs_go_on(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """All was deleted, and Strava fails on all but the last two: they are asked for, and removed."""
    stored = strava.ids
    strava.delete(*stored)
    listing = Broken(strava.client(), stored[:-2])
    confirmed = ReconcilePolicy(looks=0, is_confirmed=True)
    row = await reconcile(listing, strava.client(), store, ATHLETE, policy=confirmed, clock=clock)
    assert counts(row) == (0, len(stored), 0, 2)


async def test_a_spent_lane_of_details_ends_no_deletions(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Strava fails on seven of nine that were deleted, and details are spent: the other two are removed."""
    deleted = strava.ids[:9]
    strava.delete(*deleted)
    details = Broken(strava.client(), strava.ids, RateLimited(60))
    row = await reconcile(Broken(strava.client(), deleted[:7]), details, store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (counts(row), details.asked) == ((0, 9, 0, 2), [])


@pytest.mark.slow
async def test_many_that_fail_hold_up_no_other(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Strava fails on seven of nine edits: the other two are fetched."""
    details = Broken(strava.client(Lane.DETAIL), edit(strava, 9)[:7])
    row = await reconcile(strava.client(), details, store, ATHLETE, policy=AT_ONCE, clock=clock)
    assert (row.verdict, row.reason) == (Verdict.INCOMPLETE, "Differences that are not repaired yet: 7.")
    assert (row.changed, row.repaired) == (9, 2)


@pytest.mark.slow
async def test_one_other_that_fails_does_not_stop_them(fresh: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Strava always fails on one of two others, of which chance asks first for one: the rest is repaired each time."""
    fresh.delete(*fresh.ids[11:])
    await load(fresh, store, clock)
    for times in range(6):
        newest, others = fresh.ids[:9], fresh.ids[9:]
        for key in newest:
            fresh.world.edit(key, {"distance": 900.0 + times})
        details = Broken(fresh.client(Lane.DETAIL), [*newest[:7], others[0]])
        row = await reconcile(fresh.client(), details, store, ATHLETE, policy=AT_ONCE, clock=clock)
        assert (row.changed, row.repaired) == (9, 2)
        await backfill(fresh.client(Lane.DETAIL), store, ATHLETE, clock=clock)


async def test_looks_that_fail_hold_up_no_other(strava: Strava, store: SqliteRawStore, clock: Any) -> None:
    """Strava fails on all three that are due first: each time three others are looked at."""
    seen = set[int]()
    details = Broken(strava.client(Lane.DETAIL), strava.ids[:3])
    for looks in range(1, 4):
        await reconcile(strava.client(), details, store, ATHLETE, policy=ReconcilePolicy(looks=3), clock=clock)
        seen = set(details.asked) - set(details.broken)
        assert len(seen) == 3 * looks


async def test_after_a_refusal_nothing_is_asked(fresh: Strava) -> None:
    """Of eight, four at once, Strava refuses the fifth and fails on the others: the next step asks for no proof."""
    found, proofs = Findings(), list[object]()

    async def prove(source: object) -> None:
        proofs.append(source)

    async def work(_: object, activity_id: int) -> None:
        await asyncio.sleep(0)
        raise RateLimited(60) if activity_id == 5 else ServerFailed(500)

    repairs = Repairs(found, prove, lambda _: None)
    await repairs.each("changed", list(range(1, 9)), fresh.client(), work)
    await repairs.each("missing", [9], fresh.client(), work)
    assert (type(found.stopped), proofs) == (RateLimited, [])
