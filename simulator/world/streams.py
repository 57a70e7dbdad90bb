"""The curves under an activity: one value per recorded point, as `GET /activities/{id}/streams` gives them."""

from itertools import accumulate
from math import pi, sin
from random import Random
from typing import Any

from simulator.world.summary import Sketch, has_power_meter

POINTS_INDOORS = 240


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
    grades = [0.0]
    for index in range(1, len(heights)):
        run = max(distance[index] - distance[index - 1], 1.0)
        grades.append(round((heights[index] - heights[index - 1]) / run * 100, 1))
    return {"altitude": heights, "grade_smooth": grades}


def _around(rng: Random, mean: float, spread: float, count: int) -> list[int]:
    return [max(0, round(rng.gauss(mean, spread))) for _ in range(count)]


def answer(data: dict[str, list[Any]], keys: set[str]) -> dict[str, dict[str, Any]]:
    """Shape the asked-for streams as Strava does. `distance` always comes along."""
    return {
        key: {"data": values, "series_type": "distance", "original_size": len(values), "resolution": "high"}
        for key, values in data.items()
        if key in keys or key == "distance"
    }
