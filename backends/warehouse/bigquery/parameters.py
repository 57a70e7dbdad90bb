"""Values as BigQuery takes them: bound, and typed by the table that they are for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.cloud.bigquery import (
    ArrayQueryParameter,
    ScalarQueryParameter,
    ScalarQueryParameterType,
    StructQueryParameter,
    StructQueryParameterType,
)

Parameter = ScalarQueryParameter | ArrayQueryParameter
# JSON comes as text, which a statement parses: a number that no float holds exactly would else be refused.
_KINDS = {"int64": "INT64", "string": "STRING", "bool": "BOOL", "timestamp": "TIMESTAMP", "json": "STRING"}


def sql_type(kind: str) -> str:
    """Return BigQuery's type of a column of the schema, as it comes with a statement."""
    return _KINDS[kind]


def scalar(name: str, kind: str, value: Any) -> ScalarQueryParameter:
    """Return one value."""
    return ScalarQueryParameter(name, _KINDS[kind], bindable(value, kind))


def int64s(**values: int | None) -> list[ScalarQueryParameter]:
    """Return whole numbers by their names."""
    return [scalar(name, "int64", value) for name, value in values.items()]


def timestamps(**values: datetime | None) -> list[ScalarQueryParameter]:
    """Return moments by their names."""
    return [scalar(name, "timestamp", value) for name, value in values.items()]


def array(name: str, kind: str, values: Iterable[Any]) -> ArrayQueryParameter:
    """Return several values of one type."""
    return ArrayQueryParameter(name, _KINDS[kind], list(values))


def structs(name: str, kinds: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> ArrayQueryParameter:
    """Return rows with these columns."""
    fields = [ScalarQueryParameterType(_KINDS[kind], name=column) for column, kind in kinds.items()]
    values = [
        StructQueryParameter(None, *(scalar(column, kind, row[column]) for column, kind in kinds.items()))
        for row in rows
    ]
    return ArrayQueryParameter(name, StructQueryParameterType(*fields), values)


def bindable(value: Any, kind: str) -> Any:
    """Return a value as it comes with a statement: a bool may have been a number."""
    return bool(value) if kind == "bool" and value is not None else value
