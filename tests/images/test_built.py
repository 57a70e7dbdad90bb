"""The images, really built and really run: an activity that is saved at Strava comes out of a page.

Opt-in, because building takes minutes: `make test-images`.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from athlete.demo.config import CLIENT_ID, CLIENT_SECRET, DemoConfig
from athlete.demo.simulator_client import SimulatorClient
from athlete.supervisor import ProcessTree
from backends.warehouse.duckdb.marts import DuckdbMartReader
from runtime.http_client import loopback_client
from tests.cloud_run_server import running_cloud_run
from tests.cloud_storage_server import running_cloud_storage
from tests.end_to_end.conftest import make_config
from tests.google_project import new_project
from tests.images.buildah import Container, Images, why_not
from tests.images.dockerfile import PROGRAMS, Dockerfile, read
from tests.pubsub_emulator import EmulatedTopic
from tests.secret_manager_server import running_server
from tests.serving import listening
from tests.signing_relay import SigningRelay
from tests.worker.test_import_job import TRACK, export

pytestmark = [pytest.mark.images, pytest.mark.slow, pytest.mark.timeout(3600)]

USER = 10001
# What infra/jobs.tf tells the import job of the project, and where its servers are; no word of Strava.
OF_THE_IMPORT_JOB = (
    "BACKEND", "BIGQUERY_API_ENDPOINT", "CLOUD_RUN_API_ENDPOINT", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_REGION",
    "LOG_FORMAT",
)  # fmt: skip
PATIENCE_S = 600


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Iterator[Images]:
    """All four images."""
    if missing := why_not():
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    images = Images(tmp_path_factory.mktemp("containers"))
    try:
        images.make_base()
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(images.build, project_root), PROGRAMS))
        yield images
    finally:
        images.remove()


class Life:
    """The simulator, an athlete of it, and containers that serve the athlete from one data folder."""

    def __init__(self, config: DemoConfig, http: httpx.AsyncClient, images: Images, project_root: Path) -> None:
        self.config = config
        self.simulator = SimulatorClient(http, config.simulator_url)
        self.data = config.data_dir / "data"
        self._http, self._images, self._root = http, images, project_root
        self._stack = ExitStack()
        self.containers: dict[str, Container] = {}

    def start(self, program: str, *command: str, image: str = "", **environment: str) -> None:
        """Start a program in its image: the image's own command, if none is given."""
        dockerfile = read(self._root, image or program)
        ports = {f"{name.upper()}_PORT": str(getattr(self.config.ports, name)) for name in PROGRAMS[:3]}
        told = {name: value for name, value in self.config.environment.items() if value}
        told |= {**ports, "DATA_DIR": "/data", **environment}
        container = self._stack.enter_context(self._images.container(image or program, self.data, told))
        container.start(*(command or dockerfile.command()))
        self.containers[program] = container

    async def until_healthy(self, program: str, dockerfile: Dockerfile) -> None:
        """Wait for the image's own health check to be content."""
        check = ["python", "-m", "runtime.health_probe", *dockerfile.health_check()]
        await self.until(lambda: self.containers[program].succeeds(*check), f"{program} is not healthy")

    async def until(self, holds: Any, complaint: str) -> None:
        """Look again and again until something holds; what the programs said is shown if it never does."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - other programs make it hold
                    await asyncio.sleep(0.2)
        except TimeoutError:
            logs = "\n".join(f"--- {name}\n{each.log()}" for name, each in self.containers.items())
            pytest.fail(f"{complaint}\n{logs}")

    async def refresh_token(self) -> str:
        """Let the athlete authorise at the simulator, and return the refresh token that the app is given."""
        code = await self.simulator.approve(self.config.oauth_url, f"{self.config.ports.service_url}/connect/callback")
        asked = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "authorization_code"}
        answer = await self._http.post(f"{self.config.oauth_url}/token", data={**asked, "code": code})
        answer.raise_for_status()
        return str(answer.json()["refresh_token"])

    async def save(self, name: str) -> None:
        """Save an activity, and wait until the page's own query finds it in the published marts."""
        activity_id = await self.simulator.create(sport_type="Run", name=name)
        marts = DuckdbMartReader(self.data / "mart.duckdb")

        def is_there() -> bool:
            if not (self.data / "mart.duckdb").exists():
                return False
            return bool(marts.rows("select 1 from mart.fct_activities where activity_id = ?", [activity_id]))

        await self.until(is_there, f"{name} is not in the marts")

    async def page_shows(self, program: str, activity: str) -> None:
        """Streamlit serves the page, and what the page's own code draws in that container names the activity."""
        for path in ("/", "/pipeline"):
            answer = await self._http.get(f"{self.config.ports.dashboard_url}{path}")
            assert answer.status_code == 200, path
        assert activity in self.containers[program].run("python", "-c", OPEN_THE_PAGE)

    async def imports(self, name: str, content: bytes) -> None:
        """Put a file into the inbox of one machine, where it is read and moved away."""
        inbox = self.data / "inbox"
        (inbox / name).write_bytes(content)
        shutil.chown(inbox / name, USER, USER)  # until when it waits, for it has to stand still first
        reports = {where: inbox / where / f"{name}.txt" for where in ("done", "failed")}
        await self.until(lambda: any(each.exists() for each in reports.values()), f"{name} is not imported")
        told = {where: each.read_text() for where, each in reports.items() if each.exists()}
        assert told == {"done": f"{name}: read\n"}

    def run_alone(self, image: str, *command: str, **environment: str) -> None:
        """Run a command in a container that is told this alone; it must end well."""
        with self._images.container(image, self.data, environment) as container:
            container.run(*command)

    def look_inside(self, program: str) -> None:
        """The program is its user's, who may write to the data and to what is temporary; all is compiled for good."""
        container = self.containers[program]
        assert {process.uids().real for process in container.programs()} == {USER}
        seen = json.loads(container.run("python", "-c", INSIDE))
        assert set(seen["writable"]) - {"/var/tmp"} == {"/data", "/tmp"}  # noqa: S108 - a container's own
        assert seen["compiled"] > 500
        assert seen["not_compiled"] == []
        assert seen["pip"] is None

    def stop(self) -> None:
        """End every program by SIGTERM: each finishes what it does and ends well."""
        for name, container in self.containers.items():
            assert container.stop() == 0, f"{name}\n{container.log()}"
        self.containers.clear()
        self._stack.close()

    def close(self) -> None:
        """Kill what is left."""
        self._stack.close()


OPEN_THE_PAGE = """
from streamlit.testing.v1 import AppTest

page = AppTest.from_file("/app/dashboard/main.py", default_timeout=60).run()
assert not page.exception, page.exception
print(*(each.proto.body for each in page.get("html")), *(each.value for each in page.info))
"""
# What its user finds in a container. Byte 4 of a compiled file is 1 where it is valid without a look at its source.
INSIDE = """
import json, os, sys
from importlib.util import cache_from_source, find_spec
from pathlib import Path

def writable():
    for folder, folders, _ in os.walk("/"):
        folders[:] = [each for each in folders if os.path.join(folder, each) not in {"/dev", "/proc", "/sys"}]
        if os.access(folder, os.W_OK):
            yield folder
            folders.clear()

def is_compiled(source):
    compiled = Path(cache_from_source(source))
    return compiled.exists() and compiled.open("rb").read(5)[4] == 1

sources = [path for root in ("/venv/lib", "/app") for path in Path(root).rglob("*.py")]
left = [str(path) for path in sources if not is_compiled(path)]
print(json.dumps({
    "writable": list(writable()), "compiled": len(sources), "not_compiled": left, "pip": find_spec("pip"),
}))
"""


@pytest.fixture
async def life(tmp_path: Path, images: Images, project_root: Path) -> AsyncIterator[Life]:
    """A running simulator, and an empty data folder that the images' user owns."""
    config = make_config(tmp_path)
    async with ProcessTree(tmp_path / "logs") as tree, loopback_client(timeout=30) as http:
        await tree.start([config.simulator()])
        life = Life(config, http, images, project_root)
        life.data.mkdir(mode=0o700)
        shutil.chown(life.data, USER, USER)
        tmp_path.chmod(0o711)
        yield life
        life.close()


def compose_environment(project_root: Path) -> dict[str, str]:
    """Return what compose.yaml tells the container; the ports are those that are set beside it."""
    service = yaml.safe_load((project_root / "compose.yaml").read_text(encoding="utf-8"))["services"]["athlete"]
    return {name: value for name, value in service["environment"].items() if not re.match(r"\$\{", str(value))}


async def test_a_saved_activity_passes_through_the_images(life: Life, project_root: Path) -> None:
    """Each program in its own image at first, then all of them in one as compose.yaml runs it, on the same data.

    Commands are given as a person gives them, inside the container; Strava's challenge is the simulator's.
    """
    life.start("service")
    life.start("worker", PUSH_TOKEN="a-word-of-the-test")
    life.start("deliverer", *("python", "-m", "athlete.deliverer"), image="athlete", PUSH_TOKEN="a-word-of-the-test")
    life.start("transformer", *("python", "-m", "worker.dbt_runner.main"), image="worker")
    life.start("dashboard")
    for program in ("service", "worker", "dashboard"):
        await life.until_healthy(program, read(project_root, program))
    await introduce(life, life.containers["deliverer"].run)
    await life.save("Through five containers")
    await life.page_shows("dashboard", "Through five containers")
    life.containers["worker"].run("python", "-m", "worker.daily")  # it ends well if its verdict is complete
    for program in ("service", "worker", "dashboard"):
        life.look_inside(program)
    life.stop()

    life.start("athlete", **compose_environment(project_root))
    await life.until_healthy("athlete", read(project_root, "athlete"))
    await life.save("Through one container")
    await life.page_shows("athlete", "Through one container")
    told = life.containers["athlete"].run("athlete", "query", "--csv", "select count(*) as n from mart.fct_activities")
    assert told.split() == ["n", "2"]
    assert life.containers["athlete"].run("athlete", "--version").startswith("athlete-dashboard ")
    await life.imports("run.gpx", TRACK)
    life.look_inside("athlete")
    life.stop()


async def test_the_images_work_on_google_cloud(
    life: Life, project_root: Path, bigquery_emulator: str, pubsub_emulator: str
) -> None:
    """What is saved goes through Pub/Sub into BigQuery, and jobs in the worker's image end well.

    Servers of this machine stand for Google's. They build no marts, whose SQL is for BigQuery's own engine.
    """
    relay, topic = SigningRelay(), EmulatedTopic(pubsub_emulator)
    await topic.create()
    with running_server() as secrets, running_cloud_run() as cloud_run, running_cloud_storage() as storage:
        cloud = new_project(
            bigquery=bigquery_emulator,
            cloud_run=cloud_run.endpoint,
            secret_manager=secrets.endpoint,
            certificates=relay.certificates_url,
            strava=life.config.simulator_url,
            data_dir=Path("/data"),
        )
        cloud |= {"PUBSUB_EMULATOR_HOST": pubsub_emulator, "PUBSUB_TOPIC": topic.name}
        for program in ("service", "worker", "dashboard"):
            life.start(program, **cloud)
            await life.until_healthy(program, read(project_root, program))
        run_here = partial(run_outside, project_root, life.data.parent, {**life.config.environment, **cloud})
        await introduce(life, run_here)
        async with (
            listening(relay.app, relay.port),
            httpx.AsyncClient(base_url=life.config.ports.worker_url, trust_env=False, timeout=60) as relay.worker,
            topic.pushing(*relay.pushes_to),
        ):
            activity_id = await life.simulator.create(sport_type="Run", name="Through the cloud")
            await life.until(lambda: 204 in relay.answers[str(activity_id)], "the worker took no push")
        stored = run_here("athlete", "query", "--json", "select activity_id from raw.strava_activities")
        assert json.loads(stored) == {"activity_id": activity_id}
        for job in ("worker.sweep", "worker.backfill_job", "worker.daily"):
            life.containers["worker"].run("python", "-m", job)
        assert {"athlete-backfill", "athlete-transform"} <= set(cloud_run.started)
        storage.put("inbox/export_4242424242.zip", export("activities/1.gpx"))
        told = {name: cloud[name] for name in OF_THE_IMPORT_JOB} | {"DATA_DIR": "/tmp/athlete"}  # noqa: S108 - in memory
        told |= {"INBOX_BUCKET": "my-inbox/inbox", "STORAGE_API_ENDPOINT": storage.endpoint}
        life.run_alone("worker", "python", "-m", "worker.import_job", **told)
        report = storage.objects["inbox/done/export_4242424242.zip.txt"].content.decode()
        assert "1 row: 1 new\n1 file: 1 read" in report
        await life.page_shows("dashboard", "No data yet")
        life.stop()
    await topic.close()


def run_outside(
    project_root: Path, folder: Path, environment: Mapping[str, str], *command: str, given: str = ""
) -> str:
    """Run a command of ours on this machine, as a person does with Google Cloud; it must end well."""
    told = {**os.environ, **environment, "PYTHONPATH": str(project_root), "DATA_DIR": str(folder / "own")}
    program = [sys.executable, "-m", *command]
    ran = subprocess.run(program, cwd=folder, env=told, input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


async def introduce(life: Life, run: Callable[..., str]) -> None:
    """Connect the athlete and subscribe, with the commands that `run` runs."""
    assert "4242424242" in run("athlete", "connect", given=await life.refresh_token())
    run("athlete", "subscription", "create", "--public-url", life.config.ports.service_url)
