"""Settings that are wrong are refused by name, before anything starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from athlete.settings import DelivererSettings, ScheduleSettings
from dashboard.settings import DashboardSettings
from runtime.settings import LogLevel, SharedSettings, WebAddress, settings_complaint
from service.settings import ServiceSettings
from worker.dbt_runner.settings import TransformSettings
from worker.settings import WorkerSettings

PROGRAMS = (DashboardSettings, DelivererSettings, ScheduleSettings, TransformSettings, WorkerSettings)


@pytest.mark.parametrize("text", ["WARNING", "warning", "Warning"])
def test_a_level_is_read_in_any_case(text: str) -> None:
    """`warning` and `WARNING` are the same level."""
    assert SharedSettings.model_validate({"log_level": text}).log_level is LogLevel.WARNING


@pytest.mark.parametrize("text", ["verbose", "20", " "])
def test_a_level_that_is_none_is_refused(text: str) -> None:
    """The error names the setting and the levels there are."""
    with pytest.raises(ValidationError, match="'DEBUG', 'INFO', 'WARNING' or 'ERROR'"):
        SharedSettings.model_validate({"log_level": text})


def test_everything_lies_in_the_data_folder() -> None:
    """The files that the programs share are found from one setting."""
    settings = SharedSettings(data_dir=Path("here"))
    paths = [settings.pipeline_path, settings.transform_path, settings.mart_path, settings.tokens_path]
    assert {path.parent for path in paths} == {Path("here")}
    assert len(set(paths)) == 4


@pytest.mark.parametrize(
    "text",
    ["not a url", "www.strava.com", "ftp://strava.com", "http://", "http://[::1", "http://h:port/", "http://a b/"],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    """What could only fail at the first call is refused at the start, in a sentence."""
    with pytest.raises(ValidationError, match="it is no web address; write one such as https://"):
        TypeAdapter(WebAddress).validate_python(text)


@pytest.mark.parametrize("text", ["https://www.strava.com/api/v3", "http://127.0.0.1:8090/oauth", "http://[::1]:80"])
def test_an_address_is_taken_as_it_is(text: str) -> None:
    """Nothing is added or cut."""
    assert TypeAdapter(WebAddress).validate_python(text) == text


@pytest.mark.parametrize("number", ["inf", "nan", "-inf"])
def test_a_number_of_seconds_is_finite(number: str) -> None:
    """What no clock can count is refused, for every program."""

    class Waiting(SharedSettings):
        wait_s: float = 1.0

    with pytest.raises(ValidationError, match="finite number"):
        Waiting.model_validate({"wait_s": number})


@pytest.mark.slow
def test_an_env_file_that_is_no_text_is_told_in_a_sentence(tmp_path: Path, project_root: Path) -> None:
    """Bytes that are no UTF-8 end no program in a traceback."""
    (tmp_path / ".env").write_bytes(b"DATA_DIR=\xff\xfe")
    command = [sys.executable, "-m", "athlete", "events"]
    told = {**os.environ, "PYTHONPATH": str(project_root)}
    ended = subprocess.run(command, cwd=tmp_path, env=told, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        "athlete: Settings cannot be read: .env is no text in UTF-8; save it as such.\n",
    )


@pytest.mark.parametrize("program", [*PROGRAMS, SharedSettings], ids=lambda program: program.__name__)
def test_google_cloud_needs_a_project(program: type[SharedSettings]) -> None:
    """Without it no program begins there: what asks Google for its own default might ask about another project."""
    with pytest.raises(ValidationError, match="BACKEND=gcp needs it"):
        program.model_validate({"backend": "gcp"})
    assert program.model_validate({"backend": "gcp", "google_cloud_project": "p"}).google_cloud_project == "p"


@pytest.mark.parametrize("project", ["My Project", "my_project", "Mine", "mine-", "1-mine", "projects/mine"])
def test_a_project_is_told_by_its_id(project: str) -> None:
    """Google answers any other text with an error that tells nobody which setting is meant."""
    with pytest.raises(ValidationError, match="write the project's id"):
        SharedSettings(google_cloud_project=project)
    for project_id in ("my-project-123456", "example.com:my-project"):
        assert SharedSettings(google_cloud_project=project_id).google_cloud_project == project_id


def test_cloud_run_tells_a_program_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """PORT counts on Cloud Run alone, and gives way to the program's own setting."""
    programs = {"SERVICE_PORT": ServiceSettings, "WORKER_PORT": WorkerSettings, "DASHBOARD_PORT": DashboardSettings}
    for name in (*programs, "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)

    def ports() -> list[int]:
        return [getattr(program(), name.lower()) for name, program in programs.items()]

    monkeypatch.setenv("PORT", "9000")
    assert ports() == [8080, 8081, 8501]
    monkeypatch.setenv("K_SERVICE", "athlete-service")
    assert ports() == [9000, 9000, 9000]
    monkeypatch.setenv("SERVICE_PORT", "80")
    assert ports() == [80, 9000, 9000]


@pytest.mark.parametrize("text", ["", "no number", "70000"])
def test_a_port_of_cloud_run_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is told as a setting that is wrong, as the program's own would be."""
    monkeypatch.delenv("SERVICE_PORT", raising=False)
    monkeypatch.setenv("K_SERVICE", "athlete-service")
    monkeypatch.setenv("PORT", text)
    with pytest.raises(ValidationError) as refused:
        ServiceSettings()
    assert "SERVICE_PORT: Input should be" in settings_complaint(refused.value)
