"""Reads TCX: a recording for each activity of a file.

Format: https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd, and the point's extension ActivityExtensionv2.
"""

import math
from collections.abc import Mapping, Sequence

from strava.recordings import sport_types
from strava.recordings.points import Points, moment, number
from strava.recordings.recording import (
    MOST_RECORDINGS,
    Device,
    Lap,
    Reading,
    Recording,
    Totals,
    UnreadableRecording,
    is_possible,
)
from strava.recordings.xml_reader import read_xml

MOST_LAPS = 10_000
_PAUSE_S = 5  # a lap's timer this much shorter than the lap is a pause
_POINT = {
    "LatitudeDegrees": "latitude",
    "LongitudeDegrees": "longitude",
    "AltitudeMeters": "altitude_m",
    "DistanceMeters": "distance_m",
    "Cadence": "cadence_rpm",
    "RunCadence": "cadence_rpm",
    "Speed": "speed_mps",
    "Watts": "power_w",
}
_LAP = {
    "TotalTimeSeconds": "timer_s",
    "DistanceMeters": "distance_m",
    "MaximumSpeed": "max_speed_mps",
    "Calories": "calories_kcal",
    "Cadence": "average_cadence_rpm",
    "AvgRunCadence": "average_cadence_rpm",
    "AvgWatts": "average_power_w",
    "MaxWatts": "max_power_w",
}
_LAP_HEART = {"AverageHeartRateBpm": "average_heart_rate_bpm", "MaximumHeartRateBpm": "max_heart_rate_bpm"}


class _Activity:
    """One activity as far as it is read."""

    def __init__(self, sport: str | None) -> None:
        self.sport = sport
        self.points = Points()
        self.laps = list[tuple[float, dict[str, float]]]()
        self.start = math.nan
        self.name: str | None = None
        self.serial: int | None = None
        self.product: int | None = None


class _Tcx:
    """What is known so far."""

    def __init__(self) -> None:
        self.activities = list[_Activity]()
        self.courses = 0
        self._point: dict[str, float] | None = None
        self._in_lap = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Activity":
            if len(self.activities) == MOST_RECORDINGS:
                raise UnreadableRecording(f"more than {MOST_RECORDINGS} activities")
            self.activities.append(_Activity(attributes.get("Sport")))
            self._in_lap = False
        elif name == "Lap" and self.activities:
            if len(self.activities[-1].laps) == MOST_LAPS:
                raise UnreadableRecording(f"more than {MOST_LAPS:,} laps")
            self.activities[-1].laps.append((moment(attributes.get("StartTime", "")), {}))
            self._in_lap = True
        elif name == "Trackpoint":
            self._point = {}
        elif name in {"Course", "Workout"}:
            self.courses += 1

    def end(self, name: str, text: str, parent: str) -> None:
        if not self.activities:
            return
        activity = self.activities[-1]
        if self._point is not None:
            self._end_in_point(activity, self._point, name, text, parent)
        elif name == "Lap":
            self._in_lap = False
        elif self._in_lap:
            lap = activity.laps[-1][1]
            told = _LAP_HEART.get(parent) if name == "Value" else _LAP.get(name)
            if told:
                lap[told] = number(text)
        elif name == "Id" and parent == "Activity":
            activity.start = moment(text)
        elif parent == "Creator":
            _created(activity, name, text)

    def forget_unfinished_lap(self) -> None:
        """Drop what a lap says of itself where the file ends within it: it tells of points that are not there."""
        if self._in_lap:
            self.activities[-1].laps[-1][1].clear()

    def _end_in_point(self, activity: _Activity, point: dict[str, float], name: str, text: str, parent: str) -> None:
        if name == "Trackpoint":
            if not math.isnan(point.get("time", math.nan)):
                activity.points.add(point)
            self._point = None
        elif name == "Time":
            point["time"] = moment(text)
        elif name == "Value" and parent == "HeartRateBpm":
            point["heart_rate_bpm"] = number(text)
        elif name in _POINT:
            point[_POINT[name]] = number(text)


def _created(activity: _Activity, name: str, text: str) -> None:
    if name == "Name":
        activity.name = text or None
    elif name == "UnitId" and text.isdecimal():
        activity.serial = int(text[:20]) or None
    elif name == "ProductID" and text.isdecimal():
        activity.product = int(text[:20])


def read_tcx(content: bytes) -> Reading:
    """Read a TCX file. Raises UnreadableRecording for what is none, or holds no activity with times."""
    read = _Tcx()
    broken = read_xml(content, read)
    read.forget_unfinished_lap()
    recordings = [made for activity in read.activities if (made := _recording(activity))]
    if not recordings:
        is_other = read.courses and not read.activities
        raise UnreadableRecording("not an activity: course or workout" if is_other else broken or "no times")
    remarks = [f"cut short: {broken}"] if broken else []
    return Reading(kind="tcx", recordings=recordings, is_truncated=bool(broken), remarks=remarks)


def _recording(activity: _Activity) -> Recording | None:
    columns = activity.points.columns()
    times = columns["time"]
    laps = [Lap(start, Totals.of(told)) for start, told in activity.laps if is_possible(start)]
    starts = [lap.start for lap in laps] or ([activity.start] if is_possible(activity.start) else [])
    if len(times):
        first = float(times[0])
        start = min(starts) if starts and 0 <= first - min(starts) < _first_lap(laps) else first
    elif starts and any(lap.totals.timer_s for lap in laps):
        start = min(starts)
    else:
        return None
    totals = _summed([lap.totals for lap in laps])
    elapsed = float(times[-1]) - start if len(times) else totals.timer_s or 0.0
    return Recording(
        start=start,
        columns=columns,
        sport_type=sport_types.of_word(activity.sport),
        has_pauses=0 < (totals.timer_s or 0) < elapsed - _PAUSE_S,
        laps=_measured(laps, start + elapsed),
        totals=totals,
        device=Device(product=activity.name, serial_number=activity.serial, product_number=activity.product),
    )


def _first_lap(laps: Sequence[Lap]) -> float:
    """Return how long before the first point a recording may have begun: within its first lap."""
    return max(60.0, (laps[0].totals.timer_s or 0.0) if laps else 0.0)


def _measured(laps: Sequence[Lap], end: float) -> list[Lap]:
    """Give each lap its elapsed time: to the start of the next one, the last one to the end."""
    ends = [*(lap.start for lap in laps[1:]), end][: len(laps)]
    return [
        Lap(lap.start, Totals.of(lap.totals.told() | {"elapsed_s": max(0.0, after - lap.start)}))
        for lap, after in zip(laps, ends, strict=True)
    ]


def _summed(laps: Sequence[Totals]) -> Totals:
    """Return the sums and the highest values of laps; a sum only where every lap tells its part."""
    known = [lap.told() for lap in laps]
    names = set.intersection(*map(set, known)) if known else set()
    sums = {name: sum(lap[name] for lap in known) for name in names & {"timer_s", "distance_m", "calories_kcal"}}
    peaks = {
        name: max(lap[name] for lap in known) for name in names & {"max_speed_mps", "max_heart_rate_bpm", "max_power_w"}
    }
    return Totals.of(sums | peaks)
