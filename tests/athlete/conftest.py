"""A demo's session over a warehouse of the test's own, with a simulator that says what the test typed in."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from athlete.demo.config import DemoConfig
from athlete.demo.session import DemoSession
from athlete.demo.simulator_client import SimulatorClient
from athlete.main import app
from athlete.programs import Ports
from athlete.supervisor import ProcessTree
from backends.queue.embedded import EmbeddedQueue
from backends.warehouse.sqlite.store import SqliteRawStore
from tests.serving import serving, simulator_app


@pytest.fixture
def answers() -> dict[str, Any]:
    """What the simulator says, by path."""
    return {"/simulator/health": {"is_idle": False}, "/simulator/saves": [], "/simulator/activities": []}


@pytest.fixture
async def session(tmp_path: Path, answers: dict[str, Any]) -> AsyncIterator[DemoSession]:
    """A session in which no program runs and nothing has arrived."""
    config = DemoConfig(
        data_dir=tmp_path,
        ports=Ports(service=1, worker=2, dashboard=3),
        simulator_port=4,
        seed=1,
        years=1,
        path_secret="p",
        verify_token="v",
    )
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answers[request.url.path]))
    async with httpx.AsyncClient(transport=transport) as http:
        session = DemoSession(
            config=config,
            tree=ProcessTree(),
            simulator=SimulatorClient(http, "http://strava.test"),
            store=SqliteRawStore(config.files.pipeline_path),
            queue=EmbeddedQueue(config.files.pipeline_path),
            athlete_id=4242424242,
            subscription_id=310_001,
        )
        yield session
        await session.queue.close()
        await session.store.close()


@pytest.fixture
def strava() -> Iterator[str]:
    """The address of a running simulator."""
    with serving(lambda: simulator_app(years=0, read_limit="100000,1000000")) as url:
        yield url


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run a command with its data in a folder of its own."""

    def _run(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(app, arguments, env={"DATA_DIR": str(tmp_path), "COLUMNS": "200", **environment})

    return _run
