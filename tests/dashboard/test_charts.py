"""The charts' specifications: colours by name, numbers as the reader writes them, and nothing from elsewhere."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pytest

from dashboard import charts, eddington_chart, trend_charts
from dashboard.formatting import Teller
from dashboard.overview import calendar, week, weeks
from dashboard.palette import SERIES

CHART = (
    alt.Chart(charts.ROWS).mark_bar().encode(y="value:Q", color=charts.colour("sport:N", ["run"], {"run": "Laufen"}))
)


def specification(language: str) -> dict[str, Any]:
    """Return what the browser would be given."""
    tell = Teller(now=datetime(2026, 11, 18, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"), language=language)
    return charts.specification(CHART, tell)


def test_a_colour_is_a_name_whose_place_is_the_themes() -> None:
    """A sport that is missing does not shift the others, and no chart says which colour a name has."""
    scale = specification("en")["encoding"]["color"]["scale"]
    assert scale == {"domain": list(SERIES)}
    one = charts.in_colour(alt.Chart(charts.ROWS).mark_line().encode(y="value:Q"), "accent").to_dict()
    assert one["encoding"]["color"]["scale"] == scale
    assert one["transform"] == [{"as": "_colour", "calculate": "'accent'"}]


def test_axes_write_numbers_and_months_as_the_texts_do() -> None:
    """German has a comma for the decimal and its own months; the browser's language is not asked."""
    english, german = specification("en")["config"]["locale"], specification("de")["config"]["locale"]
    assert (english["number"]["decimal"], german["number"]["decimal"]) == (".", ",")
    assert (english["time"]["shortMonths"][4], german["time"]["months"][4]) == ("May", "Mai")
    assert (english["time"]["shortDays"][0], german["time"]["days"][0]) == ("Sun", "Sonntag")


def test_charts_ask_nobody_for_more() -> None:
    """No address of any tile, font or data set is in a chart, but that of its format."""
    spec = specification("de")
    spec.pop("$schema")
    assert "http" not in json.dumps(spec)


ENGLISH = Teller(now=datetime(2026, 11, 18, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"))
OF_DAYS: dict[str, alt.Chart | alt.LayerChart] = {
    "calendar": calendar.chart(ENGLISH),
    "week": week._chart(ENGLISH, 3),
    "weeks": weeks._chart({"run": "Run"}, ENGLISH),
    "years": trend_charts.years("km", ENGLISH, has_goal=True),
    "rolling": trend_charts.rolling("km", ENGLISH),
}


@pytest.mark.parametrize("name", OF_DAYS)
def test_a_day_is_the_same_wherever_the_browser_is(name: str) -> None:
    """Labels reckon in UTC, as the days are written; tooltips have days as text, which no zone moves."""
    spec = json.dumps(OF_DAYS[name].to_dict())
    assert not re.findall(r"\b(?:date|day|datetime|timeFormat)\(", spec)
    assert not re.findall(r'"tooltip": \[[^\]]*"temporal"', spec)


def test_an_axis_of_days_names_none_twice() -> None:
    """Where a few days have ticks at hours, and a few months those of weeks, only the first of a name has it."""
    label = OF_DAYS["rolling"].to_dict()["encoding"]["x"]["axis"]["labelExpr"]
    assert "utchours(datum.value) ? ''" in label
    assert "utcdate(datum.value) <= 7 ?" in label


@pytest.mark.parametrize(("shown", "every"), [(1, 1), (8, 1), (9, 5), (60, 5), (61, 20)])
def test_some_bars_of_the_eddington_chart_have_their_distance(shown: int, every: int) -> None:
    """All of a few, which may be fewer than five; a count of days has no parts."""
    bars = eddington_chart.chart(shown, ENGLISH).to_dict()["layer"][0]["encoding"]
    assert bars["x"]["axis"]["labelExpr"].startswith(f"datum.value % {every} == 0 ?")
    assert bars["y"]["axis"]["tickMinStep"] == 1


def test_a_week_with_nothing_has_its_zero_at_the_foot() -> None:
    """An axis from 0 to 0 would stand in the middle, and write six decimals."""
    bars, _ = week._chart(ENGLISH, week.highest([], [])).to_dict()["layer"]
    assert bars["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    two = [{"weekday": 1, "hours": 1.5}, {"weekday": 1, "hours": 1.6}]
    assert [week.highest(two, [{"hours": 3.1}]), week.highest(two[:1], [{"hours": 3.1}])] == [4, 4]
    assert [week.highest(two, []), week.highest(two[:1], [{"hours": 0}])] == [4, 2]
    assert specification("en")["config"]["numberFormat"] == ",~f"
