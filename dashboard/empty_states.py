"""What the pages say when there is nothing to show, or nothing new: what is missing, and what to do."""

import streamlit as st


def no_mart() -> None:
    """Nothing was ever built."""
    with st.container(key="empty-no-mart"):
        st.info(
            "**No data yet.** Run `athlete demo` to watch a simulated athlete, or `athlete up` to bring in your own "
            "activities. While one of them is running, the first charts are on their way: they will show by themselves."
        )


def damaged() -> None:
    """The published file cannot be read."""
    with st.container(key="marts-damaged"):
        st.warning(
            "**The published marts are damaged.** `athlete up` builds them again by itself within a minute; where it "
            "is not running, run `athlete transform`. What Strava sent is kept elsewhere and is not touched."
        )


def no_athlete() -> None:
    """The marts are there, but nobody is connected."""
    with st.container(key="empty-no-athlete"):
        st.info(
            "**No athlete is connected yet.** Run `athlete connect` to connect your Strava account, "
            "or `athlete demo` for a simulated one."
        )


def no_activities() -> None:
    """Somebody is connected, but has no activity."""
    with st.container(key="empty-no-activities"):
        st.info(
            "**No activities yet.** They appear here by themselves, seconds after they are saved on Strava, while "
            "`athlete up` is running. Run `athlete demo` to see how that looks."
        )


def no_events() -> None:
    """No event was heard so far."""
    with st.container(key="empty-no-events"):
        st.info(
            "**No events yet.** Strava has not told us of a save since this warehouse was made. While `athlete up` (or "
            "`athlete demo`) is running, save, rename or delete an activity: it should be here within seconds."
        )


def late(since: str) -> None:
    """The marts are shown, but were not built again when they should have been."""
    with st.container(key="charts-late"):
        st.warning(
            f"**The charts have not been renewed since {since}**, although they are due every full hour. What was "
            "saved on Strava since then may be missing. Look at the log of the transformer."
        )


def busy() -> None:
    """The warehouse could not be read just now."""
    with st.container(key="warehouse-busy"):
        st.warning("The warehouse is busy just now. This page will try again by itself.")


def misfit(reason: str = "") -> None:
    """The marts were built by another version of the program; the reason is the engine's, if it gave one."""
    with st.container(key="marts-misfit"):
        st.warning(
            "The marts do not fit this page: another version built them. Run `athlete transform` to rebuild them."
        )
        if reason:
            st.text(reason)
