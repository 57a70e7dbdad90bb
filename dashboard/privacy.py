"""Whether others look on, and what is then hidden: private activities, and what is near either end of a route."""

import streamlit as st

from dashboard import address
from dashboard.page import Page

SHARED_RADIUS_M = 200.0


def is_shared(page: Page) -> bool:
    """Return whether others may look; where only the athlete does, draw the switch that shows what others would see.

    The switch stays on until the reader turns it off, on other pages and in a link too: what others may look at has no
    name of a private activity on any page, and no page SQL.
    """
    if page.context.viewers is not None:
        return True
    tell = page.tell
    st.session_state["map-shared"] = page.context.is_shown_to_others
    return st.toggle(
        tell("Shared view"), key="map-shared", on_change=_switched,
        help=tell("As others may see it: home and private activities are hidden."),
    )  # fmt: skip


def is_switched_on() -> bool:
    """Whether the reader has switched the shared view on, here or on another page."""
    return address.follow("shared", ("0", "1").__contains__, "0") == "1"


def cut_m(page: Page, *, shared: bool) -> float:
    """Return within how many metres of its ends a route is left out."""
    radius = page.context.privacy_radius_m
    return radius if radius is not None else SHARED_RADIUS_M if shared else 0.0


def _switched() -> None:
    address.put("shared", "1" if st.session_state["map-shared"] else "0", "0")
