"""The recorded curves of an activity as arrays, of at most 500 points, and how their values are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dashboard.activity.subject import Subject
from dashboard.formatting import NARROW, NOTHING, Teller
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.route_lines import Floats, Ints, mercator, places_without_ends
from dashboard.units import LONG
from dashboard.units import SWUM as SWIM_UNIT

SLOWEST_MPS = 0.5  # slower is standing, of which there is no pace
PALEST, DARKEST = 5, 10  # levels of a route; paler ones are too pale for a line
SLOPED_M = 100  # to either side of a point, where no gradient is recorded
USUAL = 5, 95  # per cent: what is beyond takes the colour at the end
PACED = frozenset({"run", "walk"})
SWUM = "swim"
COLUMNS = {
    "speed": "speeds_mps",
    "heartrate": "heartrates_bpm",
    "power": "powers_w",
    "altitude": "altitudes_m",
    "cadence": "cadences_per_minute",
    "grade": "grades_percent",
}
TITLES = {
    "speed": N_("Pace, speed"),
    "heartrate": N_("Heart rate"),
    "power": N_("Power"),
    "altitude": N_("Height"),
    "cadence": N_("Cadence"),
    "grade": N_("Gradient"),
}


@dataclass(frozen=True, slots=False)
class Course:
    """A row of `activity/course`, or of `activity/route` alone, of an activity of `sport_group`."""

    row: Row
    sport_group: str
    cut_m: float

    def curve(self, name: str) -> Floats | None:
        """Return a curve of COLUMNS, NaN where it is not recorded; None where it is recorded nowhere.

        The speed of what does not move is none. Speed and gradient that are not recorded are found from the distance.
        """
        values = _floats(self.row.get(COLUMNS[name]))
        if name == "speed" and not _moves(values):
            values = self._covered
            return values if _moves(values) else None
        return self._slopes if name == "grade" and values is None else values

    @cached_property
    def seconds(self) -> Floats | None:
        """Seconds since the start."""
        return _floats(self.row.get("seconds"))

    @cached_property
    def metres(self) -> Floats | None:
        """Metres since the start; None of what goes nowhere."""
        metres = _floats(self.row.get("distances_m"))
        return metres if metres is not None and np.nanmax(metres) > 0 else None

    @cached_property
    def places(self) -> tuple[Floats, Floats] | None:
        """Latitudes and longitudes in degrees."""
        if "path_latitudes" in self.row:
            north, east = (np.array(self.row[f"path_{axis}"], dtype=float) for axis in ("latitudes", "longitudes"))
            return north / 100_000, east / 100_000
        found = [_floats(self.row.get(axis)) for axis in ("latitudes", "longitudes")]
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    @cached_property
    def parts(self) -> list[Ints]:
        """The points of each piece of the route that is shown, without those near its ends where these are hidden."""
        if self.places is None:
            return []
        latitudes, longitudes = self.places
        known = np.flatnonzero(np.isfinite(latitudes) & np.isfinite(longitudes))
        return [known[part] for part in places_without_ends(latitudes[known], longitudes[known], self.cut_m)]

    @cached_property
    def on_map(self) -> tuple[Floats, Floats]:
        """Where each point is on the square map of the world, east and north."""
        if self.places is None:
            return np.zeros(0), np.zeros(0)
        x, y = mercator(*self.places)
        return x, -y

    @property
    def _covered(self) -> Floats | None:
        """Speed from distance and time, where none is recorded."""
        if self.metres is None or self.seconds is None or len(self.seconds) < 2:  # noqa: PLR2004 - a step
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            speed = np.gradient(self.metres, self.seconds)
        return np.where(np.isfinite(speed), speed, np.nan)

    @cached_property
    def _slopes(self) -> Floats | None:
        """Per cent of rise over the way SLOPED_M to either side, as far as it goes; None where no heights are known."""
        metres, heights = self.metres, _floats(self.row.get(COLUMNS["altitude"]))
        if metres is None or heights is None:
            return None
        known = np.isfinite(metres) & np.isfinite(heights)
        if not known.any():
            return None
        way = np.maximum.accumulate(metres[known])
        begins, ends = np.maximum(metres - SLOPED_M, way[0]), np.minimum(metres + SLOPED_M, way[-1])
        rise = np.interp(ends, way, heights[known]) - np.interp(begins, way, heights[known])
        slopes = np.full(len(metres), np.nan)
        np.divide(100 * rise, ends - begins, out=slopes, where=ends > begins)
        return slopes if np.isfinite(slopes).any() else None

    def levels(self, name: str) -> Floats:
        """Return how dark each point is by a curve, from PALEST to DARKEST; the palest where it is not recorded."""
        values = self.curve(name)
        if values is None:
            raise ValueError(f"{name} is not recorded")
        low, high = self.usual(name)
        share = (values - low) / max(high - low, 1e-9)
        return PALEST + (DARKEST - PALEST) * np.nan_to_num(np.clip(share, 0, 1))

    def usual(self, name: str) -> tuple[float, float]:
        """Return between which values most of a curve is."""
        values = self.curve(name)
        low, high = np.nanpercentile(np.zeros(1) if values is None else values, USUAL)
        return float(low), float(high)

    @property
    def has_found_slopes(self) -> bool:
        """Whether its gradient is found from the heights, because none is recorded."""
        return self.has("grade") and _floats(self.row.get(COLUMNS["grade"])) is None

    def has(self, name: str) -> bool:
        """Whether a curve is recorded."""
        return self.curve(name) is not None

    @property
    def is_paced(self) -> bool:
        """Whether its speed is told as a pace."""
        return self.sport_group in PACED or self.sport_group == SWUM


def course_of(subject: Subject) -> tuple[Course | None, Any]:
    """Return the recorded curves, else the route alone, with the rows that were asked; None where neither is here."""
    page = subject.page
    rows = page.rows("activity/course", page.athlete_id, subject.activity_id)
    found = rows or page.rows("activity/route", page.athlete_id, subject.activity_id)
    course = Course(found[0], subject.row["sport_group"], subject.cut_m) if found else None
    return course, found


def _floats(values: Any) -> Floats | None:
    """Return an array, or None where nothing in it is a number."""
    if not values:
        return None
    array = np.array(values, dtype=float)
    return array if np.isfinite(array).any() else None


def _moves(speed: Floats | None) -> bool:
    return speed is not None and bool(np.nanmax(speed) > 0)


def known(value: float) -> float | None:
    """Return a reading, None where there is none."""
    return float(value) if np.isfinite(value) else None


def shown(name: str, value: float | None, sport_group: str, tell: Teller) -> str:
    """Say a value of a curve as the sport counts it."""
    if value is None or not np.isfinite(value):
        return NOTHING
    if name == "speed":
        return speed_shown(value, sport_group, tell)
    if name == "altitude":
        return tell.elevation(value)
    unit = {"heartrate": "bpm", "power": "W", "grade": "%"}.get(name)
    if unit is None:
        unit = "spm" if sport_group in PACED else "rpm"
    return f"{tell.number(value, 1 if name == 'grade' else 0)}{NARROW}{unit}"


def speed_shown(mps: float, sport_group: str, tell: Teller) -> str:
    """Say a speed in metres per second as the sport counts it: a pace on foot and in water, else a speed."""
    if sport_group not in PACED | {SWUM}:
        return tell.speed(mps * 3.6)
    if mps < SLOWEST_MPS:
        return NOTHING
    pace: Mapping[str, Any] = {"pace_s_per_km": 1000 / mps if sport_group in PACED else None, "speed_kmh": None}
    return tell.pace_or_speed({**pace, "distance_m": mps, "moving_time_s": 1, "sport_group": sport_group,
                               "sport_type": ""})  # fmt: skip


def pace_s(mps: float, sport_group: str, tell: Teller) -> float:
    """Return a speed as seconds per kilometre or mile, of a swim per 100 m or yards; NaN for standing."""
    if not np.isfinite(mps) or mps < SLOWEST_MPS:
        return float("nan")
    unit = SWIM_UNIT[tell.units] if sport_group == SWUM else LONG[tell.units]
    return unit.size / mps
