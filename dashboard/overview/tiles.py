"""The four numbers on top: this week's distance, time and elevation, and the form of today."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from dashboard import chart_data, formatting
from dashboard.form import WARM_UP_DAYS, Form, before, course
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.measures import MEASURES, Measure
from dashboard.page import Page

TITLES = {
    "distance": N_("Distance this week"),
    "time": N_("Time this week"),
    "elevation": N_("Elevation this week"),
}
SPARK_WEEKS = 12
SPARK_DAYS = 90
# Bands of form for display; nothing of physiology is proven by them.
BANDS = ((25, N_("very fresh")), (10, N_("fresh")), (-10, N_("neutral")), (-30, N_("building")))


def draw(page: Page) -> None:
    """Draw the tiles of the running week and of today's form."""
    first, asked = chart_data.monday(page.today), page.filters
    year_ago = chart_data.same_day_last_year
    now = page.rows("overview/days", page.athlete_id, first, page.today, asked.sport, asked.sport)
    before = page.rows(
        "overview/days", page.athlete_id, year_ago(first), year_ago(page.today), asked.sport, asked.sport
    )
    since = first - timedelta(weeks=SPARK_WEEKS - 1)
    weeks = page.rows("overview/weeks", page.athlete_id, since, first, asked.sport, asked.sport)
    with st.grid(4, min_column_width=150, gap="small"):
        for name, title in TITLES.items():
            with st.container(key=f"kpi-{name}", height="stretch"):
                _week(page, page.tell(title), MEASURES[name], (now, before, weeks))
        with st.container(key="kpi-form", height="stretch"):
            _form(page)


def by_week(rows: Sequence[Row], measure: Measure) -> list[float]:
    """Return a measure's sum for each week of `overview/weeks`, oldest first."""
    sums: dict[date, list[float]] = {}
    for row in rows:
        sums.setdefault(row["week_start_date"], []).append(float(row[measure.column]))
    return [formatting.total(sums[start]) for start in sorted(sums)]


def _week(page: Page, title: str, measure: Measure, rows: tuple[Sequence[Row], Sequence[Row], Sequence[Row]]) -> None:
    tell, (now, before, weeks) = page.tell, rows
    value, year_ago = chart_data.in_all(now, measure), chart_data.in_all(before, measure)
    delta = measure.shown(abs(value - year_ago), tell)
    is_same = delta == measure.shown(0, tell)
    if not page.knows(chart_data.same_day_last_year(chart_data.monday(page.today))):
        delta, is_same = formatting.NOTHING, True
    st.metric(
        title,
        formatting.small(measure.shown(value, tell)),
        delta,
        delta_arrow="off" if is_same else "up" if value > year_ago else "down",
        delta_color="off" if is_same else "primary",
        delta_description=tell("year ago"),
        chart_data=by_week(weeks, measure),
        chart_type="area",
        border=True,
        height="stretch",
    )


def _form(page: Page) -> None:
    """Draw how fresh today began: yesterday's fitness minus yesterday's fatigue, as far as load is there."""
    tell, rows = page.tell, page.rows("overview/loads", page.athlete_id)
    loads = before(page.today, {row["date_day"]: float(row["load"] or 0) for row in rows})
    states = course(loads)
    yesterday = states[-1] if states else Form(0.0, 0.0)
    word = tell(band(yesterday.value)) if len(states) >= WARM_UP_DAYS else tell("warming up")
    told = {"fitness": tell.number(yesterday.fitness, 1), "fatigue": tell.number(yesterday.fatigue, 1)}
    is_known = any(row["load"] for row in rows)
    st.metric(
        tell("Form today"),
        tell.number(yesterday.value, signed=True) if is_known else formatting.NOTHING,
        word if is_known else tell("no load yet"),
        delta_arrow="off",
        delta_color="off",
        delta_description=tell("fitness {fitness} · fatigue {fatigue}", **told) if is_known else None,
        chart_data=[round(state.value, 1) for state in states[-SPARK_DAYS:]] or None,
        border=True,
        height="stretch",
        help=tell(
            "Yesterday's fitness minus yesterday's fatigue: the averages of the daily load over 42 and over 7 days, of "
            "all sports."
        ),
    )


def band(value: float) -> str:
    """Return the word for a form."""
    return next((word for least, word in BANDS if value >= least), N_("overreaching"))
