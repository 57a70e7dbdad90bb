"""The fixtures of the transforms' tests: an empty warehouse, payloads, and a life that is built once."""

import platform
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_sqlite
import pytest

from tests.transforms.life import ROOT, lived, run_payload
from tests.transforms.warehouse import Warehouse


@pytest.fixture(scope="session")
def dbt_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the project: one target folder for all, DuckDB's extension from the installed wheel."""
    folder = tmp_path_factory.mktemp("dbt")
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    place = (
        folder
        / "extensions"
        / f"v{duckdb.__version__}"
        / f"{'osx' if platform.system() == 'Darwin' else 'linux'}_{machine}"
    )
    place.mkdir(parents=True)
    (wheel,) = Path(duckdb_extension_sqlite.__file__).parent.rglob("sqlite.duckdb_extension")
    (place / "sqlite_scanner.duckdb_extension").symlink_to(wheel)
    return {
        "DUCKDB_EXTENSION_DIR": str(folder / "extensions"),
        "DBT_PROJECT_DIR": str(ROOT / "transforms"),
        "DBT_PROFILES_DIR": str(ROOT / "transforms"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "log"),
    }


@pytest.fixture
def warehouse(tmp_path: Path, dbt_variables: dict[str, str]) -> Warehouse:
    """An empty warehouse: the tables of `raw`, nothing in them, nothing built."""
    return Warehouse(tmp_path / "data", dbt_variables)


@pytest.fixture
def payload() -> Any:
    """Make payloads: `payload(distance=…)`."""
    return run_payload


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory, dbt_variables: dict[str, str]) -> Warehouse:
    """A built warehouse with recorded and hand-written activities; to be read only."""
    warehouse = lived(tmp_path_factory.mktemp("life"), dbt_variables)
    warehouse.refresh()
    return warehouse
