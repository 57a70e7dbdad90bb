"""The functions that decode polylines for DuckDB give what plain Python gives, for any line."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.places import decoded, encoded, passed, simplified, unwrapped, visited, walks
from transforms.polyline import register

LINES = st.lists(walks(), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, with the functions."""
    with duckdb.connect() as connection:
        register(connection)
        yield connection


def asked(engine: duckdb.DuckDBPyConnection, function: str, lines: list[str | None]) -> list[Any]:
    """Return what a function says of each line; all of them are one chunk."""
    sql = f"select polyline_{function}(line) from unnest(?::varchar[]) with ordinality as t(line, place) order by place"  # noqa: S608 - one of two names
    return [answer for (answer,) in engine.execute(sql, [lines]).fetchall()]


@given(lines=LINES)
@settings(deadline=None)
def test_a_route_is_what_its_points_span(engine: duckdb.DuckDBPyConnection, lines: list[Any]) -> None:
    """Count, first point, edges and path of each line beside others, one of them unreadable."""
    texts = [*map(encoded, lines), "no line", None]
    *found, broken, missing = asked(engine, "route", texts)
    assert broken is missing is None
    for row, points in zip(found, lines, strict=True):
        way = unwrapped(points)
        latitudes, longitudes = zip(*way, strict=True)
        assert (row["point_count"], row["first_latitude"], row["first_longitude"]) == (len(points), *points[0])
        assert (row["south"], row["north"]) == (min(latitudes), max(latitudes))
        assert (row["west"], row["east"]) == (min(longitudes), max(longitudes))
        assert list(zip(row["latitudes"], row["longitudes"], strict=True)) == simplified(way)


@given(lines=LINES)
@settings(deadline=None)
def test_tiles_are_those_of_plain_python(engine: duckdb.DuckDBPyConnection, lines: list[Any]) -> None:
    """What each line visits and passes at both zooms."""
    *found, broken = asked(engine, "cells", [*map(encoded, lines), "@"])
    assert broken is None
    for cells, points in zip(found, lines, strict=True):
        way = unwrapped(points)
        for zoom in (14, 17):
            seen = [(cell["z"], cell["x"], cell["y"]) for cell in cells if cell["z"] == zoom]
            assert sorted(seen) == sorted(passed(way, zoom))
            assert {(c["z"], c["x"], c["y"]) for c in cells if c["z"] == zoom and c["is_visited"]} == visited(way, zoom)


@given(texts=st.lists(st.text(st.sampled_from("?@A_`~^\x7f>é"), max_size=12), min_size=1, max_size=4))
@settings(deadline=None)
def test_a_text_that_is_no_line_is_none(engine: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    """Of texts that are almost lines, just those are read that a reader letter by letter can read."""
    routes, cells_of = (asked(engine, function, [*texts]) for function in ("route", "cells"))
    for text, route, cells in zip(texts, routes, cells_of, strict=True):
        points = decoded(text)
        assert (route is None) == (cells is None) == (points is None)
        if points is not None:
            way = unwrapped(points)
            assert list(zip(route["latitudes"], route["longitudes"], strict=True)) == simplified(way)
