"""Keeps an open page current: looks every few seconds for other marts and another day, and asks no query for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count

import streamlit as st

from backends.warehouse import WarehouseBusy
from dashboard import empty_states
from dashboard.context import PageContext
from dashboard.formatting import Teller, plain
from dashboard.mart import Row, Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_LEEWAY = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What a page was drawn from: a version of the marts, their content and the day of each athlete.

    Marts that were busy have no version, so that the page is drawn again; `snapshot` None means that nothing was shown.
    `health` is the row of the athlete who was shown, `left` how many details of the history are still to come.
    """

    version: str | None
    snapshot: Snapshot | None
    days: Sequence[date] = ()
    health: Row | None = None
    left: int = 0


def auto_refresh(context: PageContext, drawn: Drawn, tell: Teller, pipeline: st.Page | None = None) -> None:
    """Tell how old the build is that the page shows, warn when it is late, and draw the page again for another.

    A new day of an athlete's draws it again too. What is wrong is a link to the page `pipeline`, where there is one.
    """
    ticks = count()

    @st.fragment(run_every=context.refresh_s)
    def pulse() -> None:
        is_timer = next(ticks) > 0  # the first time is part of drawing the page itself
        if is_timer and is_outdated(context, drawn):
            st.rerun()
        built_at = drawn.snapshot.built_at if drawn.snapshot else None
        with st.container(key="live"):
            told, more = chip(context, drawn, tell), _details(context, built_at, tell)
            if pipeline and _differences(drawn) is not None:
                st.page_link(pipeline, label=told, icon="", help=more)
            else:
                st.markdown(told, help=more)
        if built_at and is_late(built_at, context.now(), context.built_every):
            empty_states.warning("charts-late", tell(empty_states.LATE, since=plain(tell.minute(built_at))))

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


def is_late(built_at: datetime, now: datetime, built_every: timedelta = timedelta(hours=1)) -> bool:
    """Whether the build is missing that follows each full hour, or day, of UTC; five or thirty minutes are its leeway.

    So a build that failed is noticed when the next hour has begun, and none older than 65 minutes goes unnoticed.
    """
    before = now.astimezone(UTC) - min(built_every / 12, _MOST_LEEWAY)
    return built_at < _EPOCH + (before - _EPOCH) // built_every * built_every


def chip(context: PageContext, drawn: Drawn, tell: Teller) -> str:
    """Return the badge beside the title: live, as of, loading, or what is wrong."""
    built_at = drawn.snapshot.built_at if drawn.snapshot else None
    if built_at is None:
        return f":gray-badge[{tell('Waiting for data')}]"
    when = plain(tell.minute(built_at))
    if (differences := _differences(drawn)) is not None:
        wrong = tell.plural("Wrong: {n} difference", "Wrong: {n} differences", differences)
        return f":red-badge[:material/error: {wrong}] {when}"
    if is_late(built_at, context.now(), context.built_every):
        return f":gray-badge[:material/schedule: {tell('As of')}] {when}"
    if drawn.left:
        loading = tell("Loading history, {n} left", n=tell.number(drawn.left))
        return f":gray-badge[:material/history: {loading}] {when}"
    return f":green-badge[:material/bolt: {tell('Live')}] {when}"


def _differences(drawn: Drawn) -> int | None:
    """Return how many differences the last check left; None where it found the warehouse complete, or nothing yet."""
    health = drawn.health or {}
    if health.get("reconcile_verdict") != "incomplete":
        return None
    return sum(int(health[f"{kind}_count"] or 0) for kind in ("missing", "extra", "changed"))


def _details(context: PageContext, built_at: datetime | None, tell: Teller) -> str:
    zone = tell("Times in {zone}.", zone=context.zone.key)
    if built_at is None:
        return zone
    age = tell.age(context.now() - built_at)
    return tell("Built {moment} ({age}).", moment=plain(tell.moment(built_at)), age=age) + " " + zone
