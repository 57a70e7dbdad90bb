"""What all pages share: whose numbers are shown, how fresh they are, and what is said while there are none."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed
from dashboard import empty_states
from dashboard.auto_refresh import Drawn, auto_refresh, days_of
from dashboard.context import PageContext
from dashboard.mart import Row
from dashboard.views import overview, pipeline

SIGNED_IN = "X-Goog-Authenticated-User-Email"  # set by Identity-Aware Proxy, which drops what a browser sends by it


def show(context: PageContext) -> None:
    """Draw the page that was asked for, and keep it current."""
    icon = Path(__file__).with_name("icon.svg")
    st.set_page_config(page_title="Athlete Dashboard", page_icon=str(icon), layout="wide")
    page = st.navigation(
        [
            st.Page(partial(draw, context, overview.show), title="Overview", url_path="overview", default=True),
            st.Page(partial(draw, context, pipeline.show), title="Pipeline", url_path="pipeline"),
        ],
        position="top",
    )
    page.run()


def draw(context: PageContext, body: Callable[[PageContext, Row], None]) -> None:
    """Draw a page's body for the athlete picked, or the reason why there is nothing to draw; then keep it current."""
    top = st.container()
    drawn = _drawn(context, body)
    with top:
        auto_refresh(context, drawn)


def _drawn(context: PageContext, body: Callable[[PageContext, Row], None]) -> Drawn:
    version = None
    try:
        version = context.mart.version()
        if version is None:
            empty_states.info("empty-no-mart", empty_states.NO_MART)
            return Drawn(version=None, snapshot=None)
        everyone = context.mart.snapshot()
        snapshot = context.visible(everyone, st.context.headers.get(SIGNED_IN))
        if snapshot.health:
            body(context, snapshot.of(_athlete(snapshot.athlete_ids)))
        elif everyone.health:
            empty_states.info("empty-not-a-viewer", empty_states.NOT_A_VIEWER)
        else:
            empty_states.info("empty-no-athlete", empty_states.NO_ATHLETE)
    except MartDamaged:
        empty_states.warning("marts-damaged", empty_states.DAMAGED)
    except MartMissing:  # there are marts, but they lack a table
        empty_states.warning("marts-misfit", empty_states.MISFIT)
    except QueryFailed as failed:
        empty_states.warning("marts-misfit", empty_states.MISFIT, str(failed))
    except WarehouseBusy:
        empty_states.warning("warehouse-busy", empty_states.BUSY)
        version = None
    else:
        return Drawn(version=version, snapshot=snapshot, days=days_of(context, snapshot))
    return Drawn(version=version, snapshot=None)


def _athlete(athlete_ids: list[int]) -> int:
    if len(athlete_ids) == 1:
        return athlete_ids[0]
    picked = st.selectbox("Athlete", athlete_ids, key="athlete", width=240)
    return int(picked)
