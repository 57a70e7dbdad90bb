"""One row of `activities.csv`, as it stands there and in the words and units of Strava's API."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import orjson

from strava.archive.columns import (
    ACTIVITY_ID,
    DATE,
    DESCRIPTION,
    DISTANCE,
    ELAPSED,
    NAME,
    NO_FILE_AT_STRAVA,
    SPORT,
    Columns,
)
from strava.archive.dates import DateOrder, read_date
from strava.archive.labels import sport_type
from strava.payload import SUMMARY

IN_METRES = frozenset({"Swim", "Rowing", "VirtualRow"})  # their shown distance is not in kilometres
DISTANCE_STEP_M = 10  # kilometres are shown with two decimals
_LARGEST = 1e12  # beyond any number that an activity has
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_GROUPS = re.compile(r"[\s'\N{RIGHT SINGLE QUOTATION MARK}]")
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,])\d{3})+", re.ASCII)
_STEM = re.compile(r"(\d{1,18})(?:\..*)?", re.ASCII)


def _decimals(digits: int) -> Callable[[float], float]:
    return lambda value: round(value, digits)


#: Offsets behind the file's name, and how the API writes the value: metres, seconds, m/s, beats and turns a minute, W,
#: kcal, °C. Epochs are left out, as they are float32 and up to a minute off; so are terms of unclear meaning.
MACHINE_BLOCK: Mapping[str, tuple[int, Callable[[float], float]]] = {
    "elapsed_time": (3, round),
    "moving_time": (4, round),
    "distance": (5, _decimals(1)),
    "max_speed": (6, _decimals(3)),
    "average_speed": (7, _decimals(3)),
    "total_elevation_gain": (8, _decimals(1)),
    "elev_low": (10, _decimals(1)),
    "elev_high": (11, _decimals(1)),
    "average_cadence": (17, _decimals(1)),
    "max_heartrate": (18, _decimals(1)),
    "average_heartrate": (19, _decimals(1)),
    "max_watts": (20, round),
    "average_watts": (21, _decimals(1)),
    "calories": (22, _decimals(1)),
    "average_temp": (24, round),
    "suffer_score": (25, _decimals(1)),
    "perceived_exertion": (31, _decimals(1)),
    "weighted_average_watts": (34, round),
}
COMMUTE, BIKE, SHOES = 38, 56, 57
_EXACT = 2**24  # up to it a float of 32 bits holds whole numbers; beyond it an id would be that of other gear


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """One activity of the list. `cells_json` is the row's texts as a JSON array, as many as the header has."""

    columns: Columns
    cells_json: bytes

    @property
    def raw(self) -> list[tuple[str, str]]:
        """Header and value of each cell, word for word; headers come more than once."""
        return list(zip(self.columns.header, self._cells, strict=True))

    @property
    def activity_id(self) -> int:
        """Strava's id."""
        return int(self._cells[ACTIVITY_ID])

    @property
    def file_name(self) -> str | None:
        """The recording's path in the archive, `#error#` where Strava has none to give, None for a manual entry."""
        place = self.columns.file
        return (self._cells[place] or None) if place is not None else None

    @property
    def upload_id(self) -> int | None:
        """The API's `upload_id`, by which the file is named unless Strava's own app recorded the activity."""
        found = _STEM.fullmatch(PurePosixPath(self.file_name or "").name)
        number = int(found[1]) if found else 0
        return number if number not in {0, self.activity_id} else None

    @property
    def start(self) -> datetime | None:
        """The start in UTC; None where the date cannot be read."""
        return self._start(self._cells)

    @property
    def elapsed_s(self) -> int | None:
        """Seconds from start to end; None if they cannot be read."""
        cells = self._cells
        exact = self._machine(cells, MACHINE_BLOCK["elapsed_time"][0])
        return _whole(shown_number(cells[ELAPSED]) if exact is None else exact)

    @property
    def sport_label(self) -> str:
        """The sport in the account's language."""
        return self._cells[SPORT]

    @property
    def gear_name(self) -> str | None:
        """A bike's nickname, or brand, model and name of shoes."""
        return _cell(self._cells, self.columns.gear)

    @property
    def gear_id(self) -> str | None:
        """Strava's id of the gear, such as `b8930001` of a bike or `g10000001` of shoes; None for one of 25 bits."""
        return self._gear_id(self._cells)

    @property
    def distance_precision_m(self) -> int | None:
        """The metres to which the distance was rounded where only the shown one is there; None where it is exact."""
        return self._distance(self._cells)[1]

    @property
    def activity(self) -> dict[str, Any]:
        """The row as Strava's API summarises an activity; what the row does not tell is left out.

        Beside the API's words, `sport_label` is the sport where its label is not known, and `distance_precision_m` the
        metres to which the distance was rounded. Not told are the exact sport of an unknown label, who may see it, the
        time zone, whether a trainer was used, and whether watts were measured.
        """
        cells = self._cells
        (distance, precision), sport = self._distance(cells), sport_type(cells[SPORT])
        start, gear_id, gear_name = self._start(cells), self._gear_id(cells), _cell(cells, self.columns.gear)
        told = {
            "id": int(cells[ACTIVITY_ID]),
            "resource_state": SUMMARY,
            "name": cells[NAME],
            "description": cells[DESCRIPTION] or None,
            "sport_type": sport,
            "sport_label": None if sport else cells[SPORT] or None,
            "start_date": start and start.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "elapsed_time": _whole(shown_number(cells[ELAPSED])),
            "distance": distance,
            "distance_precision_m": precision,
            "commute": self._commute(cells),
            "gear_id": gear_id,
            "gear": {"id": gear_id, "name": gear_name} if gear_id or gear_name else None,
            "upload_id": self.upload_id,
            "manual": _is_manual(self.file_name) if self.columns.file is not None else None,
        } | self._measured(cells)
        return {key: value for key, value in told.items() if value is not None}

    @property
    def _cells(self) -> list[str]:
        cells: list[str] = orjson.loads(self.cells_json)
        return cells

    def _start(self, cells: Sequence[str]) -> datetime | None:
        order = self.columns.date_order
        return read_date(cells[DATE], order) if order is not None else None

    def _measured(self, cells: Sequence[str]) -> dict[str, Any]:
        measured: dict[str, Any] = {
            key: written(value)
            for key, (offset, written) in MACHINE_BLOCK.items()
            if key != "distance" and (value := self._machine(cells, offset)) is not None
        }
        return measured | ({"has_heartrate": True} if "average_heartrate" in measured else {})

    def _machine(self, cells: Sequence[str], offset: int) -> float | None:
        """Return a number of the block behind the file's name."""
        if self.columns.file is None or not self.columns.has_machine_block:
            return None
        place = self.columns.file + offset
        return _number(cells[place]) if place < len(cells) else None

    def _distance(self, cells: Sequence[str]) -> tuple[float | None, int | None]:
        """Return metres, and to how many they were rounded."""
        if (exact := self._machine(cells, MACHINE_BLOCK["distance"][0])) is not None:
            return round(exact, 1), None
        shown = shown_number(cells[DISTANCE])
        is_old = not self.columns.has_machine_block and self.columns.date_order is DateOrder.ISO
        if shown is None or is_old or sport_type(cells[SPORT]) in IN_METRES:
            return shown, None
        return round(shown * 1000, 1), DISTANCE_STEP_M

    def _commute(self, cells: Sequence[str]) -> bool | None:
        shown = (_cell(cells, self.columns.commute) or "").lower()
        if shown in {"true", "false"}:
            return shown == "true"
        number = self._machine(cells, COMMUTE)
        return None if number is None else bool(number)

    def _gear_id(self, cells: Sequence[str]) -> str | None:
        for letter, offset in (("b", BIKE), ("g", SHOES)):
            number = self._machine(cells, offset)
            if number and number <= _EXACT:
                return f"{letter}{number:.0f}"
        return None


def shown_number(text: str) -> float | None:
    """Read a number as an account's language shows it: `3.32`, `3,32`, `1.234,5`, `1 234,5`; None if it is none."""
    plain = _GROUPS.sub("", text)
    grouped = _THOUSANDS.fullmatch(plain)
    if grouped and plain.count(grouped[1]) == len(re.findall("[.,]", plain)):
        return _number(plain.replace(grouped[1], ""))
    mark = max(plain.rfind("."), plain.rfind(","))
    if mark < 0:
        return _number(plain)
    return _number(re.sub("[.,]", "", plain[:mark]) + "." + plain[mark + 1 :])


def _number(text: str) -> float | None:
    value = float(text) if _NUMBER.fullmatch(text) else None
    return value if value is not None and abs(value) <= _LARGEST else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _cell(cells: Sequence[str], place: int | None) -> str | None:
    return (cells[place] or None) if place is not None else None


def _is_manual(file_name: str | None) -> bool | None:
    """Tell whether the activity was typed in; None where Strava only lost its file."""
    return None if file_name == NO_FILE_AT_STRAVA else file_name is None
