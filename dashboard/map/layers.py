"""The map that a reader can move: a few hundred routes as lines, drawn by the browser over the shipped outlines.

Without MAP_STYLE_URL it asks no server: `map_provider=None`, with the style left alone, is the one way in which
Streamlit's deck.gl asks nobody for tiles; `map_style=None` makes it ask CARTO.
"""

import math
from typing import Any

import numpy as np
import pydeck as pdk
import streamlit as st

from dashboard import sports
from dashboard.formatting import Teller
from dashboard.links import activity_url
from dashboard.map_picture import LEAST_WIDTH
from dashboard.outlines import outlines
from dashboard.page import Page
from dashboard.palette import on_any_ground
from dashboard.route_lines import Lines, mercator

HEIGHT = 520
FITS = 300  # pixels, of a phone too
WORLD = 512  # pixels of the whole world at zoom 0
GREY = [128, 134, 145]
AROUND = 0.5  # degrees beyond the routes in which outlines are given


def deck(lines: Lines, tell: Teller, style_url: str = "") -> pdk.Deck:
    """Return the layers: outlines, and one path a line in the colour of its sport.

    The layers do not hear of the reader's theme, so the colours are those that are seen by day and by night.
    """
    routes = [
        {
            "path": _path(*lines.line(place)),
            "color": list(bytes.fromhex(on_any_ground(sports.colour(row["sport_group"]))[1:])),
            "name": str(row["name"] or ""),
            "day": tell.day(row["start_date_local"]),
        }
        for place, row in enumerate(lines.rows)
    ]
    south, north = lines.latitudes.min() - AROUND, lines.latitudes.max() + AROUND
    west, east = lines.longitudes.min() - AROUND, lines.longitudes.max() + AROUND
    borders = [{"path": _path(*line)} for line in outlines().lines(south, west, north, east)]
    pixels = pdk.types.String("pixels")  # a plain string would be taken for an expression, and a line fill the map
    common: dict[str, Any] = {"get_path": "path", "width_units": pixels}
    layers = [
        pdk.Layer("PathLayer", borders, id="outlines", get_color=GREY, get_width=1, **common),
        pdk.Layer("PathLayer", routes, id="routes", get_color="color", get_width=2, pickable=True, **common),
    ]
    view = _view(lines)
    tooltip = {"text": "{name}\n{day}"}
    if style_url:
        return pdk.Deck(layers, initial_view_state=view, map_style=style_url, tooltip=tooltip)
    return pdk.Deck(layers, initial_view_state=view, map_provider=None, tooltip=tooltip)


def _view(lines: Lines) -> pdk.ViewState:
    """Return the view that has all lines in it, on a phone too."""
    x, y = mercator(lines.latitudes, lines.longitudes)
    span = max(float(np.ptp(x)), float(np.ptp(y)), LEAST_WIDTH)
    latitude, longitude = (float(each.min() + each.max()) / 2 for each in (lines.latitudes, lines.longitudes))
    return pdk.ViewState(latitude=latitude, longitude=longitude, zoom=round(math.log2(FITS / WORLD / span), 2))


def _path(latitudes: Any, longitudes: Any) -> list[list[float]]:
    return [
        [round(east, 5), round(north, 5)] for north, east in zip(latitudes.tolist(), longitudes.tolist(), strict=True)
    ]


def show(page: Page, lines: Lines) -> None:
    """Draw the map, and the routes on it as a table."""
    tell = page.tell
    shown = {row["activity_id"]: row for row in lines.rows}
    finding = tell("{n} routes as lines that can be moved and pointed at.", n=tell.number(len(shown)))
    with st.container(key="map-interactive"):
        st.pydeck_chart(deck(lines, tell, page.context.map_style_url), height=HEIGHT, key="deck", alt=finding)
    if page.context.map_style_url:
        st.caption(
            tell(
                "The background is asked of {url}: who looks at it tells that server their address and the area.",
                url=page.context.map_style_url,
            )
        )
    with st.expander(tell("The numbers behind the picture"), type="compact"):
        table = [
            {
                tell("Day"): row["start_date_local"],
                tell("Activity"): row["name"] or "",
                tell("Sport"): sports.title(row["sport_group"], tell),
                tell("Distance"): tell.distance(row["distance_m"]),
                tell("Page"): activity_url(row["activity_id"]),
            }
            for row in shown.values()
        ]
        pages = st.column_config.LinkColumn(display_text=tell("open"))
        st.dataframe(table, hide_index=True, column_config={tell("Page"): pages})
