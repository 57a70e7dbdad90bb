"""The models as BigQuery reads them: compiled for it, executed by Google's own SQL engine, equal to DuckDB's rows."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.transforms.bigquery import BigQueryDialect, RefreshedDialect, comparable, raw_queries, start_engine, table
from tests.transforms.bigquery_rest import compiled
from tests.transforms.life import EFFORT, EXTREME, LAP, RECORDED, ROOT, SPLIT, lived, run_payload, streams
from tests.transforms.warehouse import BERLIN, Warehouse

# In the order in which they are built.
MODELS = [
    "staging.base_strava__changed_activities",
    "staging.base_strava__activities",
    "staging.stg_strava__events",
    "staging.stg_strava__gear",
    "staging.stg_strava__athletes",
    "staging.stg_strava__ingestion_state",
    "staging.stg_strava__backfills",
    "staging.stg_strava__subscriptions",
    "staging.stg_strava__reconciliations",
    "staging.stg_strava__purges",
    "staging.stg_strava__transform_runs",
    "staging.stg_strava__pipeline_readings",
    "staging.stg_strava__activities",
    "staging.stg_strava__best_efforts",
    "staging.stg_strava__laps",
    "staging.stg_strava__splits",
    "staging.stg_strava__segment_efforts",
    "staging.stg_strava__streams",
    "staging.stg_strava__athlete_settings",
    "mart.fct_activities",
    "mart.route",
    "staging.int_pipeline__latest_events",
    "staging.int_pipeline__open_events",
    "staging.int_pipeline__verdicts",
    "staging.int_pipeline__build",
    "staging.int_pipeline__arrivals",
    "mart.event_latency",
    "mart.pipeline_latency",
    "mart.pipeline_latency_course",
    "mart.waiting_event",
    "mart.pipeline_run",
    "mart.rate_budget",
    "mart.purge_receipt",
    "mart.pipeline_health",
    "mart.backfill_status",
    "staging.int_summaries__daily",
    "mart.dim_date",
    "mart.activity_summary",
    "mart.activity_mix",
    "mart.record_best_effort",
]
# The incremental ones, with their keys.
KEYS = {
    "staging.base_strava__activities": ["activity_id"],
    "staging.stg_strava__best_efforts": ["activity_id", "effort_name"],
    "staging.stg_strava__laps": ["activity_id", "lap_index"],
    "staging.stg_strava__splits": ["activity_id", "unit_system", "split_index"],
    "staging.stg_strava__segment_efforts": ["activity_id", "effort_id"],
    "staging.stg_strava__streams": ["activity_id", "stream_key"],
    "staging.stg_strava__events": ["delivery_id"],
    "mart.fct_activities": ["activity_id"],
    "mart.route": ["activity_id"],
}


# What the pages ask, by query.
PARAMETERS: dict[str, list[Any]] = {
    "backfill_status": [BERLIN],
    "latest_activities": [EXTREME],  # who has more than are shown
    "mix": [BERLIN, "month", "2026-03-01"],
    "mix_periods": [BERLIN, "week"],
    "pipeline_health": [],
    "pipeline_latency": [BERLIN],
    "pipeline_latency_course": [BERLIN, "hour"],
    "pipeline_runs": [BERLIN],
    "purge_receipts": [],
    "rate_budget": [],
    "waiting_events": [BERLIN],
    "running_totals": ["2026-03-23", "2026-03-29", "2026-03-16", "2026-03-22", BERLIN],
    "totals_by_period": [BERLIN, "week", "2026-01-01"],
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
    warehouse.raw.minute = "2026-04-01T13:00"  # an hour later: no refresh has a reason to read the others again
    warehouse.raw.activity(90, run_payload(name="Newest of the first build", map={}))
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
    dialect = BigQueryDialect(raw_queries(twin.raw.path, project_root / "transforms/seeds"))
    dialect.models = compiled(twin, target, {}, dialect.rows_of)
    return dialect


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
    """A table has no partitions; its clusters begin with the athlete, or where it knows none with the date."""
    for name, promised in contracts.items():
        config = dialect.models[name].config
        if config.materialized == "view":
            continue
        assert config.get("partition_by") is None, name
        assert config.get("cluster_by")[0] == ("athlete_id" if "athlete_id" in promised else "date_day"), name


@pytest.fixture(scope="session")
def later(twin: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The twin's life an hour later, refreshed by DuckDB: an edit, a lost map, a delete, a new run and its event."""
    folder = tmp_path_factory.mktemp("later") / "data"
    shutil.copytree(twin.folder, folder)
    warehouse = Warehouse(folder, twin.variables)
    warehouse.raw.minute = "2026-04-01T14:00"
    parts = {"laps": [LAP], "splits_metric": [SPLIT], "segment_efforts": [EFFORT]}
    warehouse.raw.activity(2, run_payload(name="Renamed", distance=4000, best_efforts=[], **parts))
    warehouse.raw.activity(71, run_payload(map={}), athlete_id=EXTREME)
    warehouse.raw.tombstone(1)
    warehouse.raw.activity(91, run_payload(name="New"))
    warehouse.raw.event("d2", object_id=91)
    warehouse.raw.execute("delete from strava_streams where activity_id = 1")
    curve = {"data": [120, 130], "series_type": "distance", "original_size": 2, "resolution": "high"}
    streams(warehouse.raw, 71, {"heartrate": curve}, athlete_id=EXTREME)
    warehouse.refresh()
    return warehouse


@pytest.fixture(scope="session")
def refreshed(dialect: BigQueryDialect, later: Warehouse, target: Path, project_root: Path) -> RefreshedDialect:
    """An incremental build in BigQuery's dialect, on top of the full one."""
    tables = {model: table(dialect.build(model)[1], dialect.build(model)[0]) for model in KEYS}
    newest = max(row["ingested_at"] for row in dialect.build("staging.base_strava__changed_activities")[1])
    queries = {
        **raw_queries(later.raw.path, project_root / "transforms/seeds"),
        "staging__build_watermark": table([{"ingested_at": newest}], {"ingested_at": "timestamp"}),
    }
    before = {model: dialect.build(model)[1] for model in KEYS}
    refreshed = RefreshedDialect(queries, before, KEYS)
    queries["staging__stg_strava__events"] = tables["staging.stg_strava__events"]  # dbt asks for its newest row
    names = [model.partition(".") for model in (*KEYS, "staging.build_watermark")]
    existing = {schema: [n for s, _, n in names if s == schema] for schema in ("staging", "mart")}
    first = ("--select", "base_strava__changed_activities")  # what changed is known before the others are compiled
    refreshed.models = compiled(later, target, existing, refreshed.rows_of, *first)
    refreshed.models = compiled(later, target, existing, refreshed.rows_of)
    del queries["staging__stg_strava__events"]
    return refreshed


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_bigquery_refreshes_to_what_duckdb_refreshes_to(refreshed: RefreshedDialect, later: Any, model: str) -> None:
    """After an hour in which four activities changed, every model is the same on both engines."""
    _, rows = refreshed.build(model)
    wanted = later.rows(f"select * from {model}")  # noqa: S608
    if model == "staging.base_strava__changed_activities":  # BigQuery reads ten minutes more
        wanted += [row for row in rows if row["activity_id"] == 90]
    assert comparable(rows) == comparable(wanted)


@pytest.mark.slow
def test_bigquery_reads_no_more_than_what_changed(refreshed: RefreshedDialect) -> None:
    """Old rows are named by no refresh: the four that changed, and the one in the ten minutes before, are literals."""
    ids = "activity_id in (1, 2, 71, 90, 91)"
    for model in KEYS:
        refreshed.build(model)
        code = refreshed.models[model].compiled_code
        assert ids in code or "ingested_at > cast('2026-04-01T11:50:00." in code, model
    assert {row["activity_id"] for row in refreshed.new["mart.fct_activities"]} == {2, 71, 90, 91}
    assert {row["delivery_id"] for row in refreshed.new["staging.stg_strava__events"]} >= {"d2"}


@pytest.mark.slow
def test_bigquery_merges_by_literals(refreshed: RefreshedDialect, later: Warehouse, target: Path) -> None:
    """Each merge is told where to look, by a macro that becomes SQL only when the merge is written."""
    for model in KEYS:
        (predicate,) = refreshed.models[model].config.get("incremental_predicates")
        assert "DBT_INTERNAL_DEST." in predicate, model
    merge = "{{ get_merge_sql('there', 'here', 'id', [], [\"DBT_INTERNAL_DEST.day > {{ 1 + 1 }}\"]) }}"
    (node,) = compiled(later, target, {}, refreshed.rows_of, "--inline", merge).values()
    assert "on (DBT_INTERNAL_DEST.day > 2) and (" in node.compiled_code


@pytest.mark.slow
@pytest.mark.parametrize("query", sorted(path.stem for path in (ROOT / "dashboard/queries").rglob("*.sql")))
def test_a_pages_query_gives_the_same_on_bigquery(dialect: BigQueryDialect, twin: Warehouse, query: str) -> None:
    """Every query of the dashboard runs on both engines and answers alike."""
    (file,) = (ROOT / "dashboard/queries").rglob(f"{query}.sql")
    sql, parameters = file.read_text(), PARAMETERS[query]
    literals = iter(parameters)
    rows = dialect.run(re.sub(r"\?", lambda _: repr(next(literals)), sql))[1]
    assert comparable(rows) == comparable(twin.rows(sql, *parameters))
    assert rows
