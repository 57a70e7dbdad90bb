"""Random recordings with gaps: the models' SQL against the definitions written in plain Python."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.compiled import InMemory
from tests.transforms.warehouse import BERLIN

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 1)
DURATIONS = (
    1, 5, 10, 15, 30, 60, 120, 180, 240, 300, 390, 480, 720, 960, 1200, 1800, 2400, 3000, 3600, 5400, 7200, 10800,
)  # fmt: skip
STREAM = {"activity_id": "bigint", "athlete_id": "bigint", "stream_key": "varchar", "readings": "double[]"}
INPUT = {
    **dict.fromkeys(("activity_id", "athlete_id"), "bigint"),
    **dict.fromkeys(("sport_group", "sex", "heartrate_zones", "heartrate_zones_source"), "varchar"),
    **dict.fromkeys(("power_zones", "power_zones_source"), "varchar"),
    **dict.fromkeys(("is_assisted", "is_power_measured"), "boolean"),
    "start_date_local": "date",
    **dict.fromkeys(("weight_kg", "ftp_w", "threshold_speed_mps"), "double"),
    **dict.fromkeys(("resting_heartrate_bpm", "max_heartrate_bpm"), "double"),
}
EFFORT = {"activity_id": "bigint", "athlete_id": "bigint", "effort_name": "varchar"}
SAMPLES, ZONES, CURVE = "staging.int_streams__samples", "mart.time_in_zone", "mart.power_curve_activity"
POWER, EFFORTS = "staging.int_streams__power", "staging.int_streams__best_efforts"
LENGTHS = {  # the shortest of runs, and the longest that are drawn
    "ride": {"5 mile": 8046.72, "10K": 10_000.0, "10 mile": 16_093.44, "20K": 20_000.0},
    "run": {"400m": 400.0, "1/2 mile": 804.672, "1 mile": 1609.344, "Half-Marathon": 21_097.5},
}


@dataclass(frozen=True)
class Point:
    """What was recorded `gap_s` after the point before."""

    gap_s: int
    power_w: float | None
    heartrate_bpm: float | None
    speed_mps: float | None
    is_moving: bool | None


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make a value, or now and then none."""
    return st.one_of(strategy, strategy, strategy, st.none())


POINTS = st.lists(
    st.builds(
        Point,
        gap_s=st.sampled_from([0, 1, 1, 1, 1, 2, 3, 5, 9, 10, 11, 12, 40, 41, 600]),
        power_w=maybe(st.sampled_from([0, 150.5, 2100, 2101, 2500, 2501, -1]) | st.integers(0, 900)),
        heartrate_bpm=maybe(st.sampled_from([29, 30, 220, 221, 120, 134]) | st.floats(40, 210)),
        speed_mps=maybe(st.sampled_from([0.0, 3.2, 3.48, 101.0]) | st.floats(0, 12)),
        is_moving=maybe(st.booleans()),
    ),
    min_size=1,
    max_size=60,
)


def streams_of(activity_id: int, points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return the rows that staging has of them; what was not recorded is NaN."""
    columns: dict[str, list[float | None]] = {
        "watts": [each.power_w for each in points],
        "heartrate": [each.heartrate_bpm for each in points],
        "velocity_smooth": [each.speed_mps for each in points],
        "moving": [each.is_moving for each in points],
        "time": [float(second) for second in seconds_of(points)],
    }
    whose = {"activity_id": activity_id, "athlete_id": BERLIN}
    return [
        {**whose, "stream_key": key, "readings": [math.nan if value is None else float(value) for value in values]}
        for key, values in columns.items()
    ]


def seconds_of(points: Sequence[Point]) -> list[int]:
    """Return the second of each point; the first is where the recording begins."""
    seconds = [0]
    for each in points[1:]:
        seconds.append(seconds[-1] + each.gap_s)
    return seconds


def holds(seconds: Sequence[int]) -> list[int]:
    """Return how long each point stands: to the next, but 1 s where a pause follows."""
    gaps = [later - earlier for earlier, later in pairwise(seconds)]
    steps = sorted(gap for gap in gaps if gap)
    pause = max(10, 4 * steps[math.ceil(len(steps) / 2) - 1]) if steps else 10
    return [gap if gap <= pause else 1 for gap in gaps] + [1]


def in_motion(points: Sequence[Point]) -> list[bool]:
    """Return whether the seconds that each point stands for are in motion: a point says so of the step to it."""
    return [each.is_moving is not False for each in [*points[1:], points[-1]]]


def by_second(points: Sequence[Point], most_w: float) -> list[float]:
    """Return the power of each second from the first reading to the last, 0 W in pauses."""
    known = [
        (second, each.power_w)
        for second, each in zip(seconds_of(points), points, strict=True)
        if each.power_w is not None and 0 <= each.power_w <= most_w
    ]
    seconds = [second for second, _ in known]
    watts: list[float] = []
    for place, ((second, power), hold) in enumerate(zip(known, holds(seconds), strict=True) if known else ()):
        gap = known[place + 1][0] - second if place + 1 < len(known) else 1
        watts += [power] * min(hold, gap) + [0.0] * max(gap - hold, 0)
    return watts


def normalised(watts: Sequence[float]) -> float | None:
    """Return the fourth root of the mean fourth power of averages of 30 s, the first at the thirtieth second."""
    averages = [sum(watts[end - 30 : end]) / 30 for end in range(30, len(watts) + 1)]
    return (sum(each**4 for each in averages) / len(averages)) ** 0.25 if averages else None


def curve(points: Sequence[Point], most_w: float) -> dict[int, tuple[float, float]]:
    """Return by duration the best of so many seconds in a row, and of so many or more."""
    watts = by_second(points, most_w)
    best = {
        duration: max(sum(watts[start : start + duration]) for start in range(len(watts) - duration + 1)) / duration
        for duration in DURATIONS
        if duration <= len(watts)
    }
    return {duration: (best[duration], max(best[longer] for longer in best if longer >= duration)) for duration in best}


def in_zones(
    points: Sequence[Point], values: Sequence[float | None], starts: Sequence[float]
) -> dict[int, tuple[int, int]]:
    """Return the seconds in motion and all seconds of each zone; nothing where no value was read."""
    bounds = [*([0.0] if starts[0] > 0 else []), *starts, math.inf]
    first = 0 if starts[0] > 0 else 1
    found = {zone: [0, 0] for zone in range(first, first + len(bounds) - 1)}
    for is_moving, value, hold in zip(in_motion(points), values, holds(seconds_of(points)), strict=True):
        if value is None:
            continue
        [zone] = [zone for zone in found if bounds[zone - first] <= value < bounds[zone - first + 1]]
        found[zone][0] += hold if is_moving else 0
        found[zone][1] += hold
    is_all_still = not sum(moving for moving, _ in found.values())
    is_read = any(value is not None for value in values)
    return {z: (every if is_all_still else moving, every) for z, (moving, every) in found.items() if is_read}


@pytest.fixture(scope="module")
def database(compiled_models: dict[str, str]) -> Iterator[InMemory]:
    """The models of streams in memory."""
    with closing(InMemory(compiled_models)) as made:
        yield made


def record(
    database: InMemory, activities: Mapping[int, tuple[Sequence[Point], Mapping[str, Any]]], *models: str
) -> None:
    """Build models of some recordings and the settings of each."""
    rows = [row for number, (points, _) in activities.items() for row in streams_of(number, points)]
    database.put("staging.stg_strava__streams", STREAM, rows)
    whose = {"athlete_id": BERLIN, "is_assisted": False, "start_date_local": DAY}
    inputs = [{"activity_id": number, **whose, **of} for number, (_, of) in activities.items()]
    database.put("staging.int_streams__inputs", INPUT, inputs)
    database.build(SAMPLES, *models)


RIDE = {"sport_group": "ride", "is_power_measured": True, "ftp_w": 200.0}
RUN = {"sport_group": "run", "is_power_measured": False, "threshold_speed_mps": 4.0}
STARTS = st.lists(st.integers(31, 219), min_size=1, max_size=6, unique=True).map(lambda starts: [0, *sorted(starts)])


@settings(max_examples=20, deadline=None)
@given(POINTS, POINTS, st.sampled_from([None, 70.0, 90.0]))
def test_power_curves_are_those_of_the_definition(
    database: InMemory, points: list[Point], others: list[Point], weight: float | None
) -> None:
    """The best of each duration by the clock: gaps are held, pauses are 0 W, and what no legs can do is left out."""
    most_w = {None: 2500, 70.0: 2100, 90.0: 2500}[weight]
    record(database, {1: (points, {**RIDE, "weight_kg": weight}), 2: (others, RIDE), 3: (points, RUN)}, POWER, CURVE)
    found: dict[int, dict[int, tuple[float, float]]] = {1: {}, 2: {}}
    for row in database.rows(f"select * from {CURVE}"):  # noqa: S608 - our own name
        found[row["activity_id"]][row["duration_s"]] = row["window_power_w"], row["power_w"]
    for number, wanted in ((1, curve(points, most_w)), (2, curve(others, 2500))):
        assert found[number].keys() == wanted.keys()
        for duration, pair in wanted.items():
            assert found[number][duration] == pytest.approx(pair, abs=1e-6)
    rows = database.rows(f"select activity_id, recorded_s, average_power_w, normalised_power_w from {POWER}")  # noqa: S608 - our own name
    told = {row["activity_id"]: row for row in rows}
    for number, watts in ((1, by_second(points, most_w)), (2, by_second(others, 2500))):
        if not watts:
            assert number not in told
            continue
        assert told[number]["recorded_s"] == len(watts)
        assert told[number]["average_power_w"] == pytest.approx(sum(watts) / len(watts), abs=1e-6)
        assert told[number]["normalised_power_w"] == pytest.approx(normalised(watts), abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(POINTS, POINTS, STARTS)
def test_time_in_zone_is_that_of_the_definition(
    database: InMemory, points: list[Point], others: list[Point], starts: list[int]
) -> None:
    """Own zones, and those by shares of a setting; a point holds until the next, and a pause is left out."""
    own = {"heartrate_zones": ",".join(map(str, starts)), "heartrate_zones_source": "file"}
    reserve = {"resting_heartrate_bpm": 50.0, "max_heartrate_bpm": 190.0}
    record(database, {1: (points, RIDE | own | reserve | {"weight_kg": 70.0}), 2: (others, RUN | reserve)}, ZONES)
    found: dict[tuple[int, str], dict[int, tuple[int, int]]] = {}
    for row in database.rows(f"select * from {ZONES}"):  # noqa: S608 - our own name
        found.setdefault((row["activity_id"], row["kind"]), {})[row["zone"]] = row["seconds"], row["recorded_s"]

    def beats(of: Sequence[Point]) -> list[float | None]:
        return [x if (x := each.heartrate_bpm) is not None and 30 <= x <= 220 else None for each in of]

    watts = [x if (x := each.power_w) is not None and 0 <= x <= 2100 else None for each in points]
    speeds = [x if (x := each.speed_mps) is not None and x <= 100 else None for each in others]
    wanted = {
        (1, "heart_rate"): in_zones(points, beats(points), starts),
        (1, "power"): in_zones(points, watts, [0, 110, 150, 180, 210, 240, 300]),
        (2, "heart_rate"): in_zones(others, beats(others), [120, 134, 148, 162, 176]),
        (2, "pace"): in_zones(others, speeds, [percent * 4 / 100 for percent in (0, 80, 87, 95, 105, 119)]),
    }
    assert found == {key: zones for key, zones in wanted.items() if zones}


def test_every_beat_is_in_exactly_one_zone(database: InMemory) -> None:
    """Of every maximum from 150 to 220, half of it to all of it: none is lost at a border, and none counts twice."""
    recordings: dict[int, tuple[list[Point], dict[str, Any]]] = {}
    for most in range(150, 221):
        beats = range(math.ceil(most / 2), most + 1)
        zones = {"max_heartrate_bpm": float(most), "resting_heartrate_bpm": 0.0}
        recordings[most] = [Point(1, None, float(bpm), None, None) for bpm in beats], RUN | zones
    record(database, recordings, ZONES)
    counted = f"select activity_id, sum(seconds)::bigint as seconds from {ZONES} where zone > 0 group by 1"  # noqa: S608 - our own name
    found = {row["activity_id"]: row["seconds"] for row in database.rows(counted)}
    assert found == {most: len(points) for most, (points, _) in recordings.items()}


def test_curves_without_a_time_have_no_points(database: InMemory) -> None:
    """Alone among what changed, and beside others."""
    rows = [row for row in streams_of(1, [Point(1, None, 120.0, None, None)]) if row["stream_key"] != "time"]
    for others, points in (([], 0), (streams_of(2, [Point(1, None, 130.0, None, None)] * 3), 3)):
        database.put("staging.stg_strava__streams", STREAM, [*rows, *others])
        database.put("staging.int_streams__inputs", INPUT, [])
        database.build(SAMPLES)
        assert len(database.rows(f"select * from {SAMPLES}")) == points  # noqa: S608 - our own name


NEAR_M = 1e-6
WAYS = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 60, 900]), st.sampled_from([0.0, 0.0, 35.5, 250.0, 1000.0, 2400.0])),
    min_size=1,
    max_size=30,
)


def passed_at(way: Sequence[tuple[int, float]], metres: float) -> tuple[float, float] | None:
    """Return when a place was reached first and left last, in a straight line between two points; None if never."""
    moments = [float(second) for second, there in way if abs(there - metres) < NEAR_M]
    for (before_s, before_m), (after_s, after_m) in pairwise(way):
        if before_m + NEAR_M <= metres <= after_m - NEAR_M:
            moments.append(before_s + (metres - before_m) / (after_m - before_m) * (after_s - before_s))
    return (min(moments), max(moments)) if moments else None


def fastest(way: Sequence[tuple[int, float]], length: float) -> float | None:
    """Return the least time over a length: each stretch that begins or ends at a point is looked at."""
    starts = [metres for _, metres in way] + [metres - length for _, metres in way]
    pairs = [(passed_at(way, start), passed_at(way, start + length)) for start in starts]
    return min((there[0] - here[1] for here, there in pairs if here and there), default=None)


@settings(max_examples=30, deadline=None)
@given(WAYS, WAYS)
def test_fastest_stretches_are_those_of_the_definition(
    database: InMemory, steps: list[tuple[int, float]], others: list[tuple[int, float]]
) -> None:
    """The least time by the clock over each length of the sport, also between two points; where Strava tells none."""
    ways = {number: list(_added_up(each)) for number, each in enumerate((steps, others) * 3, 1)}
    rows = [
        {
            "activity_id": number,
            "athlete_id": BERLIN,
            "stream_key": key,
            "readings": [float(point[axis]) for point in way],
        }
        for number, way in ways.items()
        for axis, key in enumerate(("time", "distance"))
    ]
    database.put("staging.stg_strava__streams", STREAM, rows)
    groups = {1: "ride", 2: "ride", 3: "run", 4: "run", 5: "run", 6: "walk"}
    sent = [{"activity_id": 5, "athlete_id": BERLIN, "effort_name": "5K"}]
    database.put("staging.stg_strava__best_efforts", EFFORT, sent)
    inputs = [{"activity_id": number, "athlete_id": BERLIN, "sport_group": group} for number, group in groups.items()]
    database.put("staging.int_streams__inputs", INPUT, inputs)
    database.build(EFFORTS)
    kept = database.rows(f"select * from {EFFORTS}")  # noqa: S608 - our own name
    found = [row for row in kept if row["effort_name"] in LENGTHS[groups[row["activity_id"]]]]
    wanted = {
        (number, name): fastest(ways[number], length)
        for number in (1, 2, 3, 4)
        for name, length in LENGTHS[groups[number]].items()
    }
    assert {(row["activity_id"], row["effort_name"]) for row in found} == {
        key for key, time in wanted.items() if time is not None
    }
    for row in found:
        assert row["elapsed_s"] == pytest.approx(wanted[row["activity_id"], row["effort_name"]], abs=1.1e-3)
        assert 0 <= row["begin_s"] <= ways[row["activity_id"]][-1][0] - row["elapsed_s"] + 2e-3


def _added_up(steps: Sequence[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Yield second and metre of each point."""
    second, metres = 0, 0.0
    yield second, metres
    for gap_s, step_m in steps:
        second, metres = second + gap_s, metres + step_m
        yield second, metres
