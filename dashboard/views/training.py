"""The Training page: fitness, fatigue and form, what the load is made of, and what it is reckoned with."""

import streamlit as st

from dashboard import empty_states, form
from dashboard.page import Page
from dashboard.training import audit, course, history, methods, power, strain, tiles, zones


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    definition = form.chosen()
    tiles.draw(page, definition)
    course.draw(page, definition)
    left, right = st.columns(2, gap="small")
    with left:
        methods.draw(page)
    with right:
        strain.draw(page)
    left, right = st.columns(2, gap="small")
    with left:
        zones.draw(page)
    with right:
        power.draw(page)
    left, right = st.columns([1.55, 1], gap="small")
    with left:
        audit.draw(page)
    with right:
        history.draw(page)
