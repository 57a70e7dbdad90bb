"""Explorer tiles as a picture, with the largest square and the largest cluster."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from dashboard import address, empty_states, explorer, map_picture
from dashboard.areas import Area
from dashboard.card import Why, card
from dashboard.explorer import Square, Tile
from dashboard.languages import N_
from dashboard.map.choice import Choice, pick_area, say_hidden, show_picture
from dashboard.mart import Row, Rows
from dashboard.page import Page
from dashboard.route_lines import mercator

ZOOM_WIDTH = 240
BLOCK = 24  # tiles of zoom 14: about half a degree; a trip further away than that is no part of home
AT_HOME = N_(
    "The frame is the largest square; darker tiles (by night: lighter) are the largest cluster. "
    "Outlines: Natural Earth."
)
ELSEWHERE = N_(
    "The largest square lies in another area; the numbers are those of all areas. Darker tiles (by night: lighter) are "
    "the largest cluster. Outlines: Natural Earth."
)
ZOOMS = {"14": N_("Tiles of zoom 14"), "17": N_("Small tiles of zoom 17")}


def show(choice: Choice, found: Sequence[Area]) -> None:
    """Draw the card; its numbers are of all areas, its picture shows one."""
    page, tell = choice.page, choice.page.tell
    with card(page, "tiles", tell("Explorer tiles")) as opened:
        with st.container(horizontal=True, key="tile-choices", gap="small"):
            zoom = _zoom(choice)
            area = pick_area(page, found) if found else None
        rows = opened.rows("map/tiles", page.athlete_id, zoom, *choice.asked, not choice.is_shared)
        if not rows:
            empty_states.nothing_in_filter(page, "tiles")
            say_hidden(choice, is_cut=False)
            return
        visits = {(row["x"], row["y"]): row["visit_count"] for row in rows}
        square, cluster = explorer.largest_square(visits), explorer.largest_cluster(visits)
        opened.why = _why_tiles(choice, rows, square, cluster, zoom)
        _tile_numbers(page, visits, square, cluster)
        middle = tile_at(area.latitude, area.longitude, zoom) if area else (square.x, square.y)
        near = _near(visits, middle, zoom)
        frame = map_picture.tile_frame(near, zoom)
        finding = tell(
            "{tiles} tiles visited; the largest square is {size} by {size}, the largest cluster {cluster} tiles.",
            tiles=tell.number(len(visits)),
            size=tell.number(square.size),
            cluster=tell.number(len(cluster)),
        )
        show_picture(page, "tiles", map_picture.tiles(visits, zoom, square, cluster, frame), frame, finding)
        st.caption(tell(AT_HOME if (square.x, square.y) in near else ELSEWHERE))
        say_hidden(choice, is_cut=False)
        opened.numbers(_new_tiles(page, rows), tell("The numbers behind the picture"))


def _zoom(choice: Choice) -> int:
    """Draw the choice of a size; where home is hidden there is none, for the small tiles would tell it."""
    if choice.is_shared or choice.cut_m:
        return 14
    tell = choice.page.tell
    return int(
        address.pick("zoom", list(ZOOMS), "14", tell("Size of tiles"), lambda word: tell(ZOOMS[word]), width=ZOOM_WIDTH)
    )


def tile_at(latitude: float, longitude: float, zoom: int) -> Tile:
    """Return the tile in which a place is."""
    x, y = mercator(np.array([latitude]), np.array([longitude]))
    return int(x[0] * 2**zoom), int(y[0] * 2**zoom)


def _near(visits: Mapping[Tile, int], middle: Tile, zoom: int) -> list[Tile]:
    """Return the tiles that the picture is to show: those around a tile, and not a far holiday."""
    around = explorer.region(visits, middle, BLOCK << (zoom - 14)) or list(visits)
    by_distance = sorted(around, key=lambda tile: max(abs(tile[0] - middle[0]), abs(tile[1] - middle[1])))
    return by_distance[: max(len(by_distance) * 9 // 10, 1)]


def _tile_numbers(page: Page, visits: Mapping[Tile, int], square: Square, cluster: set[Tile]) -> None:
    tell = page.tell
    numbers = (
        ("tiles", tell("Tiles"), tell.number(len(visits))),
        (
            "square",
            tell("Largest square"),
            f"{tell.number(square.size)} \N{MULTIPLICATION SIGN} {tell.number(square.size)}",
        ),
        ("cluster", tell("Largest cluster"), tell.number(len(cluster))),
    )
    with st.grid(len(numbers), min_column_width=150, gap="small"):
        for key, title, value in numbers:
            with st.container(key=f"kpi-{key}"):
                st.metric(title, value, border=True)


def _why_tiles(choice: Choice, rows: Rows, square: Square, cluster: set[Tile], zoom: int) -> Why:
    tell = choice.page.tell
    summaries = sum(not row["is_precise"] for row in rows)
    return Why(
        formula=tell(
            "{tiles} different tiles have a point of a recording in them, or lie where a line crosses between two that "
            "touch at a corner. The largest square has all of its {size} by {size} tiles visited. The {cluster} tiles "
            "of the largest cluster have all four neighbours visited and touch one another.",
            tiles=tell.number(len(rows)),
            size=tell.number(square.size),
            cluster=tell.number(len(cluster)),
        ),
        models=["tile_visit", "route_cell"],
        inputs=[tell("{n} tiles are known from summaries alone, which may miss tiles.", n=tell.number(summaries))],
        excluded=[choice.left_out()],
        activities=lambda: choice.rows("map/most_tiles", choice.page.athlete_id, zoom),
    )


def _new_tiles(page: Page, rows: Rows) -> list[Row]:
    """Return in which year how many tiles of this filter were first visited, the newest first."""
    years = Counter(row["first_day"].year for row in rows)
    return [{page.tell("Year"): str(year), page.tell("New tiles"): years[year]} for year in sorted(years, reverse=True)]
