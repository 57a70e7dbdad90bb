"""The four numbers on top: this week's distance, time and elevation, and the form of today."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from dashboard import chart_data, form, formatting
from dashboard.card import tile
from dashboard.filters import ALL
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
        form.tile_of_today(page, form.recent(page, ALL), form.Definition(), sport=ALL, decimals=0)


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
