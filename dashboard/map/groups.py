"""The routes that were used more than once, as a table."""

from html import escape

import streamlit as st

from dashboard import sports
from dashboard.card import MOST_LINKS, Why, card
from dashboard.formatting import small_html
from dashboard.html_table import BOTH, RIGHT, cell, html_table, link, sport_dot
from dashboard.links import activity_url
from dashboard.map.choice import Choice
from dashboard.mart import Row, Rows
from dashboard.page import Page


def show(choice: Choice, most: int) -> None:
    """Draw the card, of so many routes at the most."""
    page, tell = choice.page, choice.page.tell
    with card(page, "groups", tell("Most used routes")) as opened:
        rows = opened.rows("map/route_groups", page.athlete_id, *choice.asked, not choice.is_shared)
        opened.why = _why_groups(choice, rows)
        if not rows:
            st.markdown(tell("No route was used twice in this filter."))
            return
        heads = ((tell("Route"), ""), (tell("Times"), RIGHT), (tell("Best"), RIGHT), (tell("Last"), BOTH))
        with st.container(key="route-groups"):
            st.html(html_table(heads, (_group(page, row) for row in rows[:most]), tell))
        if (more := rows[0]["group_count"] - most) > 0:
            st.caption(tell.plural("and {n} more route", "and {n} more routes", more))


def _group(page: Page, row: Row) -> str:
    tell = page.tell
    group = row["sport_group"]
    name = escape(row["name"] or sports.title(group, tell))
    distance = f", {small_html(tell.distance(row['distance_m']))}" if row["distance_m"] else ""
    cells = (
        cell(f"{sport_dot(group, tell)}{link(activity_url(row['activity_id']), name)}{distance}", "grow"),
        cell(tell.number(row["times"]), RIGHT),
        cell(tell.clock(row["best_moving_time_s"]), RIGHT),
        cell(tell.day(row["last_day"]), BOTH),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _why_groups(choice: Choice, rows: Rows) -> Why:
    tell = choice.page.tell
    return Why(
        formula=tell(
            "Two activities are on the same route if they share at least 75 % of the tiles of zoom 17 that the larger "
            "of them passes, whichever way round. {n} routes were used more than once.",
            n=tell.number(rows[0]["group_count"] if rows else 0),
        ),
        models=["route_group"],
        excluded=[tell("Left out: routes of fewer than ten such tiles."), choice.left_out()],
        activities=[{**row, "start_date_local": row["last_day"]} for row in rows[:MOST_LINKS]],
    )
