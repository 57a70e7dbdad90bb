"""What a recording of one session is: the readings of a device over time, and what the device itself says of the whole.

Times are seconds since 1970 in UTC, distances metres, speeds metres per second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

Column = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

MOST_POINTS = 500_000  # five days at one point a second
MOST_RECORDINGS = 100  # of one file
EARLIEST, LATEST = 900_000_000.0, 4_102_444_800.0  # 1998, before which devices count from their start; 2100
APART_S = 7 * 86_400.0  # points so far from the others are a device's wrong clock, or damage
NEAR_S = 60.0  # two starts of one session
FASTEST_MPS = 200.0  # a distance that grows faster than this is damage


class UnreadableRecording(ValueError):
    """Not a recording that can be used; the text says why and repeats nothing of the content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """What recorded it. A file of the same manufacturer, serial number and time is of the same recording."""

    manufacturer: str | None = None
    product: str | None = None  # its name
    product_number: int | None = None
    serial_number: int | None = None
    created_at: datetime | None = None
    has_barometer: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What the device says of a session or of a lap; None is what it does not say."""

    elapsed_s: float | None = None
    timer_s: float | None = None
    distance_m: float | None = None
    ascent_m: float | None = None
    calories_kcal: float | None = None
    max_speed_mps: float | None = None
    average_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    average_cadence_rpm: float | None = None
    average_power_w: float | None = None
    max_power_w: float | None = None
    average_temperature_c: float | None = None

    @classmethod
    def of(cls, told: Mapping[str, float]) -> Self:
        """Take what is named as here and can be; no session and no lap lasts more than a month."""
        within = {name: _TOTALS.get(name, (0, 1e9)) for name in cls.__dataclass_fields__ if name in told}
        return cls(**{name: told[name] for name, (low, high) in within.items() if low <= told[name] <= high})

    def told(self) -> dict[str, float]:
        """Return what is known, by name."""
        return {name: value for name in self.__dataclass_fields__ if (value := getattr(self, name)) is not None}


_TOTALS: Mapping[str, tuple[float, float]] = {
    "elapsed_s": (0, 31 * 86_400),
    "timer_s": (0, 31 * 86_400),
    "max_speed_mps": (0, FASTEST_MPS),
    "average_temperature_c": (-60, 80),
}


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap: when it began, and what the device says of it."""

    start: float
    totals: Totals


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """One session.

    `columns` has `time`, which grows from point to point, and of `latitude`, `longitude`, `distance_m`, `altitude_m`,
    `speed_mps`, `heart_rate_bpm`, `cadence_rpm`, `power_w` and `temperature_c` those that were recorded, NaN where a
    point lacks one; all have the same length, which may be none. `pauses` are from when to when the timer stood still.
    `has_pauses` can also hold where it is not known when. `sport_type` is Strava's word, None if it is not known.
    """

    start: float
    columns: Mapping[str, Column] = field(repr=False)
    sport_type: str | None = None
    is_indoor: bool = False
    name: str | None = None
    pauses: Sequence[tuple[float, float]] = ()
    has_pauses: bool = False
    laps: Sequence[Lap] = ()
    totals: Totals = Totals()
    device: Device = Device()
    utc_offset_s: int | None = None
    is_clipped: bool = False

    @property
    def start_at(self) -> datetime:
        """The start, in UTC."""
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def elapsed_s(self) -> float:
        """From the start to the end, as the device says, otherwise to the last point."""
        if self.totals.elapsed_s:
            return self.totals.elapsed_s
        times = self.columns["time"]
        return max(0.0, float(times[-1]) - self.start) if len(times) else self.totals.timer_s or 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read of a file: a recording for each session, whether the file ends too early, and what else is odd."""

    kind: str
    recordings: Sequence[Recording]
    is_truncated: bool = False
    remarks: Sequence[str] = ()

    def of_activity(self, start_at: datetime) -> Recording | None:
        """Return the recording of the activity that begins at a moment.

        A file's only one in any case: the activity may have been cropped. Of several the one that begins within a
        minute of it, otherwise the one under way at that moment, None if there is none.
        """
        start = start_at.timestamp()
        nearest = min(self.recordings, key=lambda each: abs(each.start - start), default=None)
        if nearest is None or len(self.recordings) == 1 or abs(nearest.start - start) <= NEAR_S:
            return nearest
        return next((each for each in self.recordings if 0 <= start - each.start < each.elapsed_s), None)


def is_possible(moment: float) -> bool:
    """Tell whether a time can be that of a recording."""
    return EARLIEST <= moment < LATEST


def cleaned(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Sort points by time, merge those of one moment, and remove what cannot be.

    Of several values of one moment the last stays. A column without any value is left out, but for the time. Points
    more than a week from where most are do not count. Raises UnreadableRecording for too many points.
    """
    time = columns["time"]
    kept = np.flatnonzero((time >= EARLIEST) & (time < LATEST))
    if len(kept) > MOST_POINTS:
        raise UnreadableRecording(f"more than {MOST_POINTS:,} points")
    kept = kept[np.argsort(time[kept], kind="stable")]
    kept = kept[_together(time[kept])]
    moments, place = np.unique(time[kept], return_inverse=True)
    merged = {"time": moments}
    for name, column in columns.items():
        values = _possible(name, column[kept])
        known = ~np.isnan(values)
        if name != "time" and known.any():
            merged[name] = np.full(len(moments), np.nan)
            merged[name][place[known]] = values[known]
    return _travelled(_placed(merged))


def _together(times: Column) -> slice:
    """Return the longest stretch of sorted times without a gap of a week."""
    breaks = np.flatnonzero(np.diff(times) > APART_S) + 1
    starts, ends = np.append(0, breaks), np.append(breaks, len(times))
    longest = int(np.argmax(ends - starts))
    return slice(int(starts[longest]), int(ends[longest]))


_RANGES = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "altitude_m": (-500, 12_000),
    "distance_m": (0, 40_000_000),
    "speed_mps": (0, FASTEST_MPS),
    "heart_rate_bpm": (1, 254),
    "cadence_rpm": (0, 254),
    "power_w": (0, 5_000),
    "temperature_c": (-60, 80),
}


def _possible(name: str, values: Column) -> Column:
    if name not in _RANGES:
        return values
    low, high = _RANGES[name]
    with np.errstate(invalid="ignore"):
        return np.where((values >= low) & (values <= high), values, np.nan)


def _placed(columns: dict[str, Column]) -> dict[str, Column]:
    """Remove half a position, and the position 0, 0 that devices write while they look for satellites."""
    latitude, longitude = (columns.pop(name, None) for name in ("latitude", "longitude"))
    if latitude is not None and longitude is not None:
        lost = np.isnan(latitude) | np.isnan(longitude) | ((latitude == 0) & (longitude == 0))
        if not lost.all():
            columns["latitude"], columns["longitude"] = (np.where(lost, np.nan, axis) for axis in (latitude, longitude))
    return columns


def _travelled(columns: dict[str, Column]) -> dict[str, Column]:
    """Let the distance never fall: a step back, or one that is too fast, counts as none."""
    if "distance_m" in columns:
        distance = columns["distance_m"]
        known = np.flatnonzero(~np.isnan(distance))
        steps, seconds = np.diff(distance[known]), np.diff(columns["time"][known])
        steps[(steps < 0) | (steps > FASTEST_MPS * np.maximum(seconds, 1))] = 0
        distance[known[1:]] = distance[known[0]] + np.cumsum(steps)
    return columns
