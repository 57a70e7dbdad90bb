"""The functions in Python that DuckDB's SQL calls: dbt-duckdb registers them, and so does who runs its statements.

Functions of dbt-duckdb plugins: https://github.com/duckdb/dbt-duckdb#writing-your-own-plugins
"""

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from transforms import marks, polyline, samples, stretches


class Plugin(BasePlugin):
    """What dbt-duckdb looks for in a module that its profile names."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the functions."""
        register(conn)


def register(connection: DuckDBPyConnection) -> None:
    """Let a connection's SQL call the functions."""
    marks.register(connection)
    polyline.register(connection)
    samples.register(connection)
    stretches.register(connection)
