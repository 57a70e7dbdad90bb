"""How rows reach a person or a program: a table, one JSON object a line, or CSV."""

import csv
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from athlete.errors import CommandError

MOST_TABLE_ROWS = 500
MOST_CHARACTERS = 200  # of one value in a table
BOUNDLESS = 10**9  # characters: where no terminal ends the line
LEAST_COLUMN = 10  # characters; a table that would be narrower is written row by row
HIDDEN = dict.fromkeys((*range(32), *range(127, 160))) | dict.fromkeys(map(ord, "\t\r\n"), " ")


class Form(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def form_of(*, as_json: bool, as_csv: bool = False) -> Form:
    """Choose the form by the command's flags. Raises CommandError when both are given."""
    if as_json and as_csv:
        raise CommandError("Choose one of --json and --csv.")
    if as_json:
        return Form.JSON
    return Form.CSV if as_csv else Form.TABLE


def say(sentence: str) -> None:
    """Tell a person something, as it is: nothing in it is markup, and no line is broken."""
    Console().print(sentence, highlight=False, soft_wrap=True, markup=False)


def minute(moment: datetime, zone: ZoneInfo) -> str:
    """Write the date and the minute as the zone's clocks show them."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def second(moment: datetime, zone: ZoneInfo) -> str:
    """Write the date and the second as the zone's clocks show them."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def print_rows(  # noqa: PLR0913 - what is printed, and by keyword how
    names: Sequence[str],
    rows: Iterable[Sequence[object]],
    form: Form,
    console: Console,
    *,
    whole: Collection[str] = (),
    downwards: bool = False,
    styles: Mapping[str, str] | None = None,
) -> None:
    """Print the rows as they come; a table stops at 500 rows, and on a terminal it cuts long values, and says so.

    `whole` names the columns of a table that are never folded. Where no terminal is, nothing is folded or cut. A table
    that is printed `downwards` has a line for each value. `styles` names the style of each value that has one, such as
    a colour, which only a terminal shows.
    """
    if form is Form.JSON:
        for row in rows:
            print(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False))  # noqa: T201
    elif form is Form.CSV:
        csv.writer(sys.stdout).writerows(chain([names], (map(_text, row) for row in rows)))
    else:
        _print_for_a_person(names, iter(rows), console, whole, downwards=downwards, styles=styles or {})


def _print_for_a_person(  # noqa: PLR0913 - as above
    names: Sequence[str],
    rows: Iterator[Sequence[object]],
    console: Console,
    whole: Collection[str],
    *,
    downwards: bool,
    styles: Mapping[str, str],
) -> None:
    if not console.is_terminal:
        console.width = BOUNDLESS
    longest = MOST_CHARACTERS if console.is_terminal else BOUNDLESS
    cells = [[_cell(value, longest) for value in row] for row in islice(rows, MOST_TABLE_ROWS)]
    if not cells:
        console.print("No rows.")
    elif downwards or console.width < LEAST_COLUMN * len(names):
        _print_records(names, cells, console)
    else:
        console.print(_table(names, cells, whole, styles))
    if next(rows, None) is not None:
        console.print(f"… and more than these {MOST_TABLE_ROWS} rows: use --json or --csv, or a limit.")
    if any(len(cell) > longest for row in cells for cell in row):
        console.print(f"Values that end in … are cut at {MOST_CHARACTERS} characters; --json has them whole.")


def _table(
    names: Sequence[str], cells: Iterable[Iterable[str]], whole: Collection[str], styles: Mapping[str, str]
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(Text(name), overflow="fold", no_wrap=name in whole)
    for row in cells:
        table.add_row(*(Text(cell, styles.get(cell, "")) for cell in row))
    return table


def _print_records(names: Sequence[str], cells: Iterable[Sequence[str]], console: Console) -> None:
    """Print each row downwards, a line a column: side by side they would not be readable."""
    for number, row in enumerate(cells, 1):
        record = Table(box=None, show_header=False, pad_edge=False, title=f"row {number}", title_justify="left")
        record.add_column(style="bold", no_wrap=True)
        record.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            record.add_row(Text(name), Text(cell))
        console.print(record)
        console.print()


def _cell(value: object, longest: int) -> str:
    """Write a value on one line without the control characters that would disturb the terminal, and not too long.

    One character more than fits is left: it is the sign that something was cut.
    """
    text = _text(value).translate(HIDDEN)
    return text if len(text) <= longest else f"{text[:longest]}…"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes | dict | list | tuple | bool):
        plain = _plain(value)
        return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return str(value)


def _plain(value: object) -> Any:
    """Turn a value into what JSON knows, however deep it is nested."""
    if isinstance(value, dict):
        return {_text(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value: object) -> Any:
    match value:
        case float():
            return value if isfinite(value) else None  # JSON has no word for the others
        case None | bool() | int() | str():
            return value
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
        case Decimal():
            return float(value)
        case _:
            return str(value)
