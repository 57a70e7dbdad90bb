"""Links to other pages, which keep what the address says: filters, language, units, whose page it is."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from dashboard.html_table import link

KEPT = ("sport", "range", "dates", "lang", "units", "athlete", "shared")


def page_url(path: str, **chosen: object) -> str:
    """Return the address of a page with what is chosen there, as a page beside it names it."""
    kept = {key: st.query_params[key] for key in KEPT if key in st.query_params}
    return f"{path}?" + urlencode({**chosen, **kept})


def activity_url(activity_id: int) -> str:
    """Return the address of the page of an activity."""
    return page_url("activity", id=activity_id)


def import_link(import_id: str, text: str) -> str:
    """Return a text as HTML that leads to the report of an import."""
    return link(page_url("pipeline", **{"import": import_id}), escape(text))


def activity_link(activity_id: int, text: str, title: str = "") -> str:
    """Return a text as HTML that leads to the page of an activity."""
    return link(activity_url(activity_id), escape(text), title)
