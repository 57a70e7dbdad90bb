"""Splits, laps, best efforts and segment efforts: how a detailed activity is cut into pieces that add up."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from simulator.world.persona import METRES_PER_MILE
from simulator.world.summary import shifted

#: Strava's names with Strava's distances in metres.
BEST_EFFORTS = {
    "400m": 400, "1/2 mile": 805, "1K": 1000, "1 mile": 1609, "2 mile": 3219, "5K": 5000, "10K": 10_000, "15K": 15_000,
    "10 mile": 16_090, "20K": 20_000, "Half-Marathon": 21_097, "30K": 30_000, "Marathon": 42_195, "50K": 50_000,
}  # fmt: skip
OLD_SPELLING = {"1K": "1k", "5K": "5k", "10K": "10k", "2 mile": "2 miles"}
FATIGUE = 1.06  # Riegel's exponent: how much slower one gets as the distance grows
SEGMENTS = (
    (910_001, "Mill Hill"),
    (910_002, "River Straight"),
    (910_003, "Forest Gate → Tower"),
    (910_004, "Kirchberg"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an activity: metres, seconds, and after how many seconds it began."""

    name: str
    length: float
    seconds: int
    start: int


def splits(summary: dict[str, Any], unit_m: float, rng: Random) -> list[dict[str, Any]]:
    """Cut the distance into kilometres or miles; distances and moving times add up to the activity's."""
    distance, total = summary["distance"], summary["moving_time"]
    lengths = [unit_m] * int(distance // unit_m)
    if distance % unit_m >= 1:
        lengths.append(distance % unit_m)
    return [
        _split(summary, number, length, seconds, rng)
        for number, (length, seconds) in enumerate(zip(lengths, _shares(lengths, total, rng), strict=True), start=1)
    ]


def _shares(lengths: list[float], total: int, rng: Random) -> list[int]:
    """Divide whole seconds by length, unevenly as people run, exactly."""
    weights = [length * rng.uniform(0.95, 1.05) for length in lengths]
    ends = [round(total * part / sum(weights)) for part in accumulate(weights, initial=0.0)] if weights else [0]
    return [after - before for before, after in pairwise(ends)]


def _split(summary: dict[str, Any], number: int, length: float, seconds: int, rng: Random) -> dict[str, Any]:
    speed = round(length / max(seconds, 1), 2)
    split: dict[str, Any] = {
        "distance": round(length, 1), "elapsed_time": seconds, "elevation_difference": round(rng.gauss(0, 6), 1),
        "moving_time": seconds, "split": number, "average_speed": speed,
        "average_grade_adjusted_speed": round(speed * rng.uniform(0.97, 1.05), 2),
    }  # fmt: skip
    if summary["has_heartrate"]:
        split["average_heartrate"] = summary["average_heartrate"] + rng.gauss(0, 4)
    return split | {"pace_zone": rng.randrange(1, 5)}


def laps(summary: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """One lap, or a lap per five kilometres when the watch was set so; they add up to the activity."""
    distance = summary["distance"]
    count = max(1, int(distance // 5000)) if rng.random() < 0.3 else 1
    seconds = _shares([distance / count or 1.0] * count, summary["moving_time"], rng)
    starts = [0, *accumulate(seconds[:-1])]
    lengths, climbs = (_parts(summary[key], count) for key in ("distance", "total_elevation_gain"))
    pieces = zip(lengths, climbs, seconds, starts, strict=True)
    made = [
        _lap(summary, Piece(f"Lap {index}", length, moving, start), index, rng) | {"total_elevation_gain": climb}
        for index, (length, climb, moving, start) in enumerate(pieces, start=1)
    ]
    made[-1]["elapsed_time"] += summary["elapsed_time"] - summary["moving_time"]  # all pauses fall into the last one
    return made


def _parts(total: float, count: int) -> list[float]:
    """Divide into equal parts of one decimal place that add up exactly."""
    ends = [round(total * index / count, 1) for index in range(count + 1)]
    return [round(after - before, 1) for before, after in pairwise(ends)]


def _lap(summary: dict[str, Any], piece: Piece, index: int, rng: Random) -> dict[str, Any]:
    lap = _effort(summary, piece, rng) | {
        "average_speed": round(piece.length / max(piece.seconds, 1), 2), "max_speed": summary["max_speed"],
        "lap_index": index, "split": index, "device_watts": bool(summary.get("device_watts", False)),
    }  # fmt: skip
    if summary["type"] == "Run":
        lap["pace_zone"] = rng.randrange(1, 5)
    heart = ("average_heartrate", "max_heartrate", "average_cadence", "average_watts")
    return lap | {key: summary[key] for key in heart if key in summary}


def best_efforts(summary: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """The fastest stretches of a run, as far as it reaches; the longest first, then from short to long."""
    found = list(_fastest(summary, rng))
    return found[-1:] + found[:-1]


def _fastest(summary: dict[str, Any], rng: Random) -> Iterator[dict[str, Any]]:
    distance, total = summary["distance"], summary["moving_time"]
    least = 0
    for name, metres in BEST_EFFORTS.items():
        if metres > distance:
            return
        seconds = max(least + 1, round(total * (metres / distance) ** FATIGUE * rng.uniform(0.985, 1.0)))
        least = seconds
        spelling = OLD_SPELLING.get(name, name) if summary["id"] % 13 == 0 else name
        start = rng.randrange(max(1, total - seconds))
        yield _effort(summary, Piece(spelling, metres, seconds, start), rng) | {"pr_rank": None, "achievements": []}


def segment_efforts(summary: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """Few or none; some hidden, which only `include_all_efforts` shows."""
    if not summary["start_latlng"] or rng.random() < 0.5:
        return []
    return [_segment_effort(summary, *rng.choice(SEGMENTS), rng) for _ in range(rng.randrange(1, 4))]


def _segment_effort(summary: dict[str, Any], segment_id: int, name: str, rng: Random) -> dict[str, Any]:
    length = min(rng.uniform(400, 1800), summary["distance"] / 2)
    seconds = max(1, round(length / max(summary["average_speed"], 0.5)))
    start = rng.randrange(max(1, summary["moving_time"] - seconds))
    segment = {
        "id": segment_id, "resource_state": 2, "name": name, "activity_type": summary["type"],
        "distance": round(length, 1), "average_grade": round(rng.gauss(1, 2), 1), "climb_category": 0, "city": None,
        "country": None, "private": False, "hazardous": False, "starred": False,
    }  # fmt: skip
    effort = _effort(summary, Piece(name, length, seconds, start), rng)
    return effort | {"segment": segment, "pr_rank": None, "achievements": [], "hidden": rng.random() < 0.3}


def _effort(summary: dict[str, Any], piece: Piece, rng: Random) -> dict[str, Any]:
    """Return what every kind of effort has in common."""
    activity = {"id": summary["id"], "visibility": summary["visibility"], "resource_state": 1}
    return {
        "id": rng.randrange(10**9, 10**10),
        "resource_state": 2,
        "name": piece.name,
        "activity": activity,
        "athlete": summary["athlete"],
        "elapsed_time": piece.seconds,
        "moving_time": piece.seconds,
        "start_date": shifted(summary["start_date"], piece.start),
        "start_date_local": shifted(summary["start_date_local"], piece.start),
        "distance": piece.length if isinstance(piece.length, int) else round(piece.length, 1),
        "start_index": piece.start,
        "end_index": piece.start + piece.seconds,
    }


STANDARD_UNITS = {"splits_metric": 1000.0, "splits_standard": METRES_PER_MILE}
