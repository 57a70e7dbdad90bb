"""What the pages say when there is nothing to show, or nothing new: what is missing, and what to do.

Each is one sentence in the place of what is missing; the texts are translated where they are shown.
"""

import streamlit as st

from dashboard import filters
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.page import Page

NO_MART = N_(
    "**No data yet.** Run `athlete demo` to watch a simulated athlete, or `athlete up` to bring in your own "
    "activities. While one of them is running, the first charts are on their way: they will show by themselves."
)
DAMAGED = N_(
    "**The published marts are damaged.** `athlete up` builds them again by itself within a minute; where it "
    "is not running, run `athlete transform`. What Strava sent is kept elsewhere and is not touched."
)
NO_ATHLETE = N_(
    "**No athlete is connected yet.** Run `athlete connect` to connect your Strava account, "
    "or `athlete demo` for a simulated one."
)
NOT_A_VIEWER = N_(
    "**No athlete is shown to you.** Ask who runs this dashboard to add your e-mail to DASHBOARD_VIEWERS, with the "
    "athletes whom you may see."
)
NO_ACTIVITIES = N_(
    "**No activities yet.** They appear here seconds after you save them on Strava, while `athlete up` is running. "
    "`athlete demo` shows how that looks."
)
NO_EVENTS = N_(
    "**No events yet.** Strava has not told us of a save since this warehouse was made. While `athlete up` (or "
    "`athlete demo`) is running, save, rename or delete an activity: it should be here within seconds."
)
LATE = N_("**Not renewed since {since}.** Newer activities may be missing. Look at Pipeline.")
OWN_FILE_REFUSED = N_("**athlete.toml is not taken.** What it said before stays in force until it is corrected.")
BUSY = N_("The warehouse is busy. This page tries again in {seconds} s.")
MISFIT = N_("These numbers were built by another version. Run `athlete transform`.")
CARD_FAILED = N_(
    "This card could not be drawn. The others are not affected. `dashboard.card_failed` in the log says why."
)


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


def nothing_in_filter(page: Page, key: str) -> None:
    """Say in a card that the filter leaves nothing, when there was something, and offer all days.

    Where it leaves activities, they lack what the card shows, such as a distance or a route.
    """
    tell, asked = page.tell, page.filters
    said = tell("Nothing for **{sport}** in **{dates}**.", sport=asked.sport_title(tell), dates=asked.range_title(tell))
    done = [row for row in page.done if asked.sport in {filters.ALL, row["sport_group"]}]
    lasts = [row["last_day"] for row in done]
    if any(asked.first <= row[end] <= asked.last for row in done for end in ("first_day", "last_day")):
        lasts = []
        said = tell(
            "The activities of **{sport}** in **{dates}** have nothing to show here.",
            sport=asked.sport_title(tell), dates=asked.range_title(tell),
        )  # fmt: skip
    if lasts:
        said += " " + tell("The last one was on {day}.", day=tell.day(max(lasts)))
    with st.container(key=f"nothing-{key}", gap="xsmall"):
        st.markdown(said)
        if asked.range != "all" and lasts:
            st.button(tell("Show all time"), key=f"all-{key}", type="tertiary", on_click=filters.show_all_time)


def busy(tell: Teller, refresh_s: float) -> None:
    """Say that the warehouse does not answer just now."""
    warning("warehouse-busy", tell(BUSY, seconds=tell.number(refresh_s)))
