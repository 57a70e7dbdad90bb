"""Keeps an open page current: looks every few seconds for other marts and another day, and asks no query for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count

import streamlit as st

from backends.warehouse import WarehouseBusy
from dashboard import empty_states, formatting
from dashboard.context import PageContext
from dashboard.mart import Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_LEEWAY = timedelta(minutes=30)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What a page was drawn from: a version of the marts, their content and the day of each athlete.

    Marts that were busy have no version, so that the page is drawn again; `snapshot` None means that nothing was shown.
    """

    version: str | None
    snapshot: Snapshot | None
    days: Sequence[date] = ()


def auto_refresh(context: PageContext, drawn: Drawn) -> None:
    """Tell how old the build is that the page shows, warn when it is late, and draw the page again for another.

    A new day of an athlete's draws it again too.
    """
    ticks = count()

    @st.fragment(run_every=context.refresh_s)
    def pulse() -> None:
        is_timer = next(ticks) > 0  # the first time is part of drawing the page itself
        if is_timer and is_outdated(context, drawn):
            st.rerun()
        built_at = drawn.snapshot.built_at if drawn.snapshot else None
        with st.container(key="live"):
            st.caption(_line(context, built_at))
        if built_at and is_late(built_at, context.now(), context.built_every):
            since = formatting.moment(built_at, context.zone)
            unit = "hour" if context.built_every == _HOUR else "day (UTC)"
            empty_states.warning("charts-late", empty_states.LATE.format(since=since, unit=unit))

    pulse()


def days_of(context: PageContext, snapshot: Snapshot) -> list[date]:
    """Which day it is for each athlete of a build; "this week" moves with it."""
    return [context.today(health) for health in snapshot.health]


def is_outdated(context: PageContext, drawn: Drawn) -> bool:
    """Whether a page would look different now: for other marts, or on another day. Asks the marts nothing."""
    if drawn.snapshot and days_of(context, drawn.snapshot) != drawn.days:
        return True
    try:
        return context.mart.version() != drawn.version
    except WarehouseBusy:
        return False


def is_late(built_at: datetime, now: datetime, built_every: timedelta = _HOUR) -> bool:
    """Whether the build is missing that follows each full hour, or day, of UTC; five or thirty minutes are its leeway.

    So a build that failed is noticed when the next hour has begun, and none older than 65 minutes goes unnoticed.
    """
    before = now.astimezone(UTC) - min(built_every / 12, _MOST_LEEWAY)
    return built_at < _EPOCH + (before - _EPOCH) // built_every * built_every


def _line(context: PageContext, built_at: datetime | None) -> str:
    zone = f"times in {context.zone.key}"
    if built_at is None:
        return f"Live: waiting for data · {zone}"
    age = formatting.age(context.now() - built_at)
    start = "As of" if is_late(built_at, context.now(), context.built_every) else "Live · as of"
    return f"{start} {formatting.moment(built_at, context.zone)} ({age}) · {zone}"
