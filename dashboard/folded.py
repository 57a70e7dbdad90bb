"""A long list as HTML: its first rows, and the others behind one line."""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.formatting import Teller
from dashboard.mart import Row


def show(key: str, rows: Sequence[Row], most: int, html: Callable[[Sequence[Row]], str], tell: Teller) -> None:
    """Draw at most so many rows in a container of that key, and what is left in an expander below it."""
    with st.container(key=key):
        st.html(html(rows[:most]))
    if rest := rows[most:]:
        with st.expander(tell.plural("{n} more", "{n} more", len(rest)), type="compact"):
            st.html(html(rest))
