"""Where the activity went and what was measured on the way, drawn without a map server and linked to each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from dashboard import address, charts, sports
from dashboard.activity import course as course_of_points
from dashboard.activity.course import TITLES, Course, course_of, known, shown
from dashboard.activity.subject import Subject
from dashboard.card import Card, Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.route_lines import Floats

HEIGHT = 320
CURVE_HEIGHT, BETWEEN = 90, 32  # of each curve, and between one and the next, where its title is
POINTS, MARKS = alt.NamedData("points"), alt.NamedData("marks")
POINTED = "pointed"
SEEN = alt.OpacityValue(0, condition={"param": POINTED, "empty": False, "value": 1})  # of what is pointed at
ROOM = 38  # pixels left of a curve, in which its axis is written
MARGIN = 1.15  # around the route, of its extent
COLOURED = ("speed", "heartrate", "grade")
DRAWN = ("speed", "heartrate", "power", "altitude")
MOST_MARKS = 12
DARKER = {
    "speed": N_("Darker (by night: lighter) is faster: {low} to {high}."),
    "heartrate": N_("Darker (by night: lighter) is a higher heart rate: {low} to {high}."),
    "grade": N_("Darker (by night: lighter) is steeper up: {low} to {high}."),
}


def draw(subject: Subject) -> None:
    """Draw the route, coloured by a curve where there is one, and the curves below it.

    Where home is hidden neither the ends of the route nor its rows are offered.
    """
    page, tell = subject.page, subject.page.tell
    course, rows = course_of(subject)
    offered = [] if subject.cut_m else [rows]
    with card(page, "activity-route", tell("Route and curves"), height=HEIGHT, queries=offered) as opened:
        if course is None:
            st.markdown(tell("No route and no curves: typed in by hand, or not recorded."))
            return
        opened.why = _why(subject, course)
        _say_missing(subject, course)
        curves = [name for name in DRAWN if course.has(name)]
        if not course.parts and not curves:
            return
        by = _colour(course, tell)
        points, segments = _points(course, curves, tell), _segments(course, by)
        height = (HEIGHT if segments else 0) + len(curves) * (CURVE_HEIGHT + BETWEEN) + BETWEEN * bool(curves)
        charts.show(
            page, "activity-route", _chart(subject, course, curves, segments, by),
            {"rows": segments, "points": points, "marks": _marks(course, tell) if segments else []},
            alt=_finding(subject, course), height=height,
        )  # fmt: skip
        if by:
            low, high = (shown(by, value, course.sport_group, tell) for value in course.usual(by))
            st.caption(tell(DARKER[by], low=low, high=high))
        if curves:
            _numbers(opened, course, curves, tell)


def _colour(course: Course, tell: Teller) -> str:
    """Draw the choice of what colours the route, where there is one; return a name of COLOURED, or nothing."""
    offered = [name for name in COLOURED if course.has(name)] if course.parts else []
    if not offered:
        return ""
    chosen = address.follow("colour", offered.__contains__, offered[0])
    if len(offered) > 1:
        st.segmented_control(
            tell("Coloured by"), offered, key="colour", required=True, label_visibility="collapsed",
            format_func=lambda name: tell(TITLES[name]), on_change=_chosen, args=(offered[0],),
        )  # fmt: skip
    return chosen


def _chosen(default: str) -> None:
    address.put("colour", st.session_state["colour"], default)


def _say_missing(subject: Subject, course: Course) -> None:
    """Say what is hidden, and what brings curves that are not here."""
    tell = subject.page.tell
    if course.places is None:
        st.caption(tell("No route: indoors, or hidden on Strava."))
    elif not course.parts:
        st.markdown(tell("All of this route is near its ends and hidden."))
    elif subject.cut_m:
        st.caption(tell("{radius} around both ends of each route are cut.", radius=tell.elevation(subject.cut_m)))
    if course.seconds is None:
        st.caption(
            tell(
                "No curves yet. `STREAMS=all` fetches those of new activities, `athlete backfill --streams` those of "
                "the history, and `athlete import` takes them from your own files."
            )
        )


def _why(subject: Subject, course: Course) -> Why:
    tell = subject.page.tell
    excluded = []
    if subject.cut_m:
        excluded.append(tell("Cut: what is within {radius} of either end.", radius=tell.elevation(subject.cut_m)))
    if course.seconds is None:
        formula = tell("The route is drawn by at most 60 points, each as far north and east as it was.")
        return Why(formula=formula, excluded=excluded, models=["route"])
    return Why(
        formula=tell(
            "{shown} of the {all} points of the recording are drawn, evenly by their place in it. Pace and speed are "
            "as Strava smooths them; slower than 0.5 m/s is standing, without a pace.",
            shown=tell.number(len(course.seconds)), all=tell.number(course.row["point_count"]),
        ),
        inputs=[tell("Colours are shared out between the 5th and the 95th percentile of what is drawn.")],
        excluded=excluded, models=["activity_course"],
    )  # fmt: skip


def _segments(course: Course, by: str) -> list[dict[str, float]]:
    """Return each step of the route: from where to where on the map, how dark, and which point it begins at."""
    x, y = course.on_map
    levels = course.levels(by) if by else np.full(len(x), 8.0)
    return [
        {
            "x": float(x[one]), "y": float(y[one]), "x2": float(x[other]), "y2": float(y[other]),
            "level": round(float(levels[one]), 1), "i": int(one),
        }
        for part in course.parts
        for one, other in pairwise(part)
    ]  # fmt: skip


def _points(course: Course, curves: Sequence[str], tell: Teller) -> list[dict[str, Any]]:
    """Return each recorded point: how far or how long, each curve as it is drawn and as it is told, and where it is."""
    if course.seconds is None:
        return []
    x, y = course.on_map
    shown_places = {int(place) for part in course.parts for place in part}
    values = {name: course.curve(name) for name in curves}
    along = _along(course, tell)
    points = []
    for place in range(len(course.seconds)):
        time = tell.clock(known(course.seconds[place]))
        point: dict[str, Any] = {"i": place, "along": _number(along[place]), "time": time}
        if course.metres is not None:
            point["distance"] = tell.distance(known(course.metres[place]), 2)
        for name, curve in values.items():
            value = float("nan") if curve is None else float(curve[place])
            point[name] = _number(_drawn(name, value, course, tell))
            point[f"{name}_shown"] = shown(name, value, course.sport_group, tell)
        if place in shown_places:
            point |= {"x": float(x[place]), "y": float(y[place])}
        points.append(point)
    return points


def _drawn(name: str, value: float, course: Course, tell: Teller) -> float:
    """Return a value by the axis of its curve: seconds of a pace, else the reader's unit."""
    if name == "altitude":
        return tell.elevation_amount(value)
    if name != "speed":
        return value
    if not course.is_paced:
        return tell.distance_amount(value * 3600)
    return course_of_points.pace_s(value, course.sport_group, tell)


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None


def _marks(course: Course, tell: Teller) -> list[dict[str, Any]]:
    """Return what is written at the route: its ends, and whole kilometres or miles between them."""
    x, y = course.on_map
    if not course.parts:
        return []
    first, last = int(course.parts[0][0]), int(course.parts[-1][-1])
    marks = [(first, "" if course.cut_m else tell("start")), (last, "")]
    if course.metres is not None:
        along = np.array([tell.distance_amount(metres) for metres in course.metres])
        most = float(np.nanmax(along))
        every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10_000) if most / step <= MOST_MARKS)
        kept = np.concatenate(course.parts)
        for whole in np.arange(every, most, every):
            place = int(np.nanargmin(np.abs(along - whole)))
            if place in kept:
                marks.append((place, f"{whole:.0f} {tell.distance_unit}"))
    return [{"x": float(x[place]), "y": float(y[place]), "text": text} for place, text in marks]


def _chart(subject: Subject, course: Course, curves: Sequence[str], segments: Sequence[Any], by: str) -> Any:
    """Return the route over its curves, all of the width there is; what is pointed at in one is marked in all."""
    tell = subject.page.tell
    colour = "" if by else sports.colour(course.sport_group)
    rows: list[Any] = [_route(segments, colour, is_linked=bool(curves))] if segments else []
    names = {name: tell(TITLES[name]) for name in curves}
    rows += [_curve(course, name, names, tell) for name in curves]
    if not curves:
        return rows[0]
    pointed = alt.TopLevelSelectionParameter(
        name=POINTED, views=_views(curves, len(rows)),
        select=alt.PointSelectionConfig(
            type="point", fields=["i"], nearest=True, on="pointermove", clear="pointerout"
        ),
    )  # fmt: skip
    # Streamlit gives each row the width of the card; what an axis takes beside it would stand out, so none takes any
    apart = alt.Resolve(scale=alt.ScaleResolveMap(color="independent"))
    return alt.VConcatChart(vconcat=rows, spacing=BETWEEN, bounds="flush", params=[pointed], resolve=apart)


def _views(curves: Sequence[str], count: int) -> list[str]:
    """Return what Altair calls the views in which can be pointed: of several rows it adds its place to a row's name."""
    first = count - len(curves)
    return [f"{name}_points{f'_{place}' if count > 1 else ''}" for place, name in enumerate(curves, first)]


def _route(segments: Sequence[Any], colour: str, *, is_linked: bool) -> alt.LayerChart:
    across, up = _scales(segments)
    x, y = alt.X("x:Q", scale=across, axis=None), alt.Y("y:Q", scale=up, axis=None)
    base = alt.Chart(charts.ROWS).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    casing = base.mark_rule(strokeWidth=7, strokeCap="round", opacity=0.18, color="gray")
    line = base.mark_rule(strokeWidth=3, strokeCap="round").encode(color=charts.AMOUNT)
    if colour:
        line = charts.in_colour(base.mark_rule(strokeWidth=3, strokeCap="round"), colour)
    marks = alt.Chart(MARKS).encode(x=x, y=y)
    layers = [
        casing, line, marks.mark_point(filled=True, size=45, opacity=1, color="gray"),
        marks.mark_text(align="left", dx=8, dy=-8, color="gray").encode(text="text:N"),
    ]  # fmt: skip
    if is_linked:
        here = alt.Chart(POINTS).transform_filter("isValid(datum.x)").mark_point(size=160, strokeWidth=3, color="gray")
        layers.append(here.encode(x=x, y=y, opacity=SEEN))
    return alt.LayerChart(layer=layers, height=HEIGHT, name="route")


def _scales(segments: Sequence[Any]) -> tuple[alt.Scale, alt.Scale]:
    """Return the scales of both axes, by which a degree is as long as it is on the map, however wide the chart is."""
    x = np.array([[step["x"], step["x2"]] for step in segments])
    y = np.array([[step["y"], step["y2"]] for step in segments])
    across, up = float(np.ptp(x)), max(float(np.ptp(y)), 1e-9)
    per_pixel = f"max({across!r} / width, {up!r} / {HEIGHT}) * {MARGIN}"

    def scale(middle: float, pixels: str) -> alt.Scale:
        low, high = (f"{middle!r} {sign} {per_pixel} * {pixels} / 2" for sign in "-+")
        return alt.Scale(domainMin=alt.ExprRef(low), domainMax=alt.ExprRef(high), zero=False, nice=False)

    return scale(float((x.min() + x.max()) / 2), "width"), scale(float((y.min() + y.max()) / 2), str(HEIGHT))


def _curve(course: Course, name: str, titles: dict[str, str], tell: Teller) -> alt.LayerChart:
    is_pace = name == "speed" and course.is_paced
    as_pace = "floor(datum.value / 60) + ':' + pad(round(datum.value % 60), 2, '0', 'left')"
    axis = alt.Axis(title=None, tickCount=3, labelAlign="left", labelPadding=-4, labelBaseline="bottom", minExtent=0)
    if is_pace:
        axis.labelExpr = as_pace
    scale = alt.Scale(zero=False, reverse=is_pace, domain=_domain(course, name, tell), nice=False)
    along = alt.Axis(title=None, tickCount=6, labelFlush=True, labels=name == list(titles)[-1])
    along.labelExpr = "datum.value < 0 ? '' : datum.label"  # left of the start there is room, but no way
    x = alt.X("along:Q", axis=along, scale=_room(course, tell))
    told = [alt.Tooltip("time:N", title=tell("Time"))]
    if course.metres is not None:
        told.append(alt.Tooltip("distance:N", title=tell("Distance")))
    told += [alt.Tooltip(f"{each}_shown:N", title=title) for each, title in titles.items()]
    base = alt.Chart(POINTS).encode(x=x)
    line = charts.in_colour(
        base.mark_line(strokeWidth=1.5, clip=True).encode(y=alt.Y(f"{name}:Q", axis=axis, scale=scale)),
        sports.colour(course.sport_group),
    )
    rule = (
        base.mark_rule(strokeWidth=1.5, color="gray")
        .encode(opacity=SEEN, tooltip=told)
        .properties(name=f"{name}_points")
    )
    title = alt.Title(titles[name], anchor="start", fontSize=12, fontWeight="normal", color="gray", offset=4)
    return alt.LayerChart(layer=[line, rule], height=CURVE_HEIGHT, title=title)


def _room(course: Course, tell: Teller) -> alt.Scale:
    """Return the scale along the way, with room for the words of an axis left of where it begins."""
    along = _along(course, tell)
    low, high = float(np.nanmin(along)), float(np.nanmax(along))
    begins = alt.ExprRef(f"{low!r} - {high - low!r} * {ROOM} / (width - {ROOM})")
    return alt.Scale(nice=False, zero=False, domainMin=begins, domainMax=high)


def _along(course: Course, tell: Teller) -> Floats:
    """Return how far each point is in the reader's unit, of what goes nowhere how many minutes after the start."""
    if course.metres is not None:
        return np.array([tell.distance_amount(metres) for metres in course.metres])
    return np.zeros(1) if course.seconds is None else course.seconds / 60


def _domain(course: Course, name: str, tell: Teller) -> list[float]:
    """Return the ends of a curve's axis: of all values, of speed of all but the slowest and the fastest hundredth."""
    values = course.curve(name)
    drawn = np.array([] if values is None else [_drawn(name, float(value), course, tell) for value in values])
    if not np.isfinite(drawn).any():
        return [0, 1]
    low, high = np.nanpercentile(drawn, (1, 99) if name == "speed" else (0, 100))
    room = max(0.08 * float(high - low), 1e-6)
    return [float(low) - room, float(high) + room]


def _finding(subject: Subject, course: Course) -> str:
    """Say the route's length and the span of what was measured."""
    tell = subject.page.tell
    spans = []
    for name in DRAWN:
        if course.has(name):
            low, high = (shown(name, value, course.sport_group, tell) for value in course.usual(name))
            spans.append(tell("{curve} mostly from {low} to {high}", curve=tell(TITLES[name]), low=low, high=high))
    told = tell("{name}, {distance}", name=subject.name, distance=tell.distance(subject.row["distance_m"]))
    return "; ".join([told, *spans]) + "."


def _numbers(opened: Card, course: Course, curves: Sequence[str], tell: Teller) -> None:
    """Offer every tenth of the points as a table."""
    if course.seconds is None:
        return
    values = {name: course.curve(name) for name in curves}
    table = []
    for place in range(0, len(course.seconds), 10):
        line = {tell("Time"): tell.clock(known(course.seconds[place]))}
        if course.metres is not None:
            line[tell("Distance")] = tell.distance(known(course.metres[place]), 2)
        for name, curve in values.items():
            value = None if curve is None else float(curve[place])
            line[tell(TITLES[name])] = shown(name, value, course.sport_group, tell)
        table.append(line)
    opened.numbers(table)
