"""The BigQuery emulator, run by the Python of its own environment, that reads each statement once.

It parses a statement many times over, and tests send the same ones again and again: that is most of its processor
time. What it makes of a text depends on nothing but the arguments that are told apart here; a tree is handed out as a
copy, for its callers change it. What it does for each statement and request that no test asks for is left out.
"""

import gc
import sys
from functools import lru_cache
from typing import Any

import sqlglot
from bqemulator.sql import table_rewriter
from bqemulator.sql.rewriter import default_dataset
from bqemulator.sql.translator import SQLTranslator

STATEMENTS = 2_000


def read_once() -> None:
    """Keep what was made of a text; the modules that take these functions by name are imported later."""
    once = lru_cache(maxsize=STATEMENTS)
    parse_one = sqlglot.parse_one

    @once
    def parsed(*args: Any, **options: Any) -> Any:
        tree = parse_one(*args, **options)
        for node in tree.walk():
            node._meta = None  # where it was in the text, which takes longest to copy and nobody reads
        return tree

    sqlglot.parse_one = lambda *args, **options: parsed(*args, **options).copy()
    table_rewriter.rewrite_table_refs = once(table_rewriter.rewrite_table_refs)
    default_dataset.qualify_unqualified_tables = once(default_dataset.qualify_unqualified_tables)

    translate, translated = SQLTranslator.translate, {}

    def translate_once(self: SQLTranslator, sql: str, *, schema: Any = None, caller: Any = None) -> Any:
        key = (sql, repr(schema), caller)
        if key not in translated:
            translated[key] = translate(self, sql, schema=schema, caller=caller)
        return translated[key]

    SQLTranslator.translate = translate_once

    from bqemulator.catalog import ddl_sync  # noqa: PLC0415 - takes functions by name that are replaced above
    from bqemulator.jobs import executor, routine_ddl  # noqa: PLC0415 - as above

    for module, name in (
        (executor, "classify_statement_type"),
        (ddl_sync, "_detect_catalog_drop"),
        (ddl_sync, "_detect_create_schema"),
        (ddl_sync, "_detect_plain_create_table"),
        (ddl_sync, "_detect_plain_create_view"),
        (routine_ddl, "detect_drop_routine"),
    ):
        setattr(module, name, once(getattr(module, name)))
    executor.detect_drop_routine = routine_ddl.detect_drop_routine
    executor._parse_script_or_raise = once(executor._parse_script_or_raise)


def leave_out() -> None:
    """Do nothing for tables of an earlier moment, and for those that nobody may change: we have neither."""
    from bqemulator.jobs import executor  # noqa: PLC0415 - after `read_once`

    async def nothing(*_: Any) -> None:
        """Copy no table."""

    executor._capture_dml_snapshots = nothing
    executor._reject_dml_on_immutable = lambda *_: None


def answer_directly() -> None:
    """Pass requests on without a number, a line in a log and a measurement: each takes a task of its own."""
    from bqemulator.api import app  # noqa: PLC0415 - after `read_once`

    class Straight:
        """In the place of such a layer, with no work of its own."""

        def __init__(self, app: Any, **_: Any) -> None:
            self._app = app

        async def __call__(self, *message: Any) -> None:
            await self._app(*message)

    for name in ("AccessLogMiddleware", "CorrelationIdMiddleware", "MetricsMiddleware"):
        setattr(app, name, Straight)


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 20)  # trees point back at themselves, and by default are looked through all the time
    read_once()
    leave_out()
    answer_directly()
    from bqemulator.cli import main

    sys.exit(main())
