"""Values as BigQuery takes them: bound, and typed by the table that they are for."""

from collections.abc import Iterable, Mapping, Sequence
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


def scalar(name: str, kind: str, value: Any) -> ScalarQueryParameter:
    """Return one value."""
    return ScalarQueryParameter(name, _KINDS[kind], _bindable(value, kind))


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


def _bindable(value: Any, kind: str) -> Any:
    return bool(value) if kind == "bool" and value is not None else value
