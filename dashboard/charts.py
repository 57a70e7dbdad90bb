"""The charts: bars by period and the activity mix, with one colour per sport group wherever it appears."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard import sports
from dashboard.measures import Measure, Share
from dashboard.periods import Period

# Dates reach the browser as ISO days; two lines keep the labels narrow, and the year never needs guessing.
TICKS = {
    Period.WEEK: "[utcFormat(toDate(datum.value), '%-d %b'), utcFormat(toDate(datum.value), '%Y')]",
    Period.MONTH: "[utcFormat(toDate(datum.value), '%b'), utcFormat(toDate(datum.value), '%Y')]",
    Period.YEAR: "utcFormat(toDate(datum.value), '%Y')",
}
AXIS_TITLES = {Period.WEEK: "Week, by its Monday", Period.MONTH: "Month", Period.YEAR: "Year"}


def by_period(frame: Sequence[dict[str, Any]], measure: Measure, period: Period) -> alt.Chart:
    """Stacked bars of `chart_data.bars`."""
    shown = dict(sorted((row["rank"], row["sport"]) for row in frame))
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=frame))
        .mark_bar()
        .encode(
            x=alt.X(
                "start:O",
                axis=alt.Axis(
                    labelAngle=0, labelExpr=TICKS[period], labelBound=True, labelOverlap="greedy", labelSeparation=6
                ),
                title=AXIS_TITLES[period],
            ),
            y=alt.Y("value:Q", stack="zero", axis=alt.Axis(format=",~f", tickMinStep=1), title=measure.axis_title),
            color=alt.Color(
                "sport:N",
                scale=_colours([row["sport"] for row in frame], order=list(shown.values())),
                legend=alt.Legend(orient="top", title=None, columns=4),
            ),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("period:N", title=period.value),
                alt.Tooltip("sport:N", title="Sport"),
                alt.Tooltip("shown:N", title=measure.title),
            ],
        )
        .properties(height=360)
    )
    return chart


def mix(frame: Sequence[dict[str, Any]], share: Share) -> alt.LayerChart:
    """Lying bars of `chart_data.mix`, each with its percentage written beside it."""
    base = alt.Chart(alt.InlineData(values=frame)).encode(
        x=alt.X(
            "share:Q",
            axis=alt.Axis(format="%", tickCount=4),
            scale=alt.Scale(domainMin=0, domainMax=1.15 * max(row["share"] for row in frame), nice=False),
            title=f"Share of {share.title} (%)",
        ),
        y=alt.Y("sport:N", sort=[row["sport"] for row in frame], axis=alt.Axis(labelLimit=180), title=None),
        tooltip=[
            alt.Tooltip("sport:N", title="Sport"),
            alt.Tooltip("percent:N", title="Share"),
            alt.Tooltip("shown:N", title=share.title.capitalize()),
        ],
    )
    colours = _colours([row["group"] for row in frame])
    bars = base.mark_bar().encode(color=alt.Color("group:N", scale=colours, legend=None))
    # A grey that is readable on white and on Streamlit's dark blue alike.
    numbers = base.mark_text(align="left", dx=4, fontSize=12, color="#808495").encode(text="percent:N")
    return alt.LayerChart(layer=[bars, numbers], height=max(120, 30 * len(frame) + 50))


def _colours(titles: Sequence[str], order: Sequence[str] | None = None) -> alt.Scale:
    domain = list(order) if order else sorted(set(titles))
    known = {group.title: group.colour for group in sports.GROUPS.values()}
    return alt.Scale(domain=domain, range=[known.get(title, sports.GROUPS["other"].colour) for title in domain])
