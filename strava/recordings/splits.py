"""Kilometres, miles, and the fastest stretches of a recording, in the shapes of Strava's API."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from strava.recordings.recording import Column, Recording
from strava.recordings.track import Track

KILOMETRE_M, MILE_M = 1000.0, 1609.344
LEAST_M = 1.0  # a shorter rest is no split
MOST_SPLITS = 5_000
# Strava's names and lengths of the stretches.
BEST_EFFORTS: Mapping[str, float] = {
    "400m": 400,
    "1/2 mile": 805,
    "1K": 1000,
    "1 mile": 1609,
    "2 mile": 3219,
    "5K": 5000,
    "10K": 10_000,
    "15K": 15_000,
    "10 mile": 16_090,
    "20K": 20_000,
    "Half-Marathon": 21_097,
    "30K": 30_000,
    "Marathon": 42_195,
    "50K": 50_000,
}


def splits(recording: Recording, track: Track, unit_m: float) -> list[dict[str, Any]]:
    """Cut the course into pieces of one length and what is left; times add up to those of the course.

    An end between two points is found by a straight line between them.
    """
    if track.distance is None or not len(track.distance):
        return []
    distance = track.distance - track.distance[0]
    count = int((distance[-1] + 1e-6) // unit_m)
    if count > MOST_SPLITS:
        return []
    marks = unit_m * np.arange(count + 1, dtype=np.float64)
    if distance[-1] - marks[-1] >= LEAST_M:
        marks = np.append(marks, distance[-1])
    if len(marks) < 2:  # noqa: PLR2004 - two ends
        return []
    ends = reached(track.seconds, distance, marks)
    ends[0], ends[-1] = track.seconds[0], track.seconds[-1]
    elapsed, moved = (np.diff(np.rint(column)).astype(int) for column in (ends, track.moved_until(ends)))
    made: list[dict[str, Any]] = []
    rises, hearts = _rises(recording, track, ends), _hearts(recording, track, ends)
    for index, length in enumerate(np.diff(marks).tolist()):
        split = {
            "split": index + 1,
            "distance": round(length, 1),
            "elapsed_time": int(elapsed[index]),
            "moving_time": int(moved[index]),
            "average_speed": round(length / int(moved[index]), 2) if moved[index] else 0.0,
        }
        if rises is not None:
            split["elevation_difference"] = round(float(rises[index]), 1)
        if hearts[index] is not None:
            split["average_heartrate"] = round(hearts[index] or 0.0, 1)
        made.append(split)
    return made


def reached(seconds: Column, distance: Column, marks: Column) -> Column:
    """Return when each mark was reached first."""
    after = np.clip(np.searchsorted(distance, marks, side="left"), 1, len(distance) - 1)
    return _between(seconds, distance, marks, after)


def left(seconds: Column, distance: Column, marks: Column) -> Column:
    """Return when each mark was left: as `reached`, but for a rest at the mark its end."""
    after = np.clip(np.searchsorted(distance, marks, side="right"), 1, len(distance) - 1)
    return _between(seconds, distance, marks, after)


def _between(seconds: Column, distance: Column, marks: Column, after: Any) -> Column:
    step = distance[after] - distance[after - 1]
    share = np.where(step > 0, (marks - distance[after - 1]) / np.where(step > 0, step, 1), 0)
    found: Column = seconds[after - 1] + np.clip(share, 0, 1) * (seconds[after] - seconds[after - 1])
    return found


def _rises(recording: Recording, track: Track, ends: Column) -> Column | None:
    told = recording.columns.get("altitude_m")
    if told is None:
        return None
    known = ~np.isnan(told)
    return np.diff(np.interp(ends, track.seconds[known], told[known]))


def _hearts(recording: Recording, track: Track, ends: Column) -> list[float | None]:
    told = recording.columns.get("heart_rate_bpm")
    places = np.searchsorted(track.seconds, ends, side="right")
    if told is None:
        return [None] * (len(ends) - 1)
    return [_mean_of(track, told, int(first), int(last)) for first, last in pairwise(places)]


def _mean_of(track: Track, values: Column, first: int, last: int) -> float | None:
    known = ~np.isnan(values[first:last])
    weights = np.concatenate([[0.0], track.moving])[first:last] * known
    return float(np.dot(weights, np.where(known, values[first:last], 0)) / weights.sum()) if weights.sum() > 0 else None


def best_effort(seconds: Column, distance: Column, length_m: float) -> tuple[float, float] | None:
    """Return when the fastest stretch of a length began and how long it took, None where the course is shorter.

    The stretch may begin or end between two points; a fastest one begins or ends at a point.
    """
    if len(distance) < 2 or distance[-1] - distance[0] < length_m:  # noqa: PLR2004 - two ends
        return None
    begins = distance <= distance[-1] - length_m
    from_points = reached(seconds, distance, distance[begins] + length_m) - seconds[begins]
    ends = distance >= distance[0] + length_m
    started = left(seconds, distance, distance[ends] - length_m)
    to_points = seconds[ends] - started
    starts = np.concatenate([seconds[begins], started])
    lasted = np.concatenate([from_points, to_points])
    best = int(np.argmin(lasted))
    return float(starts[best]), float(lasted[best])
