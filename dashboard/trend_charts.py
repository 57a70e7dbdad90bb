"""The charts of the Trends page; `trend_data` makes their rows."""

from collections.abc import Sequence

import altair as alt

from dashboard import charts
from dashboard.formatting import Teller
from dashboard.palette import SERIES
from dashboard.trend_data import A_YEAR, weekday_name

LABELS = alt.NamedData("labels")
WIDE = 480  # pixels of a plot, from which every year has its label
A_SERIES = alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=None)
SHOWN_MONTHS = f"datum.value < toDate('{A_YEAR + 1}-01-01') && (width > {WIDE} || utcmonth(datum.value) % 3 == 0)"
MONTHS = f"{SHOWN_MONTHS} ? utcFormat(datum.value, '%b') : ''"


def years(unit: str, tell: Teller, *, has_goal: bool) -> alt.LayerChart:
    """Cumulative years on one axis from January to December, with goal (dotted), projection (dashed) and labels."""
    x = alt.X(
        "day:T",
        scale=alt.Scale(type="utc", domain=[f"{A_YEAR}-01-01", f"{A_YEAR + 1}-01-24"]),
        axis=alt.Axis(labelExpr=MONTHS, tickCount="month", labelAlign="left", labelOverlap=False),
    )
    y = alt.Y("value:Q", scale=alt.Scale(domainMin=0))
    base = alt.Chart(charts.ROWS).encode(x=x, y=y, color=A_SERIES, detail="year:N")
    lines = (
        base.transform_filter("datum.kind == 'year'")
        .mark_line()
        .encode(
            strokeWidth=alt.StrokeWidth("size:Q", scale=None),
            opacity=alt.Opacity("opacity:Q", scale=None),
            tooltip=[
                alt.Tooltip("year:N", title=tell("Year")),
                alt.Tooltip("told:N", title=tell("Day")),
                alt.Tooltip("value:Q", title=unit or tell("Activities"), format=",.1f" if unit else ",.0f"),
            ],
        )
    )
    goal = base.transform_filter("datum.kind == 'goal'").mark_line(strokeDash=[1.5, 3.5])
    projection = base.transform_filter("datum.kind == 'projection'").mark_line(strokeDash=[6, 4])
    labels = (
        alt.Chart(LABELS)
        .transform_filter(f"datum.near || width > {WIDE}")
        .mark_text(align="left", dx=5)
        .encode(x=x, y=y, text="year:N", color=A_SERIES)
    )
    return alt.LayerChart(layer=[*([goal] if has_goal else []), lines, projection, labels])


def rolling(unit: str, tell: Teller) -> alt.Chart:
    """Two lines over the days that are asked for."""
    titles = {"accent": tell("These days"), "last": tell("A year before")}
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("day:T", scale=alt.Scale(type="utc"), axis=alt.Axis(labelExpr=charts.day_or("%b %Y"), tickCount=6)),
            y=alt.Y("value:Q", scale=alt.Scale(domainMin=0)),
            color=charts.colour("series:N", list(titles), titles),
            tooltip=[
                alt.Tooltip("told:N", title=tell("Day")),
                alt.Tooltip("value:Q", title=unit or tell("Activities"), format=",.1f" if unit else ",.0f"),
            ],
        )
    )
    return chart


def starts(tell: Teller) -> alt.Chart:
    """Weekdays by hours, the more the darker."""
    names = [weekday_name(number, tell)[: 2 if tell.language == "de" else 3] for number in range(1, 8)]
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_rect(cornerRadius=2.5)
        .encode(
            x=alt.X(
                "hour:O",
                scale=alt.Scale(paddingInner=0.1),
                axis=alt.Axis(labelAngle=0, labelExpr="datum.value % 3 == 0 ? datum.value : ''", labelOverlap=False),
            ),
            y=alt.Y(
                "weekday:O",
                scale=alt.Scale(paddingInner=0.1),
                axis=alt.Axis(grid=False, labelExpr=f"{names!r}[datum.value - 1]"),
            ),
            color=alt.condition("datum.level > 0", charts.AMOUNT, alt.value(charts.EMPTY)),
            tooltip=[
                alt.Tooltip("when:N", title=tell("Start")),
                alt.Tooltip("shown:N", title=tell("Activities")),
                alt.Tooltip("time:N", title=tell("Time")),
            ],
        )
    )
    return chart


def distances(titles: dict[str, str], tell: Teller) -> alt.Chart:
    """How many activities have which distance, stacked by sport."""
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_rect()
        .encode(
            x=alt.X("low:Q", scale=alt.Scale(domainMin=0), axis=alt.Axis(grid=False, format=",~f")),
            x2="high:Q",
            y=alt.Y("under:Q", scale=alt.Scale(domainMin=0), axis=alt.Axis(format=",.0f", tickMinStep=1)),
            y2="over:Q",
            color=charts.colour("sport:N", list(titles), titles),
            tooltip=[
                alt.Tooltip("span:N", title=tell("Distance")),
                alt.Tooltip("title:N", title=tell("Sport")),
                alt.Tooltip("count:Q", title=tell("Activities"), format=",.0f"),
            ],
        )
    )
    return chart


def mix(names: Sequence[str], tell: Teller) -> alt.LayerChart:
    """Lying bars with their share at the end."""
    y = alt.Y("name:N", sort=list(names), axis=alt.Axis(grid=False, labelLimit=130))
    x = alt.X("share:Q", scale=alt.Scale(domainMin=0), axis=None)
    base = alt.Chart(charts.ROWS).encode(x=x, y=y)
    bars = base.mark_bar(size=22).encode(
        color=alt.Color("sport:N", scale=alt.Scale(domain=list(SERIES)), legend=None),
        tooltip=[
            alt.Tooltip("name:N", title=tell("Sport")),
            alt.Tooltip("percent:N", title=tell("Share")),
            alt.Tooltip("shown:N", title=tell("In all")),
        ],
    )
    shares = base.mark_text(align="left", dx=5).encode(text="percent:N", color=charts.named("neutral"))
    return alt.LayerChart(layer=[bars, shares])
