"""The models as BigQuery reads them: compiled for it, executed by Google's own SQL engine, equal to DuckDB's rows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.transforms.bigquery import BigQueryDialect, comparable, compiled, raw_queries, start_engine
from tests.transforms.life import RECORDED, lived
from tests.transforms.warehouse import Warehouse

# In the order in which they are built.
MODELS = [
    "staging.base_strava__activities",
    "staging.stg_strava__events",
    "staging.stg_strava__gear",
    "staging.stg_strava__athletes",
    "staging.stg_strava__ingestion_state",
    "staging.stg_strava__reconciliations",
    "staging.stg_strava__purges",
    "staging.stg_strava__transform_runs",
    "staging.stg_strava__activities",
    "staging.stg_strava__best_efforts",
    "mart.fct_activities",
    "mart.route",
    "staging.int_pipeline__latest_events",
    "staging.int_pipeline__open_events",
    "staging.int_pipeline__latencies",
    "mart.pipeline_health",
    "staging.int_summaries__daily",
    "mart.dim_date",
    "mart.activity_summary",
    "mart.activity_mix",
    "mart.record_best_effort",
]
INCREMENTAL = {
    "staging": ["base_strava__activities", "stg_strava__best_efforts", "stg_strava__events"],
    "mart": ["fct_activities", "route"],
}


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory, dbt_variables: dict[str, str]) -> Warehouse:
    """Life without the one payload that no JSON column can hold, built by DuckDB.

    The engine is made for being right, not fast (it takes the square of a line's length to decode it): recorded
    activities move into one month, as every day since counts, and only the hand-written ones keep their routes.
    """
    warehouse = lived(tmp_path_factory.mktemp("twin"), dbt_variables)
    warehouse.raw.execute("delete from strava_activities where activity_id = 10")
    warehouse.raw.execute(
        "update strava_activities set payload = json_remove(payload, '$.map') where athlete_id = ?", RECORDED
    )
    for month in ("2018-11-", "2022-05-", "2025-10-"):
        warehouse.raw.execute("update strava_activities set payload = replace(payload, ?, '2026-03-')", month)
    warehouse.refresh()
    return warehouse


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt keeps what it compiled for BigQuery."""
    return tmp_path_factory.mktemp("bigquery")


@pytest.fixture(scope="session")
def dialect(twin: Any, target: Path, project_root: Path, request: pytest.FixtureRequest) -> BigQueryDialect:
    """The models of a full build in BigQuery's dialect."""
    start_engine(request.config.cache.mkdir("zetasql"))
    queries = raw_queries(twin.raw.path, project_root / "transforms/seeds")
    return BigQueryDialect(queries, compiled(twin, target, {}))


@pytest.fixture(scope="session")
def contracts(project_root: Path) -> dict[str, dict[str, str]]:
    """The columns and types that each mart promises."""
    files = (project_root / "transforms/models/mart").rglob("_models.yml")
    models = [model for file in files for model in yaml.safe_load(file.read_text())["models"]]
    return {f"mart.{m['name']}": {c["name"]: c["data_type"] for c in m["columns"]} for m in models}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_bigquery_gives_the_rows_that_duckdb_gives(dialect: BigQueryDialect, twin: Any, model: str) -> None:
    """Every model, compiled for BigQuery and executed on the same raw rows, equals what DuckDB built."""
    _, rows = dialect.build(model)
    assert comparable(rows) == comparable(twin.rows(f"select * from {model}"))  # noqa: S608
    assert rows


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model in MODELS if "summary" in model or "mix" in model])
def test_sums_are_the_same_to_the_last_digit(dialect: BigQueryDialect, twin: Any, model: str) -> None:
    """Distances and climbs of the summaries need no tolerance, however an engine orders its rows."""
    columns = ["distance_m"] if "mix" in model else ["distance_m", "elevation_gain_m"]
    _, rows = dialect.build(model)
    wanted = twin.rows(f"select {', '.join(columns)} from {model}")  # noqa: S608
    for column in columns:
        assert sorted(row[column] for row in rows) == sorted(row[column] for row in wanted)


@pytest.mark.slow
def test_bigquery_keeps_the_contracts(dialect: BigQueryDialect, contracts: dict[str, dict[str, str]]) -> None:
    """Names and types of every mart are the promised ones on BigQuery too."""
    for model, promised in contracts.items():
        wanted = {name: "float64" if "float64" in kind else kind for name, kind in promised.items()}
        types, _ = dialect.build(model)
        assert types == wanted, model


@pytest.mark.slow
def test_bigquery_clusters_marts_by_athlete(dialect: BigQueryDialect, contracts: dict[str, dict[str, str]]) -> None:
    """A mart has no partitions; its clusters begin with the athlete, or where it knows none with the date."""
    for name, promised in contracts.items():
        config = dialect.models[name].config
        assert config.get("partition_by") is None, name
        assert config.get("cluster_by")[0] == ("athlete_id" if "athlete_id" in promised else "date_day"), name


@pytest.mark.slow
def test_bigquery_refreshes_what_is_new(dialect: BigQueryDialect, twin: Any, target: Path) -> None:
    """Built incrementally, the overlap of ten minutes reads all rows of this short life once more; they are equal."""
    models = compiled(twin, target, INCREMENTAL)
    for schema, names in INCREMENTAL.items():
        for name in names:
            sql = models[f"{schema}.{name}"].compiled_code
            assert "interval 10 minute" in sql
            _, rows = dialect.run(sql)
            assert comparable(rows) == comparable(twin.rows(f"select * from {schema}.{name}"))  # noqa: S608
