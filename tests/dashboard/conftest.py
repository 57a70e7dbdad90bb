"""A small mart whose columns come from the transforms' own contract, filled with rows that the tests type in."""

import hashlib
import math
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml
from streamlit import config
from streamlit.components.v2 import manifest_scanner

from backends.warehouse.marts import MartMissing, MartRows
from dashboard.context import PageContext
from dashboard.formatting import Teller
from dashboard.mart import Mart

ATHLETE = 7001
NOW = datetime.fromisoformat("2026-11-18T20:30:00+01:00")  # a Wednesday
TODAY = NOW.date()

GROUPS = {"Run": "run", "TrailRun": "run", "Ride": "ride", "Swim": "swim", "Hike": "walk", "WeightTraining": "strength"}

PERIODS = ("day", "week", "month", "year")

SUMMARY = """
insert into mart.activity_summary by name
with days as (
    select unnest(generate_series(min(start_date_local), ?::date, interval 1 day))::date as day
    from mart.fct_activities
),
periods as (
    select distinct athlete_id, sport_group, date_trunc('{step}', day)::date as period_start_date
    from days cross join (select distinct athlete_id, sport_group from mart.fct_activities)
)
select
    periods.*,
    '{step}' as period_kind,
    (period_start_date + interval 1 {step} - interval 1 day)::date as period_end_date,
    count(activity_id) as activity_count,
    coalesce(sum(distance_m), 0) as distance_m,
    coalesce(sum(moving_time_s), 0) as moving_time_s,
    coalesce(sum(elapsed_time_s), 0) as elapsed_time_s,
    coalesce(sum(elevation_gain_m), 0) as elevation_gain_m,
    0 as energy_kj,
    0 as load
from periods
left join mart.fct_activities as f
    on f.athlete_id = periods.athlete_id and f.sport_group = periods.sport_group
    and date_trunc('{step}', f.start_date_local) = period_start_date
group by all
"""

MIX = """
insert into mart.activity_mix by name
with sums as (
    select
        athlete_id, '{step}' as period_kind, date_trunc('{step}', start_date_local)::date as period_start_date,
        sport_type, sport_group, count(*) as activity_count,
        coalesce(sum(distance_m), 0) as distance_m, coalesce(sum(moving_time_s), 0) as moving_time_s
    from mart.fct_activities
    group by all
)
select
    *,
    activity_count / sum(activity_count) over one as share_of_count,
    distance_m / nullif(sum(distance_m) over one, 0) as share_of_distance,
    moving_time_s / nullif(sum(moving_time_s) over one, 0) as share_of_time
from sums
window one as (partition by athlete_id, period_start_date)
"""

HEAT = """
insert into mart.calendar_heat by name
with sums as (
    select
        athlete_id, coalesce(sport_group, 'all') as sport_group, start_date_local as date_day,
        count(*) as activity_count, coalesce(sum(moving_time_s), 0) as moving_time_s, coalesce(sum(load), 0) as load,
        coalesce(sum(distance_m), 0) as distance_m
    from mart.fct_activities
    group by grouping sets ((athlete_id, sport_group, date_day), (athlete_id, date_day))
),
days as (
    select athlete_id, unnest(generate_series(min(date_day), ?::date, interval 1 day))::date as date_day
    from sums group by all
)
select
    days.athlete_id, groups.sport_group, days.date_day,
    date_trunc('week', days.date_day)::date as week_start_date, isodow(days.date_day) as day_of_week,
    coalesce(sums.activity_count, 0) as activity_count, coalesce(sums.moving_time_s, 0) as moving_time_s,
    coalesce(sums.load, 0) as load, coalesce(sums.distance_m, 0) as distance_m,
    case when sums.moving_time_s > 0
        then ntile(5) over (partition by groups.sport_group, sums.moving_time_s > 0 order by sums.moving_time_s)
        else 0
    end as moving_time_class
from days
inner join (select distinct athlete_id, sport_group from sums) as groups using (athlete_id)
left join sums using (athlete_id, sport_group, date_day)
"""


LOADS = "select athlete_id, sport_group, date_day, load from mart.calendar_heat order by all"
SHARES = {"fitness": 1 - math.exp(-1 / 42), "fatigue": 1 - math.exp(-1 / 7)}
LINEAR = {"linear_fitness": 1 / 42, "linear_fatigue": 1 / 7}


def opened(file: Path | str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Open a database with one thread: a few rows gain nothing by more."""
    return duckdb.connect(file, config={"threads": 1})


def fill_training(connection: duckdb.DuckDBPyConnection) -> None:
    """Add fitness, fatigue and form day by day, two weeks ahead included; nothing where no day has a load."""
    found = connection.execute(LOADS).fetchall()
    if not any(load for *_, load in found):
        return
    rows: list[dict[str, Any]] = []
    for (athlete_id, group), each in groupby(found, key=itemgetter(0, 1)):
        days = [(day, load, False) for _, _, day, load in each]
        days += [(days[-1][0] + timedelta(days=n), 0.0, True) for n in range(1, 15)]
        rows += training_rows({"athlete_id": athlete_id, "sport_group": group}, days)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    places = ", ".join("unnest(?)" for _ in columns)
    connection.execute(
        f"insert into mart.training_load_daily ({', '.join(columns)}) select {places}",
        [*columns.values()],
    )


def training_rows(key: dict[str, Any], days: Sequence[tuple[date, float, bool]]) -> list[dict[str, Any]]:
    """Walk through the days of one sport group."""
    rows: list[dict[str, Any]] = []
    state = dict.fromkeys(SHARES | LINEAR, 0.0)
    loads = [load for _, load, _ in days]
    for place, (day, load, is_forecast) in enumerate(days):
        forms = {"form": state["fitness"] - state["fatigue"]}
        forms["linear_form"] = state["linear_fitness"] - state["linear_fatigue"]
        state = {name: state[name] + share * (load - state[name]) for name, share in (SHARES | LINEAR).items()}
        forms["form_after"] = state["fitness"] - state["fatigue"]
        forms["linear_form_after"] = state["linear_fitness"] - state["linear_fatigue"]
        week, before = loads[max(place - 6, 0) : place + 1], sum(loads[max(place - 27, 0) : max(place - 6, 0)])
        varied = fmean(week) / pstdev(week) if place >= 6 and len(set(week)) > 1 else None
        told = {
            "load_7_days": sum(week), "monotony": varied, "strain": sum(week) * varied if varied else None,
            "load_3_weeks_before": before, "load_ratio": 3 * sum(week) / before if place >= 27 and before else None,
            "ramp": state["fitness"] - rows[place - 7]["fitness"] if place >= 7 else None,
        }  # fmt: skip
        flags = {"is_forecast": is_forecast, "is_warming_up": place < 42, "definition_version": 1}
        rows.append(key | {"date_day": day, "load": load} | flags | state | forms | told)
    return rows


class MartFile:
    """A published snapshot in the making: `activity` and `health` add rows, `publish` writes the file.

    `empty` is a file with the tables of the contract and no rows. What was written once is kept in `written`, by all
    that it was made of: most tests of a page begin with the same.
    """

    def __init__(self, path: Path, contract: dict[str, dict[str, str]], empty: Path, written: Path) -> None:
        self.path = path
        self._contract = contract
        self._empty = empty
        self._written = written
        self._activities: list[dict[str, Any]] = []
        self._health: dict[int, dict[str, Any]] = {}
        self._latencies: list[dict[str, Any]] = []
        self._backfills: list[dict[str, Any]] = []
        self._others: list[tuple[str, dict[str, Any]]] = []

    def activity(self, day: str, sport_type: str, km: float, minutes: float, climb: float = 0, **fields: Any) -> None:
        """Add one activity by its local day; the rest of the row is derived unless given."""
        group, number = GROUPS.get(sport_type, "other"), len(self._activities) + 1
        row = {
            "activity_id": number,
            "athlete_id": ATHLETE,
            "name": f"{sport_type} {number}",
            "sport_type": sport_type,
            "sport_group": group,
            "start_at": datetime.fromisoformat(day) + timedelta(hours=9),
            "start_at_local": datetime.fromisoformat(day) + timedelta(hours=10),
            "start_date_local": date.fromisoformat(day),
            "distance_m": km * 1000,
            "moving_time_s": round(minutes * 60),
            "elapsed_time_s": round(minutes * 60),
            "elevation_gain_m": climb,
            "pace_s_per_km": minutes * 60 / km if group in {"run", "walk"} and km else None,
            "speed_kmh": km / minutes * 60 if group == "ride" else None,
            "strava_url": f"https://www.strava.com/activities/{number}",
        }
        self._activities.append(row | fields)

    def health(self, athlete_id: int = ATHLETE, **fields: Any) -> None:
        """Add or replace one athlete; counts are those of the activities so far unless given."""
        living = sum(row["athlete_id"] == athlete_id for row in self._activities)
        zeros = {column: 0 for column in self._contract["pipeline_health"] if column.endswith("_count")}
        checked = dict.fromkeys(
            f"{name}_count"
            for name in ("reconcile_strava", "reconcile_warehouse", "missing", "extra", "changed", "repaired")
        )
        status = {"athlete_status": "connected", "status_since": None}
        built = {"last_transform_started_at": datetime(2026, 11, 18, 19, 29, 50)}  # noqa: DTZ001 - the mart keeps UTC
        counts = {"activity_count": living, "detailed_count": living}
        self._health[athlete_id] = zeros | checked | counts | status | built | {"athlete_id": athlete_id} | fields

    def latency(self, stage: str, window_days: int, p50_s: float, p95_s: float, **fields: Any) -> None:
        """Add the times of a stage over a window."""
        counts = {"event_count": 1, "not_on_chart_count": 0}
        row = {"athlete_id": ATHLETE, "stage": stage, "window_days": window_days, "p50_s": p50_s, "p95_s": p95_s}
        self._latencies.append(row | counts | fields)

    def backfill(self, athlete_id: int = ATHLETE, **fields: Any) -> None:
        """Add how far a history is; nobody has taken it up unless told."""
        asked = {"requested_at": datetime(2026, 11, 18, 19), "has_details": True, "listed_count": 0}  # noqa: DTZ001 - UTC
        streams = {"has_streams": False, "streamed_count": 0, "failed_count": 0}
        self._backfills.append(asked | streams | {"athlete_id": athlete_id} | fields)

    def row(self, table: str, **fields: Any) -> None:
        """Add a row to a mart that needs no more than what is told."""
        self._others.append((table, fields))

    def publish(self, today: date = TODAY) -> Path:
        """Write the file as a whole, then put it in its place."""
        unfinished = self.path.with_name("unfinished.duckdb")  # a catalog named like its schema would be ambiguous
        told = (self._activities, self._health, self._latencies, self._backfills, self._others, today)
        same = self._written / hashlib.sha256(repr(told).encode()).hexdigest()
        if not same.exists():
            shutil.copyfile(self._empty, unfinished)
            with opened(unfinished) as connection:
                connection.begin()
                self._fill(connection, today)
                connection.commit()
            unfinished.replace(same)
        shutil.copyfile(same, unfinished)
        unfinished.replace(self.path)
        return self.path

    def _fill(self, connection: duckdb.DuckDBPyConnection, today: date) -> None:
        tables: dict[str, Iterable[dict[str, Any]]] = {
            "fct_activities": self._activities,
            "pipeline_health": self._health.values(),
            "pipeline_latency": self._latencies,
            "backfill_status": self._backfills,
        }
        typed = [(table, row) for table, rows in tables.items() for row in rows] + self._others
        for (table, *columns), alike in groupby(typed, key=lambda each: (each[0], *each[1])):
            rows = [list(row.values()) for _, row in alike]
            places = ", ".join(f"({', '.join('?' * len(columns))})" for _ in rows)
            statement = f"insert into mart.{table} ({', '.join(columns)}) values {places}"  # noqa: S608 - our own names
            connection.execute(statement, [*chain.from_iterable(rows)])
        connection.execute(HEAT, [today])
        fill_training(connection)
        for step in PERIODS:
            connection.execute(SUMMARY.format(step=step), [today])
            if step != "day":
                connection.execute(MIX.format(step=step))


class FileReader:
    """A MartReader as its port tells, without an adapter's care: opens the file once, and again when there is another.

    Opening it takes longer than a query.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []
        self._opened: tuple[str, duckdb.DuckDBPyConnection] | None = None

    def version(self) -> str | None:
        return str(self.path.stat().st_mtime_ns) if self.path.exists() else None

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        version = self.version()
        if version is None:
            raise MartMissing
        self.asked.append(sql)
        answer = self._connection(version).cursor().execute(f"use snapshot; {sql}", list(parameters))
        names = [column[0] for column in answer.description or ()]
        return MartRows(dict(zip(names, row, strict=True)) for row in answer.fetchall())

    def close(self) -> None:
        if self._opened:
            self._opened[1].close()
            self._opened = None

    def _connection(self, version: str) -> duckdb.DuckDBPyConnection:
        if self._opened and self._opened[0] == version:
            return self._opened[1]
        self.close()
        connection = opened()
        connection.execute(f"attach '{self.path}' as snapshot (read_only)")
        self._opened = version, connection
        return connection


def duckdb_type(promised: str) -> str:
    """Return DuckDB's type for one of a contract; some are told per engine in Jinja."""
    told = re.search(r"else '([^']+)'", promised)
    types = {"int64": "bigint", "string": "varchar", "bool": "boolean", "datetime": "timestamp", "float64": "double"}
    return told[1] if told else types.get(promised, promised)


@pytest.fixture(scope="session", autouse=True)
def _look_for_components_once() -> Iterator[None]:
    """Have Streamlit look through all installed packages once, and not for every page: that takes half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def _our_options(project_root: Path) -> None:
    """Draw pages as our program does: by default Streamlit looks at each command and each script before it runs."""
    told = tomllib.loads((project_root / "dashboard/.streamlit/config.toml").read_text(encoding="utf-8"))
    for part in ("browser", "client", "runner"):
        for name, value in told[part].items():
            config.set_option(f"{part}.{name}", value)


@pytest.fixture(scope="session")
def contract(project_root: Path) -> dict[str, dict[str, str]]:
    """The DuckDB type of every column of every mart, as the transforms promise it."""
    counts = dict.fromkeys(("definition_version", "test_count", "failed_count"), "bigint")
    status = {"model": "varchar", **counts, "tested_at": "timestamp"}
    files = (project_root / "transforms/models/mart").rglob("_models.yml")
    models = [model for file in files for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]]
    return {
        model["name"]: {
            column["name"]: duckdb_type(column["data_type"]) for column in model["columns"] if "data_type" in column
        }
        for model in models
        if model.get("columns")
    } | {"model_status": status}  # which no model makes, but the end of a run that tested


@pytest.fixture(scope="session")
def empty_mart(tmp_path_factory: pytest.TempPathFactory, contract: dict[str, dict[str, str]]) -> Path:
    """A file with every mart and no rows, to be copied."""
    file = tmp_path_factory.mktemp("marts") / "empty.duckdb"
    with opened(file) as connection:
        connection.execute("create schema mart")
        for table, columns in contract.items():
            typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table mart.{table} ({typed})")
    return file


@pytest.fixture
def mart_file(tmp_path: Path, contract: dict[str, dict[str, str]], empty_mart: Path, common_folder: Path) -> MartFile:
    """A mart with nothing in it, not published yet."""
    written = common_folder / "marts"
    written.mkdir(exist_ok=True)
    return MartFile(tmp_path / "mart.duckdb", contract, empty_mart, written)


@pytest.fixture
def lively(mart_file: MartFile) -> MartFile:
    """One athlete on Wednesday, 18 November 2026, with a past; published."""
    mart_file.activity("2025-03-02", "Ride", km=60.0, minutes=150, climb=700)
    mart_file.activity("2025-11-18", "Run", km=10.0, minutes=50, climb=80)
    mart_file.activity("2026-10-05", "Hike", km=12.0, minutes=240, climb=900)
    mart_file.activity("2026-11-10", "Run", km=8.0, minutes=40, climb=50)  # Tuesday of the week before
    mart_file.activity("2026-11-13", "Swim", km=2.0, minutes=45)  # Friday of the week before: not yet in the same span
    mart_file.activity("2026-11-16", "Run", km=10.5, minutes=52.5, climb=120)
    mart_file.activity("2026-11-17", "Ride", km=1040.25, minutes=2000, climb=12345, name="<b>Far</b> **out** :bike: 🚴")
    mart_file.activity("2026-11-18", "WeightTraining", km=0, minutes=30)
    mart_file.health()
    mart_file.publish()
    return mart_file


@pytest.fixture
def reader_of() -> type[FileReader]:
    """Opens a published file by its path."""
    return FileReader


@pytest.fixture
def tell() -> Teller:
    """English and metric, on the evening of 18 November 2026 in Berlin."""
    return Teller(now=NOW, zone=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def context_of() -> Callable[..., PageContext]:
    """What the pages are given on the evening of 18 November 2026 in Berlin, or when a clock says."""

    def context(file: MartFile, clock: Callable[[], datetime] = lambda: NOW) -> PageContext:
        mart = Mart(FileReader(file.path))
        return PageContext(mart=mart, zone=ZoneInfo("Europe/Berlin"), refresh_s=2.0, clock=clock)

    return context
