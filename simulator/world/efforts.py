"""Splits, laps, best efforts and segment efforts: how a detailed activity is cut into pieces that add up."""

from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from random import Random
from typing import Any

from simulator.clock import iso
from simulator.world.persona import METRES_PER_MILE

#: Strava's names with Strava's distances in metres.
BEST_EFFORTS = {
    "400m": 400, "1/2 mile": 805, "1K": 1000, "1 mile": 1609, "2 mile": 3219, "5K": 5000, "10K": 10_000, "15K": 15_000,
    "10 mile": 16_090, "20K": 20_000, "Half-Marathon": 21_097, "30K": 30_000, "Marathon": 42_195, "50K": 50_000,
}  # fmt: skip
OLD_SPELLING = {"1K": "1k", "5K": "5k", "10K": "10k", "2 mile": "2 miles"}
STANDARD_UNITS = {"splits_metric": 1000.0, "splits_standard": METRES_PER_MILE}
LAP_MEANS = ("average_heartrate", "max_heartrate", "average_cadence", "average_watts")
FATIGUE = 1.06  # Riegel's exponent: how much slower one gets as the distance grows
RACE, RACED = 1, 1.02  # a race is run evenly: its parts are hardly faster than the whole
WORKOUT, INTERVAL_M, FAST_PART = 3, 1609, 0.93  # a workout has intervals of up to a mile, faster than its mean
SEGMENTS = (
    (910_001, "Mill Hill"),
    (910_002, "River Straight"),
    (910_003, "Forest Gate → Tower"),
    (910_004, "Kirchberg"),
)


def splits(summary: dict[str, Any], unit_m: float, rng: Random) -> list[dict[str, Any]]:
    """Cut the distance into kilometres or miles; distances and moving times add up to the activity's."""
    distance, total = summary["distance"], summary["moving_time"]
    lengths = [unit_m] * int(distance // unit_m)
    if distance % unit_m >= 1:
        lengths.append(distance % unit_m)
    made = []
    for number, (length, seconds) in enumerate(zip(lengths, _shares(lengths, total, rng), strict=True), start=1):
        speed = round(length / max(seconds, 1), 2)
        split: dict[str, Any] = {
            "distance": round(length, 1), "elapsed_time": seconds, "elevation_difference": round(rng.gauss(0, 6), 1),
            "moving_time": seconds, "split": number, "average_speed": speed,
            "average_grade_adjusted_speed": round(speed * rng.uniform(0.97, 1.05), 2),
        }  # fmt: skip
        if summary["has_heartrate"]:
            split["average_heartrate"] = summary["average_heartrate"] + rng.gauss(0, 4)
        made.append(split | {"pace_zone": rng.randrange(1, 5)})
    return made


def _shares(lengths: list[float], total: int, rng: Random) -> list[int]:
    """Divide whole seconds by length, unevenly as people run, exactly."""
    weights = [length * rng.uniform(0.95, 1.05) for length in lengths]
    ends = [round(total * part / sum(weights)) for part in accumulate(weights, initial=0.0)] if weights else [0]
    return [after - before for before, after in pairwise(ends)]


def laps(summary: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """One lap, or a lap per five kilometres when the watch was set so; they add up to the activity."""
    distance = summary["distance"]
    count = max(1, int(distance // 5000)) if rng.random() < 0.3 else 1
    seconds = _shares([distance / count or 1.0] * count, summary["moving_time"], rng)
    starts = [0, *accumulate(seconds[:-1])]
    lengths, climbs = (_parts(summary[key], count) for key in ("distance", "total_elevation_gain"))
    pieces = zip(lengths, climbs, seconds, starts, strict=True)
    heart = {key: summary[key] for key in LAP_MEANS if key in summary}
    made = []
    for index, (length, climb, moving, start) in enumerate(pieces, start=1):
        lap = _effort(summary, rng, f"Lap {index}", length, seconds=moving, start=start) | {
            "average_speed": round(length / max(moving, 1), 2), "max_speed": summary["max_speed"],
            "lap_index": index, "split": index, "device_watts": bool(summary.get("device_watts", False)),
        }  # fmt: skip
        if summary["type"] == "Run":
            lap["pace_zone"] = rng.randrange(1, 5)
        made.append(lap | heart | {"total_elevation_gain": climb})
    made[-1]["elapsed_time"] += summary["elapsed_time"] - summary["moving_time"]  # all pauses fall into the last one
    return made


def _parts(total: float, count: int) -> list[float]:
    """Divide into equal parts of one decimal place that add up exactly."""
    ends = [round(total * index / count, 1) for index in range(count + 1)]
    return [round(after - before, 1) for before, after in pairwise(ends)]


def best_efforts(summary: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """The fastest stretches of a run, as far as it reaches; the longest first, then from short to long."""
    distance, total = summary["distance"], summary["moving_time"]
    exponent = RACED if summary.get("workout_type") == RACE else FATIGUE
    found: list[dict[str, Any]] = []
    least = 0
    for name, metres in BEST_EFFORTS.items():
        if metres > distance:
            break
        share = FAST_PART if summary.get("workout_type") == WORKOUT and metres <= INTERVAL_M else 1.0
        seconds = max(least + 1, round(share * total * (metres / distance) ** exponent * rng.uniform(0.985, 1.0)))
        least = seconds
        spelling = OLD_SPELLING.get(name, name) if summary["id"] % 13 == 0 else name
        start = rng.randrange(max(1, total - seconds))
        effort = _effort(summary, rng, spelling, metres, seconds=seconds, start=start)
        found.append(effort | {"pr_rank": None, "achievements": []})
    return found[-1:] + found[:-1]


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
    effort = _effort(summary, rng, name, length, seconds=seconds, start=start)
    return effort | {"segment": segment, "pr_rank": None, "achievements": [], "hidden": rng.random() < 0.3}


def _effort(  # noqa: PLR0913 - all that a stretch is
    summary: dict[str, Any], rng: Random, name: str, length: float, *, seconds: int, start: int
) -> dict[str, Any]:
    """Return what every stretch of an activity tells: its metres, its seconds, and after how many seconds it began."""
    activity = {"id": summary["id"], "visibility": summary["visibility"], "resource_state": 1}
    return {
        "id": rng.randrange(10**9, 10**10),
        "resource_state": 2,
        "name": name,
        "activity": activity,
        "athlete": summary["athlete"],
        "elapsed_time": seconds,
        "moving_time": seconds,
        **{key: _later(summary[key], start) for key in ("start_date", "start_date_local")},
        "distance": length if isinstance(length, int) else round(length, 1),
        "start_index": start,
        "end_index": start + seconds,
    }


def _later(text: str, seconds: int) -> str:
    return iso(datetime.fromisoformat(text) + timedelta(seconds=seconds))
