"""What the map's pictures show: where lines are, how often they were passed, and nothing near their ends."""

import io
import json
from datetime import date
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any

import numpy as np
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dashboard.areas import areas
from dashboard.explorer import Square
from dashboard.formatting import Teller
from dashboard.map.layers import deck
from dashboard.map_picture import (
    AMOUNTS,
    FIRST,
    GROUND,
    HEIGHT,
    SQUARE,
    WIDTH,
    Frame,
    density,
    frame_of,
    passes,
    pictures,
    round_number,
    tile_frame,
    tiles,
)
from dashboard.outlines import CODES, outlines
from dashboard.palette import on_any_ground
from dashboard.route_lines import lines_of, mercator, without_ends
from tests.dashboard.conftest import NOW

TELL = Teller(now=NOW, zone=NOW.tzinfo)  # type: ignore[arg-type]  # an offset will do


def row(*points: tuple[int, int], sport: str = "run") -> dict[str, Any]:
    """Return a row of `map/routes` with a path in 1e-5 degrees."""
    latitudes, longitudes = zip(*points, strict=True)
    return {
        "activity_id": 1, "sport_group": sport, "name": "Out <b>", "start_date_local": NOW.date(),
        "path_latitudes": list(latitudes), "path_longitudes": list(longitudes),
    }  # fmt: skip


def test_a_pixel_counts_how_often_it_is_passed() -> None:
    """Two lines cross in the middle of the picture: one pixel is passed twice, every other of theirs once."""
    frame = Frame(0.5, 0.5 - 1 / 4096, 1 / 1024)  # from 0 degrees east, around the equator
    whole = 36_000_000 // 1024
    across = row((10, 10), (10, whole - 10))
    down = row((8_000, whole // 2), (-8_000, whole // 2))
    counts = passes(lines_of([across, down]), frame)
    assert counts.shape == (HEIGHT, WIDTH)
    assert counts.max() == 2
    assert (counts == 2).sum() == 1
    assert (counts.sum(axis=0) > 0).sum() > 0.99 * WIDTH
    numbers, most = density(lines_of([across, down]), frame)
    assert most == 2
    assert set(np.unique(numbers)) == {GROUND, FIRST, FIRST + AMOUNTS - 1}


def test_a_line_across_180_degrees_is_drawn_in_one_piece() -> None:
    """From 179.9 to 180.1 degrees the frame is 0.2 degrees wide and a bit, and the line goes through all of it."""
    lines = lines_of([row((-1_680_000, 17_990_000), (-1_680_000, 18_010_000))])
    frame = frame_of(*mercator(lines.latitudes, lines.longitudes))
    assert 0.2 < frame.width * 360 < 0.25
    assert (passes(lines, frame).sum(axis=0) > 0).mean() > 0.9


def test_pictures_differ_by_theme_and_are_small() -> None:
    """Day and night have the size of the page, their own ground, and far less than half a megabyte each."""
    lines = lines_of([row(*((5_252_000 + step % 9 * 300, 1_340_000 + step * 90) for step in range(60)))] * 50)
    frame = frame_of(*mercator(lines.latitudes, lines.longitudes))
    made = pictures(density(lines, frame)[0], frame, (1_000, "1 km"))
    corners = {name: Image.open(io.BytesIO(png)).convert("RGB").getpixel((3, 3)) for name, png in made.items()}
    assert corners == {"light": (255, 255, 255), "dark": (16, 20, 26)}
    assert all(len(png) < 250_000 for png in made.values())
    assert {Image.open(io.BytesIO(png)).size for png in made.values()} == {(WIDTH, HEIGHT)}


def test_tiles_have_their_places() -> None:
    """A visited tile, one of the cluster, the ground beside them, and the frame of the square."""
    visits = {(8800, 5372): 1, (8801, 5372): 3}
    frame = tile_frame(visits, 14)
    numbers = tiles(visits, 14, Square(8801, 5372, 1), {(8801, 5372)}, frame)
    middles = [((x + 0.5) / 2**14, 5372.5 / 2**14) for x in (8799, 8800, 8801)]
    at = [frame.pixels(np.array([x]), np.array([y])) for x, y in middles]
    assert at[0][0][0] < 0
    plain, clustered = (int(numbers[int(y[0]), int(x[0])]) for x, y in at[1:])
    assert FIRST <= plain < clustered < FIRST + AMOUNTS
    assert (numbers == SQUARE).any()


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the great circle between two places, by the haversine formula."""
    (north, east), (to_north, to_east) = ([radians(part) for part in place] for place in (one, other))
    half = sin((to_north - north) / 2) ** 2 + cos(north) * cos(to_north) * sin((to_east - east) / 2) ** 2
    return 2 * 6_371_008.8 * asin(sqrt(half))


@given(
    steps=st.lists(st.tuples(st.integers(-200, 200), st.integers(-200, 200)), min_size=1, max_size=40),
    start=st.sampled_from([(52.52, 13.4), (-33.8, 151.2), (0.0, 0.0)]),
)
def test_nothing_is_drawn_near_an_end(steps: list[tuple[int, int]], start: tuple[float, float]) -> None:
    """However a line winds, and wherever it comes home: 200 m around both ends no step of what is left is drawn."""
    walked = np.cumsum([(0, 0), *steps], axis=0) / 100_000
    north, east = walked[:, 0] + start[0], walked[:, 1] + start[1]
    ends = [(north[end], east[end]) for end in (0, -1)]
    parts = without_ends(north, east, 200)
    for latitudes, longitudes in parts:
        for share in np.linspace(0, 1, 9):
            between = zip(
                latitudes[:-1] + np.diff(latitudes) * share, longitudes[:-1] + np.diff(longitudes) * share, strict=True
            )
            assert all(metres(place, end) > 199 for place in between for end in ends)
    far = [min(metres(place, end) for end in ends) > 1_000 for place in zip(north.tolist(), east.tolist(), strict=True)]
    kept = sum(len(latitudes) - 1 for latitudes, _ in parts)
    assert kept >= sum(one and other for one, other in pairwise(far))


def test_a_line_that_stays_at_home_is_not_drawn() -> None:
    """Three points within 100 m leave nothing, without a cut they are a line."""
    home = row((5_252_000, 1_340_000), (5_252_040, 1_340_000), (5_252_000, 1_340_000))
    assert lines_of([home], 200).rows == []
    assert len(lines_of([home]).rows) == 1


def test_areas_are_told_by_country_and_place() -> None:
    """Two routes at home and one on holiday are two areas, home first."""
    home, holiday = row((5_252_000, 1_340_500), (5_253_000, 1_340_500)), row((3_960_000, 290_000), (3_961_000, 290_000))
    found = areas([home, holiday, home])
    assert [(len(area.rows), area.title(TELL)) for area in found] == [
        (2, "Germany, 52.5° N 13.4° E"), (1, "Spain, 39.6° N 2.9° E"),
    ]  # fmt: skip
    assert outlines().country_at(48.2, 16.37, "de") == "Österreich"
    assert outlines().country_at(0, -30, "en") is None


def test_countries_have_the_names_of_the_readers_language() -> None:
    """Also those that the outlines abbreviate or name in another way; what no standard names stays as it is."""
    found = outlines()
    assert [found.country_at(41.8, -73.9, language) for language in ("en", "de")] == [
        "United States", "Vereinigte Staaten",
    ]  # fmt: skip
    assert found.country_at(36.9, 30.7, "de") == "Türkei"
    assert found.country_at(18.8, -70.2, "en") == "Dominican Republic"
    english = set(Locale("en").territories.values())
    assert {name for name in found.names if name not in english and name not in CODES} == {
        "Somaliland", "N. Cyprus", "Indian Ocean Ter.", "Ashmore and Cartier Is.", "Siachen Glacier",
    }  # fmt: skip
    assert set(CODES.values()) <= set(Locale("en").territories)


def test_an_area_has_its_newest_routes_first() -> None:
    """In each cell they may begin: by day, then by number."""
    west, east = (row((5_252_000, start), (5_253_000, start)) for start in (1_345_000, 1_355_000))
    newest = east | {"activity_id": 2, "start_date_local": date(2026, 11, 19)}
    [area] = areas([newest, east | {"activity_id": 3}, west | {"activity_id": 4}, east])
    assert [one["activity_id"] for one in area.rows] == [2, 4, 3, 1]


def test_the_map_that_moves_asks_no_server() -> None:
    """No provider of maps is named unless a style is set, and every route is a path in the colour of its sport."""
    lines = lines_of([row((5_252_000, 1_340_000), (5_253_000, 1_341_000), sport="ride")])
    plain, styled = deck(lines, TELL), deck(lines, TELL, "https://tiles.example.org/style.json")
    assert plain.map_provider is None
    assert "https://" not in plain.to_json()
    assert "https://tiles.example.org/style.json" in styled.to_json()
    [route] = next(layer.data for layer in plain.layers if layer.id == "routes")
    assert (route["path"], route["day"]) == ([[13.4, 52.52], [13.41, 52.53]], "18 Nov 2026")
    assert bytes(route["color"]).hex().upper() == on_any_ground("ride")[1:]
    told = json.loads(plain.to_json())["layers"]
    assert [(layer["id"], layer["getPath"], layer["widthUnits"]) for layer in told] == [
        ("outlines", "@@=path", "pixels"), ("routes", "@@=path", "pixels"),
    ]  # fmt: skip


def test_the_map_that_moves_opens_with_all_routes_in_it() -> None:
    """A route to the north and one to the east are within 300 pixels; what stays at one place is not enlarged more."""
    north, east = (
        row((5_200_000, 1_300_000), (5_300_000, 1_300_000)),
        row((5_200_000, 1_300_000), (5_200_000, 1_350_000)),
    )
    view = deck(lines_of([north, east]), TELL).initial_view_state
    assert (view.latitude, view.longitude) == (52.5, 13.25)
    tall = np.ptp(mercator(np.array([52.0, 53.0]), np.zeros(2))[1])  # on the square map of the world
    assert 295 < tall * 512 * 2**view.zoom < 305
    still = deck(lines_of([row((0, 0), (0, 1))]), TELL).initial_view_state
    assert 13 < still.zoom < 14


def test_scales_go_by_ones_twos_and_fives() -> None:
    """The largest round number that fits."""
    assert [round_number(most) for most in (0.03, 1, 4.9, 5, 99, 2_500)] == [0.02, 1, 2, 5, 50, 2_000]
