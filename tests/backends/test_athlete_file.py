"""athlete.toml: what it may say, what it says where something is wrong, and how it comes into `raw`."""

import json
import os
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.athlete_file.document import document_of
from backends.athlete_file.faults import AthleteFileFault
from backends.athlete_file.reading import read_documents
from backends.athlete_file.sync import OwnFile, push_file
from backends.warehouse.athletes import Athlete
from backends.warehouse.sqlite.store import SqliteRawStore

ANNA, BEN = 7, 8
GOAL = "[[goal]]\ntype = 'time'\nperiod = 'week'\nvalue = 5"
EXAMPLE = Path(__file__).parents[2] / "docs/athlete-toml.md"


def settings(text: str) -> list[tuple[Any, ...]]:
    """The rows of settings that a file of one athlete makes."""
    return [tuple(row.values()) for row in document_of(text, [ANNA])[ANNA].payload["settings"]]


def test_a_value_stands_alone_or_has_days() -> None:
    """Alone it holds from the beginning; a pace is a speed, of a swimmer per 100 m; zones and orders are a text."""
    text = """
sex = "F"
weight = [{ value = 63 }, { from = 2025-06-01, value = 61.5 }]
heart_rate_zones = [0, 115, 152]
load_order = ["heart_rate", "time"]
[run]
threshold_pace = "4:00"
[swim]
threshold_pace = "2:05"
"""
    assert settings(text) == [
        ("sex", "all", None, None, "F"),
        ("weight_kg", "all", None, 63, None),
        ("weight_kg", "all", "2025-06-01", 61.5, None),
        ("heartrate_zones", "all", None, None, "0,115,152"),
        ("load_order", "all", None, None, "heart_rate,time"),
        ("threshold_speed_mps", "run", None, 1000 / 240, None),
        ("threshold_speed_mps", "swim", None, 0.8, None),
    ]


def test_a_goal_has_a_row_for_each_group_of_sports() -> None:
    """20 km of running and walking in a week are 20,000 m twice under one number; 5 h without sports are of all."""
    text = """
[[goal]]
type = "distance"
period = "week"
sports = ["run", "walk"]
value = 20
[[goal]]
type = "time"
period = "month"
value = 5
from = 2026-01-01
"""
    rows = document_of(text, [ANNA])[ANNA].payload["goals"]
    assert [tuple(row.values()) for row in rows] == [
        (1, "distance_m", "week", "run", 20_000, None, None),
        (1, "distance_m", "week", "walk", 20_000, None, None),
        (2, "moving_time_s", "month", "all", 18_000, "2026-01-01", None),
    ]


def test_gear_has_a_rule_or_strava_s_name_and_services_in_base_units() -> None:
    """A rule for two groups of sports makes two rows; kilometres are metres, hours are seconds."""
    text = """
[[gear]]
name = " Aria 5 "
cost = 1800
service = [
  { what = "Chain", every_km = 3000, every_hours = 1.5, last = 2026-02-14 },
  { what = "Check", every_days = 365 },
]
[[gear]]
name = "Rollers"
sports = ["ride", "other"]
title_has = "rollers"
from = 2025-10-01
retired = true
"""
    payload = document_of(text, [ANNA])[ANNA].payload
    assert [tuple(row.values()) for row in payload["gear"]] == [
        (1, "Aria 5", 1800, False, False, "all", None, None, None),
        (2, "Rollers", None, True, True, "ride", "rollers", "2025-10-01", None),
        (2, "Rollers", None, True, True, "other", "rollers", "2025-10-01", None),
    ]
    assert [tuple(row.values()) for row in payload["services"]] == [
        (1, 1, "Chain", 3_000_000, 5400, None, "2026-02-14"),
        (2, 1, "Check", None, None, 365, None),
    ]


GEAR = "[[gear]]\nname = 'Aria'"


@pytest.mark.parametrize(
    ("text", "line", "advice"),
    [
        (f"{GEAR}\nservice = [{{ what = 'Chain' }}]", 3, "every_km"),
        (f"{GEAR}\nfrom = 2026-01-01", 1, "needs `sports`"),
        (f"{GEAR}\n{GEAR.lower()}", 1, "two have one name"),
        (f"{GEAR}\n[[gear]]\ncost = -1\nname = 'Other'", 4, "greater than or equal to 0"),
        ('sex = "F"\nweight = "x"', 2, "write a number"),
        ("birth_year = 1986.5", 1, "write a whole number"),
        ("wieght = 60", 1, "nothing is called so here"),
        ("# mine\n\n[run]\nthreshold_pace = 4.4", 4, 'such as "4:40"'),
        ('[run]\nthreshold_pace = "4:60"', 2, 'such as "4:40"'),
        ("[ride]\nftp = [\n  { value = 200 },\n  { from = 2025-01-01, value = 9 },\n]", 2, "30"),
        ("weight = [{ value = 60 }, { value = 61 }]", 1, "give each a `from` of its own"),
        ("heart_rate_zones = [115, 152]", 1, "from 0 upwards"),
        ("load_order = ['heart rate']", 1, "'heart_rate', 'pace', 'relative_effort', 'estimated_power' or 'time'"),
        ("[run]\nload_order = ['pace', 'pace']", 2, "name each method once"),
        (f"{GOAL}\n\n[[goal]]\nvalue = 5\nperiod = 'week'", 6, "is missing"),
        (f"{GOAL}\nsports = ['jog']", 5, "run"),
        (GOAL.replace("week", "day"), 3, "week"),
        ("[athlete.me]\nweight = 60", 1, "an athlete's number"),
        ("[athlete.7.run]\nftp = true", 2, "write a number"),
        ("weight = \nsex = 'F'", 1, "correct the line"),
    ],
)
def test_a_fault_names_the_line_and_what_to_do(text: str, line: int, advice: str) -> None:
    """Nothing of a file is taken in which something is wrong."""
    with pytest.raises(AthleteFileFault) as told:
        document_of(text, [ANNA])
    assert f"line {line}" in str(told.value)
    assert advice in str(told.value)


def test_with_several_athletes_the_file_says_whose_it_is() -> None:
    """A table per athlete; what names nobody is refused, unless there is one athlete."""
    text = f"[athlete.8]\nweight = 70\n[athlete.8.run]\nftp = 300\n{GOAL.replace('goal', 'athlete.8.goal')}"
    documents = document_of(text, [ANNA, BEN])
    assert documents[ANNA].is_empty
    assert [row["setting"] for row in documents[BEN].payload["settings"]] == ["weight_kg", "ftp_w"]
    assert len(documents[BEN].payload["goals"]) == 1
    with pytest.raises(AthleteFileFault, match=r"such as \[athlete\.7\]"):
        document_of("weight = 70", [ANNA, BEN])
    assert document_of("weight = 70", []) == {}


def test_the_guides_example_can_be_taken() -> None:
    """Every setting that there is stands in it."""
    text = EXAMPLE.read_text().split("```toml\n")[1].split("```")[0]
    payload = document_of(text, [ANNA])[ANNA].payload
    assert all(payload.values())
    assert {row["setting"] for row in payload["settings"]} == {
        "sex", "birth_year", "weight_kg", "resting_heartrate_bpm", "max_heartrate_bpm", "threshold_heartrate_bpm",
        "heartrate_zones", "ftp_w", "threshold_speed_mps", "power_zones", "load_order",
    }  # fmt: skip


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_what_is_no_text_is_told(tmp_path: Path, content: bytes | None) -> None:
    """Neither other bytes nor a folder can be read."""
    path = tmp_path / "athlete.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(AthleteFileFault, match=r"no text in UTF-8|make it a file"):
        read_documents(path, [ANNA])


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteRawStore]:
    """A store that knows one athlete."""
    store = SqliteRawStore(tmp_path / "pipeline.sqlite")
    await connect(store, ANNA)
    yield store
    await store.close()


async def connect(store: SqliteRawStore, athlete_id: int) -> None:
    """Make an athlete known."""
    moment = datetime(2026, 5, 4, tzinfo=UTC)
    await store.put_athlete(Athlete(athlete_id=athlete_id, scope=frozenset(), status="connected", updated_at=moment))


def stored(tmp_path: Path) -> dict[int, Any]:
    """What `raw` has of each athlete's settings and goals."""
    with sqlite3.connect(tmp_path / "pipeline.sqlite") as connection:
        rows = connection.execute("select athlete_id, payload from athlete_files").fetchall()
    return {athlete_id: json.loads(payload) for athlete_id, payload in rows}


async def test_the_file_is_stored_as_a_whole(tmp_path: Path, store: SqliteRawStore) -> None:
    """No file leaves no row; the same again changes nothing; what is said no more is gone, also with the file."""
    path = tmp_path / "athlete.toml"
    assert (await push_file(path, store), stored(tmp_path)) == ([], {})
    path.write_text('weight = 70\nsex = "M"')
    assert [await push_file(path, store), await push_file(path, store)] == [[ANNA], []]
    path.write_text("weight = 70")
    assert await push_file(path, store) == [ANNA]
    assert [row["setting"] for row in stored(tmp_path)[ANNA]["settings"]] == ["weight_kg"]
    path.unlink()
    assert await push_file(path, store) == [ANNA]
    assert stored(tmp_path)[ANNA] == {"settings": [], "goals": [], "gear": [], "services": []}


async def test_an_edited_file_is_noticed_and_a_broken_one_changes_nothing(
    tmp_path: Path, store: SqliteRawStore
) -> None:
    """A look takes no reading until the file was written; what it said before a fault stays in force."""
    path = tmp_path / "athlete.toml"
    path.write_text("weight = 70")
    own_file = OwnFile(path, store)
    await own_file.push_if_edited()
    [row] = stored(tmp_path)[ANNA]["settings"]
    path.write_text("weight = ")
    await own_file.push_if_edited()
    assert stored(tmp_path)[ANNA]["settings"] == [row]
    path.write_text("weight = 71")
    os.utime(path, (1, 1))
    await own_file.push_if_edited()
    assert stored(tmp_path)[ANNA]["settings"] == [row | {"value": 71.0}]


async def test_who_connects_later_gets_the_files_values(tmp_path: Path, store: SqliteRawStore) -> None:
    """Before each run all of it is looked at, for another athlete may be known."""
    path = tmp_path / "athlete.toml"
    path.write_text("[athlete.8]\nweight = 70")
    own_file = OwnFile(path, store)
    await own_file.push()
    assert stored(tmp_path) == {}
    await connect(store, BEN)
    await own_file.push_if_edited()
    assert stored(tmp_path) == {}
    await own_file.push()
    assert stored(tmp_path).keys() == {BEN}
