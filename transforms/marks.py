"""The marks of recordings for DuckDB: a SQL function that `functions.py` registers on a connection.

Heights and slopes are of all points that are near by distance, whose ends numpy finds by bisection. As SQL over windows
it takes several times as long; BigQuery does that (`macros/marks.sql`), and tests hold both to the same rows.

course_marks(points, is_on_foot, grade_points)  a list of marks: the start, each kilometre and mile, half of the way and
                                                the end, with what was done until there; points in any order, and how
                                                much a metre costs on which slope
"""

from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import PythonUDFType

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
Marks = tuple[list[str], Floats]  # the kinds, and a row for each of _NUMBERS

UNITS = {"metric": 1000.0, "imperial": 1609.344}
SMOOTHED_M, SLOPED_M = 25, 100  # to either side
SLOWEST_MPS = 0.5  # slower between two points is a pause, if nothing was recorded there for long
HEARTRATES = (30, 220)  # what is beyond is no reading
_POINT = {
    **dict.fromkeys(("place", "second", "hold_s"), "bigint"),
    **dict.fromkeys(("distance_m", "altitude_mm", "heartrate_bpm"), "double"),
    "is_moving": "boolean",
}
_NUMBERS = ("mark_index", "distance_m", "elapsed_s", "moved_s", "flat_m", "beats", "beats_s", "altitude_m")
_MARK = {"kind": "varchar", **dict.fromkeys(_NUMBERS, "double")}
_MARKS = pa.list_(pa.struct({"kind": pa.string(), **dict.fromkeys(_NUMBERS, pa.float64())}))


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the function of this module."""
    points, found = (
        connection.type(f"struct({', '.join(f'{name} {kind}' for name, kind in fields.items())})[]")
        for fields in (_POINT, _MARK)
    )
    grades = connection.type("double[][]")
    connection.create_function("course_marks", marks, [points, "boolean", grades], found, type=PythonUDFType.ARROW)


def marks(points: pa.Array, is_on_foot: pa.Array, grade_points: pa.Array) -> pa.Array:
    """Return the marks of each recording."""
    if not len(points):  # as DuckDB may ask
        return pa.array([], _MARKS)
    points = points.combine_chunks() if isinstance(points, pa.ChunkedArray) else points
    columns = {name: points.values.field(name).to_numpy(zero_copy_only=False) for name in _POINT}
    bounds = points.offsets.to_numpy()
    grades: Floats = np.array(grade_points[0].as_py())
    found = [
        _of_one({name: column[first:last] for name, column in columns.items()}, grades if on_foot else None)
        for first, last, on_foot in zip(bounds[:-1], bounds[1:], is_on_foot.to_pylist(), strict=True)
    ]
    numbers = np.concatenate([numbers for _, numbers in found], axis=1)
    kinds = pa.array([kind for kinds, _ in found for kind in kinds])
    ends = np.cumsum([0, *(len(kinds) for kinds, _ in found)], dtype=np.int32)
    arrays = [kinds, *(pa.array(row, from_pandas=True) for row in numbers)]  # what is no number is null
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(arrays, names=list(_MARK)))


def _of_one(points: dict[str, Any], grades: Floats | None) -> Marks:
    """Return the marks of a recording. A distance that falls is the one before; slopes count where grades are given."""
    order = np.lexsort((points["place"], points["second"]))
    seconds, hold_s, is_moving, heartrate, altitude_mm = (
        points[name][order] for name in ("second", "hold_s", "is_moving", "heartrate_bpm", "altitude_mm")
    )
    metres = np.maximum.accumulate(points["distance_m"][order])
    gaps, steps, climbs = (np.diff(column, append=column[-1]) for column in (seconds, metres, altitude_mm))
    held_s = np.where(is_moving, hold_s, 0)
    moved_s = np.where(is_moving & (gaps > 0) & (steps >= SLOWEST_MPS * gaps), gaps, held_s)
    flat_m = np.zeros(len(metres))
    if grades is not None:
        flat_m = steps * _factors(metres, altitude_mm, grades) * moved_s / np.where(gaps > 0, gaps, np.inf)
    beats_s = np.where((heartrate >= HEARTRATES[0]) & (heartrate <= HEARTRATES[1]), held_s, 0)
    courses = [moved_s, flat_m, np.where(beats_s > 0, heartrate * beats_s, 0), beats_s]

    kinds, indexes, mark_m, at = _places(metres)
    share = np.where(steps[at] > 0, (mark_m - metres[at]) / np.where(steps[at] > 0, steps[at], 1), 0)
    return kinds, np.stack([
        indexes,
        mark_m,
        seconds[at] + share * gaps[at],
        *((np.cumsum(course) - course)[at] + share * course[at] for course in courses),
        (altitude_mm[at] + share * np.nan_to_num(climbs[at])) / 1000,
    ])  # fmt: skip


def _places(metres: Floats) -> tuple[list[str], Floats, Floats, Ints]:
    """Return kind, index and distance of each mark, and after which point it is."""
    half = metres[-1] / 2
    found: list[tuple[str, float, float, int]] = [
        ("start", 0, metres[0], 0),
        ("end", 0, metres[-1], len(metres) - 1),
        *([("half", 0, half, int(np.searchsorted(metres, half)) - 1)] if metres[0] < half else []),
    ]
    for kind, unit in UNITS.items():
        whole = np.floor(metres / unit)
        indexes = np.arange(whole[0], whole[-1]) + 1
        at = np.searchsorted(whole, indexes) - 1
        found.extend((kind, index, index * unit, place) for index, place in zip(indexes, at, strict=True))
    kinds, numbers, mark_m, places = zip(*found, strict=True)
    return list(kinds), np.array(numbers), np.array(mark_m), np.array(places)


def _factors(metres: Floats, altitude_mm: Floats, grades: Floats) -> Floats:
    """Return how much a metre costs at each point, as on the flat where no slope is known."""
    first, last = _near(metres, SMOOTHED_M)
    known = np.isfinite(altitude_mm)
    sums, counts = (np.concatenate([[0], np.cumsum(column)]) for column in (np.where(known, altitude_mm, 0), known))
    count = counts[last] - counts[first]
    heights = np.where(count > 0, (sums[last] - sums[first]) / np.maximum(count, 1) / 1000, np.nan)
    first, last = _near(metres, SLOPED_M)
    run = metres[last - 1] - metres[first]
    grade = (heights[last - 1] - heights[first]) / np.where(run > 0, run, np.nan)
    return np.where(np.isfinite(grade), np.interp(grade, *grades.T), 1)


def _near(metres: Floats, most_m: float) -> tuple[Ints, Ints]:
    """Return the first point within a distance of each point, and the one after the last."""
    return np.searchsorted(metres, metres - most_m), np.searchsorted(metres, metres + most_m, side="right")
