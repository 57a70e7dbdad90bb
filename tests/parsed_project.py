"""The dbt project as dbt has parsed and built it, once for all processes of a run: it takes longer than most tests."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from backends.warehouse.duckdb.snapshot import DuckdbSnapshot
from worker.dbt_runner.settings import PROJECT_DIR, TransformSettings

PARSED = "target/partial_parse.msgpack"
BUILT = ("transform.duckdb", "dbt/built.sha256", "dbt/refresh_script")
PROJECT = "a-project"
NOWHERE = "http://127.0.0.1:9"


def parse_once(work_dir: Path, **options: Any) -> Path:
    """Parse a project into a folder that all processes know, or find it there; return the folder."""
    from worker.dbt_runner.dbt import WarmDbt  # noqa: PLC0415 - dbt, for which no other test need wait

    with FileLock(f"{work_dir}.lock"):
        if not (work_dir / PARSED).exists():
            snapshot = DuckdbSnapshot(work_dir / "transform.duckdb", work_dir / "mart.duckdb")
            assert WarmDbt(work_dir=work_dir, snapshot=snapshot, **options).project_fault() is None
    return work_dir


def give(parsed: Path, work_dir: Path) -> None:
    """Put what was parsed where dbt will look for it."""
    (work_dir / PARSED).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(parsed / PARSED, work_dir / PARSED)


def give_built(built: Path, data_dir: Path) -> None:
    """Put what was built of nothing into a data folder: its first run is a refresh, for which no dbt is started."""
    give(built / "dbt", data_dir / "dbt")
    for name in BUILT:
        shutil.copy(built / name, data_dir / name)


async def build_of_nothing(settings: TransformSettings) -> None:
    """Build the marts as a program does that runs for the first time, and before anybody has connected."""
    from worker.dbt_runner.main import open_transformer  # noqa: PLC0415 - as above

    async with open_transformer(settings) as transformer:
        assert (await transformer.run()).run.error is None


def _project_files() -> set[Path]:
    """Return what is where the project is, without what Python compiles its modules to when they are first imported."""
    return {file for file in PROJECT_DIR.rglob("*") if "__pycache__" not in file.parts}


@pytest.fixture(scope="session")
def common_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def parsed_project(common_folder: Path) -> Path:
    """The work folder of a dbt that has parsed the real project for DuckDB."""
    settings = TransformSettings(data_dir=common_folder)
    environment = settings.dbt_environment(common_folder / "duckdb_extensions")
    return parse_once(common_folder / "parsed", project_dir=PROJECT_DIR, environment=environment)


@pytest.fixture(scope="session")
def built_project(common_folder: Path, parsed_project: Path) -> Path:
    """The data folder of a pipeline that has built the marts of nothing."""
    folder = common_folder / "built"
    with FileLock(f"{folder}.lock"):
        if not all((folder / name).exists() for name in BUILT):
            give(parsed_project, folder / "dbt")
            before = _project_files()
            asyncio.run(build_of_nothing(TransformSettings(data_dir=folder)))
            assert _project_files() == before  # nothing is written where the project is
    return folder


@pytest.fixture(scope="session")
def parsed_for_bigquery(common_folder: Path) -> Path:
    """The work folder of a dbt that has parsed it for BigQuery, in the project of PROJECT: dbt keeps its name."""
    settings = TransformSettings(data_dir=common_folder, google_cloud_project=PROJECT, bigquery_api_endpoint=NOWHERE)
    environment = settings.bigquery_environment
    return parse_once(common_folder / "parsed_bq", project_dir=PROJECT_DIR, environment=environment, target="bigquery")
