"""dbt itself, warm, on a project of two models; and the real project once from raw to snapshot."""

import json
import multiprocessing
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest
from structlog.testing import capture_logs

from backends.warehouse.activities import Observation, Source
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.duckdb.snapshot import DuckdbSnapshot, publish
from backends.warehouse.sqlite.store import SqliteRawStore
from strava.payload import ActivityPayload
from tests.parsed_project import give, give_built, parse_once
from worker.dbt_runner.apart import dbt_apart
from worker.dbt_runner.dbt import WarmDbt
from worker.dbt_runner.main import open_transformer
from worker.dbt_runner.settings import TransformSettings

pytestmark = pytest.mark.slow

PROJECT = {
    "dbt_project.yml": "name: tiny\nversion: 1.0.0\nconfig-version: 2\nprofile: tiny\n",
    "profiles.yml": (
        "tiny:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n"
        "      path: \"{{ env_var('TINY_PATH') }}\"\n      schema: mart\n      threads: 1\n"
    ),
    "seeds/sports.csv": "sport,is_fast\nRide,true\nRun,false\n",
    "models/fast.sql": "{{ config(materialized='table') }}\nselect sport from {{ ref('sports') }} where is_fast",
    "models/count.sql": "{{ config(materialized='incremental') }}\nselect count(*) as n from {{ ref('fast') }}",
    "models/_models.yml": "models:\n  - name: fast\n    columns:\n      - name: sport\n        data_tests: [unique]\n",
}


def make_project(folder: Path) -> Path:
    """Write a dbt project with one seed, two models and one test."""
    for name, text in PROJECT.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The small project, to be changed at will."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def parsed(common_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of a dbt that has parsed the small project."""
    project = make_project(tmp_path_factory.mktemp("project"))
    return parse_once(common_folder / "tiny", project_dir=project, environment={"TINY_PATH": "tiny.duckdb"})


@pytest.fixture
def open_dbt(project: Path, tmp_path: Path, parsed: Path) -> Callable[[], WarmDbt]:
    """Makes dbt on the project, as each start of a program does."""
    give(parsed, tmp_path / "dbt")

    def make() -> WarmDbt:
        database = tmp_path / "tiny.duckdb"
        return WarmDbt(
            project,
            tmp_path / "dbt",
            snapshot=DuckdbSnapshot(database, tmp_path / "mart.duckdb"),
            environment={"TINY_PATH": str(database)},
        )

    return make


@pytest.fixture
def column(tmp_path: Path) -> Callable[[str], list[object]]:
    """Publishes what was built and reads the one column of a query on it."""

    def read(sql: str) -> list[object]:
        publish(tmp_path / "tiny.duckdb", tmp_path / "mart.duckdb")
        reader = DuckdbMartReader(tmp_path / "mart.duckdb")
        try:
            return [next(iter(row.values())) for row in reader.rows(sql)]
        finally:
            reader.close()

    return read


def test_dbt_builds_what_is_needed(
    open_dbt: Callable[[], WarmDbt], project: Path, tmp_path: Path, column: Callable[[str], list[object]]
) -> None:
    """First seeds and everything, then only the models, with tests when wanted; a changed project is seeded again."""
    dbt = open_dbt()
    before = set(project.rglob("*"))
    first = dbt.build(full_refresh=False, tests=False)
    assert (first.error, first.is_full_refresh) == (None, True)
    assert [node.name for node in first.nodes] == ["sports", "fast", "count"]
    assert column("select sport from mart.fast") == ["Ride"]

    manifest = tmp_path / "dbt" / "target" / "manifest.json"
    manifest.unlink()
    second = dbt.build(full_refresh=False, tests=False)
    assert ([node.name for node in second.nodes], second.is_full_refresh) == (["fast", "count"], False)
    assert column("select n from mart.count") == [1, 1]
    assert not manifest.exists()  # a refresh spends no time on files that nobody reads
    assert all(node.seconds >= 0 and node.status == "success" for node in second.nodes)

    tested = open_dbt().build(full_refresh=True, tests=True)
    assert {node.name: node.status for node in tested.nodes}["unique_fast_sport"] == "pass"
    assert (tested.is_full_refresh, column("select n from mart.count")) == (True, [1])

    (project / "seeds/sports.csv").write_text("sport,is_fast\nRide,true\nSki,true\n")
    changed = open_dbt().build(full_refresh=False, tests=False)
    assert (changed.is_full_refresh, column("select n from mart.count")) == (True, [2])
    assert set(project.rglob("*")) == before
    assert manifest.exists()


def test_dbt_apart_ends_when_it_has_built(
    project: Path, tmp_path: Path, parsed: Path, column: Callable[[str], list[object]]
) -> None:
    """A process of its own builds for a program that stays, and its error is told as dbt's."""
    give(parsed, tmp_path / "dbt")
    database = tmp_path / "tiny.duckdb"
    snapshot = DuckdbSnapshot(database, tmp_path / "mart.duckdb")
    environment = {"TINY_PATH": str(database)}
    make = partial(WarmDbt, project, tmp_path / "dbt", snapshot=snapshot, environment=environment)
    with dbt_apart(make) as apart:
        assert multiprocessing.active_children() == []  # nobody has asked
        assert apart.build(full_refresh=False, tests=False).error is None
        [process] = multiprocessing.active_children()
        assert apart.stale_sources() == []
        assert multiprocessing.active_children() == [process]
    assert column("select sport from mart.fast") == ["Ride"]
    assert multiprocessing.active_children() == []
    (project / "models/fast.sql").write_text("select 1 from {{ ref('nowhere') }}")
    with dbt_apart(make) as apart, pytest.raises(RuntimeError, match="nowhere"):
        apart.written_script()


def test_a_fault_names_the_node(open_dbt: Callable[[], WarmDbt], project: Path) -> None:
    """A model that fails is named with dbt's message; once it is mended the next build is whole."""
    (project / "models/fast.sql").write_text("select no_such_column from {{ ref('sports') }}")
    failed = open_dbt().build(full_refresh=False, tests=False)
    assert failed.error is not None
    assert failed.error.startswith("fast: ")
    assert "no_such_column" in failed.error
    (project / "models/fast.sql").write_text(PROJECT["models/fast.sql"])
    assert open_dbt().build(full_refresh=False, tests=False).error is None


def test_a_failed_test_is_an_error(open_dbt: Callable[[], WarmDbt], project: Path) -> None:
    """A build with tests that do not hold is not fit to be published."""
    (project / "seeds/sports.csv").write_text("sport,is_fast\nRide,true\nRide,true\n")
    build = open_dbt().build(full_refresh=False, tests=True)
    assert build.error is not None
    assert build.error.startswith("unique_fast_sport: ")


def test_the_database_is_closed_between_builds(open_dbt: Callable[[], WarmDbt], tmp_path: Path) -> None:
    """Two processes that take turns each see what the other has built, and neither harms the file."""
    first = open_dbt()
    assert first.build(full_refresh=False, tests=False).error is None
    for number in range(2, 5):
        with duckdb.connect(str(tmp_path / "tiny.duckdb")) as other:  # refused while anybody else has it open
            other.execute("insert into mart.count values (7)")
        publish(tmp_path / "tiny.duckdb", tmp_path / "mart.duckdb")
        assert first.build(full_refresh=False, tests=False).error is None
        with duckdb.connect(str(tmp_path / "tiny.duckdb"), read_only=True) as other:
            assert other.execute("select count(*) from mart.count where n = 7").fetchone() == (number - 1,)
        assert not (tmp_path / "tiny.duckdb.wal").exists()


def test_a_damaged_database_is_built_anew(
    open_dbt: Callable[[], WarmDbt], tmp_path: Path, column: Callable[[str], list[object]]
) -> None:
    """A file of which only the beginning is left is told of, removed and built again, by a program that goes on."""
    dbt, database = open_dbt(), tmp_path / "tiny.duckdb"
    assert dbt.build(full_refresh=False, tests=False).error is None
    for keep in (0, 100, 8192, 12288):
        database.write_bytes(database.read_bytes()[:keep] + bytes(range(256)) * 64)
        with capture_logs() as logs:
            mended = dbt.build(full_refresh=False, tests=False)
        assert (mended.error, mended.is_full_refresh) == (None, True), keep
        assert [log["event"] for log in logs] == ["transform.database_damaged"], keep
        assert column("select sport from mart.fast") == ["Ride"], keep


def test_a_full_disk_is_an_error_and_nothing_worse(
    open_dbt: Callable[[], WarmDbt], column: Callable[[str], list[object]]
) -> None:
    """Where the database has no room, it is told; with room the same program builds."""
    dbt = open_dbt()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        full = dbt.build(full_refresh=False, tests=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert full.error
    assert dbt.build(full_refresh=False, tests=False).error is None
    assert column("select sport from mart.fast") == ["Ride"]


def test_a_fingerprint_that_cannot_be_kept_is_an_error(open_dbt: Callable[[], WarmDbt], tmp_path: Path) -> None:
    """A folder in its place stands for a disk without room; it is told, not raised."""
    dbt = open_dbt()
    (tmp_path / "dbt" / "built.sha256").mkdir(parents=True)
    failed = dbt.build(full_refresh=False, tests=False)
    assert failed.error is not None
    assert failed.error.startswith("dbt could not run: ")


def test_a_project_that_cannot_be_read_is_an_error(open_dbt: Callable[[], WarmDbt], project: Path) -> None:
    """It is told, not raised: the loop goes on and tries again."""
    (project / "models/fast.sql").write_text("select 1 from {{ ref('nowhere') }}")
    build = open_dbt().build(full_refresh=False, tests=False)
    assert build.error is not None
    assert "nowhere" in build.error
    assert open_dbt().project_fault() == build.error


async def test_from_raw_to_snapshot(tmp_path: Path, project_root: Path, built_project: Path) -> None:
    """The real project: an empty raw gives empty marts, one stored activity one row."""
    settings = TransformSettings(data_dir=tmp_path)
    give_built(built_project, tmp_path)
    recorded = json.loads((project_root / "tests/fixtures/strava/activity_run_marathon.json").read_text())
    activity = ActivityPayload.from_json(recorded["body"])
    store = SqliteRawStore(settings.pipeline_path)
    reader = DuckdbMartReader(settings.mart_path)
    counted = "select count(*) as n from mart.fct_activities"
    async with open_transformer(settings) as transformer:
        empty = await transformer.run()
        assert (empty.run.error, reader.rows(counted)) == (None, [{"n": 0}])
        await store.apply(
            [
                Observation(
                    activity_id=activity.activity_id,
                    athlete_id=activity.athlete_id,
                    observed_at=datetime.now(UTC),
                    source=Source.WEBHOOK,
                    activity=activity,
                )
            ]
        )
        caught_up = await transformer.run_if_stale()
    await store.close()
    assert caught_up is not None
    assert (caught_up.run.error, caught_up.run.is_full_refresh, reader.rows(counted)) == (None, False, [{"n": 1}])
    built = {node.name for node in caught_up.nodes}
    assert {"fct_activities", "int_pipeline__build", "int_pipeline__arrivals", "pipeline_health"} <= built
    assert not built & {"stg_strava__events", "stg_strava__activities", "event_latency"}  # no event came; views stand
    reader.close()


# Exits 1 where another process holds the lock of an open SQLite file: the 510 bytes after the first 2 of 2**30.
TRY_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 2**30 + 2)
    except OSError:
        sys.exit(1)
"""


async def test_a_refresh_leaves_raw_locked(tmp_path: Path, built_project: Path) -> None:
    """A program's own SQLite keeps its locks while DuckDB's reads the file: otherwise a log in use can be emptied."""
    settings = TransformSettings(data_dir=tmp_path)
    give_built(built_project, tmp_path)

    def is_locked() -> bool:
        return subprocess.run([sys.executable, "-c", TRY_LOCK, settings.pipeline_path], check=False).returncode == 1

    async with open_transformer(settings) as transformer:
        before = is_locked()
        refreshed = await transformer.run()
        assert (before, refreshed.run.error, is_locked()) == (True, None, True)
    assert not is_locked()


async def test_a_process_that_was_ended_is_started_again(tmp_path: Path, built_project: Path) -> None:
    """One that is killed during a refresh, as where memory is short, is told of, and the next refresh is whole."""
    settings = TransformSettings(data_dir=tmp_path)
    give_built(built_project, tmp_path)
    async with open_transformer(settings) as transformer:
        before = set(multiprocessing.active_children())
        assert (await transformer.run()).run.error is None
        [other] = set(multiprocessing.active_children()) - before
        other.kill()
        other.join()
        failed = await transformer.run()
        assert failed.run.error == "The process that builds the models was ended; the next try starts another."
        assert (await transformer.run()).run.error is None


async def test_a_refresh_is_whole_or_nothing(tmp_path: Path, built_project: Path) -> None:
    """A statement that fails names its model and leaves each table as it was."""
    settings = TransformSettings(data_dir=tmp_path)
    give_built(built_project, tmp_path)
    async with open_transformer(settings) as transformer:
        await transformer.run()
        with duckdb.connect(str(settings.transform_path)) as built:
            built.execute("alter table staging.world_records rename record_time_ms to mislaid")
            before = built.execute("select started_at from staging.int_pipeline__build").fetchall()
        failed = await transformer.run()
        assert failed.run.error is not None
        assert failed.run.error.startswith("record_best_effort: ")
        with duckdb.connect(str(settings.transform_path)) as built:
            assert built.execute("select started_at from staging.int_pipeline__build").fetchall() == before
            built.execute("alter table staging.world_records rename mislaid to record_time_ms")
        mended = await transformer.run()
    assert (mended.run.error, mended.run.is_full_refresh) == (None, False)
