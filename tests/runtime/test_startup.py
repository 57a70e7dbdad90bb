"""Programs that cannot begin say why in one sentence, and never show a setting's value, which may be a secret."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from backends.sqlite import open_database
from runtime.settings import SharedSettings
from runtime.startup import exit_on_startup_error
from tests import refusals

every_program = pytest.mark.parametrize("name", sorted(refusals.PROGRAMS.keys() - {"simulator"}))


def refusal_of(
    name: str,
    folder: Path,
    root: Path,
    start: refusals.Start = refusals.refusal_of,
    /,
    **environment: str,
) -> str:
    """Start a program that cannot begin, and return what it says."""
    told = {**os.environ, "DATA_DIR": str(folder), "PUSH_TOKEN": "word", **environment}
    without_env = root / "tests"  # where no .env lies
    (line,) = start(name, without_env, told)
    assert line.startswith(f"{name}: ")
    return line


@pytest.mark.slow
@every_program
def test_wrong_setting_is_named_without_its_value(name: str, tmp_path: Path, project_root: Path) -> None:
    """The sentence names the setting and what it may be, not what it is."""
    line = refusal_of(name, tmp_path, project_root, refusals.refusal_with_imports, BACKEND="t0ken")
    assert "BACKEND: Input should be 'embedded'" in line
    assert "t0ken" not in line


@pytest.mark.slow
def test_token_in_the_wrong_place_is_not_shown(tmp_path: Path, project_root: Path) -> None:
    """A secret that was pasted into the line of another setting stays a secret."""
    line = refusal_of("worker", tmp_path, project_root, STRAVA_SUBSCRIPTION_ID="t0ken")
    assert "STRAVA_SUBSCRIPTION_ID: Input should be a valid integer" in line
    assert "t0ken" not in line


@pytest.mark.slow
def test_unusable_credentials_of_google(tmp_path: Path, project_root: Path) -> None:
    """The sentence says which command makes some."""
    google = {"BACKEND": "gcp", "GOOGLE_CLOUD_PROJECT": "p", "PUBSUB_TOPIC": "projects/p/topics/strava-events"}
    missing = str(tmp_path / "no.json")
    line = refusal_of("service", tmp_path, project_root, **google, GOOGLE_APPLICATION_CREDENTIALS=missing)
    assert "no.json was not found" in line
    assert "gcloud auth application-default login" in line


@pytest.mark.slow
@every_program
def test_unusable_data_folder(name: str, tmp_path: Path, project_root: Path) -> None:
    """A data folder that cannot be made is named."""
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refusal_of(name, tmp_path / "file" / "data", project_root)


@pytest.mark.slow
@every_program
def test_file_of_a_newer_program(name: str, tmp_path: Path, project_root: Path) -> None:
    """The sentence says what to do."""
    with closing(open_database(tmp_path / "pipeline.sqlite")) as connection:
        connection.execute("pragma user_version = 999")
    assert "Upgrade the program" in refusal_of(name, tmp_path, project_root)


@pytest.mark.slow
@every_program
def test_file_that_is_no_database(name: str, tmp_path: Path, project_root: Path) -> None:
    """What SQLite says is told, of which file, and what to do."""
    (tmp_path / "pipeline.sqlite").touch(mode=0o600)  # what others may read is told of besides
    (tmp_path / "pipeline.sqlite").write_text("no database" * 200)
    line = refusal_of(name, tmp_path, project_root)
    assert f"{tmp_path / 'pipeline.sqlite'} is damaged or no database (file is not a database)" in line
    assert "restore it from a backup" in line


def test_text_of_a_wrong_setting_hides_the_value() -> None:
    """Printing the error by accident tells nothing."""
    with pytest.raises(ValidationError) as caught:
        SharedSettings.model_validate({"backend": "t0ken"})
    assert "t0ken" not in str(caught.value)


def test_unexpected_errors_keep_their_traceback() -> None:
    """A fault of our own is not dressed up as one of the settings."""
    with pytest.raises(KeyError), exit_on_startup_error("program", sqlite3.Warning):
        raise KeyError("bug")


LATER = """
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from runtime.startup import exit_on_startup_error

with exit_on_startup_error("program") as started:
    configure_logs(LogFormat.JSON)
    started()
    raise OSError("the disk is full")
"""


def test_an_error_after_the_start_is_logged_with_its_traceback(project_root: Path) -> None:
    """What would be one sentence at the start is a fault of the run later: traceback in the log, and code 1."""
    told = {**os.environ, "PYTHONPATH": str(project_root)}
    ended = subprocess.run([sys.executable, "-c", LATER], env=told, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    logged = json.loads(line)
    assert logged["event"] == "program.failed"
    assert logged["exception"].startswith("Traceback")
    assert "the disk is full" in logged["exception"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["service", "worker"])
def test_a_port_that_is_taken(name: str, tmp_path: Path, project_root: Path) -> None:
    """The sentence names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal_of(name, tmp_path, project_root, **{f"{name.upper()}_PORT": str(port)})
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use" in line


@pytest.mark.slow
def test_a_host_that_is_none(tmp_path: Path, project_root: Path) -> None:
    """A name that nobody knows is an address that cannot be listened on."""
    assert "no.such.host:8080 cannot be listened on" in refusal_of(
        "service", tmp_path, project_root, SERVICE_HOST="no.such.host", SERVICE_PORT="8080"
    )
