"""The Gear page: every bike and pair of shoes with its use and cost, what needs a service, and the months."""

import streamlit as st

from dashboard.gear import months, services, table
from dashboard.page import Page


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    pieces = table.draw(page)
    if not pieces:
        return
    left, right = st.columns([1.55, 1], gap="small")
    with left:
        months.draw(page, pieces)
    with right:
        services.draw(page)
