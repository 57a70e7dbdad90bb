"""The records that fell last: what, when, and how much was gained."""

import streamlit as st

from dashboard import filters
from dashboard.best_efforts import distance_name
from dashboard.card import Why, card
from dashboard.formatting import plain
from dashboard.html_table import sport_dot
from dashboard.languages import N_
from dashboard.links import activity_link
from dashboard.mart import Row
from dashboard.page import Page


def draw(page: Page) -> None:
    """Draw the five newest of the filter; a first time over a distance improves on nothing."""
    tell, asked = page.tell, page.filters
    with card(page, "records", tell("Newest records")) as opened:
        rows = opened.rows(
            "overview/newest_records", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport
        )
        if not rows:
            is_measured = asked.sport in {filters.ALL, "run", "ride"}
            none = N_("Best efforts are measured in runs and rides only.")
            st.caption(tell(N_("No record was beaten in these days.") if is_measured else none))
            return
        newest = rows[0]
        opened.why = Why(
            formula=tell(
                "**A record = faster over the distance than every effort before it**, by elapsed time. {effort}: "
                "{time}, before it {before}.",
                effort=distance_name(newest["effort_name"], tell), time=plain(tell.clock(newest["elapsed_time_s"])),
                before=plain(tell.clock(newest["previous_time_s"])),
            ),
            excluded=[
                tell(
                    "Excluded are efforts made indoors, with a motor, typed in by hand, or that cannot be true; the "
                    "page Records lists each with its reason."
                )
            ],
            models=["record_progression", "record_best_effort"],
            activities=rows,
        )  # fmt: skip
        with st.container(key="newest-records"):
            st.html(f'<ul class="ad-list" lang="{tell.language}">{"".join(_item(row, page) for row in rows)}</ul>')


def _item(row: Row, page: Page) -> str:
    tell = page.tell
    told = tell(
        "{time} on {day}, {gain} faster", time=tell.clock(row["elapsed_time_s"]),
        day=tell.day(row["start_date_local"]), gain=tell.clock(row["improvement_s"]),
    )  # fmt: skip
    effort = activity_link(row["activity_id"], distance_name(row["effort_name"], tell), row["name"] or "")
    return f"<li>{sport_dot(row['sport_group'], tell)}{effort}<small>{told}</small></li>"
