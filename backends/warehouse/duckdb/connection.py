"""How DuckDB is opened: without downloads, each file attached by name."""

from pathlib import Path

import duckdb

# Views name their tables in full, by the name of the file that dbt built, so a copy is attached under that name too.
CATALOG = "transform"
NO_DOWNLOADS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "read_only") -> None:
    """Attach a file under a name, read-only unless the options say otherwise. Raises duckdb.Error."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {name}{f' ({options})' if options else ''}")


def column_names(found: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of a result's columns."""
    return [column[0] for column in found.description or ()]
