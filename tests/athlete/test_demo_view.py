"""What the demo's live view shows of saves that are on a chart, and of those that do not get there."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from athlete.demo.config import DemoConfig
from athlete.demo.simulator_client import SimulatorClient
from athlete.demo.view import LiveView
from athlete.programs import Ports
from backends.warehouse.ledger import LedgerEntry, Outcome
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.events import StravaEvent

SUBSCRIPTION = 310_001
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "object_type": "activity",
    "object_id": 1,
    "aspect_type": "create",
    "updates": {},
    "owner_id": 4242424242,
    "event_time": int(NOON.timestamp()),
}
ANSWERS: dict[str, Any] = {
    "/simulator/saves": [{"save_id": 1, "id": 1, "kind": "create", "saved_at": NOON.isoformat(), "event": EVENT}],
    "/simulator/activities": [{"id": 1}],
}


@pytest.fixture
def config(tmp_path: Path) -> DemoConfig:
    """A place of its own."""
    ports = Ports(service=1, worker=2, dashboard=3)
    return DemoConfig(
        data_dir=tmp_path, ports=ports, simulator_port=4, seed=1, years=1, path_secret="p", verify_token="v"
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRawStore]:
    """A warehouse that stored the one save, a second after it."""
    opened = SqliteRawStore(tmp_path / "pipeline.sqlite")
    event = StravaEvent.from_json({**EVENT, "subscription_id": SUBSCRIPTION})
    entry = LedgerEntry(
        delivery_id="1",
        event_id=event.event_id,
        event=event,
        outcome=Outcome.STORED,
        reason="",
        attempt=1,
        received_at=NOON,
        finished_at=NOON + timedelta(seconds=1),
    )
    await opened.record([entry])
    yield opened
    await opened.close()


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


async def shown(config: DemoConfig, *, after_s: float, is_terminal: bool) -> str:
    """Look at the view so long after noon, for two of its refreshes, and return what it printed."""
    console = Console(file=io.StringIO(), width=300, force_terminal=is_terminal, color_system=None)
    answers = httpx.MockTransport(lambda request: httpx.Response(200, json=ANSWERS[request.url.path]))
    async with httpx.AsyncClient(transport=answers) as http:
        view = LiveView(
            config,
            SimulatorClient(http, "http://strava.test"),
            console,
            SUBSCRIPTION,
            clock=lambda: NOON + timedelta(seconds=after_s),
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(0.8):
                await view.run()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_save_that_stays_off_the_charts_is_told_with_the_last_error(
    is_terminal: bool, config: DemoConfig, store: SqliteRawStore
) -> None:
    """After fifteen seconds the view says so, repeats what stopped the transforms, and where to look."""
    await store.put_run(transform(error="Database Error in model a\n  no such\n  column: n"))
    said = await shown(config, after_s=17, is_terminal=is_terminal)
    assert (
        "1 save is stored, but not on the charts after 15 s: the last transform failed "
        f"(Database Error in model a no such column: n); see {config.data_dir}/logs/transformer.log." in said
    )


async def test_lines_tell_it_once(config: DemoConfig, store: SqliteRawStore) -> None:
    """Where each event is one line, the warning is one line too, however often the view looks."""
    said = await shown(config, after_s=17, is_terminal=False)
    assert said.count("no transform has ended meanwhile; see ") == 1
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_save_that_has_time_left_is_no_reason_to_worry(
    is_terminal: bool, config: DemoConfig, store: SqliteRawStore
) -> None:
    """Within fifteen seconds nothing is said."""
    assert "not on the charts" not in await shown(config, after_s=15, is_terminal=is_terminal)


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_save_on_the_chart_is_shown_without_a_warning(
    is_terminal: bool, config: DemoConfig, store: SqliteRawStore
) -> None:
    """However long ago it was."""
    await store.put_run(transform(error=None))
    said = await shown(config, after_s=1000, is_terminal=is_terminal)
    assert "stored" in said
    assert "not on the charts" not in said
