"""The whole of what was built from a life: it reads without raw, and all tests of the project pass on it."""

import json
import random
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
    """Keys, relationships, contracts and unit tests hold; the status tells the versions that the rows carry."""
    result = life.dbt("test", "--vars", json.dumps({"as_of": "2026-04-02 10:00:00"}))
    assert result.success, [f"{r.node.name}: {r.message}" for r in result.result if r.status != "pass"]
    assert sum(r.node.resource_type == "unit_test" for r in result.result) >= 13
    status = life.rows("select * from mart.model_status")
    keyed = {row["model"]: row["test_count"] for row in status}
    assert keyed.keys() >= {"fct_activities", "dim_date", "stg_strava__gear"}
    assert keyed["fct_activities"] > 10
    assert {(row["failed_count"], str(row["tested_at"])) for row in status} == {(0, "2026-04-02 10:00:00")}
    versions = {row["model"]: row["definition_version"] for row in status}
    assert (versions["dim_date"], versions["fct_activities"]) == (None, 3)
    for model in ("activity_summary", "athlete_setting", "eddington", "route", "streak", "tile_visit"):
        assert life.rows(f"select distinct definition_version as told from mart.{model}") == [{"told": versions[model]}]  # noqa: S608 - our own names


def test_routes_are_grouped_as_plain_python_groups_them(life: Any) -> None:
    """Random routes of ten to sixteen tiles, most of them variants of a few: the models' own SQL against loops."""
    names = ["int_places__similar_routes", "route_group"]
    built = life.dbt("compile", "--full-refresh", "--select", *names)
    sql = {each.node.name: each.node.compiled_code for each in built.result}
    dice = random.Random(3)
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as transform; create schema transform.mart; create schema transform.staging"
        )
        for _ in range(20):
            routes = random_routes(dice)
            fill_places(connection, routes)
            connection.execute(f"create or replace table transform.staging.{names[0]} as {sql[names[0]]}")
            rows = connection.execute(f"select activity_id, route_group_id from ({sql[names[1]]})").fetchall()  # noqa: S608 - our own models
            assert dict(rows) == grouped(routes)


def random_routes(dice: random.Random) -> dict[int, tuple[str, set[int]]]:
    """Return the group of sports and the tiles of some activities."""
    ways = [dice.sample(range(60), 16) for _ in range(4)]
    return {
        place: (dice.choice(["run", "run", "ride"]), set(dice.choice(ways)[dice.randrange(3) : dice.randrange(11, 17)]))
        for place in range(1, 31)
    }


def fill_places(connection: duckdb.DuckDBPyConnection, routes: dict[int, tuple[str, set[int]]]) -> None:
    """Make the two tables that the models read."""
    connection.execute(
        "create or replace table transform.mart.route as select 0::bigint as activity_id, 7::bigint as athlete_id, "
        "'' as sport_type, '' as sport_group, null::date as start_date_local, false as is_private, "
        "false as is_virtual, now() as ingested_at limit 0"
    )
    connection.execute(
        "create or replace table transform.mart.route_cell "
        "(activity_id bigint, athlete_id bigint, z bigint, x bigint, y bigint)"
    )
    for activity_id, (group, tiles) in routes.items():
        values = [activity_id, group, activity_id]
        connection.execute(
            "insert into transform.mart.route values (?, 7, '', ?, null, false, false, make_timestamp(?))", values
        )
        connection.executemany(
            "insert into transform.mart.route_cell values (?, 7, 17, ?, 0)", [(activity_id, tile) for tile in tiles]
        )


def grouped(routes: dict[int, tuple[str, set[int]]]) -> dict[int, int]:
    """Return the first activity of each one's route: the earliest on the same, the earliest of that one, and so on."""
    first: dict[int, int] = {}
    for activity_id, (group, tiles) in routes.items():
        if len(tiles) < 10:
            continue
        same = [
            other
            for other in first
            if routes[other][0] == group
            and len(tiles & routes[other][1]) >= 0.75 * max(len(tiles), len(routes[other][1]))
        ]
        first[activity_id] = first[min(same)] if same else activity_id
    return first
