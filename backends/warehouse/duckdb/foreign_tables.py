"""Keeps a person's query to the tables of the data folder: what its syntax tree may call, decided before it runs."""

import json
from collections.abc import Iterator
from typing import Any

from backends.warehouse.marts import QueryFailed

# Table functions that compute or tell of the catalog. Others may open files, and `sqlite_scan` does so even where
# external access is off.
ALLOWED = frozenset({
    "range", "generate_series", "unnest", "repeat", "json_each", "json_tree", "summary",
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_keywords", "duckdb_schemas",
    "duckdb_settings", "duckdb_tables", "duckdb_types", "duckdb_views",
    "pragma_show", "pragma_table_info", "pragma_version", "pg_timezone_names",
})  # fmt: skip


def refuse_foreign_tables(serialized: str) -> None:
    """Refuse every table function but those that are known to open no file. Raises QueryFailed.

    `serialized` is what DuckDB's `json_serialize_sql` makes of one statement.
    """
    functions = {node["function"]["function_name"].lower() for node in _nodes(_tree(serialized), "TABLE_FUNCTION")}
    foreign = sorted(functions - ALLOWED)
    if foreign:
        raise QueryFailed(
            f"{foreign[0]} is refused: a query reads the tables of this data folder alone (raw.…, staging.…, mart.…)."
        )


def refuse_other_schemas(serialized: str, catalog: str, schema: str) -> None:
    """Refuse every table that a statement names of another schema than this one, or the list of tables itself.

    What a view of the schema reads is not named by the statement. Raises QueryFailed.
    """
    own = {("", ""), ("", schema), (catalog, schema), ("", "information_schema")}
    for node in _nodes(_tree(serialized), "BASE_TABLE"):
        place = node["catalog_name"].lower(), node["schema_name"].lower()
        if place not in own:
            name = ".".join(filter(None, (*place, node["table_name"])))
            raise QueryFailed(f"{name} is refused: only the tables of {schema} can be asked here.")


def _tree(serialized: str) -> Any:
    try:
        tree = json.loads(serialized)
    except RecursionError as error:
        raise QueryFailed("The query is nested too deeply: write it with fewer levels.") from error
    if tree["error"]:
        raise QueryFailed(f"The query cannot be checked: {tree['error_message']}")
    return tree


def _nodes(tree: Any, kind: str) -> Iterator[Any]:
    """Yield the nodes of one type in a syntax tree, however deep they stand."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == kind:
                yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
