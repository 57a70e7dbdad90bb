"""The worker's health: the warehouse and the queue, each with its own part of the deep answer."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from structlog.testing import capture_logs

from backends.queue import QueueStatus, QueueUnavailable
from backends.warehouse.sqlite.store import SqliteRawStore
from worker.health import health_routes
from worker.main import build
from worker.push_auth import SharedToken
from worker.settings import WorkerSettings

TOKEN = "a-push-token"


@dataclass
class FakeQueue:
    """Stands as it is told, can be broken, and can hang."""

    fault: str | None = None
    hangs: bool = False

    async def status(self) -> QueueStatus:
        if self.fault is not None:
            raise QueueUnavailable(self.fault)
        if self.hangs:
            await asyncio.Event().wait()
        return QueueStatus(waiting=3, oldest_age_s=1.5, dead=1)


@pytest.fixture
def queue() -> FakeQueue:
    """The queue that is watched."""
    return FakeQueue()


@pytest.fixture
def app(store: SqliteRawStore, queue: FakeQueue, clock: Any) -> FastAPI:
    """An application with nothing but its health."""
    app = FastAPI()
    app.include_router(health_routes(store, queue, SharedToken(TOKEN), clock=clock.steady_s))
    return app


async def health_of(app: FastAPI, *, deep: bool, token: str = TOKEN) -> httpx.Response:
    """Ask for the health, as one who may push unless another token is given."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker.test") as client:
        return await client.get("/health", params={"deep": deep}, headers=headers)


async def test_a_stranger_is_told_no_more_than_whether_all_is_well(app: FastAPI, queue: FakeQueue, clock: Any) -> None:
    """Depth, age, watermark and the paths in a reason are for those who may push; the status is for everybody."""
    assert (await health_of(app, deep=True, token="guess")).json() == {"status": "ok"}
    queue.fault = "/home/anna/data/pipeline.sqlite is gone"
    clock.advance(5)
    answer = await health_of(app, deep=True, token="guess")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})


async def test_deep_health_measures_the_queue(app: FastAPI) -> None:
    """Depth, oldest age and dead letters are told beside the warehouse."""
    answer = (await health_of(app, deep=True)).json()
    assert answer["queue"] == {"waiting": 3, "oldest_age_s": 1.5, "dead": 1}
    assert (answer["status"], answer["warehouse"].keys()) == ("ok", {"watermark"})


async def test_health_is_cheap(app: FastAPI, queue: FakeQueue) -> None:
    """Liveness asks neither."""
    queue.fault = "gone"
    answer = await health_of(app, deep=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_unreachable_queue_is_503(app: FastAPI, queue: FakeQueue) -> None:
    """The answer and the log say why, and the warehouse's part stays."""
    queue.fault = "the disk is full"
    with capture_logs() as logs:
        answer = await health_of(app, deep=True)
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["queue"] == {"reason": "the disk is full"}
    assert answer.json()["warehouse"].keys() == {"watermark"}
    assert [(log["part"], log["reason"]) for log in logs] == [("queue", "the disk is full")]


@pytest.mark.slow
async def test_hanging_queue_is_503(app: FastAPI, queue: FakeQueue) -> None:
    """An answer that does not come is one too."""
    queue.hangs = True
    answer = await health_of(app, deep=True)
    assert (answer.status_code, answer.json()["queue"]) == (503, {"reason": "no answer within 2 s"})


async def test_shut_warehouse_is_503(app: FastAPI, store: SqliteRawStore) -> None:
    """The queue is measured all the same."""
    await store.close()
    answer = await health_of(app, deep=True)
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert answer.json()["warehouse"].keys() == {"reason"}
    assert answer.json()["queue"]["waiting"] == 3


async def test_deep_health_writes(app: FastAPI, tmp_path: Path) -> None:
    """It is well only if the warehouse's file took a change; liveness changes nothing."""
    with closing(sqlite3.connect(tmp_path / "pipeline.sqlite")) as other:

        def changes() -> int:  # rises with each commit of another connection
            return int(other.execute("pragma data_version").fetchone()[0])

        before = changes()
        assert (await health_of(app, deep=False)).status_code == 200
        assert changes() == before
        assert (await health_of(app, deep=True)).status_code == 200
        assert changes() > before


class CountingStore(SqliteRawStore):
    """Counts its probes, each of which is a write."""

    probes = 0

    async def probe(self) -> None:
        self.probes += 1
        await super().probe()


async def test_many_requests_cost_one_write(tmp_path: Path, queue: FakeQueue, clock: Any) -> None:
    """Requests within five seconds share one write and one answer; the next one after that writes again."""
    store = CountingStore(tmp_path / "counted.sqlite")
    app = FastAPI()
    app.include_router(health_routes(store, queue, SharedToken(TOKEN), clock=clock.steady_s))
    answers = await asyncio.gather(*(health_of(app, deep=True) for _ in range(20)))
    clock.advance(4)
    answers.append(await health_of(app, deep=True))
    assert ({answer.status_code for answer in answers}, store.probes) == ({200}, 1)
    clock.advance(1)
    await store.close()
    assert ((await health_of(app, deep=True)).status_code, store.probes) == (503, 2)


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
async def test_nothing_is_documented_unless_asked_for(tmp_path: Path, path: str) -> None:
    """By default no stranger reads what there is; when it is asked for, no page loads scripts from elsewhere."""
    statuses = []
    for number, api_docs in enumerate((False, True)):
        worker = build(WorkerSettings(data_dir=tmp_path / str(number), api_docs=api_docs))
        async with (
            worker.router.lifespan_context(worker),
            httpx.AsyncClient(transport=httpx.ASGITransport(worker), base_url="http://worker.test") as client,
        ):
            statuses.append((await client.get(path)).status_code)
    assert statuses == [404, 200 if path == "/openapi.json" else 404]


async def test_worker_watches_the_queue_in_its_data_folder(tmp_path: Path) -> None:
    """The program as its settings put it together measures the queue that the service publishes to."""
    app = build(WorkerSettings(data_dir=tmp_path, push_token=SecretStr(TOKEN)))
    async with app.router.lifespan_context(app):
        answer = await health_of(app, deep=True)
    assert answer.json()["queue"] == {"waiting": 0, "oldest_age_s": None, "dead": 0}
