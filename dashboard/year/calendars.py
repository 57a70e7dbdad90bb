"""The calendars of the years, one below the other: one colour is one amount in both."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboard import charts, contributing
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.overview import calendar
from dashboard.page import Page
from dashboard.year.choice import Years

HEIGHT = 150
LEAST = 5  # pixels of a week: a year fits on a phone


def draw(page: Page, years: Years) -> None:
    """Draw every day of each year, darker where more was done."""
    tell, asked = page.tell, page.filters
    with card(page, "year-calendar", tell("Calendar"), tell("moving time per day"), height=HEIGHT) as opened:
        told, every = [], []
        for row in years.rows:
            first, last = date(int(row["year"]), 1, 1), date(int(row["year"]), 12, 31)
            days = opened.rows("overview/calendar", page.athlete_id, asked.sport, first, last)
            cells, sentence = calendar.cells(days, tell), streak(row, tell)
            drawn = calendar.chart(tell, len({cell["week"] for cell in cells}), LEAST)
            with st.container(key=f"year-days-{row['year']}", gap=None):
                st.markdown(f"**{row['year']}**")
                alt = f"{row['year']}: {sentence}"
                charts.show(page, f"days-{row['year']}", drawn, cells, alt=alt, height=HEIGHT)
                st.caption(sentence)
            told.append(f"{row['year']}: {sentence}")
            every += calendar.table(days, tell)
        opened.numbers(every)
        opened.why = _why(page, years, told)


def streak(row: Row, tell: Teller) -> str:
    """Say how many days were active, and the longest run of them."""
    active = tell.plural(
        "{n} active day of {all}",
        "{n} active days of {all}",
        row["active_day_count"],
        all=tell.number(row["day_count"]),
    )
    if not row["longest_streak_days"]:
        return active
    days = tell.days(row["longest_streak_start_date"], row["longest_streak_end_date"])
    longest = tell.plural(
        "longest streak {n} day, {days}", "longest streak {n} days, {days}", row["longest_streak_days"], days=days
    )
    return f"{active} · {longest}"


def _why(page: Page, years: Years, told: Sequence[str]) -> Why:
    tell = page.tell
    return Why(
        formula=tell(
            "**Colour = the fifth in which the day's moving time lies** among all days of this athlete and sport with "
            "anything, of all years, so that both calendars have one scale."
        )
        + " "
        + ". ".join(told)
        + ".",
        inputs=[
            tell("In the year of the first activity days count from that one on. A streak is one within its year."),
        ],
        models=["calendar_heat", "year_review"],
        activities=contributing.largest(page, "moving_time_s", *years.span),
    )
