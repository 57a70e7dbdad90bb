"""The fastest stretches of recordings for DuckDB: a SQL function that `functions.py` registers on a connection.

For each point and length another point has to be found, which numpy does by bisection. As SQL over windows it takes a
hundred times as long; BigQuery does that (`macros/stretches.sql`), and tests hold both to the same rows.

fastest_stretches(seconds, metres, lengths)  a list of length_m, begin_s, elapsed_s and has_jump: for each length that
                                             the recording is as long as, the stretch by the clock that took the least
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import PythonUDFType

Floats = np.ndarray[Any, np.dtype[np.float64]]

LONGEST_S, FARTHEST_M = 604_800, 10_000_000  # what is beyond is no reading
FASTEST_MPS = 100  # between two points: what is faster is a jump
_FIELDS = {"length_m": "double", "begin_s": "double", "elapsed_s": "double", "has_jump": "boolean"}
_SQL = f"struct({', '.join(f'{name} {kind}' for name, kind in _FIELDS.items())})[]"


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the function of this module."""
    connection.create_function(
        "fastest_stretches", stretches, ["double[]"] * 3, connection.type(_SQL), type=PythonUDFType.ARROW
    )


def stretches(seconds: pa.Array, metres: pa.Array, lengths: pa.Array) -> pa.Array:
    """Return the fastest stretches of each recording."""
    rows = zip(rows_of(seconds), rows_of(metres), rows_of(lengths), strict=True)
    found = [[dict(zip(_FIELDS, each, strict=True)) for each in _of_one(*row)] for row in rows]
    return pa.array(found, pa.list_(pa.struct({"length_m": pa.float64(), "begin_s": pa.float64(),
                                               "elapsed_s": pa.float64(), "has_jump": pa.bool_()})))  # fmt: skip


def rows_of(lists: pa.Array) -> Iterator[Floats]:
    """Yield the numbers of each list."""
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    values = lists.values.to_numpy(zero_copy_only=False)
    for first, last in zip(lists.offsets[:-1].to_numpy(), lists.offsets[1:].to_numpy(), strict=True):
        yield values[first:last]


def _of_one(seconds: Floats, metres: Floats, lengths: Floats) -> Iterator[tuple[float, float, float, bool]]:
    """Yield length, begin, elapsed time and whether the recording jumps. A distance that falls is the one before."""
    count = min(len(seconds), len(metres))
    seconds, metres = seconds[:count], metres[:count]
    with np.errstate(invalid="ignore"):
        known = (seconds >= 0) & (seconds <= LONGEST_S) & (metres >= 0) & (metres <= FARTHEST_M)
    seconds, metres = np.floor(seconds[known] + 0.5), metres[known]
    order = np.argsort(seconds, kind="stable")
    seconds, metres = seconds[order], np.maximum.accumulate(metres[order])
    if not len(metres):
        return
    has_jump = bool((np.diff(metres) > FASTEST_MPS * np.maximum(np.diff(seconds), 1)).any())
    rests = seconds[np.searchsorted(metres, metres)], seconds[np.searchsorted(metres, metres, side="right") - 1]
    for length in lengths:
        if (found := _fastest(seconds, metres, rests, float(length))) is not None:
            yield (float(length), *found, has_jump)


def _fastest(
    seconds: Floats, metres: Floats, rests: tuple[Floats, Floats], length: float
) -> tuple[float, float] | None:
    """Return when the fastest stretch begins and how long it takes, to a thousandth; of equals the earliest.

    It may begin or end between two points, and then ends or begins at one. A rest at either end is none of it: `rests`
    tells when one at the distance of each point began and ended.
    """
    rested_from, rested_until = rests
    starts = metres + length <= metres[-1]
    begun = rested_until[starts]
    ended = _at(seconds, metres, metres[starts] + length, side="left")
    stops = metres - length >= metres[0]
    left = _at(seconds, metres, metres[stops] - length, side="right")
    begins = _thousandths(np.concatenate([begun, left]))
    lasted = _thousandths(np.concatenate([ended - begun, rested_from[stops] - left]))
    if not len(lasted):
        return None
    least = lasted.min()
    return float(begins[lasted == least].min() / 1000), float(least / 1000)


def _thousandths(seconds: Floats) -> Floats:
    found: Floats = np.floor(seconds * 1000 + 0.5)
    return found


def _at(seconds: Floats, metres: Floats, places: Floats, *, side: Any) -> Floats:
    """Return when places were reached first (left), or left last (right), in a straight line between two points."""
    after = np.clip(np.searchsorted(metres, places, side=side), 1, len(metres) - 1)
    step = metres[after] - metres[after - 1]
    share = (places - metres[after - 1]) / np.where(step > 0, step, 1)
    found: Floats = seconds[after - 1] + np.clip(share, 0, 1) * (seconds[after] - seconds[after - 1])
    return found
