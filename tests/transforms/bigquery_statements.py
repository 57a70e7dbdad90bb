"""The statements of the BigQuery store, with the tables and parameters by which Google's engine reads them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter
from zetasql.api import CatalogBuilder, TableBuilder, TypeFactory
from zetasql.types import AnalyzerOptions, LanguageOptions, ProductMode, TypeKind, ZetaSQLBuiltinFunctionOptions

from backends.warehouse.bigquery import changes, retention, watermark
from backends.warehouse.bigquery.statements import SQL, put_statement
from backends.warehouse.schema import PIPELINE_READINGS, STRAVA_ATHLETES, TABLES, TRANSFORM_RUNS, Table
from tests.transforms.bigquery import literal

KINDS = {
    "int64": TypeKind.TYPE_INT64,
    "string": TypeKind.TYPE_STRING,
    "bool": TypeKind.TYPE_BOOL,
    "timestamp": TypeKind.TYPE_TIMESTAMP,
    "json": TypeKind.TYPE_JSON,
}
IDS = "(activity_id between 1 and 9)"
TEXTS = {
    "activity_ids": "(activities.activity_id between 1 and 9)",
    "guard": SQL["guard"],
    "ids": IDS,
    "kept_ids": "(kept.activity_id between 1 and 9)",
    "stale": "What was read has changed since",
}
# Parts of other statements.
PARTS = {"forget_messages", "guard"}
_BOUND = {name: kind for table in TABLES for name, kind in table.types.items()}
PARAMETERS = {name: "string" if kind == "json" else kind for name, kind in _BOUND.items()} | {
    "after": "timestamp",
    "changed_since": "timestamp",
    "created_before": "timestamp",
    "deleted": "string",
    "due_after_us": "int64",
    "due_by": "timestamp",
    "expired_before": "timestamp",
    "first_since": "timestamp",
    "future": "timestamp",
    "how_many": "int64",
    "is_dead": "bool",
    "is_newest": "bool",
    "known_athletes": "int64",
    "known_ingested_at": "timestamp",
    "latest": "timestamp",
    "not_found_before": "timestamp",
    "now": "timestamp",
    "observed_before": "timestamp",
    "of_athletes": "bool",
    "receipts": "int64",
    "received_by": "timestamp",
    "settled_before": "timestamp",
    "status_since": "timestamp",
    "until": "timestamp",
}
ARRAYS = {
    "activity_ids": "int64",
    "asked_for": "string",
    "athlete_ids": "int64",
    "before": "string",
    "deleted_ids": "int64",
}
STRUCTS: Mapping[str, Mapping[str, str]] = {"seen": changes.SEEN, "entries": changes.ENTRY}


def statements() -> dict[str, str]:
    """Return every statement of the store by its name, as it is sent."""
    files = {name: sql.format(**TEXTS) if "{" in sql else sql for name, sql in SQL.items() if name not in PARTS}
    deleting = SQL["put_events"].format(**TEXTS) + SQL["forget_messages"]
    some = (STRAVA_ATHLETES, PIPELINE_READINGS, TRANSFORM_RUNS)  # of an athlete, with JSON, and with a stamp
    puts = {f"put_{table.name}": put_statement(table, is_guarded="athlete_id" in table.types) for table in some}
    return {
        **files,
        "put_events_and_forget": deleting,
        "first_change": watermark.FIRST_CHANGE,
        **watermark.STATES,
        **retention.REMOVALS,
        **puts,
    }


def parameter_type(name: str) -> Any:
    """Return a parameter's type."""
    if name in STRUCTS:
        fields = [(field, kind_of("string" if kind == "json" else kind)) for field, kind in STRUCTS[name].items()]
        return TypeFactory.create_array_type(TypeFactory.create_struct_type(fields))
    if name in ARRAYS:
        return TypeFactory.create_array_type(kind_of(ARRAYS[name]))
    return kind_of(PARAMETERS[name])


def kind_of(kind: str) -> Any:
    """Return one of the engine's plain types."""
    return TypeFactory.create_simple_type(KINDS[kind])


def options_for(sql: str) -> AnalyzerOptions:
    """Return BigQuery's dialect, with the parameters of one statement."""
    language = LanguageOptions.maximum_features()
    language.product_mode = ProductMode.PRODUCT_EXTERNAL
    language.supports_all_statement_kinds = True
    language.reserved_keywords = ["QUALIFY"]
    parameters = [
        AnalyzerOptions.QueryParameter(name=name, type=parameter_type(name))
        for name in sorted(set(re.findall(r"@(\w+)", sql)))
    ]
    return AnalyzerOptions(language_options=language, default_timezone="UTC", query_parameters=parameters)


def raw_catalog() -> Any:
    """Return the tables of `raw`, without rows, and BigQuery's functions."""
    language = options_for("").language_options
    catalog = CatalogBuilder("raw").with_builtin_functions(ZetaSQLBuiltinFunctionOptions(language_options=language))
    for number, table in enumerate(TABLES, 1):
        catalog.add_table(raw_table(table, number))
    return catalog.build()


def raw_table(table: Table, number: int) -> Any:
    """Return one table as the engine knows it."""
    builder = TableBuilder(table.name, number)
    for name, kind in table.types.items():
        builder.add_column(name, kind_of(kind))
    return builder.build()


def merged_rows(sql: str, parameters: Sequence[Any], tables: Mapping[str, str]) -> str:
    """Return the query by which a merge of the store finds its rows, on tables that are queries, without parameters."""
    for parameter in parameters:
        sql = re.sub(rf"@{parameter.name}\b", literal_of(parameter).replace("\\", r"\\"), sql)
    source = sql[sql.index("using (") + len("using (") : sql.index("\n) as ")]
    with_these = ",\n".join(f"{name} as (\n{query}\n)" for name, query in tables.items())
    return f"with {with_these} select to_json_string(t) as line from (\n{source}\n) as t"  # noqa: S608 - our own statements


def literal_of(parameter: Any) -> str:
    """Write a parameter's value as SQL."""
    if not isinstance(parameter, ArrayQueryParameter):
        return repr(parameter.value)
    if parameter.name not in STRUCTS:
        return f"array<int64>{list(parameter.values)}"
    kinds = {name: "string" if kind == "json" else kind for name, kind in STRUCTS[parameter.name].items()}
    structs = [
        f"struct({', '.join(literal(each.struct_values[name], kind) for name, kind in kinds.items())})"
        for each in parameter.values
    ]
    return f"array<struct<{', '.join(f'{name} {kind}' for name, kind in kinds.items())}>>[{', '.join(structs)}]"
