"""Following saves through a real ledger: each event is found by what it says, not by when it was."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from athlete.demo.checks import every_event, nothing_parked
from athlete.demo.latency import journeys, speeds
from athlete.demo.simulator_client import Save
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import StravaEvent

SUBSCRIPTION = 310_001
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def save(number: int, title: str, *, kind: str = "update", after_s: float = 0.0) -> Save:
    """One rename of the one activity within the second after noon."""
    return Save.from_json(
        {
            "save_id": number,
            "id": 1,
            "kind": kind,
            "saved_at": (NOON + timedelta(seconds=after_s)).isoformat(),
            "event": {
                "object_type": "activity",
                "object_id": 1,
                "aspect_type": "update",
                "updates": {"title": title},
                "owner_id": 4242424242,
                "event_time": int(NOON.timestamp()),
            },
        }
    )


BURST = [save(number, f"title {number}", after_s=number / 100) for number in range(3)]


def row(told: Save, outcome: Outcome = Outcome.STORED, *, received_s: float, took_s: float = 1.0) -> LedgerEntry:
    """One ledger row of a save's event."""
    event = StravaEvent.from_json({**json.loads(json.dumps(told.event)), "subscription_id": SUBSCRIPTION})
    received_at = NOON + timedelta(seconds=received_s)
    return LedgerEntry(
        delivery_id=f"{event.event_id}/{received_s}/{outcome}",
        event_id=event.event_id,
        event=event,
        outcome=outcome,
        reason="because",
        attempt=1,
        received_at=received_at,
        finished_at=received_at + timedelta(seconds=took_s),
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRawStore]:
    """An empty warehouse."""
    opened = SqliteRawStore(tmp_path / "pipeline.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Where its file is."""
    return tmp_path / "pipeline.sqlite"


async def test_a_lost_event_of_a_burst_is_seen(store: SqliteRawStore, pipeline: Path) -> None:
    """Three renames within a second, of which the second never came: two arrived, and the check fails."""
    await store.record([row(BURST[0], received_s=0.1), row(BURST[2], received_s=0.2)])
    ways = journeys(pipeline, BURST, SUBSCRIPTION)
    assert [way.outcome for way in ways] == ["stored", None, "stored"]
    assert every_event(ways).seen == "2 of 3 events"
    assert not every_event(ways).holds


async def test_a_parked_event_of_a_burst_is_seen(store: SqliteRawStore, pipeline: Path) -> None:
    """An event that was parked is neither hidden by its neighbours nor by a duplicate that was stored."""
    await store.record(
        [
            row(BURST[0], received_s=0.1),
            row(BURST[1], received_s=0.1),
            row(BURST[1], Outcome.PARKED, received_s=0.3),
            row(BURST[2], Outcome.PARKED, received_s=0.2),
        ]
    )
    ways = journeys(pipeline, BURST, SUBSCRIPTION)
    assert [way.outcome for way in ways] == ["stored", "stored", "parked"]
    assert not every_event(ways).holds
    assert nothing_parked(pipeline, 0).seen == "2 parked, 0 dead letters"
    assert not nothing_parked(pipeline, 0).holds


async def test_each_event_of_a_burst_has_its_own_times(store: SqliteRawStore, pipeline: Path) -> None:
    """The time to raw runs from one's own save to one's own row; a delivery that was deferred is no end."""
    deferred = row(BURST[0], Outcome.DEFERRED, received_s=0.1, took_s=0.1)
    await store.record([deferred, *(row(each, received_s=0.1, took_s=1 + each.save_id) for each in BURST)])
    ways = journeys(pipeline, BURST, SUBSCRIPTION)
    assert [way.to_raw_ms for way in ways] == [1100, 2090, 3080]
    assert every_event(ways).holds
    assert nothing_parked(pipeline, 0).holds


async def test_a_repeated_event_has_its_own_arrival(store: SqliteRawStore, pipeline: Path) -> None:
    """It shares the first one's id: until a row came after it, it has not arrived. It counts for no speed."""
    first, again = BURST[0], save(9, "title 0", kind="repeat", after_s=5)
    await store.record([row(first, received_s=0.1)])
    assert [way.outcome for way in journeys(pipeline, [first, again], SUBSCRIPTION)] == ["stored", None]

    await store.record([row(again, Outcome.UNCHANGED, received_s=5.1, took_s=2)])
    ways = journeys(pipeline, [first, again], SUBSCRIPTION)
    assert [(way.outcome, way.to_raw_ms) for way in ways] == [("stored", 1100), ("unchanged", 2100)]
    assert speeds(ways)[0] == {"p50": 1100, "p95": 1100}


async def test_the_chart_has_an_event_with_the_first_run_that_began_after_it(
    store: SqliteRawStore, pipeline: Path
) -> None:
    """A run that began before the row, or that failed, does not show it."""
    await store.record([row(BURST[0], received_s=0.1)])
    written = datetime.now(UTC)
    runs = ((-60, None), (60, "dbt failed"), (120, None), (180, None))
    for number, (began_s, error) in enumerate(runs):
        began = written + timedelta(seconds=began_s)
        await store.put_run(
            TransformRun(
                run_id=str(number),
                watermark="w",
                started_at=began,
                finished_at=began + timedelta(seconds=1),
                published_at=None if error else began + timedelta(seconds=1),
                is_full_refresh=False,
                error=error,
            )
        )
    (way,) = journeys(pipeline, BURST[:1], SUBSCRIPTION)
    assert way.charted_at == written + timedelta(seconds=121)


async def test_another_subscription_s_events_are_not_ours(store: SqliteRawStore, pipeline: Path) -> None:
    """The same words told to another subscription are another event."""
    await store.record([row(BURST[0], received_s=0.1)])
    assert [way.outcome for way in journeys(pipeline, BURST[:1], SUBSCRIPTION + 1)] == [None]
