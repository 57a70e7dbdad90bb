"""A pipeline in which nothing is wrong: its data folder, and the programs that answer, in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import httpx

from athlete.data_dir import claimed
from athlete.doctor.context import Machine
from backends.queue.embedded import EmbeddedQueue
from backends.tokens.file import FileTokenStore
from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.reconciliations import Reconciliation, Verdict
from backends.warehouse.runs import TransformRun
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.clock import utc_now
from service.app import create_app
from service.webhook_auth import WebhookAuth
from simulator.journal import Journal
from simulator.main import build as build_simulator
from simulator.settings import SimulatorSettings
from tests.worker.simulated import APP, Simulated

ATHLETE = 4242424242
ALL = frozenset({"read", "activity:read_all", "profile:read_all"})
SECRET, VERIFY_TOKEN = "0123456789abcdef-the-path", "the-verify-token"
STRAVA, SERVICE, WORKER = "http://127.0.0.1:9", "http://127.0.0.1:8080", "http://127.0.0.1:8081"
DASHBOARD, OUTSIDE = "http://127.0.0.1:8501", "https://my.example.org"
SETTINGS = {
    "DATA_DIR": "data",
    "STRAVA_API_URL": f"{STRAVA}/api/v3",
    "STRAVA_OAUTH_URL": f"{STRAVA}/oauth",
    "STRAVA_CLIENT_ID": APP["client_id"],
    "STRAVA_CLIENT_SECRET": APP["client_secret"],
    "WEBHOOK_PATH_SECRET": SECRET,
    "STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
    "PUBLIC_URL": OUTSIDE,
}


@dataclass
class Told:
    """A program that answers every request alike."""

    status: int = 200
    body: bytes = b"ok"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Dated(httpx.ASGITransport):
    """Adds to each answer when it was given, by a clock that is so many seconds before ours."""

    ahead_s = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        answer.headers["date"] = format_datetime(datetime.now(UTC) + timedelta(seconds=self.ahead_s), usegmt=True)
        return answer


@dataclass
class Healthy:
    """The folder in which `.env` and the data are, and the way to what answers; a fault changes one of them."""

    folder: Path
    simulated: Simulated
    strava: Dated
    apps: dict[str, Any]
    machine: Machine = field(init=False)
    lock: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        lock_file = self.folder / "athlete.txt"
        lock_file.write_text(f"httpx=={version('httpx')} \\\n    --hash=sha256:0\n", encoding="utf-8")
        self.machine = Machine(
            http_for=lambda _: self.http(),
            free_bytes=lambda _: 10**12,
            lock_file=lock_file,
            project_fault=lambda _: None,
        )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def http(self) -> httpx.AsyncClient:
        """Make a client that reaches what answers, and finds nothing listening elsewhere."""

        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("nothing listens", request=request)

        reached: dict[str, Any] = {url: httpx.ASGITransport(app) for url, app in self.apps.items()}
        mounts = {**reached, STRAVA: self.strava}
        return httpx.AsyncClient(mounts=mounts, transport=httpx.MockTransport(refuse))

    def set(self, **settings: str) -> None:
        """Write `.env` with these settings in place of the right ones."""
        lines = (f"{name}={value}\n" for name, value in (SETTINGS | settings).items())
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")
        (self.folder / ".env").chmod(0o600)

    def change_machine(self, **changes: Any) -> None:
        self.machine = replace(self.machine, **changes)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[SqliteRawStore]:
        store = SqliteRawStore(self.data / "pipeline.sqlite")
        try:
            yield store
        finally:
            await store.close()

    @property
    def tokens(self) -> FileTokenStore:
        return FileTokenStore(self.data / "tokens.json")

    async def fill(self) -> None:
        """Store an athlete whose history is loaded and compared, and publish marts that tell of it."""
        then = utc_now() - timedelta(hours=1)
        async with self.store() as store:
            await store.put_athlete(Athlete(athlete_id=ATHLETE, scope=ALL, status=CONNECTED, updated_at=then))
            await store.set_subscription(self.subscription["id"])
            asked = Backfill.requested(ATHLETE, then)
            await store.request_backfill(asked.changed(then, started_at=then, listed_at=then, finished_at=then))
            await store.put_reconciliation(verdict(Verdict.COMPLETE, then))
            await store.put_run(run(await store.watermark()))
        built = self.data / "transform.duckdb"
        with duckdb.connect(str(built)) as connection:
            connection.execute("create schema mart")
            connection.execute("create table mart.fct_activities as select 1 as activity_id")
        built.chmod(0o600)
        built.rename(self.data / "mart.duckdb")

    @property
    def subscription(self) -> dict[str, Any]:
        """The app's subscription at the simulator, to be changed there."""
        current = self.simulated.simulation.subscriptions.current
        assert current is not None
        return current

    def stop(self) -> None:
        """End the programs."""
        self.lock.close()
        self.apps.clear()

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Return every file's rights and bytes, and each folder's."""
        return {
            str(path.relative_to(self.folder)): (path.stat().st_mode, b"" if path.is_dir() else path.read_bytes())
            for path in (self.folder, *self.folder.rglob("*"))
        }


@asynccontextmanager
async def _open(folder: Path) -> AsyncIterator[Healthy]:
    """Put service and simulator on what is in the folder."""
    pipeline = folder / "pipeline"
    service = create_app(
        EmbeddedQueue(pipeline / "data" / "pipeline.sqlite"),
        WebhookAuth(path_secret=SECRET, verify_token=VERIFY_TOKEN),
    )
    apps = {SERVICE: service, OUTSIDE: service, WORKER: Told(), DASHBOARD: Told()}
    journal = Journal(folder / "simulator.json")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(service)) as callback:
        settings = SimulatorSettings(years=0, athlete_id=ATHLETE, client_secret=APP["client_secret"])
        app = build_simulator(settings, journal, callback)
        strava = Dated(app)
        async with httpx.AsyncClient(transport=strava, base_url=STRAVA) as http:
            yield Healthy(pipeline, Simulated(app.state.simulation, http, utc_now), strava, apps)
    journal.close()


async def prepare(folder: Path) -> None:
    """Connect an athlete of a simulator, subscribe, and store what a pipeline that works has stored."""
    (folder / "pipeline").mkdir()
    async with _open(folder) as made:
        made.set()
        await made.simulated.connect(made.tokens)
        await subscribe(made, f"{OUTSIDE}/webhook/{SECRET}")
        await made.fill()


@asynccontextmanager
async def healthy(prepared: Path, folder: Path) -> AsyncIterator[Healthy]:
    """Run on a copy of what was prepared."""
    copytree(prepared, folder, dirs_exist_ok=True)
    async with _open(folder) as made:
        with made.lock:
            made.lock.enter_context(claimed(made.data))
            yield made


async def subscribe(made: Healthy, callback_url: str) -> int:
    """Subscribe the app at the simulator, in place of the subscription before."""
    subscriptions = made.simulated.simulation.subscriptions
    if subscriptions.current is not None:
        subscriptions.delete(subscriptions.current["id"])
    return int((await subscriptions.create(callback_url, VERIFY_TOKEN))["id"])


def verdict(result: Verdict, finished_at: datetime) -> Reconciliation:
    """Make the row of a comparison with Strava."""
    counts: dict[str, Any] = dict.fromkeys(("missing", "extra", "changed", "repaired", "unreadable"), 0)
    return Reconciliation(
        reconciliation_id=f"r-{finished_at}",
        athlete_id=ATHLETE,
        strava_count=1,
        warehouse_count=1,
        **counts,
        verdict=result,
        reason=None if result is Verdict.COMPLETE else "So it was",
        retry_at=None,
        started_at=finished_at,
        finished_at=finished_at,
    )


def run(watermark: str, error: str | None = None) -> TransformRun:
    """Make the row of a run of dbt, which was published unless it failed."""
    now = utc_now()
    return TransformRun(
        run_id=f"t-{now}",
        watermark=watermark,
        started_at=now,
        finished_at=now,
        published_at=None if error else now,
        is_full_refresh=False,
        error=error,
    )
