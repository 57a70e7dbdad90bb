"""The Trends page: what its charts are made of, and that it says the marts' numbers and obeys the filters."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import chart_data, trend_data
from dashboard.formatting import NARROW, Teller
from dashboard.mart import Row
from dashboard.measures import MEASURES
from dashboard.units import Units
from tests.dashboard.conftest import ATHLETE
from tests.dashboard.test_pages import said, visit

TODAY = date(2026, 11, 18)
DISTANCE = MEASURES["distance"]
COUNTS = ("activity_count", "distance_m", "moving_time_s", "elevation_gain_m", "load")


def test_years_lie_on_one_leap_year() -> None:
    """29 February has a place of its own; a year that has none leaves it out; it is compared with the 28th."""
    assert trend_data.on_axis(date(2024, 2, 29)) == "2024-02-29"
    assert trend_data.on_axis(date(2025, 3, 1)) == "2024-03-01"
    assert chart_data.same_day_last_year(date(2024, 2, 29)) == date(2023, 2, 28)
    assert chart_data.same_day_last_year(date(2025, 2, 28)) == date(2024, 2, 28)


@pytest.mark.parametrize(("first", "year"), [(2026, 2022), (2022, 2022), (2019, 2019), (2001, 2017)])
def test_as_many_years_as_the_dates_touch_within_five_and_ten(first: int, year: int) -> None:
    """One year is no comparison, and thirty lines are no chart."""
    assert trend_data.first_year(date(first, 3, 1), TODAY) == year


def test_labels_keep_apart_and_in_order() -> None:
    """Of an axis to 1,000 each is at least 45 away from the next; this year and the last are there on a phone."""
    labels = trend_data.year_labels({2026: 990, 2025: 1000, 2024: 995, 2023: 100}, 2026)
    assert [label["year"] for label in labels] == ["2023", "2026", "2024", "2025"]
    values = [label["value"] for label in labels]
    assert all(high - low >= 44.9 for low, high in pairwise(values))
    assert [label["year"] for label in labels if label["near"]] == ["2026", "2025"]


def test_older_years_are_paler(tell: Teller) -> None:
    """This year is petrol; of the grey ones last year's is the darkest."""
    rows = [{"date_day": date(year, 1, 1), "distance_m": 1000.0} for year in (2023, 2024, 2025, 2026)]
    lines = trend_data.year_lines(rows, DISTANCE, 2026, tell)
    assert [line["series"] for line in lines] == ["neutral"] * 3 + ["accent"]
    assert [round(line["opacity"], 1) for line in lines] == [0.3, 0.6, 0.9, 1.0]


def test_the_table_has_the_same_day_of_each_year(tell: Teller) -> None:
    """By 29 February the year before is told by its 28th; the running year has no whole."""
    days = {date(2024, 2, 29): 10_000.0, date(2023, 2, 28): 4000.0, date(2023, 12, 31): 99_000.0}
    rows = [{"date_day": day, "distance_m": metres} for day, metres in days.items()]
    table = trend_data.year_table(rows, DISTANCE, date(2024, 2, 29), tell)
    assert [list(row.values()) for row in table] == [
        ["2024", f"10.0{NARROW}km", "\N{EN DASH}"],
        ["2023", f"4.0{NARROW}km", f"99.0{NARROW}km"],
    ]


def test_a_year_before_stands_beside_each_day(tell: Teller) -> None:
    """The grey line has the day of a year before, where there is one; earlier days have no place of their own."""
    days = {date(2025, 11, 17): 1000.0, date(2025, 11, 18): 2000.0, date(2026, 11, 17): 5000.0, TODAY: 6000.0}
    rows = [{"date_day": day, "distance_m": metres} for day, metres in days.items()]
    lines = trend_data.rolling_lines(rows, DISTANCE, date(2026, 11, 1), tell)
    told = ["17 Nov 2026", "17 Nov 2025", "18 Nov 2026", "18 Nov 2025"]
    assert [line["told"] for line in lines] == told
    assert [(line["day"], line["series"], line["value"]) for line in lines] == [
        ("2026-11-17", "accent", 5.0), ("2026-11-17", "last", 1.0), ("2026-11-18", "accent", 6.0),
        ("2026-11-18", "last", 2.0),
    ]  # fmt: skip


def test_a_long_line_has_fewer_points_and_still_its_last_day(tell: Teller) -> None:
    """Of 2,000 days every third is drawn."""
    days = [TODAY - timedelta(days=n) for n in range(2000)]
    rows = [{"date_day": day, "distance_m": 1.0} for day in days]
    drawn_days = [line["day"] for line in trend_data.rolling_lines(rows, DISTANCE, days[-1], tell)]
    here = sorted(set(drawn_days))
    assert (len(here), here[-1]) == (667, "2026-11-18")


def test_every_hour_between_the_earliest_and_the_latest_has_a_cell(tell: Teller) -> None:
    """From 5, as there was a start, to 21; fifths of the most are the levels; what has no hour is in no cell."""
    rows: list[Row] = [
        {"day_of_week": 1, "start_hour": 5, "activity_count": 1, "moving_time_s": 60},
        {"day_of_week": 7, "start_hour": 9, "activity_count": 10, "moving_time_s": 3600},
        {"day_of_week": 2, "start_hour": None, "activity_count": 99, "moving_time_s": 60},
    ]
    cells = trend_data.starts(rows, tell)
    assert len(cells) == 7 * 17
    levels = {(cell["weekday"], cell["hour"]): cell["level"] for cell in cells if cell["level"]}
    assert levels == {(1, 5): 2, (7, 9): 10}
    assert trend_data.starts(rows[2:], tell) == []


@pytest.mark.parametrize(("furthest", "size"), [(10, 500), (30, 1000), (90, 2000), (400, 10_000)])
def test_bars_are_as_wide_as_there_is_room(tell: Teller, furthest: int, size: float) -> None:
    """Of half kilometres; at most 24 bars; what is at a border is in the upper one; sports are stacked."""
    rows: list[Row] = [
        {"step": 0, "sport_group": "run", "activity_count": 2},
        {"step": 0, "sport_group": "swim", "activity_count": 3},
        {"step": furthest, "sport_group": "ride", "activity_count": 1},
        {"step": None, "sport_group": "strength", "activity_count": 4},
    ]
    found = trend_data.histogram(rows, 500, tell)
    assert (found.size, found.without) == (size, 4)
    assert [(bar["sport"], bar["under"], bar["over"]) for bar in found.bars] == [
        ("run", 0, 2), ("swim", 2, 5), ("ride", 0, 1),
    ]  # fmt: skip
    assert found.bars[2]["low"] < furthest / 2 + size / 1000 <= found.bars[2]["high"] + size / 1000 * 1.05


def test_small_parts_of_the_mix_are_one_bar(tell: Teller) -> None:
    """Seven kinds, largest first, and the other two together; shares are of all, and nothing is left out."""
    rows = [{"sport_type": f"S{n}", "sport_group": "run", "distance_m": 1000.0 * n} for n in range(10)]
    bars = trend_data.mix(rows, DISTANCE, tell)
    assert [bar["name"] for bar in bars] == ["S9", "S8", "S7", "S6", "S5", "S4", "S3", "2 more"]
    assert bars[-1]["share"] == pytest.approx(3 / 45)
    assert sum(bar["share"] for bar in bars) == pytest.approx(1)


def trends(context: Any, **chosen: str) -> AppTest:
    """Open the page with these words in its address."""
    return visit(context, "trends", **chosen)


@pytest.fixture
def trending(lively: Any) -> Any:
    """The lively athlete with the rows of today that the years and the windows are told by."""
    for group, metres in (("all", 1_082_750.0), ("run", 18_500.0)):
        year: dict[str, Any] = {"date_day": TODAY, "year": 2026, "day_of_year": 322, "days_in_year": 365}
        for name in COUNTS:
            amount = metres if name == "distance_m" else 4
            year |= {name: amount, f"last_year_{name}": 0, f"difference_{name}": -1500, f"projected_{name}": 2 * amount}
        lively.row("trend_year_over_year", athlete_id=ATHLETE, sport_group=group, **year)
        window = {"window_days": 28, "date_day": TODAY, "days_in_window": 28, "is_warming_up": False}
        sums = dict.fromkeys(COUNTS, 5) | {"distance_m": metres / 2}
        lively.row("trend_rolling_daily", athlete_id=ATHLETE, sport_group=group, **window, **sums)
    goal = {"measure": "distance_m", "period_kind": "year", "sport_groups": "all", "target": 2_000_000.0}
    lively.row("goal_progress", athlete_id=ATHLETE, goal_number=1, period_start_date=date(2026, 1, 1), **goal)
    start = {"date_day": TODAY, "day_of_week": 3, "activity_count": 2, "moving_time_s": 60}
    lively.row("start_pattern", athlete_id=ATHLETE, sport_group="run", start_hour=7, excluded_reason="none", **start)
    lively.row("start_pattern", athlete_id=ATHLETE, sport_group="run", excluded_reason="manual", **start)
    lively.publish()
    return lively


@pytest.mark.slow
def test_the_page_says_the_marts_numbers(trending: Any, context_of: Any) -> None:
    """Year, comparison, projection, goal, window, hour, distances and mix, each with its reason."""
    app = trends(context_of(trending))
    text = said(app)
    assert "1,083 km by 18 Nov 2026 · 1.5 km less than a year before" in text
    assert "2,166 km by 31 December at the pace of the last 28 days (dashed) · goal 2,000 km (dotted)" in text
    assert "541.4 km in the 28 days up to 18 Nov 2026" in text
    assert "Most often on Wednesday, 7:00 \N{EN DASH} 7:59: 2 of 2 activities. Left out\\: 2 typed in by hand." in text
    assert "Ride is 97 % of 1,073 km." in text
    assert "An even pace towards the goal has 1,764 km on day 322 of 365." in text
    assert "Model `trend_year_over_year`" in text
    assert "`trend_rolling_daily`" in text
    tables = [[cell.replace(NARROW, " ") for cell in table.value.iloc[0]] for table in app.dataframe]
    assert tables == [
        ["2026", "1,083 km", "\N{EN DASH}"],
        ["18 Nov 2026", "541.4 km", "\N{EN DASH}"],
        ["Wednesday, 7:00 \N{EN DASH} 7:59", "2", "0 h 01 min"],
        ["0.0 km \N{EN DASH} 50.0 km", "Run", "2"],
        ["Ride", "97 %", "1,040 km"],
    ]


@pytest.mark.slow
def test_after_midnight_the_year_is_that_of_the_build(trending: Any, context_of: Any) -> None:
    """Until the marts are built again, the newest day that they have is told, and named."""
    context = context_of(trending, lambda: datetime.fromisoformat("2026-11-19T00:10:00+01:00"))
    assert "1,083 km by 18 Nov 2026" in said(trends(context))


@pytest.mark.slow
def test_the_page_obeys_filters_language_and_units(trending: Any, context_of: Any) -> None:
    """Runs alone have no goal; miles and German are those of the reader; a sport without starts says so."""
    text = said(trends(context_of(trending), sport="run", lang="de", units="imperial"))
    assert "11,5 mi bis 18. Nov. 2026" in text
    assert "gepunktet" not in text
    assert "Laufen: 100 % von" in text
    swum = said(trends(context_of(trending), sport="swim"))
    assert "The activities of **Swim** in **Last 12 months** have nothing to show here." in swum
    assert "The last one was on" not in swum


@pytest.mark.slow
def test_a_short_history_has_its_own_pace(mart_file: Any, context_of: Any) -> None:
    """Of a few days there are no 28 days to be told of; a measure of which nothing was done has no line of zeros."""
    mart_file.activity("2026-11-16", "Run", km=5, minutes=25)
    mart_file.activity("2026-11-17", "WeightTraining", km=0, minutes=30)
    mart_file.health()
    measures = ("activity_count", "distance_m", "moving_time_s", "elevation_gain_m")
    for group, metres in (("all", 5000.0), ("strength", 0.0)):
        key = {"athlete_id": ATHLETE, "sport_group": group, "date_day": TODAY}
        done: dict[str, Any] = dict.fromkeys(measures, 1) | {"distance_m": metres}
        projected = {f"projected_{name}": 2 * amount for name, amount in done.items()}
        mart_file.row(
            "trend_year_over_year", **key, **done, **projected, year=2026, day_of_year=322, days_in_year=365
        )  # fmt: skip
        mart_file.row("trend_rolling_daily", **key, **done, window_days=28, days_in_window=3, is_warming_up=True)
    mart_file.publish()
    assert "10.0 km by 31 December at the pace so far (dashed)" in said(trends(context_of(mart_file)))
    lifted = trends(context_of(mart_file), sport="strength")
    assert "0.0 km" not in said(lifted)
    assert "The activities of **Strength** in **Last 12 months** have nothing to show here." in said(lifted)


def test_units_are_the_readers(tell: Teller) -> None:
    """A mile of rolling distance is 1 on the axis."""
    miles = Teller(now=tell.now, zone=tell.zone, units=Units.IMPERIAL)
    rows = [{"date_day": TODAY, "distance_m": 1609.344}]
    assert trend_data.rolling_lines(rows, DISTANCE, TODAY, miles)[0]["value"] == 1
