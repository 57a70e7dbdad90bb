"""Where in `activities.csv` what stands, found by what the cells hold and not by what the columns are called.

The file's name anchors all: columns before it are shown in the account's language and format, those behind it are
written for machines and always in the same order. Strava adds columns before the last one only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from strava.archive.container import Problem
from strava.archive.dates import DateOrder, choose_order
from strava.archive.labels import COLUMN_NAMES, language_of, plain_name
from strava.archive.table import LEAST_COLUMNS, ActivityTable

NO_FILE_AT_STRAVA = "#error#"
IS_FILE = re.compile(rf"(?:\./)?activities/.+|{NO_FILE_AT_STRAVA}")
ACTIVITY_ID, DATE, NAME, SPORT, DESCRIPTION, ELAPSED, DISTANCE = range(LEAST_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The places of a CSV's columns, counted from 0; None where there is no such column."""

    header: tuple[str, ...]
    language: str | None
    file: int | None
    commute: int | None
    date_order: DateOrder | None

    @property
    def gear(self) -> int | None:
        """The name of bike or shoes."""
        return None if self.file is None else self.file - 1

    @property
    def has_machine_block(self) -> bool:
        """Whether numbers for machines follow the file's name; they do since 2020."""
        return self.file is not None and self.file + 1 < len(self.header)

    @property
    def locale(self) -> str | None:
        """The account's language as far as the file tells it, such as `de`, `en-GB` or `en-US`."""
        regions = {DateOrder.DAY_FIRST: "en-GB", DateOrder.MONTH_FIRST: "en-US"}
        if self.language != "en" or self.date_order is None:
            return self.language
        return regions.get(self.date_order, "en")


def find_columns(table: ActivityTable, now: datetime) -> tuple[Columns, list[Problem]]:
    """Return the columns' places, and what is doubtful about them."""
    language = language_of(table.header)
    named = _named_file(table.header, language)
    found = _file_column(table)
    problems = []
    if found is not None and named is not None and found != named:
        reason = f"names files in column {found + 1}, but calls column {named + 1} so; the cells are believed"
        problems.append(Problem(table.name, reason))
    file = named if found is None else found
    order = choose_order([(int(cells[ACTIVITY_ID]), cells[DATE]) for cells in table.cells()], now)
    if order.rival is not None:
        reason = f"has dates that can be read in two ways; {order.order} is taken, and {order.rival} fits as well"
        problems.append(Problem(table.name, reason))
    columns = Columns(
        header=table.header,
        language=language,
        file=file,
        commute=_commute_column(table, file),
        date_order=order.order,
    )
    return columns, problems


def _named_file(header: Sequence[str], language: str | None) -> int | None:
    names = COLUMN_NAMES[language].file if language else ()
    places = [place for place, name in enumerate(header) if plain_name(name) in names and place >= LEAST_COLUMNS]
    return places[0] if places else None


def _file_column(table: ActivityTable) -> int | None:
    """Return the column whose cells are all files or empty; of several, that with the most files."""
    counts = dict.fromkeys(range(LEAST_COLUMNS, len(table.header)), 0)
    for cells in table.cells():
        for place in [place for place in counts if (cell := cells[place]) and not IS_FILE.fullmatch(cell)]:
            del counts[place]
        for place in counts:
            counts[place] += bool(cells[place])
    best = max(counts, key=lambda place: counts[place], default=None)
    return best if best is not None and counts[best] else None


def _commute_column(table: ActivityTable, file: int | None) -> int | None:
    """Return the first shown column that holds `true` and `false` alone."""
    places = dict.fromkeys(range(LEAST_COLUMNS, file or LEAST_COLUMNS), False)
    for cells in table.cells():
        for place in list(places):
            cell = cells[place].lower()
            if cell not in {"", "true", "false"}:
                del places[place]
            elif cell:
                places[place] = True
    return next((place for place, is_filled in places.items() if is_filled), None)
