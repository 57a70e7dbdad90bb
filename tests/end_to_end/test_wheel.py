"""The wheel, installed outside the checkout: its commands find what they read and write to the data folder only."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.sqlite import open_database
from backends.warehouse.activities import Observation, Source
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.payload import ActivityPayload
from tests.parsed_project import give

pytestmark = pytest.mark.slow

Run = Callable[..., str]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """The folder that a wheel of this checkout was installed to, without any index."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    subprocess.run(build, cwd=project_root, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    subprocess.run([*pip, "--target", str(folder / "site"), str(wheel)], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture
def run(installed: Path, tmp_path: Path, project_root: Path) -> Run:
    """What runs a module of the installed wheel in a folder of its own, with the packages of the lock file alone."""
    lock_file = project_root / "requirements/athlete.txt"

    def _run(*module: str) -> str:
        script = (sys.executable, "-P", str(project_root / "tests/only_locked.py"), str(lock_file), "run")
        told = {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(
            [*script, *module], cwd=tmp_path, env=os.environ | told, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return _run


async def test_an_installed_wheel_transforms(
    installed: Path, tmp_path: Path, run: Run, project_root: Path, parsed_project: Path
) -> None:
    """One stored activity comes out of the published marts; nothing is written where the program was installed."""
    data_dir = tmp_path / "data"
    open_database(data_dir / "pipeline.sqlite").close()
    give(parsed_project, data_dir / "dbt")
    store = SqliteRawStore(data_dir / "pipeline.sqlite")
    await store.apply([_recorded(project_root)])
    await store.close()
    before = set(installed.rglob("*"))

    assert f"Published {data_dir / 'mart.duckdb'}" in run("athlete", "transform").replace("\n", "")
    answer = run("athlete", "query", "--csv", "select count(*) as runs from mart.fct_activities")
    assert answer.split() == ["runs", "1"]
    assert set(installed.rglob("*")) == before


def test_a_wheel_holds_what_the_checkout_holds(installed: Path, project_root: Path) -> None:
    """Each file of our packages and of the dbt project travels: SQL, migrations, the icon, Streamlit's settings."""
    git = (shutil.which("git") or "git", "ls-files")
    tracked = subprocess.run(git, cwd=project_root, check=True, capture_output=True, text=True).stdout
    rooms = {path.parent.name for path in project_root.glob("*/__init__.py")} - {"benchmarks"} | {"transforms"}
    files = {file for file in tracked.splitlines() if file.split("/")[0] in rooms}
    assert {"dashboard/.streamlit/config.toml", "transforms/dbt_project.yml"} < files
    assert {file for file in files if not (installed / file).exists()} == set()


def _recorded(project_root: Path) -> Observation:
    answer = json.loads((project_root / "tests/fixtures/strava/activity_run_marathon.json").read_text())
    activity = ActivityPayload.from_json(answer["body"])
    return Observation(
        activity_id=activity.activity_id,
        athlete_id=activity.athlete_id,
        observed_at=datetime.now(UTC),
        source=Source.WEBHOOK,
        activity=activity,
    )
