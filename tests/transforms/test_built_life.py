"""The whole of what was built from a life: it reads without raw, and all tests of the project pass on it."""

import json
import random
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.transforms.warehouse import Warehouse
from worker.dbt_runner.script import MEASURES_ONLY
from worker.dbt_runner.statements import News, Statements

pytestmark = pytest.mark.slow

BUILT_AT = datetime(2026, 4, 2, 10, tzinfo=UTC)

SHAPES, PAIRS, GROUPS = "int_places__route_shapes", "int_places__similar_routes", "route_group"
WAYS = [random.Random(way).sample(range(60), 16) for way in range(4)]
WAYS += [WAYS[0][:11] + WAYS[1][11:], WAYS[1][:12] + WAYS[2][12:]]


def test_a_copy_under_another_name_is_complete(life: Any, tmp_path: Path) -> None:
    """Every relation of the built file reads in a renamed copy that knows nothing of raw."""
    copy = tmp_path / "snapshot.duckdb"
    shutil.copy(life.built, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        relations = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        counts = {name: connection.execute(f"select * from {schema}.{name}").fetchall() for schema, name in relations}  # noqa: S608
    assert {schema for schema, _ in relations} == {"staging", "mart"}
    assert len(counts["stg_strava__activities"]) == len(counts["fct_activities"]) == 61


def test_every_test_of_the_project_passes(life: Any) -> None:
    """Keys, relationships, contracts and unit tests hold; the status tells the versions that the rows carry."""
    result = life.dbt("test", "--vars", json.dumps({"as_of": "2026-04-02 10:00:00"}))
    assert result.success, [f"{r.node.name}: {r.message}" for r in result.result if r.status != "pass"]
    assert sum(r.node.resource_type == "unit_test" for r in result.result) >= 13
    status = life.rows("select * from mart.model_status")
    keyed = {row["model"]: row["test_count"] for row in status}
    assert keyed.keys() >= {"fct_activities", "dim_date", "stg_strava__gear"}
    assert keyed["fct_activities"] > 4
    assert {(row["failed_count"], str(row["tested_at"])) for row in status} == {(0, "2026-04-02 10:00:00")}
    versions = {row["model"]: row["definition_version"] for row in status}
    assert (versions["dim_date"], versions["fct_activities"]) == (None, 4)
    for model in (
        "activity_summary",
        "athlete_setting",
        "eddington",
        "route",
        "streak",
        "tile_visit",
        "training_load_daily",
    ):
        assert life.rows(f"select distinct definition_version as told from mart.{model}") == [{"told": versions[model]}]  # noqa: S608 - our own names


# What a refresh looks at, by what changed; none is of numbers.
LOOKED_AT = {"int_training__changed_loads", "int_training__inputs", "int_summaries__touched_days"}


def test_what_reads_measures_alone_reads_no_label(life: Any, tmp_path: Path) -> None:
    """A refresh leaves such models out where labels alone are other: all of these changed, each comes out as it was."""
    shutil.copytree(life.folder, tmp_path / "data")
    other = Warehouse(tmp_path / "data", life.variables)
    models = {model.name: model for model in other.script().models}
    labelled = [model.replaced for model in models.values() if model.replaced and model.replaced.labels]
    with duckdb.connect(str(other.built)) as connection:
        for each in labelled:
            kinds = {row[0]: row[1] for row in connection.execute(f"describe {each.table}").fetchall()}
            sets = ", ".join(f"{name} = {other_value(name, kinds[name])}" for name in each.labels)
            connection.execute(f"update {each.table} set {sets}")  # noqa: S608 - our own names
        ids = [row[0] for row in connection.execute("select activity_id from mart.fct_activities").fetchall()]
    checked = [model for model in models.values() if MEASURES_ONLY in model.tags]
    assert (len(labelled), len(checked)) == (3, 23)
    compared = 0
    for part in (ids[first : first + 5] for first in range(0, len(ids), 5)):
        with duckdb.connect(str(other.built)) as connection:
            for changed in ("base_strava__changed_activities", "int_streams__changed_activities"):
                connection.execute(f"delete from staging.{changed}")  # noqa: S608 - our own names
                connection.execute(f"insert into staging.{changed} (activity_id) select unnest({part})")
        with other.opened() as (execute, _):
            statements = Statements(execute, BUILT_AT, lambda: BUILT_AT)
            statements.end()
            for model in checked:
                news = statements.build(model)
                assert news is News.NOTHING or model.name in LOOKED_AT, (model.name, part)
                compared += 1
    assert compared > 100


def other_value(column: str, kind: str) -> str:
    """Return SQL of another value than the column has."""
    if kind == "VARCHAR":
        return f"concat(coalesce({column}, ''), ' or another')"
    return f"{column} + interval 1 hour" if kind == "TIMESTAMP" else f"coalesce({column}, 0) + 1"


def test_routes_are_grouped_as_plain_python_groups_them(life: Any) -> None:
    """Random routes of eight to sixteen tiles, most of them variants of a few: the models' own SQL against loops.

    After that some come, change or go, and the SQL of a refresh is held against the same loops.
    """
    full, refresh = compiled_places(life, "--full-refresh"), compiled_places(life)
    dice = random.Random(3)
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as transform; create schema transform.mart; create schema transform.staging"
        )
        for _ in range(10):
            routes = random_routes(dice, range(1, 31))
            fill_places(connection, routes)
            for name in (SHAPES, PAIRS):
                connection.execute(f"create or replace table transform.staging.{name} as {full[name]}")
            assert groups_of(connection, full) == grouped(routes)
            for _ in range(4):
                changed = dice.sample(range(1, 41), dice.choice([1, 1, 2, 5]))
                kept = {place: route for place, route in routes.items() if place not in changed}
                edited = random_routes(dice, [place for place in changed if dice.random() < 0.6])
                same = {place: routes[place] for place in changed if place in routes and dice.random() < 0.3}
                routes = dict(sorted((kept | edited | same).items()))
                refresh_places(connection, routes, changed, refresh)
                assert groups_of(connection, full) == grouped(routes)


def compiled_places(life: Any, *options: str) -> dict[str, str]:
    """Return the SQL of the models that compare routes; what a refresh looks at is what the table `changed` holds."""
    built = life.dbt("compile", *options, "--select", SHAPES, PAIRS, GROUPS)
    return {
        each.node.name: re.sub(r" in \([\d, ]+\)", " in (select activity_id from changed)", each.node.compiled_code)
        for each in built.result
    }


def refresh_places(
    connection: duckdb.DuckDBPyConnection,
    routes: dict[int, tuple[str, set[int]]],
    changed: list[int],
    sql: dict[str, str],
) -> None:
    """Do what a refresh does with the two tables: what touches a changed activity goes, what was selected comes."""
    fill_places(connection, routes)
    connection.execute("create or replace temp table changed as select unnest(?) as activity_id", [changed])
    touched = {SHAPES: "activity_id in (from changed)"}
    touched[PAIRS] = f"{touched[SHAPES]} or other_activity_id in (from changed)"
    for name, condition in touched.items():
        connection.execute(f"create or replace temp table fresh as {sql[name]}")
        connection.execute(f"delete from transform.staging.{name} where {condition}")  # noqa: S608 - our own names
        connection.execute(f"insert into transform.staging.{name} from fresh")
    keys = "select activity_id, other_activity_id from transform.staging.int_places__similar_routes"
    assert connection.sql(f"{keys} group by all having count(*) > 1").fetchall() == []


def groups_of(connection: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> dict[int, int]:
    """Return the route of each activity."""
    return dict(connection.execute(f"select activity_id, route_group_id from ({sql[GROUPS]})").fetchall())  # noqa: S608


def random_routes(dice: random.Random, places: Iterable[int]) -> dict[int, tuple[str, set[int]]]:
    """Return the group of sports and the tiles of some activities: parts of a few ways, some with a tile beside."""
    tiles = {
        place: {*dice.choice(WAYS)[dice.randrange(4) : dice.randrange(11, 17)], *dice.choices(range(60), k=place % 3)}
        for place in places
    }
    return {place: (dice.choice(["run", "run", "ride"]), passed) for place, passed in tiles.items()}


def fill_places(connection: duckdb.DuckDBPyConnection, routes: dict[int, tuple[str, set[int]]]) -> None:
    """Make the two tables that the models read."""
    connection.execute(
        "create or replace table transform.mart.route as select 0::bigint as activity_id, 7::bigint as athlete_id, "
        "'' as sport_type, '' as sport_group, null::date as start_date_local, false as is_private, "
        "false as is_virtual limit 0"
    )
    connection.execute(
        "create or replace table transform.mart.route_cell "
        "(activity_id bigint, athlete_id bigint, z bigint, x bigint, y bigint)"
    )
    groups = {activity_id: group for activity_id, (group, _) in routes.items()}
    connection.execute(
        "insert into transform.mart.route select unnest(?), 7, '', unnest(?), null, false, false",
        [list(groups), list(groups.values())],
    )
    tiles = [(activity_id, tile) for activity_id, (_, passed) in routes.items() for tile in passed]
    connection.execute(
        "insert into transform.mart.route_cell select unnest(?), 7, 17, unnest(?), 0",
        [[*map(itemgetter(0), tiles)], [*map(itemgetter(1), tiles)]],
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
