"""Means over time, climbing and weighted power of a recording, each by the definition that it states."""

import numpy as np

from strava.recordings.recording import Column, Recording
from strava.recordings.track import Track

TURN_M = 3.0  # a height turns when it has come back by so much
SMOOTHED_BAROMETER, SMOOTHED_SATELLITES = 5, 17  # points
SPEED_POINTS = 5
WEIGHT_S = 25.0
GAP_S = 30.0  # no power is made up over more


def mean(track: Track, values: Column, *, without_zeros: bool = False) -> float | None:
    """Return the mean over the moving time: each reading stands for the interval that ends at it."""
    known = ~np.isnan(values)
    if without_zeros:
        known &= values > 0
    weights = np.concatenate([[0.0], track.moving]) * known
    if weights.sum() > 0:
        return float(np.dot(weights, np.where(known, values, 0)) / weights.sum())
    return float(values[known].mean()) if known.any() else None


def smoothed(values: Column, points: int) -> Column:
    """Return the mean of so many points around each one, of fewer towards the ends: as many on either side."""
    if not len(values):
        return values
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    reach = np.minimum(points // 2, np.minimum(place, len(values) - 1 - place))
    means: Column = (sums[place + reach + 1] - sums[place - reach]) / (2 * reach + 1)
    return means


def heights(recording: Recording) -> Column:
    """Return the known heights, smoothed over 5 points of a barometer and 17 of satellites."""
    told = recording.columns.get("altitude_m", np.zeros(0))
    points = SMOOTHED_BAROMETER if recording.device.has_barometer else SMOOTHED_SATELLITES
    return smoothed(told[~np.isnan(told)], points)


def climbed(heights_m: Column, turn_m: float = TURN_M) -> float:
    """Return the sum of the climbs between turning points: places where the height then comes back by `turn_m`."""
    gained, low, high, is_climbing = 0.0, float("inf"), float("-inf"), False
    for height in heights_m.tolist():
        if is_climbing:
            high = max(high, height)
            if height <= high - turn_m:
                gained += high - low
                low, is_climbing = height, False
        else:
            low = min(low, height)
            if height >= low + turn_m:
                high, is_climbing = height, True
    return gained + (high - low if is_climbing else 0.0)


def speeds(recording: Recording, track: Track) -> Column | None:
    """Return the speed at each point: the device's, otherwise the mean of five steps between points."""
    told = recording.columns.get("speed_mps")
    if told is not None:
        return told
    if track.distance is None or len(track.distance) < 2:  # noqa: PLR2004 - two ends
        return None
    steps = np.diff(track.distance) / np.diff(track.seconds)
    return smoothed(np.concatenate([steps[:1], steps]), SPEED_POINTS)


def fastest(recording: Recording, track: Track) -> float | None:
    """Return the highest mean speed of five points in a row, of all points where there are fewer."""
    told = speeds(recording, track)
    told = np.zeros(0) if told is None else told[~np.isnan(told)]
    if not len(told):
        return None
    points = min(SPEED_POINTS, len(told))
    return float(np.convolve(told, np.ones(points) / points, mode="valid").max())


def weighted_power(track: Track, watts: Column) -> float | None:
    """Return Skiba's xPower: the fourth root of the mean fourth power of power that lags behind by 25 seconds.

    Each second of the moving time has the power of the reading that follows it; the lagging power starts at the first
    one. See https://www.physfarm.com/govss.pdf and Strava's "weighted average power".
    """
    known = np.flatnonzero(~np.isnan(watts))
    if len(known) < 2:  # noqa: PLR2004 - one interval
        return None
    moved = np.concatenate([[0.0], np.cumsum(track.moving)])[known]
    lengths = np.minimum(np.diff(moved), GAP_S)
    ends = np.cumsum(lengths)
    each_second = np.arange(0.5, ends[-1])
    if not len(each_second):
        return None
    power = watts[known[1:]][np.minimum(np.searchsorted(ends, each_second), len(ends) - 1)]
    lagging, total = float(power[0]), 0.0
    for now in power.tolist():
        lagging += (now - lagging) / WEIGHT_S
        total += lagging**4
    return float((total / len(power)) ** 0.25)
