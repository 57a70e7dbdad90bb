"""The whole of what was built from a life: it reads without raw, and all tests of the project pass on it."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow


def test_a_copy_under_another_name_is_complete(life: Any, tmp_path: Path) -> None:
    """Every relation of the built file reads in a renamed copy that knows nothing of raw."""
    copy = tmp_path / "snapshot.duckdb"
    shutil.copy(life.built, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        relations = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        counts = {name: connection.execute(f"select * from {schema}.{name}").fetchall() for schema, name in relations}  # noqa: S608
    assert {schema for schema, _ in relations} == {"staging", "mart"}
    assert len(counts["stg_strava__activities"]) == len(counts["fct_activities"]) == 51


def test_every_test_of_the_project_passes(life: Any) -> None:
    """Keys, relationships, contracts and unit tests hold on recorded and hand-written activities."""
    result = life.dbt("test", "--vars", json.dumps({"as_of": "2026-04-02 10:00:00"}))
    assert result.success, [f"{r.node.name}: {r.message}" for r in result.result if r.status != "pass"]
    assert sum(r.node.resource_type == "unit_test" for r in result.result) >= 13
