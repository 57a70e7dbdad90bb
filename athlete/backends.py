"""Picks the adapters for the command line: no other module of it names an engine."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from backends.budget.file import FileBudgetStore
from backends.database_errors import database_fault
from backends.database_examination import DatabaseState, examine
from backends.queue import MonitoredQueue, QueueUnavailable
from backends.queue.embedded import EmbeddedQueue
from backends.tokens import AthleteTokens
from backends.tokens.file import FileTokenStore
from backends.warehouse import RawStore
from backends.warehouse.duckdb.console import DuckdbSqlConsole
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.marts import MartCounts, MartReader, SqlConsole
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.settings import SharedSettings
from strava.budget import SHARES, RateBudget
from strava.budget_state import Lane


@asynccontextmanager
async def open_queue(
    settings: SharedSettings, *, read_only: bool = False, leaves_no_trace: bool = False
) -> AsyncIterator[MonitoredQueue]:
    """Open the queue, and close it at the end; one to be read only tells its status, and changes nothing.

    `leaves_no_trace` is for a look while no pipeline runs. Raises QueueUnavailable, SchemaMismatch, OSError.
    """
    try:
        queue = EmbeddedQueue(settings.pipeline_path, read_only=read_only, leaves_no_trace=leaves_no_trace)
    except sqlite3.Error as error:
        raise QueueUnavailable(database_fault(error, settings.pipeline_path)) from error
    try:
        yield queue
    finally:
        await queue.close()


@asynccontextmanager
async def open_store(
    settings: SharedSettings, *, read_only: bool = False, leaves_no_trace: bool = False
) -> AsyncIterator[RawStore]:
    """Open `raw`, and close it at the end; `leaves_no_trace` is for a look while no pipeline runs.

    Raises WarehouseBusy, SchemaMismatch.
    """
    store = SqliteRawStore(settings.pipeline_path, read_only=read_only, leaves_no_trace=leaves_no_trace)
    try:
        yield store
    finally:
        await store.close()


def examine_database(settings: SharedSettings, *, is_at_rest: bool) -> DatabaseState:
    """Look whether the pipeline's database is whole and known to this program; nothing is changed."""
    return examine(settings.pipeline_path, is_at_rest=is_at_rest)


def open_tokens(settings: SharedSettings, *, read_only: bool = False) -> AthleteTokens:
    """Return the athletes' tokens; to be read only, the file keeps the rights that it has."""
    return FileTokenStore(settings.tokens_path, read_only=read_only)


def open_budget(settings: SharedSettings, shares: Mapping[Lane, float] = SHARES) -> RateBudget:
    """Return the app's calls, as all programs on this data share them."""
    return RateBudget(FileBudgetStore(settings.budget_path), shares=shares)


async def is_budget_damaged(settings: SharedSettings) -> bool:
    """Whether what is kept of the budget cannot be read; nothing is changed."""
    store = FileBudgetStore(settings.budget_path)
    await store.read()
    return store.is_damaged


def open_marts(settings: SharedSettings) -> MartReader:
    """Open the published marts; the caller closes them."""
    return DuckdbMartReader(settings.mart_path)


def open_counts(settings: SharedSettings) -> MartCounts:
    """Open the published marts to be counted."""
    return DuckdbMartReader(settings.mart_path)


def open_console(settings: SharedSettings) -> SqlConsole:
    """Open raw, staging and mart for a person's own SQL; the caller closes them. Raises WarehouseBusy, QueryFailed."""
    return DuckdbSqlConsole(
        data_dir=settings.data_dir, mart_path=settings.mart_path, pipeline_path=settings.pipeline_path
    )
