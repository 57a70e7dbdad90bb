"""The real dbt on a small warehouse: `raw` made by the real migrations, filled by hand, each in its own folder."""

import json
import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_sqlite
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from backends.sqlite import open_database

ROOT = Path(__file__).parents[2]
AS_OF = "2026-04-02 10:00:00"
BERLIN = 7
EXTREME = 8
RECORDED = 4605555801


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give a program these variables while it runs in this process."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Raw:
    """`raw` as the worker would have filled it; every write gets the next `ingested_at`."""

    path: Path
    writes: int = 0

    def __post_init__(self) -> None:
        open_database(self.path).close()

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run one statement and commit it."""
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(sql, parameters)
        connection.close()

    def insert(self, table: str, **columns: Any) -> None:
        """Put one row, replacing the one with its key."""
        marks = ", ".join("?" * len(columns))
        self.execute(f"insert or replace into {table} ({', '.join(columns)}) values ({marks})", *columns.values())  # noqa: S608  # names are the test's own

    def next_ingested_at(self) -> str:
        """Return a moment after all earlier ones."""
        self.writes += 1
        return f"2026-04-01T12:00:00.{self.writes:06d}Z"

    def activity(self, activity_id: int, payload: Any, *, athlete_id: int = BERLIN, resource_state: int = 3) -> None:
        """Store a payload: a mapping, or text as it is."""
        text = payload if isinstance(payload, str) else json.dumps({"id": activity_id, **payload})
        moment = self.next_ingested_at()
        self.insert(
            "strava_activities",
            activity_id=activity_id,
            athlete_id=athlete_id,
            payload=text,
            resource_state=resource_state,
            observed_at=moment,
            is_deleted=0,
            source="webhook",
            ingested_at=moment,
        )

    def tombstone(self, activity_id: int, *, athlete_id: int = BERLIN) -> None:
        """Delete an activity as the last-write-wins rule does: the payload goes, the row stays."""
        moment = self.next_ingested_at()
        self.insert(
            "strava_activities",
            activity_id=activity_id,
            athlete_id=athlete_id,
            observed_at=moment,
            is_deleted=1,
            source="webhook",
            ingested_at=moment,
        )

    def event(self, delivery_id: str, **columns: Any) -> None:
        """Add a ledger row; what is not given is that of a stored create."""
        row = {
            "event_id": delivery_id,
            "athlete_id": BERLIN,
            "object_type": "activity",
            "object_id": 1,
            "aspect_type": "create",
            "event_time": "2026-04-01T12:00:00.000000Z",
            "outcome": "stored",
            "reason": "",
            "attempt": 1,
            "finished_at": "2026-04-01T12:00:01.500000Z",
            "ingested_at": self.next_ingested_at(),
        }
        self.insert("strava_events", delivery_id=delivery_id, **(row | columns))

    def athlete(self, athlete_id: int, status: str = "connected") -> None:
        """Connect an athlete."""
        self.insert(
            "strava_athletes",
            athlete_id=athlete_id,
            scope="read",
            status=status,
            updated_at="2026-04-01T00:00:00.000000Z",
        )


@dataclass
class Warehouse:
    """A data folder and the dbt project over it."""

    folder: Path
    variables: Mapping[str, str]
    raw: Raw = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.raw = Raw(self.folder / "pipeline.sqlite")

    @property
    def built(self) -> Path:
        """What dbt writes."""
        return self.folder / "transform.duckdb"

    def dbt(self, *arguments: str) -> Any:
        """Run one dbt command and return its result, with the database closed again."""
        with environment({**self.variables, "DATA_DIR": str(self.folder)}):
            result = dbtRunner().invoke([*arguments, "--quiet", "--no-print", "--log-level-file", "none"])
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        return result

    def with_variables(self, **variables: str) -> "Warehouse":
        """Return the same folder under other environment variables."""
        other = copy(self)
        other.variables = {**self.variables, **variables}
        return other

    def refresh(self, *arguments: str, as_of: str = AS_OF) -> None:
        """Seed and build every model as at a moment, without the tests; raises AssertionError when one fails."""
        result = self.dbt(
            "build",
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            *("--vars", json.dumps({"as_of": as_of})),
            *arguments,
        )
        assert result.success, failures(result)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Query what was built, without `raw`."""
        with duckdb.connect(str(self.built), read_only=True) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, sql: str) -> dict[str, Any]:
        """Return the one row of a query."""
        (row,) = self.rows(sql)
        return row


def failures(result: Any) -> str:
    """Say what failed in a dbt result."""
    if result.exception:
        return str(result.exception)
    return "\n".join(f"{r.node.name}: {r.message}" for r in result.result if r.status not in {"success", "pass"})


@pytest.fixture(scope="session")
def dbt_variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the project: one target folder for all, DuckDB's extension from the installed wheel."""
    folder = tmp_path_factory.mktemp("dbt")
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    place = (
        folder
        / "extensions"
        / f"v{duckdb.__version__}"
        / f"{'osx' if platform.system() == 'Darwin' else 'linux'}_{machine}"
    )
    place.mkdir(parents=True)
    (wheel,) = Path(duckdb_extension_sqlite.__file__).parent.rglob("sqlite.duckdb_extension")
    (place / "sqlite_scanner.duckdb_extension").symlink_to(wheel)
    return {
        "DUCKDB_EXTENSION_DIR": str(folder / "extensions"),
        "DBT_PROJECT_DIR": str(ROOT / "transforms"),
        "DBT_PROFILES_DIR": str(ROOT / "transforms"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "log"),
    }


@pytest.fixture
def warehouse(tmp_path: Path, dbt_variables: dict[str, str]) -> Warehouse:
    """An empty warehouse: the tables of `raw`, nothing in them, nothing built."""
    return Warehouse(tmp_path / "data", dbt_variables)


def run_payload(**fields: Any) -> dict[str, Any]:
    """A detailed run of 5 km in 25 minutes on a winter morning in Berlin, with these fields changed."""
    return {
        "name": "Morning run",
        "sport_type": "Run",
        "start_date": "2026-03-20T06:00:00Z",
        "start_date_local": "2026-03-20T07:00:00Z",
        "timezone": "(GMT+01:00) Europe/Berlin",
        "utc_offset": 3600.0,
        "distance": 5000.0,
        "moving_time": 1500,
        "elapsed_time": 1560,
        "total_elevation_gain": 12.5,
        "average_speed": 3.333,
        "map": {"polyline": "_p~iF~ps|U_ulLnnqC_mqNvxq`@"},
        "best_efforts": [
            {"name": "1k", "distance": 1000, "elapsed_time": 280, "start_date": "2026-03-20T06:05:00Z"},
            {"name": "5K", "distance": 5000, "elapsed_time": 1500, "start_date": "2026-03-20T06:00:00Z"},
        ],
        **fields,
    }


@pytest.fixture
def payload() -> Any:
    """Make payloads: `payload(distance=…)`."""
    return run_payload


def recorded(name: str) -> Any:
    """Return the body of a recorded answer of Strava's."""
    answer = json.loads((ROOT / "tests/fixtures/strava" / name).read_text())
    return answer.get("body", answer) if isinstance(answer, dict) else answer


def fill_by_hand(raw: Raw) -> None:
    """Store what goes wrong in real life, one activity each; ids 1 to 10."""
    raw.activity(
        1,
        run_payload(
            name="Mitternacht 🌙",
            start_date="2026-03-28T23:30:00Z",
            start_date_local="2026-03-29T00:30:00Z",
            suffer_score=50,
            gear={"id": "g1", "name": "Blue shoes"},
        ),
    )
    raw.activity(
        2,
        run_payload(
            start_date="2026-03-29T21:45:00Z",
            start_date_local="2026-03-29T23:45:00Z",
            utc_offset=7200.0,
            distance=2000,
            moving_time=600.0,
            elapsed_time=600,
            average_speed=3.3,
            best_efforts=[{"name": "1K", "distance": 1000, "elapsed_time": 270, "start_date": "2026-03-29T21:46:00Z"}],
        ),
    )
    raw.activity(
        3, run_payload(sport_type="GravelRide", start_date_local="2026-03-20T00:00:01Z", start_latlng=[], map={})
    )
    raw.activity(4, run_payload(sport_type="Quidditch", type="Workout"))
    raw.activity(
        5,
        {
            "name": "Weights",
            "sport_type": "WeightTraining",
            "manual": True,
            "start_date": "2026-03-21T17:00:00Z",
            "start_date_local": "2026-03-21T18:00:00Z",
            "utc_offset": 3600,
            "distance": 0.0,
            "moving_time": 1800,
            "elapsed_time": 1800,
            "total_elevation_gain": 0,
            "start_latlng": None,
            "map": None,
        },
    )
    raw.activity(
        6,
        run_payload(sport_type="Swim", map={"summary_polyline": "@@"}, best_efforts=None),
        resource_state=2,
    )
    raw.activity(7, run_payload())
    raw.tombstone(7)
    raw.activity(8, '"only text"')
    raw.activity(
        9,
        '{"sport_type": "Run", "distance": {"m": 1}, "moving_time": "soon", "start_date_local": "0001-01-01T00:00:00Z",'
        ' "best_efforts": "none", "map": [], "gear": [], "start_latlng": {"a": 1}, "name": "half of it"}',
    )
    raw.activity(10, "{not json")


def fill_extremes(raw: Raw) -> None:
    """Store payloads whose numbers, places or times no engine may trip over; ids from 21, without maps and efforts."""
    payloads: dict[int, dict[str, Any]] = {
        21: {"utc_offset": 1e15},
        22: {"utc_offset": 1e11},
        23: {"moving_time": 9e18},
        24: {"moving_time": 9e18},
        25: {"average_heartrate": 1e6},
        26: {"distance": 1e300, "average_watts": 1e300},
        27: {"distance": 1e-300},
        41: {"start_latlng": [181, 500]},
        42: {"start_latlng": [52.5]},
        43: {"start_latlng": [None, 13.25]},
        44: {"start_latlng": [52.5, 180.5], "end_latlng": [-90, 180]},
        45: {"start_latlng": [None, None]},
        46: {"start_latlng": [90, -180], "end_latlng": [90.00001, 0]},
        51: {"start_date": "2026-03-20T23:30:00+02:00", "start_date_local": "2026-03-20T23:30:00+02:00"},
        52: {"start_date": "2026-03-20T23:30:00.25-0130", "start_date_local": "2026-03-20T22:00:00"},
        53: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": None, "utc_offset": 3600},
        54: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": None, "utc_offset": None},
        55: {"start_date": "2026-03-20T23:30:00Z", "start_date_local": "some day", "utc_offset": -3600},
        61: {"start_date": "2026-04-03T06:00:00Z", "start_date_local": "2026-04-03T08:00:00Z", "utc_offset": 7200},
        62: {"start_date": "2099-01-01T06:00:00Z", "start_date_local": "2099-01-01T07:00:00Z", "sport_type": "Ski"},
        # across 180 degrees; 111 hours in motion within one; strength at rest; power by estimate, and of a run; a race
        71: {"map": {"polyline": "~fpeB_v_ia@?~l`scA~oR_|lrcA"}},
        72: {"moving_time": 399600, "elapsed_time": 3600},
        73: {"sport_type": "WeightTraining", "distance": 0, "moving_time": 0, "elapsed_time": 3600},
        74: {"sport_type": "Ride", "average_watts": 195, "device_watts": False},
        75: {"average_watts": 249, "device_watts": True},
        76: {"workout_type": 1, "device_watts": False},
        # of equals the one with a start comes first, in one payload (5K) and among activities (1K)
        31: {"best_efforts": [{"name": "1K", "distance": 1000, "elapsed_time": 240}]},
        32: {
            "best_efforts": [
                {"name": "1K", "distance": 1000, "elapsed_time": 240, "start_date": "2026-03-20T06:05:00Z"},
                {"name": "5K", "distance": 5000, "elapsed_time": 1500},
                {"name": "5k", "distance": 5000, "elapsed_time": 1500, "start_date": "2026-03-20T06:00:00Z"},
            ]
        },
    }
    for activity_id, fields in payloads.items():
        raw.activity(activity_id, run_payload(**{"map": {}, "best_efforts": [], **fields}), athlete_id=EXTREME)


def fill_recorded(raw: Raw) -> None:
    """Store the recorded answers: an indoor ride, a marathon, a page of twelve summaries."""
    for name in ("activity_ride_indoor.json", "activity_run_marathon.json"):
        body = recorded(name)
        raw.activity(body["id"], body, athlete_id=RECORDED)
    for body in recorded("athlete_activities_page.json"):
        raw.activity(body["id"], body, athlete_id=RECORDED, resource_state=2)


def lived(folder: Path, variables: Mapping[str, str]) -> Warehouse:
    """Fill a warehouse with recorded and hand-written activities, two athletes, an event and an unreadable message.

    Nothing is built yet.
    """
    warehouse = Warehouse(folder, variables)
    fill_by_hand(warehouse.raw)
    fill_extremes(warehouse.raw)
    fill_recorded(warehouse.raw)
    warehouse.raw.athlete(BERLIN)
    warehouse.raw.athlete(RECORDED)
    warehouse.raw.event("d1")
    unread = dict.fromkeys(("event_id", "athlete_id", "object_type", "object_id", "aspect_type", "event_time"))
    warehouse.raw.event("unreadable/1", **unread, outcome="parked")
    return warehouse


@pytest.fixture(scope="session")
def make_life() -> Any:
    """Make a filled warehouse: `make_life(folder, variables)`."""
    return lived


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory, dbt_variables: dict[str, str]) -> Warehouse:
    """A built warehouse with recorded and hand-written activities; to be read only."""
    warehouse = lived(tmp_path_factory.mktemp("life"), dbt_variables)
    warehouse.refresh()
    return warehouse
