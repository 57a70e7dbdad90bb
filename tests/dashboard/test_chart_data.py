"""Rows of charts and tables, from rows of the marts."""

from datetime import date, datetime
from typing import Any

import pytest

from dashboard import chart_data, sports
from dashboard.formatting import NOTHING
from dashboard.measures import MEASURES, SHARES
from dashboard.periods import Period


def total(day: str, group: str, count: int, km: float) -> dict[str, Any]:
    """Build one row of a summary mart."""
    metres = km * 1000
    return {
        "period_start_date": date.fromisoformat(day),
        "sport_group": group,
        "activity_count": count,
        "distance_m": metres,
        "moving_time_s": count * 3600,
        "elevation_gain_m": 0.0,
    }


WEEKS = [
    total("2026-11-09", "ride", 0, 0),
    total("2026-11-09", "run", 2, 18.5),
    total("2026-11-09", "swim", 0, 0),
    total("2026-11-16", "ride", 1, 1040.25),
    total("2026-11-16", "run", 0, 0),
    total("2026-11-16", "swim", 0, 0),
]


def part(sport_type: str, share: float, group: str = "other") -> dict[str, Any]:
    """Build one row of the activity mix."""
    shares = {"share_of_time": share, "share_of_distance": None, "share_of_count": share}
    return {"sport_type": sport_type, "sport_group": group, "moving_time_s": share * 360_000} | shares


def test_bars_keep_empty_periods_and_leave_out_sports_never_done() -> None:
    """A week without a run is a gap in the chart; a sport without anything is not even in the legend."""
    frame = chart_data.bars(WEEKS, MEASURES["Distance"], Period.WEEK)
    assert [(row["start"], row["sport"], row["value"]) for row in frame] == [
        ("2026-11-09", "Ride", 0.0),
        ("2026-11-09", "Run", 18.5),
        ("2026-11-16", "Ride", 1040.25),
        ("2026-11-16", "Run", 0.0),
    ]
    assert frame[2]["shown"] == "1,040.2 km"
    assert frame[2]["period"] == "Week of Mon 16 Nov 2026"


@pytest.mark.parametrize("groups", [("run", "ride", "swim"), ("swim", "ride", "run")])
def test_a_sum_of_sports_does_not_depend_on_their_order(groups: tuple[str, ...]) -> None:
    """34,746.4 + 8,341.7 + 5,161.9 m are 48,250 m; one order would read 48.3 km."""
    km = {"run": 34.7464, "ride": 8.3417, "swim": 5.1619}
    rows = [total("2026-11-16", group, 1, 0) | {"distance_m": round(km[group] * 1000, 1)} for group in groups]
    (row,) = chart_data.table(rows, MEASURES["Distance"], Period.WEEK)
    assert row["All"] == "48.2 km"


def test_the_table_behind_the_bars_sums_each_period_newest_first() -> None:
    """The same numbers for those who cannot see the chart."""
    assert chart_data.table(WEEKS, MEASURES["Activities"], Period.WEEK) == [
        {"Week": "Week of Mon 16 Nov 2026", "All": "1", "Run": "0", "Ride": "1"},
        {"Week": "Week of Mon 9 Nov 2026", "All": "2", "Run": "2", "Ride": "0"},
    ]


def test_the_mix_is_sorted_and_past_ten_sports_the_smallest_are_one_bar() -> None:
    """A long tail does not make the chart unreadable, and nothing of it is lost."""
    parts = [part(f"Sport{number}", 0.01) for number in range(5)] + [part(f"Big{number}", 0.1) for number in range(9)]
    frame = chart_data.mix([*parts, part("TrailRun", 0.05, "run")], SHARES["Time"])
    assert [row["sport"] for row in frame[:2]] == ["Big0", "Big1"]
    assert (frame[9]["sport"], frame[9]["group"], frame[9]["percent"]) == ("Trail Run", "Run", "5%")
    assert (frame[10]["sport"], frame[10]["percent"], frame[10]["shown"]) == ("5 more", "5%", "5 h 00 min")


def test_shares_that_do_not_exist_make_no_bar() -> None:
    """A week of strength training has no distance to share."""
    assert chart_data.mix([part("WeightTraining", 1.0)], SHARES["Distance"]) == []


@pytest.mark.parametrize("distance_m", [None, 0.0])
def test_the_latest_keep_their_names_as_they_are_and_missing_values_missing(distance_m: float | None) -> None:
    """A name stays text, markup and all; an activity without distance shows none, not 0.00 km."""
    row = dict.fromkeys(["moving_time_s", "pace_s_per_km", "speed_kmh"]) | {
        "distance_m": distance_m,
        "sport_group": "strength",
        "start_at_local": datetime(2026, 11, 18, 7, 5),  # noqa: DTZ001 - a wall clock
        "sport_type": "WeightTraining",
        "name": "**<b>Lift</b>** 🏋",
        "strava_url": "https://www.strava.com/activities/1",
    }
    assert chart_data.latest([row]) == [
        {
            "Start": row["start_at_local"],
            "Sport": "Weight Training",
            "Distance": None,
            "Time": NOTHING,
            "Pace or speed": NOTHING,
            "Name": "**<b>Lift</b>** 🏋",
            "Strava": "https://www.strava.com/activities/1",
        }
    ]


@pytest.mark.parametrize(
    ("sport_type", "words"),
    [
        ("Run", "Run"),
        ("TrailRun", "Trail Run"),
        ("EBikeRide", "E Bike Ride"),
        ("StandUpPaddling", "Stand Up Paddling"),
        ("", ""),
        ("X", "X"),
    ],
)
def test_sport_types_read_as_words(sport_type: str, words: str) -> None:
    """Strava's CamelCase is not for people."""
    assert chart_data.spaced(sport_type) == words


def test_every_group_of_the_seed_has_a_colour_of_its_own() -> None:
    """Two sports never look the same, and a group new to us looks like `other` under its own name."""
    assert len({group.colour for group in sports.GROUPS.values()}) == len(sports.GROUPS) == 8
    assert sports.group("air_sports").title == "Air sports"
    assert sports.group("air_sports").colour == sports.GROUPS["other"].colour
