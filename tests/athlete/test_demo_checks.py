"""What the scenario is held against: events are found in the ledger by what they say, and payloads are compared."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from athlete.demo.checks import (
    check_all,
    checked_daily,
    every_event,
    nothing_parked,
    outcomes_of,
    report_table,
    settle,
)
from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import Save
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.reconciliations import Reconciliation, Verdict
from strava.events import StravaEvent
from tests.athlete.healthy import run

SUBSCRIPTION = 310_001
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def save(title: str, *, after_s: float = 0.0) -> Save:
    """One rename of the one activity within the second after noon."""
    event = {
        "object_type": "activity",
        "object_id": 1,
        "aspect_type": "update",
        "updates": {"title": title},
        "owner_id": 4242424242,
        "event_time": int(NOON.timestamp()),
    }
    return Save(saved_at=NOON + timedelta(seconds=after_s), event=event, fate="delivered")


def verdict(**fields: Any) -> Reconciliation:
    """What the daily job found of the scenario, with these fields of its own."""
    told: dict[str, Any] = {
        "reconciliation_id": "1",
        "athlete_id": 4242424242,
        "strava_count": 283,
        "warehouse_count": 283,
        "missing": 0,
        "extra": 0,
        "changed": 1,
        "repaired": 1,
        "unreadable": 0,
        "verdict": Verdict.COMPLETE,
        "reason": None,
        "retry_at": None,
        "started_at": NOON,
        "finished_at": NOON,
    }
    return Reconciliation(**told | fields)


BURST = [save(f"title {number}", after_s=number / 100) for number in range(3)]


def row(told: Save, outcome: Outcome = Outcome.STORED, *, received_s: float) -> LedgerEntry:
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
        finished_at=received_at + timedelta(seconds=1),
    )


def test_a_lost_event_of_a_burst_is_seen() -> None:
    """Three renames within a second, of which the second never came: two arrived, and the check fails."""
    outcomes = outcomes_of(BURST, [row(BURST[2], received_s=0.2), row(BURST[0], received_s=0.1)], SUBSCRIPTION)
    assert outcomes == ["stored", None, "stored"]
    assert every_event(outcomes).seen == "2 of 3 events"
    assert not every_event(outcomes).holds


def test_a_parked_event_of_a_burst_is_seen() -> None:
    """An event that was parked is neither hidden by its neighbours nor by a duplicate that was stored."""
    rows = [
        row(BURST[2], Outcome.PARKED, received_s=0.2),
        row(BURST[1], Outcome.PARKED, received_s=0.3),
        row(BURST[1], received_s=0.1),
        row(BURST[0], received_s=0.1),
    ]
    outcomes = outcomes_of(BURST, rows, SUBSCRIPTION)
    assert outcomes == ["stored", "stored", "parked"]
    assert not every_event(outcomes).holds
    assert nothing_parked(rows, 0).seen == "2 parked, 0 dead letters"
    assert not nothing_parked(rows, 0).holds


def test_a_deferral_is_no_end() -> None:
    """An event that was put off has ended only with its next row; a dead letter is as bad as a parked event."""
    rows = [row(BURST[0], Outcome.DEFERRED, received_s=0.1)]
    assert outcomes_of(BURST[:1], rows, SUBSCRIPTION) == [None]
    rows = [row(BURST[0], Outcome.UNCHANGED, received_s=0.1), *rows]
    assert every_event(outcomes_of(BURST[:1], rows, SUBSCRIPTION)).holds
    assert nothing_parked(rows, 0).holds
    assert not nothing_parked(rows, 1).holds


def test_a_repeated_event_has_its_own_arrival() -> None:
    """It shares the first one's id: until a row came after it, it has not arrived."""
    told = [BURST[0], save("title 0", after_s=5)]
    rows = [row(BURST[0], received_s=0.1)]
    assert outcomes_of(told, rows, SUBSCRIPTION) == ["stored", None]
    rows = [row(told[1], Outcome.UNCHANGED, received_s=5.1), *rows]
    assert outcomes_of(told, rows, SUBSCRIPTION) == ["stored", "unchanged"]


def test_another_subscription_s_events_are_not_ours() -> None:
    """The same words told to another subscription are another event; what nobody was told of is none."""
    silent = Save(saved_at=NOON, event=None, fate="delivered")
    assert outcomes_of([BURST[0], silent], [row(BURST[0], received_s=0.1)], SUBSCRIPTION + 1) == [None]


def test_the_daily_job_has_to_find_the_crop_and_nothing_else() -> None:
    """A check that found nothing, or left something, is seen; one that repaired the one edit holds."""
    checks = checked_daily(verdict())
    assert [(check.holds, check.seen) for check in checks] == [
        (True, "0 missing, 0 extra, 1 changed, 1 repaired"),
        (True, "complete: Strava 283 = warehouse 283"),
    ]
    assert [check.holds for check in checked_daily(verdict(changed=0, repaired=0))] == [False, True]
    left = verdict(extra=1, warehouse_count=284, verdict=Verdict.INCOMPLETE)
    assert [check.holds for check in checked_daily(left)] == [False, False]
    assert checked_daily(left)[1].seen == "incomplete: Strava 283 ≠ warehouse 284"


async def settled(session: DemoSession, *changes: Callable[[], Awaitable[Any]]) -> tuple[bool, float]:
    """Settle while a change comes every 80 s, and return the answer with the seconds that it took."""
    now_s, coming = 0.0, list(changes)

    async def pause(_: float) -> None:
        nonlocal now_s
        now_s += 10
        if coming and now_s % 80 == 0:
            await coming.pop(0)()

    return await settle(session, clock=lambda: now_s, pause=pause), now_s


async def test_the_demo_waits_as_long_as_anything_moves(session: DemoSession, answers: dict[str, Any]) -> None:
    """A row, a model of a build, and then the marts: four minutes on a loaded machine, and quiet at last."""

    async def build() -> None:
        (session.config.data_dir / "transform.duckdb").write_bytes(b"a model")

    async def publish() -> None:
        answers["/simulator/health"] = {"is_idle": True}
        await session.store.put_run(run(await session.store.watermark()))

    async def record() -> None:
        await session.store.record([row(BURST[0], received_s=0.1)])

    assert await settled(session, record, build, publish) == (True, 240)


async def test_a_pipeline_that_does_not_become_quiet_is_said_to_be_so(session: DemoSession) -> None:
    """Nothing moves for 90 s; a build that fails again and again is no move."""
    assert await settled(session) == (False, 90)

    async def fail() -> None:
        (session.config.data_dir / "transform.duckdb").write_bytes(b"more" * len(failed))
        failed.append(run("", "model x: it does not compile"))
        await session.store.put_run(failed[-1])

    failed: list[Any] = []
    assert await settled(session, fail, fail, fail) == (False, 170)


async def test_a_scenario_that_reached_nothing_is_checked_and_shown(
    session: DemoSession, answers: dict[str, Any], tmp_path: Path
) -> None:
    """Nothing arrived and no mart was published: the checks fail one by one, and the times are dashes."""
    told = {"saved_at": NOON.isoformat(), "event": BURST[0].event}
    activity = {"id": 1, "athlete": {"id": 4242424242}, "distance": 1000.0}
    answers.update({"/simulator/saves": [told], "/simulator/activities": [{"id": 1, "activity": activity}]})
    report = await check_all(session, DuckdbMartReader(tmp_path / "mart.duckdb"), is_quiet=False)
    failed = {check.name for check in report.checks if not check.holds}
    assert not report.ok
    assert failed == {
        "The pipeline became quiet",
        "Every event arrived",
        "Nothing is missing",
        "Each payload is Strava's newest",
        "The marts are fresh",
        "The marts tell the same",
        "Recent activities have their curves",
        "A crop without an event is found",
        "The daily job's verdict is complete",
    }
    assert report.numbers["events_sent"] == 1
    assert report.numbers["events_stored"] == 0
    assert report.numbers["save_to_chart_ms"] == {"p50": None, "p95": None}

    console = Console(record=True, width=160, quiet=False)
    with console.capture() as shown:
        console.print(report_table(report))
    assert "p50 \N{EN DASH}, p95 \N{EN DASH}" in shown.get()
