"""What BigQuery bills for a statement, from what it reads and how much is stored.

https://cloud.google.com/bigquery/pricing#on_demand_pricing
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

from tests.transforms.bigquery_reads import Columns, Reads, TypedTables, reads_of
from tests.transforms.bigquery_rest import Job
from tests.transforms.bigquery_statements import options_for, raw_catalog, statements
from tests.transforms.bigquery_tree import analysed
from tests.transforms.life import ROOT
from worker.findings import ReconcilePolicy

MIB, GIB = 2**20, 2**30
LEAST_MIB = 10  # of each table that a query names
# List prices of the multi-region EU. https://cloud.google.com/bigquery/pricing
DOLLARS_READ_TIB, FREE_READ_GIB = 6.25, 1024
DOLLARS_STORED_GIB, FREE_STORED_GIB = 0.02, 10
THREADS = 4  # models that dbt builds at once: so many may ask the same before the cache knows the answer

# The curves of the points that are drawn.
COURSE = {
    "seconds", "distances_m", "altitudes_m", "speeds_mps", "heartrates_bpm", "powers_w", "grades_percent", "latitudes",
    "longitudes", "cadences_per_minute",
}  # fmt: skip
# Bytes of a value. https://cloud.google.com/bigquery/pricing#data-types
WIDTHS = {"int64": 8, "float64": 8, "bool": 1, "timestamp": 8, "datetime": 8, "date": 8, "numeric": 16, "string": 24}
BIG = {
    ("raw.strava_activities", "payload"): 20_000,
    ("raw.strava_streams", "payload"): 300_000,
    ("staging.stg_strava__streams", "readings"): 26_000,  # 3,600 points on average of eleven keys, but of `latlng`
    ("staging.stg_strava__streams", "latitudes"): 2_600,
    ("staging.stg_strava__streams", "longitudes"): 2_600,
    "polyline": 3_000,
    "path_latitudes": 60 * 8,
    "path_longitudes": 60 * 8,
    "best_efforts": 500,
    "laps": 1_500,
    "splits_metric": 1_000,
    "splits_standard": 700,
    "segment_efforts": 4_000,
}
OTHER_BIG = 500  # JSON and arrays in the books

ACTIVITIES = 3_000  # of one athlete: ten years
LIST_PAGES = ACTIVITIES // 200  # of the list that the daily check reads
LOOKS = ReconcilePolicy().looks
# Rows per athlete; a table that is not here has a hundred.
ROWS = {
    "raw.strava_activities": ACTIVITIES,
    "raw.strava_streams": ACTIVITIES,
    "raw.strava_events": 2 * ACTIVITIES,
    "staging.base_strava__activities": ACTIVITIES,
    "staging.stg_strava__events": 2 * ACTIVITIES,
    "staging.stg_strava__best_efforts": 6 * ACTIVITIES,
    "staging.stg_strava__laps": 8 * ACTIVITIES,
    "staging.stg_strava__splits": 24 * ACTIVITIES,
    "staging.stg_strava__segment_efforts": 15 * ACTIVITIES,
    "staging.stg_strava__streams": 11 * ACTIVITIES,
    "staging.int_summaries__daily": 4 * 3_653,
    "staging.int_records__daily": 5 * 1_500,
    "staging.int_records__eddington_days": 5 * 2 * 2 * 1_500,
    "staging.int_training__loads": ACTIVITIES,
    "staging.int_streams__samples": 3_600 * ACTIVITIES,
    "staging.int_streams__inputs": ACTIVITIES,
    "staging.int_streams__power": ACTIVITIES // 3,
    "staging.int_streams__marks": 30 * ACTIVITIES,
    "staging.int_streams__best_efforts": 2 * ACTIVITIES,
    "mart.split": 24 * ACTIVITIES,
    "mart.stream_summary": ACTIVITIES,
    "staging.int_streams__inputs_before": ACTIVITIES,
    "mart.time_in_zone": 12 * ACTIVITIES,
    "mart.power_curve_activity": 10 * ACTIVITIES,
    "mart.power_curve": 2 * 14 * 22,
    "mart.fct_activities": ACTIVITIES,
    "mart.record_best_effort": 6 * ACTIVITIES,
    "mart.record_longest": 5 * 11 * 20,
    "mart.eddington_step": 5 * 2 * 11 * 100,
    "mart.milestone": 1_000,
    "mart.activity_course": ACTIVITIES,
    "mart.route": ACTIVITIES,
    "mart.route_cell": 70 * ACTIVITIES,
    "mart.route_group": ACTIVITIES,
    "staging.int_places__route_shapes": ACTIVITIES,
    "staging.int_places__similar_routes": ACTIVITIES,
    "mart.dim_date": 3_653,
    "mart.activity_summary": 4 * (3_653 + 522 + 120 + 10),
    "mart.activity_mix": 3 * (522 + 120 + 10),
    "staging.int_summaries__daily_by_group": 5 * 3_653,
    "mart.calendar_heat": 5 * 3_653,
    "mart.trend_rolling_daily": 3 * 5 * 3_653,
    "mart.trend_year_over_year": 5 * 3_653,
    "mart.training_load_daily": 5 * 3_667,
    "mart.start_pattern": ACTIVITIES,
    "staging.int_gear__days": ACTIVITIES,
    "mart.gear_usage_month": 5 * 120,
    "mart.streak_run": 5 * 2 * (1_000 + 300 + 20),
}
BY_ACTIVITY = {"raw.strava_activities", "raw.strava_streams", "mart.activity_course"} | {
    f"staging.{name}"
    for name in (
        "base_strava__activities",
        "base_archive__activities",
        "int_streams__samples",
        *(f"stg_strava__{part}" for part in ("best_efforts", "laps", "splits", "segment_efforts", "streams")),
    )
}  # partitioned: ten million of Strava's ids, of which an athlete has about one a day or two


def mib(reads: Reads, types: Mapping[str, Columns], athletes: int) -> int:
    """Return MiB billed, where one activity of each athlete has changed.

    Tables are read in whole columns; literal keys save partitions, and nothing is counted on clusters. A merge reads
    all columns of what it may change.
    """
    total = 0
    for flat, names in reads.columns.items():
        table = (flat if "__" in flat[1:] else f"raw__{flat}").replace("__", ".", 1).removesuffix("__dbt_tmp")
        columns = types[table]
        width = sum(width_of(table, name, columns[name]) for name in (columns if flat == reads.target else names))
        is_part = flat.endswith("__dbt_tmp") or (table in BY_ACTIVITY and flat in reads.by_literals)
        rows = ROWS.get(table, 100) * athletes / (ACTIVITIES if is_part else 1)
        total += max(LEAST_MIB, ceil(rows * width / MIB))
    return total


def width_of(table: str, column: str, kind: str) -> int:
    """Return the bytes of one value on average."""
    if table == "mart.activity_course" and column in COURSE:
        return 8 * 500
    return BIG.get((table, column)) or BIG.get(column) or WIDTHS.get(kind, OTHER_BIG)


def statement(sql: str) -> str:
    """Return a statement without dbt's comment and the temporary table's moment."""
    return re.sub(r"(__dbt_tmp)\d+", r"\1", re.sub(r"^\s*/\*.*?\*/\s*", "", sql, flags=re.DOTALL)).strip()


def refresh_mib(jobs: Iterable[Job], typed: TypedTables, athletes: int) -> int:
    """Return MiB of a refresh; of equal queries BigQuery answers all but the first few from its cache.

    Queries that dbt asks for the names of columns alone have a condition that is false, for which nothing is read.
    """
    asked = Counter(statement(job.sql) for job in jobs if "where false" not in job.sql)
    return sum(mib(typed.reads(sql), typed.types, athletes) * min(n, THREADS) for sql, n in asked.items())


def select_mib(selects: Iterable[str], typed: TypedTables, athletes: int) -> int:
    """Return MiB of queries that are asked once each."""
    return sum(mib(typed.reads(sql), typed.types, athletes) for sql in selects)


def page_mib(queries: Iterable[str], kinds: Mapping[str, Sequence[str]], typed: TypedTables, athletes: int) -> int:
    """Return MiB of the queries by which a page is drawn, nothing of them cached."""
    folder = ROOT / "dashboard" / "queries"
    files = {name: (folder / f"{name}.sql").read_text() for name in queries}
    return sum(mib(typed.reads(sql, kinds[name]), typed.types, athletes) for name, sql in files.items())


def store_mib(names: Iterable[str], typed: TypedTables, athletes: int) -> int:
    """Return MiB of statements of the raw store, by their names."""
    read = ((times, read_by_store(name)) for name, times in Counter(names).items())
    return sum(times * mib(reads, typed.types, athletes) for times, reads in read)


@cache
def read_by_store(name: str) -> Reads:
    """Return what a statement of the raw store reads."""
    sql = statements()[name]
    return reads_of(analysed(sql, options_for(sql), raw_catalog()))


def stored_gib(typed: TypedTables, athletes: int) -> float:
    """Return GiB of all tables."""
    rows = {table: ROWS.get(table, 100) * athletes for table in typed.types}
    return sum(rows[t] * width_of(t, name, kind) for t in rows for name, kind in typed.types[t].items()) / GIB


@dataclass(frozen=True, slots=True)
class Month:
    """What a month costs: how often each thing happens, and what it reads then."""

    times: Mapping[str, int]
    mib: Mapping[str, int]
    stored_gib: float

    @property
    def read_gib(self) -> float:
        """All that is read."""
        return sum(self.times[name] * self.mib[name] for name in self.times) / 1024

    def cell(self, name: str) -> str:
        """Return the arithmetic of one line."""
        product = self.times[name] * self.mib[name] / 1024
        return f"{self.times[name]:,} of {self.mib[name]:,} MiB = {product:,.0f} GiB"

    @property
    def dollars(self) -> float:
        """What is beyond the free tier."""
        reading = max(0.0, self.read_gib - FREE_READ_GIB) / 1024 * DOLLARS_READ_TIB
        return reading + max(0.0, self.stored_gib - FREE_STORED_GIB) * DOLLARS_STORED_GIB


def table_of(months: Mapping[int, Month]) -> str:
    """Return the table of the guide: a line for each thing, with MiB once and GiB a month for so many athletes."""

    def line(title: str, *cells: str) -> str:
        return f"| {title} | {' | '.join(cells)} |"

    everything = months.values()
    names = next(iter(everything)).times
    return "\n".join(
        [
            line("", *(f"{n} athlete{'s' if n > 1 else ''}" for n in months)),
            line("---", *("---" for _ in months)),
            *(line(name, *(each.cell(name) for each in everything)) for name in names),
            line("**read in a month**", *(f"**{each.read_gib:,.0f} GiB**" for each in everything)),
            line("stored", *(f"{each.stored_gib:,.1f} GiB" for each in everything)),
            line("**beyond the free tier**", *(f"**${each.dollars:,.2f}**" for each in everything)),
        ]
    )
