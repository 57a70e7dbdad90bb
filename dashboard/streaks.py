"""Runs of days, weeks and months with an activity: the current one, the longest, and those next to it."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import contributing, empty_states
from dashboard.card import Why, card
from dashboard.formatting import NOTHING, Teller
from dashboard.html_table import RIGHT, cell, html_table
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page

TITLES = {"day": N_("Days"), "week": N_("Weeks"), "month": N_("Months")}
AT_RISK = {"day": N_("nothing yet today"), "week": N_("nothing yet this week"), "month": N_("nothing yet this month")}


def draw(page: Page, period: str, note: str) -> None:
    """Draw the card for all time or a year."""
    tell = page.tell
    with card(page, "streaks", tell("Streaks"), note) as opened:
        asked = page.athlete_id, page.filters.sport, period
        rows = opened.rows("records/streaks", *asked)
        if not rows:
            empty_states.nothing_in_filter(page, "streaks")
            return
        with st.container(key="streaks"):
            st.html(table(rows, page))
        runs = opened.rows("records/streak_runs", *asked)
        with st.expander(tell("The longest runs"), type="compact"), st.container(key="streak-runs"):
            st.html(runs_table(runs, tell))
        opened.why = _why(page, rows[0])


def table(rows: Sequence[Row], page: Page) -> str:
    """Return a line for days, weeks and months as HTML: how many in a row now, and at the most."""
    tell = page.tell
    heads = [("", ""), (tell("Now"), RIGHT), (tell("Longest"), RIGHT)]
    lines = [
        f'<tr><th scope="row">{escape(tell(TITLES[row["period_kind"]]))}</th>'
        f"{cell(_with_small(row['current_length'], _now(row, page), tell), RIGHT)}"
        f"{cell(_with_small(row['longest_length'], _longest(row, tell), tell), RIGHT)}</tr>"
        for row in rows
    ]
    return html_table(heads, lines, tell, "ad-t ad-two")


def _with_small(length: int, below: str, tell: Teller) -> str:
    return f'{tell.number(length)}<small class="ad-when">{escape(below)}</small>'


def _now(row: Row, page: Page) -> str:
    """Say since when the current run goes on, and whether it ends unless something is done."""
    tell = page.tell
    if not row["current_length"]:
        return NOTHING
    since = tell("since {day}", day=tell.day(row["current_start_date"]))
    if (last := page.told_until) < page.today:
        return f"{since}, {tell('as of {day}', day=tell.day(last))}"
    return f"{since}, {tell(AT_RISK[row['period_kind']])}" if row["is_at_risk"] else since


def _longest(row: Row, tell: Teller) -> str:
    return tell.days(row["longest_start_date"], row["longest_end_date"])


def runs_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the longest runs as HTML, those of days first; the one that goes on is marked."""
    heads = [(tell("Run of"), ""), (tell("From, to"), "grow"), (tell("Length"), RIGHT)]
    lines = []
    for row in rows:
        days = escape(tell.days(row["start_date"], row["end_date"]))
        goes_on = f' <span class="ad-new">{escape(tell("now"))}</span>' if row["is_current"] else ""
        cells = cell(escape(tell(TITLES[row["period_kind"]]))), cell(days + goes_on, "grow")
        lines.append(f"<tr>{''.join(cells)}{cell(tell.number(row['length']), RIGHT)}</tr>")
    return html_table(heads, lines, tell)


def _why(page: Page, of_days: Row) -> Why:
    tell, span = page.tell, (of_days["longest_start_date"], of_days["longest_end_date"])
    return Why(
        formula=tell.plural(
            "**A streak = days, weeks or months in a row with an activity.** The longest of days has {n} day, {days}.",
            "**A streak = days, weeks or months in a row with an activity.** The longest of days has {n} days, {days}.",
            of_days["longest_length"], days=tell.days(*span),
        ),
        inputs=[
            tell(
                "A day is that of the clock where the activity began, a week is from Monday to Sunday. A streak breaks "
                "after a whole day, week or month without any."
            ),
            tell("Listed are the activities of the longest run of days."),
        ],
        models=["streak", "streak_run"],
        activities=contributing.largest(page, "moving_time_s", *span),
    )  # fmt: skip
