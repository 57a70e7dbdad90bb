"""What the demo's live view shows of events that are on a chart, and of those that do not get there."""

import asyncio
import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from athlete.demo.session import DemoSession
from athlete.demo.view import LiveView
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.marts import MartRows
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.runs import TransformRun
from strava.events import StravaEvent

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
STORED = StravaEvent(
    object_type="activity",
    aspect_type="create",
    object_id=1,
    owner_id=4242424242,
    subscription_id=310_001,
    event_time=NOON,
    updates={},
)


class Marts:
    """Published marts that hold the one event, or that are not published yet."""

    def __init__(self, version: str | None = None) -> None:
        self._version = version
        self.queries = 0

    def version(self) -> str | None:
        return self._version

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        self.queries += 1
        if "pipeline_latency" in sql:
            assert parameters == [STORED.owner_id]
            return MartRows(
                [
                    {"stage": "save_to_heard", "p50_s": 0.5, "p95_s": 0.75},
                    {"stage": "heard_to_chart", "p50_s": 2.5, "p95_s": 3.25},
                ]
            )
        assert parameters == [NOON.replace(tzinfo=None)]
        return MartRows([{"event_id": STORED.event_id, "heard_to_raw_s": 1.0, "heard_to_chart_s": 2.5}])

    def close(self) -> None: ...


@pytest.fixture
async def stored(session: DemoSession, answers: dict[str, Any]) -> DemoSession:
    """A session in which one event was stored, a second after it was heard."""
    answers["/simulator/activities"] = [{"id": 1}]
    entry = LedgerEntry(
        delivery_id="1",
        event_id=STORED.event_id,
        event=STORED,
        outcome=Outcome.STORED,
        reason="",
        attempt=1,
        received_at=NOON,
        finished_at=NOON + timedelta(seconds=1),
    )
    await session.store.record([entry])
    return session


def transform(*, error: str | None) -> TransformRun:
    """One run after the event was stored, published unless it failed."""
    now = datetime.now(UTC)
    return TransformRun(
        run_id=f"{now}",
        watermark="",
        started_at=now,
        finished_at=now,
        published_at=None if error else now,
        is_full_refresh=False,
        error=error,
    )


async def shown(session: DemoSession, *, after_s: float, is_terminal: bool, marts: Marts | None = None) -> str:
    """Open the view at noon, look at it so long after noon for two of its refreshes, and return what it printed."""
    console = Console(file=io.StringIO(), width=300, force_terminal=is_terminal, color_system=None)
    clock = [NOON]
    view = LiveView(session, marts or Marts(), console, clock=lambda: clock[0])
    clock[0] = NOON + timedelta(seconds=after_s)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.8):
            await view.run()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("is_terminal", [True, False])
async def test_an_event_that_stays_off_the_charts_is_told_with_the_last_error(
    is_terminal: bool, stored: DemoSession
) -> None:
    """After fifteen seconds the view says so, repeats what stopped the transforms, and where to look."""
    await stored.store.put_run(transform(error="Database Error in model a\n  no such\n  column: n"))
    said = await shown(stored, after_s=17, is_terminal=is_terminal)
    assert (
        "1 event is stored, but not on the charts after 15 s: the last transform failed "
        f"(Database Error in model a no such column: n); see {stored.config.data_dir}/logs/transformer.log." in said
    )


@pytest.mark.slow
async def test_lines_tell_it_once(stored: DemoSession) -> None:
    """Where each event is one line, the warning is one line too, however often the view looks."""
    said = await shown(stored, after_s=17, is_terminal=False)
    assert said.count("no transform has ended meanwhile; see ") == 1
    assert len(said.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("is_terminal", [True, False])
async def test_an_event_that_has_time_left_is_no_reason_to_worry(is_terminal: bool, stored: DemoSession) -> None:
    """Within fifteen seconds nothing is said."""
    assert "not on the charts" not in await shown(stored, after_s=15, is_terminal=is_terminal)


@pytest.mark.slow
@pytest.mark.parametrize("is_terminal", [True, False])
async def test_an_event_on_the_chart_is_shown_with_the_marts_times(is_terminal: bool, stored: DemoSession) -> None:
    """However long ago it was, without a warning; the same marts are asked once."""
    await stored.store.put_run(transform(error=None))
    marts = Marts("published")
    said = await shown(stored, after_s=1000, is_terminal=is_terminal, marts=marts)
    line = next(line for line in said.splitlines() if "create" in line)
    assert line.replace("│", " ").split()[-6:] == ["1", "1.00", "s", "2.50", "s", "stored"]
    assert "not on the charts" not in said
    assert marts.queries == 2


@pytest.mark.slow
async def test_the_summary_tells_the_marts_percentiles(stored: DemoSession) -> None:
    """Those of the stages that make up the way to the chart; one that nothing was measured of has none."""
    said = await shown(stored, after_s=1, is_terminal=True, marts=Marts("published"))
    assert (
        "Strava has 1 activities · save → heard p50 0.50 s, p95 0.75 s · heard → raw p50 …, p95 …"
        " · heard → chart p50 2.50 s, p95 3.25 s" in said
    )


async def test_what_was_heard_before_the_view_is_not_shown(stored: DemoSession) -> None:
    """A demo that goes on begins with an empty table."""
    console = Console(file=io.StringIO(), width=300, force_terminal=False)
    view = LiveView(stored, Marts(), console, clock=lambda: NOON + timedelta(seconds=2))
    assert await view._events() == {}


@pytest.mark.slow
async def test_the_last_check_is_told(stored: DemoSession) -> None:
    """Below the events: none yet, then what the daily job found, in the person's time zone."""
    assert "The daily job has not run yet." in await shown(stored, after_s=1, is_terminal=True)
    await stored.store.put_reconciliation(
        Reconciliation(
            reconciliation_id="1",
            athlete_id=stored.athlete_id,
            strava_count=283,
            warehouse_count=283,
            missing=0,
            extra=0,
            changed=1,
            repaired=1,
            unreadable=0,
            verdict=Verdict.COMPLETE,
            reason=None,
            retry_at=None,
            started_at=NOON,
            finished_at=NOON,
        )
    )
    said = await shown(stored, after_s=1, is_terminal=True)
    found = "complete. Strava 283 = warehouse 283: 0 missing, 0 extra, 1 changed, 1 repaired."
    assert f"Daily job, 14:00:00: {found}" in said
