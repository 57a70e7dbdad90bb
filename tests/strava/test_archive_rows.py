"""One row of an export's list gives the same activity, in all forms that the list had and all languages."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from simulator.export import rows as simulated
from simulator.export.columns import Layout, Version, layout_of
from simulator.export.languages import SPELLINGS, Language
from simulator.journal import Journal
from simulator.world.sports import UNKNOWN
from simulator.world.world import Origin, World
from strava.archive.archive import Archive, open_archive
from strava.archive.dates import DateOrder, choose_order, read_date
from strava.archive.row import shown_number
from tests.strava.exports import NOW, cells_of, csv_of

Open = Callable[[Sequence[Sequence[str]]], Archive]

RUN = {
    "Elapsed Time": "1428.0", "Moving Time": "1411.0", "Distance": "3322.949951171875",
    "Max Speed": "3.2149999141693115", "Average Speed": "2.3550319671630859", "Elevation Gain": "61.900001525878906",
    "Elevation Loss": "86.0", "Average Cadence": "71.30000305175781", "Calories": "262.0", "From Upload": "1.0",
    "Commute": "0.0", "Start Time": "1653839616.0",
}  # fmt: skip
RUN_AS_TOLD = {
    "id": 12070000001, "resource_state": 2, "name": "Afternoon Run", "sport_type": "Run",
    "start_date": "2022-05-29T15:53:35Z", "elapsed_time": 1428, "moving_time": 1411, "distance": 3322.9,
    "max_speed": 3.215, "average_speed": 2.355, "total_elevation_gain": 61.9, "average_cadence": 71.3,
    "calories": 262.0, "commute": False, "manual": False, "upload_id": 12860000002,
}  # fmt: skip


def run_row(layout: Layout, **different: str) -> list[str]:
    """Return the run's row, en-US unless it is told otherwise."""
    shown = {
        "id": "12070000001", "date": "May 29, 2022, 3:53:35 PM", "name": "Afternoon Run", "type": "Run",
        "elapsed": "1428", "distance": "3.32", "commute": "false", "file": "activities/12860000002.fit.gz",
    } | different  # fmt: skip
    return cells_of(layout, RUN, **shown)


@pytest.fixture
def open_rows(tmp_path: Path) -> Open:
    """Opens `activities.csv` alone, made of a header and rows."""

    def _open(rows: Sequence[Sequence[str]]) -> Archive:
        path = tmp_path / "activities.csv"
        path.write_bytes(csv_of(rows))
        return open_archive(path, now=NOW)

    return _open


def test_an_american_row_of_94_columns(open_rows: Open) -> None:
    """Each number in the API's unit and rounding; no heart rate where there is none."""
    layout = layout_of(Version.AUGUST_2024)
    header = simulated.header(layout, Language.EN_US)
    assert len(header) == 94
    archive = open_rows([header, run_row(layout)])
    (row,) = archive.rows
    assert row.activity == RUN_AS_TOLD
    assert (row.activity_id, row.upload_id, row.file_name) == (
        12070000001,
        12860000002,
        "activities/12860000002.fit.gz",
    )
    assert (archive.language, archive.problems) == ("en-US", [])
    assert row.raw == list(zip(header, run_row(layout), strict=True))


@pytest.mark.parametrize("language", [Language.DE, Language.XX])
def test_a_german_row_of_103_columns_is_the_same_activity(open_rows: Open, language: Language) -> None:
    """Also with all headers replaced: cells find the columns, and headers are not needed."""
    layout = layout_of(Version.SEPTEMBER_2026)
    header = simulated.header(layout, language)
    assert len(header) == 103
    german = run_row(layout, date="29.05.2022, 15:53:35", distance="3,32", type="Lauf")
    archive = open_rows([header, german])
    assert [row.activity for row in archive.rows] == [RUN_AS_TOLD]
    assert archive.language == {Language.DE: "de"}.get(language)


def test_a_british_row_of_2020(open_rows: Open) -> None:
    """78 columns, of which the tenth from the left names the file; the trailing blank of the name is the athlete's."""
    layout = layout_of(Version.YEAR_2020)
    header = simulated.header(layout, Language.EN_GB)
    assert (len(header), header.index("Filename")) == (78, 10)
    measured = {
        "Bike Weight": "10.0", "Elapsed Time": "19595.0", "Moving Time": "18566.0", "Distance": "101178.203125",
        "Max Speed": "11.5", "Average Speed": "5.449649810791016", "Elevation Gain": "739.0",
        "Elevation Loss": "768.0", "Elevation Low": "-15.399999618530273", "Elevation High": "84.5999984741211",
        "Max Grade": "12.600000381469727", "Max Heart Rate": "", "Average Cadence": "82.44711303710938",
        "Max Cadence": "131.0", "Average Watts": "70.17720031738281", "Calories": "2938.0",
        "Average Temperature": "3.0", "From Upload": "1.0", "Bike": "4590001.0",
    }  # fmt: skip
    cells = cells_of(
        layout, measured, id="4510000001", date="24 Dec 2020, 08:13:59", name="Test activity cycling ", type="Ride",
        elapsed="19595", distance="101.17", commute="false", gear="Bike A", file="activities/4820000002.fit.gz",
    )  # fmt: skip
    assert (cells[10], cells[66]) == ("activities/4820000002.fit.gz", "4590001.0")
    archive = open_rows([header, cells])
    assert archive.language == "en-GB"
    assert archive.rows[0].activity == {
        "id": 4510000001, "resource_state": 2, "name": "Test activity cycling ", "sport_type": "Ride",
        "start_date": "2020-12-24T08:13:59Z", "elapsed_time": 19595, "moving_time": 18566, "distance": 101178.2,
        "max_speed": 11.5, "average_speed": 5.45, "total_elevation_gain": 739.0, "elev_low": -15.4, "elev_high": 84.6,
        "average_cadence": 82.4, "average_watts": 70.2, "calories": 2938.0, "average_temp": 3, "commute": False,
        "gear_id": "b4590001", "gear": {"id": "b4590001", "name": "Bike A"}, "upload_id": 4820000002, "manual": False,
    }  # fmt: skip


@pytest.mark.parametrize(("told", "gear_id"), [("16777216.0", "g16777216"), ("18123456.0", None)])
def test_a_gear_s_number_that_the_list_has_rounded_is_left_out(open_rows: Open, told: str, gear_id: str | None) -> None:
    """The list writes floats of 32 bits: of 18123457 it has 18123456. The name stays."""
    layout = layout_of(Version.SEPTEMBER_2026)
    cells = cells_of(layout, RUN | {"Gear": told}, id="1", date="May 29, 2022, 3:53:35 PM", type="Run", gear="Shoes")
    [row] = open_rows([simulated.header(layout, Language.EN_US), cells]).rows
    assert (row.gear_id, row.activity["gear"]) == (gear_id, {"id": gear_id, "name": "Shoes"})


def test_the_two_forms_of_2019(open_rows: Open) -> None:
    """Metres and an ISO date until June, kilometres with two decimals and an American date since July."""
    old = "1830000001,2018-09-12 15:02:23,Evening Ride,Ride,,783,3681.0,true,Bike B,activities/1830000001.gpx"
    new = ["1830000001", "Sep 12, 2018, 3:02:23 PM", "Evening Ride", "Ride", "", "783", "3.68", "true", "Bike B"]
    told = {
        "id": 1830000001, "resource_state": 2, "name": "Evening Ride", "sport_type": "Ride",
        "start_date": "2018-09-12T15:02:23Z", "elapsed_time": 783, "distance": 3681.0, "commute": True,
        "gear": {"id": None, "name": "Bike B"}, "manual": False,
    }  # fmt: skip
    header = simulated.header(layout_of(Version.JUNE_2019), Language.EN_US)
    (row,) = open_rows([header, old.split(",")]).rows
    assert (row.activity, row.distance_precision_m) == (told, None)
    header = simulated.header(layout_of(Version.JULY_2019), Language.EN_US)
    (row,) = open_rows([header, [*new, "activities/1830000001.gpx"]]).rows
    assert (row.activity, row.distance_precision_m) == (
        told | {"distance": 3680.0, "distance_precision_m": 10},
        10,
    )


@pytest.mark.parametrize(("label", "metres"), [("Swim", 1000.0), ("Rowing", 1000.0), ("Run", 1_000_000.0)])
def test_swims_and_rows_are_shown_in_metres(open_rows: Open, label: str, metres: float) -> None:
    """Where no exact distance is there, the shown one counts in the unit of its sport."""
    layout = layout_of(Version.JULY_2019)
    cells = cells_of(
        layout, {}, id="5", date="Sep 12, 2018, 3:02:23 PM", type=label, elapsed="900", distance="1000",
        file="activities/5.fit",
    )  # fmt: skip
    assert open_rows([simulated.header(layout, Language.EN_US), cells]).rows[0].activity["distance"] == metres


def test_a_japanese_date_is_utc(open_rows: Open) -> None:
    """The evening of the 29th in UTC stays what it is: only a recording knows that it was the 30th in Tokyo."""
    layout = layout_of(Version.FEBRUARY_2026)
    archive = open_rows([simulated.header(layout, Language.JA), run_row(layout, date="2026/06/29 20:14:15")])
    assert archive.rows[0].activity["start_date"] == "2026-06-29T20:14:15Z"
    assert archive.language == "ja"


@pytest.fixture(scope="module")
def life() -> list[dict[str, Any]]:
    """Some weeks of a believable life as the API tells it, with manual entries and swims."""
    world = World(Origin(seed=7, athlete_id=4242424242, years=0.4, until=date(2026, 11, 20)), Journal())
    life = [world.detail(key) for key in world.ids()]
    assert {"Run", "Swim", "Ride", "Walk"} <= {each["sport_type"] for each in life}
    assert {each["manual"] for each in life} == {each["commute"] for each in life} == {True, False}
    return life


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("version", Version)
def test_every_version_in_every_language_is_what_the_api_says(
    open_rows: Open, life: list[dict[str, Any]], version: Version, language: Language
) -> None:
    """A life as the export lists it, against the same life as the API tells it."""
    layout = layout_of(version)
    named = ["" if each["manual"] else f"activities/{each['upload_id']}.fit.gz" for each in life]
    made = [simulated.row(layout, language, each, name) for each, name in zip(life, named, strict=True)]
    archive = open_rows([simulated.header(layout, language), *made])
    assert archive.problems == []
    has_words = language in {Language.EN_US, Language.EN_GB} or layout.is_oldest
    for row, full in zip(archive.rows, life, strict=True):
        told = row.activity
        if has_words and full["sport_type"] not in UNKNOWN:
            assert told["sport_type"] == full["sport_type"]
        assert told == _as_listed(full, told, is_exact=bool(layout.measured) or layout.is_oldest)


def _as_listed(full: dict[str, Any], told: dict[str, Any], *, is_exact: bool) -> dict[str, Any]:
    """Return what of a detail the list must have told: the same keys, to the decimals of the list."""
    listed = {key: full.get(key) for key in told} | {"resource_state": 2}
    listed |= {key: told[key] for key in ("sport_label", "distance_precision_m") if key in told}
    if gear := full.get("gear"):
        listed["gear"] = {"id": told.get("gear_id"), "name": gear["name"]}
    if not is_exact:
        listed["distance"] = pytest.approx(full["distance"], abs=5)
    elif "distance" in told:
        listed["distance"] = pytest.approx(full["distance"], abs=0.05)
    return listed


@pytest.mark.parametrize("language", [each for each in Language if each is not Language.XX])
def test_dates_of_each_language(language: Language) -> None:
    """All months of a year, in the order that the language has."""
    moments = [datetime(2026, month, 2 * month, 11 + month, 0, 5, tzinfo=UTC) for month in range(1, 12)]
    written = [(number, SPELLINGS[language].moment(moment)) for number, moment in enumerate(moments)]
    chosen = choose_order(written, NOW)
    assert chosen.order is not None
    assert [read_date(text, chosen.order) for _, text in written] == moments
    assert chosen.rival is None


def test_digits_that_fit_two_orders_are_told_apart() -> None:
    """No start lies in the future, and ids rise with time; a date that both orders read alike is no doubt."""
    assert choose_order([(1, "05/11/2026 10:00:00"), (2, "05/12/2026 10:00:00")], NOW).order is DateOrder.MONTH_FIRST
    assert choose_order([(1, "01/05/2026 10:00:00"), (2, "02/04/2026 10:00:00")], NOW).order is DateOrder.MONTH_FIRST
    assert choose_order([(1, "02/04/2026 10:00:00"), (2, "01/05/2026 10:00:00")], NOW).order is DateOrder.DAY_FIRST
    assert choose_order([(1, "02/03/2026 10:00:00"), (2, "01/12/2026 10:00:00")], NOW).order is DateOrder.MONTH_FIRST
    assert choose_order([(1, "03/04/2026 10:00:00")], NOW).rival is DateOrder.MONTH_FIRST
    assert choose_order([(1, "04/04/2026 10:00:00")], NOW).rival is None


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("May 29, 2022, 3:53:35\u202fPM", DateOrder.MONTH_FIRST, "2022-05-29T15:53:35"),
        ("May 29, 2022, 12:00:00\u00a0AM", DateOrder.MONTH_FIRST, "2022-05-29T00:00:00"),
        ("12 janv. 2026 à 14:30:00", DateOrder.DAY_FIRST, "2026-01-12T14:30:00"),
        ("3 de ago. de 2026, 14:30:00", DateOrder.DAY_FIRST, "2026-08-03T14:30:00"),
        ("6 mrt. 2024 14:23:15", DateOrder.DAY_FIRST, "2024-03-06T14:23:15"),
        ("3. März 2024, 14:23:15", DateOrder.DAY_FIRST, "2024-03-03T14:23:15"),
        ("2026年6月29日 20:14:15", DateOrder.YEAR_FIRST, "2026-06-29T20:14:15"),
        ("30 Feb 2026, 10:00:00", DateOrder.DAY_FIRST, None),
        ("9 maaliskuuta 2026, 10:00:00", DateOrder.DAY_FIRST, "2026-03-09T10:00:00"),
        ("9 tammikuuta 2026, 10:00:00", DateOrder.DAY_FIRST, None),
        ("May 29, 2022, 13:53:35 PM", DateOrder.MONTH_FIRST, None),
        ("", DateOrder.ISO, None),
    ],
)
def test_odd_dates(text: str, order: DateOrder, moment: str | None) -> None:
    """Narrow blanks, abbreviations and particles are read; what is no date in a known language is none."""
    assert read_date(text, order) == (datetime.fromisoformat(moment).replace(tzinfo=UTC) if moment else None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3.32", 3.32), ("3,32", 3.32), ("1.234,5", 1234.5), ("1,234.56", 1234.56), ("1\u202f234,5", 1234.5),
        ("1,000", 1000.0), ("1000", 1000.0), ("12'345.6", 12345.6), ("", None), ("-", None), ("nan", None),
        ("1e999", None), ("1_000", None), ("٣", None),
    ],
)  # fmt: skip
def test_numbers_as_they_are_shown(text: str, number: float | None) -> None:
    """Either mark may be the decimal one; three digits behind a single mark are thousands."""
    assert shown_number(text) == number


def test_rows_that_cannot_be_taken_are_told_with_their_line(open_rows: Open) -> None:
    """The others stay, a description over two lines among them; an activity is never listed twice."""
    layout = layout_of(Version.SEPTEMBER_2026)
    good = run_row(layout, description="two\nlines")
    archive = open_rows(
        [
            simulated.header(layout, Language.EN_US),
            good,
            [*good, "one more"],
            run_row(layout, id="none"),
            good,
            run_row(layout, id="8", file="", date="9 tammikuuta 2026"),
            run_row(layout, id="9", file="#error#"),
        ]
    )
    assert [row.activity_id for row in archive.rows] == [12070000001, 8, 9]
    assert archive.activities is not None
    assert archive.activities.unreadable_rows == 3
    assert [problem.reason for problem in archive.problems] == [
        "line 5: 104 cells where the header has 103",
        "line 6: no activity's id at its beginning",
        "line 8: the id of an earlier line",
        "8: its date cannot be read, and no file tells it",
    ]
    assert archive.rows[0].activity["description"] == "two\nlines"
    assert "start_date" not in archive.rows[1].activity
    assert archive.rows[1].activity["manual"] is True
    assert "manual" not in archive.rows[2].activity


def test_cells_are_believed_where_the_header_disagrees(open_rows: Open) -> None:
    """A header that calls another column the file's is told."""
    layout = layout_of(Version.SEPTEMBER_2026)
    header = simulated.header(layout, Language.EN_US)
    header[11], header[12] = header[12], header[11]
    archive = open_rows([header, run_row(layout)])
    assert archive.rows[0].activity == RUN_AS_TOLD
    assert [problem.reason for problem in archive.problems] == [
        "names files in column 13, but calls column 12 so; the cells are believed"
    ]


def test_only_manual_entries_and_a_byte_order_mark(tmp_path: Path) -> None:
    """Without any file the header's name anchors the rest."""
    layout = layout_of(Version.SEPTEMBER_2026)
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbf" + csv_of([simulated.header(layout, Language.EN_US), run_row(layout, file="")]))
    (row,) = open_archive(path, now=NOW).rows
    told = {key: value for key, value in RUN_AS_TOLD.items() if key != "upload_id"}
    assert row.activity == told | {"manual": True}
