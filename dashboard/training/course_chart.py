"""The two charts of the form card: fitness and fatigue, and form over its bands; `course` makes their rows."""

from typing import Any

import altair as alt

from dashboard import charts
from dashboard.formatting import Teller
from dashboard.palette import SERIES

HEIGHT, FORM_HEIGHT = 240, 140
WIDE = 480  # pixels of a plot, below which there are the last 26 weeks alone
NEAR_DAYS = 26 * 7
ENDS, BANDS, WIDEST = (alt.NamedData(name) for name in ("ends", "bands", "widest"))
IN_COLOURS = alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=None)
PAST, AHEAD = "datum.ago >= 0", "datum.ago <= 0"


def titles(tell: Teller, *, has_other: bool) -> dict[str, str]:
    """Return what the numbers of a day are called, by their names in its row."""
    named = {"fitness": tell("Fitness"), "fatigue": tell("Fatigue"), "form": tell("Form")}
    found = {"told": tell("Day"), "load_told": tell("Load"), **{f"{name}_told": named[name] for name in named}}
    if has_other:
        found |= {f"other_{name}_told": f"{title}, {tell('1 ÷ days')}" for name, title in named.items()}
    return found


def averages(tell: Teller, *, is_long: bool, has_other: bool) -> alt.LayerChart:
    """Fitness as an area and a line, fatigue as a line; dashed ahead, shaded while fitness builds up from zero.

    By the other definition they are grey and dotted, and lie over these: both are often close together.
    """
    x, y = _x(is_long=is_long), alt.Y("fitness:Q", scale=alt.Scale(domainMin=0))
    area = _days(x).transform_filter(PAST).mark_area(opacity=0.13, line=False)
    layers = [*_ground(x), area.encode(y=y, color=charts.named("fitness"))]
    for series in ("fatigue", "fitness"):
        layers += _lines(x, series, has_other=has_other)
    return alt.LayerChart(layer=[*layers, _hover(x, tell, has_other=has_other), *_names(x, "fitness")])


def form(tell: Teller, low: float, high: float, *, is_long: bool, has_other: bool) -> alt.LayerChart:
    """Form over its bands, from `low` to `high`."""
    x, axis = _x(is_long=is_long), alt.Axis(values=[-30, -10, 10, 25], grid=False)
    y = alt.Y("low:Q", scale=alt.Scale(domain=[low, high], nice=False), axis=axis)
    bands = alt.Chart(BANDS).mark_rect(opacity=0.1, cornerRadius=0).encode(y=y, y2="high:Q", color=IN_COLOURS)
    lines = _lines(x, "form", has_other=has_other)
    hover = _hover(x, tell, has_other=has_other)
    return alt.LayerChart(layer=[bands, *_ground(x), *lines, hover, *_names(x, "low")])


def _x(*, is_long: bool) -> alt.X:
    axis = alt.Axis(
        labelExpr=charts.day_or("%b %y" if is_long else "%b"), tickCount=8 if is_long else 12, labelOverlap=True
    )
    return alt.X("day:T", scale=alt.Scale(type="utc"), axis=axis)


def _days(x: alt.X) -> alt.Chart:
    days: alt.Chart = alt.Chart(charts.ROWS).transform_filter(f"width > {WIDE} || datum.ago < {NEAR_DAYS}").encode(x=x)
    return days


def _ground(x: alt.X) -> list[Any]:
    """The days of the warm-up, shaded, and today, a dotted rule. Today is in both, so that no layer is empty."""
    grey = charts.named("neutral")
    warm = _days(x).transform_filter("datum.warming || datum.ago == 0").mark_rect(opacity=0.18, cornerRadius=0)
    today = _days(x).transform_filter("datum.ago == 0").mark_rule(strokeDash=[2, 3])
    return [warm.encode(x2="shaded_until:T", color=grey), today.encode(color=grey)]


def _lines(x: alt.X, series: str, *, has_other: bool) -> list[Any]:
    colour = charts.named(series)
    past = _days(x).transform_filter(PAST).mark_line().encode(y=f"{series}:Q", color=colour)
    ahead = _days(x).transform_filter(AHEAD).mark_line(strokeDash=[4, 3]).encode(y=f"{series}:Q", color=colour)
    other = _days(x).mark_line(strokeDash=[1, 4]).encode(y=f"other_{series}:Q", color=charts.named("neutral"))
    return [past, ahead, *([other] if has_other else [])]


def _hover(x: alt.X, tell: Teller, *, has_other: bool) -> alt.Chart:
    """A rule at the day nearest to the pointer, with everything of that day."""
    near = alt.selection_point(
        name="near", on="pointermove", nearest=True, encodings=["x"], clear="pointerout", empty=False
    )
    hover: alt.Chart = (
        _days(x)
        .mark_rule()
        .encode(
            color=charts.named("neutral"),
            opacity=alt.condition(near, alt.value(0.6), alt.value(0)),
            tooltip=[
                alt.Tooltip(f"{name}:N", title=title) for name, title in titles(tell, has_other=has_other).items()
            ],
        )
        .add_params(near)
    )
    return hover


def _names(x: alt.X, y: str) -> list[Any]:
    """What stands at the right: the lines' or the bands' names, and the longest of both charts, unseen."""
    names = alt.Chart(ENDS).mark_text(align="left", dx=6).encode(x=x, y=f"{y}:Q", text="name:N", color=IN_COLOURS)
    widest = alt.Chart(WIDEST).mark_text(align="left", dx=6, opacity=0).encode(x=x, y=f"{y}:Q", text="name:N")
    return [names, widest]
