"""The statements of the BigQuery store, with the tables and parameters by which Google's engine reads them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter
from zetasql.api import CatalogBuilder, TableBuilder, TypeFactory
from zetasql.core.local_service import ZetaSqlLocalService
from zetasql.types import AnalyzerOptions, LanguageOptions, ProductMode, TypeKind, ZetaSQLBuiltinFunctionOptions

from backends.warehouse.bigquery import athletes, changes, own_files, retention, watermark
from backends.warehouse.bigquery.recordings import STREAMS
from backends.warehouse.bigquery.statements import SQL, Given, Statement, keep_one, put_rows, put_statement, repeated
from backends.warehouse.own_file_rows import HOME_TIME, LINK
from backends.warehouse.own_file_tables import ACTIVITY_FILES, ARCHIVE_ACTIVITIES, IMPORT_ITEMS
from backends.warehouse.runs import last_stamp_statement
from backends.warehouse.schema import (
    PIPELINE_READINGS,
    RECONCILIATIONS,
    STRAVA_ACTIVITIES,
    STRAVA_ATHLETES,
    STRAVA_STREAMS,
    TABLES,
    TRANSFORM_RUNS,
)
from tests.transforms.bigquery import flat, kind_of_fields, literal

KINDS = {
    "int64": TypeKind.TYPE_INT64,
    "string": TypeKind.TYPE_STRING,
    "bool": TypeKind.TYPE_BOOL,
    "timestamp": TypeKind.TYPE_TIMESTAMP,
    "json": TypeKind.TYPE_JSON,
    "float64": TypeKind.TYPE_DOUBLE,
    "date": TypeKind.TYPE_DATE,
    "datetime": TypeKind.TYPE_DATETIME,
    "numeric": TypeKind.TYPE_NUMERIC,
    "geography": TypeKind.TYPE_GEOGRAPHY,
}
IDS = "(activity_id between 1 and 9)"
TEXTS = {
    "activity_ids": "(activities.activity_id between 1 and 9)",
    "athletes": SQL["athletes"],
    "guard": SQL["guard"],
    "ids": IDS,
    "last_stamp": last_stamp_statement(),
    "kept_ids": "(kept.activity_id between 1 and 9)",
    "off_queue": SQL["off_queue"],
    "proof": SQL["single"].format(ids=IDS),
    "stale": "What was read has changed since",
}
# Parts of other statements.
PARTS = {"forget_messages", "guard", "living", "off_queue", "single"}


def without_json(kinds: Mapping[str, str]) -> dict[str, str]:
    """Return columns as they come with a statement, which parses JSON itself."""
    return {name: "string" if kind == "json" else kind for name, kind in kinds.items()}


_BOUND = {name: kind for table in TABLES for name, kind in table.types.items()}
PARAMETERS = without_json(_BOUND) | {
    "after": "timestamp",
    "changed_since": "timestamp",
    "created_before": "timestamp",
    "deleted": "string",
    "due_after_us": "int64",
    "due_by": "timestamp",
    "expired_before": "timestamp",
    "first_own_id": "int64",
    "first_since": "timestamp",
    "future": "timestamp",
    "how_many": "int64",
    "is_dead": "bool",
    "is_named": "bool",
    "is_newest": "bool",
    "known_athletes": "int64",
    "known_ingested_at": "timestamp",
    "latest": "timestamp",
    "not_found_before": "timestamp",
    "now": "timestamp",
    "observed_before": "timestamp",
    "observed_until": "timestamp",
    "of_athletes": "bool",
    "receipts": "int64",
    "received_by": "timestamp",
    "room": "int64",
    "settled_before": "timestamp",
    "since": "timestamp",
    "status_since": "timestamp",
    "until": "timestamp",
}
ARRAYS = {
    "hashes": "string",
    "added_ids": "int64",
    "activity_ids": "int64",
    "asked_for": "string",
    "athlete_ids": "int64",
    "before": "string",
    "file_ids": "string",
    "import_ids": "string",
    "sha256s": "string",
}
STRUCTS: Mapping[str, Mapping[str, str]] = {
    "changes": changes.CHANGE,
    "seen": changes.SEEN,
    "entries": changes.ENTRY,
    "streams": STREAMS,
    "archived": own_files.given_kinds(ARCHIVE_ACTIVITIES),
    "files": own_files.given_kinds(ACTIVITY_FILES),
    "items": own_files.given_kinds(IMPORT_ITEMS),
    "links": LINK | own_files.PLACE,
    "times": HOME_TIME | own_files.PLACE,
}


def statements() -> dict[str, str]:
    """Return every statement of the store by its name, as it is sent."""
    files = {name: sql.format(**TEXTS) if "{" in sql else sql for name, sql in SQL.items() if name not in PARTS}
    deleting = SQL["put_events"].format(**TEXTS) + SQL["forget_messages"]
    loaded = {
        f"{name}_loaded": Statement(name, files[name], [], Given(given, STRUCTS[given], [])).reading(f"loaded_{given}")
        for name, given in (("put_activities", "seen"), ("put_events", "entries"), ("put_streams", "streams"))
    }
    some = (
        STRAVA_ATHLETES,
        RECONCILIATIONS,
        PIPELINE_READINGS,
        TRANSFORM_RUNS,
    )  # of an athlete, with JSON, and with a stamp
    puts = {f"put_{table.name}": put_statement(table, is_guarded="athlete_id" in table.types) for table in some}
    several = {
        f"{statement.__name__}_{table.name}": statement(table, [1, 9])
        for table in (STRAVA_ACTIVITIES, STRAVA_STREAMS)
        for statement in (repeated, keep_one)
    }
    return {
        **files,
        **several,
        **loaded,
        "put_events_and_forget": deleting,
        "put_events_of_edits": SQL["put_events"].format(**TEXTS | {"proof": SQL["living"].format(ids=IDS)}),
        "prove_edits": SQL["prove_added"].format(**TEXTS | {"proof": SQL["living"].format(ids=IDS)}),
        "first_change": watermark.FIRST_CHANGE,
        **watermark.STATES,
        "remaining": athletes.REMAINING,
        **{f"purge_{name}": sql for name, sql in athletes.REMOVALS.items()},
        **retention.REMOVALS,
        "put_changes": changes.put_changes_statement([1, 9]),
        "put_archive_rows": own_files.put_archive_rows_statement([1, 9]),
        "put_files": own_files.put_files_statement([]),
        "put_files_again": own_files.put_files_statement([1, 9]),
        "put_import_items": put_rows(IMPORT_ITEMS, "items"),
        **puts,
    }


def parameter_type(name: str) -> Any:
    """Return a parameter's type."""
    if name in STRUCTS:
        fields = [(field, type_of(kind)) for field, kind in without_json(STRUCTS[name]).items()]
        return TypeFactory.create_array_type(TypeFactory.create_struct_type(fields))
    if name in ARRAYS:
        return TypeFactory.create_array_type(type_of(ARRAYS[name]))
    return type_of(PARAMETERS[name])


def type_of(kind: str) -> Any:
    """Return the engine's type for one that is written as in SQL."""
    if kind.startswith("array<"):
        return TypeFactory.create_array_type(type_of(kind.removeprefix("array<").removesuffix(">")))
    if kind.startswith("struct<"):
        fields = [(name, type_of(inner)) for name, inner in kind_of_fields(kind).items()]
        return TypeFactory.create_struct_type(fields)
    return TypeFactory.create_simple_type(KINDS[kind])


@cache
def language() -> LanguageOptions:
    """Return BigQuery's dialect."""
    options = LanguageOptions.maximum_features()
    options.product_mode = ProductMode.PRODUCT_EXTERNAL
    options.supports_all_statement_kinds = True
    options.reserved_keywords = ["QUALIFY"]
    return options


def options_for(sql: str) -> AnalyzerOptions:
    """Return BigQuery's dialect, with the parameters of one statement."""
    parameters = [
        AnalyzerOptions.QueryParameter(name=name, type=parameter_type(name))
        for name in sorted(set(re.findall(r"@(\w+)", sql)))
    ]
    return AnalyzerOptions(language_options=language(), default_timezone="UTC", query_parameters=parameters)


@cache
def raw_catalog() -> int:
    """Make known the tables of `raw` and those that rows are loaded into; return the catalog's number."""
    loaded = {f"loaded_{name}": without_json(kinds) for name, kinds in STRUCTS.items()}
    return registered({**{table.name: table.types for table in TABLES}, **loaded})


def registered(tables: Mapping[str, Mapping[str, str]]) -> int:
    """Make tables without rows known to the engine, with all of its functions; return the catalog's number."""
    builtins = ZetaSQLBuiltinFunctionOptions(language_options=language())
    catalog = CatalogBuilder("warehouse").with_builtin_functions(builtins)
    for number, (name, columns) in enumerate(tables.items(), 1):
        table = TableBuilder(flat(name), number)
        for column, kind in columns.items():
            table.add_column(column, type_of(kind))
        catalog.add_table(table.build())
    found: int = ZetaSqlLocalService.get_instance().register_catalog(simple_catalog=catalog.build()).registered_id
    return found


def merged_rows(sql: str, parameters: Sequence[Any], tables: Mapping[str, str]) -> str:
    """Return the query by which a merge of the store finds its rows."""
    source = sql[sql.index("using (") + len("using (") : sql.index("\n) as ")]
    return on_rows(source, parameters, tables)


def on_rows(sql: str, parameters: Sequence[Any], tables: Mapping[str, str]) -> str:
    """Return a query of the store on tables that are queries, without parameters; each row is a line of JSON."""
    for parameter in parameters:
        sql = re.sub(rf"@{parameter.name}\b", literal_of(parameter).replace("\\", r"\\"), sql)
    with_these = ",\n".join(f"{name} as (\n{query}\n)" for name, query in tables.items())
    return f"with {with_these} select to_json_string(t) as line from (\n{sql}\n) as t"  # noqa: S608 - our own statements


def literal_of(parameter: Any) -> str:
    """Write a parameter's value as SQL."""
    if not isinstance(parameter, ArrayQueryParameter):
        return scalar_literal(parameter.value, parameter.type_)
    if parameter.name not in STRUCTS:
        return f"array<int64>{list(parameter.values)}"
    kinds = without_json(STRUCTS[parameter.name])
    structs = [
        f"struct({', '.join(literal(each.struct_values[name], kind) for name, kind in kinds.items())})"
        for each in parameter.values
    ]
    return f"array<struct<{', '.join(f'{name} {kind}' for name, kind in kinds.items())}>>[{', '.join(structs)}]"


def scalar_literal(value: Any, kind: str) -> str:
    """Write one value as SQL."""
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat()}'"
    return f"cast(null as {kind})" if value is None else repr(value)
