"""How rows reach a person or a program: a table, one JSON object a line, or CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

MOST_TABLE_ROWS = 500


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def form_of(*, as_json: bool, as_csv: bool = False) -> Form:
    """Choose the form by the command's flags; JSON wins."""
    if as_json:
        return Form.JSON
    return Form.CSV if as_csv else Form.TABLE


def print_rows(names: Sequence[str], rows: Iterable[Sequence[object]], form: Form, console: Console) -> None:
    """Print the rows as they come; a table stops at 500 rows and says so."""
    if form is Form.JSON:
        for row in rows:
            print(json.dumps(dict(zip(names, row, strict=True)), default=_plain, ensure_ascii=False))  # noqa: T201
    elif form is Form.CSV:
        csv.writer(sys.stdout).writerows(chain([names], rows))
    else:
        _print_table(names, iter(rows), console)


def _print_table(names: Sequence[str], rows: Iterator[Sequence[object]], console: Console) -> None:
    table = Table()
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in islice(rows, MOST_TABLE_ROWS):
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(table)
    if next(rows, None) is not None:
        console.print(f"… and more than these {MOST_TABLE_ROWS} rows: use --json or --csv, or a limit.")
    elif not table.row_count:
        console.print("No rows.")


def _plain(value: object) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)
