"""Opens the parts for the command line as its commands need them: for a look or a change, and closed at the end."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.budget.file import FileBudgetStore
from backends.database_errors import database_fault
from backends.database_examination import DatabaseState, examine
from backends.engine import pipeline
from backends.engine.console import open_console
from backends.engine.marts import open_marts
from backends.engine.pipeline import open_budget
from backends.queue import MonitoredQueue, QueueUnavailable
from backends.queue.embedded.queue import EmbeddedQueue
from backends.tokens import AthleteTokens
from backends.warehouse import RawStore
from runtime.settings import SharedSettings

__all__ = [
    "examine_database",
    "is_budget_damaged",
    "open_budget",
    "open_console",
    "open_marts",
    "open_queue",
    "open_store",
    "open_tokens",
]


@asynccontextmanager
async def open_queue(
    settings: SharedSettings, *, read_only: bool = False, leaves_no_trace: bool = False
) -> AsyncIterator[MonitoredQueue]:
    """Open this machine's queue, and close it at the end; one to be read only tells its status, and changes nothing.

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
    """Open `raw`, and close it at the end; `leaves_no_trace` is for a look while no pipeline of this machine runs.

    Raises WarehouseBusy, SchemaMismatch, PartMissing.
    """
    if not read_only:
        await pipeline.prepare_store(settings)
    store = pipeline.open_store(settings, read_only=read_only, leaves_no_trace=leaves_no_trace)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def open_tokens(settings: SharedSettings, *, read_only: bool = False) -> AsyncIterator[AthleteTokens]:
    """Open the athletes' tokens, and close them at the end; to be read only, a file keeps the rights that it has.

    Raises TokensUnavailable, PartMissing.
    """
    tokens = pipeline.open_tokens(settings, read_only=read_only)
    try:
        yield tokens
    finally:
        await tokens.close()


def examine_database(settings: SharedSettings, *, is_at_rest: bool) -> DatabaseState:
    """Look whether the pipeline's database is whole and known to this program; nothing is changed."""
    return examine(settings.pipeline_path, is_at_rest=is_at_rest)


async def is_budget_damaged(settings: SharedSettings) -> bool:
    """Whether what is kept of the budget cannot be read; nothing is changed."""
    store = FileBudgetStore(settings.budget_path)
    await store.read()
    return store.is_damaged
