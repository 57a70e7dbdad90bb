"""Lets one statement through, and only if it reads."""

import re

import duckdb

from backends.warehouse.duckdb.foreign_tables import refuse_foreign_tables
from backends.warehouse.marts import QueryFailed

_EXPLAIN = re.compile(r"\s*explain(\s+analyze\b)?(\s*\(\s*(analyze|format)\b[^)]*\))?", re.IGNORECASE)


def only_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one statement, which only reads: an attached file could still be written through its path.

    Raises QueryFailed, duckdb.Error.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryFailed(f"Give one statement; this is {len(statements) or 'none'}.")
    [statement] = statements
    explain = _EXPLAIN.match(sql)
    if statement.type == duckdb.StatementType.EXPLAIN and explain:
        only_reading(connection, sql[explain.end() :])  # `explain analyze` runs what it explains
    elif statement.type != duckdb.StatementType.SELECT:
        raise QueryFailed(
            f"{statement.type.name} is refused: a query can only read, so begin with select, from, "
            "with, show, describe, summarize or explain."
        )
    else:
        [[tree]] = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
        refuse_foreign_tables(tree)
    return statement
