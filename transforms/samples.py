"""The points of recordings in order of time for DuckDB: a SQL function that `functions.py` registers on a connection.

What a point stands for hangs on the next one, and on the usual gap between two. As SQL over windows every point goes
through two of these with all its readings; BigQuery does that (`macros/samples.sql`), and tests hold both to the same
rows.

recorded_points(seconds, motions)  for each place of the arrays a struct of second, hold_s and is_moving; null where
                                   the time is no reading
"""

from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb.func import FunctionNullHandling, PythonUDFType

from transforms.stretches import LONGEST_S, Floats, rows_of

LEAST_PAUSE_S = 10
_FIELDS = {"second": "bigint", "hold_s": "bigint", "is_moving": "boolean"}
_SQL = f"struct({', '.join(f'{name} {kind}' for name, kind in _FIELDS.items())})[]"


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the function of this module."""
    connection.create_function(
        "recorded_points",
        recorded_points,
        ["double[]"] * 2,
        connection.type(_SQL),
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )
