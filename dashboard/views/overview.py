"""The Overview page: running totals, bars by period and sport, the activity mix, and the latest activities."""

from datetime import date
from typing import Any

import streamlit as st

from dashboard import chart_data, charts, empty_states, formatting
from dashboard.context import PageContext
from dashboard.mart import Row
from dashboard.measures import MEASURES, SHARES
from dashboard.periods import Comparison, Period, earliest_shown, label, running, span_label

TILE = 150  # pixels: a phone of 390 takes two beside one another


def show(context: PageContext, health: Row) -> None:
    """Draw the page for one athlete."""
    st.title("Overview")
    if not health["activity_count"]:
        empty_states.info("empty-no-activities", empty_states.NO_ACTIVITIES)
        return
    athlete_id, today = health["athlete_id"], context.today(health)
    _cards(context, athlete_id, today)
    period = _bars(context, athlete_id, today)
    _mix(context, athlete_id, period)
    _latest(context, athlete_id)


def _cards(context: PageContext, athlete_id: int, today: date) -> None:
    for column, period in zip(st.columns(3), Period, strict=True):
        spans = running(period, today)
        with column, st.container(border=True, key=f"card-{period.lower()}"):
            st.markdown(f"**This {period.lower()}** · {span_label(spans.current)}")
            _card(period, *_totals(context, athlete_id, spans))
            st.caption(f"Change against {span_label(spans.before)}, the same span of the {period.lower()} before.")


def _totals(context: PageContext, athlete_id: int, spans: Comparison) -> tuple[Row, Row]:
    now, before = ((span.first, span.last) for span in (spans.current, spans.before))
    nothing = {measure.column: 0.0 for measure in MEASURES.values()}
    rows = context.mart.rows("running_totals", *now, athlete_id, *now, *before)
    sums = {row["is_current"]: {column: float(row[column]) for column in nothing} for row in rows}
    return sums.get(True, nothing), sums.get(False, nothing)


def _card(period: Period, now: Row, before: Row) -> None:
    with st.container(horizontal=True, gap="small"):
        for measure in MEASURES.values():
            difference = measure.difference(now[measure.column], before[measure.column])
            with st.container(key=f"kpi-{period.lower()}-{measure.title.lower()}", width=TILE):
                st.metric(
                    measure.title,
                    measure.tell(now[measure.column]),
                    difference,
                    delta_color="off" if difference.startswith("±") else "normal",
                    delta_arrow="off" if difference.startswith("±") else "auto",
                )


def _bars(context: PageContext, athlete_id: int, today: date) -> Period:
    st.subheader("By period and sport")
    with st.container(horizontal=True):
        measure = MEASURES[_pick("Measure", MEASURES)]
        period = Period(_pick("Period", [period.value for period in Period]))
    since = earliest_shown(period, today)
    rows = context.mart.rows("totals_by_period", athlete_id, period.lower(), since)
    frame = chart_data.bars(rows, measure, period)
    if not frame:
        st.caption(f"Nothing since {since.day} {since:%b %Y}. Pick a longer period to see what came before.")
        return period
    with st.container(key="chart-by-period"):
        st.altair_chart(
            charts.by_period(frame, measure, period), alt=f"{measure.axis_title} by {period.lower()} and sport"
        )
    with st.container(key="chart-total"):
        total = formatting.total(row[measure.column] for row in rows)
        st.caption(f"In all, {measure.tell(total)} {_since(rows, period)}.")
    with st.expander("The numbers behind the chart"):
        st.dataframe(chart_data.table(rows, measure, period), hide_index=True)
    return period


def _since(rows: list[Row], period: Period) -> str:
    first = label(period, min(row["period_start_date"] for row in rows))
    return f"since the {first[0].lower()}{first[1:]}" if period is Period.WEEK else f"since {first}"


def _mix(context: PageContext, athlete_id: int, period: Period) -> None:
    st.subheader("Activity mix")
    starts = [row["period_start_date"] for row in context.mart.rows("mix_periods", athlete_id, period.lower())]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = SHARES[_pick("Share of", SHARES)]
        start = st.selectbox(period.value, starts, format_func=lambda day: label(period, day), width=240)
    if start is None:
        return
    frame = chart_data.mix(context.mart.rows("mix", athlete_id, period.lower(), start), share)
    if not frame:
        st.caption(f"No {share.title} was recorded in this {period.lower()}.")
        return
    with st.container(key="chart-mix"):
        st.altair_chart(charts.mix(frame, share), alt=f"Share of {share.title} by sport")


def _latest(context: PageContext, athlete_id: int) -> None:
    st.subheader("Latest activities")
    with st.container(key="latest-activities"):
        st.dataframe(
            chart_data.latest(context.mart.rows("latest_activities", athlete_id)),
            height="content",
            hide_index=True,
            placeholder=formatting.NOTHING,
            column_config={  # up to the time they are as wide together as the page on a phone
                "Start": st.column_config.DatetimeColumn(
                    format="D MMM YYYY, HH:mm", width=134, help="By the clock where the activity was."
                ),
                "Sport": st.column_config.TextColumn(width=90),
                "Distance": st.column_config.NumberColumn("km", format="%,.2f", width=64, help="Distance."),
                "Time": st.column_config.TextColumn(width=68, help="In motion, as hours:minutes:seconds."),
                "Pace or speed": st.column_config.TextColumn(
                    width=110, help="In motion; of a race on foot by elapsed time, as Strava counts races."
                ),
                "Name": st.column_config.TextColumn(width=260),
                "Strava": st.column_config.LinkColumn(display_text="View on Strava"),
            },
        )


def _pick(title: str, options: Any) -> str:
    names = list(options)
    return str(st.segmented_control(title, names, default=names[0], required=True, key=title.lower().replace(" ", "-")))
