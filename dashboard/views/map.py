"""The Map page: where the athlete has been, drawn here without any map server.

On a shared view private activities are left out, what is near either end of a route is cut, and the small tiles, which
would tell it, are not offered.
"""

from html import escape

import numpy as np
import streamlit as st

from dashboard import address, empty_states, map_picture, privacy
from dashboard.areas import Area, areas
from dashboard.card import Why, card
from dashboard.formatting import Teller, small_html
from dashboard.languages import N_
from dashboard.map import groups, layers, tiles
from dashboard.map.choice import Choice, pick_area, say_hidden, show_picture
from dashboard.mart import Row, Rows
from dashboard.page import Page
from dashboard.route_lines import Lines, lines_of, mercator

VIEWS = {
    "density": N_("Density"),
    "tiles": N_("Explorer tiles"),
    "routes": N_("Similar routes"),
    "interactive": N_("Interactive"),
}
FEW, MANY = 5, 50
MOST_DRAWN = 500
SHOWN = 0.01, 0.99  # of all points are inside the picture; a single long ride does not make it small


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    tell = page.tell
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", tell(empty_states.NO_ACTIVITIES))
        return
    with st.container(horizontal=True, key="map-choices", vertical_alignment="center", gap="small"):
        view = _view(page)
        is_shared = privacy.is_shared(page)
    choice = Choice(page=page, is_shared=is_shared, cut_m=privacy.cut_m(page, shared=is_shared))
    if view == "routes":
        groups.show(choice, most=MANY)
        return
    rows = choice.rows("map/routes")
    found = areas(rows)
    if view == "tiles":
        tiles.show(choice, found)
    else:
        _routes(choice, rows, found, view)
    left, right = st.columns(2, gap="small")
    with left:
        _where(choice, rows, found)
    with right:
        groups.show(choice, most=FEW)


def _view(page: Page) -> str:
    tell = page.tell
    chosen = address.follow("view", VIEWS.__contains__, "density")
    st.segmented_control(
        tell("View"), list(VIEWS), key="view", required=True, label_visibility="collapsed",
        format_func=lambda word: tell(VIEWS[word]), on_change=_chosen,
    )  # fmt: skip
    return chosen


def _chosen() -> None:
    address.put("view", st.session_state["view"], "density")


def _routes(choice: Choice, rows: Rows, found: list[Area], view: str) -> None:
    """Draw the routes of an area: as a picture, or those of them that a browser can move.

    Where others look on, the rows are not offered: they hold the routes as they are.
    """
    page, tell = choice.page, choice.page.tell
    with card(page, "map", tell(VIEWS[view]), queries=[] if choice.cut_m else [rows]) as opened:
        if not found:
            empty_states.nothing_in_filter(page, "map")
            say_hidden(choice)
            return
        area = pick_area(page, found)
        lines = lines_of(area.rows if view == "density" else area.rows[:MOST_DRAWN], choice.cut_m)
        if not lines.rows:
            st.markdown(tell("All routes here are near their ends and hidden."))
            say_hidden(choice)
            return
        opened.why = _why(choice, rows, area)
        if view == "density":
            _density(page, area, lines)
            opened.numbers(_years(page, lines), tell("The numbers behind the picture"))
        else:
            st.caption(_drawn(area, lines, tell))
            layers.show(page, lines)
        say_hidden(choice)


def _density(page: Page, area: Area, lines: Lines) -> None:
    tell = page.tell
    x, y = mercator(lines.latitudes, lines.longitudes)
    frame = map_picture.frame_of(np.quantile(x, SHOWN), np.quantile(y, SHOWN))
    numbers, most = map_picture.density(lines, frame)
    finding = tell(
        "{routes} routes around {place}; passes of the most used way: {most}.",
        routes=tell.number(lines.activity_count), place=area.title(tell), most=tell.number(most),
    )  # fmt: skip
    show_picture(page, "density", numbers, frame, finding)
    told = tell(
        "Darker (by night: lighter) means passed more often (at most: {most}). The picture is {wide} wide. "
        "Outlines: Natural Earth.",
        most=tell.number(most), wide=tell.distance(frame.metres, 0),
    )  # fmt: skip
    st.caption(told)


def _drawn(area: Area, lines: Lines, tell: Teller) -> str:
    """Say how many routes are drawn, and how many have no line left where both ends are cut."""
    newest = min(len(area.rows), MOST_DRAWN)
    told = tell("The newest {n} of {all} routes in this area.", n=tell.number(newest), all=tell.number(len(area.rows)))
    if hidden := newest - lines.activity_count:
        told += " " + tell.plural(
            "{n} of them is near its ends and hidden.", "{n} of them are near their ends and hidden.", hidden
        )
    return told


def _years(page: Page, lines: Lines) -> list[Row]:
    """Return how many routes of a year the picture has, and how long their activities were, the newest first."""
    tell = page.tell
    years: dict[int, list[float]] = {}
    for row in {row["activity_id"]: row for row in lines.rows}.values():
        years.setdefault(row["start_date_local"].year, []).append(row["distance_m"] or 0)
    return [
        {tell("Year"): str(year), tell("Routes"): len(metres), tell("Distance"): tell.distance(sum(metres))}
        for year, metres in sorted(years.items(), reverse=True)
    ]


def _why(choice: Choice, rows: Rows, area: Area) -> Why:
    tell = choice.page.tell
    in_all = rows[0]["route_count"]
    formula = tell(
        "Each route is drawn by at most 60 points; {n} of {all} routes of this filter begin in this area.",
        n=tell.number(len(area.rows)), all=tell.number(in_all),
    )  # fmt: skip
    excluded = [choice.left_out()]
    if choice.cut_m:
        excluded.append(tell("Cut: what is within {radius} of either end.", radius=_metres(choice)))
    if len(rows) < in_all:
        excluded.append(tell("Only the newest {n} routes are drawn.", n=tell.number(len(rows))))
    return Why(formula=formula, models=["route"], excluded=excluded, activities=area.rows)


def _metres(choice: Choice) -> str:
    return choice.page.tell.elevation(choice.cut_m)


def _where(choice: Choice, rows: Rows, found: list[Area]) -> None:
    page, tell = choice.page, choice.page.tell
    with card(page, "where", tell("Where"), tell("share of routes"), queries=[] if choice.cut_m else [rows]) as opened:
        if not found:
            empty_states.nothing_in_filter(page, "where")
            return
        formula = tell(
            "Routes that begin within about 50 km of one another are one area: {n} areas.", n=tell.number(len(found))
        )
        opened.why = Why(
            formula=formula, models=["route"], excluded=[choice.left_out()],
            activities=rows, activity_count=rows[0]["route_count"],
        )  # fmt: skip
        lines = "".join(_where_line(page, area, len(rows)) for area in found[:FEW])
        with st.container(key="map-areas"):
            st.html(f'<table class="ad-t" lang="{tell.language}">{lines}</table>')


def _where_line(page: Page, area: Area, total: int) -> str:
    tell = page.tell
    share = len(area.rows) / total
    count = tell.plural("{n} route", "{n} routes", len(area.rows))
    return (
        f'<tr><th scope="row" class="grow">{escape(area.title(tell))}</th>'
        f'<td><div class="ad-bar"><i style="width:{share * 100:.1f}%"></i></div></td>'
        f'<td class="n">{small_html(tell.percent(share))}</td><td class="n wide"><small>{count}</small></td></tr>'
    )
