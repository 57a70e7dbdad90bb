"""The charts: bars by period and the activity mix, with one colour per sport group wherever it appears."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt

from dashboard import sports
from dashboard.chart_data import QUANTILES
from dashboard.measures import Measure, Share
from dashboard.periods import Period

# Dates reach the browser as ISO days; two lines keep the labels narrow, and the year never needs guessing.
TICKS = {
    Period.WEEK: "[utcFormat(toDate(datum.value), '%-d %b'), utcFormat(toDate(datum.value), '%Y')]",
    Period.MONTH: "[utcFormat(toDate(datum.value), '%b'), utcFormat(toDate(datum.value), '%Y')]",
    Period.YEAR: "utcFormat(toDate(datum.value), '%Y')",
}
LINEAR_UP_TO_S = 60.0  # beyond, the fast ones would all be drawn on the ground
THOUSAND = 1000
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


def course(frame: Sequence[dict[str, Any]], kind: str, now: datetime) -> alt.LayerChart:
    """Points of `chart_data.course` over the whole last day or month; periods without an event stay empty.

    The two of a period are joined by a rule. Nothing joins periods: what lies between them was not measured.
    """
    now = now if kind == "hour" else now.astimezone(UTC)
    since = now - (timedelta(hours=24) if kind == "hour" else timedelta(days=30))
    slowest = max(row["seconds"] for row in frame)
    is_log = slowest > LINEAR_UP_TO_S
    start = alt.X(
        "start:T",
        scale=alt.Scale(type="utc", domain=[f"{since:%Y-%m-%dT%H:00:00}Z", f"{now:%Y-%m-%dT%H:%M:%S}Z"]),
        axis=alt.Axis(format="%H:%M" if kind == "hour" else "%-d %b", tickCount=8, labelOverlap="greedy", grid=False),
        title="Hour" if kind == "hour" else "Day (UTC)",
    )
    scale = alt.Scale(type="log", nice=True) if is_log else alt.Scale(domainMin=0, nice=True)
    seconds = alt.Y(
        "seconds:Q",
        scale=scale,
        axis=alt.Axis(format="~s" if slowest >= THOUSAND else "~f", tickCount=5),
        title="Seconds (logarithmic)" if is_log else "Seconds",
    )
    values = [{**row, "start": f"{row['start']}Z"} for row in frame]
    base = alt.Chart(alt.InlineData(values=values)).encode(x=start)
    rules = base.mark_rule(color="#808495", strokeWidth=2, opacity=0.5).encode(
        y=alt.Y("min(seconds):Q", scale=scale), y2="max(seconds):Q"
    )
    # hollow, so that of a period with one event both are seen
    points = base.mark_point(filled=False, size=70, strokeWidth=2, opacity=1).encode(
        y=seconds,
        color=alt.Color(
            "quantile:N",
            scale=alt.Scale(domain=list(QUANTILES.values()), range=["#009E73", "#D55E00"]),
            legend=alt.Legend(orient="top", title=None),
        ),
        shape=alt.Shape(
            "quantile:N", scale=alt.Scale(domain=list(QUANTILES.values()), range=["circle", "triangle-up"])
        ),
        tooltip=[
            alt.Tooltip("period:N", title="Hour from" if kind == "hour" else "Day"),
            alt.Tooltip("quantile:N", title="Measure"),
            alt.Tooltip("shown:N", title="Save to chart"),
            alt.Tooltip("events:N", title="Events"),
        ],
    )
    return alt.LayerChart(layer=[rules, points], height=260)


def _colours(titles: Sequence[str], order: Sequence[str] | None = None) -> alt.Scale:
    domain = list(order) if order else sorted(set(titles))
    known = {group.title: group.colour for group in sports.GROUPS.values()}
    return alt.Scale(domain=domain, range=[known.get(title, sports.GROUPS["other"].colour) for title in domain])
