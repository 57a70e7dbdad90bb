"""The recorded points of activities for DuckDB: a SQL function that `functions.py` registers on a connection.

What a point stands for hangs on the next one, and on the usual gap between two. As SQL every point passes through two
windows; BigQuery does that (`macros/samples.sql`), and tests hold both to the same rows.

recorded_points(seconds, motions)  for each of the seconds a struct of second, hold_s and is_moving, of which second is
                                   null where that is no reading
"""

from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import PythonUDFType

from transforms.stretches import LONGEST_S, Floats, rows_of

LEAST_PAUSE_S = 10
_FIELDS = {"second": "bigint", "hold_s": "bigint", "is_moving": "boolean"}
_SQL = f"struct({', '.join(f'{name} {kind}' for name, kind in _FIELDS.items())})[]"
_POINTS = pa.list_(pa.struct({"second": pa.int64(), "hold_s": pa.int64(), "is_moving": pa.bool_()}))

Columns = tuple[np.ndarray[Any, np.dtype[Any]], ...]


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the function of this module."""
    connection.create_function(
        "recorded_points", recorded_points, ["double[]"] * 2, connection.type(_SQL), type=PythonUDFType.ARROW
    )


def recorded_points(seconds: pa.Array, motions: pa.Array) -> pa.Array:
    """Return the points of each recording, as many as there are seconds."""
    if not len(seconds):  # as DuckDB may ask
        return pa.array([], _POINTS)
    found = [_of_one(*arrays) for arrays in zip(rows_of(seconds), rows_of(motions), strict=True)]
    ends = np.cumsum([0, *(len(columns[0]) for columns in found)], dtype=np.int32)
    known, second, hold_s, is_moving = (np.concatenate(column) for column in zip(*found, strict=True))
    arrays = [pa.array(second, mask=~known), pa.array(hold_s), pa.array(is_moving)]
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(arrays, names=list(_FIELDS)))


def _of_one(seconds: Floats, motions: Floats) -> Columns:
    """Return whether each time is known, its whole second, how long it holds and whether one moves until the next."""
    known = (seconds >= 0) & (seconds <= LONGEST_S)
    whole = np.floor(np.where(known, seconds, 0) + 0.5).astype(np.int64)
    order = np.flatnonzero(known)
    order = order[np.argsort(whole[order], kind="stable")]
    gaps = np.diff(whole[order], append=-1)  # the last point has none
    hold_s, is_moving = np.ones(len(seconds), dtype=np.int64), np.ones(len(seconds), dtype=np.bool_)
    hold_s[order] = np.where((gaps >= 0) & (gaps <= _pause_s(seconds[known])), gaps, 1)
    told = np.full(len(seconds), np.nan)
    told[: len(motions)] = motions[: len(seconds)]
    after = np.append(order[1:], order[-1:])  # what is said of a point is of the step to it
    is_moving[order] = np.isnan(told[after]) | (told[after] == 1)
    return known, whole, hold_s, is_moving


def _pause_s(seconds: Floats) -> float:
    """Return after how many seconds without a point a recording paused: four times the median gap, by nearest rank."""
    gaps = np.diff(np.sort(seconds))
    gaps = np.sort(gaps[gaps > 0])
    return max(LEAST_PAUSE_S, 4 * float(gaps[(len(gaps) - 1) // 2])) if len(gaps) else LEAST_PAUSE_S
