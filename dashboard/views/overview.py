"""The Overview page: the week, the calendar, the latest activities, records and milestones, and the weeks."""

from datetime import UTC

import streamlit as st

from dashboard import empty_states, last_visit
from dashboard.overview import calendar, latest, milestones, records, since_last_visit, tiles, week, weeks
from dashboard.page import Page

WIDE = (1.55, 1)


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    tiles.draw(page)
    since_last_visit.draw(page)
    left, right = st.columns(WIDE, gap="small")
    with left:
        calendar.draw(page)
    with right:
        week.draw(page)
    left, right = st.columns(WIDE, gap="small")
    with left:
        latest.draw(page)
    with right:
        records.draw(page)
    left, right = st.columns(WIDE, gap="small")
    with left:
        weeks.draw(page)
    with right:
        milestones.draw(page)
    last_visit.remember(page.athlete_id, page.now.astimezone(UTC))
