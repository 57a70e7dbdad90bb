"""What leaves the warehouse as files: rows of a question, every mart with its documentation, dbt's pages; the past."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import Result

from athlete.past import console_as_of, end_of
from backends.warehouse.duckdb.snapshot import publish
from tests.parsed_project import give
from tests.transforms.life import run_payload
from tests.transforms.warehouse import BERLIN, Warehouse
from worker.dbt_runner.settings import PROJECT_DIR

Run = Callable[..., Result]


@pytest.fixture
def _marts(tmp_path: Path) -> None:
    """Published marts: numbers of several types, and what is said of them."""
    with duckdb.connect(str(tmp_path / "transform.duckdb")) as connection:
        connection.execute("create schema mart")
        connection.execute(
            "create table mart.numbers as select range as n, range / 2 as half, date '2026-05-04' as day, "
            "case when range > 0 then [range] end as many from range(3)"
        )
        connection.execute(
            "create table mart.documentation as select * from (values ('numbers', '', 0, 'One row per number.'), "
            "('numbers', 'n', 1, 'The number | the key.')) as told (model, column_name, position, description)"
        )
    publish(tmp_path / "transform.duckdb", tmp_path / "mart.duckdb")


@pytest.mark.usefixtures("_marts")
def test_a_question_s_rows_become_one_file_with_the_engine_s_types(run: Run, tmp_path: Path) -> None:
    """Also where the first value of a column is null; a file of before is replaced, and nothing else is left."""
    path = tmp_path / "out" / "rows.parquet"
    path.parent.mkdir()
    for least, count in ((2, "1 row is"), (1, "2 rows are"), (0, "3 rows are")):
        told = run("query", f"from mart.numbers where n >= {least} order by n", "--parquet", str(path))
        assert (told.exit_code, told.stdout) == (0, f"{count} in {path}.\n")
    table = pq.read_table(path)
    assert [str(each.type) for each in table.schema] == ["int64", "double", "date32[day]", "list<element: int64>"]
    assert table.column("many").to_pylist() == [None, [1], [2]]
    assert [each.name for each in path.parent.iterdir()] == ["rows.parquet"]


@pytest.mark.usefixtures("_marts")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--csv", "--parquet", "x.parquet"], "Choose one of"),
        (["--parquet", "no/such/folder/x.parquet"], "folder that is there"),
        (["--parquet", "."], "folder that is there"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_asked(run: Run, arguments: list[str], told: str) -> None:
    """One sentence says what to do."""
    result = run("query", "select error('asked')", *arguments)
    assert result.exit_code == 1
    assert told in result.stderr


@pytest.mark.usefixtures("_marts")
def test_an_answer_that_fails_halfway_leaves_no_file(run: Run, tmp_path: Path) -> None:
    """What the query met is told, and the file of before stays."""
    path = tmp_path / "rows.parquet"
    path.write_text("before")
    result = run("query", "select error('halfway') from mart.numbers", "--parquet", str(path))
    assert result.exit_code == 1
    assert "halfway" in result.stderr
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.glob(".*.unfinished")] == []


@pytest.mark.usefixtures("_marts")
def test_an_interval_is_asked_for_as_a_number(run: Run, tmp_path: Path) -> None:
    """Parquet as Arrow writes it has none; between two timestamps there is one."""
    path = tmp_path / "rows.parquet"
    result = run("query", "select n, day - timestamp '2026-05-01' as since from mart.numbers", "--parquet", str(path))
    assert result.exit_code == 1
    assert "such as since: ask for seconds, with epoch(…)" in result.stderr
    assert list(tmp_path.glob("*rows.parquet*")) == []


@pytest.mark.usefixtures("_marts")
def test_every_mart_is_written_with_what_is_said_of_it(run: Run, tmp_path: Path) -> None:
    """In the file's own schema, and in a document with a line for each column."""
    folder = tmp_path / "export"
    result = run("export", str(folder))
    assert result.exit_code == 0, result.output
    assert "1 tables with 3 rows" in result.stdout
    schema = pq.read_schema(folder / "numbers.parquet")
    assert schema.metadata[b"description"] == b"One row per number."
    assert schema.field("n").metadata[b"description"] == b"The number | the key."
    document = (folder / "README.md").read_text()
    assert "`numbers.parquet`, 3 rows. One row per number." in document
    assert "| `n` | int64 | The number \\| the key. |" in document
    assert "| `day` | date32[day] |  |" in document
    assert run("export", str(folder / "README.md")).exit_code == 1


def test_a_day_ends_by_the_reader_s_clocks() -> None:
    """The last second before midnight in Berlin, in summer and on the day the clocks go back."""
    berlin = ZoneInfo("Europe/Berlin")
    assert end_of(date(2026, 6, 30), berlin) == datetime(2026, 6, 30, 21, 59, 59, tzinfo=UTC)
    assert end_of(date(2026, 10, 25), berlin) == datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)


@pytest.mark.usefixtures("_marts")
def test_the_past_leaves_no_copy_where_a_question_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is gone before anything is asked, and the answer is still there."""

    def built(_settings: object, _sql: str, _moment: datetime, folder: Path) -> float:
        shutil.copy(tmp_path / "mart.duckdb", folder / "transform.duckdb")
        return 0.0

    monkeypatch.setattr("athlete.past._build", built)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    (tmp_path / "pipeline.sqlite").write_bytes(b"")
    Warehouse(tmp_path, {})
    with console_as_of(date(2026, 3, 31), "from mart.numbers") as console:
        assert not list(tmp_path.glob(".as-of-*"))
        assert list(console.query("select count(*) from mart.numbers").rows) == [(3,)]


@pytest.mark.slow
def test_the_marts_of_a_day_and_dbt_s_pages_leave_the_marts_alone(
    run: Run, tmp_path: Path, parsed_project: Path
) -> None:
    """Of two activities the later one had not begun, and the days end there; the other is as it was before its edits.

    Nothing is left of the building, also where the folder is named from where one stands.
    """
    here = os.path.relpath(tmp_path)
    raw = Warehouse(tmp_path, {}).raw
    raw.activity(1, run_payload())
    raw.activity(2, run_payload(start_date="2026-05-20T06:00:00Z", start_date_local="2026-05-20T08:00:00Z"))
    for number, (field, old, moment) in enumerate(
        [
            ("name", "Renamed once", "2026-04-02T00:00:00.000000Z"),
            ("name", "As it was", "2026-04-01T00:00:00.000000Z"),
            ("distance", 5000.0, "2026-04-01T00:00:00.000000Z"),
            ("gear_id", None, "2026-04-01T00:00:00.000000Z"),
            ("sport_type", "Ride", "2026-03-31T12:00:00.000000Z"),  # on the day
        ]
    ):
        raw.insert(
            "activity_changes", change_id=str(number), activity_id=1, athlete_id=BERLIN, kind="changed", field=field,
            source="webhook", payload=json.dumps({"old": old, "new": "?"}), observed_at=moment, ingested_at=moment,
        )  # fmt: skip
    give(parsed_project, tmp_path / "dbt")
    before, project = ({path.name for path in folder.iterdir()} for folder in (tmp_path, PROJECT_DIR))
    asked = (
        "with known as (select activity_id, name, sport_type, distance_m, gear_id from mart.fct_activities) "
        "select max(date_day)::varchar as day, count(*) as days, (select list(known) from known) as known, "
        "(select list(change_id) from mart.change_log) as changes "
        "from mart.dim_date"
    )
    result = run("query", "--json", "--as-of", "2026-03-31", asked, DATA_DIR=here)
    assert result.exit_code == 0, result.output
    [told] = (found := json.loads(result.stdout)).pop("known")
    assert found == {"day": "2026-03-31", "days": 12, "changes": ["4"]}
    assert told == {
        "activity_id": 1, "name": "As it was", "sport_type": "Run", "distance_m": 5000.0, "gear_id": None,
    }  # fmt: skip
    assert "edits since are undone, deletions are not" in result.stderr
    assert run("docs", DATA_DIR=here).exit_code == 0
    page = (tmp_path / "docs.html").read_text()
    assert "One row per athlete and piece of gear" in page
    left = {path.name for path in tmp_path.iterdir()} - before - {"pipeline.sqlite-shm", "pipeline.sqlite-wal"}
    assert left <= {"docs.html", "duckdb_extensions"}
    assert {path.name for path in PROJECT_DIR.iterdir()} - project <= {"__pycache__"}
    assert "has not begun" in run("query", "--as-of", "2999-01-01", "select 1").stderr
    assert "BACKEND=gcp" in run("query", "--as-of", "2026-03-31", "select 1", BACKEND="gcp").stderr
