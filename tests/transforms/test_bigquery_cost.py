"""What a refresh and a page cost on BigQuery: the statements that dbt really sends, as Google's engine reads them."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from backends.warehouse.bigquery.marts import bound_in_order
from tests.transforms.bigquery import BigQueryDialect, flat, start_engine
from tests.transforms.bigquery_asked import AFTER_CHANGE, BATCH, CHECK, DAILY_LOOKS, LOOK, PAGE, STREAMS
from tests.transforms.bigquery_bill import (
    ACTIVITIES,
    BY_ACTIVITY,
    LIST_PAGES,
    LOOKS,
    Month,
    page_mib,
    refresh_mib,
    select_mib,
    statement,
    store_mib,
    stored_gib,
    table_of,
)
from tests.transforms.bigquery_builds import KEYS, OF_FILES, PAIRS, PARAMETERS, Refresh, compiled_tests, named_after
from tests.transforms.bigquery_reads import Reads, TypedTables
from tests.transforms.bigquery_rest import Job
from tests.transforms.life import ROOT
from tests.transforms.warehouse import Warehouse

pytestmark = pytest.mark.slow

KINDS: Mapping[str, list[str]] = {
    name: [each.type_.lower() for each in bound_in_order(values)] for name, values in PARAMETERS.items()
}
EVERY_PAGE = ["pipeline_health", "sports_done", "backfill_status", "private_activities"]
# The queries by which each page is drawn; the overview asks for days of this year and of last, for weeks by two cards.
# Gear is asked for where a change is of it, imports where one is. What a reason asks for when it is opened is there
# where it is a page's own; `contributing` is not.
PAGES = {
    "overview": [
        *EVERY_PAGE, *["overview/sums"] * 5, "overview/latest", "told_until", "training/days",
        "overview/load_coverage", "overview/calendar", "records/streaks", "overview/goals", "overview/newest_records",
        *["overview/changes"] * 2, "overview/moved", "overview/imports", "overview/reached_since", "records/milestones",
        "gear/usage",
    ],
    "trends": [
        *EVERY_PAGE, "trends/years", "trends/year_to_date", "trends/year_goal",
        "trends/rolling", "trends/starts", "trends/distances", "trends/mix",
    ],
    "training": [
        *EVERY_PAGE, *["training/days"] * 2, "told_until", *["overview/load_coverage"] * 2,
        "training/methods", "training/audit", "training/settings", "training/zones", "training/zoned",
        "training/recorded", "training/power",
    ],
    "activity": [
        *EVERY_PAGE, "activity/newest", "activity/one", "activity/beside", "activity/route", "activity/efforts",
        "activity/laps", "activity/same_route", "activity/new_tiles", "activity/loads", "activity/course",
        "activity/events", "activity/changes", "activity/streams", "activity/zones", "activity/splits",
        "activity/power", "training/power", "gear/usage",
    ],
    "gear": [*EVERY_PAGE, "gear/usage", "gear/months", "gear/services"],
    "year": [
        *EVERY_PAGE, "year/review", "year/to_day", *["overview/calendar"] * 2, "year/months", "year/mix", "year/gear",
        "year/new_tiles", "year/countries", "records/milestones",
    ],
    "map": [*EVERY_PAGE, "map/routes", "map/hidden", "map/tiles", "map/most_tiles", "map/route_groups"],
    "records": [
        *EVERY_PAGE, "records/best_efforts", "records/record_steps", "records/excluded_efforts", "records/eddington",
        "records/race_prediction", "records/longest", "records/milestones", "records/streaks", "records/streak_runs",
    ],
    "quality": [*EVERY_PAGE, "quality/checks", "quality/kinds", "quality/activities", "quality/totals"],
    "sql": [*EVERY_PAGE, "sql/documentation"],
    "pipeline": [
        *EVERY_PAGE, "pipeline_latency", "rate_budget", "pipeline_latency_course",
        "waiting_events", "imports", "import_items", "pipeline_runs", "purge_receipts",
    ],
}  # fmt: skip


# What these pages have from modules that others use, too.
SHARED = {
    "overview": ["activity_changes.py", "form.py", "page.py"],
    "training": ["form.py", "page.py"],
    "activity": ["activity_changes.py"],
    "records": ["streaks.py"],
}


@pytest.fixture(scope="module")
def reads(refresh: Refresh, typed: TypedTables) -> dict[str, Reads]:
    """Every statement of a refresh, and what it reads; all of them are BigQuery's SQL."""
    sent = {statement(job.sql) for job in refresh.jobs if "where false" not in job.sql}
    return {sql: typed.reads(sql) for sql in sent}


def built(sql: str) -> str:
    """Return the model that a statement builds, or reads for a merge; nothing where it builds none."""
    return named_after("create or replace table", sql).partition("__dbt_tmp")[0] if sql.startswith("create") else ""


def test_who_reads_a_view_reads_its_tables() -> None:
    """What its condition needs and what is asked of it is read; a literal counts where each reading of it has one."""
    start_engine()
    table, view = "`a-project`.`staging`.`table`", "`a-project`.`mart`.`view`"
    sql = f"with kept as (select * from {table} where c > b) select a, b, d from kept"  # noqa: S608 - our own names
    typed = TypedTables({"staging.table": dict.fromkeys("abcde", "int64")}, {"mart.view": sql}, {})
    joined = f"select one.a from {view} as one join {view} as other on one.a = other.a where one.b = 1"  # noqa: S608 - likewise
    once, twice = typed.reads(joined), typed.reads(f"{joined} and other.b in (2, 3)")
    assert once.columns == twice.columns == {"staging__table": {"a", "b", "c"}}
    assert (once.by_literals, twice.by_literals) == (set(), {"staging__table"})


def test_what_changed_is_found_by_narrow_columns(reads: Mapping[str, Reads]) -> None:
    """Ids and times of the two tables of activities tell it; nothing else reads these tables but by literal ids."""
    [found] = [each for sql, each in reads.items() if built(sql) == "staging.base_strava__changed_activities"]
    narrow = {"activity_id", "ingested_at"}
    raw = {"raw__strava_activities": narrow, "raw__strava_streams": narrow}
    assert found.columns == raw | {"staging__base_archive__changed_activities": narrow}
    for sql, each in reads.items():
        assert {"raw__strava_activities", "raw__strava_streams"} & each.columns.keys() <= each.by_literals, sql


def test_each_big_column_is_read_once(reads: Mapping[str, Reads]) -> None:
    """One statement reads the payloads, one the streams, and one each of the lists that came out of a payload."""
    base = "staging__base_strava__activities"
    once = [("raw__strava_activities", "payload"), ("raw__strava_streams", "payload")]
    once += [(base, name) for name in ("best_efforts", "laps", "splits_metric", "splits_standard", "segment_efforts")]
    for table, column in once:
        readers = [built(sql) for sql, each in reads.items() if column in each.columns.get(table, ())]
        assert len(readers) == 1, (table, column, readers)


def test_an_incremental_model_reads_and_merges_by_literals(reads: Mapping[str, Reads]) -> None:
    """Partitions that hold nothing new are not read; nothing is deleted or searched before the merge."""
    assert {each.kind for each in reads.values()} == {"Query", "CreateTableAsSelect", "Merge", "Update"}
    merged = {each.target for each in reads.values() if each.kind == "Merge"}
    assert merged == {flat(name) for name in KEYS}
    for sql, each in reads.items():
        if each.kind == "Merge":  # pairs, which are not partitioned, go by the literal of either side
            assert each.target in each.by_literals or each.target == flat(PAIRS), sql
        elif built(sql) in KEYS:
            partitioned = {name for name in each.columns if name.replace("__", ".", 1) in BY_ACTIVITY}
            assert partitioned <= each.by_literals, sql


def test_tables_are_clustered_and_not_partitioned_by_time(dialect: BigQueryDialect) -> None:
    """Ids divide the large ones, so that a row never moves; months would hold kilobytes."""
    for name in KEYS:
        config = dialect.models[name].config
        assert config.get("cluster_by"), name
        assert (config.get("partition_by") is not None) == (name in BY_ACTIVITY), name
        assert (config.get("partition_by") or {}).get("field", "activity_id") == "activity_id", name
    assert KEYS.keys() == {name for name, node in dialect.models.items() if node.config.materialized == "incremental"}


def test_every_job_is_labelled_and_limited(refresh: Refresh) -> None:
    """A bill tells who asked, no statement reads more than the setting says or runs for longer than five minutes."""
    for job in refresh.jobs:
        labels = job.configuration["labels"]
        assert (labels["program"], labels["statement"]) == ("athlete-dashboard", "dbt")
        assert job.configuration["query"]["maximumBytesBilled"] == str(10 * 2**30)
        assert job.configuration["query"]["priority"] == "INTERACTIVE"
        assert job.configuration["jobTimeoutMs"] == "300000"


# The athlete is compared with a column of a view, `load_alternatives`, through whose union the analysis does not look.
BY_A_VIEW = "training/audit"
BY_PARAMETER = {*PAGES["overview"], *PAGES["trends"], *PAGES["training"], "contributing"}
BY_PARAMETER -= {"pipeline_health", BY_A_VIEW}


@pytest.mark.parametrize("query", sorted(BY_PARAMETER))
def test_a_page_filters_by_its_parameters(typed: TypedTables, query: str) -> None:
    """The athlete is compared with the parameter itself, by which the marts are clustered."""
    found = typed.reads((ROOT / f"dashboard/queries/{query}.sql").read_text(), KINDS[query])
    assert found.by_literals == set(found.columns)


def test_pages_ask_what_is_counted() -> None:
    """The queries whose bytes are told are those of the pages."""
    for page, queries in PAGES.items():
        cards = sorted((ROOT / f"dashboard/{page}").glob("*.py"))
        shared = [ROOT / "dashboard" / name for name in SHARED.get(page, [])]
        text = "".join(file.read_text() for file in [ROOT / f"dashboard/views/{page}.py", *cards, *shared])
        asked = set(re.findall(r'\.rows\(\s*"([\w/]+)"', text)) - {"private_activities"}  # only where others look
        assert asked | set(EVERY_PAGE) == set(queries)


@pytest.fixture(scope="module")
def months(
    refresh: Refresh, typed: TypedTables, dialect: BigQueryDialect, twin: Warehouse, target: Path
) -> dict[int, Month]:
    """What a month costs for one athlete and for ten."""
    refreshed = {built(statement(job.sql)) for job in refresh.jobs}
    rest = [
        node.compiled_code
        for name, node in dialect.models.items()
        if node.config.materialized == "table" and name not in refreshed
    ]
    tests = compiled_tests(dialect, twin, target)
    months = {}
    for n in (1, 10):
        one = refresh_mib([job for job in refresh.jobs if not is_of_files(job)], typed, n)
        costs: dict[str, int] = {
            "a refresh after a change": one,
            "the daily build and its tests": one + select_mib([*rest, *tests], typed, n),
            "a page, drawn again": max(page_mib(queries, KINDS, typed, n) for queries in PAGES.values()),
            "an hour of an open page, nothing new": 0,
            "a batch of events": store_mib(BATCH, typed, n),
            "the streams of an activity": store_mib(STREAMS, typed, n),
            "a sweep, nothing new": 0,
            "what is looked for in a day": store_mib(DAILY_LOOKS, typed, n),
            "a sweep after a change": store_mib(AFTER_CHANGE, typed, n),
            "the daily check of an athlete": store_mib([*CHECK, *PAGE * LIST_PAGES, *LOOK * LOOKS], typed, n),
        }
        often = (100 * n, 30, 300 * n, 30 * n, 100 * n, 100 * n, 30 * 24 * 12, 30, 200 * n, 30 * n)
        times = dict(zip(costs, often, strict=True))
        months[n] = Month(times, costs, stored_gib(typed, n))
    return months


def is_of_files(job: Job) -> bool:
    """Tell whether a statement is sent only where the athlete's own files changed."""
    names = "|".join(name.partition(".")[2] for name in OF_FILES)
    first = "(create or replace table|merge into|select activity_id from) `a-project`.`staging`."
    return bool(re.match(f"{first}`({names}|base_archive__changed_activities)", statement(job.sql)))


def numbers(text: str) -> list[float]:
    """Return the numbers of a text in their order."""
    return [float(each.replace(",", "")) for each in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def test_the_guide_states_these_costs(months: Mapping[int, Month]) -> None:
    """Every line of its table is there and within a sixth of what is read; one athlete's month is within the free tier.

    A model or a test more changes a number a little: the guide is to be right about the cost, not about each MiB.
    """
    guide, wanted = (ROOT / "docs/google-cloud.md").read_text(), table_of(months)
    [table] = re.findall(r"^\|  \| 1 athlete .*?\*\*beyond the free tier\*\*[^\n]*", guide, re.DOTALL | re.MULTILINE)
    assert re.sub(r"[\d,.]+", "", table) == re.sub(r"[\d,.]+", "", wanted), wanted
    assert numbers(table) == pytest.approx(numbers(wanted), rel=1 / 6, abs=3), wanted
    [refresh] = re.findall(r"a refresh after a change \| 100 of ([\d,]+) MiB", table)
    [page] = re.findall(r"a page, drawn again \| 300 of ([\d,]+) MiB", table)
    assert f"| a refresh, one athlete | {refresh.replace(',', '')} MiB |" in guide
    assert f"| at the most 3 of {page} MiB = {3 * int(page)} MiB |" in guide
    batch = months[1].mib["a batch of events"]
    once = f"{ACTIVITIES:,} of {batch} MiB = {ACTIVITIES * batch / 1024:,.0f} GiB"
    assert once in guide, once
    assert months[1].dollars == 0
    for month in months.values():
        assert month.mib["a page, drawn again"] < 500
