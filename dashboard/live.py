"""Keeps an open page current: looks at the build every few seconds, and draws the page again only for a new one."""

from itertools import count

import streamlit as st

from backends.warehouse import MartMissing, QueryFailed, WarehouseBusy
from dashboard import quantities
from dashboard.mart import Snapshot
from dashboard.view import View


def keep_live(view: View, shown: Snapshot | None) -> None:
    """Tell how old the build is that the page shows, and draw the page again once there is another.

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

    pulse()


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
    return f"Live · as of {quantities.moment(shown.built_at, view.zone)} ({age}) · {zone}"
