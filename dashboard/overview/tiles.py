"""The four numbers on top: this week's distance, time and elevation, and the form of today."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from dashboard import chart_data, formatting
from dashboard.card import Why, tile
from dashboard.form import FATIGUE_DAYS, FITNESS_DAYS, WARM_UP_DAYS, Form, before, course, share
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.measures import MEASURES, Measure
from dashboard.overview import week
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
    now = page.rows("overview/sums", page.athlete_id, "day", first, page.today, asked.sport, asked.sport)
    before = page.rows(
        "overview/sums", page.athlete_id, "day", year_ago(first), year_ago(page.today), asked.sport, asked.sport
    )
    since = first - timedelta(weeks=SPARK_WEEKS - 1)
    weeks = page.rows("overview/sums", page.athlete_id, "week", since, first, asked.sport, asked.sport)
    with st.grid(4, min_column_width=150, gap="small"):
        for name, title in TITLES.items():
            _week(page, name, page.tell(title), (now, before, weeks))
        _form(page)


def by_week(rows: Sequence[Row], measure: Measure) -> list[float]:
    """Return a measure's sum for each week of `overview/sums`, oldest first."""
    sums: dict[date, list[float]] = {}
    for row in rows:
        sums.setdefault(row["period_start_date"], []).append(float(row[measure.column]))
    return [formatting.total(sums[start]) for start in sorted(sums)]


def _week(page: Page, name: str, title: str, rows: tuple[Rows, Rows, Rows]) -> None:
    tell, measure, (now, before, weeks) = page.tell, MEASURES[name], rows
    value, year_ago = chart_data.in_all(now, measure), chart_data.in_all(before, measure)
    delta = measure.shown(abs(value - year_ago), tell)
    is_same = delta == measure.shown(0, tell)
    is_known = page.knows(chart_data.same_day_last_year(chart_data.monday(page.today)))
    if not is_known:
        delta, is_same = formatting.NOTHING, True
    with tile(page, f"kpi-{name}", week.why(page, measure, now, before if is_known else None), rows):
        st.metric(
            title,
            formatting.small(measure.shown(value, tell)),
            delta,
            delta_arrow="off" if is_same else "up" if value > year_ago else "down",
            delta_color="off" if is_same else "primary",
            delta_description=tell("year ago"),
            chart_data=by_week(weeks, measure),
            chart_type="area",
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
    with tile(page, "kpi-form", _why_form(page, yesterday, loads), [rows]):
        st.metric(
            tell("Form today"),
            tell.number(yesterday.value, signed=True) if is_known else formatting.NOTHING,
            word if is_known else tell("no load yet"),
            delta_arrow="off",
            delta_color="off",
            delta_description=tell("fitness {fitness} · fatigue {fatigue}", **told) if is_known else None,
            chart_data=[round(state.value, 1) for state in states[-SPARK_DAYS:]] or None,
        )


def _why_form(page: Page, yesterday: Form, loads: Sequence[float]) -> Why:
    """Say both averages and the loads that moved them last."""
    tell, last = page.tell, loads[-FATIGUE_DAYS:]
    first = page.today - timedelta(days=len(last))
    days = [
        f"{tell.day(first + timedelta(days=place), 'near')}: {tell.number(load)}" for place, load in enumerate(last)
    ]
    return Why(
        formula=tell(
            "**Form = yesterday's fitness - yesterday's fatigue**, of all sports = {form} (before rounding: "
            "{fitness} - {fatigue}).",
            fitness=tell.number(yesterday.fitness, 1), fatigue=tell.number(yesterday.fatigue, 1),
            form=tell.number(yesterday.value, 1, signed=True),
        ),
        inputs=[
            tell(
                "Each day fitness goes {slow} and fatigue {fast} of the way to the day's load (1 - e^(-1 ÷ days), of "
                "{fitness_days} and of {fatigue_days} days), from 0 on the day before the first activity.",
                slow=_percent(share(FITNESS_DAYS), tell), fast=_percent(share(FATIGUE_DAYS), tell),
                fitness_days=FITNESS_DAYS, fatigue_days=FATIGUE_DAYS,
            ),
            *([tell("Load of the last days: {days}.", days=" · ".join(days))] if days else []),
        ],
        models=["calendar_heat", "fct_activities"],
    )  # fmt: skip


def _percent(share_of_one: float, tell: Teller) -> str:
    return f"{tell.number(100 * share_of_one, 1)}{formatting.NARROW}%"


def band(value: float) -> str:
    """Return the word for a form."""
    return next((word for least, word in BANDS if value >= least), N_("overreaching"))
