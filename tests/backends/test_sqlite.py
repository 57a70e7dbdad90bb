"""Opening the pipeline's file: durable, migrated once, and refused when it is too new."""

import sqlite3
import stat
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from backends.sqlite import MIGRATIONS, SchemaMismatch, connect, open_database, statements
from runtime.clock import utc_text


def tables(connection: sqlite3.Connection) -> set[str]:
    """Return the names of all tables."""
    return {name for (name,) in connection.execute("select name from sqlite_schema where type = 'table'")}


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """Two small migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("create table first (a text); -- it's; fine\ncreate index i on first (a);\n")
    (folder / "0002_second.sql").write_text("insert into first values ('by ; second');\n")
    return folder


def test_new_file_is_durable(tmp_path: Path) -> None:
    """A new file in a new folder uses the write-ahead log, flushes each commit and checks foreign keys."""
    with closing(open_database(tmp_path / "new" / "folder" / "pipeline.sqlite")) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma synchronous").fetchone() == (2,)
        assert connection.execute("pragma foreign_keys").fetchone() == (1,)
        assert {"strava_activities", "strava_events", "queue_messages"} <= tables(connection)


def test_the_file_and_its_journal_are_private(tmp_path: Path) -> None:
    """Only the owner can read them, also in a folder that is open to others and after their mode was wider."""
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").touch(0o644)
    for _ in range(2):
        with closing(open_database(tmp_path / "pipeline.sqlite")) as connection:
            connection.execute("insert or replace into purges values ('p', 'h', 't', '{}')")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("pipeline*")}
        assert modes == {"pipeline.sqlite": 0o600, "pipeline.sqlite-wal": 0o600, "pipeline.sqlite-shm": 0o600}
        (tmp_path / "pipeline.sqlite").chmod(0o644)


def test_reopening_changes_nothing(tmp_path: Path, migrations: Path) -> None:
    """Migrations run once, however often the file is opened."""
    for _ in range(3):
        with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
            assert connection.execute("select * from first").fetchall() == [("by ; second",)]


def test_newer_program_opens_older_file(tmp_path: Path, migrations: Path) -> None:
    """A program that knows one more migration applies just that one and keeps the rows."""
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
        connection.execute("insert into first values ('kept')")
    (migrations / "0003_third.sql").write_text("alter table first add column b integer not null default 3;\n")
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
        assert connection.execute("select * from first").fetchall() == [("by ; second", 3), ("kept", 3)]


def test_older_program_refuses_newer_file(tmp_path: Path, migrations: Path) -> None:
    """A program without the file's last migration changes nothing and says what to do."""
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)):
        (migrations / "0002_second.sql").unlink()
    with pytest.raises(SchemaMismatch, match=r"p\.sqlite was written by a newer version .* Upgrade the program"):
        open_database(tmp_path / "p.sqlite", migrations=migrations)


def test_failing_migration_leaves_the_file_as_it_was(tmp_path: Path, migrations: Path) -> None:
    """A failing migration is undone with all of its run, and succeeds once it is corrected."""
    (migrations / "0003_third.sql").write_text("create table third (a text);\ncreate table first (a text);\n")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        open_database(tmp_path / "p.sqlite", migrations=migrations)
    with closing(connect(tmp_path / "p.sqlite")) as connection:
        assert tables(connection) == set()
    (migrations / "0003_third.sql").write_text("create table third (a text);\n")
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
        assert tables(connection) == {"first", "third", "schema_migrations"}


def test_edited_migration_is_refused(tmp_path: Path, migrations: Path) -> None:
    """A file whose migration had another text is not changed, also when a new migration is due."""
    open_database(tmp_path / "p.sqlite", migrations=migrations).close()
    (migrations / "0001_first.sql").write_text("create table first (a text, b text);\ncreate index i on first (a);\n")
    told = r"p\.sqlite was made by another version .* migration 0001_first\.sql is not .* point DATA_DIR at another"
    for _ in range(2):
        with pytest.raises(SchemaMismatch, match=told):
            open_database(tmp_path / "p.sqlite", migrations=migrations)
        (migrations / "0003_third.sql").write_text("create table third (a text);\n")
    with closing(connect(tmp_path / "p.sqlite")) as connection:
        assert tables(connection) == {"first", "schema_migrations"}


def test_other_migration_of_the_same_number_is_refused(tmp_path: Path, migrations: Path) -> None:
    """Two programs with different second migrations refuse each other's file."""
    open_database(tmp_path / "p.sqlite", migrations=migrations).close()
    (migrations / "0002_second.sql").unlink()
    (migrations / "0002_other.sql").write_text("create table other (a text);\n")
    with pytest.raises(SchemaMismatch, match=r"0002_second\.sql is not this program's 0002_other\.sql"):
        open_database(tmp_path / "p.sqlite", migrations=migrations)


def test_file_from_before_checksums_adopts_them_once(tmp_path: Path, migrations: Path) -> None:
    """The first program that opens it records its own checksums, and a later edit is refused."""
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
        connection.execute("drop table schema_migrations")
    (migrations / "0003_third.sql").write_text("create table third (a text);\n")
    with closing(open_database(tmp_path / "p.sqlite", migrations=migrations)) as connection:
        applied = connection.execute("select version, name from schema_migrations order by version").fetchall()
    assert applied == [(1, "0001_first.sql"), (2, "0002_second.sql"), (3, "0003_third.sql")]
    (migrations / "0002_second.sql").write_text("insert into first values ('other');\n")
    with pytest.raises(SchemaMismatch, match="0002_second"):
        open_database(tmp_path / "p.sqlite", migrations=migrations)


def test_processes_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Several processes open a missing file at once. All succeed, and it is migrated once."""
    program = "import sys; from pathlib import Path; from backends.sqlite import open_database; sys.stdin.readline(); "
    program += "open_database(Path(sys.argv[1])).execute('insert into purges values (?, 1, 1, 1)', (sys.argv[2],))"
    path = tmp_path / "pipeline.sqlite"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], stdin=subprocess.PIPE)
        for number in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 6
    with closing(connect(path, read_only=True)) as connection:
        assert connection.execute("select count(*) from purges").fetchone() == (6,)
        applied = connection.execute("select name from schema_migrations order by version").fetchall()
    assert [name for (name,) in applied] == [file.name for file in sorted(MIGRATIONS.glob("*.sql"))]


def test_read_only_cannot_write(tmp_path: Path) -> None:
    """A read-only connection reads committed rows, and can neither change nor create anything."""
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / "missing.sqlite", read_only=True)
    with (
        closing(open_database(tmp_path / "odd name?#%.sqlite")) as writing,
        closing(connect(tmp_path / "odd name?#%.sqlite", read_only=True)) as reading,
    ):
        writing.execute("insert into purges values ('p', 'h', 't', '{}')")
        assert reading.execute("select purge_id from purges").fetchone() == ("p",)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reading.execute("delete from purges")


def test_migrations_are_numbered_without_a_gap() -> None:
    """Migrations count from 1 without a gap, because the file's version is the number of the last."""
    numbers = [int(path.name[:4]) for path in sorted(MIGRATIONS.glob("*.sql"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_wheel_ships_the_sql(tmp_path: Path) -> None:
    """The wheel holds every .sql file of `backends`, so an installed program finds them."""
    root = Path(__file__).parents[2]
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    ours = {path.relative_to(root).as_posix() for path in (root / "backends").rglob("*.sql")}
    assert ours
    assert ours <= shipped


def test_statements_by_name(migrations: Path) -> None:
    """A folder's statements have the names of their files."""
    assert statements(migrations)["0002_second"] == "insert into first values ('by ; second');\n"


def test_time_text_sorts_as_time_passes() -> None:
    """Times of any zone become UTC text of one width."""
    whole = datetime(2026, 7, 1, 8, 0, tzinfo=timezone(timedelta(hours=2)))
    assert utc_text(whole) == "2026-07-01T06:00:00.000000Z"
    assert utc_text(whole) < utc_text(datetime(2026, 7, 1, 6, 0, 0, 1, tzinfo=UTC)) == "2026-07-01T06:00:00.000001Z"
