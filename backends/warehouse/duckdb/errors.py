"""What DuckDB's errors mean to the caller: a moment's trouble, a fault of the query, or a damaged file."""

import re
from pathlib import Path

import duckdb

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, QueryFailed

REBUILD = "run `athlete transform`."
NO_MART = f"No marts have been published yet: {REBUILD}"
_DAMAGE = re.compile("not a valid DuckDB database file|Corrupt database file|Could not read enough bytes")
_OF_THE_MOMENT = (
    duckdb.IOException,
    duckdb.ConnectionException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
)


def damage(error: duckdb.Error, path: Path) -> MartDamaged | None:
    """Return our error where DuckDB's says that the snapshot itself is broken."""
    if not _DAMAGE.search(str(error)):
        return None
    return MartDamaged(f"{path} is damaged or empty ({sentence(error)}) To build it again, {REBUILD}")


def translation(error: duckdb.Error) -> WarehouseBusy | QueryFailed:
    """Choose our error for DuckDB's: what may pass by itself, or a fault in the query."""
    return (WarehouseBusy if isinstance(error, _OF_THE_MOMENT) else QueryFailed)(sentence(error))


def sentence(error: Exception) -> str:
    """Return DuckDB's reason on one line, without its drawing of where in the query it stumbled."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())
