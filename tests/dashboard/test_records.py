"""The Records page in words: distances, reasons, milestones, and what the next Eddington number takes."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard import best_efforts, eddington_chart, milestones
from dashboard.filters import Filters
from dashboard.formatting import Teller
from dashboard.units import Units
from dashboard.views.records import period_of

BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH = Teller(now=datetime(2026, 4, 2, 12, tzinfo=BERLIN), zone=BERLIN)
GERMAN = Teller(now=ENGLISH.now, zone=BERLIN, language="de")
TODAY = date(2026, 4, 2)


def step(number: int, time: int, day: date, until: date | None, **fields: Any) -> dict[str, Any]:
    """Return a row of `records/record_steps`."""
    return {
        "effort_name": "5K",
        "distance_m": 5000.0,
        "record_number": number,
        "is_tie": False,
        "elapsed_time_s": time,
        "improvement_s": None,
        "start_date_local": day,
        "stood_until": until,
        "days_stood": ((until or TODAY) - day).days,
        "activity_id": number,
        "activity_name": "<b>Run</b>",
    } | fields


STEPS = [
    step(1, 1300, date(2025, 4, 2), date(2026, 1, 1)),
    step(1, 1300, date(2025, 5, 2), None, is_tie=True, days_stood=None, improvement_s=0, activity_id=9),
    step(2, 1250, date(2026, 1, 1), None, improvement_s=50),
]
BEST = {
    "effort_name": "5K",
    "elapsed_time_s": 1250,
    "pace_s_per_km": 250.0,
    "sport_group": "run",
    "activity_id": 2,
    "activity_name": "<b>Run</b>",
    "start_date_local": date(2026, 1, 1),
    "record_time_s": 1250,
    "improvement_s": 50,
    "days_stood": 91,
    "record_activity_id": 2,
}


@pytest.mark.parametrize(
    ("name", "english", "german"),
    [
        ("400m", "400 m", "400 m"),
        ("5K", "5 km", "5 km"),
        ("1/2 mile", "½ mile", "½ Meile"),
        ("Half-Marathon", "Half marathon", "Halbmarathon"),
        ("42 leagues", "42 leagues", "42 leagues"),
    ],
)
def test_distances_are_named_as_people_do(name: str, english: str, german: str) -> None:
    """Strava's names stand for numbers with units; one that nobody knows stays."""
    assert (best_efforts.distance_name(name, ENGLISH), best_efforts.distance_name(name, GERMAN)) == (english, german)


def test_a_record_shows_its_gain_and_another_effort_what_it_lacks() -> None:
    """The record of the days asked for gained 50 s; a slower one of these days is 10 s behind it."""
    table = best_efforts.best_table([BEST], STEPS, TODAY, ENGLISH)
    assert "\N{MINUS SIGN}0:50" in table
    assert "91 d" in table
    assert "&lt;b&gt;Run" in table
    slower = {**BEST, "elapsed_time_s": 1260, "activity_id": 3}
    behind = best_efforts.best_table([slower], STEPS, TODAY, ENGLISH)
    assert "+0:10" in behind
    assert "record 20:50" in behind
    assert "91 d" not in behind, "how long the record stands is not told of another effort"


def test_an_effort_that_equals_the_record_is_not_told_to_be_it() -> None:
    """The record was another day's: what it gained and how long it stands is not said of the tie."""
    tie = {**BEST, "activity_id": 3, "start_date_local": date(2026, 3, 1)}
    table = best_efforts.best_table([tie], STEPS, TODAY, ENGLISH)
    assert "<small>tied</small>" in table
    assert "\N{MINUS SIGN}0:50" not in table
    assert "91 d" not in table


def test_bars_share_out_the_time_since_the_first_record() -> None:
    """274 of 365 days for the first, the rest for the second; the tie has no bar."""
    table = best_efforts.best_table([BEST], STEPS, TODAY, ENGLISH)
    assert table.count("<i style") == 2
    assert "left:0.00%;width:calc(75.07% - 2px);opacity:0.64" in table
    assert "left:75.07%;width:calc(24.93% - 2px);opacity:1.00" in table


def test_the_newest_record_of_a_distance_is_told_first() -> None:
    """Then what stood before, and what equalled it."""
    table = best_efforts.steps_table(STEPS, ENGLISH)
    assert table.index("20:50") < table.index("tied") < table.index("274 d")


def test_excluded_efforts_are_counted_by_reason() -> None:
    """The reason with the most comes first."""
    rows = [
        {"excluded_reason": "activity_shorter", "reason_count": 1},
        {"excluded_reason": "indoors", "reason_count": 2},
        {"excluded_reason": "indoors", "reason_count": 2},
    ]
    wanted = "3 efforts excluded: 2 on a treadmill, 1 shorter than the distance."
    assert best_efforts.excluded_sentence(rows, ENGLISH) == wanted


def test_the_caption_says_what_the_next_numbers_take() -> None:
    """One more day for the next; beyond the longest day as many as the number itself."""
    rows = [{"n": n, "eddington_number": 3, "days_needed_next": 1, "days_needed": max(0, n - 3)} for n in range(1, 6)]
    assert eddington_chart.caption(rows, ENGLISH) == "**3** now · **1** more day of 4\u202fkm for 4 · **8** for 8"
    assert eddington_chart.caption(rows, GERMAN).startswith("jetzt **3** · noch **1** Tag mit 4\u202fkm bis 4")


@pytest.mark.parametrize(
    ("kind", "unit", "subject", "value", "wanted"),
    [
        ("count", "activities", "", 1000.0, "1,000 activities"),
        ("elevation", "m", "", 8849.0, "8,849 m climbed in all"),
        ("streak", "days", "", 365.0, "365 days in a row"),
        ("eddington", "mi", "", 42.0, "Eddington number 42 (mi)"),
        ("record", "s", "10K", 2702.0, "10 km in 45:02"),
        ("first_activity", "activities", "TrailRun", 1.0, "First activity: Trail Run"),
        ("first_gear", "activities", "Blue", 1.0, "First time with Blue"),
        ("gear_distance", "mi", "{n}", 1000.0, "{n}: 1,000 mi"),
    ],
)
def test_milestones_are_told_in_words(kind: str, unit: str, subject: str, value: float, wanted: str) -> None:
    """Each kind has its sentence."""
    row = {"milestone_kind": kind, "unit": unit, "subject": subject, "milestone_value": value}
    assert milestones.milestone_text(row, ENGLISH) == wanted


def test_values_have_the_readers_units() -> None:
    """A speed record in miles an hour, energy as it is."""
    imperial = Teller(now=ENGLISH.now, zone=BERLIN, units=Units.IMPERIAL)
    assert milestones.measured("average_speed_kmh", 32.18688, imperial) == "20.0\u202fmph"
    assert milestones.measured("energy_kj", 1500.0, imperial) == "1,500\u202fkJ"


@pytest.mark.parametrize(
    ("word", "first", "last", "period"),
    [
        ("year", date(2026, 1, 1), TODAY, "2026"),
        ("custom", date(2025, 1, 1), date(2025, 12, 31), "2025"),
        ("custom", date(2025, 1, 1), date(2025, 12, 30), "all"),
        ("12m", date(2025, 4, 3), TODAY, "all"),
    ],
)
def test_a_calendar_year_has_numbers_of_its_own(word: str, first: date, last: date, period: str) -> None:
    """Other spans of days are told the numbers of all time."""
    assert period_of(Filters(sport="all", range=word, first=first, last=last, today=TODAY)) == period
