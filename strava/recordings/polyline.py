"""Encodes a line as Google's polyline, and thins it out.

Format: https://developers.google.com/maps/documentation/utilities/polylinealgorithm

The package `polyline`, to whose lines the tests hold these, is ten times slower: it would take a third of an import's
time. And only the simulator has it.
"""

from typing import Any

import numpy as np

from strava.recordings.recording import Column, Flags
from strava.recordings.track import EARTH_RADIUS_M

Ints = np.ndarray[Any, np.dtype[np.int64]]

SUMMARY_M = 10.0
MOST_SUMMARISED = 10_000  # points that are looked at
_LETTERS = 6  # of a number at most: 360 degrees have 26 bits, and a sign


def encode(latitude: Column, longitude: Column) -> str:
    """Return a line of degrees, to five decimals."""
    points = np.rint(np.stack([latitude, longitude], axis=1) * 1e5).astype(np.int32)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int32)).reshape(-1)
    values = np.where(steps < 0, ~(steps << 1), steps << 1)
    letters = np.zeros((len(values), _LETTERS), dtype=np.uint8)
    for place in range(_LETTERS):
        rest = values >> 5 * place
        is_used = rest > 0 if place else True
        letters[:, place] = np.where(is_used, (rest & 31) + np.where(rest > 31, 32, 0) + 63, 0)  # noqa: PLR2004 - five bits
    return letters[letters > 0].tobytes().decode("ascii")


def simplified(latitude: Column, longitude: Column, tolerance_m: float = SUMMARY_M) -> Ints:
    """Return the points that stay of a line when none left out is farther than the tolerance from what remains.

    Douglas and Peucker's algorithm, on a plane around the line's middle; of a long line every so-manieth point.
    """
    chosen = np.arange(0, len(latitude), max(1, -(-len(latitude) // MOST_SUMMARISED)))
    chosen = np.unique(np.append(chosen, len(latitude) - 1)) if len(latitude) else chosen
    scale = np.radians(EARTH_RADIUS_M)
    turned = (longitude[chosen] - longitude[:1] + 180) % 360 - 180
    x = turned * scale * np.cos(np.radians(latitude[chosen].mean() if len(chosen) else 0.0))
    y = latitude[chosen] * scale
    kept: Flags = np.zeros(len(chosen), dtype=bool)
    kept[:1] = kept[-1:] = True
    todo = [(0, len(chosen) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:  # noqa: PLR2004 - nothing between
            continue
        away = _distances(x[first : last + 1], y[first : last + 1])
        farthest = int(np.argmax(away))
        if away[farthest] > tolerance_m:
            kept[first + farthest] = True
            todo += [(first, first + farthest), (first + farthest, last)]
    return chosen[kept]


def _distances(x: Column, y: Column) -> Column:
    """Return how far points are from the straight line between the first and the last one."""
    east, north = x - x[0], y - y[0]
    along = east[-1] ** 2 + north[-1] ** 2
    share = np.clip((east * east[-1] + north * north[-1]) / along, 0, 1) if along else np.zeros_like(x)
    away: Column = np.hypot(east - share * east[-1], north - share * north[-1])
    return away
