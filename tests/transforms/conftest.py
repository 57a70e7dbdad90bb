"""The fixtures of the transforms' tests: an empty warehouse, payloads, and a life that is built once."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from backends.warehouse.duckdb.extension import extension_directory
from tests.parsed_project import give
from tests.transforms.compiled import compiled_for_duckdb
from tests.transforms.life import ROOT, lived, run_payload
from tests.transforms.warehouse import Warehouse, know_script

if TYPE_CHECKING:
    from tests.transforms.bigquery import BigQueryDialect
    from tests.transforms.bigquery_builds import Refresh
    from tests.transforms.bigquery_reads import TypedTables


@pytest.fixture(scope="session")
def dbt_variables(tmp_path_factory: pytest.TempPathFactory, built_project: Path) -> dict[str, str]:
    """The environment of the project: one target folder for all, DuckDB's extension from the installed wheel."""
    folder = tmp_path_factory.mktemp("dbt")
    give(built_project / "dbt", folder)
    know_script(built_project / "dbt/refresh_script")
    return {
        "DUCKDB_EXTENSION_DIR": str(extension_directory(folder)),
        "DBT_PROJECT_DIR": str(ROOT / "transforms"),
        "DBT_PROFILES_DIR": str(ROOT / "transforms"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "log"),
    }


@pytest.fixture
def warehouse(tmp_path: Path, dbt_variables: dict[str, str]) -> Iterator[Warehouse]:
    """An empty warehouse: the tables of `raw`, nothing in them, nothing built."""
    with closing(Warehouse(tmp_path / "data", dbt_variables)) as warehouse:
        yield warehouse


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, built_project: Path, dbt_variables: dict[str, str]) -> Warehouse:
    """A warehouse that was built with nothing in `raw`; to be copied."""
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "data", dbt_variables)
    shutil.copy(built_project / "transform.duckdb", warehouse.built)
    warehouse.refresh()
    return warehouse


@pytest.fixture
def installed(tmp_path: Path, empty: Warehouse) -> Iterator[Warehouse]:
    """A warehouse that was built with nothing in `raw`, for this test alone."""
    shutil.copytree(empty.folder, tmp_path / "data")
    with closing(Warehouse(tmp_path / "data", empty.variables, dict(empty.levels))) as warehouse:
        yield warehouse


@pytest.fixture
def payload() -> Any:
    """Make payloads: `payload(distance=…)`."""
    return run_payload


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory, empty: Warehouse) -> Warehouse:
    """A warehouse of recorded and hand-written activities, refreshed from one built of nothing; to be read only."""
    warehouse = lived(tmp_path_factory.mktemp("life"), empty.variables)
    shutil.copy(empty.built, warehouse.built)
    warehouse.refresh()
    return warehouse


@pytest.fixture(scope="session")
def compiled_models(common_folder: Path, dbt_variables: dict[str, str]) -> dict[str, str]:
    """The SQL of models to execute in memory, by `schema.name`."""
    file = common_folder / "compiled.json"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            file.write_text(json.dumps(compiled_for_duckdb(common_folder / "compiled", dbt_variables)))
    sql_of: dict[str, str] = json.loads(file.read_text())
    return sql_of


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory, empty: Warehouse) -> Warehouse:
    """A life that both engines can build, built by DuckDB."""
    from tests.transforms.bigquery_builds import new_twin  # noqa: PLC0415 - Google's engine, for two files alone

    return new_twin(tmp_path_factory.mktemp("twin") / "data", empty)


@pytest.fixture(scope="session")
def later(twin: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The same life an hour later, refreshed by DuckDB."""
    from tests.transforms.bigquery_builds import an_hour_later  # noqa: PLC0415 - as above

    return an_hour_later(twin, tmp_path_factory.mktemp("later") / "data")


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory, parsed_for_bigquery: Path) -> Path:
    """Where dbt keeps what it compiled for BigQuery; it has parsed the project."""
    folder = tmp_path_factory.mktemp("bigquery")
    give(parsed_for_bigquery, folder)
    return folder / "target"


@pytest.fixture(scope="session")
def dialect(twin: Warehouse, target: Path) -> "BigQueryDialect":
    """The models of a full build in BigQuery's dialect."""
    from tests.transforms.bigquery import start_engine  # noqa: PLC0415 - as above
    from tests.transforms.bigquery_builds import full_build  # noqa: PLC0415 - as above

    start_engine()
    return full_build(twin, target)


@pytest.fixture(scope="session")
def typed(dialect: "BigQueryDialect") -> "TypedTables":
    """The tables of that build, to analyse statements on."""
    from tests.transforms.bigquery_builds import typed_tables  # noqa: PLC0415 - as above

    return typed_tables(dialect)


@pytest.fixture(scope="session")
def refresh(dialect: "BigQueryDialect", typed: "TypedTables", later: Warehouse, target: Path) -> "Refresh":
    """The incremental build of the later life in BigQuery's dialect."""
    from tests.transforms.bigquery_builds import refresh_after  # noqa: PLC0415 - as above

    return refresh_after(dialect, typed, later, target)
