"""The raw tables that are no activities, staged: gear, and what the worker and the transformer note down."""

import math
from datetime import date, datetime
from typing import Any

import pytest

from tests.transforms.life import recorded

MARATHON = 1353942913


def test_gear_is_read_from_its_payload(life: Any) -> None:
    """The recorded shoes are retired after 966,309 m; the bike is a road bike of 9 kg; what is empty is null."""
    shoes, bike = (
        life.row(f"select * from staging.stg_strava__gear where gear_id = '{gear_id}'")  # noqa: S608
        for gear_id in ("g5073738", "b2000289")
    )
    assert (shoes["name"], shoes["brand_name"], shoes["nickname"]) == ("Adidas Supernova ST", "Adidas", None)
    assert (shoes["distance_m"], shoes["is_retired"], shoes["is_primary"]) == (966309, True, False)
    assert (shoes["frame_type"], shoes["weight_kg"]) == (None, None)
    assert (bike["frame_type"], bike["weight_kg"], bike["is_retired"]) == (3, 9, False)
    assert (shoes["gear_kind"], bike["gear_kind"], shoes["notification_distance_m"]) == ("shoes", "bike", None)


def test_laps_have_their_numbers_and_units(life: Any) -> None:
    """The marathon's one lap as it was recorded; of the hand-written ones two, with an id beyond what a float holds."""
    [lap] = life.rows(f"select * from staging.stg_strava__laps where activity_id = {MARATHON}")  # noqa: S608
    assert (lap["lap_index"], lap["lap_id"], lap["distance_m"], lap["elapsed_time_s"]) == (
        1,
        3334640145,
        42882.9,
        13306,
    )
    assert (lap["average_heartrate_bpm"], lap["end_index"], lap["is_power_measured"]) == (170.1, 13128, None)
    rows = life.rows("select * from staging.stg_strava__laps where activity_id = 1 order by lap_index")
    assert [
        (row["lap_index"], row["distance_m"], row["average_power_w"], row["is_power_measured"]) for row in rows
    ] == [
        (1, 4000.5, None, None),
        (2, 1000, 210.5, False),
    ]
    assert rows[0]["lap_id"] is None  # nineteen digits are none of Strava's


def test_splits_are_kilometres_and_miles(life: Any) -> None:
    """The marathon has 43 and 27; of two with one number the faster stays."""
    sent = recorded("activity_run_marathon.json")
    for unit_system, name, count in (("metric", "splits_metric", 43), ("imperial", "splits_standard", 27)):
        rows = life.rows("select * from staging.stg_strava__splits where unit_system = ? and activity_id = ? "
                         "order by split_index", unit_system, MARATHON)  # fmt: skip
        assert [row["split_index"] for row in rows] == list(range(1, count + 1))
        assert [row["distance_m"] for row in rows] == [split["distance"] for split in sent[name]]
    [first] = life.rows(f"select * from staging.stg_strava__splits where activity_id = {MARATHON} "  # noqa: S608
                        "and unit_system = 'metric' and split_index = 1")  # fmt: skip
    assert (first["distance_m"], first["elapsed_time_s"], first["elevation_difference_m"]) == (1001.6, 314, 15.6)
    assert (first["grade_adjusted_speed_mps"], first["pace_zone"]) == (3.4, 2)
    by_hand = "select unit_system, split_index, elapsed_time_s from staging.stg_strava__splits where activity_id = 1"
    rows = life.rows(f"{by_hand} order by 1, 2")
    assert [tuple(row.values()) for row in rows] == [("imperial", 1, 455), ("metric", 1, 283), ("metric", 2, 283)]


def test_a_segment_effort_knows_its_segment(life: Any) -> None:
    """Nested fields are read; an effort without a segment, or with half a number, is left out."""
    row = life.row("select * from staging.stg_strava__segment_efforts")
    assert (row["effort_id"], row["segment_id"], row["segment_name"]) == (
        312_345_678_901_234_567,
        229_781,
        "Canal sprint",
    )
    assert (row["elapsed_time_s"], row["pr_rank"], row["kom_rank"], row["is_hidden"]) == (121, 2, None, False)
    assert (row["segment_distance_m"], row["segment_average_grade_pct"], row["climb_category"]) == (510.25, -0.5, 0)
    assert (row["average_power_w"], row["is_power_measured"]) == (250.5, True)


def test_streams_keep_their_arrays(life: Any) -> None:
    """The recorded distances point by point; gaps and places off the globe are NaN, what is no data has no row."""
    [row] = life.rows(f"select * from staging.stg_strava__streams where activity_id = {MARATHON}")  # noqa: S608
    sent = recorded("activity_streams.json")["distance"]
    assert (row["stream_key"], row["readings"], row["latitudes"]) == ("distance", sent["data"], [])
    assert (row["series_type"], row["resolution"]) == (sent["series_type"], sent["resolution"])
    assert row["original_size"] == sent["original_size"]
    rows = life.rows("select * from staging.stg_strava__streams where activity_id = 1")
    by_hand = {row["stream_key"]: row for row in rows}
    nan = pytest.approx(math.nan, nan_ok=True)
    assert by_hand.keys() == {"time", "watts", "moving", "latlng"}
    assert by_hand["time"]["readings"] == [0, 1, 2, 3]
    assert by_hand["watts"]["readings"] == [180, nan, nan, nan]
    assert by_hand["moving"]["readings"] == [0, 1, 1, nan]
    assert (by_hand["latlng"]["latitudes"], by_hand["latlng"]["readings"]) == ([52.5, nan, nan, -33.5], [])
    assert by_hand["latlng"]["longitudes"] == [13.25, nan, nan, 151.25]


def test_what_a_recording_lacks_comes_from_another(life: Any) -> None:
    """Heart rate of the watch, which began a second later, at the seconds of the export's file; nothing else of it."""
    rows = life.rows("select * from staging.stg_strava__streams where activity_id = 1001")
    told = {row["stream_key"]: row["readings"] for row in rows}
    nan = pytest.approx(math.nan, nan_ok=True)
    assert told == {
        "time": [0, 1, 2, 3, 4, 5],
        "distance": [0, 3.5, 7, 10.5, 14, 17.5],
        "heartrate": [nan, 120, 121, 122, nan, 124],
    }
    assert {row["source"] for row in rows} == {"file"}


def test_settings_are_dated(life: Any) -> None:
    """Weight, FTP and the lower ends of the zones; a zone without one makes all of its kind unreadable."""
    first, second, odd = life.rows("select * from staging.stg_strava__athlete_settings order by settings_id")
    assert (first["weight_kg"], first["ftp_w"], first["has_custom_heartrate_zones"]) == (61.5, 240, True)
    assert (first["sex"], second["sex"], odd["sex"]) == ("F", None, None)
    assert (first["heartrate_zone_starts_bpm"], first["power_zone_starts_w"]) == ([0, 115], [])
    assert (second["weight_kg"], second["ftp_w"], second["athlete_id"]) == (None, 250, 7)
    assert first["observed_at"] < second["observed_at"]
    assert (odd["ftp_w"], odd["heartrate_zone_starts_bpm"] or [], odd["has_custom_heartrate_zones"]) == (None, [], None)


def test_totals_are_told_by_sport_and_span(life: Any) -> None:
    """Of those that Strava tells; what cannot be read is left out."""
    rows = life.rows("select * from staging.stg_strava__totals order by scope, sport_group")
    told = [(row["scope"], row["sport_group"], row["calendar_year"], row["activity_count"]) for row in rows]
    expected = [("all", "run", None, 3), ("all", "swim", None, 1), ("ytd", "ride", 2026, 0), ("ytd", "run", 2026, 2)]
    assert told == expected
    assert [(row["athlete_id"], row["distance_m"]) for row in rows] == [(7, 3001.5), (7, 1000.5), (7, 0), (7, 2001)]


def test_what_the_athletes_own_file_says_is_dated(life: Any) -> None:
    """A value that stands alone has no first day; 4:40 per km are 1000/280 m/s."""
    rows = life.rows(
        "select setting, sport_group, valid_from, value from staging.stg_athlete_file__settings "
        "where athlete_id = 7 and setting <> 'birth_year' order by setting, valid_from nulls first"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("max_heartrate_bpm", "all", None, 189),
        ("resting_heartrate_bpm", "all", None, 52),
        ("resting_heartrate_bpm", "all", date(2026, 3, 25), 50),
        ("threshold_speed_mps", "run", None, 1000 / 280),
        ("threshold_speed_mps", "run", date(2026, 3, 25), 1000 / 270),
    ]


def test_goals_have_a_row_for_each_group_of_sports(life: Any) -> None:
    """20 km a week of running and walking, and a load of 5,000 in 2026 by every sport."""
    rows = life.rows(
        "select goal_id, measure, period_kind, sport_group, target, valid_from, valid_to "
        "from staging.stg_athlete_file__goals order by goal_id, sport_group"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("7-1", "distance_m", "week", "run", 20_000, None, None),
        ("7-1", "distance_m", "week", "walk", 20_000, None, None),
        ("7-2", "load", "year", "all", 5000, date(2026, 1, 1), date(2026, 12, 31)),
    ]


def test_athletes_have_their_scopes_and_status(life: Any) -> None:
    """Three connected with one scope; one imported files, and never connected."""
    rows = life.rows("select athlete_id, scopes, status from staging.stg_strava__athletes order by athlete_id")
    assert [tuple(row.values()) for row in rows] == [
        (5, "read", "connected"),
        (6, "read", "archive_only"),
        (7, "read", "connected"),
        (4605555801, "read", "connected"),
    ]


def test_the_ingestion_state_tells_where_a_listing_goes_on(life: Any) -> None:
    """Three moments, as they were written."""
    row = life.row("select * from staging.stg_strava__ingestion_state")
    assert row["complete_as_of"] == datetime(2026, 4, 1, 6)  # noqa: DTZ001  # DuckDB's TIMESTAMP has no zone; it is UTC
    assert row["listing_began_at"] == datetime(2026, 4, 1, 12)  # noqa: DTZ001
    assert row["backfill_cursor"] == datetime(2026, 3, 20, 6)  # noqa: DTZ001


def test_a_reconciliation_has_its_counts(life: Any) -> None:
    """One missing and one changed, both repaired, and nothing that could not be read."""
    row = life.row("select * from staging.stg_strava__reconciliations where verdict = 'complete'")
    assert (row["strava_count"], row["warehouse_count"], row["unreadable_count"], row["reason"]) == (9, 9, 0, None)
    assert (row["missing_count"], row["extra_count"], row["changed_count"], row["repaired_count"]) == (1, 0, 1, 2)


def test_a_purge_has_a_count_for_each_table(life: Any) -> None:
    """Twelve activities, thirty events, one message; of a table that is not named nothing is known."""
    row = life.row("select * from staging.stg_strava__purges")
    assert (row["activity_count"], row["event_count"], row["queue_message_count"]) == (12, 30, 1)
    assert row["gear_count"] is None


def test_runs_reach_back_31_days(life: Any) -> None:
    """On 2 April, 10:00, a run of 2 March, 06:00, is too old."""
    rows = life.rows("select run_id, published_at, is_full_refresh, error from staging.stg_strava__transform_runs")
    assert [tuple(row.values()) for row in rows] == [("new", datetime(2026, 3, 3, 6, 0, 2), False, None)]  # noqa: DTZ001
