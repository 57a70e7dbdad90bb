"""Where the activity went and what was measured on the way, drawn without a map server and linked to each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from dashboard import address, charts, sports
from dashboard.activity import course as course_of_points
from dashboard.activity import course_chart
from dashboard.activity.course import TITLES, Course, course_of, known, shown
from dashboard.activity.course_chart import Kind
from dashboard.activity.subject import Subject
from dashboard.card import Card, Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.route_lines import Floats

COLOURED = ("speed", "heartrate", "grade")
DRAWN = ("speed", "heartrate", "power", "altitude")
MOST_MARKS = 12
ROOM = 0.08  # beyond either end of a curve, of its extent
GRADIENT = N_("No gradient is recorded: it is the slope of the heights over 200 m.")
LEAST_PACE, LEAST = 5.0, 1.0  # what an axis has at the least on either side of its middle: seconds, else units
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
    with card(page, "activity-route", tell("Route and curves"), height=course_chart.HEIGHT, queries=offered) as opened:
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
        kind = _kind(course, curves, tell, has_route=bool(segments), is_coloured=bool(by))
        charts.show(
            page, "activity-route",
            course_chart.specification(kind, _numbers_of(course, curves, segments, tell)),
            {"rows": segments, "line": _line(segments), "points": points, "marks": _marks(course, tell)},
            alt=_finding(subject, course), height=kind.height,
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
            "as Strava smooths them, of an import as they were recorded; slower than 0.5 m/s is standing, without a "
            "pace.",
            shown=tell.number(len(course.seconds)), all=tell.number(course.row["point_count"]),
        ),
        inputs=[
            tell("Colours are shared out between the 5th and the 95th percentile of what is drawn."),
            *([tell(GRADIENT)] if course.has_found_slopes else []),
        ],
        excluded=excluded, models=["activity_course"],
    )  # fmt: skip


def _kind(course: Course, curves: Sequence[str], tell: Teller, *, has_route: bool, is_coloured: bool) -> Kind:
    """Return what kind of chart it is."""
    titles = tuple((name, tell(TITLES[name])) for name in curves)
    heads = [("time", tell("Time")), *([("distance", tell("Distance"))] if course.metres is not None else [])]
    return Kind(
        titles=titles, heads=(*heads, *((f"{name}_shown", title) for name, title in titles)),
        sport=sports.colour(course.sport_group), has_route=has_route, is_coloured=is_coloured,
        is_paced=course.is_paced,
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
    begins, ends = _columns(along)
    points = []
    for place in range(len(course.seconds)):
        time = tell.clock(known(course.seconds[place]))
        point: dict[str, Any] = {"i": place, "along": _number(along[place]), "time": time,
                                 "from": _number(begins[place]), "until": _number(ends[place])}  # fmt: skip
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


def _columns(along: Floats) -> tuple[Floats, Floats]:
    """Return from where to where each point is the nearest one; NaN where it is not known how far it is."""
    known_places = np.flatnonzero(np.isfinite(along))
    begins, ends = np.full(len(along), np.nan), np.full(len(along), np.nan)
    there = along[known_places]
    between = (there[1:] + there[:-1]) / 2
    begins[known_places] = np.concatenate([there[:1], between])
    ends[known_places] = np.concatenate([between, there[-1:]])
    return begins, ends


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


def _line(segments: Sequence[Any]) -> list[dict[str, float]]:
    """Return the corners of the route's pieces, in their order."""
    corners, part = [], 0
    for place, step in enumerate(segments):
        corners.append({"x": step["x"], "y": step["y"], "i": 2 * place, "part": part})
        follows = segments[place + 1] if place + 1 < len(segments) else None
        if follows is None or (step["x2"], step["y2"]) != (follows["x"], follows["y"]):
            corners.append({"x": step["x2"], "y": step["y2"], "i": 2 * place + 1, "part": part})
            part += 1
    return corners


def _numbers_of(course: Course, curves: Sequence[str], segments: Sequence[Any], tell: Teller) -> dict[str, float]:
    """Return what is drawn where: the middle and the extent of the route, and the ends of every axis."""
    numbers: dict[str, float] = {}
    for axis, extent, least in (("x", "across", 0.0), ("y", "up", 1e-9)) if segments else ():
        ends = np.array([[step[axis], step[f"{axis}2"]] for step in segments])
        numbers |= {axis: float((ends.min() + ends.max()) / 2), extent: max(float(np.ptp(ends)), least)}
    if curves:
        along = _along(course, tell)
        numbers |= {"begins": float(np.nanmin(along)), "ends": float(np.nanmax(along))}
    for name in curves:
        numbers[f"{name}_low"], numbers[f"{name}_high"] = _domain(course, name, tell)
    return numbers


def _along(course: Course, tell: Teller) -> Floats:
    """Return how far each point is in the reader's unit, of what goes nowhere how many minutes after the start."""
    if course.metres is not None:
        return np.array([tell.distance_amount(metres) for metres in course.metres])
    return np.zeros(1) if course.seconds is None else course.seconds / 60


def _domain(course: Course, name: str, tell: Teller) -> list[float]:
    """Return the ends of a curve's axis: of all values, of speed of all but the slowest and the fastest hundredth.

    A curve without an extent, such as an even pace, has an axis with one.
    """
    values = course.curve(name)
    drawn = np.array([] if values is None else [_drawn(name, float(value), course, tell) for value in values])
    if not np.isfinite(drawn).any():
        return [0, 1]
    low, high = np.nanpercentile(drawn, (1, 99) if name == "speed" else (0, 100))
    least = LEAST_PACE if name == "speed" and course.is_paced else LEAST
    middle, reach = float(low + high) / 2, max((0.5 + ROOM) * float(high - low), least)
    return [middle - reach, middle + reach]


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
