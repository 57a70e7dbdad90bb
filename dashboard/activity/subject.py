"""The activity that the page is about: which one is asked for, and what is said where it cannot be shown."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from dashboard import address, empty_states, filters, sport_types
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page

ID = "id"  # in the address
MOST_DIGITS = 18  # of a whole number of 64 bits
UNKNOWN = N_(
    "**There is no activity {id} here.** It was never stored, was deleted before this dashboard knew it, or is another "
    "athlete's."
)
GONE = N_("This activity was deleted on Strava on {day}. Only its number is kept.")
PRIVATE = N_("**This activity is private.** On a shared view it is not shown.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One activity, a row of `activity/one`, and what is hidden of it: within `cut_m` of its ends where others look."""

    page: Page
    row: Row
    is_shared: bool
    cut_m: float

    @property
    def activity_id(self) -> int:
        """Its number."""
        return int(self.row["activity_id"])

    @property
    def name(self) -> str:
        """Its title; without one the kind of sport."""
        return str(self.row["name"] or sport_types.title(self.row["sport_type"], self.page.tell))


def asked_for(page: Page, *, is_shared: bool) -> int | None:
    """Return the activity that the address names, else the newest of the sport; None where it names none that can be.

    Without an activity of that sport there is none, either.
    """
    word = address.follow(ID, lambda _: True, "")
    if word:
        return int(word) if word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS else None
    sport = st.session_state.get("sport", filters.ALL)
    newest = page.rows("activity/newest", page.athlete_id, sport, sport, not is_shared)
    return int(newest[0]["activity_id"]) if newest else None


def choose(activity_id: int) -> None:
    """Ask for an activity; for the `on_click` of a button."""
    address.put(ID, str(activity_id), "")


def found(page: Page, activity_id: int | None, *, is_shared: bool) -> Row | None:
    """Return the row of an activity, or say why it is not shown and offer the newest."""
    rows = [] if activity_id is None else page.rows("activity/one", page.athlete_id, activity_id)
    if rows and not (is_shared and rows[0]["is_private"]):
        return rows[0]
    gone = None if rows or activity_id is None else deleted_at(page, activity_id)
    if rows:
        empty_states.info("activity-private", page.tell(PRIVATE))
    elif gone:
        empty_states.info("activity-gone", page.tell(GONE, day=page.tell.day(page.tell.here(gone).date())))
    else:
        empty_states.info("activity-unknown", page.tell(UNKNOWN, id=_named(activity_id)))
    if st.session_state[ID]:
        st.button(page.tell("Show the newest"), key="activity-newest", on_click=address.put, args=(ID, "", ""))
    return None


def deleted_at(page: Page, activity_id: int) -> datetime | None:
    """Return when an activity of the athlete was deleted; None for one that was never here."""
    rows = page.rows("activity/events", page.athlete_id, activity_id)
    deletes = [row["happened_at"] for row in rows if row["event_kind"] == "delete" and row["outcome"] == "deleted"]
    removals = [row["happened_at"] for row in rows if row["event_kind"] == "removed"]
    return max(deletes or removals) if removals else None


def _named(activity_id: int | None) -> str:
    """Return the number, or nothing where the address has none: what it has instead is not repeated."""
    return "" if activity_id is None else str(activity_id)
