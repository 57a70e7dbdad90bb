"""What the Dockerfiles say: each image holds what its program needs, no more, and runs it as a user without rights."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.settings import DashboardSettings
from service.settings import ServiceSettings
from tests.images.dockerfile import PROGRAMS, Dockerfile, read
from tests.import_graph import reached
from worker.settings import WorkerSettings

# What is started in an image: the program and its jobs, and what it imports only with a certain setting.
STARTED = {
    "service": {"service.main", "backends.queue.pubsub.queue"},
    "worker": {
        "worker.main",
        "worker.daily",
        "worker.sweep",
        "worker.backfill_job",
        "worker.import_job",
        "worker.importing.reader",
        "worker.transform",
        "worker.dbt_runner.main",
        "backends.queue.pubsub.push_auth",
    },
    "dashboard": {"dashboard.__main__", "dashboard.main"},
}
STARTED["athlete"] = {
    "athlete.main", "athlete.supervised", "athlete.deliverer", "service.main", "simulator.main",
    "worker.main", "worker.daily", "worker.dbt_runner.main", *STARTED["dashboard"],
}  # fmt: skip
ASKED = {
    "service": {"service": "/health"},
    "worker": {"worker": "/health"},
    "dashboard": {"dashboard": "/_stcore/health"},
    "athlete": {"service": "/health", "worker": "/health", "dashboard": "/_stcore/health"},
}
PORTS = {
    "service": ServiceSettings.model_fields["service_port"].get_default(call_default_factory=True),
    "worker": WorkerSettings.model_fields["worker_port"].get_default(call_default_factory=True),
    "dashboard": DashboardSettings.model_fields["dashboard_port"].get_default(call_default_factory=True),
}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """One of the images."""
    return str(request.param)


@pytest.fixture
def image(program: str, project_root: Path) -> Dockerfile:
    """Its Dockerfile."""
    return read(project_root, program)


def needed(root: Path, program: str) -> set[str]:
    """Return the rooms that are reached from what is started; dbt's project is read by whom runs dbt."""
    ours, _ = reached(root, STARTED[program] | {"runtime.health_probe"})
    rooms = {module.split(".")[0] for module in ours}
    return rooms | ({"transforms"} if "worker.dbt_runner.dbt" in ours else set())


@pytest.mark.slow
def test_an_image_holds_the_rooms_that_its_program_needs(program: str, image: Dockerfile, project_root: Path) -> None:
    """Nothing else is copied into it: beside the rooms only lock files, and for a wheel what describes it."""
    assert image.rooms() == needed(project_root, program)
    others = {source for sources in image.copied() for source in sources} - image.rooms()
    described = {"requirements/build.txt", "pyproject.toml", "README.md"} if program == "athlete" else set()
    assert others == {image.lock(), *described}


@pytest.mark.slow
def test_a_program_starts_with_its_rooms_and_packages_alone(
    program: str, image: Dockerfile, project_root: Path, tmp_path: Path
) -> None:
    """Everything that is started there is imported where the copied rooms and the locked packages are all there is."""
    for room in image.rooms():
        shutil.copytree(project_root / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "target"))
    script, lock_file = project_root / "tests/only_locked.py", project_root / image.lock()
    command = [sys.executable, "-P", str(script), str(lock_file), "import", *sorted(STARTED[program])]
    told = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_base_is_an_argument(image: Dockerfile) -> None:
    """Both stages begin with it, and by default it is a tag: a digest is told by the one who builds."""
    assert image.arguments == [("ARG", "BASE=python:3.11-slim-bookworm")]
    assert [image.build[0], image.final[0]] == [("FROM", "${BASE} AS build"), ("FROM", "${BASE}")]


def test_packages_are_locked_with_their_hashes(image: Dockerfile, project_root: Path) -> None:
    """Each installation from an index is of a lock file, and the final stage installs nothing."""
    installs = [part for word, text in image.build if word == "RUN" for part in text.split("&&") if " install " in part]
    assert installs
    for each in installs:
        assert "--no-index" in each or {"--no-deps", "--require-hashes", "--requirement"} <= set(each.split()), each
    assert [text.split()[0] for word, text in image.final if word == "RUN"] == ["install"]
    assert "--directory" in image.one("RUN")
    assert (project_root / image.lock()).is_file()


def test_the_program_is_nobody_and_gets_the_signals(image: Dockerfile) -> None:
    """A user by number, who owns the data folder alone; program and health check run without a shell."""
    assert image.one("USER") == "10001:10001"
    assert image.one("RUN").endswith("--owner=10001 --group=10001 --mode=0700 /data")
    assert image.command()
    assert image.health_check()


def test_the_health_check_asks_where_the_programs_listen(program: str, image: Dockerfile) -> None:
    """At the port of the setting, or at its default; what is to be reached from outside listens everywhere."""
    asked = [f"{name.upper()}_PORT={PORTS[name]}{path}" for name, path in ASKED[program].items()]
    assert image.health_check() == asked
    exposed = [name for name, port in PORTS.items() if str(port) in image.one("EXPOSE").split()]
    assert set(re.findall(r"([A-Z]+)_HOST=0\.0\.0\.0", image.one("ENV"))) == {name.upper() for name in exposed}
    assert exposed == [name for name in ASKED[program] if program != "athlete" or name != "worker"]


def test_only_what_is_copied_is_sent_to_the_builder(project_root: Path) -> None:
    """.dockerignore leaves out everything but the sources of the images, so no settings, no data and no history."""
    lines = (project_root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    images = [read(project_root, program) for program in PROGRAMS]
    sources = {source.split("/")[0] for image in images for sources in image.copied() for source in sources}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == sources


def test_cloud_run_starts_what_the_images_hold(project_root: Path) -> None:
    """Terraform's commands and ports are those of the images; the jobs are of the worker's image."""
    for program in ("service", "worker", "dashboard"):
        image = read(project_root, program)
        text = (project_root / f"infra/{program}.tf").read_text(encoding="utf-8")
        assert re.findall(r'image += "\$\{local\.images\}/(\w+):', text) == [program]
        [command] = re.findall(r"command = \[(.*)\]", text)
        assert re.findall(r'"([^"]+)"', command) == image.command()
        assert re.findall(r" args +=", text) == []
        assert re.findall(r"container_port = (\d+)", text) == [str(PORTS[program])]
    jobs = (project_root / "infra/jobs.tf").read_text(encoding="utf-8")
    assert re.findall(r'image += "\$\{local\.images\}/(\w+):', jobs) == ["worker"]
    modules = re.findall(r'module = "([\w.]+)"', jobs)
    assert {module.split(".")[0] for module in modules} <= read(project_root, "worker").rooms()
