"""The Activity page: one activity by its link, with the way to those before and after it."""

import streamlit as st

from dashboard import empty_states, filters, privacy
from dashboard.activity import events, header, power, recorded, route, tables
from dashboard.activity.subject import Subject, asked_for, found
from dashboard.page import Page


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    filters.keep(page.done)
    with st.container(horizontal=True, key="activity-choices", vertical_alignment="center", gap="small"):
        ways = st.container(horizontal=True, width="content", gap="xsmall")
        is_shared = privacy.is_shared(page)
    row = found(page, asked_for(page, is_shared=is_shared), is_shared=is_shared)
    if row is None:
        return
    subject = Subject(page=page, row=row, is_shared=is_shared, cut_m=privacy.cut_m(page, shared=is_shared))
    with ways:
        header.beside(subject)
    header.draw(subject)
    route.draw(subject)
    left, right = st.columns(2, gap="small")
    with left:
        recorded.splits(subject)
        tables.laps(subject)
        recorded.summary(subject)
        tables.loads(subject)
    with right:
        tables.efforts(subject)
        recorded.zones(subject)
        power.draw(subject)
        tables.before(subject)
    events.draw(subject)
