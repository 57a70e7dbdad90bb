"""The whole way on Google Cloud, on servers that speak Google's protocols: from a save to a mart, and out again.

Simulator → service → Pub/Sub's emulator → a push with a signed token → worker → BigQuery's emulator → dbt → mart, then
the daily check, and the athlete leaves. What the emulator cannot build is listed in docs/testing.md.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import httpx
import pytest

from athlete.demo.checks import outcomes_of
from athlete.demo.config import CLIENT_ID, CLIENT_SECRET
from athlete.demo.simulator_client import SimulatorClient
from athlete.subscription.actions import Ending, create
from athlete.subscription.callback import callback_of
from athlete.supervisor import free_port
from backends.connect.links import ConnectLinks
from backends.engine.console import open_console
from backends.engine.marts import open_marts
from backends.engine.pipeline import opened_store, prepare_store
from backends.warehouse import RawStore
from backends.warehouse.ledger import LedgerFilter, Outcome
from backends.warehouse.reconciliations import Verdict
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from runtime.settings import SharedSettings
from service.main import guard
from service.settings import ServiceSettings
from tests.athlete.simulated import ATHLETE_ID
from tests.cloud_run_server import CloudRun, running_cloud_run
from tests.consent import way_back
from tests.google_project import new_project, told
from tests.parsed_project import PROJECT, give
from tests.pubsub_emulator import EmulatedTopic
from tests.secret_manager_server import Project, running_server
from tests.serving import listening, serving, simulator_app, started
from tests.signing_relay import SigningRelay
from tests.transforms.warehouse import environment
from worker.backfill_job import load
from worker.daily import run_daily
from worker.daily_report import ExitCode
from worker.dbt_runner.settings import PROJECT_DIR, TransformSettings
from worker.job import JobEnd
from worker.main import build as build_worker
from worker.settings import WorkerSettings
from worker.transform import transform

pytestmark = pytest.mark.slow
QUIET = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none")
SECRET = f"athlete-tokens-{ATHLETE_ID}"
# What is built twice, then with its tests: a model that is merged into, a mart of its rows, and what is published last.
CHOSEN = ("stg_strava__events", "event_latency", "int_pipeline__build")
HISTORY_YEARS = 0.02  # some activities
S = TypeVar("S")


@dataclass(frozen=True)
class Cloud:
    """What runs, and what can be seen of it from outside."""

    environment: Mapping[str, str]
    strava: SimulatorClient
    cloud_run: CloudRun
    secrets: Project
    store: RawStore

    def settings(self, program: Callable[..., S]) -> S:
        """Return a program's settings in a container of its own, on whose disk is nothing of the others."""
        return contained(program, self.environment)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the warehouse as `athlete query` does."""
        console = open_console(self.settings(SharedSettings))
        try:
            return list(console.query(sql).rows)
        finally:
            console.close()

    async def outcomes(self) -> list[Outcome]:
        """Return how each event that Strava sent ended, once all have."""
        [subscription] = await self.store.subscriptions()
        async with asyncio.timeout(60):
            while True:
                rows = await self.store.recent(LedgerFilter(), limit=1000)
                ends = outcomes_of(await self.strava.saves(), rows, subscription.subscription_id)
                if await self.strava.is_idle() and None not in ends:
                    return [end for end in ends if end is not None]
                await asyncio.sleep(0.1)  # what is asked is in other processes


def contained(program: Callable[..., S], environment: Mapping[str, str]) -> S:
    """Read a program's settings, with a folder that no other program has."""
    return told(program, {**environment, "DATA_DIR": mkdtemp(dir=environment["DATA_DIR"])})


@pytest.fixture
def cloud_run() -> Iterator[CloudRun]:
    """Where jobs are started."""
    with running_cloud_run() as server:
        yield server


@pytest.fixture
async def cloud(
    bigquery_emulator: str, pubsub_emulator: str, cloud_run: CloudRun, tmp_path: Path
) -> AsyncIterator[Cloud]:
    """Service and worker of a project, Pub/Sub between them, and Strava with an athlete who knows nothing of it yet."""
    relay, topic, port = SigningRelay(), EmulatedTopic(pubsub_emulator), free_port()
    await topic.create()
    with running_server() as secrets, serving(lambda: simulator_app(years=HISTORY_YEARS)) as strava:
        environment = new_project(
            bigquery=bigquery_emulator,
            cloud_run=cloud_run.endpoint,
            secret_manager=secrets.endpoint,
            certificates=relay.certificates_url,
            strava=strava,
            data_dir=tmp_path,
        )
        environment |= {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "PUBSUB_EMULATOR_HOST": pubsub_emulator,
            "PUBSUB_TOPIC": topic.name,
            "STRAVA_CLIENT_ID": CLIENT_ID,
            "STRAVA_CLIENT_SECRET": CLIENT_SECRET,
            "STRAVA_VERIFY_TOKEN": "word",
            "WEBHOOK_PATH_SECRET": "0123456789abcdef",
        }
        worker = contained(WorkerSettings, environment)
        await prepare_store(worker)  # as each program does when it starts
        async with (
            opened_store(worker) as store,
            listening(relay.app, relay.port),
            started(build_worker(worker)) as relay.worker,
            listening(guard(contained(ServiceSettings, environment)), port),
            topic.pushing(*relay.pushes_to),
            httpx.AsyncClient() as http,
        ):
            project = secrets.project(PROJECT)
            yield Cloud(environment, SimulatorClient(http, strava), cloud_run, project, store)
    await topic.close()


async def test_from_a_save_to_a_mart_and_out_again(cloud: Cloud, project_root: Path, parsed_for_bigquery: Path) -> None:
    """Connected, heard, stored, transformed, read, checked and forgotten: each as Strava itself tells it."""
    await connect_and_subscribe(cloud)
    events = await live(cloud)
    assert cloud.cloud_run.started == ["athlete-transform"]  # by fresh data, and only once in five minutes
    assert await load(cloud.settings(WorkerSettings), asyncio.Event()) is JobEnd.DONE
    await require_strava_in_raw(cloud)
    transforms = cloud.settings(TransformSettings)
    give(parsed_for_bigquery, transforms.dbt_dir)
    await require_marts(cloud, transforms, events, unbuildable(project_root))
    await require_complete_check(cloud)
    await leave(cloud)


async def connect_and_subscribe(cloud: Cloud) -> None:
    """Connect by an invitation, and subscribe as `athlete subscription create` does."""
    address = cloud.environment["PUBLIC_URL"]
    _, link = ConnectLinks(CLIENT_SECRET).invite(address, expires_at=utc_now() + timedelta(hours=1))
    async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
        page = await browser.get(await way_back(browser, link))
    assert f"Connected athlete {ATHLETE_ID}. All scopes are granted." in page.text
    assert SECRET in cloud.secrets.secrets
    callback, word = (cloud.environment[name] for name in ("WEBHOOK_PATH_SECRET", "STRAVA_VERIFY_TOKEN"))
    made = await create(cloud.settings(WorkerSettings), callback_of(address, callback), word, replaces=False, asks=True)
    assert (made.ending, made.check.fault) == (Ending.CREATED, None)


async def live(cloud: Cloud) -> list[tuple[int, str]]:
    """Save three activities, edit one and delete one; return the events as the mart is to tell them."""
    kept, edited, deleted = [await cloud.strava.create(sport_type=sport) for sport in ("Run", "Ride", "Walk")]
    assert await cloud.outcomes() == [Outcome.STORED] * 3
    await cloud.strava.edit(edited, name="Over the hills")
    await cloud.strava.delete(deleted)
    assert await cloud.outcomes() == [*[Outcome.STORED] * 4, Outcome.DELETED]
    columns = "activity_id, payload is null, source"
    assert cloud.rows(f"select {columns} from raw.strava_activities where is_deleted") == [(deleted, True, "webhook")]  # noqa: S608 - own names
    return sorted([*((each, "create") for each in (kept, edited, deleted)), (edited, "update"), (deleted, "delete")])


async def require_strava_in_raw(cloud: Cloud) -> None:
    """Every living activity is stored as Strava shows it in full, and no other is."""
    truth = {each["id"]: each for each in await cloud.strava.activities()}
    stored = await cloud.store.payloads(await cloud.store.activity_ids(ATHLETE_ID))
    assert len(truth) > 2  # the history came too
    assert {each: json.loads(payload) for each, payload in stored.items()} == truth


async def require_marts(
    cloud: Cloud, transforms: TransformSettings, events: Sequence[tuple[int, str]], unbuildable: set[str]
) -> None:
    """The job fails at what the emulator cannot build, so nothing is published; what it can is built, tested, read."""
    assert await transform(transforms, asyncio.Event()) is JobEnd.FAILED
    error = await cloud.store.last_error()
    assert set(re.findall(r"^(\w+): ", error or "", re.MULTILINE)) == unbuildable, error
    marts = open_marts(cloud.settings(DashboardSettings))
    assert marts.version() is None
    await asyncio.to_thread(build_what_can_be, transforms)
    assert marts.version() is not None
    shown = marts.rows("select activity_id, aspect_type from mart.event_latency")
    assert sorted(tuple(row.values()) for row in shown) == events
    marts.close()
    truth = {each["id"]: (each["name"], each["sport_type"]) for each in await cloud.strava.activities()}
    staged = cloud.rows("select activity_id, name, sport_type from staging.stg_strava__activities")
    assert {row[0]: row[1:] for row in staged} == truth


async def require_complete_check(cloud: Cloud) -> None:
    """The daily job counts as Strava does, and has the marts built once more."""
    report = await run_daily(cloud.settings(WorkerSettings), cloud.settings(TransformSettings))
    [checked] = report.checked
    check = checked.reconciliation
    assert check is not None
    count = await cloud.strava.activity_count()
    assert (check.verdict, check.strava_count, check.warehouse_count) == (Verdict.COMPLETE, count, count), check
    assert (report.exit_code, checked.notes) == (ExitCode.COMPLETE, [])
    assert cloud.cloud_run.started == ["athlete-transform"] * 2


async def leave(cloud: Cloud) -> None:
    """Withdraw the access at Strava: of the athlete no row and no secret stays, but a receipt that names nobody."""
    await cloud.strava.deauthorize()
    async with asyncio.timeout(60):
        while cloud.rows("select outcome from raw.strava_events") != [("purged",)]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
    assert await cloud.store.row_count(ATHLETE_ID) == 0
    assert SECRET not in cloud.secrets.secrets
    assert cloud.rows("select activity_id from raw.strava_activities") == []
    assert cloud.rows("select count(*) from raw.purges") == [(1,)]


def build_what_can_be(settings: TransformSettings) -> None:
    """Build CHOSEN with their tests, and publish, which a build does in which nothing fails."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - for this test alone

    folders = ("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR))
    out = ("--target-path", str(settings.dbt_dir / "target"), "--log-path", str(settings.dbt_dir / "logs"))
    selected = ("--select", *CHOSEN, "--exclude-resource-type", "unit_test")
    with environment(settings.bigquery_environment):
        result = dbtRunner().invoke(["build", *selected, *QUIET, *folders, *out])
    assert result.success, result.exception


def unbuildable(project_root: Path) -> set[str]:
    """Return the models that docs/testing.md says the emulator cannot build."""
    text = (project_root / "docs/testing.md").read_text()
    table = text.partition("| models | what the emulator says |\n")[2].partition("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
