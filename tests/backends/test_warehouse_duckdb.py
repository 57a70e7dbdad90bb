"""What is particular to marts in a DuckDB file: how it is published, read and replaced."""

import errno
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import psutil
import pytest

from backends.sqlite import open_database
from backends.warehouse import WarehouseBusy
from backends.warehouse.duckdb.extension import extension_directory
from backends.warehouse.duckdb.marts import DuckdbMartReader, SnapshotCheck
from backends.warehouse.duckdb.session import DuckdbSession
from backends.warehouse.duckdb.snapshot import DuckdbSnapshot, compact, publish, separate
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed

DIE_WITH_A_FULL_LOG = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create schema mart")
connection.execute("create table mart.numbers as select range as n from range(1000)")
os.kill(os.getpid(), 9)
"""
READ_UNTIL_50 = """
import sys
from collections.abc import Callable
from pathlib import Path
from backends.warehouse.duckdb.marts import DuckdbMartReader
reader, last = DuckdbMartReader(Path(sys.argv[1])), 0
while last < 50:
    [row] = reader.rows("select max(a.n) as a, max(b.n) as b, count(*) as size from mart.a as a, mart.b as b")
    assert row["a"] == row["b"] >= last and row["size"] == 1000, row
    if not last:
        print("reading", flush=True)
    last = row["a"]
"""


@pytest.fixture
def transform(tmp_path: Path) -> Path:
    """Where dbt would build."""
    return tmp_path / "transform.duckdb"


@pytest.fixture
def mart(tmp_path: Path) -> Path:
    """Where the snapshot is published."""
    return tmp_path / "mart.duckdb"


def build(transform: Path, *statements: str) -> None:
    """Do what dbt does: write to a file of its own, in schemas of its own."""
    separate(transform, transform.with_name("mart.duckdb"))
    with duckdb.connect(str(transform)) as connection:
        for statement in ("create schema if not exists staging", "create schema if not exists mart", *statements):
            connection.execute(statement)


# -- publish --------------------------------------------------------------------------------------------------------


def test_views_work_in_the_snapshot(transform: Path, mart: Path) -> None:
    """A view names its tables by the file they were built in; in the published copy it still finds them."""
    build(
        transform, "create table staging.t as select 7 as n", "create view mart.v as select n from transform.staging.t"
    )
    publish(transform, mart)
    assert DuckdbMartReader(mart).rows("select n from mart.v") == [{"n": 7}]


def test_what_a_killed_builder_left_in_its_log_is_published(transform: Path, mart: Path) -> None:
    """Rows that are only in the write-ahead log are brought into the file before it is copied."""
    died = subprocess.run([sys.executable, "-c", DIE_WITH_A_FULL_LOG, str(transform)], check=False)
    assert (died.returncode, transform.with_name("transform.duckdb.wal").exists()) == (-9, True)
    publish(transform, mart)
    assert DuckdbMartReader(mart).rows("select count(*) as n from mart.numbers") == [{"n": 1000}]


def test_nothing_built_yet(transform: Path, mart: Path) -> None:
    """Publishing before anything was built says what to run and leaves no file."""
    with pytest.raises(MartMissing, match="`athlete transform`"):
        publish(transform, mart)
    assert list(mart.parent.iterdir()) == []


def test_the_next_build_leaves_what_readers_see(transform: Path, mart: Path) -> None:
    """Nothing is copied when it is published; what is built later is seen when it is published, too."""
    reader = DuckdbMartReader(mart)
    seen = []
    for n in range(3):
        build(transform, f"create or replace table mart.t as select {n} as n")
        seen.append(reader.rows("select n from mart.t") if n else [])
        publish(transform, mart)
        assert transform.samefile(mart)
        assert reader.rows("select n from mart.t") == [{"n": n}]
    assert seen == [[], [{"n": 0}], [{"n": 1}]]
    assert {file.name for file in mart.parent.iterdir()} == {"transform.duckdb", "mart.duckdb"}


def test_publishing_the_same_build_twice(transform: Path, mart: Path) -> None:
    """What is published already is left as it is, and nothing is left over."""
    build(transform, "create table mart.t as select 1 as n")
    for _ in range(2):
        publish(transform, mart)
    assert {file.name for file in mart.parent.iterdir()} == {"transform.duckdb", "mart.duckdb"}


def test_where_a_file_has_one_name_it_is_copied(transform: Path, mart: Path) -> None:
    """Some file systems know no second names."""

    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart, link=refused)
    assert not transform.samefile(mart)
    separate(transform, mart)
    assert DuckdbMartReader(mart).rows("select n from mart.t") == [{"n": 1}]


def test_a_builder_without_room_for_a_file_of_its_own_is_told(transform: Path, mart: Path) -> None:
    """Readers keep what they see, and the builder must not write into it."""
    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart)
    transform.with_name("transform.duckdb.new").mkdir()
    with pytest.raises(WarehouseBusy, match="cannot be copied"):
        separate(transform, mart)
    assert DuckdbMartReader(mart).rows("select n from mart.t") == [{"n": 1}]


MARKED = """
create table mart.t as
select n, ['Sunrise over Zurich', 'Rain in Oslo', 'Fog in Bern', 'Wind in Kiel'][n + 1] as title, [n] as list
from range(4) as r (n)
"""


def test_compacting_leaves_no_byte_of_deleted_rows(transform: Path, mart: Path) -> None:
    """Rows that were deleted are in the file's bytes until it is compacted; those that stayed are read as before."""
    build(transform, MARKED, "create view staging.v as select * from transform.mart.t")
    build(transform, "create view mart.v as select * from transform.staging.v", "delete from mart.t where n = 0")
    assert b"Sunrise over Zurich" in transform.read_bytes()
    compact(transform)
    publish(transform, mart)
    for file in (transform, mart):
        assert b"Sunrise over Zurich" not in file.read_bytes()
        assert b"Rain in Oslo" in file.read_bytes()
    rows = DuckdbMartReader(mart).rows("select count(*) as n, sum(list[1]) as total from mart.v")
    assert rows == [{"n": 3, "total": 6}]
    build(transform, "insert into mart.t values (4, 'new', [])")
    assert {file.name for file in transform.parent.iterdir()} == {"transform.duckdb", "mart.duckdb"}


def test_compacting_gives_an_older_file_smaller_blocks(transform: Path, project_root: Path) -> None:
    """The file is written with blocks as dbt makes in a new one."""
    told = re.search(r"default_block_size: (\d+)", (project_root / "transforms/profiles.yml").read_text())
    build(transform, "create table t as select 1 as n")
    compact(transform)
    with duckdb.connect(str(transform)) as connection:
        [(size,)] = connection.execute("select block_size from pragma_database_size()").fetchall()
    assert told
    assert size == int(told[1]) < 262144


def test_compacting_after_kills(transform: Path) -> None:
    """What a killed builder left in its log is kept, and what a killed compaction left is cleared."""
    subprocess.run([sys.executable, "-c", DIE_WITH_A_FULL_LOG, str(transform)], check=False)
    for leftover in ("transform.duckdb.new", "transform.duckdb.new.wal"):
        transform.with_name(leftover).write_bytes(b"half of a file")
    compact(transform)
    assert [file.name for file in transform.parent.iterdir()] == ["transform.duckdb"]
    with duckdb.connect(str(transform)) as connection:
        assert connection.execute("select count(*) from mart.numbers").fetchall() == [(1000,)]


def test_compacting_nothing(transform: Path) -> None:
    """Before anything was built it says what to run."""
    with pytest.raises(MartMissing, match="`athlete transform`"):
        compact(transform)
    assert list(transform.parent.iterdir()) == []


def test_failed_compaction_leaves_the_file(transform: Path) -> None:
    """When there is no room for the new file the old one stays as it was."""
    build(transform, MARKED)
    before = transform.read_bytes()
    transform.with_name("transform.duckdb.new").mkdir()
    with pytest.raises(WarehouseBusy, match="cannot be compacted"):
        compact(transform)
    assert transform.read_bytes() == before


def test_failed_publish_leaves_the_snapshot_before(transform: Path, mart: Path) -> None:
    """When readers cannot be given what was built they keep what they have."""
    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart)
    build(transform, "create or replace table mart.t as select 2 as n")
    mart.with_name("mart.duckdb.new").mkdir()
    with pytest.raises(WarehouseBusy, match="cannot be published"):
        publish(transform, mart)
    assert DuckdbMartReader(mart).rows("select n from mart.t") == [{"n": 1}]


def test_half_a_copy_of_a_killed_publisher_does_no_harm(transform: Path, mart: Path) -> None:
    """The leftover of a publisher that was killed is overwritten by the next one."""
    for leftover in ("mart.duckdb.new", "mart.duckdb.new.wal"):
        mart.with_name(leftover).write_bytes(b"half a file")
    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart)
    assert DuckdbMartReader(mart).rows("select n from mart.t") == [{"n": 1}]
    assert {file.name for file in mart.parent.iterdir()} == {"transform.duckdb", "mart.duckdb"}


@pytest.mark.slow
def test_a_reading_process_meets_only_whole_snapshots(transform: Path, mart: Path) -> None:
    """While fifty snapshots are swapped in, a process that reads all the time sees each table of the same build."""
    insert = "create or replace table mart.{} as select {} as n from range({})"
    build(transform, insert.format("a", 1, 1000), insert.format("b", 1, 1))
    publish(transform, mart)
    with subprocess.Popen(
        [sys.executable, "-c", READ_UNTIL_50, str(mart)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline() == "reading\n"
        for n in range(2, 51):
            build(transform, insert.format("a", n, 1000), insert.format("b", n, 1))
            publish(transform, mart)
        _, complaint = reading.communicate()
    assert (reading.returncode, complaint) == (0, "")


# -- the snapshot's reader ------------------------------------------------------------------------------------------


def test_a_query_under_way_outlives_its_snapshot(transform: Path, mart: Path) -> None:
    """A snapshot that is replaced, or a reader that is closed, does not cut off an answer that is being fetched."""
    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart)
    reader = DuckdbMartReader(mart)
    cursor = reader._cursor().execute("select range from range(100000)")
    build(transform, "create or replace table mart.t as select 2 as n")
    publish(transform, mart)
    assert reader.rows("select n from mart.t") == [{"n": 2}]
    reader.close()
    assert len(cursor.fetchall()) == 100_000


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "something else": lambda _: b"not a database" * 1000,
    "cut short": lambda whole: whole[: len(whole) // 2],
}


@pytest.fixture(params=DAMAGE)
def damaged(request: pytest.FixtureRequest, transform: Path, mart: Path) -> Path:
    """A snapshot that was published whole, and then was damaged."""
    build(transform, "create table mart.t as select range as n, md5(range::varchar) as word from range(100000)")
    publish(transform, mart)
    separate(transform, mart)
    mart.write_bytes(DAMAGE[request.param](mart.read_bytes()))
    return mart


def test_a_damaged_snapshot_is_said_to_be_one(damaged: Path, transform: Path) -> None:
    """The sentence names the file and the command that builds it again; the next publish mends it."""
    reader = DuckdbMartReader(damaged)
    with pytest.raises(MartDamaged, match=r"mart\.duckdb is damaged or empty .* run `athlete transform`\.$"):
        reader.rows("select max(word) from mart.t")
    publish(transform, damaged)
    assert reader.rows("select count(*) as n from mart.t") == [{"n": 100_000}]


def test_damage_inside_a_table_is_told_by_the_query_that_meets_it(transform: Path, mart: Path) -> None:
    """A file that opens but whose blocks do not match their checksums is called damaged too."""
    build(transform, "create table mart.t as select md5(range::varchar) as word from range(100000)")
    publish(transform, mart)
    whole = mart.read_bytes()
    mart.write_bytes(whole[: len(whole) // 3] + bytes(len(whole) // 3) + whole[2 * len(whole) // 3 :])
    with pytest.raises(MartDamaged, match="run `athlete transform`"):
        DuckdbMartReader(mart).rows("select max(word) from mart.t")


def test_a_damaged_snapshot_counts_as_none_until_it_is_published_again(damaged: Path, transform: Path) -> None:
    """The transformer's look sees the damage, and sees that it is mended."""
    is_published = SnapshotCheck(damaged)
    assert [is_published(), is_published()] == [False, False]
    publish(transform, damaged)
    assert [is_published(), is_published()] == [True, True]
    damaged.unlink()
    assert not is_published()


def test_a_snapshot_without_its_free_end_is_whole(transform: Path, mart: Path) -> None:
    """DuckDB cuts off the blocks of a table that was dropped, and its header still counts them."""
    rows = "select range as n, md5(range::varchar) as word from range(100000)"
    build(transform, f"create table mart.t as {rows}; checkpoint; create table mart.u as {rows}; checkpoint")
    build(transform, "drop table mart.u")
    publish(transform, mart)
    reader = DuckdbMartReader(mart)
    told = "select total_blocks * block_size as size from pragma_database_size() where database_name = 'transform'"
    assert mart.stat().st_size < int(str(reader.rows(told)[0]["size"]))
    assert SnapshotCheck(mart)()
    assert reader.rows("select count(word) as n from mart.t") == [{"n": 100_000}]
    reader.close()


def test_a_snapshot_that_cannot_be_opened_just_now_is_not_called_damaged(tmp_path: Path) -> None:
    """What another publish would not cure asks for none."""
    (tmp_path / "mart.duckdb").mkdir()
    assert SnapshotCheck(tmp_path / "mart.duckdb")()
    with pytest.raises(WarehouseBusy):
        DuckdbMartReader(tmp_path / "mart.duckdb").rows("select 1 as one")


def test_a_removed_snapshot_is_missing(transform: Path, mart: Path) -> None:
    """When the data folder is emptied under a reader it says so, and it recovers with the next publish."""
    build(transform, "create table mart.t as select 1 as n")
    publish(transform, mart)
    reader = DuckdbMartReader(mart)
    reader.rows("select n from mart.t")
    mart.unlink()
    with pytest.raises(MartMissing):
        reader.rows("select n from mart.t")
    publish(transform, mart)
    assert reader.rows("select n from mart.t") == [{"n": 1}]


def test_the_reader_reaches_no_other_file(transform: Path, mart: Path) -> None:
    """A dashboard query cannot read from the disk."""
    build(transform)
    publish(transform, mart)
    with pytest.raises(QueryFailed, match="disabled by configuration"):
        DuckdbMartReader(mart).rows("select * from read_text(?)", [__file__])


# -- the extension --------------------------------------------------------------------------------------------------


def test_extension_folder_is_mended(tmp_path: Path) -> None:
    """The link is made once, and again when it points to where the package no longer is."""
    folder = extension_directory(tmp_path)
    [link] = [file for file in folder.rglob("*") if file.is_symlink()]
    before = link.lstat().st_ino
    assert (extension_directory(tmp_path), link.lstat().st_ino) == (folder, before)
    packaged = link.readlink()
    link.unlink()
    link.symlink_to(tmp_path / "an-older-environment")
    extension_directory(tmp_path)
    assert link.readlink() == packaged
    assert folder.is_absolute()


@pytest.fixture
def session(tmp_path: Path) -> DuckdbSession:
    """A session on a database with one table, and an empty `raw`."""
    with duckdb.connect(str(tmp_path / "transform.duckdb")) as built:
        built.execute("create table numbers as select 1 as number")
    open_database(tmp_path / "pipeline.sqlite").close()
    return DuckdbSession(
        tmp_path / "transform.duckdb", tmp_path / "pipeline.sqlite", lambda: extension_directory(tmp_path), _doubled
    )


def _doubled(connection: duckdb.DuckDBPyConnection) -> None:
    connection.create_function("doubled", lambda number: 2 * number, ["integer"], "integer")


def _run(session: DuckdbSession, *statements: str, place: int = 0) -> None:
    with session.opened() as connections:
        for statement in statements:
            connections[place](statement)


def test_a_session_commits_all_or_nothing(session: DuckdbSession, tmp_path: Path) -> None:
    """Statements see one another, `raw` and the functions; after a failure nothing of them is left, and it goes on."""
    counted = "select count(*) from sqlite_query('raw', 'select activity_id from strava_activities')"
    with session.opened() as (execute, _):
        execute("create or replace table numbers as select 7 as number")
        assert execute("select doubled(number) from numbers") == [(14,)]
        assert execute(counted) == [(0,)]
    for _ in range(2):
        with pytest.raises(WarehouseBusy, match="no_such_column"):
            _run(session, "create or replace table numbers as select 8 as number", "select no_such_column from numbers")
    with duckdb.connect(str(tmp_path / "transform.duckdb")) as other:
        assert other.execute("select number from numbers").fetchall() == [(7,)]
    assert not (tmp_path / "transform.duckdb.wal").exists()


def test_a_session_s_connections_see_what_each_has_committed(session: DuckdbSession) -> None:
    """Both have the functions, `raw` and the clock of UTC; what one has not committed the other does not see."""
    with session.opened() as (first, second):
        first("begin transaction")
        first("insert into numbers values (2)")
        assert second("select count(*) from numbers") == [(1,)]
        first("commit")
        assert second("select doubled(max(number)), current_setting('TimeZone') from numbers") == [(4, "UTC")]
        assert second("select count(*) from raw.strava_activities") == [(0,)]


@pytest.mark.parametrize("end", ["os._exit(1)", "second('select no_such_column from numbers')"])
def test_of_a_session_that_does_not_end_nothing_is_kept(session: DuckdbSession, tmp_path: Path, end: str) -> None:
    """Not even what was committed: neither after a kill nor after an error on one of its connections."""
    program = """
import os, sys
from pathlib import Path
from backends.warehouse.duckdb.session import DuckdbSession
built, raw, extensions = map(Path, sys.argv[1:])
with DuckdbSession(built, raw, lambda: extensions, lambda _: None).opened() as (first, second):
    first("create or replace table numbers as select range as number from range(300000)")
    second("create table others as select 1 as number")
    """
    files = tmp_path / "transform.duckdb", tmp_path / "pipeline.sqlite", extension_directory(tmp_path)
    command = [sys.executable, "-c", program + end, *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "no_such_column" in ended.stderr or "_exit" in end
    with session.opened() as (first, _):
        assert first("select number from numbers") == [(1,)]
        with pytest.raises(MartMissing, match="others"):
            first("select * from others")


@pytest.mark.parametrize("place", [0, 1])
def test_a_session_begins_as_new_after_an_error(session: DuckdbSession, place: int) -> None:
    """A missing table is told as one on either connection, also in a transaction; nothing of temporary tables stays."""
    missing = "select * from no_such_table"
    for _ in range(2):
        with pytest.raises(MartMissing, match="no_such_table"):
            _run(session, "create temp table used as select 1", "begin", "delete from numbers", missing, place=place)
    with session.opened() as connections:
        assert connections[place]("select number from numbers") == [(1,)]


def test_a_session_tells_of_a_table_that_is_not_there(session: DuckdbSession, tmp_path: Path) -> None:
    """Also where the whole file is gone: what is to be built first is another error than what may pass by itself."""
    with pytest.raises(MartMissing, match="no_such_table"):
        _run(session, "select * from no_such_table")
    (tmp_path / "transform.duckdb").unlink()
    with pytest.raises(MartMissing, match="numbers"):
        _run(session, "select * from numbers")


@pytest.mark.slow
def test_a_session_that_rests_gives_its_memory_back(session: DuckdbSession) -> None:
    """What a refresh took would stay with a program that runs for days."""
    process = psutil.Process()
    with session.opened():
        pass
    before = process.memory_info().rss
    with session.opened() as (execute, _):
        execute("create temporary table many as select range as n, md5(range::varchar) as text from range(2000000)")
        execute("drop table many")
        assert process.memory_info().rss - before > 40 * 2**20
    assert process.memory_info().rss - before < 30 * 2**20


def test_what_does_not_fit_into_memory_stays_in_the_data_folder(session: DuckdbSession, tmp_path: Path) -> None:
    """By itself DuckDB would put an athlete's rows into the folder where the program was started."""
    with session.opened() as (execute, _):
        assert execute("select current_setting('temp_directory')") == [(f"{tmp_path / 'transform.duckdb'}.tmp",)]


@pytest.mark.parametrize(
    ("error", "is_gone"),
    [
        ("IO Error: Trying to read a database file …, but we can only read versions between 64 and 67.", True),
        ("TransactionContext Error: Failed to commit: No space left on device", False),
    ],
)
def test_a_file_that_cannot_be_read_any_more_is_removed(tmp_path: Path, error: str, is_gone: bool) -> None:
    """A newer DuckDB's too, after a step back to an older release: raw has all of it. A full disk passes."""
    file = tmp_path / "transform.duckdb"
    file.touch()
    assert DuckdbSnapshot(file, tmp_path / "mart.duckdb").discard_if_damaged(error) == is_gone
    assert file.exists() != is_gone


def test_a_session_tells_of_a_damaged_file(session: DuckdbSession, tmp_path: Path) -> None:
    """It is told as DuckDB tells it, and once the file is another one the session reads that."""
    whole = (tmp_path / "transform.duckdb").read_bytes()
    (tmp_path / "transform.duckdb").write_bytes(b"no database")
    with pytest.raises(WarehouseBusy, match="not a valid DuckDB database"), session.opened():
        pass
    (tmp_path / "transform.duckdb").write_bytes(whole)
    with session.opened() as (execute, _):
        assert execute("select number from numbers") == [(1,)]
