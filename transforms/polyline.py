"""Encoded polylines for DuckDB: two SQL functions that `functions.py` registers on a connection.

Decoding takes ten steps for each character. As SQL over lists that was nine tenths of a full build; here numpy takes
each step once for the two thousand lines of a chunk. BigQuery decodes in SQL (`macros/polyline.sql`), and tests hold
both to the same rows.

Format: https://developers.google.com/maps/documentation/utilities/polylinealgorithm

polyline_route(line)  a struct of point_count, first_latitude, first_longitude, south, north, west, east and the lists
                      latitudes and longitudes of at most 60 points; all in 1e-5 degrees
polyline_cells(line)  a list of the map tiles z, x, y that the line passes, with is_visited

Both are null for a line that does not follow the rules or leaves the globe. West, east and longitudes are followed
from point to point, always the shorter way round, so beyond 180 degrees they go on: from 179 to -179 is 179 to 181.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import FunctionNullHandling, PythonUDFType

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

HALF_TURN, POLE = 18_000_000, 9_000_000  # in 1e-5 degrees
MOST_POINTS = 60
LEAST, LAST, MOST = 63, 95, 126  # a number's letters are from the first to the third, its last one is below the second
MOST_LETTERS = 7  # of one number
FINE, COARSE = 17, 14  # zoom levels
TILES = 1 << FINE  # in a row of the world
MERCATOR_POLE = 85.0511287798066  # degrees; where the square world map ends
EARTH_RADIUS_M = 6_371_008.8
JUMP_M = 1_000  # between two points: farther is a gap in the recording, which is not filled

_NUMBERS = ("point_count", "first_latitude", "first_longitude", "south", "north", "west", "east")
_LISTS = ("latitudes", "longitudes")
ROUTE_TYPE = pa.struct([*((name, pa.int64()) for name in _NUMBERS), *((name, pa.list_(pa.int64())) for name in _LISTS)])
CELLS_TYPE = pa.list_(pa.struct([("z", pa.int64()), ("x", pa.int64()), ("y", pa.int64()), ("is_visited", pa.bool_())]))
_ROUTE_SQL = f"struct({', '.join(f'{name} bigint' for name in _NUMBERS)}, latitudes bigint[], longitudes bigint[])"
_CELLS_SQL = "struct(z bigint, x bigint, y bigint, is_visited boolean)[]"


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the functions of this module."""
    for name, function, returned in (("route", routes, _ROUTE_SQL), ("cells", cells, _CELLS_SQL)):
        connection.create_function(
            f"polyline_{name}",
            function,
            ["varchar"],
            connection.type(returned),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
            side_effects=True,  # called once for each row: a condition on the result is not worked out by a second call
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """Decoded lines one after another, in 1e-5 degrees; line k has the points from starts[k] to starts[k + 1].

    `place` is where each line stood in the array that was decoded; lines that cannot be read are not here.
    """

    latitudes: Ints
    longitudes: Ints  # going on beyond 180 degrees
    starts: Ints
    place: Ints
    line_of: Ints  # the line of each point

    @property
    def counts(self) -> Ints:
        """Points of each line."""
        return np.diff(self.starts)


def decode(texts: pa.Array) -> Lines:
    """Decode the readable ones of some encoded polylines."""
    letters, bounds = _bytes_of(texts)
    numbers = np.searchsorted(np.flatnonzero(letters < LAST), bounds)  # how many numbers end before each line
    faults = np.searchsorted(np.flatnonzero((letters < LEAST) | (letters > MOST)), bounds)
    filled = np.diff(bounds) > 0
    readable = filled & (np.diff(faults) == 0) & (np.diff(numbers) % 2 == 0)
    readable[filled] &= letters[bounds[1:][filled] - 1] < LAST
    place = np.flatnonzero(readable)
    values, lengths = _numbers(letters if readable.all() else letters[np.repeat(readable, np.diff(bounds))])
    counts = np.diff(numbers)[place] // 2
    starts = _running(counts)
    differences = (values >> 1) ^ -(values & 1)
    latitudes, longitudes = (_summed(differences[axis::2], starts) for axis in (0, 1))
    steps = differences[1::2]
    steps = np.where(steps > HALF_TURN, steps - 2 * HALF_TURN, steps)
    steps = np.where(steps < -HALF_TURN, steps + 2 * HALF_TURN, steps)
    beyond = (np.abs(latitudes) > POLE) | (np.abs(longitudes) > HALF_TURN)
    beyond |= (lengths[0::2] > MOST_LETTERS) | (lengths[1::2] > MOST_LETTERS)
    line_of = np.repeat(np.arange(len(place)), counts)
    return _without(Lines(latitudes, _summed(steps, starts), starts, place, line_of), beyond)


def _bytes_of(texts: pa.Array) -> tuple[Bytes, Ints]:
    """Return the letters of all texts, and where each begins and the last one ends; a null is empty."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    texts = texts.cast(pa.large_string()).fill_null("")
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]] if data else np.zeros(0, dtype=np.uint8)
    return letters, bounds - bounds[0]


def _numbers(letters: Bytes) -> tuple[Ints, Ints]:
    """Return the numbers that letters spell, five bits each with the lowest first, and how many letters each has.

    Of a number that is too long to be one, only the last letters are read.
    """
    ends = np.flatnonzero(letters < LAST)
    lengths = np.diff(ends, prepend=-1)
    bits = (letters - np.uint8(LEAST)) & np.uint8(31)
    values = bits[ends].astype(np.int64)
    longer = np.flatnonzero(lengths > 1)
    for before in range(1, MOST_LETTERS):
        values[longer] = values[longer] << 5 | bits[ends[longer] - before]
        longer = longer[lengths[longer] > before + 1]
    return values, lengths


def _running(values: Ints | Flags) -> Ints:
    """Return the sum before each value, and of all."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])


def _summed(differences: Ints, starts: Ints) -> Ints:
    """Add up within each line."""
    before = _running(differences)
    return before[1:] - np.repeat(before[starts[:-1]], np.diff(starts))


def _without(lines: Lines, beyond: Flags) -> Lines:
    """Leave out the lines of these points."""
    wrong = np.diff(_running(beyond)[lines.starts]) > 0
    if not wrong.any():
        return lines
    kept, counts = np.repeat(~wrong, lines.counts), lines.counts[~wrong]
    line_of = np.repeat(np.arange(len(counts)), counts)
    return Lines(lines.latitudes[kept], lines.longitudes[kept], _running(counts), lines.place[~wrong], line_of)


def routes(texts: pa.Array) -> pa.Array:
    """Return what ROUTE_TYPE holds of each line."""
    lines = decode(texts)
    first = lines.starts[:-1]
    if not len(first):
        return pa.nulls(len(texts), ROUTE_TYPE)
    eastward = lines.longitudes[first]
    numbers = [
        lines.counts,
        lines.latitudes[first],
        eastward,
        *(edge.reduceat(lines.latitudes, first) for edge in (np.minimum, np.maximum)),
        *(edge.reduceat(lines.longitudes, first) for edge in (np.minimum, np.maximum)),
    ]
    chosen = simplified(lines)
    bounds = _running(chosen)[lines.starts]
    paths = [pa.ListArray.from_arrays(bounds.astype(np.int32), pa.array(axis[chosen])) for axis in _axes(lines)]
    found = pa.StructArray.from_arrays([*map(pa.array, numbers), *paths], fields=list(ROUTE_TYPE))
    return found.take(_places(lines, len(texts)))


def _axes(lines: Lines) -> tuple[Ints, Ints]:
    return lines.latitudes, lines.longitudes


def _places(lines: Lines, count: int) -> pa.Array:
    """Return for each text the row of what was found for it, null where it was not readable."""
    rows = np.zeros(count, dtype=np.int64)
    rows[lines.place] = np.arange(len(lines.place))
    missing = np.ones(count, dtype=bool)
    missing[lines.place] = False
    return pa.array(rows, mask=missing)


def simplified(lines: Lines) -> Flags:
    """Choose at most 60 points of each line: the first, the last, and of 58 equal stretches the farthest point each.

    That is the point farthest from the straight line between the stretch's neighbours, the first of equals: the one
    that makes the largest triangle, in whole numbers, so that every engine chooses the same.
    """
    counts: Ints = lines.counts[lines.line_of]
    step = np.arange(len(counts)) - lines.starts[:-1][lines.line_of]
    chosen: Flags = (counts <= MOST_POINTS) | (step == 0) | (step == counts - 1)
    inner = np.flatnonzero(~chosen)
    if not len(inner):
        return chosen
    stretch = (step[inner] - 1) * (MOST_POINTS - 2) // (counts[inner] - 2)
    begins = np.flatnonzero(np.diff(lines.line_of[inner] * MOST_POINTS + stretch, prepend=-1))
    sizes = np.diff(begins, append=len(inner))
    before = np.repeat(inner[begins] - 1, sizes)
    after = np.repeat(inner[begins + sizes - 1] + 1, sizes)
    latitudes, longitudes = _axes(lines)
    areas = np.abs(
        (latitudes[after] - latitudes[before]) * (longitudes[inner] - longitudes[before])
        - (longitudes[after] - longitudes[before]) * (latitudes[inner] - latitudes[before])
    )
    farthest = np.flatnonzero(areas == np.repeat(np.maximum.reduceat(areas, begins), sizes))
    of_stretch = np.repeat(np.arange(len(begins)), sizes)[farthest]
    chosen[inner[farthest[np.flatnonzero(np.diff(of_stretch, prepend=-1))]]] = True
    return chosen


def cells(texts: pa.Array) -> pa.Array:
    """Return the tiles of each line, at zoom 14 and 17.

    Visited are the tiles of its points, and where two points that follow one another are in tiles that touch at a
    corner alone, the one between them that the straight way crosses. Besides these it passes what lies between two
    points that are at most a kilometre apart, looked at every half tile or closer.
    """
    lines = decode(texts)
    follows: Flags = np.diff(lines.line_of) == 0
    x, y = mercator(lines.latitudes, lines.longitudes)
    visited = []
    for zoom in (COARSE, FINE):
        places = x / (1 << (FINE - zoom)), y / (1 << (FINE - zoom))
        column, row = (np.floor(axis).astype(np.int64) for axis in places)
        visited.append(_packed(lines.line_of, column, row, zoom))
        visited.append(_packed_tiles(*_corners(lines.line_of, follows, places, (column, row)), zoom))
    line, across, down = _between(lines, follows, x, y)
    passed = []
    for zoom in (COARSE, FINE):
        column, row = (np.floor(axis / (1 << (FINE - zoom))).astype(np.int64) for axis in (across, down))
        passed.append(_packed(line, column, row, zoom))
    seen = _distinct(visited)
    every = _distinct([seen, *passed])
    bounds = np.searchsorted(every, np.arange(len(lines.place) + 1) << (2 * FINE + 1))
    fields = [
        np.where(every >> (2 * FINE) & 1, FINE, COARSE),
        every >> FINE & (TILES - 1),
        every & (TILES - 1),
        np.isin(every, seen, assume_unique=True),
    ]
    found = pa.StructArray.from_arrays([*map(pa.array, fields)], fields=list(CELLS_TYPE.value_type))
    return pa.ListArray.from_arrays(bounds.astype(np.int32), found).take(_places(lines, len(texts)))


def _distinct(parts: Sequence[Ints]) -> Ints:
    """Return each number once, in order. `np.unique` hashes them, which takes three times as long as all the rest."""
    ordered = np.sort(np.concatenate(parts))
    return np.compress(np.diff(ordered, prepend=-1) != 0, ordered)


def mercator(latitudes: Ints, longitudes: Ints) -> tuple[Floats, Floats]:
    """Return places on the square map of the world, in tiles of zoom 17 from its north-west corner."""
    sine = np.sin(np.radians(np.clip(latitudes / 100_000, -MERCATOR_POLE, MERCATOR_POLE)))
    x = (longitudes + HALF_TURN) / (2 * HALF_TURN) * TILES
    return x, (0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)) * TILES


def _packed(line: Ints, column: Ints, row: Ints, zoom: int) -> Ints:
    """Pack the tiles of points, each once for as long as the line stays in it."""
    tiles = _packed_tiles(line, column, row, zoom)
    changes: Flags = np.diff(tiles, prepend=-1) != 0
    return np.compress(changes, tiles)


def _packed_tiles(line: Ints, x: Ints, y: Ints, zoom: int) -> Ints:
    """Pack line, zoom, x and y into one number each, x within the world and y on it."""
    most = 1 << zoom
    return ((2 * line + (zoom == FINE)) << (2 * FINE)) | (x % most << FINE) | np.clip(y, 0, most - 1)


def _corners(
    line: Ints, follows: Flags, places: tuple[Floats, Floats], tiles: tuple[Ints, Ints]
) -> tuple[Ints, Ints, Ints]:
    """Return the tile between two that touch at a corner alone, with its line: where the way crosses their meridian."""
    (x, y), (column, row) = places, tiles
    touches = np.flatnonzero(follows & (np.abs(np.diff(column)) == 1) & (np.abs(np.diff(row)) == 1))
    x1, x2, y1, y2 = column[touches], column[touches + 1], row[touches], row[touches + 1]
    (from_x, to_x), (from_y, to_y) = ((axis[touches], axis[touches + 1]) for axis in (x, y))
    crossing = from_y + (to_y - from_y) * (np.maximum(x1, x2) - from_x) / (to_x - from_x)
    keeps_row = np.floor(crossing) == y1
    return line[touches], np.where(keeps_row, x2, x1), np.where(keeps_row, y1, y2)


def _between(lines: Lines, follows: Flags, x: Floats, y: Floats) -> tuple[Ints, Floats, Floats]:
    """Return places between points that follow one another, half a tile of zoom 17 apart or less, with their lines."""
    across, down = np.diff(x), np.diff(y)
    steps = np.maximum(np.abs(across), np.abs(down))
    far = np.flatnonzero(follows & (steps > 0.5))  # noqa: PLR2004 - tiles
    (south, north), (west, east) = ([np.radians(axis[far + end] / 100_000) for end in (0, 1)] for axis in _axes(lines))
    upward, eastward = north - south, (east - west) * np.cos((south + north) / 2)
    near = far[(upward * upward + eastward * eastward) * EARTH_RADIUS_M**2 <= JUMP_M**2]
    parts = np.ceil(2 * steps[near]).astype(np.int64)
    segment = np.repeat(np.arange(len(near)), parts - 1)
    part = np.arange(len(segment)) - np.repeat(_running(parts - 1)[:-1], parts - 1) + 1
    share = part / parts[segment]
    start = near[segment]
    return lines.line_of[start], x[start] + across[start] * share, y[start] + down[start] * share
