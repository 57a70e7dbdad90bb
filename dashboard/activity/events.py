"""What happened to the activity: each event that Strava sent of it, and what that changed."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from html import escape
from itertools import groupby
from operator import itemgetter

import streamlit as st

from dashboard import activity_changes, sport_types
from dashboard.activity.subject import Subject
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row, in_utc

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
        changes = opened.rows("activity/changes", page.athlete_id, subject.activity_id)
        opened.why = Why(
            formula=tell(
                "An event is what Strava sends when an activity is saved, changed or deleted. It tells of a new title, "
                "sport or visibility; of a crop or other gear Strava tells nothing, and the daily check finds it."
            ),
            inputs=[
                tell(
                    "What an edit changed is told from the version on that keeps it, until the activity is deleted; "
                    "earlier values are not known."
                )
            ],
            models=["activity_event", "event_latency", "change_log"],
        )
        if not any(row["event_kind"] in {"create", "update", "delete"} for row in rows):
            st.markdown(tell("No event told of it: it came with the history, a check or an import."))
        with st.container(key="activity-events-list"):
            items = "".join(item for _, item in in_order(rows, changes, subject))
            st.html(f'<ul class="ad-list" lang="{tell.language}">{items}</ul>')


def in_order(events: Sequence[Row], changes: Sequence[Row], subject: Subject) -> list[tuple[datetime, str]]:
    """Return a line for each event, with what it changed, and for each moment of a change without one."""
    tell = subject.page.tell
    gear = activity_changes.gear_names(subject.page, changes)
    told_of = partial(activity_changes.told_html, tell=tell, gear=gear, is_shared=subject.is_shared)
    known = {event["event_id"] for event in events if event["event_id"] is not None}
    alone = [change for change in changes if change["event_id"] not in known]
    lines = [
        (in_utc(event["happened_at"]), _item(event, [told_of(each) for each in changes if _is_of(each, event)], tell))
        for event in events
    ]
    for at, together in groupby(alone, key=lambda change: in_utc(change["changed_at"]).replace(microsecond=0)):
        some = list(together)
        source = activity_changes.SOURCES.get(some[0]["source"], N_("changed"))
        told = " · ".join(map(told_of, some))
        lines.append((at, f"<li>{escape(f'{tell.moment(at)} {tell(source)}')}<small>{told}</small></li>"))
    return sorted(lines, key=itemgetter(0))


def _is_of(change: Row, event: Row) -> bool:
    return event["event_id"] is not None and (change["change_kind"], change["event_id"]) == (
        "changed",
        event["event_id"],
    )


def _item(row: Row, changed: Sequence[str], tell: Teller) -> str:
    """Return an event's line; what it changed is HTML."""
    parts = [tell(OUTCOMES[row["outcome"]])] if row["outcome"] in OUTCOMES else []
    parts += changed or map(escape, _changes(row, tell))
    if row["save_to_raw_s"] is not None:
        parts.append(tell("stored {time} after the save", time=tell.latency(row["save_to_raw_s"])))
    if row["is_on_chart"]:
        parts.append(tell("in the charts after {time}", time=tell.latency(row["save_to_chart_s"])))
    when, what = tell.moment(row["happened_at"]), tell(KINDS[row["event_kind"]])
    return f"<li>{escape(when)} {escape(what)}<small>{' · '.join(parts)}</small></li>"


def _changes(row: Row, tell: Teller) -> list[str]:
    changes = [tell("renamed")] if row["is_renamed"] else []
    if row["new_sport_type"]:
        changes.append(tell("sport changed to {sport}", sport=sport_types.title(row["new_sport_type"], tell)))
    if row["is_made_private"] is not None:
        changes.append(tell("made private") if row["is_made_private"] else tell("no longer private"))
    return changes
