"""Looking at all layers at once through DuckDB: what can be asked, and what is refused or out of reach."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from backends.warehouse.athletes import Athlete
from backends.warehouse.duckdb.console import DuckdbSqlConsole
from backends.warehouse.duckdb.snapshot import publish
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed
from backends.warehouse.sqlite.store import SqliteRawStore


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pipeline file that knows one athlete, and published marts: a table, and a view that reads it."""
    folder = tmp_path_factory.mktemp("made")
    asyncio.run(put_athlete(folder / "pipeline.sqlite", 7))
    with duckdb.connect(str(folder / "transform.duckdb")) as connection:
        connection.execute("create schema staging")
        connection.execute("create schema mart")
        connection.execute("create table staging.numbers as select range as n from range(2500)")
        connection.execute("create view mart.even as select n from transform.staging.numbers where n % 2 = 0")
    publish(folder / "transform.duckdb", folder / "mart.duckdb")
    return folder


async def put_athlete(pipeline: Path, athlete_id: int) -> None:
    """Store one more athlete, as the pipeline does."""
    store = SqliteRawStore(pipeline, busy_timeout_s=1)
    athlete = Athlete(athlete_id=athlete_id, scope=frozenset(), status="connected", updated_at=datetime.now(UTC))
    await store.put_athlete(athlete)
    await store.close()


@pytest.fixture
def pipeline(tmp_path: Path, made: Path) -> Path:
    """A pipeline file that knows one athlete."""
    return Path(shutil.copy(made / "pipeline.sqlite", tmp_path))


@pytest.fixture(scope="module")
def warehouse(made: Path) -> Iterator[DuckdbSqlConsole]:
    """All layers, with an athlete in raw, for every test that only reads: opening costs more than a query."""
    with closing(opened_on(made)) as opened:
        yield opened


def opened_on(folder: Path) -> DuckdbSqlConsole:
    """Open what lies in the folder."""
    mart, pipeline = folder / "mart.duckdb", folder / "pipeline.sqlite"
    return DuckdbSqlConsole(data_dir=folder, mart_path=mart, pipeline_path=pipeline)


def test_one_query_over_all_layers(warehouse: DuckdbSqlConsole) -> None:
    """Raw, staging and mart are joined in one statement."""
    answer = warehouse.query(
        "select athlete_id, (select count(*) from staging.numbers) as staged, (select max(n) from mart.even) as most "
        "from raw.strava_athletes"
    )
    assert (answer.columns, list(answer.rows)) == (["athlete_id", "staged", "most"], [(7, 2500, 2498)])


def test_rows_are_fetched_as_they_are_asked_for(warehouse: DuckdbSqlConsole) -> None:
    """A large answer comes whole, in order, and need not be fetched to its end."""
    assert [row[0] for row in warehouse.query("select n from staging.numbers order by n").rows] == list(range(2500))
    assert next(warehouse.query("select range as n from range(1000000000)").rows) == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from raw.strava_athletes",
        "insert into staging.numbers values (1)",
        "create table mart.mine as select 1 as n",
        "drop view mart.even",
        "copy (select 1) to '{folder}/tokens.json'",
        "copy (select 1) to '{folder}/mart.duckdb.wal' (format csv)",
        "explain analyze copy (select 1) to '{folder}/mart.duckdb.wal' (format csv)",
        "/* */ explain analyze copy (select 1) to '{folder}/mart.duckdb.wal' (format csv)",
        "export database '{folder}/export'",
        "attach '{folder}/pipeline.sqlite' as writable (type sqlite)",
        "attach ':memory:' as mine",
        "detach raw",
        "install httpfs",
        "load json",
        "set threads = 1",
        "reset enable_external_access",
        "call sqlite_attach('{folder}/pipeline.sqlite')",
    ],
)
def test_the_warehouse_can_only_be_read(made: Path, warehouse: DuckdbSqlConsole, sql: str) -> None:
    """Nothing that writes, reaches for another file or changes the engine is run at all."""
    (made / "tokens.json").write_text("secret")
    before = contents(made)
    with pytest.raises(QueryFailed, match="refused: a query can only read"):
        warehouse.query(sql.format(folder=made))
    assert contents(made) == before
    assert list(warehouse.query("select count(*) from raw.strava_athletes").rows) == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select content from read_text('{folder}/tokens.json')",
        "from '{folder}/tokens.json'",
        "select * from query('select content from read_text(''{folder}/tokens.json'')')",
        "select * from glob('{folder}/*')",
    ],
)
def test_no_file_beside_the_layers_can_be_read(made: Path, warehouse: DuckdbSqlConsole, sql: str) -> None:
    """What lies beside the layers, such as the tokens, is out of reach."""
    (made / "tokens.json").write_text('{"secret": 1}')
    with pytest.raises(QueryFailed):
        list(warehouse.query(sql.format(folder=made)).rows)


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody else's files: a SQLite database, a DuckDB one and a table of text."""
    folder = tmp_path_factory.mktemp("foreign")
    with closing(sqlite3.connect(folder / "other.sqlite")) as connection:
        connection.execute("create table secret as select 's3cr3t' as word")
        connection.commit()
    with duckdb.connect(str(folder / "other.duckdb")) as other:
        other.execute("create table secret as select 's3cr3t' as word")
    (folder / "other.csv").write_text("word\ns3cr3t\n")
    return folder


@pytest.mark.parametrize(
    "sql",
    [
        "from sqlite_scan('{foreign}/other.sqlite', 'secret')",
        "from system.main.\"SQLITE_SCAN\"('{foreign}/other.sqlite', 'secret')",
        "select (select word from sqlite_scan('{foreign}/other.sqlite', 'secret'))",
        "with w as (from sqlite_scan('{foreign}/other.sqlite', 'secret')) select 1 where exists (from w)",
        "select n from mart.even where n in (select 1 from sqlite_scan('{foreign}/other.sqlite', 'secret'))",
        "from mart.even, lateral (from sqlite_scan('{foreign}/other.sqlite', 'secret'))",
        "describe from sqlite_scan('{foreign}/other.sqlite', 'secret')",
        "summarize from sqlite_scan('{foreign}/other.sqlite', 'secret')",
        "explain analyze from sqlite_scan('{foreign}/other.sqlite', 'secret')",
        "from query('from sqlite_' || 'scan(''{foreign}/other.sqlite'', ''secret'')')",
        "from query_table('{foreign}/other.csv')",
        "from json_execute_serialized_sql(json_serialize_sql('from raw.strava_athletes'))",
        "from sqlite_query('raw', 'select 1')",
        "from sqlite_attach('{foreign}/other.sqlite')",
        "call sqlite_attach('{foreign}/other.sqlite')",
        "from read_duckdb('{foreign}/other.duckdb')",
        "from read_csv('{foreign}/other.csv')",
        "from read_text('{foreign}/other.csv')",
        "from read_blob('{foreign}/other.csv')",
        "from sniff_csv('{foreign}/other.csv')",
        "from glob('{foreign}/*')",
        "from '{foreign}/other.csv'",
        "from '{foreign}/other.sqlite'",
        'from "{foreign}/other.duckdb"',
        "attach '{foreign}/other.sqlite' as other (type sqlite)",
        "attach '{foreign}/other.duckdb' as other",
        "copy (select 1) to '{foreign}/new.csv'",
        "export database '{foreign}/new'",
        "install httpfs",
        "load '{foreign}/other.duckdb'",
        "pragma import_database('{foreign}')",
        "set enable_external_access = true",
        "from duckdb_secrets()",
    ],
)
def test_a_query_reads_no_file_outside_the_data_folder(warehouse: DuckdbSqlConsole, foreign: Path, sql: str) -> None:
    """Every way that DuckDB has of opening another file is refused by one sentence, and nothing is written."""
    before = contents(foreign)
    with pytest.raises(QueryFailed) as caught:
        list(warehouse.query(sql.format(foreign=foreign)).rows)
    assert "\n" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert contents(foreign) == before


def test_no_variable_of_the_program_is_read_as_a_table(warehouse: DuckdbSqlConsole) -> None:
    """DuckDB's own way of finding Python's data by its name is switched off."""
    other = duckdb.sql("select 's3cr3t' as word")
    assert other.fetchall()
    with pytest.raises(QueryFailed, match="other does not exist"):
        warehouse.query("from other")


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from (select distinct repeat(md5(range::varchar), 300) from range(1000000))",
        "select list(repeat(md5(range::varchar), 300)) from range(1000000)",
    ],
)
def test_a_runaway_query_ends_with_a_sentence(warehouse: DuckdbSqlConsole, made: Path, sql: str) -> None:
    """Beyond its memory it is ended, nothing is spilled to the disk, and the next query is answered."""
    before = set(made.rglob("*"))
    with pytest.raises(QueryFailed, match="more than 1 GB of memory: narrow it"):
        list(warehouse.query(sql).rows)
    assert set(made.rglob("*")) == before
    assert not Path(".tmp").exists()
    assert list(warehouse.query("select max(n) from mart.even").rows) == [(2498,)]


@pytest.mark.usefixtures("pipeline")
def test_damaged_marts_leave_raw_to_be_asked(tmp_path: Path) -> None:
    """A query of the marts says that they are damaged and what builds them again; raw still answers."""
    (tmp_path / "mart.duckdb").touch()
    with closing(opened_on(tmp_path)) as opened:
        with pytest.raises(MartDamaged, match=r"mart\.duckdb is damaged or empty .* run `athlete transform`"):
            opened.query("select * from mart.fct_activities")
        assert list(opened.query("select athlete_id from raw.strava_athletes").rows) == [(7,)]


def contents(folder: Path) -> dict[Path, bytes]:
    """Read all files of a folder but SQLite's index, which also changes by reading."""
    return {file: file.read_bytes() for file in folder.glob("*") if file.is_file() and file.suffix != ".sqlite-shm"}


@pytest.mark.parametrize(
    "sql",
    [
        "from staging.numbers",
        "with one as (select 1) select * from one",
        "show all tables",
        "describe mart.even",
        "summarize mart.even",
        "explain select n from mart.even",
        "explain analyze (select n from mart.even)",
        "explain (format json) select 1",
        "select * from range(3) as r(n), unnest([n])",
        "select j.value from json_each('[1, 2]') as j",
        "from duckdb_columns()",
        "from pragma_table_info('mart.even')",
        "unpivot (select 1 as a, 2 as b) on a, b",
    ],
)
def test_every_way_of_reading_is_allowed(warehouse: DuckdbSqlConsole, sql: str) -> None:
    """A statement that only reads is run, in all of its forms."""
    assert list(warehouse.query(sql).rows)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("selct 1", 'syntax error at or near "selct"'),
        ("select nope from staging.numbers", 'Referenced column "nope" not found'),
        ("select * from raw.nope", "Table with name nope does not exist"),
        ("select 1; select 2", "Give one statement; this is 2"),
        (" ", "Give one statement; this is none"),
        (f"from {'(from ' * 400}(select 1){')' * 400}", "nested too deeply: write it with fewer levels"),
    ],
)
def test_a_faulty_query_says_why(warehouse: DuckdbSqlConsole, sql: str, reason: str) -> None:
    """The reason is one line without DuckDB's drawing of the query."""
    with pytest.raises(QueryFailed, match=reason) as caught:
        warehouse.query(sql)
    assert "\n" not in str(caught.value)


def test_a_row_that_cannot_be_computed_says_why(warehouse: DuckdbSqlConsole) -> None:
    """An error in the middle of the rows is ours too."""
    with pytest.raises(QueryFailed, match="Could not convert"):
        list(warehouse.query("select cast(if(n = 2400, 'x', '1') as integer) from staging.numbers").rows)


@pytest.mark.usefixtures("pipeline")
def test_raw_can_be_looked_at_before_the_first_transform(tmp_path: Path) -> None:
    """Without a snapshot raw still answers, and a query of the marts names the command that is missing."""
    opened = opened_on(tmp_path)
    assert list(opened.query("select status from raw.strava_athletes").rows) == [("connected",)]
    with pytest.raises(MartMissing, match="`athlete transform`"):
        opened.query("select * from mart.fct_activities")
    with pytest.raises(QueryFailed, match="nope"):
        opened.query("select nope from raw.strava_athletes")
    opened.close()


def test_an_empty_data_folder(tmp_path: Path) -> None:
    """With nothing at all, looking creates no data file."""
    opened = opened_on(tmp_path)
    with pytest.raises(QueryFailed):
        opened.query("select * from raw.strava_athletes")
    opened.close()
    assert os.listdir(tmp_path) == ["duckdb_extensions"]  # noqa: PTH208 - the names


def test_looking_does_not_hold_up_the_writers(tmp_path: Path, pipeline: Path) -> None:
    """While an answer from raw is only half fetched, the pipeline still writes."""
    with closing(opened_on(tmp_path)) as opened:
        answer = opened.query("select athlete_id from raw.strava_athletes, range(1000000)")
        assert next(answer.rows) == (7,)
        asyncio.run(put_athlete(pipeline, 8))
        assert list(opened.query("select count(*) from raw.strava_athletes").rows) == [(2,)]
