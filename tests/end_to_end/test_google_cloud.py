"""Each program and command as it is put together for Google Cloud: on servers that speak Google's protocols.

One project for all of these tests, and as few processes as there can be: what programs do is tested elsewhere.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from athlete.daily import sentences
from athlete.main import app
from backends.connect.links import ConnectLinks
from backends.engine.marts import open_marts
from backends.engine.pipeline import open_queue, open_shared_marks, open_tokens, opened_store
from backends.marks.lease import LeasePolicy, leased
from backends.queue.envelope import PushEnvelope
from backends.tokens import TokenSet
from backends.warehouse.activities import Observation, Source
from backends.warehouse.athletes import CONNECTED, Athlete
from backends.warehouse.backfills import Backfill
from backends.warehouse.bigquery.client import Answer, BigQuery, Place
from backends.warehouse.bigquery.marks import BigQuerySnapshot
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.ledger import LedgerFilter, Outcome
from backends.warehouse.runs import TransformRun
from dashboard.settings import DashboardSettings
from runtime.clock import utc_now
from runtime.settings import PartMissing
from service.main import build as build_service
from service.settings import ServiceSettings
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import ActivityPayload
from tests.backends.test_queue_pubsub import TOPIC, running_publish_server
from tests.cloud_run_server import CloudRun, running_cloud_run
from tests.cloud_storage_server import running_cloud_storage
from tests.google_project import new_project, served_certificates, told
from tests.google_tokens import signing_key
from tests.secret_manager_server import running_server
from tests.serving import started
from tests.strava.exports import zip_of
from tests.transforms.bigquery_asked import AFTER_CHANGE
from worker.backfill_job import load
from worker.daily import run_daily
from worker.daily_report import ExitCode
from worker.dbt_runner.project import Project
from worker.dbt_runner.settings import PROJECT_DIR, TransformSettings
from worker.import_job import import_inbox
from worker.job import JobEnd
from worker.kept import Kept
from worker.main import build as build_worker
from worker.parts import open_parts
from worker.settings import ImportSettings, WorkerSettings
from worker.sweep import take_turns, turns_of
from worker.transform import transform
from worker.transform_start import TESTED, TESTS_WANTED

pytestmark = pytest.mark.slow
ANNA, BEN = 101, 102  # Ben has no tokens
CARA = 103  # and no history to load
NOWHERE = "http://127.0.0.1:9"
LISTED = (  # as Strava wrote it in 2018
    b"id,date,name,type,description,elapsed_time,distance,commute,gear,filename\n"
    b"1,2018-09-12 15:02:23,Evening Ride,Ride,,783,3681.0,true,,\n"
)


@pytest.fixture(scope="module")
def cloud_run() -> Iterator[CloudRun]:
    """Where jobs are started."""
    with running_cloud_run() as server:
        yield server


@pytest.fixture(scope="module")
def cloud(
    bigquery_emulator: str, cloud_run: CloudRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """The environment of every program of one project, in which two athletes are connected."""
    with running_server() as secrets, served_certificates() as certificates:
        environment = new_project(
            bigquery=bigquery_emulator,
            cloud_run=cloud_run.endpoint,
            secret_manager=secrets.endpoint,
            certificates=certificates,
            strava=NOWHERE,
            data_dir=tmp_path_factory.mktemp("container"),
        )
        environment |= {"PUBSUB_TOPIC": TOPIC, "STRAVA_CLIENT_ID": "42", "STRAVA_CLIENT_SECRET": "s3cret"}
        asyncio.run(connect_both(told(WorkerSettings, environment)))
        yield environment


async def connect_both(settings: WorkerSettings) -> None:
    """Connect them as `athlete connect` does, but for asking Strava."""
    async with opened_store(settings) as store:
        for each in (ANNA, BEN):
            athlete = Athlete(athlete_id=each, scope=frozenset({"read"}), status=CONNECTED, updated_at=utc_now())
            await store.connect(athlete, Backfill.requested(each, utc_now()))
    tokens = open_tokens(settings)
    async with tokens.refreshing(ANNA):
        fresh = TokenSet(access_token="a", refresh_token="r", expires_at=datetime(2100, 1, 1, tzinfo=UTC))
        await tokens.save(ANNA, fresh)
    await tokens.close()


def pushed(object_id: int, owner_id: int, *, later: timedelta = timedelta(0)) -> bytes:
    """What Pub/Sub pushes of an event, published so much later than now."""
    event = StravaEvent(
        object_type="activity",
        aspect_type="create",
        object_id=object_id,
        owner_id=owner_id,
        subscription_id=1,
        event_time=utc_now(),
        updates={},
    )
    received = ReceivedEvent(event=event, received_at=utc_now(), event_id=event.event_id)
    return PushEnvelope(
        data=received.to_message(),
        attributes=received.attributes(),
        message_id=str(object_id),
        publish_time=utc_now() + later,
        delivery_attempt=1,
        subscription="projects/p/subscriptions/s",
    ).to_json()


async def test_the_worker_takes_a_push(cloud: Mapping[str, str]) -> None:
    """What Pub/Sub pushes with its token leaves a row; without it nothing comes in. Health tells of no queue."""
    body = pushed(7, 4242)  # who is not connected
    settings = told(WorkerSettings, cloud)
    headers = {"authorization": signing_key().header(), "content-type": "application/json"}
    async with started(build_worker(settings)) as worker:
        assert (await worker.post("/push", content=body)).status_code == 401
        assert (await worker.post("/push", content=body, headers=headers)).status_code == 204
        health = (await worker.get("/health?deep=true", headers=headers)).json()
    assert set(health) == {"status", "warehouse", "athletes"}
    assert health["athletes"]["connected"] == 2
    async with opened_store(settings) as store:
        [row] = await store.recent(LedgerFilter(activity_id=7), limit=9)
    assert row.outcome is Outcome.PARKED


async def test_the_service_sends_an_athlete_on_to_strava(cloud: Mapping[str, str], tmp_path: Path) -> None:
    """An invitation is looked up in BigQuery, and an event is published to the topic."""
    invite, link = ConnectLinks("s3cret").invite("http://127.0.0.1", expires_at=utc_now() + timedelta(hours=1))
    secrets = {"webhook_path_secret": "0123456789abcdef", "strava_verify_token": "word"}
    async with running_publish_server() as pubsub:
        settings = told(ServiceSettings, cloud, **secrets, pubsub_emulator_host=pubsub.host)
        async with started(build_service(settings)) as service:
            answer = await service.get(link)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
                303,
                f"{NOWHERE}/oauth/authorize",
            )
            event = {"aspect_type": "create", "event_time": 1, "object_id": 7, "object_type": "activity"}
            posted = {**event, "owner_id": 1, "subscription_id": 1, "updates": {}}
            assert (await service.post("/webhook/0123456789abcdef", json=posted)).status_code == 200
    assert [message.attributes["object_id"] for request in pubsub.requests[1:] for message in request.messages] == ["7"]
    assert invite.invite_id


async def test_the_daily_job_has_the_marts_built_and_tested(cloud: Mapping[str, str], cloud_run: CloudRun) -> None:
    """Who cannot be asked is told; the job that may write the marts is started, and told to test them."""
    cloud_run.started.clear()
    settings = told(WorkerSettings, cloud)
    report = await run_daily(settings, told(TransformSettings, cloud), athlete_id=BEN)
    assert (report.exit_code, report.transform_error) == (ExitCode.UNCHECKED, None)
    assert "The job athlete-transform builds and tests the marts now." in sentences(report, ZoneInfo("UTC"))
    assert cloud_run.started == ["athlete-transform"]
    marks = open_shared_marks(settings)
    assert marks.read(TESTS_WANTED) > marks.read(TESTED)
    assert marks.read("lease:daily") == ""


async def test_the_backfill_job_ends_where_strava_cannot_be_asked(cloud: Mapping[str, str]) -> None:
    """Nobody answers there, so both histories wait, and the job does not."""
    settings = told(WorkerSettings, cloud)
    assert await load(settings, asyncio.Event()) is JobEnd.DONE
    async with opened_store(settings) as store:
        waits = {each.athlete_id: each.waits_because for each in await store.backfills()}
    assert set(waits) == {ANNA, BEN}
    assert all(waits.values())


async def test_the_import_job_empties_the_inbox(cloud: Mapping[str, str], cloud_run: CloudRun) -> None:
    """An export that somebody put into the bucket is in BigQuery, its report beside it, and the marts' job started.

    Of two at once the later leaves; without an answer of the bucket the job fails; without its name it says so.
    """
    cloud_run.started.clear()
    with running_cloud_storage() as storage:
        place = {"inbox_bucket": "my-inbox/inbox", "storage_api_endpoint": storage.endpoint, "transform_interval_s": 0}
        settings = told(ImportSettings, cloud, **place)
        storage.put("inbox/export_101.zip", zip_of({"activities.csv": LISTED}))
        async with leased(open_shared_marks(settings), "import", LeasePolicy()):
            assert await import_inbox(settings, asyncio.Event()) is JobEnd.DONE
        assert "inbox/export_101.zip" in storage.objects
        storage.fault = lambda _call, _name: 403
        assert await import_inbox(settings, asyncio.Event()) is JobEnd.FAILED
        storage.fault = lambda _call, _name: 0
        assert (await import_inbox(settings, asyncio.Event()), cloud_run.started) == (
            JobEnd.DONE,
            ["athlete-transform"] * 2,
        )
        assert "1 row: 1 new" in storage.objects["inbox/done/export_101.zip.txt"].content.decode()
    with pytest.raises(PartMissing, match="INBOX_BUCKET"):
        await import_inbox(told(ImportSettings, cloud), asyncio.Event())
    async with opened_store(settings) as store:
        assert await store.archived_ids(ANNA) == {1}


async def test_of_two_transform_jobs_the_later_leaves(cloud: Mapping[str, str]) -> None:
    """It ends well and has run nothing: who is at work looks once more for changes."""
    settings = told(TransformSettings, cloud)
    with capture_logs() as logs:
        async with leased(open_shared_marks(settings), "transform", LeasePolicy()):
            assert await transform(settings, asyncio.Event()) is JobEnd.DONE
    assert [log["event"] for log in logs] == ["transform.already_running"]


def test_the_sweep_starts_what_is_due(cloud: Mapping[str, str], cloud_run: CloudRun, project_root: Path) -> None:
    """The program ends well, logs as Google reads it, and starts the marts' job: none has run yet."""
    cloud_run.started.clear()
    environment = os.environ | cloud | {"PYTHONPATH": str(project_root), "TRANSFORM_INTERVAL_S": "0"}
    environment |= {"PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}  # nothing is deferred, so nobody listens
    command = [sys.executable, "-m", "worker.sweep"]
    ended = subprocess.run(
        command, cwd=cloud["DATA_DIR"], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (ended.returncode, lines[-1]["event"], lines[-1].get("failed")) == (0, "sweep.finished", []), ended.stderr
    assert "athlete-transform" in cloud_run.started


@pytest.mark.parametrize(
    "module", ["worker.main", "worker.daily", "worker.sweep", "worker.backfill_job", "worker.transform"]
)
def test_a_program_says_what_is_missing(module: str, cloud: Mapping[str, str], project_root: Path) -> None:
    """Without the project, it ends with one sentence."""
    environment = os.environ | cloud | {"PYTHONPATH": str(project_root), "GOOGLE_CLOUD_PROJECT": ""}
    ended = subprocess.run(
        [sys.executable, "-m", module],
        cwd=cloud["DATA_DIR"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "GOOGLE_CLOUD_PROJECT: BACKEND=gcp needs it" in ended.stderr


def test_the_dashboard_has_no_marts_yet(cloud: Mapping[str, str]) -> None:
    """It asks BigQuery, which has none of them before the first build."""
    marts = open_marts(told(DashboardSettings, cloud))
    assert marts.version() is None
    marts.close()


# -- commands -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(cloud: Mapping[str, str]) -> Callable[..., Result]:
    """Run a command with one's own credentials."""

    def _run(*arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, env={**cloud, "COLUMNS": "200"})

    return _run


def test_commands_work_on_the_cloud(run: Callable[..., Result]) -> None:
    """They read and change what the programs do."""
    listed = [json.loads(line) for line in run("athletes", "--json").stdout.splitlines()]
    assert {each["athlete_id"]: each["token"] for each in listed} == {ANNA: "good", BEN: "missing"}
    assert run("events", "--json", "--since", "2100-01-01").stdout == ""
    asked = [json.loads(line) for line in run("backfill", "--no-wait", "--json").stdout.splitlines()]
    assert {each["athlete_id"] for each in asked} == {ANNA, BEN}
    counted = run("query", "--json", "select count(*) as n from raw.strava_athletes")
    assert (counted.exit_code, json.loads(counted.stdout)) == (0, {"n": 2}), counted.stderr
    checked = run("daily", "--athlete", str(BEN), "--json")
    [found] = json.loads(checked.stdout)["checked"]
    assert (checked.exit_code, found["reconciliation"]["stopped_kind"]) == (ExitCode.UNCHECKED, "not_connected")


def test_the_doctor_looks_at_the_cloud(run: Callable[..., Result]) -> None:
    """Each line is about what is there, and none about this machine's files."""
    lines = [json.loads(line) for line in run("doctor", "--offline", "--json").stdout.splitlines()]
    checks = {line["check"] for line in lines}
    assert checks >= {"settings", "athletes", "token", "waiting events", "transform", "daily", "backfill"}
    assert checks & {"database", "disk", "queue", "budget"} == set()
    assert not any("could not be checked" in line["what"] for line in lines), lines


@pytest.mark.parametrize(
    ("command", "said"),
    [("up", "its programs run there"), ("demo", "the demo runs on this machine"), ("budget", "counts the calls")],
)
def test_what_has_no_meaning_there_says_so(run: Callable[..., Result], command: str, said: str) -> None:
    """One sentence, and nothing is begun."""
    ended = run(command)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "BACKEND=gcp is Google Cloud, and " in ended.stderr
    assert said in ended.stderr


class RecordingBigQuery(BigQuery):
    """Keeps the names of the statements, and all that BigQuery's cache goes by."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.asked: list[tuple[str, str]] = []

    async def query(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        self.asked.append((name, f"{sql} {[each.to_api_repr() for each in parameters]}"))
        return await super().query(name, sql, parameters)


async def test_a_sweep_asks_what_its_bill_counts(cloud: Mapping[str, str], bigquery_emulator: str) -> None:
    """The guide's costs are made of these: what the cache does not answer, and what a change makes it ask again."""
    settings = told(WorkerSettings, cloud, streams="all")
    place = Place(
        project=settings.google_cloud_project, location=settings.bigquery_location, endpoint=bigquery_emulator
    )
    bigquery = RecordingBigQuery(place)
    payload = ActivityPayload.from_json({"id": 1, "athlete": {"id": CARA}, "resource_state": 3})
    seen = Observation(activity_id=1, athlete_id=CARA, observed_at=utc_now(), source=Source.BACKFILL, activity=payload)
    now = utc_now()
    store = BigQueryRawStore(bigquery, clock=lambda: now)  # both sweeps on one day
    await store.put_athlete(Athlete(athlete_id=CARA, scope=frozenset(), status=CONNECTED, updated_at=utc_now()))
    await store.apply([seen])
    ran = TransformRun(
        run_id="r",
        watermark="",
        started_at=utc_now(),
        finished_at=utc_now(),
        published_at=utc_now(),
        is_full_refresh=True,
        error=None,
    )
    await store.put_run(ran)
    opened = open_parts(settings, settings.cloud_run_api_endpoint)
    async with running_publish_server() as pubsub:
        queue = open_queue(told(WorkerSettings, cloud, pubsub_emulator_host=pubsub.host))

        marks, snapshot = open_shared_marks(settings), BigQuerySnapshot(place)
        Project(PROJECT_DIR, target="bigquery", marks=marks, snapshot=snapshot).mark_built(is_built=True)

        async def sweep() -> list[tuple[str, str]]:
            bigquery.asked.clear()
            stop = asyncio.Event()
            turns = turns_of(settings, replace(opened, store=store), queue, marks, stop)
            assert await take_turns(turns, stop, Kept(marks, "sweep"), within_s=60) is JobEnd.DONE
            return list(bigquery.asked)

        first, second = await sweep(), await sweep()
        await queue.close()
    assert {name for name, _ in first} == {*AFTER_CHANGE}
    assert set(second) <= set(first)
    await asyncio.gather(opened.close(), store.close())


async def test_a_dead_letter_is_handled_once_more(cloud: Mapping[str, str], run: Callable[..., Result]) -> None:
    """As the runbook says: the worker keeps it, `athlete events` tells it, and a replay leaves it to the sweep."""
    body = pushed(8, ANNA, later=timedelta(hours=1))  # long after Anna connected
    headers = {"authorization": signing_key().header(), "content-type": "application/json"}
    async with started(build_worker(told(WorkerSettings, cloud))) as worker:
        assert (await worker.post("/dead-letter", content=body, headers=headers)).status_code == 204
    listed = (await asyncio.to_thread(run, "events", "--dead", "--json")).stdout.splitlines()
    assert [json.loads(line)["object_id"] for line in listed] == [8]
    again = json.loads((await asyncio.to_thread(run, "replay", "--dead", "--json")).stdout)
    assert again["events"] == [json.loads(line)["event_id"] for line in listed]
    async with opened_store(told(WorkerSettings, cloud)) as store:
        [row, *_] = await store.recent(LedgerFilter(activity_id=8, is_newest=True), limit=9)
    assert (row.outcome, row.reason_kind) == (Outcome.DEFERRED, "replayed")
