"""What all pages share: whose numbers are shown, how fresh they are, and what is said while there are none."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from backends.warehouse import MartDamaged, MartMissing, QueryFailed, WarehouseBusy
from dashboard import notices, overview, pipeline
from dashboard.live import keep_live
from dashboard.mart import Row, Snapshot
from dashboard.view import View


def show(view: View) -> None:
    """Draw the page that was asked for, and keep it current."""
    icon = Path(__file__).with_name("icon.svg")
    st.set_page_config(page_title="Athlete Dashboard", page_icon=str(icon), layout="wide")
    page = st.navigation(
        [
            st.Page(partial(draw, view, overview.show), title="Overview", url_path="overview", default=True),
            st.Page(partial(draw, view, pipeline.show), title="Pipeline", url_path="pipeline"),
        ],
        position="top",
    )
    page.run()


def draw(view: View, body: Callable[[View, Row], None]) -> None:
    """Draw a page's body for the athlete picked, or the reason why there is nothing to draw; then keep it current."""
    top = st.container()
    shown = _drawn(view, body)
    with top:
        keep_live(view, shown)


def _drawn(view: View, body: Callable[[View, Row], None]) -> Snapshot | None:
    try:
        snapshot = view.mart.snapshot()
        _fill(view, body, snapshot)
    except MartDamaged:
        notices.damaged()
    except MartMissing:
        notices.no_mart()
    except WarehouseBusy:
        notices.busy()
    except QueryFailed as failed:
        notices.misfit(str(failed))
    else:
        return snapshot
    return None


def _fill(view: View, body: Callable[[View, Row], None], snapshot: Snapshot) -> None:
    if not snapshot.health:
        notices.no_athlete()
        return
    try:
        body(view, snapshot.of(_athlete(snapshot.athlete_ids)))
    except MartDamaged:
        notices.damaged()
    except MartMissing:  # there is one, but it lacks a table
        notices.misfit()


def _athlete(athlete_ids: list[int]) -> int:
    if len(athlete_ids) == 1:
        return athlete_ids[0]
    picked = st.selectbox("Athlete", athlete_ids, key="athlete", width=240)
    return int(picked)
