"""The newest activities of the filter, as a table with a link to each on Strava."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import chart_data, empty_states, sport_types, sports
from dashboard.card import card
from dashboard.formatting import NOTHING, small_html
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
        (tell("Activity"), ""), (tell("Start"), "wide"), (tell("Distance"), "n"), (tell("Time"), "n"),
        (tell("Pace, speed"), "n wide"), (tell("Load"), "n wide"),
    )  # fmt: skip
    head = "".join(f'<th scope="col" class="{kind}">{text}</th>' for text, kind in heads)
    body = "".join(_row(row, page) for row in rows)
    return f'<table class="ad-t" lang="{tell.language}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(row: Row, page: Page) -> str:
    tell = page.tell
    group, start = row["sport_group"], row["start_at_local"]
    title = escape(sports.title(group, tell))
    dot = f'<span class="ad-dot ad-{sports.colour(group)}" role="img" aria-label="{title}" title="{title}"></span>'
    name = escape(row["name"] or sport_types.title(row["sport_type"], tell))
    is_lately = start.date() > chart_data.same_day_last_year(page.today)
    distance = tell.distance(row["distance_m"]) if row["distance_m"] else NOTHING
    cells = (
        ("wide", f"<small>{tell.local(start, 'near' if is_lately else 'long')}</small>"),
        ("n", small_html(distance)),
        ("n", tell.clock(row["moving_time_s"])),
        ("n wide", small_html(tell.pace_or_speed(row))),
        ("n wide", tell.number(row["load"])),
    )
    first = f'<td class="grow">{dot}<a href="{escape(row["strava_url"])}">{name}</a></td>'
    rest = "".join(f'<td class="{kind}">{text}</td>' for kind, text in cells)
    return f"<tr>{first}{rest}</tr>"
