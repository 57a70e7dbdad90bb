"""The SQL page: a reader's own questions to mart, read-only, with the tables beside and a chart of the answer."""

import streamlit as st

from dashboard.page import Page
from dashboard.sql import answer, box, tables


def show(page: Page) -> None:
    """Draw the page. It is not there where a reader may not see every athlete or home: nothing is left out here."""
    console = page.context.console
    if console is None:
        return
    left, right = st.columns([1.4, 1], gap="small")
    with left:
        box.draw(page, console)
        answer.draw(page)
    with right:
        tables.draw(page)
