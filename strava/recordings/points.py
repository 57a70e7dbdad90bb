"""Collects the points of a TCX or GPX file, and turns them into columns."""

import math
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from strava.recordings.recording import MOST_POINTS, Column, UnreadableRecording, cleaned

_NAMES = (
    "time",
    "latitude",
    "longitude",
    "altitude_m",
    "distance_m",
    "speed_mps",
    "heart_rate_bpm",
    "cadence_rpm",
    "power_w",
    "temperature_c",
)


class Points:
    """The points of one recording in the file's order."""

    def __init__(self) -> None:
        self._columns = {name: array("d") for name in _NAMES}

    def __len__(self) -> int:
        return len(self._columns["time"])

    def add(self, point: Mapping[str, float]) -> None:
        """Add a point; what it does not name is not known. Raises UnreadableRecording when there are too many."""
        if len(self) >= MOST_POINTS:
            raise UnreadableRecording(f"more than {MOST_POINTS:,} points")
        for name, column in self._columns.items():
            column.append(point.get(name, math.nan))

    def columns(self) -> dict[str, Column]:
        """Return the points as columns, in order of time and cleaned."""
        return cleaned({name: np.array(column) for name, column in self._columns.items()})


def number(text: str) -> float:
    """Return a number of the file, NaN for what is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def moment(text: str) -> float:
    """Return a time of the file in seconds since 1970, NaN for what is none; a time without a zone is UTC."""
    try:
        told = datetime.fromisoformat(text)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan
