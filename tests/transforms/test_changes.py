"""Refreshing after changes gives what building from nothing gives."""

import asyncio
import json
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Collection, Sequence
from copy import copy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from backends.athlete_file.document import document_of
from backends.warehouse.sqlite.store import SqliteRawStore
from tests.transforms.imported import OWN, archive_row, curves, file_activity, fill_the_imports, recording, row_activity
from tests.transforms.life import CANAL, CANAL_AGAIN, EFFORT, LAP, OWN_FILE, RIVER, SPLIT, edited, streams
from worker.dbt_runner.dbt import refresh_command
from worker.dbt_runner.port import Node
from worker.dbt_runner.script import Script
from worker.dbt_runner.script_run import run_script
from worker.dbt_runner.statements import Statements

ORDER = 'load_order = ["time", "relative_effort"]'  # so that the file changes the methods of loads
EARLIER = "2026-01-01T00:00:00.000000Z"  # as after a clock was set back, or where only a number grew
# What changes alone, one step after another, so that no later step builds what an earlier one left out by mistake. The
# last two move no watermark: each run builds what comes of them.
ALONE = [
    ["strava_activities", "strava_streams"],
    ["strava_events", "activity_changes"],
    ["archive_activities", "activity_files"],
    ["imports"],
    [
        *("strava_gear", "strava_athlete_settings", "strava_athletes", "reconciliations", "backfills", "athlete_files"),
        *("strava_totals", "pipeline_readings", "transform_runs"),
    ],
]
# What the marts are built from besides: what changed last, how far the last build saw raw, what was compared before.
BOOKS = {
    *("base_strava__changed_activities", "build_watermark", "int_places__similar_routes"),
    *("int_summaries__changed_days", "int_records__changed_days"),
    "base_archive__changed_activities",
    "refreshed",
    "int_streams__changed_activities",
    *("int_training__changed_loads", "int_training__inputs"),
    *("int_summaries__touched_days", "counted_until"),
}


CURVES = (
    *("staging.stg_strava__streams", "staging.int_streams__samples", "staging.int_streams__marks"),
    *("staging.int_streams__best_efforts", "mart.stream_summary", "mart.activity_course"),
)


def contents(warehouse: Any) -> dict[str, list[str]]:
    """Return every row of every table and view as sorted text."""
    found = warehouse.rows("select table_schema, table_name from information_schema.tables")
    names = [f"{row['table_schema']}.{row['table_name']}" for row in found if row["table_name"] not in BOOKS]
    return {name: sorted(str(row) for row in warehouse.rows(f"select * from {name}")) for name in names}  # noqa: S608


def change(raw: Any, payload: Any, dice: random.Random) -> None:
    """Do one thing that can happen to one of twelve activities, or to what the athlete's own files say of it."""
    activity_id = dice.randrange(1, 13)
    if dice.random() < 0.4:
        import_something(raw, dice, activity_id)
        return
    match dice.randrange(7):
        case 0:
            raw.tombstone(activity_id)
            for table in ("strava_streams", "activity_changes"):
                raw.execute(f"delete from {table} where activity_id = ?", activity_id)  # noqa: S608 - our own names
        case 1:
            raw.activity(activity_id, payload(map={}, best_efforts=[]))
        case 2 | 3:
            parts = {"laps": [LAP], "splits_metric": [SPLIT], "segment_efforts": [EFFORT]}
            raw.activity(activity_id, payload(device_watts=dice.random() < 0.7, **parts))
            kinds = dice.sample(["time", "watts", "heartrate", "velocity_smooth", "temp"], 4)
            data = {key: [dice.randrange(60, 240) for _ in range(4)] for key in kinds}
            streams(raw, activity_id, curves(**data | ({"time": [0, 1, 5, 40]} if "time" in kinds else {})))
        case 4:
            raw.activity(activity_id, '{"distance": []}')
        case _:
            minute = dice.randrange(60)
            raw.activity(
                activity_id,
                payload(
                    distance=dice.randrange(1000, 20000),
                    sport_type=dice.choice(["Run", "TrailRun", "Ride"]),
                    start_date=f"2026-03-{dice.randrange(10, 30)}T06:{minute:02}:00Z",
                    start_date_local=f"2026-03-{dice.randrange(10, 30)}T07:{minute:02}:00Z",
                    best_efforts=[{"name": "1K", "distance": 1000, "elapsed_time": dice.randrange(200, 400)}],
                    map={"polyline": dice.choice([CANAL, CANAL_AGAIN, RIVER])},
                    **dice.choice([{}, {"average_heartrate": 140.5, "max_heartrate": 171}, {"suffer_score": 30}]),
                ),
            )
    if dice.random() < 0.3:
        edited(raw, activity_id, "name", "before", f"after {raw.writes}")
    raw.event(
        f"d{raw.writes}", event_id=f"e{activity_id}", object_id=activity_id, outcome=dice.choice(["stored", "deferred"])
    )


def import_something(raw: Any, dice: random.Random, activity_id: int) -> None:
    """Import a row of an export or a recording, delete one, or link a recording with another activity."""
    day = f"2026-03-{dice.randrange(10, 30)}T06:00:00Z"
    number = dice.randrange(1, 9)
    match dice.randrange(6):
        case 0:
            archive_row(raw, activity_id, None, athlete_id=7)
        case 1 | 2:
            at_home: dict[str, Any] = {"utc_offset": 3600, "sources": {"utc_offset": "athlete"}}
            fields = dice.choice([{}, {"sport_type": "Ride"}, at_home])
            archive_row(raw, activity_id, row_activity(start_date=day, **fields), athlete_id=7)
        case 3:
            recording(raw, number, None, athlete_id=7, activity_id=activity_id)
        case _:
            lines: list[dict[str, Any]] = [{}, {"map": {"polyline": dice.choice([CANAL, RIVER])}}, {"best_efforts": []}]
            told = file_activity(start_date=day, **dice.choice(lines))
            data = dice.choice([None, curves(time=[0, 1, 2]), curves(time=[0, 2], heartrate=[120, 130])])
            recording(
                raw,
                number,
                told,
                data,
                athlete_id=7,
                origin=dice.choice(["archive", "own"]),
                is_truncated=dice.randrange(2),
                activity_id=dice.choice([activity_id, OWN + number]),
                previous_activity_id=linked(raw, number),
            )


def linked(raw: Any, number: int) -> int | None:
    """Return the activity that a recording belonged to so far."""
    with sqlite3.connect(raw.path) as connection:
        row = connection.execute("select activity_id from activity_files where own_activity_id = ?", [OWN + number])
        return next((activity_id for (activity_id,) in row), None)


def fill_an_old_ledger(raw: Any) -> None:
    """Add rows of two years ago: settled, parked, waiting, unreadable, and all that is known of another athlete."""
    raw.athlete(8)
    told: list[tuple[str, dict[str, Any]]] = [
        ("parked", {}),
        ("stored", {"event_id": "o0"}),
        ("parked", {}),
        ("deferred", {}),
        ("parked", {"athlete_id": None}),
        ("stored", {"athlete_id": 8}),
        ("ignored", {"athlete_id": 8}),
        ("unchanged", {}),
    ]
    for number, (outcome, of) in enumerate(told):
        moments = dict.fromkeys(
            ("event_time", "received_at", "finished_at", "ingested_at"), f"2024-04-01T12:00:0{number}.000000Z"
        )
        raw.event(f"o{number}", outcome=outcome, **moments, **of)


def pruned(path: Path) -> int:
    """Prune the ledger as the daily job does."""

    async def prune() -> int:
        store = SqliteRawStore(path)
        try:
            return await store.prune_events(datetime(2025, 4, 1, tzinfo=UTC))
        finally:
            await store.close()

    return asyncio.run(prune())


def change_alone(raw: Any, payload: Any, tables: Sequence[str]) -> None:
    """Change these tables and no other, each in a way that a mart or its own staged table shows."""
    for table in tables:
        match table:
            case "strava_activities":
                raw.activity(13, payload(distance=4321, start_date_local="2026-03-15T07:00:00Z"))
            case "strava_streams":
                streams(raw, 13, {"watts": {"data": [200], "original_size": 1}})
            case "strava_events":
                raw.event("alone", outcome="parked", event_time="2026-04-01T13:00:00.000000Z")
            case "activity_changes":
                edited(raw, 13, "name", "Before", "Alone")
            case "strava_athletes":
                raw.athlete(9)
            case "archive_activities":
                archive_row(raw, 15, row_activity(name="Alone"), athlete_id=7)
            case "activity_files":
                recording(raw, 20, file_activity(), curves(time=[0, 1]), athlete_id=7)
            case "imports":
                fill_the_imports(raw)
            case _:
                raw.insert(table, **new_row(table, raw.next_ingested_at(), raw.writes))


def new_row(table: str, moment: str, number: int) -> dict[str, Any]:
    """Return a row of a table in the books: a new one, or one in the place of an earlier."""
    seen = {"athlete_id": 7, "observed_at": moment, "ingested_at": moment}
    counts = dict.fromkeys(("strava_count", "warehouse_count", "missing", "extra", "changed", "repaired"), number)
    rows: dict[str, dict[str, Any]] = {
        "strava_gear": {"gear_id": "g1", "payload": '{"name": "Blue"}', **seen},
        "strava_athlete_settings": {"settings_id": "s1", "payload": '{"ftp": 250}', **seen},
        "strava_totals": {"payload": '{"all_run_totals": {"count": 2}}', **seen},
        "athlete_files": {
            "athlete_id": 7,
            "payload": json.dumps(document_of(ORDER + OWN_FILE, [7])[7].payload),
            "file_hash": "1",
        }
        | {"ingested_at": moment},
        "reconciliations": {"reconciliation_id": "r1", "athlete_id": 7, "verdict": "complete", **counts}
        | {"started_at": moment, "finished_at": moment},
        "backfills": {"athlete_id": 7, "requested_at": moment, "updated_at": EARLIER}
        | {"has_details": 1, "listed_count": number, "failed_count": 0},
        "pipeline_readings": {"reading": "current", "read_at": moment, "changed_at": EARLIER}
        | {"budget": "{}", "queued_count": number},
        "transform_runs": {"run_id": f"t{number}", "watermark": "", "is_full_refresh": 0}
        | dict.fromkeys(("started_at", "finished_at", "published_at"), "2026-04-01T12:30:00.000000Z"),
    }
    return rows[table]


def loads(warehouse: Any) -> list[dict[str, Any]]:
    """Return the load of each activity, and how it came about."""
    rows: list[dict[str, Any]] = warehouse.rows(
        "select activity_id, load, load_method from mart.fct_activities order by 1"
    )
    return rows


def last_day(warehouse: Any) -> Any:
    """Return the last day on which an activity counts."""
    days = "select max(date_day) as day from staging.int_summaries__daily where activity_count > 0"
    return warehouse.row(days)["day"]


def rebuilt_whole(warehouse: Any, folder: Path, as_of: str, built: Path | None = None) -> Any:
    """Return a copy on which a refresh has built each table, not only what reads something new.

    Or one of the tables that were `built` of something else.
    """
    folder.mkdir()
    warehouse.close()
    other = copy(warehouse)
    other.folder, other.levels = folder, {}
    shutil.copy(built or warehouse.built, other.built)
    other.run_script(None, (), datetime.fromisoformat(as_of).replace(tzinfo=UTC))
    return other


FromNothing = Callable[[Any, str], dict[str, list[str]]]


@pytest.fixture
def from_nothing(empty: Any, tmp_path: Path) -> FromNothing:
    """What the first refresh of tables of nothing makes of all of raw, which takes a fifth of what dbt's build does."""

    def built(warehouse: Any, as_of: str) -> dict[str, list[str]]:
        return contents(rebuilt_whole(warehouse, tmp_path / "from_nothing", as_of, empty.built))

    return built


def test_any_history_refreshed_equals_a_full_build(
    installed: Any, payload: Any, tmp_path: Path, from_nothing: FromNothing
) -> None:
    """Creates, edits, deletes, revivals, lost maps, garbage and imports, refreshed at odd moments, once only halfway.

    Then tables of raw change alone, so that the models of the others are left out, and those that read nothing new; new
    settings date loads again. Then nothing changes, and the next day's refresh alone counts what was dated tomorrow.
    A first refresh gives what dbt's full build gives.
    What leaves an old ledger is missing in the staged ledger and its view after a full build, and nowhere else.
    """
    dice = random.Random(1)  # a repeatable history
    installed.raw.athlete(7)
    fill_an_old_ledger(installed.raw)
    installed.raw.activity(14, payload(start_date="2026-04-03T06:00:00Z", start_date_local="2026-04-03T08:00:00Z"))
    change_alone(installed.raw, payload, ["backfills", "pipeline_readings"])
    for step in range(3):
        for _ in range(dice.randrange(3, 15)):
            change(installed.raw, payload, dice)
        halfway = ["--select", "+base_strava__activities"] if step == 1 else []
        installed.refresh(*halfway, as_of=f"2026-04-02 10:0{step}:00")
    for step, tables in enumerate(ALONE, 3):
        change_alone(installed.raw, payload, tables)
        before = loads(installed)
        as_of = f"2026-04-02 10:0{step}:00"
        installed.refresh(as_of=as_of)
        assert contents(installed) == contents(rebuilt_whole(installed, tmp_path / str(step), as_of))
        loaded = {"athlete_files", "strava_activities", "archive_activities"}
        assert (loads(installed) != before) is not loaded.isdisjoint(tables)
    assert last_day(installed) < date(2026, 4, 3)
    installed.refresh(as_of="2026-04-03 10:00:00")
    assert last_day(installed) == date(2026, 4, 3)
    refreshed = contents(installed)
    assert pruned(installed.raw.path) == 4
    installed.refresh("--full-refresh", as_of="2026-04-03 10:00:00")
    rebuilt = contents(installed)
    assert from_nothing(installed, "2026-04-03 10:00:00") == rebuilt
    for ledger, gone in (("staging.stg_strava__events", 4), ("mart.activity_event", 3)):
        staged, left = refreshed.pop(ledger), rebuilt.pop(ledger)
        assert (len(staged) - len(left), set(left) - set(staged)) == (gone, set())
    assert len({row.partition("route_group_id")[2][:5] for row in rebuilt["mart.route_group"]}) > 1
    assert refreshed == rebuilt


def test_a_load_follows_what_is_told_of_other_days(installed: Any, payload: Any, from_nothing: FromNothing) -> None:
    """Of each of five years one activity has Strava's score alone, whose worth the ten others of that year tell.

    Of the first year one of the ten is edited, of the second deleted, of the third moved to the fourth; for the fifth
    the athlete's own file tells a heart rate. Then one of the first year's recordings comes, and goes, alone. Each
    time the loads of these years change and no others.
    """
    raw = installed.raw
    raw.athlete(7)

    def scored(number: int, year: int, *, of_year: int | None = None, beats: int = 140) -> None:
        month = number // 4 + 1 if number else 12
        start = f"{year}-{month:02}-{number % 4 + 1:02}T07:00:00Z"
        body = {"average_heartrate": beats, "max_heartrate": 171} if number else {}
        told = {"start_date": start, "start_date_local": start, "suffer_score": 30, **body}
        raw.activity((of_year or year) * 100 + number, payload(map={}, best_efforts=[], **told))

    def of_score() -> dict[int, float]:
        found = installed.rows("select * from mart.fct_activities where load_method like 'suffer%'")
        return {row["start_date_local"].year: row["load_suffer_score_factor"] for row in found}

    def own_file(later: str = "") -> None:
        own = document_of(f"max_heart_rate = [{{ value = 180 }}{later}]", [7])[7]
        told = {"athlete_id": 7, "payload": json.dumps(own.payload), "file_hash": later}
        raw.insert("athlete_files", **told, ingested_at=raw.next_ingested_at())

    own_file()
    beats = curves(time=[0, 300, 600, 900, 1200, 1500], heartrate=[120, 130, 140, 150, 150, 150])
    years = range(2015, 2025, 2)
    for year in years:
        for number in range(11):
            scored(number, year)
    installed.refresh(as_of="2026-04-02 10:00:00")
    steps: list[tuple[Callable[[], Any], set[int]]] = [
        (lambda: scored(3, 2015, beats=150), {2015}),
        (lambda: raw.tombstone(201703), {2017}),
        (lambda: scored(3, 2021, of_year=2019, beats=150), {2019, 2021}),
        (lambda: own_file(", { from = 2023-01-01, value = 175 }"), {2023}),
        (lambda: streams(raw, 201504, beats), {2015}),
        (lambda: scored(0, 2013), set()),
        (lambda: streams(raw, 201504, None), {2015}),
    ]
    for step, (happens, followed) in enumerate(steps, 1):
        before = of_score()
        happens()
        installed.refresh(as_of=f"2026-04-02 10:0{step}:00")
        after = of_score()
        assert {year for year in years if after[year] != before[year]} == followed
    assert contents(installed) == from_nothing(installed, "2026-04-02 10:07:00")


def test_what_was_before_a_run_of_dbt_that_ended_halfway_is_gone(
    installed: Any, payload: Any, from_nothing: FromNothing
) -> None:
    """Two activities leave their day, which the table of activities no longer knows when the next refresh comes.

    Then a run leaves the loads out while another one is deleted, and one reckons no other table's.
    """
    raw = installed.raw
    raw.athlete(7)

    def on(activity_id: int, day: str) -> None:
        told = {"start_date": f"{day}T06:00:00Z", "start_date_local": f"{day}T07:00:00Z"}
        raw.activity(activity_id, payload(map={}, best_efforts=[], **told))

    for activity_id, day in enumerate(("2026-01-10", "2026-03-11", "2025-12-01", "2026-03-13", "2026-03-14"), 1):
        on(activity_id, day)
    installed.refresh(as_of="2026-04-02 10:00:00")
    on(1, "2026-03-20")
    raw.tombstone(3)
    installed.refresh("--select", "+fct_activities", as_of="2026-04-02 10:01:00")
    installed.refresh(as_of="2026-04-02 11:02:00")
    raw.tombstone(4)
    installed.refresh("--exclude", "int_training__loads", as_of="2026-04-02 11:03:00")
    on(2, "2026-03-12")
    installed.refresh(as_of="2026-04-02 11:04:00")
    installed.refresh("--select", "int_training__changed_loads", "int_training__loads", as_of="2026-04-02 11:05:00")
    on(2, "2026-03-11")
    installed.refresh(as_of="2026-04-02 12:06:00")
    assert contents(installed) == from_nothing(installed, "2026-04-02 12:06:00")


def test_what_comes_while_a_refresh_begins_is_not_lost(installed: Any, payload: Any, from_nothing: FromNothing) -> None:
    """Which tables changed is asked before raw is read: what is written in between is read then, and not again."""
    raw, beats = installed.raw, curves(time=[0, 30, 60], heartrate=[120, 130, 140])
    other_file = file_activity(start_date="2026-03-20T06:00:00Z")
    raw.athlete(7)
    for activity_id in (1, 2, 3):
        raw.activity(activity_id, payload())
    installed.refresh(as_of="2026-04-02 10:00:00")
    steps: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: streams(raw, 1, beats), lambda: raw.activity(4, payload(name="Saved meanwhile"))),
        (lambda: streams(raw, 2, beats), lambda: raw.tombstone(3)),
        (lambda: raw.activity(1, payload(name="Edited")), lambda: raw.activity(5, payload())),
        (lambda: None, lambda: streams(raw, 5, beats)),
        (
            lambda: archive_row(raw, 6, row_activity(start_date="2026-03-20T06:00:00Z"), athlete_id=7),
            lambda: recording(raw, 1, other_file, curves(time=[0, 1, 2]), athlete_id=7, activity_id=6),
        ),
    ]
    for step, (first, meanwhile) in enumerate(steps, 1):
        first()
        installed.refresh(as_of=f"2026-04-02 10:0{step}:00", meanwhile=meanwhile)
    installed.refresh(as_of="2026-04-02 10:10:00")
    assert contents(installed) == from_nothing(installed, "2026-04-02 10:10:00")


def test_what_comes_once_raw_was_read_is_in_the_next_refresh(
    installed: Any, payload: Any, from_nothing: FromNothing
) -> None:
    """All models of a refresh have raw as it was at one moment, and the next one misses nothing."""
    raw = installed.raw
    for activity_id in (1, 2, 3):
        raw.activity(activity_id, payload())
    installed.refresh(as_of="2026-04-02 10:00:00")

    def write() -> None:
        raw.activity(4, payload(name="Saved afterwards"))
        raw.tombstone(2)
        raw.activity(3, payload(name="Edited afterwards"))
        streams(raw, 1, curves(time=[0, 30, 60], heartrate=[120, 130, 140]))

    raw.activity(1, payload(name="Edited"))
    installed.refresh(as_of="2026-04-02 10:01:00", afterwards=write)
    named = "select activity_id, name from mart.fct_activities order by activity_id"
    names = [row["name"] for row in installed.rows(named)]
    assert (len(names), names[0]) == (3, "Edited")
    assert "Edited afterwards" not in names
    installed.refresh(as_of="2026-04-02 10:02:00")
    assert contents(installed) == from_nothing(installed, "2026-04-02 10:02:00")
    assert [row["activity_id"] for row in installed.rows(named)] == [1, 3, 4]


def test_a_refresh_runs_what_dbt_would_choose(installed: Any) -> None:
    """The models of a refresh are those of dbt's own graph, and a saved activity costs few statements."""
    script = installed.script()
    for changed in (None, {"strava_activities"}, {"strava_events", "backfills"}, set()):
        _, _, *choice = refresh_command(changed)
        listed = installed.dbt("ls", "--resource-type", "model", *choice)
        assert listed.success, listed.exception
        assert due(script, changed) == {name.split(".")[-1] for name in listed.result}
    saved = due(script, {"strava_activities", "strava_events"})
    assert sum(len(model.statements) + 2 * bool(model.replaced) for model in script.models if model.name in saved) < 200


def test_a_model_writes_its_own_table_and_names_others_with_their_schema(installed: Any) -> None:
    """By the names it is known which models wait for which: the others are built at the same time."""
    script = installed.script()
    names = {model.name for model in script.models}
    written = re.compile(r'(?:table(?: if exists)?|insert into|delete from|update) (\w+__new|[\w"]+[.][\w."]+)')
    count = 0
    for model in script.models:
        replaced = [model.replaced.where, model.replaced.rows] if model.replaced else []
        for text in [*model.statements, *replaced]:
            statement = re.sub("'(?:[^']|'')*'", "''", text)
            for table in written.findall(statement):
                count += 1
                assert table.replace('"', "").rpartition(".")[2] in {model.name, f"{model.name}__new"}, table
            bare = re.findall(r'(?:from|join)\s+(\w+)\b(?!"?[.])', statement)
            assert names.isdisjoint(bare), (model.name, names & set(bare))
    assert count > 2 * len(names) / 3
    waiting = script.waits
    assert "int_summaries__touched_days" in waiting["fct_activities"]  # reads it as it was
    assert "base_strava__activities" in waiting["fct_activities"]  # through a view


def due(script: Script, changed: Collection[str] | None) -> set[str]:
    """Return the models that a refresh builds right after a run of dbt: then all that comes of a change."""
    nodes: list[Node] = []
    now = datetime(2026, 4, 2, 10, tzinfo=UTC)
    statements = Statements(lambda _: [(0,)], now, lambda: now)
    statements.is_alone = False
    run_script(script, changed, [statements], nodes)
    return {node.name for node in nodes}


def test_a_refresh_reads_only_what_came_since_the_last_one(installed: Any, payload: Any) -> None:
    """A row whose `ingested_at` is no newer than the newest one known is not looked at again, even if it differs."""
    installed.raw.activity(1, payload())
    installed.raw.activity(2, payload(name="as first read"))
    installed.refresh_activities()
    installed.raw.execute("update strava_activities set payload = replace(payload, 'as first read', 'changed unseen')")
    installed.raw.activity(3, payload(name="new"))
    installed.refresh_activities()
    names = installed.rows("select activity_id, name from mart.fct_activities order by activity_id")
    assert [row["name"] for row in names] == ["Morning run", "as first read", "new"]


def test_what_changed_is_known_until_every_model_has_it(installed: Any, payload: Any) -> None:
    """Only what changed is looked at, even while there is no route; a build that stops halfway forgets nothing."""
    changed = "select activity_id from staging.base_strava__changed_activities order by 1"
    for activity_id in (1, 2, 3):
        installed.raw.activity(activity_id, payload(map={}))
    installed.refresh_activities()
    assert [row["activity_id"] for row in installed.rows(changed)] == [1, 2, 3]
    installed.raw.activity(2, payload(map={}, name="renamed"))
    installed.refresh("--select", "+base_strava__activities")
    installed.raw.activity(3, payload(name="got a map"))
    installed.refresh_activities()
    assert [row["activity_id"] for row in installed.rows(changed)] == [2, 3]
    names = installed.rows("select name from mart.fct_activities order by activity_id")
    assert [row["name"] for row in names] == ["Morning run", "renamed", "got a map"]
    assert installed.rows("select activity_id from mart.route") == [{"activity_id": 3}]
    installed.refresh_activities(as_of="2026-04-02 11:00:00")
    assert installed.rows(changed) == []


def test_no_part_of_the_curves_is_left_out(installed: Any, payload: Any) -> None:
    """They are built for fifty activities at a time: by a first refresh, where all change at once, and from nothing."""
    numbers = range(1, 102)
    for number in numbers:
        installed.raw.activity(number, payload(map={}, best_efforts=[]))
        of = curves(time=[0, 30, 60 + number], distance=[0.0, 200.0, 500.0], heartrate=[120, 130, 140])
        streams(installed.raw, number, of)
    installed.refresh()
    for table in CURVES:
        [row] = installed.rows(f"select count(distinct activity_id) as n from {table}")  # noqa: S608 - our own names
        assert (table, row["n"]) == (table, len(numbers))
    for number in numbers:
        installed.raw.activity(number, payload(map={}, best_efforts=[], name="Renamed"))
    installed.refresh()
    refreshed = contents(installed)
    installed.refresh("--full-refresh")
    assert contents(installed) == refreshed


def test_overlaps_follow_both_sides(installed: Any, payload: Any) -> None:
    """Of two that meet after midnight either one is edited, and then one moved away, back, and deleted."""

    def save(activity_id: int, start: str, name: str = "As saved") -> list[tuple[int, int]]:
        told = {"start_date": start, "start_date_local": start, "moving_time": 3600, "elapsed_time": 3600}
        installed.raw.activity(activity_id, payload(name=name, **told))
        return pairs()

    def pairs() -> list[tuple[int, int]]:
        installed.refresh_activities()
        found = installed.rows("select activity_id, other_activity_id from staging.int_quality__overlaps order by 1")
        return [tuple(row.values()) for row in found]

    late, early, noon = "2026-03-01T23:30:00Z", "2026-03-02T00:00:00Z", "2026-03-02T12:00:00Z"
    both = [(1, 2), (2, 1)]
    assert save(1, late) == []
    assert save(2, early) == both
    assert save(1, late, "Edited") == save(2, early, "Edited") == both
    assert save(2, noon) == []
    assert save(2, early) == both
    installed.raw.tombstone(1)
    assert pairs() == []


def test_more_changes_than_a_list_can_name_are_all_seen(installed: Any, payload: Any) -> None:
    """5,001 deletes and an edit at once: everything between the first and the last id is built again."""
    for activity_id in (1, 2, 9000):
        installed.raw.activity(activity_id, payload())
    installed.refresh_activities()
    installed.raw.execute(
        "with recursive ids (id) as (select 100 union all select id + 1 from ids where id < 5100) "
        "insert into strava_activities (activity_id, athlete_id, is_deleted, source, observed_at, ingested_at) "
        "select id, 7, 1, 'webhook', '', printf('2026-04-01T13:00:00.%06dZ', id) from ids"
    )
    installed.raw.minute = "2026-04-01T14:00"
    installed.raw.activity(2, payload(name="renamed"))
    installed.refresh_activities()
    names = installed.rows("select name from mart.fct_activities order by activity_id")
    assert [row["name"] for row in names] == ["Morning run", "renamed", "Morning run"]
    refreshed = contents(installed)
    installed.refresh_activities("--full-refresh")
    assert refreshed == contents(installed)


def test_a_fresh_installation_builds_and_then_fills(installed: Any, payload: Any) -> None:
    """With nothing in raw every table is there and empty; the first activity then arrives, and arrives once."""
    filled = {name for name, rows in contents(installed).items() if rows}
    of_the_project = {
        "mart.documentation", "staging.sport_groups", "staging.time_zone_countries", "staging.world_records",
    }  # fmt: skip
    assert filled == {"staging.int_pipeline__build"} | of_the_project
    installed.raw.athlete(7)
    installed.raw.activity(1, payload())
    installed.refresh()
    assert installed.row("select activity_count from mart.pipeline_health") == {"activity_count": 1}
    assert installed.row("select point_count, start_cell from mart.route") == {
        "point_count": 3,
        "start_cell": "3850:-12020",
    }
    once = contents(installed)
    installed.refresh()
    assert contents(installed) == once


def test_a_run_of_dbt_tells_whether_it_built_every_model(installed: Any) -> None:
    """After one that did the next refresh may leave models out, after one that did not it may not."""
    told = "select count(*) as n from duckdb_tables() where table_name = 'refreshed'"
    assert installed.row(told) == {"n": 1}
    assert installed.dbt("run", "--select", "int_pipeline__build").success
    assert installed.row(told) == {"n": 0}


def test_a_build_knows_when_it_ended(installed: Any) -> None:
    """Its end is written once its models are built, and dbt's tests leave it alone."""
    build = "select started_at, finished_at from staging.int_pipeline__build"
    assert installed.dbt("run", "--select", "int_pipeline__build", "base_strava__activities").success
    row = installed.row(build)
    assert row["started_at"] < row["finished_at"]
    assert installed.dbt("test", "--select", "int_pipeline__build").success
    assert installed.row(build) == row


def test_a_models_status_is_what_its_tests_said_last(installed: Any) -> None:
    """A run that tests another model leaves it, a failure is counted, and a whole build without tests forgets all.

    That of a null names each column that has one.
    """
    for model in ("stg_strava__gear", "stg_strava__athletes"):
        assert installed.dbt("test", "--select", f"{model},test_type:generic").success
    with duckdb.connect(str(installed.built)) as connection:
        connection.execute("insert into staging.stg_strava__athletes (athlete_id) values (7), (7)")
    failed = installed.dbt("test", "--select", "stg_strava__athletes,test_type:generic")
    [told] = [str(each.message) for each in failed.result if each.node.name.startswith("not_null_columns")]
    assert re.search(r"null in (.*)", told)[1] == "status, status_since, updated_at"  # type: ignore[index]
    rows = installed.rows(
        "select model, test_count > 0 as has_tests, failed_count from mart.model_status order by model"
    )
    assert [tuple(row.values()) for row in rows][1] == ("stg_strava__gear", True, 0)
    assert (rows[0]["model"], rows[0]["failed_count"] > 0) == ("stg_strava__athletes", True)
    assert installed.dbt("run", "--full-refresh", "--select", "stg_strava__athletes").success
    assert installed.rows("select 1 from information_schema.tables where table_name = 'model_status'") == []


@pytest.mark.parametrize(
    ("hours", "events", "verdict"), [(0, "pass", "pass"), (30, "warn", "warn"), (60, "warn", "error")]
)
def test_freshness_warns_after_26_and_fails_after_50_hours(
    warehouse: Any, hours: int, events: str, verdict: str
) -> None:
    """Without events an athlete may be resting; without a check to the end something is wrong, and that fails."""
    with sqlite3.connect(":memory:") as clock:
        (moment,) = clock.execute(f"select strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-{hours} hours')").fetchone()
    warehouse.raw.event("d1", ingested_at=moment)
    counts = dict.fromkeys(("strava_count", "warehouse_count", "missing", "extra", "changed", "repaired"), 0)
    for key, ended, judged in (("r1", moment, "guarded"), ("r2", "2100-01-01T00:00:00.000000Z", "cut_short")):
        times = {"started_at": ended, "finished_at": ended}
        warehouse.raw.insert("reconciliations", reconciliation_id=key, athlete_id=7, verdict=judged, **counts, **times)
    result = warehouse.dbt("source", "freshness")
    assert {r.node.name: str(r.status) for r in result.result} == {
        "strava_events": events,
        "reconciliations": verdict,
    }
