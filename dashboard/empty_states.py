"""What the pages say when there is nothing to show, or nothing new: what is missing, and what to do."""

import streamlit as st

NO_MART = (
    "**No data yet.** Run `athlete demo` to watch a simulated athlete, or `athlete up` to bring in your own "
    "activities. While one of them is running, the first charts are on their way: they will show by themselves."
)
DAMAGED = (
    "**The published marts are damaged.** `athlete up` builds them again by itself within a minute; where it "
    "is not running, run `athlete transform`. What Strava sent is kept elsewhere and is not touched."
)
NO_ATHLETE = (
    "**No athlete is connected yet.** Run `athlete connect` to connect your Strava account, "
    "or `athlete demo` for a simulated one."
)
NOT_A_VIEWER = (
    "**No athlete is shown to you.** Ask who runs this dashboard to add your e-mail to DASHBOARD_VIEWERS, with the "
    "athletes whom you may see."
)
NO_ACTIVITIES = (
    "**No activities yet.** They appear here by themselves, seconds after they are saved on Strava, while "
    "`athlete up` is running. Run `athlete demo` to see how that looks."
)
NO_EVENTS = (
    "**No events yet.** Strava has not told us of a save since this warehouse was made. While `athlete up` (or "
    "`athlete demo`) is running, save, rename or delete an activity: it should be here within seconds."
)
LATE = (
    "**The charts have not been renewed since {since}**, although they are due every full {unit}. What was "
    "saved on Strava since then may be missing. Look at the log of the transformer."
)
BUSY = "The warehouse is busy just now. This page will try again by itself."
MISFIT = "The marts do not fit this page: another version built them. Run `athlete transform` to rebuild them."


def info(key: str, text: str) -> None:
    """Say what is not there yet; the key is the hook for tests."""
    with st.container(key=key):
        st.info(text)


def warning(key: str, text: str, reason: str = "") -> None:
    """Say what is wrong; the reason is the engine's, word for word."""
    with st.container(key=key):
        st.warning(text)
        if reason:
            st.text(reason)
