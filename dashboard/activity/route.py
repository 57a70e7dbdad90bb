"""Where the activity went, drawn on the square map of the world without a map server."""

import altair as alt
import numpy as np
import streamlit as st

from dashboard import charts, sports
from dashboard.activity.subject import Subject
from dashboard.card import Why, card
from dashboard.route_lines import Lines, lines_of, mercator

HEIGHT = 320
ENDS = alt.NamedData("ends")
MARGIN = 1.12  # around the route, of its extent


def draw(subject: Subject) -> None:
    """Draw the route of at most 60 points; where others look on, neither its ends nor its rows are offered."""
    page, tell = subject.page, subject.page.tell
    rows = page.rows("activity/route", page.athlete_id, subject.activity_id)
    with card(page, "activity-route", tell("Route"), height=HEIGHT, queries=[] if subject.cut_m else [rows]) as opened:
        if not rows:
            st.markdown(tell("No route: indoors, typed in by hand, or hidden on Strava."))
            return
        lines = lines_of(rows, subject.cut_m)
        if not lines.rows:
            st.markdown(tell("All of this route is near its ends and hidden."))
            return
        excluded = []
        if subject.cut_m:
            radius = tell.elevation(subject.cut_m)
            excluded.append(tell("Cut: what is within {radius} of either end.", radius=radius))
            st.caption(tell("{radius} around both ends of each route are cut.", radius=radius))
        opened.why = Why(
            formula=tell("The route is drawn by at most 60 points, each as far north and east as it was."),
            excluded=excluded, models=["route"],
        )  # fmt: skip
        segments, ends = _segments(lines), _ends(lines)
        colour = sports.colour(subject.row["sport_group"])
        distance = tell.distance(subject.row["distance_m"])
        charts.show(
            page, "activity-route", chart(segments, colour), {"rows": segments, "ends": ends},
            alt=tell("The route of {name}, {distance}.", name=subject.name, distance=distance), height=HEIGHT,
        )  # fmt: skip


def _segments(lines: Lines) -> list[dict[str, float]]:
    """Return each step of the lines: from where to where on the map, east and north."""
    steps = []
    for place in range(len(lines.rows)):
        x, y = mercator(*lines.line(place))
        steps += [
            {"x": float(x[k]), "y": float(-y[k]), "x2": float(x[k + 1]), "y2": float(-y[k + 1])}
            for k in range(len(x) - 1)
        ]
    return steps


def _ends(lines: Lines) -> list[dict[str, float]]:
    x, y = mercator(lines.latitudes[[0, -1]], lines.longitudes[[0, -1]])
    return [{"x": float(x[k]), "y": float(-y[k])} for k in range(2)]


def scales(segments: list[dict[str, float]], width: str = "width") -> tuple[alt.Scale, alt.Scale]:
    """Return the scales of both axes, by which a degree is as long as it is on the map, however wide the chart is."""
    x = np.array([[step["x"], step["x2"]] for step in segments])
    y = np.array([[step["y"], step["y2"]] for step in segments])
    across, up = float(np.ptp(x)), float(np.ptp(y))
    per_pixel = f"max({across!r} / {width}, {max(up, 1e-9)!r} / {HEIGHT}) * {MARGIN}"

    def scale(middle: float, pixels: str) -> alt.Scale:
        low, high = (f"{middle!r} {sign} {per_pixel} * {pixels} / 2" for sign in "-+")
        return alt.Scale(domainMin=alt.ExprRef(low), domainMax=alt.ExprRef(high), zero=False, nice=False)

    return scale(float((x.min() + x.max()) / 2), width), scale(float((y.min() + y.max()) / 2), str(HEIGHT))


def chart(segments: list[dict[str, float]], colour: str) -> alt.LayerChart:
    """Return the chart of the segments over a casing, with the two ends marked."""
    across, up = scales(segments)
    x = alt.X("x:Q", scale=across, axis=None)
    y = alt.Y("y:Q", scale=up, axis=None)
    base = alt.Chart(charts.ROWS).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    casing = base.mark_rule(strokeWidth=7, strokeCap="round", opacity=0.18).encode(color=charts.named("neutral"))
    line = charts.in_colour(base.mark_rule(strokeWidth=3, strokeCap="round"), colour)
    ends = alt.Chart(ENDS).mark_point(filled=True, size=60, opacity=1).encode(x=x, y=y, color=charts.named("neutral"))
    return alt.LayerChart(layer=[casing, line, ends])
