"""The newest activities of the filter, as a table with a link to the page of each."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import chart_data, empty_states, sport_types
from dashboard.card import card
from dashboard.formatting import NOTHING, small_html
from dashboard.html_table import BOTH, RIGHT, WIDE, cell, html_table, link, sport_dot
from dashboard.links import activity_url
from dashboard.mart import Row
from dashboard.overview import load
from dashboard.page import Page

SHOWN = 7


def draw(page: Page) -> None:
    """Draw the newest first, by the clock where each began."""
    tell, asked = page.tell, page.filters
    with card(page, "latest", tell("Latest activities")) as opened:
        rows = opened.rows("overview/latest", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport)
        if not rows:
            empty_states.nothing_in_filter(page, "latest")
            return
        with st.container(key="latest-activities"):
            st.html(table(rows[:SHOWN], page))
        opened.why = load.why(rows[:SHOWN], tell)
        methods = opened.rows(
            "overview/load_coverage", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport
        )
        if methods:
            st.caption(load.coverage(methods, tell))


def table(rows: Sequence[Row], page: Page) -> str:
    """Return the activities as HTML, in which names are text."""
    tell = page.tell
    heads = (
        (tell("Activity"), ""), (tell("Start"), WIDE), (tell("Distance"), RIGHT), (tell("Time"), RIGHT),
        (tell("Pace, speed"), BOTH), (tell("Load"), BOTH),
    )  # fmt: skip
    return html_table(heads, (_row(row, page) for row in rows), tell)


def _row(row: Row, page: Page) -> str:
    tell = page.tell
    group, start = row["sport_group"], row["start_at_local"]
    dot = sport_dot(group, tell)
    name = escape(row["name"] or sport_types.title(row["sport_type"], tell))
    is_lately = start.date() > chart_data.same_day_last_year(page.today)
    distance = tell.distance(row["distance_m"]) if row["distance_m"] else NOTHING
    cells = (
        cell(f"{dot}{link(activity_url(row['activity_id']), name)}", "grow"),
        cell(f"<small>{tell.local(start, 'near' if is_lately else 'long')}</small>", WIDE),
        cell(small_html(distance), RIGHT),
        cell(tell.clock(row["moving_time_s"]), RIGHT),
        cell(small_html(tell.pace_or_speed(row)), BOTH),
        cell(tell.number(row["load"]), BOTH),
    )
    return f"<tr>{''.join(cells)}</tr>"
