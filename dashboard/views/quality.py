"""The Data quality page: which activities have something wrong, doubtful or missing, and which numbers that touches.

Below it what Strava's own totals say, beside ours.
"""

import streamlit as st

from dashboard import empty_states
from dashboard.page import Page
from dashboard.quality import chosen, summary, totals


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    left, right = st.columns([1.1, 1], gap="small")
    with left:
        found = summary.draw(page)
    if found:
        with right:
            chosen.draw(page, found)
    totals.draw(page)
