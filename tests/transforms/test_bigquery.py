"""The models as BigQuery reads them: compiled for it, executed by Google's own SQL engine, equal to DuckDB's rows."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.warehouse.bigquery.marts import bound_in_order
from tests.transforms.bigquery import BigQueryDialect, RefreshedDialect, comparable, deleted_by
from tests.transforms.bigquery_builds import EVENTS, KEYS, MODELS, PARAMETERS, Refresh
from tests.transforms.life import ROOT
from tests.transforms.warehouse import Warehouse


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
def refreshed(refresh: Refresh) -> RefreshedDialect:
    """The models after the incremental build."""
    return refresh.dialect


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
    """Rows that are new to a model are of the four activities that changed, or of the one in the ten minutes before.

    Each model has older rows too, which a missing filter would read again.
    """
    changed = {1, 2, 71, 90, 91}
    for model, key in KEYS.items():
        refreshed.build(model)
        if "activity_id" in key:
            assert {row["activity_id"] for row in refreshed.new[model]} <= changed, model
            assert {row["activity_id"] for row in refreshed.before[model]} - changed, model
    assert {row["activity_id"] for row in refreshed.new["mart.fct_activities"]} == changed - {1}
    new, before = ({row["delivery_id"] for row in rows[EVENTS]} for rows in (refreshed.new, refreshed.before))
    assert ("d2" in new, "old" in before, "old" in new) == (True, True, False)


@pytest.mark.slow
def test_bigquery_merges_by_literals(refreshed: RefreshedDialect) -> None:
    """Each merge replaces the activities that changed, or the newest of the ledger, and names them by literals."""
    ids = "(DBT_INTERNAL_DEST.activity_id in (1, 2, 71, 90, 91))"
    newest = "(DBT_INTERNAL_DEST.ingested_at > cast('2026-04-01T11:50:00."
    assert refreshed.merges.keys() == KEYS.keys()
    for model, merge in refreshed.merges.items():
        told = deleted_by(merge)
        assert told == ids if "activity_id" in KEYS[model] else told.startswith(newest), model


@pytest.mark.slow
@pytest.mark.parametrize("query", sorted(path.stem for path in (ROOT / "dashboard/queries").rglob("*.sql")))
def test_a_pages_query_gives_the_same_on_bigquery(dialect: BigQueryDialect, twin: Warehouse, query: str) -> None:
    """Every query of the dashboard runs on both engines and answers alike."""
    (file,) = (ROOT / "dashboard/queries").rglob(f"{query}.sql")
    sql, parameters = file.read_text(), PARAMETERS[query]
    values = (f"cast('{each.value}' as {each.type_})" for each in bound_in_order(parameters))
    rows = dialect.run(re.sub(r"\?", lambda _: next(values), sql))[1]
    assert comparable(rows) == comparable(twin.rows(sql, *parameters))
    assert rows
