"""Rows of charts and tables, from rows of the marts."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard import chart_data, sport_types, sports
from dashboard.formatting import NARROW, Teller
from dashboard.measures import MEASURES
from dashboard.palette import SPORTS
from dashboard.units import Units

TELL = Teller(now=datetime(2026, 11, 18, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"))


def week(day: str, group: str, count: int, km: float) -> dict[str, Any]:
    """Build one row of a week and a sport group."""
    sums = {"distance_m": km * 1000, "moving_time_s": count * 3600, "elevation_gain_m": 0.0}
    return {"period_start_date": date.fromisoformat(day), "sport_group": group, "activity_count": count} | sums


WEEKS = [
    week("2026-11-09", "ride", 0, 0),
    week("2026-11-09", "run", 2, 18.5),
    week("2026-11-09", "swim", 0, 0),
    week("2026-11-16", "ride", 1, 1040.25),
    week("2026-11-16", "run", 0, 0),
    week("2026-11-16", "swim", 0, 0),
]


def test_bars_keep_empty_weeks_and_leave_out_sports_never_done() -> None:
    """A week without a run is a gap in the chart; a sport without anything is not even in the legend."""
    found = chart_data.weeks(WEEKS, MEASURES["distance"], TELL)
    assert [(row["start"], row["ago"], row["sport"], row["value"]) for row in found] == [
        ("2026-11-09", 1, "ride", 0.0),
        ("2026-11-09", 1, "run", 18.5),
        ("2026-11-16", 0, "ride", 1040.25),
        ("2026-11-16", 0, "run", 0.0),
    ]
    assert (found[2]["shown"], found[2]["title"]) == (f"1,040{NARROW}km", "Ride")
    assert found[2]["week"] == "Week 47, 16 \N{EN DASH} 22 Nov 2026"


def test_bars_are_in_the_readers_units() -> None:
    """The axis counts what the texts say."""
    imperial = Teller(now=TELL.now, zone=TELL.zone, units=Units.IMPERIAL)
    found = chart_data.weeks(WEEKS, MEASURES["distance"], imperial)
    assert found[1]["value"] == pytest.approx(18_500 / 1609.344)
    assert found[1]["shown"] == f"11.5{NARROW}mi"
    assert MEASURES["elevation"].unit(imperial) == "ft"


@pytest.mark.parametrize("groups", [("run", "ride", "swim"), ("swim", "ride", "run")])
def test_a_sum_of_sports_does_not_depend_on_their_order(groups: tuple[str, ...]) -> None:
    """34,746.4 + 8,341.7 + 5,161.9 m are 48,250 m; one order would read 48.3 km."""
    km = {"run": 34.7464, "ride": 8.3417, "swim": 5.1619}
    rows = [week("2026-11-16", group, 1, 0) | {"distance_m": round(km[group] * 1000, 1)} for group in groups]
    (row,) = chart_data.week_table(rows, MEASURES["distance"], TELL)
    assert row["All"] == f"48.2{NARROW}km"


def test_the_table_behind_the_bars_sums_each_week_newest_first() -> None:
    """The same numbers for those who cannot see the chart."""
    assert chart_data.week_table(WEEKS, MEASURES["activities"], TELL) == [
        {"Week": "Week 47, 16 \N{EN DASH} 22 Nov 2026", "All": "1", "Run": "0", "Ride": "1"},
        {"Week": "Week 46, 9 \N{EN DASH} 15 Nov 2026", "All": "2", "Run": "2", "Ride": "0"},
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


def test_every_group_has_a_name_and_a_group_new_to_us_looks_like_other() -> None:
    """Under its own name, and last in stacks."""
    assert set(sports.TITLES) == set(SPORTS)
    assert (sports.title("air_sports", TELL), sports.colour("air_sports")) == ("Air sports", "other")
    assert sports.rank("air_sports") > sports.rank("other")


def test_every_kind_of_sport_has_its_german_name(project_root: Path) -> None:
    """All that the transforms' seed knows; a kind that is new keeps Strava's word."""
    lines = (project_root / "transforms/seeds/sport_groups.csv").read_text(encoding="utf-8").splitlines()[1:]
    kinds = [line.partition(",")[0] for line in lines]
    assert len(kinds) > 50
    assert {chart_data.spaced(kind) for kind in kinds} == set(sport_types.TYPES)
    german = Teller(now=datetime(2026, 11, 18, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"), language="de")
    told = [sport_types.title(kind, german) for kind in ("TrailRun", "Run", "SkyDive")]
    assert told == ["Traillauf", "Laufen", "Sky Dive"]
