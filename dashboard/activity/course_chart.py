"""The chart of a route over its curves, linked to each other: `route` makes its rows.

What differs between two activities of one kind are numbers, which are parameters of the chart. So its specification is
written once for a kind, and most of what Altair takes is saved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import altair as alt

from dashboard import charts

HEIGHT = 320
CURVE_HEIGHT, BETWEEN = 90, 32  # of each curve, and between one and the next, where its title is
LINE, POINTS, MARKS = alt.NamedData("line"), alt.NamedData("points"), alt.NamedData("marks")
POINTED = "pointed"
SEEN = alt.FilterTransform(filter=alt.ParameterPredicate(param=POINTED, empty=False))  # what is pointed at alone
ROOM = 38  # pixels left of a curve, in which its axis is written
MARGIN = 1.15  # around the route, of its extent
AS_PACE = "floor(datum.value / 60) + ':' + pad(round(datum.value % 60), 2, '0', 'left')"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What the specification depends on: which curves and heads of their values there are, and how they are drawn."""

    titles: tuple[tuple[str, str], ...]  # of each curve, from the top
    heads: tuple[tuple[str, str], ...]  # of what is told of a point, by field
    sport: str  # its colour's name
    has_route: bool
    is_coloured: bool  # the route is, by a curve
    is_paced: bool

    @property
    def height(self) -> int:
        """Of the whole chart in pixels."""
        curves = len(self.titles)
        return HEIGHT * self.has_route + curves * (CURVE_HEIGHT + BETWEEN) + BETWEEN * bool(curves)


def specification(kind: Kind, numbers: Mapping[str, float]) -> dict[str, Any]:
    """Return the chart of rows, line, points and marks.

    `numbers` are `x`, `y`, `across` and `up` of the route on the map, `begins` and `ends` along the way, and the lowest
    and the highest value of the axis of each curve, as `<curve>_low` and `<curve>_high`.
    """
    spec = _written(kind)
    return spec | {"params": [*spec.get("params", []), *({"name": name, "value": it} for name, it in numbers.items())]}


@lru_cache(maxsize=64)
def _written(kind: Kind) -> dict[str, Any]:
    rows: list[Any] = [_route(kind)] if kind.has_route else []
    rows += [_curve(kind, name, title) for name, title in kind.titles]
    if not kind.titles:
        return charts.written(rows[0])
    pointed = alt.TopLevelSelectionParameter(
        name=POINTED, views=_views([name for name, _ in kind.titles], len(rows)),
        select=alt.PointSelectionConfig(type="point", fields=["i"], on="pointermove", clear="pointerout"),
    )  # fmt: skip
    # Streamlit gives each row the width of the card; what an axis takes beside it would stand out, so none takes any
    apart = alt.Resolve(scale=alt.ScaleResolveMap(color="independent"))
    chart = alt.VConcatChart(vconcat=rows, spacing=BETWEEN, bounds="flush", params=[pointed], resolve=apart)
    return charts.written(chart)


def _views(curves: Sequence[str], count: int) -> list[str]:
    """Return what Altair calls the views in which can be pointed: of several rows it adds its place to a row's name."""
    first = count - len(curves)
    return [f"{name}_points{f'_{place}' if count > 1 else ''}" for place, name in enumerate(curves, first)]


def _route(kind: Kind) -> alt.LayerChart:
    # a degree is as long as it is on the map, however wide the chart is
    per_pixel = f"max(across / width, up / {HEIGHT}) * {MARGIN}"

    def scale(middle: str, pixels: str) -> alt.Scale:
        ends = [alt.ExprRef(f"{middle} {sign} {per_pixel} * {pixels} / 2") for sign in "-+"]
        return alt.Scale(domain=ends, zero=False, nice=False)

    def outside(middle: str, before: object, beyond: object) -> alt.ExprRef:
        """Have a name stand on the side that is away from the middle, where the line is not."""
        return alt.ExprRef(f"datum.{middle} < {middle} ? {before} : {beyond}")

    x, y = alt.X("x:Q", scale=scale("x", "width"), axis=None), alt.Y("y:Q", scale=scale("y", str(HEIGHT)), axis=None)
    casing = alt.Chart(LINE).mark_line(
        strokeWidth=7, strokeJoin="round", opacity=0.4, color="gray", interpolate="linear"
    )
    step = alt.Chart(charts.ROWS).mark_rule(strokeWidth=3, strokeCap="round").encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    marks = alt.Chart(MARKS).encode(x=x, y=y)
    layers = [
        casing.encode(x=x, y=y, order="i:Q", detail="part:N"),
        step.encode(color=charts.AMOUNT) if kind.is_coloured else charts.in_colour(step, kind.sport),
        marks.mark_point(filled=True, size=45, opacity=1, color="gray"),
        marks.mark_text(
            align=outside("x", "'right'", "'left'"), dx=outside("x", -9, 9), dy=outside("y", 13, -13), color="gray"
        ).encode(text="text:N"),
    ]  # fmt: skip
    if kind.titles:
        here = alt.Chart(POINTS, transform=[SEEN]).transform_filter("isValid(datum.x)")
        layers.append(here.mark_point(size=160, strokeWidth=3, opacity=1, color="gray").encode(x=x, y=y))
    return alt.LayerChart(layer=layers, height=HEIGHT, name="route")


def _curve(kind: Kind, name: str, title: str) -> alt.LayerChart:
    is_pace = name == "speed" and kind.is_paced
    axis = alt.Axis(title=None, tickCount=3, labelAlign="left", labelPadding=-4, labelBaseline="bottom", minExtent=0)
    if is_pace:
        axis.labelExpr = AS_PACE
    ends = [alt.ExprRef(f"{name}_{end}") for end in ("low", "high")]
    scale = alt.Scale(zero=False, reverse=is_pace, domain=ends, nice=False)
    along = alt.Axis(title=None, tickCount=6, labelFlush=True, labels=name == kind.titles[-1][0])
    along.labelExpr = "datum.value < 0 ? '' : datum.label"  # left of the start there is room, but no way
    x = alt.X("along:Q", axis=along, scale=_room())
    base = alt.Chart(POINTS)
    line = base.mark_line(strokeWidth=1.5, clip=True).encode(x=x, y=alt.Y(f"{name}:Q", axis=axis, scale=scale))
    here = alt.Chart(POINTS, transform=[SEEN]).mark_rule(strokeWidth=1.5, color="gray").encode(x=x)
    # a point is pointed at from the middle between it and the one before to the middle between it and the next
    told = ", ".join(f"{json.dumps(head)}: datum.{field}" for field, head in kind.heads)
    column = base.mark_rect(opacity=0, cornerRadius=0, tooltip=alt.ExprRef(f"{{{told}}}")).encode(
        x=alt.X("from:Q", axis=along, scale=_room()), x2="until:Q"
    )
    title_above = alt.Title(title, anchor="start", fontSize=12, fontWeight="normal", color="gray", offset=4)
    layers = [charts.in_colour(line, kind.sport), here, column.properties(name=f"{name}_points")]
    return alt.LayerChart(layer=layers, height=CURVE_HEIGHT, title=title_above)


def _room() -> alt.Scale:
    """Return the scale along the way, with room for the words of an axis left of where it begins."""
    begins = alt.ExprRef(f"begins - (ends - begins) * {ROOM} / (width - {ROOM})")
    return alt.Scale(nice=False, zero=False, domain=[begins, alt.ExprRef("ends")])
