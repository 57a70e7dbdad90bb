"""Splits, halves and training impulse of random recordings: the models' SQL against plain Python."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.compiled import InMemory
from tests.transforms.test_streams import INPUT, POWER, SAMPLES, STREAM, holds
from tests.transforms.warehouse import BERLIN

pytestmark = pytest.mark.slow

MARKS, SPLIT, SUMMARY = "staging.int_streams__marks", "mart.split", "mart.stream_summary"
KEYS = ("time", "distance", "altitude", "heartrate", "moving")
SENT = {
    **dict.fromkeys(("activity_id", "athlete_id", "split_index", "elapsed_time_s", "moving_time_s"), "bigint"),
    "unit_system": "varchar",
    **dict.fromkeys(
        ("distance_m", "elevation_difference_m", "grade_adjusted_speed_mps", "average_heartrate_bpm"), "double"
    ),
    "is_computed": "boolean",
}
# What a metre costs on a slope, in metres on the flat: Strava's model of 2017 as fitted in elevate.
SLOPES = {
    -0.3: 1.503974502248823, -0.2: 1.0838287305118302, -0.1: 0.8841037958933433, -0.05: 0.8984823863887532, 0: 1.0,
    0.05: 1.1914766063520914, 0.1: 1.4702028951927346, 0.2: 2.24492955579566, 0.3: 3.153974849304952,
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A recorded point, and how it was reached."""

    second: int
    metres: float
    altitude_m: float
    heartrate_bpm: float | None
    is_moving: bool


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 5, 9, 30, 120, 400]),
        st.sampled_from([0.0, 20.0, 60.0, 170.0, 450.0, 1300.0]),
        st.sampled_from([-40.0, -3.0, 0.0, 2.0, 9.0, 60.0]),
        st.none() | st.sampled_from([29, 30, 220, 221]) | st.floats(60, 200),
        st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=30,
)


def recorded(steps: Sequence[tuple[int, float, float, float | None, bool]]) -> list[Point]:
    """Return the points that steps lead to, from a start that was reached from nowhere."""
    points = [Point(0, 0.0, 100.0, 120.0, False)]
    for gap_s, step_m, rise_m, bpm, is_moving in steps:
        last = points[-1]
        points.append(Point(last.second + gap_s, last.metres + step_m, last.altitude_m + rise_m, bpm, is_moving))
    return points


def costs(grade: float | None) -> float:
    """Return what a metre costs on a slope."""
    known = sorted(SLOPES)
    if grade is None:
        return 1.0
    grade = min(max(grade, known[0]), known[-1])
    for low, high in pairwise(known):
        if grade <= high:
            return SLOPES[low] + (grade - low) / (high - low) * (SLOPES[high] - SLOPES[low])
    raise AssertionError(grade)


def grades(points: Sequence[Point]) -> list[float | None]:
    """Return the slope over 200 m around each point, of heights that are averages over 50 m."""
    heights = []
    for here in points:
        near = [each.altitude_m for each in points if abs(each.metres - here.metres) <= 25]
        heights.append(sum(near) / len(near))
    found: list[float | None] = []
    for here in points:
        around = [place for place, each in enumerate(points) if abs(each.metres - here.metres) <= 100]
        first, last = around[0], around[-1]
        metres = points[last].metres - points[first].metres
        found.append((heights[last] - heights[first]) / metres if metres else None)
    return found


def courses(points: Sequence[Point]) -> list[dict[str, float]]:
    """Return for each step what adds up on it: seconds by the clock and in motion, metres on the flat, beats."""
    done = []
    slopes = grades(points)
    for place, hold in enumerate(holds([each.second for each in points])[:-1]):
        here, there = points[place], points[place + 1]
        held, gap, step = (hold if there.is_moving else 0), there.second - here.second, there.metres - here.metres
        moved = gap if there.is_moving and step >= 0.5 * gap else held
        is_read = here.heartrate_bpm is not None and 30 <= here.heartrate_bpm <= 220
        beats = held * (here.heartrate_bpm or 0) if is_read else 0
        flat = step * costs(slopes[place]) * moved / gap
        done.append({"elapsed": gap, "moved": moved, "flat": flat, "beats": beats, "beats_s": held if is_read else 0})
    return done


def until(points: Sequence[Point], metres: float) -> dict[str, float]:
    """Return what has added up when a place is reached, and the height there."""
    found = dict.fromkeys(("elapsed", "moved", "flat", "beats", "beats_s"), 0.0)
    for (here, there), step in zip(pairwise(points), courses(points), strict=True):
        share = 1.0 if there.metres < metres else (metres - here.metres) / (there.metres - here.metres)
        for name, value in step.items():
            found[name] += share * value
        if there.metres >= metres:
            return {**found, "height": here.altitude_m + share * (there.altitude_m - here.altitude_m)}
    raise AssertionError(metres)


def whole(points: Sequence[Point]) -> dict[str, float]:
    """Return what has added up at the end."""
    steps = courses(points)
    found = {name: sum(step[name] for step in steps) for name in ("elapsed", "moved", "flat", "beats", "beats_s")}
    return {**found, "height": points[-1].altitude_m}


def expected(points: Sequence[Point]) -> list[dict[str, float | None]]:
    """Return each kilometre, and what is left of a metre or more."""
    total = points[-1].metres
    ends = [until(points, 1000.0 * number) | {"at": 1000.0 * number} for number in range(1, int(total // 1000) + 1)]
    last = ends[-1]["at"] if ends else 0.0
    if total - last >= 1:
        ends.append(whole(points) | {"at": total})
    start = dict.fromkeys(("elapsed", "moved", "flat", "beats", "beats_s", "at"), 0.0) | {
        "height": points[0].altitude_m
    }
    made: list[dict[str, float | None]] = []
    for before, after in pairwise([start, *ends]):
        step = {name: after[name] - before[name] for name in after}
        made.append({
            "distance_m": step["at"], "elapsed_time_s": step["elapsed"], "moving_time_s": step["moved"],
            "elevation_difference_m": step["height"],
            "grade_adjusted_speed_mps": step["flat"] / step["moved"] if step["flat"] > 0 and step["moved"] else None,
            "average_heartrate_bpm": step["beats"] / step["beats_s"] if step["beats_s"] else None,
        })  # fmt: skip
    return made


def impulse(points: Sequence[Point], of: Mapping[str, Any]) -> float | None:
    """Return the training impulse of the seconds in motion; of all where it stood still; None without a heart rate."""
    lasting = holds([each.second for each in points])
    motion = [each.is_moving for each in [*points[1:], points[-1]]]
    is_still = not any(hold for hold, is_moving in zip(lasting, motion, strict=True) if is_moving)
    factor, exponent = (0.86, 1.67) if of["sex"] == "F" else (0.64, 1.92)
    total, is_read = 0.0, False
    for each, hold, is_moving in zip(points, lasting, motion, strict=True):
        if each.heartrate_bpm is None or not 30 <= each.heartrate_bpm <= 220:
            continue
        is_read = True
        share = min(max((each.heartrate_bpm - 50) / 140, 0), 1)
        total += (hold if is_moving or is_still else 0) / 60 * share * factor * math.exp(exponent * share)
    return total if is_read else None


@pytest.fixture(scope="module")
def database(compiled_models: dict[str, str]) -> Iterator[InMemory]:
    """The models of streams in memory."""
    with closing(InMemory(compiled_models)) as made:
        yield made


@settings(max_examples=25, deadline=None)
@given(STEPS, st.sampled_from([None, "F", "M"]))
def test_splits_and_impulse_are_those_of_the_definition(
    database: InMemory, steps: list[tuple[int, float, float, float | None, bool]], sex: str | None
) -> None:
    """Each kilometre ends between two points; motion, the slope and the heart rate are shared out along a step."""
    points = recorded(steps)
    columns = [[float(each.second) for each in points], [each.metres for each in points],
               [each.altitude_m for each in points],
               [math.nan if each.heartrate_bpm is None else each.heartrate_bpm for each in points],
               [float(each.is_moving) for each in points]]  # fmt: skip
    whose = {"activity_id": 1, "athlete_id": BERLIN}
    rows = [{**whose, "stream_key": key, "readings": values} for key, values in zip(KEYS, columns, strict=True)]
    database.put("staging.stg_strava__streams", STREAM, rows)
    database.put("staging.stg_strava__splits", SENT, [])
    of = {"sport_group": "run", "sport_type": "Run", "is_power_measured": False, "sex": sex}
    of |= {"resting_heartrate_bpm": 50.0, "max_heartrate_bpm": 190.0}
    database.put("staging.int_streams__inputs", INPUT | {"sport_type": "varchar"}, [{**whose, **of}])
    database.build(SAMPLES, MARKS, SPLIT, POWER, SUMMARY)
    found = database.rows(f"select * from {SPLIT} where unit_system = 'metric' order by split_index")  # noqa: S608 - our own name
    wanted = expected(points)
    assert len(found) == len(wanted)
    for row, split in zip(found, wanted, strict=True):
        for name, value in split.items():
            assert row[name] == (None if value is None else pytest.approx(value, abs=1e-6)), name
    [told] = database.rows(f"select * from {SUMMARY}")  # noqa: S608 - our own name
    assert told["trimp"] == (
        None if (wanted_trimp := impulse(points, of)) is None else pytest.approx(wanted_trimp, abs=1e-6)
    )
    if points[-1].metres > 0:
        half = until(points, points[-1].metres / 2)["elapsed"]
        assert told["first_half_s"] == pytest.approx(half, abs=1e-6)
        assert told["second_half_s"] == pytest.approx(whole(points)["elapsed"] - half, abs=1e-6)
