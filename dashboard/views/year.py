"""The Year page: any year, the running one included, alone or beside another."""

import streamlit as st

from dashboard import empty_states
from dashboard.page import Page
from dashboard.year import calendars, choice, countries, mix, months, numbers, reached, tiles


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    reviewed = page.rows("year/review", page.athlete_id, page.filters.sport)
    if not reviewed:
        empty_states.nothing_in_filter(page, "year")
        return
    years = choice.draw(page, reviewed)
    tiles.draw(page, years, reviewed)
    calendars.draw(page, years)
    left, right = st.columns(2, gap="small")
    with left:
        months.draw(page, years)
        mix.draw(page, years)
        mix.draw_gear(page, years)
    with right:
        numbers.draw(page, years)
        numbers.draw_hours(page, years)
        countries.draw(page, years)
        reached.draw(page, years)
