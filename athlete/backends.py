"""Picks the adapters for the command line: no other module of it names an engine."""

from backends.queue import EventQueue
from backends.queue.embedded import EmbeddedQueue
from backends.tokens import AthleteTokens
from backends.tokens.file import FileTokenStore
from backends.warehouse import RawStore
from backends.warehouse.duckdb.console import DuckdbSqlConsole
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.marts import MartReader, SqlConsole
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.settings import SharedSettings


def open_queue(settings: SharedSettings) -> EventQueue:
    """Open the queue; the caller closes it. Raises sqlite3.Error, SchemaMismatch, OSError."""
    return EmbeddedQueue(settings.pipeline_path)


def open_tokens(settings: SharedSettings) -> AthleteTokens:
    """Return the athletes' tokens."""
    return FileTokenStore(settings.tokens_path)


def open_store(settings: SharedSettings) -> RawStore:
    """Open `raw`; the caller closes it. Raises WarehouseBusy, SchemaMismatch."""
    return SqliteRawStore(settings.pipeline_path)


def open_marts(settings: SharedSettings) -> MartReader:
    """Open the published marts; the caller closes them."""
    return DuckdbMartReader(settings.mart_path)


def open_console(settings: SharedSettings) -> SqlConsole:
    """Open raw, staging and mart for a person's own SQL; the caller closes them. Raises WarehouseBusy, QueryFailed."""
    return DuckdbSqlConsole(
        data_dir=settings.data_dir, mart_path=settings.mart_path, pipeline_path=settings.pipeline_path
    )
