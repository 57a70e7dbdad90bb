"""What gear needs next: a bar for each service, as far as its interval is used up."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape

import streamlit as st

from dashboard import contributing
from dashboard.card import Why, card
from dashboard.formatting import Teller, plain
from dashboard.mart import Row
from dashboard.page import Page


def draw(page: Page) -> None:
    """Draw every service of gear in use, the most urgent first."""
    tell = page.tell
    with card(page, "services", tell("Service"), tell("what is due first")) as opened:
        rows = opened.rows("gear/services", page.athlete_id)
        if not rows:
            st.markdown(
                tell(
                    "No service is set. `athlete.toml` in DATA_DIR says what needs one after how many km, hours or "
                    "days."
                )
            )
            return
        with st.container(key="services"):
            items = "".join(_item(row, tell) for row in rows)
            st.html(f'<ul class="ad-list" lang="{tell.language}">{items}</ul>')
        opened.why = _why(rows, page)


def _item(row: Row, tell: Teller) -> str:
    share = row["share_used"]
    title = f"{escape(row['gear_name'])}: {escape(row['service'])}"
    due = f' <span class="ad-new">{escape(tell("due"))}</span>' if row["is_due"] else ""
    label = tell("{share} of the interval is used up", share=tell.percent(share))
    filled = f'<i style="width:{min(share, 1) * 100:.0f}%"></i>'
    bar = f'<div class="ad-bar" role="img" aria-label="{escape(label)}">{filled}</div>'
    return f"<li>{title}{due}<small>{escape(used(row, tell))}</small>{bar}</li>"


def used(row: Row, tell: Teller) -> str:
    """Say how much of each limit is used, and since when."""
    parts = []
    if row["every_m"] is not None:
        ours, limit = tell.distance(row["distance_m"]), tell.distance(row["every_m"])
        parts.append(tell("{done} of {limit}", done=ours, limit=limit))
    if row["every_s"] is not None:
        ours, limit = tell.duration(row["moving_time_s"]), tell.duration(row["every_s"])
        parts.append(tell("{done} of {limit}", done=ours, limit=limit))
    if row["every_days"] is not None:
        limit = tell.plural("{n} day", "{n} days", row["every_days"])
        parts.append(tell("{done} of {limit}", done=tell.number(row["day_count"]), limit=limit))
    if row["last_done_on"] is not None:
        parts.append(tell("since {day}", day=tell.day(row["last_done_on"])))
    elif row["since_day"] is not None:
        parts.append(tell("since its first use on {day}", day=tell.day(row["since_day"])))
    return " · ".join(parts)


def _why(rows: Sequence[Row], page: Page) -> Why:
    tell, first = page.tell, rows[0]
    since = first["last_done_on"] + timedelta(days=1) if first["last_done_on"] else contributing.EVER[0]
    return Why(
        formula=tell(
            "**Used up = what was done since the last service ÷ its interval**, the largest of distance, time in "
            "motion and days. {gear}, {service}: {used}.",
            gear=plain(first["gear_name"]), service=plain(first["service"]), used=used(first, tell),
        ),
        inputs=[
            tell(
                "Intervals and last services are those of `athlete.toml`. What was done on the day of a service was "
                "done before it; without a last one all use counts."
            )
        ],
        excluded=[tell("Retired gear needs none.")],
        models=["gear_service"],
        activities=contributing.with_gear(page, "moving_time_s", first["gear_id"], since),
    )  # fmt: skip
