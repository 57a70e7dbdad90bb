"""The weeks of the filter, stacked by sport."""

from collections.abc import Sequence
from datetime import date, timedelta

import altair as alt
import streamlit as st

from dashboard import chart_data, charts, contributing, empty_states, sports
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.measures import MEASURES
from dashboard.overview.calendar import WEEKS
from dashboard.overview.tiles import by_week
from dashboard.page import Page

HEIGHT = 220
TIME = MEASURES["time"]


def draw(page: Page) -> None:
    """Draw moving time per ISO week; as many weeks as there is room for, the newest at the right.

    A year or more without anything at the end is left out, so that what was done before it is seen.
    """
    tell, asked = page.tell, page.filters
    with card(
        page, "weeks", tell("Weeks by sport"), tell("moving time of whole weeks, hours"), height=HEIGHT
    ) as opened:
        first, last = chart_data.monday(asked.first), chart_data.monday(asked.last)
        rows = opened.rows("overview/sums", page.athlete_id, "week", first, last, asked.sport, asked.sport)
        if not chart_data.used_groups(rows):
            empty_states.nothing_in_filter(page, "weeks")
            return
        sentence = _finding(rows, tell)
        opened.why = Why(
            formula=tell("**A bar = moving time of the activities that began in the ISO week**, Monday to Sunday.")
            + f" {sentence}",
            models=["activity_summary"],
            activities=contributing.largest(page, TIME.column, first, last + timedelta(days=6)),
        )
        titles = {sports.colour(one): sports.title(one, tell) for one in chart_data.used_groups(rows)}
        end = _end(rows)
        drawn = [row for row in rows if row["period_start_date"] <= end]
        shown = chart_data.weeks(drawn, TIME, tell)
        charts.show(page, "weeks", _chart(titles, tell), shown, alt=sentence, height=HEIGHT)
        if len(drawn) < len(rows):
            st.caption(tell("Nothing since {day}.", day=tell.day(end + timedelta(days=6))))
        opened.numbers(chart_data.week_table(rows, TIME, tell))


def _end(rows: Sequence[Row]) -> date:
    """Return the Monday of the last week to draw."""
    last: date = max(row["period_start_date"] for row in rows)
    active: date = max(row["period_start_date"] for row in rows if row["activity_count"])
    return active if last - active >= timedelta(weeks=WEEKS) else last


def _chart(titles: dict[str, str], tell: Teller) -> alt.Chart:
    colour = charts.colour("sport:N", list(titles), titles)
    return charts.stacked_weeks(11, colour, alt.Order("rank:Q"), (tell("Week"), tell("Sport"), tell("Moving time")))


def _finding(rows: Sequence[Row], tell: Teller) -> str:
    """Say in one sentence what the bars show: the sum, and the week with the most."""
    starts = sorted({row["period_start_date"] for row in rows})
    most, week = max(zip(by_week(rows, TIME), starts, strict=True))
    return tell.plural(
        "{total} in {n} week; the most was {most} in {week}.", "{total} in {n} weeks; the most was {most} in {week}.",
        len(starts), total=tell.duration(chart_data.in_all(rows, TIME)), most=tell.duration(most),
        week=chart_data.week_title(week, tell),
    )  # fmt: skip
