"""What waits together at the worker costs the warehouse few statements, and each event keeps its own result."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends.warehouse.athletes import Athlete
from backends.warehouse.event_basis import EventBasis
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import ReceivedEvent
from tests.worker.conftest import ATHLETE, NOON

WAITING = 1_000


class CountingStore(SqliteRawStore):
    """The real warehouse; the first question waits until it may be answered, and every call is noted with its size."""

    def __init__(self, path: Path, clock: Any) -> None:
        super().__init__(path, clock=clock)
        self.calls: list[tuple[str, int]] = []
        self.may_answer = asyncio.Event()

    async def event_basis(self, activity_ids: Collection[int]) -> EventBasis:
        self.calls.append(("event_basis", len(activity_ids)))
        await self.may_answer.wait()
        return await super().event_basis(activity_ids)

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        self.calls.append(("record", len(batch)))
        await super().record(batch)


@pytest.fixture
async def store(tmp_path: Path, clock: Any) -> AsyncIterator[CountingStore]:
    """The real warehouse, with one athlete connected."""
    store = CountingStore(tmp_path / "pipeline.sqlite", clock)
    connected = NOON - timedelta(days=9)
    await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=frozenset(), status="connected", updated_at=connected))
    yield store
    await store.close()


@pytest.mark.slow
async def test_a_thousand_waiting_events_cost_four_calls(
    worker: httpx.AsyncClient,
    store: CountingStore,
    make_event: Callable[..., ReceivedEvent],
    envelope: Callable[..., bytes],
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Deletions of a thousand activities at once: two reads of athletes and rows, and two writes of both tables."""
    bodies = [envelope(make_event(1 + n, "delete"), message_id=str(n)) for n in range(WAITING)]
    pushes = [asyncio.create_task(worker.post("/push", content=body)) for body in bodies]
    for _ in range(300):  # until every push has reached the question
        await asyncio.sleep(0)
    store.may_answer.set()
    answers = await asyncio.gather(*pushes)
    assert {answer.status_code for answer in answers} == {204}
    assert len(store.calls) <= 4
    for name in ("event_basis", "record"):
        assert sum(size for call, size in store.calls if call == name) == WAITING
    outcomes = rows(
        "select outcome, count(*) as n, count(distinct object_id) as ids from strava_events group by outcome"
    )
    assert outcomes == [{"outcome": "deleted", "n": WAITING, "ids": WAITING}]
    assert rows("select count(*) as n from strava_activities where is_deleted = 1") == [{"n": WAITING}]


async def test_what_waits_together_keeps_its_own_result(
    worker: httpx.AsyncClient,
    store: CountingStore,
    strava: Any,
    make_event: Callable[..., ReceivedEvent],
    envelope: Callable[..., bytes],
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    """One stored, one that Strava fails on, one deleted, one of nobody: each is answered and told as if alone."""
    store.may_answer.set()
    strava.shows(101)
    strava.answers["activities/102"] = httpx.Response(500)
    events = [make_event(101), make_event(102), make_event(103, "delete"), make_event(104, owner_id=7)]
    answers = await asyncio.gather(
        *(worker.post("/push", content=envelope(event, message_id=str(n))) for n, event in enumerate(events))
    )
    assert [answer.status_code for answer in answers] == [204, 503, 204, 204]
    told = rows("select object_id, outcome from strava_events order by object_id")
    assert [row["outcome"] for row in told] == ["stored", "deferred", "deleted", "parked"]
