"""Judging a scripted life that did not go well: the verdict comes all the same."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from athlete.demo.checks import judge, settle, verdict_table
from athlete.demo.config import DemoConfig
from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import SimulatorClient
from athlete.programs import Ports
from athlete.supervisor import ProcessTree
from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.client import StravaClient

EVENT = {
    "object_type": "activity",
    "object_id": 1,
    "aspect_type": "create",
    "updates": {},
    "owner_id": 4242424242,
    "event_time": 1_777_000_000,
}
SAVE = {"save_id": 1, "id": 1, "kind": "create", "saved_at": "2026-05-04T12:00:00Z", "event": EVENT}
ANSWERS: dict[str, Any] = {
    "/simulator/health": {"is_idle": False},
    "/simulator/saves": [SAVE],
    "/simulator/activities": [{"id": 1, "activity": {"id": 1, "athlete": {"id": 4242424242}, "distance": 1000.0}}],
}


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[DemoSession]:
    """A Strava that told of one activity and a pipeline that nothing ever reached."""
    answers = httpx.MockTransport(lambda request: httpx.Response(200, json=ANSWERS[request.url.path]))
    ports = Ports(service=1, worker=2, dashboard=3)
    async with httpx.AsyncClient(transport=answers) as http:
        session = DemoSession(
            config=DemoConfig(
                data_dir=tmp_path, ports=ports, simulator_port=4, seed=1, years=1, path_secret="p", verify_token="v"
            ),
            tree=ProcessTree(),
            simulator=SimulatorClient(http, "http://strava.test"),
            store=SqliteRawStore(tmp_path / "pipeline.sqlite"),
            queue=EmbeddedQueue(tmp_path / "pipeline.sqlite"),
            client=StravaClient(http, None, api_url="http://strava.test"),
            athlete_id=4242424242,
            subscription_id=1,
        )
        yield session
        await session.queue.close()
        await session.store.close()


async def test_a_pipeline_that_does_not_become_quiet_is_said_to_be_so(session: DemoSession) -> None:
    """Waiting for what does not come ends with an answer."""
    assert await settle(session.simulator, session.queue, session.store, timeout_s=0.01) is False


async def test_a_life_that_reached_nothing_is_judged_and_shown(session: DemoSession, tmp_path: Path) -> None:
    """Nothing arrived and no mart was published: the checks fail one by one, and the times are dashes."""
    verdict = await judge(session, DuckdbMartReader(tmp_path / "mart.duckdb"), is_quiet=False)
    failed = {check.name for check in verdict.checks if not check.holds}
    assert not verdict.ok
    assert failed == {
        "The pipeline became quiet",
        "Every event arrived",
        "Nothing is missing",
        "Each payload is Strava's newest",
        "The marts are fresh",
        "The marts tell the same",
    }
    assert verdict.numbers["events_sent"] == 1
    assert verdict.numbers["events_stored"] == 0

    console = Console(record=True, width=160, quiet=False)
    with console.capture() as shown:
        console.print(verdict_table(verdict))
    assert "p50 \N{EN DASH}, p95 \N{EN DASH}" in shown.get()
