"""The functions in Python that DuckDB's SQL calls: dbt's plugin registers them, and so does who runs its statements."""

from duckdb import DuckDBPyConnection

from transforms import marks, polyline, samples, stretches


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the functions."""
    marks.register(connection)
    polyline.register(connection)
    samples.register(connection)
    stretches.register(connection)
