"""Numbers as a person reads them."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from dashboard import formatting
from dashboard.measures import MEASURES

MART_HAS_NEITHER = {"pace_s_per_km": None, "speed_kmh": None}


def test_totals_have_units_and_thousands_separators() -> None:
    """A large total stays readable and says what it counts."""
    assert formatting.distance(1_234_567) == "1,234.6 km"
    assert formatting.time(1_234 * 3600 + 5 * 60 + 29) == "1,234 h 05 min"
    assert formatting.elevation(12_345.4) == "12,345 m"
    assert formatting.count(1_482) == "1,482"


@pytest.mark.parametrize("amounts", list(permutations((34_746.4, 8_341.7, 5_161.9))))
def test_a_total_does_not_depend_on_the_order(amounts: tuple[float, ...]) -> None:
    """48,250 m; added up from the left, one order gives 48,250.00000000001 m, which reads 48.3 km."""
    assert formatting.total(amounts) == 48_250
    assert formatting.distance(formatting.total(amounts)) == "48.2 km"


def test_a_total_is_as_fine_as_the_marts() -> None:
    """178,901.7 + 16,821.2 is 195,722.9, not 195,722.90000000002; a millionth still counts."""
    assert formatting.total([178_901.7, 16_821.2]) == 195_722.9
    assert formatting.total([0.000001, 1]) == 1.000001


def test_minutes_never_read_sixty() -> None:
    """Rounding carries into the hours."""
    assert formatting.time(3599) == "1 h 00 min"
    assert formatting.clock(3599.6) == "01:00:00"
    assert formatting.latency(59.97) == "1 min 00 s"
    assert formatting.latency(0.9996) == "1.0 s"


@pytest.mark.parametrize(
    ("sport_type", "group", "metres", "seconds", "text"),
    [
        ("Swim", "swim", 2_000, 2_700, "2:15 /100 m"),
        ("Swim", "swim", 1_000, 599.7, "1:00 /100 m"),
        ("NordicSki", "winter", 15_000, 3_600, "15.0 km/h"),
        ("Kayaking", "water", 5_000, 3_000, "6.0 km/h"),
        ("RollerSki", "other", 9_000, 1_800, "18.0 km/h"),
        ("Tennis", "other", 3_000, 3_600, formatting.NOTHING),
        ("Yoga", "strength", 0.0, 3_600, formatting.NOTHING),
        ("WeightTraining", "strength", 120.0, 3_600, formatting.NOTHING),
        ("Swim", "swim", 0.0, 1_800, formatting.NOTHING),
        ("Swim", "swim", None, None, formatting.NOTHING),
        ("Surfing", "water", 800.0, 0, formatting.NOTHING),
        ("Surfing", "water", 800.0, None, formatting.NOTHING),
        ("Surfing", "water", None, 1_800, formatting.NOTHING),
        ("Swim", "swim", 100.0, None, formatting.NOTHING),
        ("Swim", "swim", 1.0, 1, "1:40 /100 m"),
    ],
)
def test_each_sport_is_as_fast_as_it_counts(
    sport_type: str, group: str, metres: float | None, seconds: float | None, text: str
) -> None:
    """Where the marts give neither pace nor speed, distance and time do, if the sport has any."""
    row = {"sport_type": sport_type, "sport_group": group, "distance_m": metres, "moving_time_s": seconds}
    assert formatting.pace_or_speed(row | MART_HAS_NEITHER) == text


def test_the_marts_own_pace_and_speed_come_first() -> None:
    """They are shown as they are, and never reckoned twice."""
    row = {"sport_type": "Run", "sport_group": "run", "distance_m": 1.0, "moving_time_s": 1}
    assert formatting.pace_or_speed(row | MART_HAS_NEITHER | {"pace_s_per_km": 299.7}) == "5:00 /km"
    assert formatting.pace_or_speed(row | MART_HAS_NEITHER | {"speed_kmh": 27.34}) == "27.3 km/h"
    assert formatting.clock(None) == formatting.NOTHING


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, formatting.NOTHING),
        (0, "< 0.1 s"),
        (0.03, "< 0.1 s"),
        (0.595, "0.6 s"),
        (-0.7, "-0.7 s"),
        (3.84, "3.8 s"),
        (125, "2 min 05 s"),
        (3_723, "62 min 03 s"),
    ],
)
def test_latencies_are_told_in_tenths_of_a_second(seconds: float | None, text: str) -> None:
    """Tenths of a second up to a minute; below zero only where clocks disagree."""
    assert formatting.latency(seconds) == text


def test_moments_are_shown_in_the_zone_asked_for_and_name_it() -> None:
    """Summer and winter time are told apart by the name beside the clock."""
    berlin = ZoneInfo("Europe/Berlin")
    assert formatting.moment(datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC), berlin) == "2 Jul 2026, 00:30:05 CEST"
    assert formatting.moment(datetime(2026, 11, 18, 8, 3, 12, tzinfo=UTC), berlin) == "18 Nov 2026, 09:03:12 CET"
    assert formatting.moment(None, berlin) == formatting.NOTHING


@pytest.mark.parametrize(
    ("since", "text"),
    [
        (timedelta(seconds=-3), "less than 1 min ago"),
        (timedelta(seconds=59), "less than 1 min ago"),
        (timedelta(seconds=119), "1 min ago"),
        (timedelta(hours=5, minutes=59), "5 h ago"),
        (timedelta(days=3), "3 d ago"),
    ],
)
def test_ages_change_at_most_once_a_minute(since: timedelta, text: str) -> None:
    """An idle page has nothing to redraw within the minute."""
    assert formatting.age(since) == text


def test_differences_carry_their_sign_and_nothing_has_none() -> None:
    """A difference too small to be shown is no change."""
    distance, time = MEASURES["Distance"], MEASURES["Time"]
    assert distance.difference(12_000, 10_000) == "+2.0 km"
    assert time.difference(0, 3_900) == "-1 h 05 min"
    assert distance.difference(10_000, 10_040) == "±0.0 km"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (timedelta(seconds=-5), "within minutes"),
        (timedelta(seconds=60), "within minutes"),
        (timedelta(hours=11, minutes=59), "today about 23:59"),
        (timedelta(hours=12), "Thursday about 00:00"),
        (timedelta(days=5, hours=23), "Tuesday about 11:00"),
        (timedelta(days=6), "12 May about 12:00"),
    ],
)
def test_a_coming_moment_is_said_as_a_person_says_it(after: timedelta, said: str) -> None:
    """The day is that of the display time zone."""
    noon = datetime(2026, 5, 6, 10, 0, tzinfo=UTC)  # a Wednesday, noon in Berlin
    assert formatting.about(noon + after, noon, ZoneInfo("Europe/Berlin")) == said
