"""A life that DuckDB builds and refreshes, and the same in BigQuery's dialect on Google's engine."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.transforms.bigquery import BigQueryDialect, Found, RefreshedDialect, flat, raw_queries, seed_types, table
from tests.transforms.bigquery_reads import TypedTables
from tests.transforms.bigquery_rest import Job, compiled, sent
from tests.transforms.imported import ALONE, OWN, archive_row, file_activity, recording, row_activity
from tests.transforms.life import (
    CANAL,
    CANAL_AGAIN,
    EFFORT,
    EXTREME,
    LAP,
    RECORDED,
    ROOT,
    SPLIT,
    lived,
    run_payload,
    streams,
)
from tests.transforms.warehouse import AS_OF, BERLIN, Warehouse
from worker.dbt_runner.dbt import refresh_command

SEEDS = ROOT / "transforms/seeds"
PARTS = {"laps": [LAP], "splits_metric": [SPLIT], "segment_efforts": [EFFORT]}
EVENTS = "staging.stg_strava__events"
PAIRS = "staging.int_places__similar_routes"
INPUTS, CHANGED_STREAMS = "staging.int_streams__inputs", "staging.int_streams__changed_activities"
MODELS = sorted(
    f"{'mart' if 'mart' in file.parts else 'staging'}.{file.stem}"
    for file in (ROOT / "transforms/models").rglob("*.sql")
    if "enabled=target.type != 'bigquery'" not in file.read_text()
)
# The incremental ones, with their keys.
KEYS = {
    "staging.base_strava__activities": ["activity_id"],
    **{name: ["activity_id"] for name in ("staging.stg_archive__activities", "staging.base_archive__activities")},
    "staging.stg_archive__files": ["file_id"],
    "staging.stg_strava__best_efforts": ["activity_id", "effort_name"],
    "staging.stg_strava__laps": ["activity_id", "lap_index"],
    "staging.stg_strava__splits": ["activity_id", "unit_system", "split_index"],
    "staging.stg_strava__segment_efforts": ["activity_id", "effort_id"],
    "staging.stg_strava__streams": ["activity_id", "stream_key"],
    "staging.stg_strava__events": ["delivery_id"],
    "mart.fct_activities": ["activity_id"],
    "mart.activity_course": ["activity_id"],
    "mart.route": ["activity_id"],
    "mart.route_cell": ["activity_id", "z", "x", "y"],
    "staging.int_places__route_shapes": ["activity_id"],
    "staging.int_places__similar_routes": ["activity_id", "other_activity_id"],
    "mart.record_best_effort": ["activity_id", "effort_name"],
    "staging.int_streams__samples": ["activity_id", "place"],
    "mart.time_in_zone": ["activity_id", "kind", "zone"],
    "staging.int_streams__power": ["activity_id"],
    "staging.int_streams__marks": ["activity_id", "kind", "mark_index"],
    "staging.int_streams__best_efforts": ["activity_id", "effort_name"],
    "mart.power_curve_activity": ["activity_id", "duration_s"],
    "mart.split": ["activity_id", "unit_system", "split_index"],
    "mart.stream_summary": ["activity_id"],
}
# Of these the ones that are built of the athlete's own files alone.
OF_FILES = {"staging.stg_archive__activities", "staging.stg_archive__files", "staging.base_archive__activities"}
WATERMARK = {"ingested_at": "timestamp"}
COUNTS = dict.fromkeys(("definition_version", "test_count", "failed_count"), "int64")
STATUS = {"model": "string", **COUNTS, "tested_at": "timestamp"}
# What the pages ask, by query, with values of the types that they give.
SPAN, ALL = (date(2026, 3, 23), date(2026, 3, 29)), ("all", "all")
MONTH = date(2026, 3, 1), date(2026, 3, 31)
EVER = date(2000, 1, 1), date(2100, 1, 1)
PARAMETERS: Mapping[str, Sequence[Any]] = {
    "activity/beside": [BERLIN, 2, BERLIN, True],
    "activity/changes": [BERLIN, 1],
    "activity/course": [BERLIN, 1],
    "activity/efforts": [BERLIN, 80, BERLIN],
    "activity/events": [BERLIN, 1],
    "activity/laps": [BERLIN, 80],
    "activity/loads": [BERLIN, 80],
    "activity/new_tiles": [BERLIN, 80, BERLIN],
    "activity/newest": [BERLIN, *ALL, True],
    "activity/one": [BERLIN, 80],
    "activity/power": [EXTREME, 75, EXTREME, "run", "2026"],
    "activity/route": [BERLIN, 80],
    "activity/same_route": [BERLIN, 80, BERLIN, True],
    "activity/splits": [BERLIN, 80, "metric"],
    "activity/streams": [BERLIN, 1],
    "activity/zones": [BERLIN, 2],
    "backfill_status": [BERLIN],
    "contributing": ["load", RECORDED, *EVER, *ALL, 1.0],
    "gear/contributing": ["moving_time_s", RECORDED, "g5073738", *EVER],
    "gear/months": [BERLIN, *ALL],
    "gear/services": [BERLIN],
    "gear/usage": [RECORDED],
    "imports": [ALONE, "i1", ALONE],
    "import_items": [ALONE, "i1", ALONE, "i1"],
    "overview/changes": [BERLIN, datetime(2026, 4, 1), True],  # noqa: DTZ001 - as the pages ask, in UTC
    "overview/imports": [ALONE, datetime(2026, 3, 1), True, ALONE],  # noqa: DTZ001 - likewise
    "overview/reached_since": [BERLIN, datetime(2020, 1, 1), BERLIN, BERLIN, "mi", "ft"],  # noqa: DTZ001 - as above
    "overview/moved": [BERLIN, datetime(2026, 1, 1), True, BERLIN],  # noqa: DTZ001 - as above
    "overview/calendar": [BERLIN, "all", *SPAN],
    "overview/goals": [BERLIN],
    "map/routes": [EXTREME, date(2000, 1, 1), date(2100, 1, 1), *ALL, True],
    "map/hidden": [EXTREME, date(2000, 1, 1), date(2100, 1, 1), *ALL],
    "map/tiles": [EXTREME, 14, date(2000, 1, 1), date(2100, 1, 1), *ALL, True],
    "map/most_tiles": [EXTREME, EXTREME, 14, date(2000, 1, 1), date(2100, 1, 1), *ALL, True],
    "map/route_groups": [EXTREME, date(2000, 1, 1), date(2100, 1, 1), *ALL, True],
    "overview/latest": [EXTREME, date(2000, 1, 1), date(2100, 1, 1), *ALL],  # who has more than are shown
    "overview/load_coverage": [RECORDED, *MONTH, *ALL],
    "overview/newest_records": [BERLIN, date(2000, 1, 1), date(2100, 1, 1), *ALL],
    "overview/sums": [BERLIN, "week", *SPAN, *ALL],
    "model_status": [],
    "pipeline_health": [],
    "pipeline_latency": [BERLIN],
    "pipeline_latency_course": [BERLIN, "hour"],
    "pipeline_runs": [BERLIN],
    "private_activities": [BERLIN],
    "purge_receipts": [],
    "quality/activities": [BERLIN, "recordings_overlap"],
    "quality/checks": [BERLIN],
    "quality/kinds": [BERLIN, BERLIN],
    "quality/totals": [BERLIN],
    "rate_budget": [],
    "records/best_efforts": [BERLIN, *EVER, "run", BERLIN],
    "records/eddington": [BERLIN, "run", "km", "all"],
    "records/excluded_efforts": [EXTREME, *EVER, "run"],
    "records/longest": [BERLIN, "all", "2026"],
    "records/milestones": [BERLIN, BERLIN, *EVER, *ALL, "mi", "ft"],
    "records/race_prediction": [RECORDED],
    "records/record_steps": [BERLIN, "run"],
    "records/streak_runs": [BERLIN, "run", "all"],
    "records/streaks": [BERLIN, "run", "all"],
    "sports_done": [BERLIN],
    **{f"sql/{name}": [] for name in ("documentation", "gear", "hours", "longest", "weeks", "years")},
    "told_until": [BERLIN],
    "training/audit": [RECORDED, *EVER, *ALL, RECORDED],
    "training/days": [BERLIN, "all", *MONTH],
    "training/methods": [RECORDED, *MONTH, *ALL],
    "training/power": [EXTREME, "run", "2026", EXTREME],
    "training/recorded": [RECORDED, RECORDED, *MONTH, *ALL],
    "training/zones": [BERLIN, "heart_rate", *MONTH, *ALL],
    "training/zoned": [BERLIN, BERLIN, "heart_rate", *MONTH, *ALL],
    "training/settings": [RECORDED],
    "trends/distances": [500.0, BERLIN, *MONTH, *ALL],
    "trends/mix": [BERLIN, *MONTH, *ALL],
    "trends/rolling": [BERLIN, "all", 7, *SPAN],
    "trends/starts": [BERLIN, *MONTH, *ALL],
    "trends/year_goal": [BERLIN, "load", "all", date(2026, 1, 1)],
    "trends/year_to_date": [BERLIN, "run", date(2026, 3, 29)],
    "trends/years": [BERLIN, "run", *SPAN],
    "waiting_events": [BERLIN],
    "year/countries": [BERLIN, "all", 2026, 2025],
    "year/gear": [BERLIN, 2026, 2025],
    "year/mix": [BERLIN, date(2026, 1, 1), date(2025, 1, 1), *ALL],
    "year/months": [BERLIN, 2026, 2025, *ALL],
    "year/new_tiles": [EXTREME, *ALL],
    "year/review": [BERLIN, "all"],
    "year/to_day": [BERLIN, *SPAN, "all"],
}


def twin_life(warehouse: Warehouse) -> Warehouse:
    """Change a life so that both engines can build it, and build it with DuckDB.

    One payload is left out that no JSON column can hold. The engine is made for being right, not fast (it takes the
    square of a line's length to decode it): recorded activities move into one month, as every day since counts, and
    only the hand-written ones keep their routes.
    """
    warehouse.raw.execute("delete from strava_activities where activity_id = 10")
    warehouse.raw.execute(
        "update strava_activities set payload = json_remove(payload, '$.map') where athlete_id = ?", RECORDED
    )
    for month in ("2018-11-", "2022-05-", "2025-10-"):
        warehouse.raw.execute("update strava_activities set payload = replace(payload, ?, '2026-03-')", month)
    later = {"start_date": "2026-04-01T06:00:00Z", "start_date_local": "2026-04-01T08:00:00Z", "map": {}}
    warehouse.raw.activity(81, run_payload(**later), athlete_id=RECORDED)  # the month after ten maxima of heart rate
    warehouse.raw.activity(80, run_payload(name="Old, with all there can be", map={"polyline": CANAL}, **PARTS))
    warehouse.raw.event("old", object_id=80, ingested_at="2026-04-01T11:00:00.000000Z")
    warehouse.raw.minute = "2026-04-01T13:00"  # an hour later: no refresh has a reason to read the others again
    warehouse.raw.activity(90, run_payload(name="Newest of the first build", map={}, private=True))
    warehouse.refresh()
    return warehouse


def new_twin(folder: Path, empty: Warehouse) -> Warehouse:
    """Return such a life in a folder, refreshed from a copy of what was built of nothing."""
    warehouse = lived(folder, empty.variables)
    shutil.copy(empty.built, warehouse.built)
    twin = twin_life(warehouse)
    assert twin.dbt("test", "--select", "dim_date,test_type:generic", "--vars", json.dumps({"as_of": AS_OF})).success
    return twin


def an_hour_later(twin: Warehouse, folder: Path) -> Warehouse:
    """Return a copy of the life, refreshed by DuckDB: an edit, a lost map, a delete, a new run, a newer export."""
    shutil.copytree(twin.folder, folder)
    warehouse = Warehouse(folder, twin.variables)
    warehouse.raw.minute = "2026-04-01T14:00"
    warehouse.raw.activity(2, run_payload(name="Renamed", distance=4000, best_efforts=[], **PARTS))
    warehouse.raw.activity(71, run_payload(map={}), athlete_id=EXTREME)
    warehouse.raw.tombstone(1)
    warehouse.raw.activity(91, run_payload(name="New", map={"polyline": CANAL_AGAIN}))
    warehouse.raw.event("d2", object_id=91)
    warehouse.raw.execute("delete from strava_streams where activity_id = 1")
    linked: dict[str, Any] = {"activity_id": 1001, "previous_activity_id": OWN + 5, "matched_by": "alike"}
    archive_row(warehouse.raw, 1001, row_activity(name="Exported again"))
    recording(warehouse.raw, 5, file_activity(), **linked)
    curve = {"data": [120, 130], "series_type": "distance", "original_size": 2, "resolution": "high"}
    streams(warehouse.raw, 71, {"heartrate": curve}, athlete_id=EXTREME)
    warehouse.refresh()
    return warehouse


def full_build(twin: Warehouse, target: Path) -> BigQueryDialect:
    """Return the models of a full build in BigQuery's dialect."""
    dialect = BigQueryDialect(raw_queries(twin.raw.path, SEEDS))
    dialect.queries["mart__model_status"] = table(twin.rows("select * from mart.model_status"), STATUS)
    dialect.models = compiled(twin, target, {}, dialect.answer, "--select", "resource_type:model")
    return dialect


def compiled_tests(dialect: BigQueryDialect, twin: Warehouse, target: Path) -> list[str]:
    """Return the SQL of the project's tests of data in BigQuery's dialect."""
    nodes = compiled(twin, target, {}, dialect.answer, "--select", "test_type:data")
    return [node.compiled_code for node in nodes.values()]


def typed_tables(dialect: BigQueryDialect) -> TypedTables:
    """Return the tables that a full build leaves, with the types of their columns, and its views as their SQL."""
    views = {name: node.compiled_code for name, node in dialect.models.items() if node.config.materialized == "view"}
    types = {model: dialect.build(model)[0] for model in MODELS if model not in views}
    types[f"{INPUTS}_before"] = types[INPUTS]
    seeds = {f"staging.{name}": kinds for name, kinds in seed_types(SEEDS).items()}
    executed = {dialect.models[model].compiled_code.strip(): answer.types for model, answer in dialect.built.items()}
    others = {"staging.build_watermark": WATERMARK, "mart.model_status": STATUS}
    return TypedTables({**types, **seeds, **others}, views, executed)


@dataclass(frozen=True, slots=True)
class Refresh:
    """An incremental build in BigQuery's dialect, on top of the full one, and the statements that dbt sent for it."""

    dialect: RefreshedDialect
    jobs: Sequence[Job]


def refresh_after(dialect: BigQueryDialect, typed: TypedTables, later: Warehouse, target: Path) -> Refresh:
    """Build what comes of the tables that changed."""
    newest = max(row["ingested_at"] for row in dialect.build("staging.base_strava__changed_activities")[1])
    for model in KEYS:
        dialect.build(model)
    queries: dict[str, str | Found] = {
        **raw_queries(later.raw.path, SEEDS),
        "staging__build_watermark": table([{"ingested_at": newest}], WATERMARK),
    }
    refreshed = RefreshedDialect(queries, {model: dialect.built[model] for model in KEYS})
    refreshed.columns_of = typed.columns_of
    before = {model: dialect.built[model].types for model in KEYS} | {"staging.build_watermark": WATERMARK}
    before[f"{INPUTS}_before"] = dialect.built[INPUTS].types
    queries[flat(f"{INPUTS}_before")] = dialect.built[INPUTS].table
    queries[flat(EVENTS)] = dialect.built[EVENTS].table  # dbt asks for its newest row
    seen = later.rows(f"select activity_id from {CHANGED_STREAMS} union select 90")  # noqa: S608 - BigQuery reads ten minutes more
    queries[flat(CHANGED_STREAMS)] = table(seen, {"activity_id": "int64"})  # dbt asks for what it holds
    # what changed is known before the others are compiled
    first = ("--select", "base_archive__changed_activities", "base_strava__changed_activities")
    refreshed.models = compiled(later, target, before, refreshed.answer, *first)
    command = refresh_command(
        ["strava_activities", "strava_streams", "strava_events", "archive_activities", "activity_files"]
    )
    models, jobs = sent(later, target, before, refreshed.answer, *command)
    refreshed.models = {**dialect.models, **models}
    refreshed.merges = {named_after("merge into", job.sql): job.sql for job in jobs if "merge into" in job.sql}
    for model in (EVENTS, CHANGED_STREAMS):
        del queries[flat(model)]
    return Refresh(refreshed, jobs)


def named_after(words: str, sql: str) -> str:
    """Return the table that follows these words, with its dataset."""
    [(dataset, name)] = re.findall(rf"{words} `a-project`\.`(\w+)`\.`(\w+)`", sql)
    return f"{dataset}.{name}"
