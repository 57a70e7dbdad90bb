"""Keeps an open page current: looks at build and day every few seconds, and draws the page again for new ones only."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import streamlit as st

from backends.warehouse import MartMissing, QueryFailed, WarehouseBusy
from dashboard import notices, quantities
from dashboard.mart import Snapshot
from dashboard.view import View

LEEWAY = timedelta(minutes=5)


def keep_live(view: View, shown: Snapshot | None) -> None:
    """Tell how old the build is that the page shows, warn when it is late, and draw the page again for another.

    A new day of an athlete's draws it again too.
    `shown` None means that no build could be drawn, so any build is a new one.
    """
    ticks = count()
    days = days_of(view, shown)

    @st.fragment(run_every=view.refresh_s)
    def pulse() -> None:
        is_timer = next(ticks) > 0  # the first time is part of drawing the page itself
        if is_timer and is_outdated(view, shown, days):
            st.rerun()
        with st.container(key="live"):
            st.caption(_line(view, shown))
        if shown and shown.built_at and is_late(shown.built_at, view.now()):
            notices.late(quantities.moment(shown.built_at, view.zone))

    pulse()


def days_of(view: View, shown: Snapshot | None) -> list[date]:
    """Which day it is for each athlete of a build; "this week" moves with it."""
    return [view.today(health) for health in shown.health] if shown else []


def is_outdated(view: View, shown: Snapshot | None, days: list[date]) -> bool:
    """Whether a page that was drawn from this build on these days would look different now."""
    return _has_news(view, shown) or days_of(view, shown) != days


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
