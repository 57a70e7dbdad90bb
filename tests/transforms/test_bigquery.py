"""The models as BigQuery reads them: compiled for it, executed by Google's own SQL engine, equal to DuckDB's rows."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backends.warehouse.bigquery.marts import bound_in_order
from tests.transforms.bigquery import BigQueryDialect, RefreshedDialect, comparable, deleted_by, table
from tests.transforms.bigquery_bill import BY_ACTIVITY
from tests.transforms.bigquery_builds import (
    CHANGED_STREAMS,
    EVENTS,
    KEYS,
    MODELS,
    OF_FILES,
    PAIRS,
    PARAMETERS,
    Refresh,
)
from tests.transforms.imported import OWN
from tests.transforms.life import ROOT
from tests.transforms.places import encoded, passed, simplified, unwrapped, visited
from tests.transforms.warehouse import Warehouse

FOLDER = ROOT / "dashboard/queries"
# The models that a refresh builds by another statement.
REFRESHED = {
    *KEYS,
    "staging.base_strava__changed_activities",
    "staging.base_archive__changed_activities",
    CHANGED_STREAMS,
}
QUERIES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.sql"))


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
@pytest.mark.parametrize("model", ["mart.activity_mix", "mart.activity_summary"])
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
        # where the engines' names differ, BigQuery's is the first
        wanted = {name: kind.split("'")[1] if "target" in kind else kind for name, kind in promised.items()}
        types, _ = dialect.build(model)
        assert types == wanted, model


@pytest.mark.slow
def test_bigquery_clusters_marts_by_athlete(dialect: BigQueryDialect, contracts: dict[str, dict[str, str]]) -> None:
    """A table has no partitions but by activity; its clusters begin with the athlete, else with the date."""
    for name, promised in contracts.items():
        config = dialect.models[name].config
        if config.materialized == "view":
            continue
        assert (config.get("partition_by") is None) == (name not in BY_ACTIVITY), name
        first = next((column for column in ("athlete_id", "date_day") if column in promised), None)
        assert (config.get("cluster_by") or [None])[0] == first, name


@pytest.mark.slow
def test_lines_at_random_come_to_the_same_on_bigquery(dialect: BigQueryDialect) -> None:
    """Paths and tiles by BigQuery's SQL are those of plain Python, which `test_places.py` compares with DuckDB's."""
    dice = random.Random(7)
    lines = [random_line(dice, 10) for _ in range(8)] + [random_line(dice, 70, spread=9)]
    types, _ = dialect.build("staging.base_strava__activities")
    given = {"athlete_id": 7, "is_deleted": False, "sport_type": "Run", "polyline_kind": "detailed"}
    rows = [
        {**dict.fromkeys(types), **given, "activity_id": place, "polyline": encoded(line)}
        for place, line in enumerate(lines)
    ]
    other = BigQueryDialect({**dialect.queries, "staging__base_strava__activities": table(rows, types)})
    other.queries.pop("staging__stg_strava__activities", None)
    other.models = dialect.models
    paths = {row["activity_id"]: row for row in other.made("mart.route").rows}
    cells = other.made("mart.route_cell").rows
    for place, line in enumerate(lines):
        way = unwrapped(line)
        path = paths[place]
        assert list(zip(path["path_latitudes"], path["path_longitudes"], strict=True)) == simplified(way)
        for zoom in (14, 17):
            mine = [cell for cell in cells if (cell["activity_id"], cell["z"]) == (place, zoom)]
            seen = [(zoom, cell["x"], cell["y"]) for cell in mine if cell["is_visited"]]
            assert sorted((zoom, cell["x"], cell["y"]) for cell in mine) == sorted(passed(way, zoom))
            assert sorted(seen) == sorted(visited(way, zoom))


def random_line(dice: random.Random, most: int, *, spread: int = 1_500) -> list[tuple[int, int]]:
    """Return a line of so many points at the most, some across 180 degrees."""
    latitude, longitude = dice.choice([(5_252_001, 1_340_495), (-1_680_000, 17_999_000), (0, 0)])
    line = [(latitude, longitude)]
    for _ in range(most - dice.randrange(3)):
        latitude, longitude = latitude + dice.randint(-spread, spread), longitude + dice.randint(-spread, spread)
        line.append((latitude, (longitude + 18_000_000) % 36_000_000 - 18_000_000))
    return line


@pytest.fixture(scope="session")
def refreshed(refresh: Refresh) -> RefreshedDialect:
    """The models after the incremental build."""
    return refresh.dialect


@pytest.mark.slow
def test_a_refresh_asks_the_same_of_all_other_models(dialect: BigQueryDialect, refreshed: RefreshedDialect) -> None:
    """Their statements, letter by letter, are those of a full build, of which the rows are compared above."""
    full, brief = ({name: each.models[name].compiled_code for name in MODELS} for each in (dialect, refreshed))
    assert {name for name in MODELS if full[name] != brief[name]} == REFRESHED


@pytest.mark.slow
@pytest.mark.parametrize("model", sorted(REFRESHED))
def test_bigquery_refreshes_to_what_duckdb_refreshes_to(refreshed: RefreshedDialect, later: Any, model: str) -> None:
    """After an hour in which six activities changed, a model that reads only these is the same on both engines."""
    _, rows = refreshed.build(model)
    wanted = later.rows(f"select * from {model}")  # noqa: S608
    if model in {"staging.base_strava__changed_activities", CHANGED_STREAMS}:  # BigQuery reads ten minutes more
        wanted += [row for row in rows if row["activity_id"] == 90]
    assert comparable(rows) == comparable(wanted)


@pytest.mark.slow
def test_bigquery_reads_no_more_than_what_changed(refreshed: RefreshedDialect) -> None:
    """Rows that are new to a model are of the six activities that changed, or of the one in the ten minutes before.

    Routes that were compared with one of these may have another earliest one. Each model has older rows too, which a
    missing filter would read again.
    """
    changed = {1, 2, 71, 90, 91, 1001, OWN + 5}
    for model, key in KEYS.items():
        refreshed.build(model)
        if "activity_id" in key:
            assert model == PAIRS or {row["activity_id"] for row in refreshed.new[model]} <= changed, model
            assert {row["activity_id"] for row in refreshed.before[model].rows} - changed, model
    assert {row["activity_id"] for row in refreshed.new["mart.fct_activities"]} == changed - {1, OWN + 5}
    old = {EVENTS: refreshed.before[EVENTS].rows}
    new, before = ({row["delivery_id"] for row in rows[EVENTS]} for rows in (refreshed.new, old))
    assert ("d2" in new, "old" in before, "old" in new) == (True, True, False)


@pytest.mark.slow
def test_bigquery_merges_by_literals(refreshed: RefreshedDialect) -> None:
    """Each merge replaces the activities that changed, or the newest of the ledger, and names them by literals."""
    ids = f"(DBT_INTERNAL_DEST.activity_id in (1, 2, 71, 90, 91, 1001, {OWN + 5}))"
    by_files = f"(DBT_INTERNAL_DEST.activity_id in (1001, {OWN + 5}))"
    pairs = f"({ids[1:-1]} or {ids[1:-1].replace('activity_id', 'other_activity_id')})"
    newest = "(DBT_INTERNAL_DEST.ingested_at > cast('2026-04-01T11:50:00."
    assert refreshed.merges.keys() == KEYS.keys()
    for model, merge in refreshed.merges.items():
        told = deleted_by(merge)
        wanted = f"({pairs})" if model == PAIRS else by_files if model in OF_FILES else ids
        assert told.startswith(newest) if model == EVENTS else told == wanted, model


@pytest.mark.slow
@pytest.mark.parametrize("query", QUERIES)
def test_a_pages_query_gives_the_same_on_bigquery(dialect: BigQueryDialect, twin: Warehouse, query: str) -> None:
    """Every query of the dashboard runs on both engines and answers alike."""
    sql, parameters = (FOLDER / f"{query}.sql").read_text(), PARAMETERS[query]
    values = (f"cast('{each.value}' as {each.type_})" for each in bound_in_order(parameters))
    rows = dialect.run(re.sub(r"\?", lambda _: next(values), sql))[1]
    assert comparable(rows) == comparable(twin.rows(sql, *parameters))
    assert rows
