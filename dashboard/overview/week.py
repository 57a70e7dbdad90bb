"""The running week: so far, by day and sport, against the same days of last year and the goal."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any

import altair as alt

from dashboard import chart_data, charts, contributing, sports
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.measures import MEASURES, Measure
from dashboard.overview import goals
from dashboard.page import Page

HEIGHT = 150
TIME = MEASURES["time"]
LAST_YEAR = alt.NamedData("last")
FORMULAS = {
    "distance_m": N_("**This week = distance since Monday** = {now}."),
    "moving_time_s": N_("**This week = moving time since Monday** = {now}."),
    "elevation_gain_m": N_("**This week = elevation since Monday** = {now}."),
}


def draw(page: Page) -> None:
    """Draw the week that holds today."""
    tell, first, asked = page.tell, chart_data.monday(page.today), page.filters
    last = first + timedelta(days=6)
    title = tell("Week {n}", n=first.isocalendar().week)
    with card(page, "week", title, tell.days(first, last), height=HEIGHT) as opened:
        year_ago = [chart_data.same_day_last_year(day) for day in (first, page.today, last)]
        now = opened.rows("overview/sums", page.athlete_id, "day", first, page.today, asked.sport, asked.sport)
        whole = opened.rows("overview/sums", page.athlete_id, "day", year_ago[0], year_ago[2], asked.sport, asked.sport)
        before = [row for row in whole if row["period_start_date"] <= year_ago[1]] if page.knows(year_ago[0]) else None
        goals.draw(opened, page)
        opened.why = why(page, TIME, now, before)
        ticks = [] if before is None else _ticks(whole, page)
        bars = _bars(now, tell)
        charts.show(
            page, "week", _chart(tell, highest(bars, ticks)), {"rows": bars, "last": ticks},
            alt=_finding(page, now, before), height=HEIGHT,
        )  # fmt: skip
        opened.numbers(table(now, ticks, tell))


def _bars(rows: Sequence[Row], tell: Teller) -> list[dict[str, Any]]:
    """One bar segment per day of this week and sport in which something was done."""
    return [
        {
            "weekday": row["period_start_date"].isoweekday(),
            "day": tell.day(row["period_start_date"], "long"),
            "sport": sports.colour(row["sport_group"]),
            "title": sports.title(row["sport_group"], tell),
            "rank": sports.rank(row["sport_group"]),
            "hours": TIME.amount(row["moving_time_s"], tell),
            "shown": tell.duration(row["moving_time_s"]),
        }
        for row in rows
        if row["moving_time_s"]
    ]


def _ticks(rows: Sequence[Row], page: Page) -> list[dict[str, Any]]:
    """One tick per day of this week: what was done on the same day of last year."""
    first, tell = chart_data.monday(page.today), page.tell
    ticks = []
    for day in (first + timedelta(days=number) for number in range(7)):
        year_ago = chart_data.same_day_last_year(day)
        seconds = chart_data.in_all([row for row in rows if row["period_start_date"] == year_ago], TIME)
        hours, shown = TIME.amount(seconds, tell), tell.duration(seconds)
        ticks.append({"weekday": day.isoweekday(), "day": tell.day(year_ago, "long"), "hours": hours, "shown": shown})
    return ticks


def highest(bars: Sequence[Mapping[str, Any]], ticks: Sequence[Mapping[str, Any]]) -> int:
    """Return the whole hours that hold every day of both years, one at the least."""
    days = defaultdict[int, float](float)
    for bar in bars:
        days[bar["weekday"]] += bar["hours"]
    hours: list[float] = [*days.values(), *(tick["hours"] for tick in ticks)]
    return ceil(max([1.0, *hours]))


def table(now: Sequence[Row], ticks: Sequence[Mapping[str, Any]], tell: Teller) -> list[dict[str, str]]:
    """Return the numbers behind the bars, the newest day first, with the same day of last year where there is one."""
    before = {tick["weekday"]: {tell("A year before"): tick["shown"]} for tick in ticks}
    return [
        {tell("Day"): tell.day(day, "long"), **cells, **before.get(day.isoweekday(), {})}
        for day, cells in chart_data.table(now, TIME, tell).items()
    ]


def _chart(tell: Teller, most_hours: int) -> alt.LayerChart:
    """Draw bars and ticks. The scale has its end from here: Vega finds none in a layer without a row."""
    weekday = "utcFormat(utc(2024, 0, datum.value), '%a')"  # 1 January 2024 is a Monday
    x = alt.X("weekday:O", scale=alt.Scale(domain=list(range(1, 8))), axis=alt.Axis(labelAngle=0, labelExpr=weekday))
    hours = alt.Scale(domain=[0, most_hours])
    y = alt.Y("hours:Q", stack="zero", axis=alt.Axis(tickCount=3), scale=hours)
    day, shown = alt.Tooltip("day:N", title=tell("Day")), alt.Tooltip("shown:N", title=tell("Moving time"))
    colour = charts.colour("sport:N")
    bars = (
        alt.Chart(charts.ROWS)
        .mark_bar()
        .encode(
            x=x, y=y, color=colour, order="rank:Q",
            tooltip=[day, alt.Tooltip("title:N", title=tell("Sport")), shown],
        )
    )  # fmt: skip
    ticks = (
        alt.Chart(LAST_YEAR)
        .transform_filter("datum.hours > 0")
        .mark_tick(thickness=2, size=24)
        .encode(x=x, y=alt.Y("hours:Q", scale=hours), color=charts.named("last"), tooltip=[day, shown])
    )
    return alt.LayerChart(layer=[bars, ticks])


def _finding(page: Page, now: Sequence[Row], before: Sequence[Row] | None) -> str:
    """Say the week, and the year before where there is one."""
    tell = page.tell
    if before is None:
        return tell("{now} this week so far.", now=tell.duration(chart_data.in_all(now, TIME)))
    return tell(
        "{now} this week so far; {before} on the same days of last year.",
        now=tell.duration(chart_data.in_all(now, TIME)),
        before=tell.duration(chart_data.in_all(before, TIME)),
    )


def why(page: Page, measure: Measure, now: Sequence[Row], before: Sequence[Row] | None) -> Why:
    """Say what was added up of the days of this week, and with which days of last year it is compared."""
    tell, first = page.tell, chart_data.monday(page.today)
    formula = tell(FORMULAS[measure.column], now=measure.shown(chart_data.in_all(now, measure), tell))
    inputs = []
    if before is not None:
        formula += " " + _compared(page, measure, now, before)
        inputs = [tell("The same day of last year has the same month and day; 29 February is compared with the 28th.")]
    return Why(
        formula=formula,
        inputs=inputs,
        models=["activity_summary", "goal_progress"] if measure is TIME else ["activity_summary"],
        activities=contributing.largest(page, measure.column, first, page.today),
    )


def _compared(page: Page, measure: Measure, now: Sequence[Row], before: Sequence[Row]) -> str:
    tell, first = page.tell, chart_data.monday(page.today)
    value, year_ago = chart_data.in_all(now, measure), chart_data.in_all(before, measure)
    return tell(
        "On {days} it was {before}: {difference} {more_or_less}.",
        before=measure.shown(year_ago, tell),
        days=tell.days(chart_data.same_day_last_year(first), chart_data.same_day_last_year(page.today)),
        difference=measure.shown(abs(value - year_ago), tell),
        more_or_less=tell("more") if value >= year_ago else tell("less"),
    )
