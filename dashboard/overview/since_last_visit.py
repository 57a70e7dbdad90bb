"""What changed since the reader was here before: new activities, edits, deletions, and what was reached."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from html import escape
from itertools import groupby
from operator import itemgetter

import streamlit as st

from dashboard import activity_changes, last_visit, milestones, sport_types
from dashboard.card import Why, card
from dashboard.formatting import MINUS, Teller, plain, small
from dashboard.html_table import link, sport_dot
from dashboard.links import activity_link, import_link, page_url
from dashboard.mart import Row
from dashboard.page import Page

MOST_IMPORTS = 3
COUNTED = ("added", "imported", "edited", "deleted", "restored")


def draw(page: Page) -> None:
    """Draw the card; nothing on a first visit, or where nothing changed."""
    tell, since = page.tell, last_visit.since(page.athlete_id, page.now.astimezone(UTC))
    if since is None:
        return
    asked = (page.athlete_id, since.replace(tzinfo=None))
    if not page.rows("overview/changes", *asked, not page.context.is_shared):
        return
    with card(page, "since", tell("Since your last visit"), tell.minute(since)) as opened:
        rows = opened.rows("overview/changes", *asked, not page.context.is_shared)
        reached = opened.rows(
            "overview/reached_since", *asked, *[page.athlete_id] * 2, *milestones.OTHER_UNITS[page.tell.units]
        )
        counts = {kind: rows[0][f"{kind}_count"] for kind in COUNTED}
        listed, gear = by_activity(rows), activity_changes.gear_names(page, rows)
        st.markdown(summary(counts, tell))
        sums = opened.rows("overview/moved", *asked, not page.context.is_shared, page.athlete_id)
        if told := moved(sums[0], counts["deleted"], tell):
            st.markdown(small(told))
        with st.container(key="since-list"):
            items = "".join(_item(each, gear, page) for each in listed)
            if counts["imported"]:
                imports = opened.rows("overview/imports", *asked, not page.context.is_shared, page.athlete_id)
                items += _imported(counts["imported"], imports, tell)
            st.html(f'<ul class="ad-list" lang="{tell.language}">{items}</ul>')
        if (more := sum(counts.values()) - counts["imported"] - len(listed)) > 0:
            st.caption(tell.plural("and {n} more activity", "and {n} more activities", more))
        if reached:
            with st.container(key="since-reached"):
                st.html(milestones.milestone_list(reached, tell))
        opened.why = Why(
            formula=tell(
                "What was stored since {moment}, when you last looked at this page before this visit.",
                moment=plain(tell.moment(since)),
            ),
            inputs=[
                tell(
                    "A cookie of this browser holds that moment and your last look, and nothing else. A visit ends "
                    "when this page was not in view for half an hour."
                ),
                tell(
                    "The sums count what is new or back by what it is now, and edits by what they changed of distance, "
                    "time and climb. The load that an edit moved and what a deleted activity had are not kept."
                ),
            ],
            excluded=_excluded(page),
            models=["change_log", "fct_activities", "milestone"],
        )


def _excluded(page: Page) -> list[str]:
    """Return what the card does not list."""
    tell = page.tell
    texts = [tell("What a loaded history brings is no news. Of imported activities only the number is told.")]
    if page.context.is_shared:
        texts.append(tell("Others may look at this page: private and deleted activities are left out."))
    return texts


def by_activity(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the changes of each activity that is listed, in the order of the query."""
    listed = (row for row in rows if row["is_listed"])
    return [list(some) for _, some in groupby(listed, key=itemgetter("activity_id"))]


def summary(counts: Mapping[str, int], tell: Teller) -> str:
    """Say how many activities are new, imported, edited, deleted and back."""
    words = {
        "added": lambda n: tell.plural("{n} new activity", "{n} new activities", n),
        "imported": lambda n: tell.plural("{n} imported", "{n} imported", n),
        "edited": lambda n: tell.plural("{n} edited", "{n} edited", n),
        "deleted": lambda n: tell.plural("{n} deleted", "{n} deleted", n),
        "restored": lambda n: tell.plural("{n} back", "{n} back", n),
    }
    return ", ".join(words[kind](counts[kind]) for kind in COUNTED if counts[kind])


def moved(sums: Row, deleted: int, tell: Teller) -> str:
    """Say by how much the totals rose or fell; nothing where they did not."""
    shown: list[tuple[float, Callable[[float], str]]] = [
        (sums["distance_m"], tell.distance),
        (sums["moving_time_s"], tell.duration),
        (sums["elevation_gain_m"], tell.elevation),
        (sums["load"], lambda load: tell("{n} load", n=tell.number(load))),
    ]
    told = [f"{MINUS if value < 0 else '+'}{say(abs(value))}" for value, say in shown if say(abs(value)) != say(0)]
    if told and deleted:
        told.append(tell.plural("without {n} deleted activity", "without {n} deleted activities", deleted))
    return ", ".join(told)


def _item(changes: Sequence[Row], gear: Mapping[str, str], page: Page) -> str:
    first, tell = changes[0], page.tell
    if first["sport_type"] is None:
        shown = escape(tell("Activity {id}", id=first["activity_id"]))
    else:
        name = first["activity_name"] or sport_types.title(first["sport_type"], tell)
        shown = sport_dot(first["sport_group"], tell) + activity_link(first["activity_id"], name)
    is_shared = page.context.is_shared
    told = dict.fromkeys(activity_changes.told_html(row, tell, gear=gear, is_shared=is_shared) for row in changes)
    return f"<li>{shown}<small>{' · '.join(told)}</small></li>"


def _imported(number: int, imports: Sequence[Row], tell: Teller) -> str:
    """Return the line of all imported activities, with a link to the report of each of the newest imports."""
    told = tell.plural(
        "{n} activity imported from your own files", "{n} activities imported from your own files", number
    )
    links = [
        import_link(each["import_id"], tell("Report of {when}", when=tell.minute(each["started_at"])))
        for each in imports[:MOST_IMPORTS]
    ]
    if (more := len(imports) - MOST_IMPORTS) > 0:
        links.append(link(page_url("pipeline"), escape(tell.plural("{n} more", "{n} more", more))))
    return f"<li>{escape(told)}<small>{' · '.join(links)}</small></li>"
