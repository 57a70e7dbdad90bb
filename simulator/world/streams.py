"""The curves under an activity: one value per recorded point, as `GET /activities/{id}/streams` gives them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import pi, sin
from random import Random
from typing import Any, Literal

from simulator.world.summary import Sketch, has_power_meter

POINTS_INDOORS = 240
Resolution = Literal["low", "medium", "high"]
SeriesType = Literal["distance", "time"]
#: The most points of a stream, where a resolution was asked for.
MOST_POINTS = {"low": 100, "medium": 1000, "high": 10_000}


def streams(drawn: Sketch, summary: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the data by key; what was not recorded is absent, and a manual entry has none at all."""
    if drawn.session.is_manual:
        return {}
    rng = drawn.rng("streams")
    count = len(drawn.route) or min(POINTS_INDOORS, max(2, summary["moving_time"]))
    data = _progress(summary, count, rng)
    if drawn.route:
        data["latlng"] = [list(point) for point in drawn.route]
        data |= _relief(summary, data["distance"])
    if summary["has_heartrate"]:
        data["heartrate"] = _around(rng, summary["average_heartrate"], 5, count)
    if drawn.sport.cadence is not None:
        data["cadence"] = _around(rng, summary.get("average_cadence", drawn.sport.cadence), 2, count)
    if summary.get("average_watts") and has_power_meter(drawn.session):
        data["watts"] = _around(rng, summary["average_watts"], 40, count)
    if "average_temp" in summary:
        data["temp"] = [summary["average_temp"]] * count
    return data


def _progress(summary: dict[str, Any], count: int, rng: Random) -> dict[str, list[Any]]:
    steps = [0.0] + [rng.uniform(0.9, 1.1) for _ in range(count - 1)]
    walked, total = list(accumulate(steps)), sum(steps) or 1.0
    seconds = [round(index * summary["moving_time"] / (count - 1)) for index in range(count)]
    distance = [round(part / total * summary["distance"], 1) for part in walked]
    speed = summary["distance"] / max(summary["moving_time"], 1)
    return {
        "time": seconds,
        "distance": distance,
        "velocity_smooth": [round(speed * step, 2) for step in steps],
        "moving": [index > 0 for index in range(count)],
    }


def _relief(summary: dict[str, Any], distance: list[float]) -> dict[str, list[float]]:
    low, high = summary["elev_low"], summary["elev_high"]
    middle, swing, last = (low + high) / 2, (high - low) / 2, max(distance[-1], 1.0)
    heights = [round(middle - swing * sin(pi / 2 + 4 * pi * metres / last), 1) for metres in distance]
    steps = zip(pairwise(heights), pairwise(distance), strict=True)
    grades = [round((after - before) / max(far - near, 1.0) * 100, 1) for (before, after), (near, far) in steps]
    return {"altitude": heights, "grade_smooth": [0.0, *grades]}


def _around(rng: Random, mean: float, spread: float, count: int) -> list[int]:
    return [max(0, round(rng.gauss(mean, spread))) for _ in range(count)]


def answer(
    data: dict[str, list[Any]], keys: set[str], resolution: Resolution | None, series_type: SeriesType
) -> dict[str, dict[str, Any]]:
    """Shape the asked-for streams as Strava does. The series that points are chosen by always comes along.

    Without a resolution every recorded point is told.
    """
    kept = _evenly(data[series_type], MOST_POINTS[resolution]) if resolution and data else None
    return {
        key: {
            "data": values if kept is None else [values[index] for index in kept],
            "series_type": series_type,
            "original_size": len(values),
            "resolution": resolution or "high",
        }
        for key, values in data.items()
        if key in keys or key == series_type
    }


def _evenly(series: Sequence[float], most: int) -> list[int]:
    """Return the indices of so many points at most, evenly along a series that never falls; both ends stay."""
    if len(series) <= most:
        return list(range(len(series)))
    along = series if series[-1] > series[0] else range(len(series))
    first, last = along[0], along[-1]
    inner = (bisect_left(along, first + (last - first) * step / (most - 1)) for step in range(1, most - 1))
    return sorted({0, *inner, len(series) - 1})
