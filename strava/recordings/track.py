"""The course of a recording: how far it was when, and in which intervals it moved.

Strava's own words on moving time: https://support.strava.com/hc/en-us/articles/216917157. A run moves while it is
faster than a mile in 30 minutes, unless the device's timer was stopped, in which case the timer counts. What Strava
takes as rest in other sports is not published; half a metre a second is ours.
"""

from dataclasses import dataclass, field

import numpy as np

from strava.recordings.recording import Column, Flags, Recording
from strava.recordings.sport_types import RUNS

EARTH_RADIUS_M = 6_371_008.8
RUN_MPS, OTHER_MPS = 1_609.344 / 1_800, 0.5
BREAK_S, BREAK_M = 60, 1_000  # between two positions: more of both is a gap that nobody travelled
PRECISION_M = 1e-6


@dataclass(frozen=True, slots=True)
class Track:
    """Seconds since the start and metres at each point, and of each interval between two how long of it it moved.

    `distance` is None where neither distances nor positions were recorded. `moving_s` is the whole moving time.
    """

    seconds: Column
    distance: Column | None
    moving: Column = field(repr=False)
    moving_s: float
    distance_m: float
    is_timed: bool  # moving time is the device's timer
    is_measured: bool  # the device says the distance: it is not the sum between positions

    @classmethod
    def of(cls, recording: Recording) -> "Track":
        """Work it out."""
        seconds = recording.columns["time"] - recording.start
        told = _told_distance(recording)
        distance = told if told is not None else _distance_of_positions(recording)
        length = recording.totals.distance_m or (float(distance[-1]) if distance is not None and len(distance) else 0.0)
        is_timed = _is_timed(recording, distance)
        moving = _moving(recording, seconds, distance, is_timed=is_timed)
        lasted = _timer_s(recording) if is_timed else float(moving.sum())
        return cls(
            seconds,
            distance,
            moving,
            min(lasted, recording.elapsed_s),
            length,
            is_timed,
            is_measured=told is not None or bool(recording.totals.distance_m),
        )

    def moved_until(self, seconds: Column) -> Column:
        """Return how long it had moved at some seconds since the start."""
        if not len(self.seconds):
            return np.zeros_like(seconds)
        moved: Column = np.interp(seconds, self.seconds, np.concatenate([[0.0], np.cumsum(self.moving)]))
        return moved


def _told_distance(recording: Recording) -> Column | None:
    told = recording.columns.get("distance_m")
    return None if told is None else _filled(recording.columns["time"], told)


def _filled(time: Column, values: Column) -> Column:
    known = ~np.isnan(values)
    return np.interp(time, time[known], values[known])


def _distance_of_positions(recording: Recording) -> Column | None:
    """Return the sum of the great circles between positions, without what lies across a gap."""
    if "latitude" not in recording.columns:
        return None
    known = np.flatnonzero(~np.isnan(recording.columns["latitude"]))
    time, latitude, longitude = (recording.columns[name][known] for name in ("time", "latitude", "longitude"))
    steps = great_circles(latitude, longitude)
    steps[(np.diff(time) > BREAK_S) & (steps > BREAK_M)] = 0
    distance: Column = np.interp(recording.columns["time"], time, np.concatenate([[0.0], np.cumsum(steps)]))
    return distance


def great_circles(latitude: Column, longitude: Column) -> Column:
    """Return the metres between each two positions in a row (haversine formula on a sphere)."""
    north, east = np.radians(latitude), np.radians(longitude)
    half = np.sin(np.diff(north) / 2) ** 2 + np.cos(north[1:]) * np.cos(north[:-1]) * np.sin(np.diff(east) / 2) ** 2
    metres: Column = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return metres


def _is_timed(recording: Recording, distance: Column | None) -> bool:
    if recording.has_pauses or recording.is_indoor or distance is None or not len(distance):
        return True
    return bool(distance[-1] <= distance[0])


def _timer_s(recording: Recording) -> float:
    """Return how long the device's timer ran."""
    if recording.totals.timer_s is not None:
        return recording.totals.timer_s
    return recording.elapsed_s - sum(end - start for start, end in recording.pauses)


def _moving(recording: Recording, seconds: Column, distance: Column | None, *, is_timed: bool) -> Column:
    """Return of each interval how long it moved."""
    lengths = np.diff(seconds)
    if recording.pauses or distance is None or (is_timed and not recording.has_pauses):
        return np.maximum(lengths - _paused(recording, seconds), 0)
    least = RUN_MPS if recording.sport_type in RUNS else OTHER_MPS
    is_moving: Flags = np.diff(distance) + PRECISION_M >= least * lengths
    return np.where(is_moving, lengths, 0.0)


def _paused(recording: Recording, seconds: Column) -> Column:
    """Return how long the timer stood still in each interval."""
    paused = np.zeros(max(len(seconds) - 1, 0))
    for start, end in recording.pauses:
        within = np.clip(seconds, start - recording.start, end - recording.start)
        paused += np.diff(within)
    return paused
