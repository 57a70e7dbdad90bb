"""`athlete settings`: what is in force and who tells it, and bringing in the athlete's own file."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from athlete.main import app
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore

ANNA = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder in which one athlete is known, and marts with settings."""
    asyncio.run(connect(tmp_path / "pipeline.sqlite"))
    with duckdb.connect(tmp_path / "built.duckdb") as marts:
        marts.execute("create schema mart")
        marts.execute(
            """
            create table mart.athlete_setting as
            select cast(7 as bigint) as athlete_id, * from (values
                ('ftp_w', 'ride', 230.0::double, null, date '1900-01-01', date '2025-02-10', 'file'),
                ('ftp_w', 'ride', 245.0, null, date '2025-02-10', date '2999-01-01', 'file'),
                ('ftp_w', 'ride', 250.0, null, date '2999-01-01', null, 'file'),
                ('sex', 'all', null, 'F', date '1900-01-01', null, 'strava')
            ) as t (setting, sport_group, value, value_text, valid_from, next_valid_from, source)
            """
        )
    (tmp_path / "built.duckdb").rename(tmp_path / "mart.duckdb")
    return tmp_path


async def connect(path: Path) -> None:
    """Make an athlete known."""
    store, moment = SqliteRawStore(path), datetime(2026, 5, 4, tzinfo=UTC)
    await store.put_athlete(Athlete(athlete_id=ANNA, scope=frozenset(), status="connected", updated_at=moment))
    await store.close()


def run(folder: Path, *arguments: str) -> Result:
    """Run the command on the folder."""
    return CliRunner().invoke(app, ["settings", *arguments], env={"DATA_DIR": str(folder), "COLUMNS": "200"})


def test_what_is_in_force_today_is_told_with_its_source(folder: Path) -> None:
    """Neither the value before nor one of a later day."""
    rows = [json.loads(line) for line in run(folder, "show", "--json").output.splitlines()]
    assert [(row["setting"], row["value"], row["since"], row["source"]) for row in rows] == [
        ("ftp_w", 245.0, "2025-02-10", "file"),
        ("sex", "F", "the beginning", "strava"),
    ]
    shown = run(folder, "show").output
    assert "2025-02-10" in shown
    assert "245.0" not in shown


def test_a_file_that_is_not_taken_is_told_beside_what_is_in_force(folder: Path) -> None:
    """On stderr, so that what reads the rows finds them as before."""
    (folder / "athlete.toml").write_text("weight = 60\nrun = 4")
    shown = run(folder, "show", "--json")
    assert len(shown.stdout.splitlines()) == 2
    assert "is not taken, and what it said before stays in force: line 2: run: write a table" in shown.stderr
    (folder / "athlete.toml").write_text("weight = 60")
    assert run(folder, "show").stderr == ""


def test_the_file_is_brought_in_once(folder: Path) -> None:
    """The second time nothing changes; a fault is told with its line, and without a file what to do."""
    missing = run(folder, "push")
    assert (missing.exit_code, "docs/athlete-toml.md" in missing.output) == (1, True)
    (folder / "athlete.toml").write_text("weight = 60")
    assert f"Stored for {ANNA}" in run(folder, "push").output
    assert "Nothing has changed" in run(folder, "push").output
    (folder / "athlete.toml").write_text("weight = true")
    broken = run(folder, "push")
    assert (broken.exit_code, "line 1" in broken.output) == (1, True)
    with sqlite3.connect(folder / "pipeline.sqlite") as connection:
        [(payload,)] = connection.execute("select payload from athlete_files").fetchall()
    assert json.loads(payload)["settings"][0]["value"] == 60
