"""What was reached in the year: firsts, records and round totals, the newest first."""

from datetime import date

import streamlit as st

from dashboard import folded, milestones
from dashboard.card import Why, card
from dashboard.formatting import plain
from dashboard.page import Page
from dashboard.year.choice import Years

SHOWN = 10


def draw(page: Page, years: Years) -> None:
    """Draw the milestones of the year shown, as on Records."""
    tell, year = page.tell, int(years.shown["year"])
    with card(page, "year-reached", tell("Firsts, records, milestones"), str(year)) as opened:
        rows = opened.rows("records/milestones", *milestones.asked(page, date(year, 1, 1), date(year, 12, 31)))
        if not rows:
            st.markdown(tell("Nothing of that in {year}.", year=year))
            return
        folded.show("year-reached", rows, SHOWN, lambda some: milestones.milestone_list(some, tell), tell)
        opened.why = Why(
            formula=tell(
                "What happened in {year} for the first time: a sport, a piece of gear, a record over a distance, a "
                "round total of all time, days in a row, an Eddington number. The newest: {newest}, {day}.",
                year=year, newest=plain(milestones.milestone_text(rows[0], tell)), day=tell.day(rows[0]["reached_on"]),
            ),
            models=["milestone"],
            activities=milestones.reached_by(rows),
        )  # fmt: skip
