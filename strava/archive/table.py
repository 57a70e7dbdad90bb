"""`activities.csv` as a table of texts, kept small: each row is one piece of JSON until it is looked at.

A field may hold line breaks. Rows that cannot be taken are told with their line, and the others are kept.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from strava.archive.container import Problem
from strava.errors import UnreadableArchive

LONGEST_LINE = 2**20  # characters
MOST_ROWS, MOST_UNREADABLE = 300_000, 10_000
MOST_COLUMNS = 512
LEAST_COLUMNS = 7  # id, date, name, type, description, elapsed time and distance were always there
_LARGEST_ID = 2**63 - 1
_REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


class _CsvReader(Protocol):
    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


@dataclass(slots=True)
class ActivityTable:
    """The header and the rows of one CSV: each row has as many cells as the header, and an id of its own.

    `unreadable` counts the records that are no such row; `problems` says why.
    """

    name: str
    header: tuple[str, ...]
    rows: list[bytes] = field(default_factory=list)
    unreadable: int = 0
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, fault: object) -> None:
        """Tell why a line is no row. Raises UnreadableArchive where so many are none that it is no such list."""
        self.unreadable += 1
        if self.unreadable > MOST_UNREADABLE:
            raise UnreadableArchive(self.name, f"has more than {MOST_UNREADABLE:,} lines that are no rows")
        self.problems.append(Problem(self.name, f"line {line:,}: {fault}"))

    def cells(self) -> Iterator[list[str]]:
        """Yield each row's cells."""
        return map(orjson.loads, self.rows)


def read_table(name: str, content: bytes) -> ActivityTable:
    """Read the CSV: UTF-8 with or without a byte order mark. Raises UnreadableArchive if it is no such list."""
    reader = csv.reader(_lines(name, content))
    table = ActivityTable(name, _header(name, reader))
    ids: set[int] = set()
    for cells in _records(table, reader):
        fault = _row_fault(cells, table.header, ids)
        if fault is not None:
            table.refuse(reader.line_num, fault)
            continue
        ids.add(int(cells[0]))
        table.rows.append(bytes(memoryview(orjson.dumps(cells))))  # a copy, as orjson's own bytes hold kilobytes more
        if len(table.rows) > MOST_ROWS:
            raise UnreadableArchive(name, f"has more than {MOST_ROWS:,} rows")
    if any(_REPLACED in row for row in table.rows):
        table.problems.append(
            Problem(name, "holds letters that are not UTF-8; each is shown as \N{REPLACEMENT CHARACTER}")
        )
    return table


def _lines(name: str, content: bytes) -> Iterator[str]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="replace", newline="")
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise UnreadableArchive(name, f"has a line of more than {LONGEST_LINE:,} characters")
        yield line


def _header(name: str, reader: _CsvReader) -> tuple[str, ...]:
    try:
        header = next(iter(reader), [])
    except csv.Error:
        header = []
    if not LEAST_COLUMNS <= len(header) <= MOST_COLUMNS or header[0].strip().isdecimal():
        raise UnreadableArchive(name, "is no list of activities: its first line is not the header that Strava writes")
    return tuple(header)


def _records(table: ActivityTable, reader: _CsvReader) -> Iterator[list[str]]:
    """Yield the rows; one that is no CSV is told, and reading goes on behind it."""
    while True:
        try:
            cells = next(iter(reader), None)
        except csv.Error as error:
            table.refuse(reader.line_num, error)
            continue
        if cells is None:
            return
        if cells:
            yield cells


def _row_fault(cells: list[str], header: tuple[str, ...], ids: set[int]) -> str | None:
    if len(cells) != len(header):
        return f"{len(cells):,} cells where the header has {len(header)}"
    text = cells[0].strip()
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) <= _LARGEST_ID):
        return "no activity's id at its beginning"
    if int(text) in ids:
        return "the id of an earlier line"
    return None
