"""The paths of routes as arrays, to draw them: on the square map of the world, in one piece across 180 degrees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
EARTH_RADIUS_M = 6_371_008.8
EQUATOR_M = 40_075_016.686  # once round the square map of the world, by the radius of its projection
MERCATOR_POLE = 85.0511287798066  # degrees; where that map ends


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in degrees, one after another; line k has the points from starts[k] to starts[k + 1].

    Longitudes go on beyond 180 degrees. `rows` are the rows of the mart that the lines came from, in their order.
    """

    latitudes: Floats
    longitudes: Floats
    starts: Ints
    rows: list[Mapping[str, Any]]

    @property
    def activity_count(self) -> int:
        """How many activities have a line."""
        return len({row["activity_id"] for row in self.rows})

    def line(self, place: int) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes of one line."""
        part = slice(self.starts[place], self.starts[place + 1])
        return self.latitudes[part], self.longitudes[part]


def lines_of(rows: Iterable[Mapping[str, Any]], cut_m: float = 0) -> Lines:
    """Return the paths of rows of `route`, each without what is within `cut_m` metres of either of its ends.

    A path of which nothing is left has no line, one that is left in parts has several, each with the row.
    """
    kept, latitudes, longitudes = [], [], []
    for row in rows:
        whole = _degrees(row["path_latitudes"]), _degrees(row["path_longitudes"])
        for north, east in without_ends(*whole, cut_m) if cut_m else [whole]:
            kept.append(row)
            latitudes.append(north)
            longitudes.append(east)
    starts = np.cumsum([0, *map(len, latitudes)])
    if not kept:
        return Lines(np.zeros(0), np.zeros(0), starts, kept)
    return Lines(np.concatenate(latitudes), np.concatenate(longitudes), starts, kept)


def _degrees(values: Any) -> Floats:
    return np.array(values, dtype=np.float64) / 100_000


def without_ends(latitudes: Floats, longitudes: Floats, cut_m: float) -> list[tuple[Floats, Floats]]:
    """Return the parts of a line that stay more than `cut_m` metres, as the crow flies, from both of its ends.

    The way from the door is left out as far as that circle, however it winds in it, and so is what comes past the door
    in the middle: no step of what is returned enters a circle.
    """
    return [(latitudes[part], longitudes[part]) for part in places_without_ends(latitudes, longitudes, cut_m)]


def places_without_ends(latitudes: Floats, longitudes: Floats, cut_m: float) -> list[Ints]:
    """Return the same parts by the places of their points in the line; without a cut all of it."""
    near = np.zeros(max(len(latitudes) - 1, 0), dtype=bool)
    for end in (0, -1) if cut_m else ():
        near |= _steps_from_m(latitudes, longitudes, latitudes[end], longitudes[end]) <= cut_m
    parts = np.split(np.arange(len(latitudes)), np.flatnonzero(near) + 1)
    return [part for part in parts if len(part) > 1]


def _steps_from_m(latitudes: Floats, longitudes: Floats, latitude: float, longitude: float) -> Floats:
    """Return how near each step of a line comes to a place, in metres."""
    y = np.radians(latitudes - latitude) * EARTH_RADIUS_M
    x = np.radians(longitudes - longitude) * EARTH_RADIUS_M * np.cos(np.radians(latitude))
    across, up = np.diff(x), np.diff(y)
    length = np.maximum(across * across + up * up, 1e-9)
    share = np.clip(-(x[:-1] * across + y[:-1] * up) / length, 0, 1)
    return np.asarray(np.hypot(x[:-1] + share * across, y[:-1] + share * up))


def mercator(latitudes: Floats, longitudes: Floats) -> tuple[Floats, Floats]:
    """Return places on the square map of the world: from 0 to 1, from its north-west corner; beyond 180 degrees on."""
    sine = np.sin(np.radians(np.clip(latitudes, -MERCATOR_POLE, MERCATOR_POLE)))
    return (longitudes + 180) / 360, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
