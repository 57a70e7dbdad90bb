"""Keeps an open page current: looks at build and day every few seconds, and draws the page again for new ones only."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import streamlit as st

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartMissing, QueryFailed
from dashboard import empty_states, formatting
from dashboard.context import PageContext
from dashboard.mart import Snapshot

LEEWAY = timedelta(minutes=5)


def auto_refresh(context: PageContext, shown: Snapshot | None) -> None:
    """Tell how old the build is that the page shows, warn when it is late, and draw the page again for another.

    A new day of an athlete's draws it again too.
    `shown` None means that no build could be drawn, so any build is a new one.
    """
    ticks = count()
    days = days_of(context, shown)

    @st.fragment(run_every=context.refresh_s)
    def pulse() -> None:
        is_timer = next(ticks) > 0  # the first time is part of drawing the page itself
        if is_timer and is_outdated(context, shown, days):
            st.rerun()
        with st.container(key="live"):
            st.caption(_line(context, shown))
        if shown and shown.built_at and is_late(shown.built_at, context.now()):
            empty_states.late(formatting.moment(shown.built_at, context.zone))

    pulse()


def days_of(context: PageContext, shown: Snapshot | None) -> list[date]:
    """Which day it is for each athlete of a build; "this week" moves with it."""
    return [context.today(health) for health in shown.health] if shown else []


def is_outdated(context: PageContext, shown: Snapshot | None, days: list[date]) -> bool:
    """Whether a page that was drawn from this build on these days would look different now."""
    return _has_news(context, shown) or days_of(context, shown) != days


def is_late(built_at: datetime, now: datetime) -> bool:
    """Whether the build is missing with which the transformer follows each full hour (UTC), after some leeway.

    So a build that failed is noticed when the next hour has begun, and none older than 65 minutes goes unnoticed.
    """
    due = (now.astimezone(UTC) - LEEWAY).replace(minute=0, second=0, microsecond=0)
    return built_at < due


def _has_news(context: PageContext, shown: Snapshot | None) -> bool:
    try:
        return context.mart.snapshot() != shown
    except (MartMissing, QueryFailed, WarehouseBusy):
        return False


def _line(context: PageContext, shown: Snapshot | None) -> str:
    zone = f"times in {context.zone.key}"
    if shown is None or shown.built_at is None:
        return f"Live: waiting for data · {zone}"
    age = formatting.age(context.now() - shown.built_at)
    start = "As of" if is_late(shown.built_at, context.now()) else "Live · as of"
    return f"{start} {formatting.moment(shown.built_at, context.zone)} ({age}) · {zone}"
