"""compose.yaml: one command runs the pipeline, its data stays, and only this machine reaches it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from athlete.settings import ScheduleSettings
from athlete.supervisor import STOP_TIMEOUT_S
from dashboard.settings import DashboardSettings
from service.settings import ServiceSettings
from tests.images.dockerfile import read
from worker.settings import WorkerSettings

SETTINGS = (DashboardSettings, ScheduleSettings, ServiceSettings, WorkerSettings)


@pytest.fixture(scope="module")
def compose(project_root: Path) -> dict[str, Any]:
    """The file, as YAML."""
    parsed = yaml.safe_load((project_root / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


@pytest.fixture(scope="module")
def athlete(compose: dict[str, Any]) -> dict[str, Any]:
    """Its only container."""
    [(name, service)] = compose["services"].items()
    assert name == "athlete"
    assert isinstance(service, dict)
    return service


def test_everything_is_published_on_loopback_alone(athlete: dict[str, Any]) -> None:
    """Service and pages have the same port inside and outside, on 127.0.0.1; the worker's is not published."""
    service, dashboard = "${SERVICE_PORT:-8080}", "${DASHBOARD_PORT:-8501}"
    assert athlete["ports"] == [f"127.0.0.1:{port}:{port}" for port in (service, dashboard)]
    assert "network_mode" not in athlete
    told = athlete["environment"]
    assert (told["SERVICE_PORT"], told["DASHBOARD_PORT"]) == (service, dashboard)
    assert told["WORKER_HOST"] == "127.0.0.1"


def test_the_data_is_in_a_volume_that_the_programs_may_write(
    compose: dict[str, Any], athlete: dict[str, Any], project_root: Path
) -> None:
    """The volume begins as the image's own folder, which its user owns; nothing else can be written but /tmp."""
    image = read(project_root, "athlete")
    assert athlete["volumes"] == [f"{name}:{athlete['environment']['DATA_DIR']}" for name in compose["volumes"]]
    assert image.one("RUN").endswith(f" {athlete['environment']['DATA_DIR']}")
    assert (athlete["read_only"], athlete["tmpfs"], athlete["restart"]) == (True, "/tmp", "unless-stopped")  # noqa: S108


def test_it_builds_the_image_and_reads_the_settings(athlete: dict[str, Any], project_root: Path) -> None:
    """Settings come from .env; those that a container needs otherwise are settings that there are."""
    assert (project_root / athlete["build"]["dockerfile"]).name == "Dockerfile.athlete"
    assert athlete["env_file"] == ".env"
    known = {name.upper() for program in SETTINGS for name in program.model_fields}
    assert set(athlete["environment"]) <= known
    assert "command" not in athlete
    assert read(project_root, "athlete").command() == ["athlete", "up"]


def test_a_stop_waits_until_the_programs_have_finished(athlete: dict[str, Any]) -> None:
    """Docker waits longer than `athlete up` gives its programs before it kills what is left."""
    assert float(athlete["stop_grace_period"].removesuffix("s")) > STOP_TIMEOUT_S
