"""BigQuery's dialect in this process: Google's own SQL engine executes what dbt compiled for BigQuery."""

import csv
import ctypes
import json
import math
import os
import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from wasmtime import Config, Engine, Module
from zetasql import __version__ as zetasql_version
from zetasql.api import CatalogBuilder
from zetasql.core import wasm_client
from zetasql.core.local_service import ZetaSqlLocalService
from zetasql.types import AnalyzerOptions, LanguageOptions, ProductMode, ZetaSQLBuiltinFunctionOptions
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service

from backends.warehouse.schema import TABLES
from tests.transforms.bigquery_rest import Columns, Rows

# The engine's numbers for types.
TYPES = {
    2: "int64",
    5: "bool",
    7: "float64",
    8: "string",
    10: "date",
    19: "timestamp",
    21: "datetime",
    22: "geography",
    23: "numeric",
    26: "json",
}
ARRAY, STRUCT = 16, 17
MOST_EXACT = 2**53


def flat(name: str) -> str:
    """Return the name of a table of a dataset as the engine's catalog has it, which knows no datasets."""
    return name.replace(".", "__")


def spelled(kind: Any) -> str:
    """Write a type of the engine's as BigQuery's SQL would have it."""
    number = int(kind.type_kind)
    if number == ARRAY:
        return f"array<{spelled(kind.array_type.element_type)}>"
    if number == STRUCT:
        return (
            f"struct<{', '.join(f'{each.field_name} {spelled(each.field_type)}' for each in kind.struct_type.field)}>"
        )
    return TYPES[number]


class Unguarded(Config):
    """In place of wasmtime's `Config`: without its guards against programs that nobody trusts: a tenth of the time."""

    def __init__(self) -> None:
        super().__init__()
        for guarded in ("heap", "table"):
            self.cranelift_flag_set(f"enable_{guarded}_access_spectre_mitigation", "false")


class CompiledOnce:
    """In place of wasmtime's `Module`: keeps what it compiled in the environment, since compiling takes a minute."""

    def from_file(self, engine: Engine, path: str) -> Module:
        """Return the compiled module; what another version of either package left there is not taken."""
        kept = Path(sys.prefix) / f"zetasql-{zetasql_version}-wasmtime-{version('wasmtime')}-unguarded.bin"
        if not kept.exists():
            draft = kept.with_name(f"{kept.name}.{os.getpid()}")
            draft.write_bytes(Module.from_file(engine, path).serialize())
            draft.replace(kept)
        return Module.deserialize_file(engine, str(kept))


def start_engine() -> None:
    """Start Google's engine once in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wasm_client, "Config", Unguarded)
        patch.setattr(wasm_client, "Module", CompiledOnce())
        engine = ZetaSqlLocalService.get_instance().wasm_client
    vars(engine).update(write_bytes=partial(write_bytes, engine), read_bytes=partial(read_bytes, engine))


def write_bytes(engine: Any, place: int, data: bytes) -> None:
    """Write into the engine's memory at once; its own way goes byte by byte."""
    ctypes.memmove(ctypes.addressof(engine.memory.data_ptr().contents) + place, data, len(data))


def read_bytes(engine: Any, place: int, size: int) -> bytes:
    """Read from the engine's memory at once."""
    return ctypes.string_at(ctypes.addressof(engine.memory.data_ptr().contents) + place, size)


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found, in the engine's own form, in which it takes a table too."""

    columns: Any
    content: Any

    @property
    def types(self) -> dict[str, str]:
        """The types of the columns by name."""
        return {column.name: spelled(column.type) for column in self.columns}

    def lines(self) -> list[Any]:
        """Return the first column, a text of JSON in each row."""
        return [json.loads(row.cell[0].string_value) for row in self.content.table_data.row]

    def without_lines(self) -> "Found":
        """Return the other columns, as a table."""
        for row in self.content.table_data.row:
            del row.cell[0]
        return Found(self.columns[1:], self.content)

    def with_rows_of(self, other: "Found") -> "Found":
        """Return a table of both one's rows, which have the same columns."""
        self.content.table_data.row.extend(other.content.table_data.row)
        return self


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query answers: the types of its columns, its rows as Python has them, and both as a table."""

    types: dict[str, str]
    rows: Rows
    table: Found


def literal(value: Any, kind: str) -> str:
    """Write a value as BigQuery's SQL would have it; what is in an array gets its type from the array's."""
    if value is None:
        return "null"
    if isinstance(value, list | Mapping):
        return literal_of_many(value, kind)
    if kind == "bool":
        return str(bool(value)).lower()
    text = json.dumps(str(value), ensure_ascii=False)
    if kind == "json":
        return f"parse_json({text}, wide_number_mode => 'round')"
    if kind == "float64" and value == "NaN":
        return "cast('nan' as float64)"
    return str(value) if kind in {"int64", "float64"} else text  # a text becomes what its column is


def literal_of_many(value: list[Any] | Mapping[str, Any], kind: str) -> str:
    """Write an array or a struct."""
    if isinstance(value, list):
        inner = kind.removeprefix("array<").removesuffix(">")
        return kind + "[" + ", ".join(literal(element, inner) for element in value) + "]"
    kinds = kind_of_fields(kind)
    return f"struct({', '.join(literal(field, kinds[name]) for name, field in value.items())})"


def kind_of_fields(struct: str) -> dict[str, str]:
    """Read the types of a struct's fields."""
    names, depth = [""], 0
    for letter in struct.removeprefix("struct<").removesuffix(">"):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and not depth:
            names.append("")
        else:
            names[-1] += letter
    pairs = (name.strip().split(" ", 1) for name in names)
    return dict(pairs)


def table(rows: Rows, kinds: Mapping[str, str]) -> str:
    """Write rows as a query: one array, which the engine reads far faster than a union of selects."""
    columns = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
    structs = [", ".join(literal(row[name], kind) for name, kind in kinds.items()) for row in rows]
    values = ",\n".join(f"struct({struct})" for struct in structs)
    return f"select * from unnest(array<struct<{columns}>>[{values}])"  # noqa: S608  # names are the migration's


def readable(row: Mapping[str, Any]) -> bool:
    """Tell whether a row can be stored in a JSON column at all; DuckDB's text column takes anything."""
    try:
        json.loads(row.get("payload") or "null")
    except ValueError:
        return False
    return True


def raw_queries(pipeline: Path, seeds: Path) -> dict[str, str | Found]:
    """Return `raw` and the seeds as queries by table name."""
    queries: dict[str, str | Found] = {}
    with closing(sqlite3.connect(pipeline)) as connection:
        connection.row_factory = sqlite3.Row
        for each in TABLES:
            rows = [dict(row) for row in connection.execute(f"select * from {each.name}")]  # noqa: S608
            queries[f"raw__{each.name}"] = table([row for row in rows if readable(row)], each.types)
    for name, kinds in seed_types(seeds).items():
        lines = csv.DictReader((seeds / f"{name}.csv").read_text().splitlines())
        rows = [
            {column: text == "true" if kinds[column] == "bool" else text for column, text in line.items()}
            for line in lines
        ]
        queries[f"staging__{name}"] = table(rows, kinds)
    return queries


def seed_types(seeds: Path) -> dict[str, dict[str, str]]:
    """Return the types of the columns of each seed."""
    told = yaml.safe_load((seeds / "_seeds.yml").read_text())["seeds"]
    return {each["name"]: each["config"]["column_types"] for each in told}


class BigQueryDialect:
    """Google's engine; each model is run once, and what it found stands as a table for those that read it.

    `queries` are the tables that there are: such a finding, or a query until it is read first.
    """

    def __init__(self, queries: dict[str, str | Found]) -> None:
        language = LanguageOptions.maximum_features()
        language.product_mode = ProductMode.PRODUCT_EXTERNAL
        language.reserved_keywords = ["QUALIFY"]
        self._options = AnalyzerOptions(language_options=language, default_timezone="UTC").to_proto()
        builtins = ZetaSQLBuiltinFunctionOptions(language_options=language)
        self._catalog = CatalogBuilder("warehouse").with_builtin_functions(builtins).build().to_proto()
        self.models: Mapping[str, Any] = {}
        self.columns_of: Callable[[str], Columns] = lambda _: {}
        self.queries = queries
        self.built: dict[str, Answer] = {}
        self._lock = threading.RLock()

    def build(self, model: str) -> tuple[dict[str, str], Rows]:
        """Return the types of a model's columns and its rows."""
        if model not in self.built:
            self.built[model] = self.made(model)
            self.queries[flat(model)] = self.built[model].table
        return self.built[model].types, self.built[model].rows

    def made(self, model: str) -> Answer:
        """Run a model's SQL."""
        return self.asked(self.models[model].compiled_code)

    def answer(self, sql: str) -> tuple[Columns, Rows]:
        """Answer a query that dbt asks while it compiles or builds, in one of its threads."""
        with self._lock:
            return (self.columns_of(sql), []) if "where false" in sql else self.run(sql)

    def run(self, sql: str) -> tuple[dict[str, str], Rows]:
        """Run SQL on what it reads, which is built first; return types and rows."""
        answer = self.asked(sql)
        return answer.types, answer.rows

    def asked(self, sql: str) -> Answer:
        """Run SQL on what it reads, which is built first.

        The engine knows no geography, so a point is a struct here; like BigQuery's, it is an error beyond a pole.
        """
        sql = re.sub(r"`a-project`\.`(\w+)`\.`(\w+)`", r"\1__\2", sql)
        sql = re.sub(r"\bmart\.(\w+)", r"mart__\1", sql)  # as the pages' queries call it
        sql = re.sub(
            r"st_geogpoint\(([\w.]+), ([\w.]+)\)",
            r"if(\1 is null or \2 is null, null, "
            r"struct(if(abs(\2) > 90, cast(error('latitude') as float64), \2) as latitude, \1 as longitude))",
            sql,
        )
        reads = sorted(set(re.findall(r"\b(?:raw|staging|mart)__\w+", sql)))
        for name in reads:
            if name not in self.queries:
                self.build(name.replace("__", ".", 1))
        found = self.found(f"select to_json_string(t) as line, t.* from (\n{sql}\n) as t", reads)  # noqa: S608  # our own models
        lines, table = found.lines(), found.without_lines()
        decimals = [name for name, kind in table.types.items() if kind == "numeric"]  # told as text
        rows = [row | {name: row[name] and float(row[name]) for name in decimals} for row in lines]
        return Answer(table.types, rows, table)

    def found(self, sql: str, reads: Iterable[str] = ()) -> Found:
        """Execute one query on the tables that it reads."""
        request = service.PrepareQueryRequest(sql=sql, options=self._options, simple_catalog=self._catalog)
        for name in reads:
            table = self._table(name)
            request.simple_catalog.table.add(name=name, column=table.columns)
            request.table_content[name].CopyFrom(table.content)
        call = ZetaSqlLocalService.get_instance().wasm_client.call_grpc_func
        prepared = call("ZetaSqlLocalService_PrepareQuery", request, service.PrepareQueryResponse).prepared
        chosen = {"prepared_query_id": prepared.prepared_query_id}
        try:
            evaluate = service.EvaluateQueryRequest(**chosen)
            content = call("ZetaSqlLocalService_EvaluateQuery", evaluate, service.EvaluateQueryResponse).content
        finally:
            call("ZetaSqlLocalService_UnprepareQuery", service.UnprepareQueryRequest(**chosen))
        return Found(prepared.columns, content)

    def _table(self, name: str) -> Found:
        """Return a table; one that is a query still is executed first."""
        table = self.queries[name]
        if isinstance(table, str):
            table = self.queries[name] = self.found(table)
        return table


class RefreshedDialect(BigQueryDialect):
    """What an incremental build on BigQuery makes of tables that were built before.

    Of a model in `before` only the new rows come from its SQL; its merge, as it was sent, says which rows they replace.
    """

    def __init__(self, queries: dict[str, str | Found], before: Mapping[str, Answer]) -> None:
        super().__init__(queries)
        self.before = before
        self.merges: Mapping[str, str] = {}
        self.new: dict[str, Rows] = {}

    def made(self, model: str) -> Answer:
        """Run a model's SQL, which may read the table as it was, and merge what is new."""
        if model not in self.before:
            return super().made(model)
        self.queries[flat(model)] = self.before[model].table
        new = super().made(model)
        self.new[model] = new.rows
        is_replaced = deleted_by(self.merges[model])
        kept = f"select * from {flat(model)} as DBT_INTERNAL_DEST where not coalesce({is_replaced}, false)"  # noqa: S608
        left = self.asked(kept)
        return Answer(new.types, left.rows + new.rows, left.table.with_rows_of(new.table))


def deleted_by(merge: str) -> str:
    """Return which rows of its target a merge deletes; it inserts all of its source, and updates nothing."""
    pattern = r"on FALSE\s+when not matched by source\s+and (.+?)\s+then delete\s+when not matched then insert\b"
    [condition] = re.findall(pattern, merge, re.DOTALL)
    return f"({condition})"


def plain(value: Any) -> Any:
    """Bring a value of either engine to one form: times without zone, floats to nine digits, nothing empty."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z?", value):
        value = datetime.fromisoformat(value.removesuffix("Z"))
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        value = plain_number(value)
    elif isinstance(value, list):
        value = [plain(element) for element in value] or None
    elif isinstance(value, dict):
        fields = {key: plain(element) for key, element in value.items()}
        value = None if all(field is None for field in fields.values()) else fields
    return value


def plain_number(value: float | Decimal) -> float | str:
    """Bring a number to one form; as text what the engine writes as text, for JSON has no such number."""
    if math.isnan(value):
        return "NaN"
    if isinstance(value, int):
        return str(value) if abs(value) > MOST_EXACT else float(value)
    return float(f"{value:.9g}")


def comparable(rows: Rows) -> list[str]:
    """Return rows in a form and an order that do not depend on the engine."""
    return sorted(str(sorted(plain(row).items())) for row in rows)
