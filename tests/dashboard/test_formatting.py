"""Numbers, dates and texts as a person reads them, in both languages and both systems of units."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard import formatting
from dashboard.formatting import MINUS, NARROW, NOTHING, Teller
from dashboard.languages import preferred
from dashboard.units import Units

NOON = datetime(2026, 5, 6, 10, 0, tzinfo=UTC)  # a Wednesday, noon in Berlin
MART_HAS_NEITHER = {"pace_s_per_km": None, "speed_kmh": None}


def teller(language: str = "en", units: Units = Units.METRIC) -> Teller:
    """A reader in Berlin."""
    return Teller(now=NOON, zone=ZoneInfo("Europe/Berlin"), language=language, units=units)


TELL = teller()


@pytest.mark.parametrize(
    ("language", "units", "texts"),
    [
        ("en", Units.METRIC, ["1,235 km", "731.5 km", "12,345 m", "1,234 h 05 min", "5:00 /km", "27.3 km/h", "61 %"]),
        ("de", Units.METRIC, ["1.235 km", "731,5 km", "12.345 m", "1.234 h 05 min", "5:00 /km", "27,3 km/h", "61 %"]),
        ("en", Units.IMPERIAL, ["767.1 mi", "454.5 mi", "40,501 ft", "1,234 h 05 min", "8:02 /mi", "17.0 mph", "61 %"]),
        ("de", Units.IMPERIAL, ["767,1 mi", "454,5 mi", "40.501 ft", "1.234 h 05 min", "8:02 /mi", "17,0 mph", "61 %"]),
    ],
)
def test_numbers_have_units_and_the_languages_separators(language: str, units: Units, texts: list[str]) -> None:
    """From 1,000 on a distance needs no decimal; number and unit stay together."""
    tell = teller(language, units)
    told = [
        tell.distance(1_234_567), tell.distance(731_460), tell.elevation(12_344.6),
        tell.duration(1_234 * 3600 + 5 * 60 + 29), tell.pace(299.7), tell.speed(27.34), tell.percent(0.614),
    ]  # fmt: skip
    assert told == [text.replace(" ", NARROW).replace(f"h{NARROW}", "h ") for text in texts]


@pytest.mark.parametrize("amounts", list(permutations((34_746.4, 8_341.7, 5_161.9))))
def test_a_total_does_not_depend_on_the_order(amounts: tuple[float, ...]) -> None:
    """48,250 m; added up from the left, one order gives 48,250.00000000001 m, which reads 48.3 km."""
    assert formatting.total(amounts) == 48_250
    assert TELL.distance(formatting.total(amounts)) == f"48.2{NARROW}km"


def test_a_total_is_as_fine_as_the_marts() -> None:
    """178,901.7 + 16,821.2 is 195,722.9, not 195,722.90000000002; a millionth still counts."""
    assert formatting.total([178_901.7, 16_821.2]) == 195_722.9
    assert formatting.total([0.000001, 1]) == 1.000001


def test_minutes_never_read_sixty() -> None:
    """Rounding carries into the hours."""
    assert TELL.duration(3599) == f"1{NARROW}h 00{NARROW}min"
    assert (TELL.clock(3599.6), TELL.clock(2702), TELL.clock(None)) == ("1:00:00", "45:02", NOTHING)
    assert TELL.latency(59.97) == f"1{NARROW}min 00{NARROW}s"
    assert TELL.latency(0.9996) == f"1.0{NARROW}s"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.94, 1, "+1.9"),
        (-1.94, 1, f"{MINUS}1.9"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (0, 0, "0"),
        (-7, 0, f"{MINUS}7"),
    ],
)
def test_signs_are_true_and_nothing_has_none(value: float, decimals: int, text: str) -> None:
    """What rounds to zero is zero, neither more nor less."""
    assert TELL.number(value, decimals, signed=True) == text


@pytest.mark.parametrize(
    ("sport_type", "group", "metres", "seconds", "text"),
    [
        ("Swim", "swim", 2_000, 2_700, "2:15 /100\N{NO-BREAK SPACE}m"),
        ("Swim", "swim", 1_000, 599.7, "1:00 /100\N{NO-BREAK SPACE}m"),
        ("NordicSki", "winter", 15_000, 3_600, "15.0 km/h"),
        ("Kayaking", "water", 5_000, 3_000, "6.0 km/h"),
        ("RollerSki", "other", 9_000, 1_800, "18.0 km/h"),
        ("Tennis", "other", 3_000, 3_600, NOTHING),
        ("Yoga", "strength", 0.0, 3_600, NOTHING),
        ("WeightTraining", "strength", 120.0, 3_600, NOTHING),
        ("Swim", "swim", 0.0, 1_800, NOTHING),
        ("Swim", "swim", None, None, NOTHING),
        ("Surfing", "water", 800.0, 0, NOTHING),
        ("Surfing", "water", 800.0, None, NOTHING),
        ("Surfing", "water", None, 1_800, NOTHING),
        ("Swim", "swim", 100.0, None, NOTHING),
        ("Swim", "swim", 1.0, 1, "1:40 /100\N{NO-BREAK SPACE}m"),
    ],
)
def test_each_sport_is_as_fast_as_it_counts(
    sport_type: str, group: str, metres: float | None, seconds: float | None, text: str
) -> None:
    """Where the marts give neither pace nor speed, distance and time do, if the sport has any."""
    row: dict[str, Any] = {"sport_type": sport_type, "sport_group": group, "distance_m": metres}
    told = TELL.pace_or_speed(row | {"moving_time_s": seconds} | MART_HAS_NEITHER)
    assert told == text.replace(" ", NARROW)


def test_the_marts_own_pace_and_speed_come_first() -> None:
    """They are shown as they are, and never reckoned twice; a swim is told by 100 yards where miles are."""
    row = {"sport_type": "Run", "sport_group": "run", "distance_m": 1.0, "moving_time_s": 1}
    assert TELL.pace_or_speed(row | MART_HAS_NEITHER | {"pace_s_per_km": 299.7}) == f"5:00{NARROW}/km"
    assert TELL.pace_or_speed(row | MART_HAS_NEITHER | {"speed_kmh": 27.34}) == f"27.3{NARROW}km/h"
    swim = {"sport_type": "Swim", "sport_group": "swim", "distance_m": 1000.0, "moving_time_s": 1000}
    told = teller(units=Units.IMPERIAL).pace_or_speed(swim | MART_HAS_NEITHER)
    assert told == f"1:31{NARROW}/100\N{NO-BREAK SPACE}yd"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, NOTHING),
        (0, "< 0.1 s"),
        (0.03, "< 0.1 s"),
        (0.595, "0.6 s"),
        (-0.7, f"{MINUS}0.7 s"),
        (3.84, "3.8 s"),
        (125, "2 min 05 s"),
        (3_723, "62 min 03 s"),
    ],
)
def test_latencies_are_told_in_tenths_of_a_second(seconds: float | None, text: str) -> None:
    """Tenths of a second up to a minute; below zero only where clocks disagree."""
    assert TELL.latency(seconds).replace(NARROW, " ") == text


def test_moments_are_shown_in_the_zone_asked_for_and_name_it() -> None:
    """Summer and winter time are told apart by the name beside the clock; a moment without a zone is UTC."""
    assert TELL.moment(datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC)) == "2 Jul 2026, 00:30:05 CEST"
    assert TELL.moment(datetime(2026, 11, 18, 8, 3, 12)) == "18 Nov 2026, 09:03:12 CET"  # noqa: DTZ001 - the mart's
    assert TELL.moment(None) == NOTHING


def test_days_are_written_as_the_language_has_them() -> None:
    """The month and the year no more often than needed; a wall clock stays as it is."""
    first, last = date(2026, 11, 23), date(2026, 11, 29)
    german = teller("de")
    assert TELL.days(first, last) == "23 \N{EN DASH} 29 Nov 2026"
    assert german.days(first, last) == "23.\N{EN DASH}29. Nov. 2026"
    assert TELL.days(date(2026, 10, 30), last) == "30 Oct \N{EN DASH} 29 Nov 2026"
    assert TELL.days(date(2025, 12, 30), last) == "30 Dec 2025 \N{EN DASH} 29 Nov 2026"
    assert TELL.days(last, last) == "29 Nov 2026"
    clock = datetime(2026, 11, 25, 18, 11)  # noqa: DTZ001 - a wall clock
    assert (TELL.local(clock), german.local(clock)) == ("Wed 25 Nov 2026, 18:11", "Mi., 25. Nov. 2026, 18:11")


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
    assert TELL.age(since) == text


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
    assert TELL.about(NOON + after) == said


def test_units_are_small_beside_their_numbers() -> None:
    """In Markdown and in HTML, each unit of a text and nothing else."""
    told = TELL.duration(5760)
    assert formatting.small(told) == f"1{NARROW}:small[h] 36{NARROW}:small[min]"
    assert formatting.small_html(told) == f"1{NARROW}<small>h</small> 36{NARROW}<small>min</small>"
    assert formatting.plain("a_b *c* :bike:") == r"a\_b \*c\* \:bike\:"


@pytest.mark.parametrize(
    ("locale", "language"), [("de-AT", "de"), ("de", "de"), ("en-GB", "en"), ("fr-FR", "en"), ("", "en"), (None, "en")]
)
def test_the_browsers_language_is_taken_where_there_is_one(locale: str | None, language: str) -> None:
    """English for all others."""
    assert preferred(locale) == language
