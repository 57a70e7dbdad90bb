"""What happened to the activity: each event that Strava sent of it, and what that changed."""

from html import escape

import streamlit as st

from dashboard import sport_types
from dashboard.activity.subject import Subject
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row

KINDS = {
    "create": N_("saved on Strava"),
    "update": N_("changed on Strava"),
    "delete": N_("deleted on Strava"),
    "stored": N_("as it is here now"),
    "removed": N_("removed here"),
}
OUTCOMES = {
    "stored": N_("stored"),
    "unchanged": N_("nothing new: what it tells was stored already"),
    "deleted": N_("removed, but for its number"),
    "deferred": N_("waits"),
    "parked": N_("parked; see Pipeline"),
    "ignored": N_("ignored"),
    "purged": N_("purged"),
}


def draw(subject: Subject) -> None:
    """Draw the events in their order, and whence what is here came."""
    page, tell = subject.page, subject.page.tell
    with card(page, "activity-events", tell("What happened to it"), tell("events and edits")) as opened:
        rows = opened.rows("activity/events", page.athlete_id, subject.activity_id)
        opened.why = Why(
            formula=tell(
                "An event is what Strava sends when an activity is saved, changed or deleted. It tells of a new title, "
                "sport or visibility; of a crop or other gear Strava tells nothing, and the daily check finds it."
            ),
            inputs=[tell("What an activity was called before is not kept.")],
            models=["activity_event", "event_latency"],
        )
        if not any(row["event_kind"] in {"create", "update", "delete"} for row in rows):
            st.markdown(tell("No event told of it: it came with the history, a check or an import."))
        with st.container(key="activity-events-list"):
            items = "".join(_item(row, tell) for row in rows)
            st.html(f'<ul class="ad-list" lang="{tell.language}">{items}</ul>')


def _item(row: Row, tell: Teller) -> str:
    parts = [tell(OUTCOMES[row["outcome"]])] if row["outcome"] in OUTCOMES else []
    parts += _changes(row, tell)
    if row["save_to_raw_s"] is not None:
        parts.append(tell("stored {time} after the save", time=tell.latency(row["save_to_raw_s"])))
    if row["is_on_chart"]:
        parts.append(tell("in the charts after {time}", time=tell.latency(row["save_to_chart_s"])))
    when, what = tell.moment(row["happened_at"]), tell(KINDS[row["event_kind"]])
    return f"<li>{escape(when)} {escape(what)}<small>{escape(' · '.join(parts))}</small></li>"


def _changes(row: Row, tell: Teller) -> list[str]:
    changes = [tell("renamed")] if row["is_renamed"] else []
    if row["new_sport_type"]:
        changes.append(tell("sport changed to {sport}", sport=sport_types.title(row["new_sport_type"], tell)))
    if row["is_made_private"] is not None:
        changes.append(tell("made private") if row["is_made_private"] else tell("no longer private"))
    return changes
