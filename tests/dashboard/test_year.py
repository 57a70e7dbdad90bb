"""The Year page: two years side by side, the same days of both, and the numbers of the mart."""

from collections import defaultdict
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.formatting import Teller
from dashboard.year import choice, mix, numbers
from tests.dashboard.test_contributing import named
from tests.dashboard.test_pages import drawn, html, plain_units, said, shown, visit


@pytest.mark.parametrize(
    ("day", "year", "same"),
    [
        (date(2026, 11, 18), 2024, date(2024, 11, 18)),
        (date(2024, 2, 29), 2025, date(2025, 2, 28)),
        (date(2024, 2, 29), 2020, date(2020, 2, 29)),
        (date(2025, 2, 28), 2024, date(2024, 2, 28)),
    ],
)
def test_a_year_is_compared_up_to_the_same_day(day: date, year: int, same: date) -> None:
    """Month and day are the same; only a leap day has none in another year."""
    assert choice.same_day(day, year) == same


def test_what_took_most_time_in_both_years_comes_first() -> None:
    """A sport of one year alone stays, with nothing in the other."""
    found = mix.amounts([("Run", 2026, 50), ("Ride", 2026, 60), ("Run", 2025, 30), ("Swim", 2025, 1)])
    assert found == {"Run": {2026: 50.0, 2025: 30.0}, "Ride": {2026: 60.0}, "Swim": {2025: 1.0}}
    assert list(found) == ["Run", "Ride", "Swim"]


def review(year: int, **fields: Any) -> dict[str, Any]:
    """Return a row of `year_review` of every sport with little in it."""
    zeros = (
        "activity_count", "distance_m", "moving_time_s", "elevation_gain_m", "calories_kcal", "load", "record_count",
        "first_count", "longest_streak_days", "morning_count", "afternoon_count", "evening_count", "night_count",
        "untimed_count", "active_day_count", "rest_day_count",
    )  # fmt: skip
    first, last = date(year, 1, 1), date(year, 12, 31)
    base = {"athlete_id": 7001, "sport_group": "all", "is_running": False, "first_day": first, "last_day": last}
    return dict.fromkeys(zeros, 0) | base | {"year": year, "day_count": 365} | fields


@pytest.fixture
def reviewed(lively: Any) -> Any:
    """The lively athlete's two years, with what only the review tells."""
    now = {"activity_count": 6, "distance_m": 1_072_750.0, "moving_time_s": 144_450, "active_day_count": 6}
    streak = {"longest_streak_days": 3, "longest_streak_start_date": date(2026, 11, 16)}
    lively.row(
        "year_review",
        **review(
            2026, is_running=True, last_day=date(2026, 11, 18), day_count=322, rest_day_count=316, **now, **streak,
            longest_streak_end_date=date(2026, 11, 18), longest_distance_m=1_040_250.0, longest_distance_activity_id=7,
            biggest_week_time_s=124_950.0, biggest_week_time_date=date(2026, 11, 16), evening_count=5, untimed_count=1,
            record_count=2, commute_distance_m=123_400.0, commute_co2_kg=26.87652,
        ),
    )  # fmt: skip
    then = {"activity_count": 2, "distance_m": 70_000.0, "moving_time_s": 12_000, "active_day_count": 2}
    lively.row("year_review", **review(2025, first_day=date(2025, 3, 2), day_count=305, rest_day_count=303, **then))
    for day, x in ((date(2025, 3, 2), 1), (date(2026, 1, 5), 1), (date(2026, 1, 5), 2), (date(2026, 1, 6), 3)):
        lively.row("tile_visit", athlete_id=7001, z=14, x=x, y=1, sport_group="ride", start_date_local=day)
    for gear_id, year, hours in (("b1", 2026, 3), ("b1", 2025, 1), ("g1", 2026, 2)):
        used = {"gear_id": gear_id, "gear_name": f"<i>{gear_id}", "activity_count": 1, "distance_m": 1.0}
        lively.row(
            "gear_usage_month", athlete_id=7001, month_start_date=date(year, 2, 1), moving_time_s=hours * 3600, **used
        )
    for year, code, count, is_first in ((2026, "DE", 5, False), (2026, "CH", 1, True), (2025, "DE", 2, True)):
        told = {"activity_count": count, "first_day": date(year, 2, 1), "is_first_year": is_first}
        lively.row("year_country", athlete_id=7001, sport_group="all", year=year, country_code=code, **told)
    lively.row(
        "milestone", athlete_id=7001, sport_group="all", milestone_kind="first_country", unit="activities",
        subject="CH", milestone_value=1.0, reached_on=date(2026, 2, 1),
    )  # fmt: skip
    first = {"milestone_kind": "first_activity", "unit": "activities", "milestone_value": 1.0, "activity_id": 6}
    lively.row("milestone", athlete_id=7001, sport_group="run", subject="Run", reached_on=date(2026, 1, 5), **first)
    lively.publish()
    return lively


def year_page(context: Any, **address: str) -> AppTest:
    """Open the page by its address."""
    return visit(context, "year", **address)


@pytest.mark.slow
def test_the_running_year_is_beside_the_one_before_up_to_the_same_day(reviewed: Any, context_of: Any) -> None:
    """The review's own numbers; of the year before only what it had by 18 November counts."""
    reviewed.activity("2025-12-24", "Run", km=500, minutes=100)
    reviewed.publish()
    app = year_page(context_of(reviewed))
    assert (shown(app, "Distance"), shown(app, "Activities")) == (["1,073 km"], ["6"])
    deltas = {metric.label: plain_units(metric.delta) for metric in app.metric}
    assert deltas["Distance"] == "1,003 km"
    assert deltas["Active days"] == "4"
    assert {metric.proto.delta_description for metric in app.metric} == {"to 2025, by 18 Nov"}
    assert "6 active days of 322 · longest streak 3 days, 16 \N{EN DASH} 18 Nov 2026" in said(app)
    told = html(app)
    for part in ('<a href="activity?id=7">1,040 <small>km</small></a>', "34 <small>h</small> 42",
                 "&lt;i&gt;b1", "3 <small>h</small> 00", "First activity: Run"):  # fmt: skip
        assert part in told, part
    assert line(told, "New tiles") == ["2", "1"]
    assert line(told, "Rest days") == ["316", "303"]
    assert "A record is a best effort of a ride or run" in said(app)
    assert line(told, "Evening, 17 to 23") == ["5", "0"]
    assert line(told, "Germany") == ["5", '<span class="ad-new">first time</span> 2']
    assert line(told, "Switzerland") == ['<span class="ad-new">first time</span> 1', "\N{EN DASH}"]
    assert "New country: Switzerland" in told
    assert line(told, "Commutes") == ["123.4 <small>km</small>", "\N{EN DASH}"]
    assert line(told, "CO2 of a car instead") == ["about 27 <small>kg</small>", "\N{EN DASH}"]
    assert "123.4 km · 0.2178 kg/km = about 27" in said(app)
    assert "in 2026 6 of 6 activities tell one" in said(app)
    assert "Most in November 2026" in said(app)
    assert r"\<i>b1: 2026" in said(app), "a name is text in Markdown, too"


@pytest.mark.slow
def test_a_country_names_what_was_done_there(reviewed: Any, context_of: Any) -> None:
    """A ride on a screen, one in no place's zone, and one whose zone is only the athlete's usual one are not."""
    zone = {"timezone_name": "Europe/Zurich", "is_virtual": False}
    for name, other in (
        ("There", {}),
        ("On a screen", {"is_virtual": True}),
        ("Nowhere", {"timezone_name": None}),
        ("At sea", {"timezone_name": "Etc/GMT+1"}),
        ("By the clock of all", {"timezone_name": "UTC"}),
        ("As usual", {"utc_offset_source": "athlete"}),
    ):
        reviewed.activity("2026-02-01", "Ride", km=20, minutes=60, name=name, **(zone | other))
    reviewed.publish()
    assert named(year_page(context_of(reviewed)), "year-countries") == ["There"]


def line(told: str, title: str) -> list[str]:
    """Return the cells of a line of a table."""
    row = told.split(f'<th scope="row">{title}</th>')[1].partition("</tr>")[0]
    return [cell.split(">", 1)[1] for cell in row.replace("</td>", "").split("<td")[1:]]


@pytest.mark.slow
def test_any_year_stands_alone_or_beside_another_by_its_address(reviewed: Any, context_of: Any) -> None:
    """A year that is over is compared as a whole, with what the running one has so far; alone nothing is."""
    app = year_page(context_of(reviewed), year="2025", **{"with": "2026"})
    deltas = {metric.label: plain_units(metric.delta) for metric in app.metric}
    assert (shown(app, "Distance"), deltas["Distance"]) == (["70.0 km"], "1,003 km")
    assert {metric.proto.delta_description for metric in app.metric} == {"to 2026 so far"}
    app.selectbox(key="with").set_value("none")
    alone = drawn(app)
    assert alone.query_params == {"year": "2025", "with": "none"}
    assert line(html(alone), "New tiles") == ["1"]
    assert [metric.delta for metric in alone.metric] == ["\N{EN DASH}"] * 4
    alone.selectbox(key="sport").set_value("swim")
    assert "have nothing to show here" in said(drawn(alone))


def test_calories_that_nobody_knows_are_no_number(tell: Teller) -> None:
    """A year without any has none beside one with some, and two such years have no line."""
    known, unknown = (numbers_row(year, kcal) for year, kcal in ((2026, 640.0), (2025, 0.0)))
    [told] = [each for each in numbers.lines(choice.Years(shown=known, other=unknown), {}, tell) if "Calories" in each]
    assert line(told, "Calories") == ["640\u202f<small>kcal</small>", "\N{EN DASH}"]
    assert not any("Calories" in each for each in numbers.lines(choice.Years(shown=unknown, other=None), {}, tell))


def numbers_row(year: int, kcal: float) -> defaultdict[str, Any]:
    """Return a row of `year_review` as the card takes it; what is not told is null."""
    return defaultdict(lambda: None, review(year, calories_kcal=kcal))
