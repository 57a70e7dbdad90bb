"""How DuckDB is opened: without downloads, each file attached by name."""

from pathlib import Path

import duckdb

# Views name their tables in full, by the name of the file that dbt built, so a copy is attached under that name too.
CATALOG = "transform"
NO_DOWNLOADS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def in_memory(beside: Path, **config: str) -> duckdb.DuckDBPyConnection:
    """Open an engine without a database of its own; what does not fit into memory goes beside a file of the data.

    By itself DuckDB would put it into the folder that a program is started in. Raises duckdb.Error.
    """
    return duckdb.connect(":memory:", config={**NO_DOWNLOADS, "temp_directory": f"{beside}.tmp", **config})


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str = "read_only") -> None:
    """Attach a file under a name, read-only unless the options say otherwise. Raises duckdb.Error."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {name}{f' ({options})' if options else ''}")


def column_names(found: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of a result's columns."""
    return [column[0] for column in found.description or ()]
