"""What was reached last: firsts, records, round totals and Eddington numbers."""

import streamlit as st

from dashboard import milestones
from dashboard.card import card
from dashboard.page import Page

SHOWN = 5


def draw(page: Page) -> None:
    """Draw the newest milestones of the filter, as on Records."""
    tell, asked = page.tell, page.filters
    with card(page, "milestones", tell("Newest milestones")) as opened:
        rows = opened.rows("records/milestones", *milestones.asked(page, asked.first, asked.last))
        if not rows:
            st.caption(tell("No milestone was reached in these days."))
            return
        with st.container(key="newest-milestones"):
            st.html(milestones.milestone_list(rows[:SHOWN], tell))
        opened.why = milestones.why(rows, tell)
