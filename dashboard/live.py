"""Keeps an open page current: looks at the build every few seconds, and draws the page again only for a new one."""

from datetime import UTC, datetime, timedelta
from itertools import count

import streamlit as st

from backends.warehouse import MartMissing, QueryFailed, WarehouseBusy
from dashboard import notices, quantities
from dashboard.mart import Snapshot
from dashboard.view import View

LEEWAY = timedelta(minutes=5)


def keep_live(view: View, shown: Snapshot | None) -> None:
    """Tell how old the build is that the page shows, warn when it is late, and draw the page again for another.

    `shown` None means that no build could be drawn, so any build is a new one.
    """
    ticks = count()
    day = view.now().date()

    @st.fragment(run_every=view.refresh_s)
    def pulse() -> None:
        is_timer = next(ticks) > 0  # the first time is part of drawing the page itself
        if is_timer and (_has_news(view, shown) or view.now().date() != day):
            st.rerun()
        with st.container(key="live"):
            st.caption(_line(view, shown))
        if shown and shown.built_at and is_late(shown.built_at, view.now()):
            notices.late(quantities.moment(shown.built_at, view.zone))

    pulse()


def is_late(built_at: datetime, now: datetime) -> bool:
    """Whether the build is missing with which the transformer follows each full hour (UTC), after some leeway.

    So a build that failed is noticed when the next hour has begun, and none older than 65 minutes goes unnoticed.
    """
    due = (now.astimezone(UTC) - LEEWAY).replace(minute=0, second=0, microsecond=0)
    return built_at < due


def _has_news(view: View, shown: Snapshot | None) -> bool:
    try:
        return view.mart.snapshot() != shown
    except (MartMissing, QueryFailed, WarehouseBusy):
        return False


def _line(view: View, shown: Snapshot | None) -> str:
    zone = f"times in {view.zone.key}"
    if shown is None or shown.built_at is None:
        return f"Live: waiting for data · {zone}"
    age = quantities.age(view.now() - shown.built_at)
    start = "As of" if is_late(shown.built_at, view.now()) else "Live · as of"
    return f"{start} {quantities.moment(shown.built_at, view.zone)} ({age}) · {zone}"
