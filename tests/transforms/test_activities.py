"""What becomes of single activities; every expected value was read off the payload by hand."""

from datetime import date, datetime
from typing import Any

import pytest
from babel.core import get_global


def fact(life: Any, activity_id: int) -> dict[str, Any]:
    """Return the row of one activity."""
    row: dict[str, Any] = life.row(f"select * from mart.fct_activities where activity_id = {activity_id}")  # noqa: S608
    return row


def test_the_local_calendar_decides_across_midnight(life: Any) -> None:
    """A run that began at 23:30 UTC counts for the day it was in Berlin."""
    row = fact(life, 1)
    assert row["start_at"] == datetime(2026, 3, 28, 23, 30)  # noqa: DTZ001  # DuckDB's TIMESTAMP has no zone; it is UTC
    assert row["start_date_local"] == date(2026, 3, 29)
    assert row["timezone_name"] == "Europe/Berlin"


def test_summer_time_changes_the_offset_within_one_day(life: Any) -> None:
    """Before and after the clock change of 29 March the offsets are 3600 and 7200, the day is one."""
    rows = life.rows(
        "select utc_offset_s, start_date_local from mart.fct_activities where activity_id in (1, 2) order by 1"
    )
    assert [row["utc_offset_s"] for row in rows] == [3600, 7200]
    assert {row["start_date_local"] for row in rows} == {date(2026, 3, 29)}


def test_a_run_has_pace_load_gear_and_its_emoji(life: Any) -> None:
    """1500 s over 5 km is 300 s/km; at 0.9 of the threshold pace, 4:30 since 25 March, they are 33.75."""
    row = fact(life, 1)
    assert row["name"] == "Mitternacht 🌙"
    assert (row["pace_s_per_km"], row["speed_kmh"]) == (300, None)
    assert (row["load"], row["load_method"]) == (pytest.approx(33.75), "pace")
    assert row["gear_name"] == "Blue shoes"
    assert row["strava_url"] == "https://www.strava.com/activities/1"
    assert row["has_unreadable_fields"] is False


def test_a_hidden_start_is_flagged_and_an_empty_place_is_null(life: Any) -> None:
    """A ride at 00:00:01 with `start_latlng` [] has a speed, a flag and no coordinates; 5 km in 1500 s is 12 km/h."""
    row = fact(life, 3)
    assert row["has_hidden_start_time"] is True
    assert (row["start_latitude"], row["start_longitude"], row["has_map"]) == (None, None, False)
    assert (row["sport_group"], row["speed_kmh"], row["pace_s_per_km"]) == ("ride", 12, None)


def test_an_unknown_sport_is_kept_as_sent(life: Any) -> None:
    """A sport that is not in the seed counts as other."""
    row = fact(life, 4)
    assert (row["sport_type"], row["sport_group"]) == ("Quidditch", "other")


def test_the_seed_says_where_a_motor_helps_and_what_is_a_screen(life: Any) -> None:
    """Of all sports just the two e-bikes are assisted, and the three that are called so are virtual."""
    assisted, virtual = (
        [row["sport_type"] for row in life.rows(f"select sport_type from staging.sport_groups where {flag} order by 1")]  # noqa: S608
        for flag in ("is_assisted", "is_virtual")
    )
    assert assisted == ["EBikeRide", "EMountainBikeRide"]
    assert virtual == ["VirtualRide", "VirtualRow", "VirtualRun"]
    assert (fact(life, 3)["is_assisted"], fact(life, 4)["is_virtual"]) == (False, False)


def test_the_seed_has_the_country_of_each_time_zone(life: Any) -> None:
    """As Babel has them, aliases included; a zone without a region in its name, such as CET, is in no country."""
    zones, aliases = get_global("zone_territories"), get_global("zone_aliases")
    named = {alias: zones[zone] for alias, zone in aliases.items() if zone in zones} | dict(zones)
    expected = {
        zone: country for zone, country in named.items()
        if "/" in zone and country.isalpha() and country != "ZZ"
    }  # fmt: skip
    rows = life.rows("select timezone_name, country_code from staging.time_zone_countries")
    assert {row["timezone_name"]: row["country_code"] for row in rows} == expected
    assert (expected["Asia/Calcutta"], expected["Asia/Kolkata"], expected["Atlantic/Canary"]) == ("IN", "IN", "ES")


def test_a_manual_workout_has_load_by_time(life: Any) -> None:
    """Half an hour without heart rate or power is 25; no distance, no pace."""
    row = fact(life, 5)
    assert (row["is_manual"], row["sport_group"]) == (True, "strength")
    assert (row["load"], row["load_method"]) == (25, "time")
    assert (row["pace_s_per_km"], row["is_speed_inconsistent"]) == (None, False)


def test_a_summary_is_there_before_its_details(life: Any) -> None:
    """A summary-only swim has its row and its route from the summary line."""
    assert (fact(life, 6)["resource_state"], fact(life, 6)["sport_group"]) == (2, "swim")
    route = life.row("select * from mart.route where activity_id = 6")
    assert (route["polyline_kind"], route["point_count"], route["start_cell"]) == ("summary", 1, "-1:-1")


def test_a_deleted_activity_is_gone_everywhere(life: Any) -> None:
    """Only the tombstone, without content, is left."""
    for table in (
        "mart.fct_activities",
        "mart.route",
        "staging.stg_strava__best_efforts",
        "staging.stg_strava__activities",
    ):
        assert life.rows(f"select 1 from {table} where activity_id = 7") == []  # noqa: S608
    tombstone = life.row(
        "select is_deleted, name, polyline, sport_type from staging.base_strava__activities where activity_id = 7"
    )
    assert tombstone == {"is_deleted": True, "name": None, "polyline": None, "sport_type": None}


@pytest.mark.parametrize(("activity_id", "name"), [(8, None), (9, "half of it"), (10, None)])
def test_garbage_becomes_a_flagged_row_of_nulls(life: Any, activity_id: int, name: str | None) -> None:
    """Text, wrong types and broken JSON never break the build: the rest is there, null and flagged."""
    row = fact(life, activity_id)
    assert row["has_unreadable_fields"] is True
    assert (row["name"], row["distance_m"], row["moving_time_s"], row["start_date_local"]) == (name, None, None, None)


@pytest.mark.parametrize(
    ("activity_id", "columns"),
    [
        (21, ["utc_offset_s"]),
        (22, ["utc_offset_s"]),
        (23, ["moving_time_s", "pace_s_per_km"]),
        (24, ["moving_time_s", "pace_s_per_km"]),
        (26, ["distance_m", "average_power_w", "pace_s_per_km"]),
        (27, ["distance_m", "pace_s_per_km"]),
    ],
)
def test_a_number_beyond_measure_is_null_and_flagged(life: Any, activity_id: int, columns: list[str]) -> None:
    """Offsets of more than a day, numbers that no sum, square or quotient could hold; the rest of the run is there."""
    row = fact(life, activity_id)
    assert [row[column] for column in columns] == [None] * len(columns)
    assert row["has_unreadable_fields"] is True
    assert (row["elapsed_time_s"], row["start_date_local"]) == (1560, date(2026, 3, 20))


@pytest.mark.parametrize(
    ("activity_id", "start", "end", "flagged"),
    [
        (41, (None, None), (None, None), True),
        (42, (None, None), (None, None), True),
        (43, (None, None), (None, None), True),
        (44, (None, None), (-90, 180), True),
        (45, (None, None), (None, None), False),
        (46, (90, -180), (None, None), True),
    ],
)
def test_a_place_has_both_parts_and_is_on_the_globe(
    life: Any, activity_id: int, start: tuple[Any, Any], end: tuple[Any, Any], flagged: bool
) -> None:
    """Half a place, or one beyond pole or date line, is none and is flagged; two nulls are no place and no fault."""
    row = fact(life, activity_id)
    assert (row["start_latitude"], row["start_longitude"]) == start
    assert (row["end_latitude"], row["end_longitude"]) == end
    assert row["has_unreadable_fields"] is flagged
    staged = life.row(f"select start_location from staging.stg_strava__activities where activity_id = {activity_id}")  # noqa: S608
    place = dict(zip(("latitude", "longitude"), start, strict=True))
    assert staged == {"start_location": None if start == (None, None) else place}


@pytest.mark.parametrize(
    ("activity_id", "start_at", "start_at_local"),
    [(51, "2026-03-20 21:30:00", "2026-03-20 23:30:00"), (52, "2026-03-21 01:00:00.25", "2026-03-20 22:00:00")],
)
def test_a_time_with_an_offset_is_a_moment_or_a_clock(
    life: Any, activity_id: int, start_at: str, start_at_local: str
) -> None:
    """The start is the moment in UTC; the local start is what the clock on the wall showed."""
    row = fact(life, activity_id)
    assert row["start_at"] == datetime.fromisoformat(start_at)
    assert row["start_at_local"] == datetime.fromisoformat(start_at_local)
    assert row["has_unreadable_fields"] is False


@pytest.mark.parametrize(
    ("activity_id", "local_day", "flagged"),
    [(53, date(2026, 3, 21), False), (54, None, True), (55, date(2026, 3, 20), True)],
)
def test_a_local_start_that_is_missing_follows_from_the_offset(
    life: Any, activity_id: int, local_day: date | None, flagged: bool
) -> None:
    """23:30 UTC is the next day an hour east; without an offset nobody knows, and the activity is flagged."""
    row = fact(life, activity_id)
    assert (row["start_date_local"], row["has_unreadable_fields"]) == (local_day, flagged)


def test_a_heart_rate_that_no_heart_has_is_no_reading(life: Any) -> None:
    """A million beats are kept as sent, and the 25 minutes count by the clock: 20.8333."""
    row = fact(life, 25)
    assert (row["average_heartrate_bpm"], row["load_method"]) == (1e6, "time")
    assert row["load"] == pytest.approx(20.8333, abs=0.0001)


def test_a_load_says_what_it_rests_on(life: Any) -> None:
    """The recorded marathon by its heart rate, with defaults where nothing is told; Strava's score is the next best."""
    row = fact(life, 1353942913)
    assert (row["load_method"], row["load_definition_version"]) == ("heart_rate_sex_unknown", 4)
    names = ("resting", "max", "threshold")
    assert [row[f"load_{name}_heartrate_bpm"] for name in names] == [60, 190, 170.5]
    assert row["load"] == pytest.approx(360.0233, abs=0.0001)
    rows = life.rows(
        "select load_method, is_chosen, load from mart.load_alternatives "
        "where activity_id = 1353942913 order by priority"
    )
    assert [(each["load_method"], each["is_chosen"]) for each in rows] == [
        ("heart_rate_sex_unknown", True),
        ("suffer_score_unscaled", False),
        ("time", False),
    ]
    assert [each["load"] for each in rows] == [row["load"], 656, pytest.approx(181.7361, abs=0.0001)]


def test_a_moving_time_above_the_elapsed_one_is_flagged_and_elapsed_time_counts(life: Any) -> None:
    """399,600 s in motion within 3,600 s: pace and load follow the hour; what was sent is one layer below."""
    row = fact(life, 72)
    assert (row["is_time_inconsistent"], row["moving_time_s"], row["elapsed_time_s"]) == (True, 3600, 3600)
    assert (row["pace_s_per_km"], row["load"]) == (720, 50)
    sent = life.row("select moving_time_s from staging.base_strava__activities where activity_id = 72")
    assert sent == {"moving_time_s": 399600}
    assert fact(life, 1)["is_time_inconsistent"] is False


def test_an_hour_of_strength_without_motion_is_an_hour(life: Any) -> None:
    """Its moving time of zero is no time of rest."""
    row = fact(life, 73)
    assert (row["moving_time_s"], row["load"], row["is_time_inconsistent"]) == (3600, 50, False)


def test_power_that_is_estimated_or_a_runners_is_told_apart(life: Any) -> None:
    """195 W for 25 minutes against the file's FTP of 220 are 32.735; a runner's 249 W give no load; none, no meter."""
    estimated, running, without = (fact(life, activity_id) for activity_id in (74, 75, 76))
    assert (estimated["load_method"], estimated["is_power_measured"]) == ("power_estimated", False)
    assert estimated["load"] == pytest.approx(32.735, abs=0.001)
    assert (running["load_method"], running["is_power_measured"]) == ("time", True)
    assert (without["is_power_measured"], without["is_race"], without["pace_s_per_km"]) == (None, True, 312)


def test_a_route_across_180_degrees_has_a_narrow_box(life: Any) -> None:
    """Off Taveuni from 179.9 to -179.9 and back to 179.8: 0.3 degrees wide, not 360."""
    row = life.row("select min_longitude, max_longitude, start_cell from mart.route where activity_id = 71")
    assert row == {"min_longitude": 179.8, "max_longitude": -179.9, "start_cell": "-1680:17990"}


def test_runs_along_the_same_canal_are_one_route(life: Any) -> None:
    """The second is 4 m beside the first and a step longer; the run along the river is another route.

    Twelve columns of tiles and a row more, thirteen of them and a row more, twelve rows and a column more.
    """
    rows = life.rows(
        "select activity_id, route_group_id, cell_count from mart.route_group where athlete_id = 8 order by 1"
    )
    assert [tuple(row.values()) for row in rows] == [(72, 72, 13), (75, 75, 13), (76, 72, 14)]


def test_explorer_tiles_know_how_precise_they_are(life: Any) -> None:
    """The canal crosses two tiles of zoom 14; of the run that is a summary they are no precise ones."""
    rows = life.rows("select activity_id, x, y, is_precise from mart.tile_visit where athlete_id = 8 and z = 14")
    canal = [(row["x"], row["y"], row["is_precise"]) for row in rows if row["activity_id"] == 72]
    again = [(row["x"], row["y"], row["is_precise"]) for row in rows if row["activity_id"] == 76]
    assert sorted(canal) == [(8801, 5373, True), (8802, 5373, True), (8803, 5373, True)]
    assert sorted(again) == [(x, y, False) for x, y, _ in sorted(canal)]


def test_the_recorded_ride_contradicts_itself(life: Any) -> None:
    """101,529 m in 2,432 s beside an average of 2.87 m/s: kept as sent and flagged."""
    row = fact(life, 1455368249)
    assert (row["distance_m"], row["moving_time_s"], row["average_speed_mps"]) == (101529, 2432, 2.874059649655219)
    assert row["is_speed_inconsistent"] is True
    assert (row["is_trainer"], row["sport_group"], row["gear_name"]) == (True, "ride", None)
    assert (row["load"], row["load_method"]) == (pytest.approx(17.7853, abs=0.0001), "heart_rate_sex_unknown")
    assert row["start_date_local"] == date(2022, 5, 14)


def test_the_recorded_marathon_is_read_in_full(life: Any) -> None:
    """Times, heart rate, elevation, gear and pace of the recorded marathon: as of a race, 13,333 s over 42.2681 km."""
    row = fact(life, 1353942913)
    assert (row["distance_m"], row["moving_time_s"], row["elapsed_time_s"]) == (42268.1, 13085, 13333)
    assert row["is_race"] is True
    assert row["pace_s_per_km"] == pytest.approx(315.439, abs=0.001)
    assert (row["average_heartrate_bpm"], row["max_heartrate_bpm"]) == (170.1, 187)
    assert (row["elevation_gain_m"], row["elevation_high_m"], row["elevation_low_m"]) == (270.9, 54.7, -8.1)
    assert (row["gear_id"], row["gear_name"]) == ("g5073738", "Adidas Supernova ST")
    assert (row["suffer_score"], row["calories_kcal"], row["photo_count"]) == (656, 3760, 9)
    assert (row["utc_offset_s"], row["timezone_name"]) == (-18000, "America/New_York")
    assert row["is_speed_inconsistent"] is False


def test_the_recorded_marathon_holds_thirteen_records(life: Any) -> None:
    """Each of its best efforts is the athlete's record; 42,195 m in 13,322 s is 315.724 s/km."""
    rows = life.rows(
        "select effort_name, elapsed_time_s, pace_s_per_km "
        "from mart.record_progression "
        "inner join mart.record_best_effort using (activity_id, effort_name, elapsed_time_s) "
        "where record_progression.athlete_id = 4605555801 and is_current and activity_id = 1353942913"
    )
    times = {row["effort_name"]: row["elapsed_time_s"] for row in rows}
    assert times == {
        "400m": 101,
        "1/2 mile": 213,
        "1K": 269,
        "1 mile": 443,
        "2 mile": 896,
        "5K": 1392,
        "10K": 2812,
        "15K": 4274,
        "10 mile": 4599,
        "20K": 5746,
        "Half-Marathon": 6077,
        "30K": 8773,
        "Marathon": 13322,
    }
    (marathon,) = [row for row in rows if row["effort_name"] == "Marathon"]
    assert marathon["pace_s_per_km"] == pytest.approx(315.724, abs=0.001)


def test_spellings_of_one_distance_compete(life: Any) -> None:
    """The first "1k" run in 280 s falls to the newer run's "1K" in 270 s; a ride and another sport are each apart."""
    rows = life.rows(
        "select activity_id, record_number, is_tie, elapsed_time_s from mart.record_progression "
        "where athlete_id = 7 and effort_name = '1K' order by start_date_local, activity_id"
    )
    assert [tuple(row.values()) for row in rows] == [
        (3, 1, False, 280),
        (4, 1, False, 280),
        (1, 1, False, 280),
        (2, 2, False, 270),
    ]


def test_of_equal_efforts_one_without_a_start_comes_last(life: Any) -> None:
    """An unknown start is no early one, within a payload and among activities."""
    rows = life.rows(
        "select effort_name, is_tie, activity_id, start_at from mart.record_progression "
        "where athlete_id = 8 order by effort_name, is_tie"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("1K", False, 32, datetime(2026, 3, 20, 6, 5)),  # noqa: DTZ001
        ("1K", True, 31, None),
        ("5K", False, 32, datetime(2026, 3, 20, 6)),  # noqa: DTZ001
    ]


def test_the_recorded_routes_span_what_their_points_span(life: Any) -> None:
    """Bounding box and first point of the recorded marathon's line, decoded point by point."""
    row = life.row("select * from mart.route where activity_id = 1353942913")
    assert row["point_count"] == 1232
    assert (row["min_latitude"], row["max_latitude"]) == (28.87073, 29.08345)
    assert (row["min_longitude"], row["max_longitude"]) == (13.38204, 13.51771)
    assert (row["start_latitude"], row["start_longitude"], row["start_cell"]) == (28.87073, 13.38204, "2887:1338")
