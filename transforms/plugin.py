"""What dbt-duckdb loads for our functions, by the name that `profiles.yml` gives.

Only dbt imports it, so that who runs dbt's statements without dbt does without its packages, too.
https://github.com/duckdb/dbt-duckdb#writing-your-own-plugins
"""

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from transforms.functions import register


class Plugin(BasePlugin):
    """What dbt-duckdb looks for in a module that its profile names."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Register the functions."""
        register(conn)
