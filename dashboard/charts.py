"""How a chart is drawn: Altair writes the specification, the rows go beside it, and colours are names.

A specification takes its rows from `ROWS` (`alt.Chart(ROWS)`), so Altair does not look at each value, and one without
arguments is built once, at import. The theme in the browser turns names into light or dark colours:
https://vega.github.io/vega-lite/docs/scale.html#scheme
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import streamlit as st
from altair.utils import schemapi

from dashboard.formatting import Teller
from dashboard.page import Page
from dashboard.palette import SERIES

# To hold a chart against Vega-Lite's schema takes longer than to write it: the tests do that.
schemapi.disable_debug_mode()

ROWS = alt.NamedData("rows")
PAD = {"left": 0, "right": 2, "top": 4, "bottom": 6}  # without it Streamlit adds 20 px below every chart
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "numberFormat": ",~f",  # of axes: "0.5" and "1,000", and 0 where all is zero
    "font": '"Source Sans", sans-serif',
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelPadding": 6, "domain": False,
        "ticks": False, "labelFlush": False,
    },
    "axisX": {"grid": False, "title": None},
    "axisY": {"grid": True, "gridDash": [2, 3], "title": None, "tickCount": 4, "minExtent": 34},
    "legend": {
        "orient": "top", "title": None, "symbolType": "circle", "symbolSize": 70, "symbolOpacity": 1,
        "labelFontSize": 12, "columnPadding": 14, "padding": 0, "offset": 8,
    },
    "mark": {"aria": False},  # the chart says its finding; what is told of each mark besides takes a tenth of its time
    "line": {"strokeWidth": 2, "strokeCap": "round", "interpolate": "monotone"},
    "bar": {"cornerRadiusEnd": 2},
    "rect": {"cornerRadius": 2},
    "text": {"fontSize": 12},
    "rule": {"strokeWidth": 1},
}  # fmt: skip
AMOUNT = alt.Color(
    "level:Q", scale=alt.Scale(domain=[1, 10]), legend=None
)  # levels 2, 4, 6, 8, 10 are the heat classes
EMPTY = "rgba(128,138,152,.16)"  # a day with nothing, by day and by night
MONTH_OF_WEEK = "utcdate(toDate(datum.value)) <= 7 ? utcFormat(toDate(datum.value), '%b') : ''"  # in its first week


def day_or(month: str) -> str:
    """Return the `labelExpr` of an axis of days: a span of a few months names its days, a longer one its months.

    Ticks at hours have no name, nor those of weeks after a month's first, so that no name stands there twice.
    """
    day = "utchours(datum.value) ? '' : utcFormat(datum.value, '%-d %b')"
    first = f"utcdate(datum.value) <= 7 ? utcFormat(datum.value, '{month}') : ''"
    return f"domain('x')[1] - domain('x')[0] < 120 * 864e5 ? ({day}) : ({first})"


def colour(field: str, used: Sequence[str] = (), titles: Mapping[str, str] | None = None) -> alt.Color:
    """Colour a field that holds names of SERIES; the legend has those used, as `titles` calls them."""
    if not used:
        return alt.Color(field, scale=alt.Scale(domain=list(SERIES)), legend=None)
    legend = alt.Legend(values=list(used), columns=alt.ExprRef("max(2, floor(width / 84))"))
    if titles:
        legend.labelExpr = f"{dict(titles)!r}[datum.value] || datum.value"
    return alt.Color(field, scale=alt.Scale(domain=list(SERIES)), legend=legend)


def shades(titles: Mapping[int, str], room: str) -> alt.Color:
    """Colour `level` by its step of the scale; the legend has those of `titles`, in columns as many as `room` says."""
    legend = alt.Legend(
        type="symbol", values=list(titles), labelExpr=f"{json.dumps(dict(titles))}[datum.value]", symbolStrokeWidth=0,
        columns=alt.ExprRef(room),
    )  # fmt: skip
    return alt.Color("level:Q", scale=alt.Scale(domain=[1, 10]), legend=legend)


def stacked_weeks(least: int, colour: alt.Color, order: alt.Order, heads: Sequence[str]) -> alt.Chart:
    """Draw bars of ISO weeks in parts, the newest for which there are `least` pixels each.

    A row has `start`, `ago` (weeks before the newest), `value`, and for the tooltip, under these heads, `week`,
    `title` and `shown`.
    """
    chart: alt.Chart = (
        alt.Chart(ROWS)
        .mark_bar()
        .transform_filter(f"datum.ago <= floor(width / {least})")
        .encode(
            x=alt.X("start:O", axis=alt.Axis(labelAngle=0, labelExpr=MONTH_OF_WEEK, labelOverlap=False)),
            y=alt.Y("value:Q", stack="zero"),
            color=colour,
            order=order,
            tooltip=[
                alt.Tooltip(f"{name}:N", title=head)
                for name, head in zip(("week", "title", "shown"), heads, strict=True)
            ],
        )
    )
    return chart


def named(name: str) -> alt.ColorDatum:
    """Give a layer the fixed colour of a name of SERIES; another layer of the chart must use `colour`."""
    return alt.ColorDatum(name)


def in_colour(chart: alt.Chart, name: str) -> alt.Chart:
    """Draw all of a chart in the colour of one name of SERIES, without a legend."""
    coloured: alt.Chart = chart.transform_calculate(_colour=f"'{name}'").encode(color=colour("_colour:N"))
    return coloured


def show(  # noqa: PLR0913 - what a chart is made of
    page: Page,
    key: str,
    chart: Any,
    rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    alt: str,
    height: int,
) -> None:
    """Draw a chart of `ROWS`, or of several named data sets given as a mapping.

    `alt` is one sentence with the chart's finding, translated. `height` is in pixels and always the same, so that
    nothing moves when the data arrives. The container's key is `chart-<key>`.
    """
    sets = rows if isinstance(rows, Mapping) else {"rows": rows}
    spec = specification(chart, page.tell)
    spec["datasets"] = {name: [dict(row) for row in each] for name, each in sets.items()}
    with st.container(key=f"chart-{key}"):
        st.vega_lite_chart(spec=spec, alt=alt, key=f"vega-{key}", height=height, width="stretch")


def written(chart: Any) -> dict[str, Any]:
    """Return the specification of a chart of Altair's."""
    return dict(chart.to_dict(validate=False))


def specification(chart: Any, tell: Teller) -> dict[str, Any]:
    """Return what the browser is given, but for the rows: our configuration and the reader's way to write numbers."""
    spec = chart if isinstance(chart, dict) else written(chart)
    # put in by hand, as a chart's own methods copy all of it once for each
    view = spec["config"]["view"] | CONFIG["view"]
    return spec | {"padding": PAD, "config": CONFIG | {"view": view, "locale": tell.vega_locale()}}
