"""Moving time, climbing, power, splits, best efforts and polylines: by hand-worked cases and by plain references."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polyline
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strava.recordings import Recording, Totals
from strava.recordings.measures import climbed, mean, smoothed, weighted_power
from strava.recordings.polyline import encode, simplified
from strava.recordings.splits import KILOMETRE_M, best_effort, splits
from strava.recordings.track import Track, great_circles

START = 1_631_065_600.0
Course = list[tuple[float, float]]


def recording(course: Course, *, sport: str = "Run", **fields: Any) -> Recording:
    """Make a recording of points: seconds and metres each."""
    seconds, distance = (np.array(axis, dtype=np.float64) for axis in zip(*course, strict=True))
    columns = {"time": START + seconds, "distance_m": distance} | fields.pop("columns", {})
    return Recording(start=START, columns=columns, sport_type=sport, **fields)


def test_a_run_moves_where_it_is_faster_than_a_mile_in_30_minutes() -> None:
    """Half a metre a second in the middle is rest for a run."""
    run = recording([(0, 0), (10, 30), (20, 35), (30, 65)])
    track = Track.of(run)
    assert (run.elapsed_s, track.moving_s, track.distance_m) == (30, 20, 65)
    assert track.distance_m / track.moving_s == 3.25


def test_a_run_of_exactly_that_speed_moves() -> None:
    """The limit itself counts as moving."""
    assert Track.of(recording([(0, 0), (1800, 1609.344)])).moving_s == 1800
    assert Track.of(recording([(0, 0), (1800, 1609.3)])).moving_s == 0


def test_after_a_pause_the_timer_is_the_moving_time() -> None:
    """However far it went while the timer stood still."""
    run = recording([(0, 0), (10, 30), (20, 42), (30, 72)], pauses=[(START + 10, START + 20)], has_pauses=True)
    assert Track.of(run).moving_s == 20
    assert Track.of(run).moving.tolist() == [10, 0, 10]
    told = recording([(0, 0), (10, 30), (20, 42), (30, 72)], has_pauses=True, totals=Totals(timer_s=19.6))
    assert Track.of(told).moving_s == 19.6


def test_a_ride_moves_from_half_a_metre_a_second() -> None:
    """0.6 m/s is moving for a ride and rest for a run."""
    assert Track.of(recording([(0, 0), (10, 30), (20, 36), (30, 66)], sport="Ride")).moving_s == 30
    assert Track.of(recording([(0, 0), (10, 30), (20, 36), (30, 66)])).moving_s == 20


def test_who_goes_nowhere_has_the_timer_s_moving_time() -> None:
    """Yoga with a watch that writes a distance of nothing."""
    still = recording([(0, 0), (60, 0), (120, 0)], sport="Yoga", totals=Totals(timer_s=118.0))
    assert (Track.of(still).moving_s, Track.of(still).distance_m) == (118, 0)


@pytest.mark.parametrize("fields", [{"is_indoor": True}, {"columns": {"distance_m": None}}])
def test_indoors_and_without_a_distance_the_timer_is_the_moving_time(fields: dict[str, Any]) -> None:
    """There the speed says nothing; never more than the elapsed time."""
    made = recording([(0, 0), (100, 1)], totals=Totals(timer_s=90.0, elapsed_s=100.0), **fields)
    if "columns" in fields:
        made = Recording(start=START, columns={"time": made.columns["time"]}, totals=made.totals)
    assert Track.of(made).moving_s == 90


def test_positions_make_the_distance_where_none_was_recorded() -> None:
    """A degree of the equator is 111,195 m; across a gap of more than a minute and a kilometre nobody went."""
    latitude, longitude = np.zeros(4), np.array([0, 0.001, 1.001, 1.002])
    columns = {"time": START + np.array([0, 10, 80, 90]), "latitude": latitude, "longitude": longitude}
    track = Track.of(Recording(start=START, columns=columns, sport_type="Ride"))
    assert track.distance is not None
    assert np.round(track.distance, 2).tolist() == [0, 111.2, 111.2, 222.39]
    assert not track.is_measured
    assert round(float(great_circles(np.zeros(2), np.array([0.0, 1.0]))[0]), 1) == 111195.1


def test_heights_that_come_back_by_less_than_three_metres_are_one_climb() -> None:
    """100 101 100 103 102 106 climbs 6 m; by the plain sum it would be 8, in steps of two metres 7."""
    heights = np.array([100.0, 101, 100, 103, 102, 106])
    assert climbed(heights) == 6
    assert climbed(heights, turn_m=1e-9) == 8
    assert climbed(np.array([100.0, 104, 100, 104])) == 8
    assert climbed(np.zeros(0)) == 0


@given(st.lists(st.integers(0, 12), max_size=14))
def test_climbing_is_what_stays_when_small_swings_are_taken_out(heights: Sequence[int]) -> None:
    """Another way to the same sum: the smallest swing goes first, for as long as one is below three metres."""
    assert climbed(np.array(heights, dtype=np.float64)) == _turns(heights)


def _turns(heights: Sequence[int], turn: int = 3) -> int:
    """Remove the smallest swing between two extremes for as long as it is below the turn; add up the rises left."""
    line = [height for index, height in enumerate(heights) if index == 0 or height != heights[index - 1]]
    while True:
        line = [
            height
            for index, height in enumerate(line)
            if index in {0, len(line) - 1} or (height - line[index - 1]) * (line[index + 1] - height) < 0
        ]
        swings = [abs(after - before) for before, after in pairwise(line)]
        if not swings or min(swings) >= turn:
            return sum(max(0, after - before) for before, after in pairwise(line))
        at = swings.index(min(swings))
        if at == 0:
            line = line[1:]
        elif at == len(swings) - 1:
            line = line[:-1]
        else:
            line = line[:at] + line[at + 2 :]


def test_constant_power_is_its_own_mean_and_weighted_mean() -> None:
    """200 W for an hour: 200 W on average and weighted."""
    ride = recording([(s, s * 8.0) for s in range(3601)], sport="Ride")
    watts = np.full(3601, 200.0)
    assert mean(Track.of(ride), watts) == 200
    assert weighted_power(Track.of(ride), watts) == pytest.approx(200, abs=1e-9)


def test_weighted_power_is_the_fourth_root_of_the_mean_fourth_power_that_lags() -> None:
    """As the definition says, second by second."""
    watts = [float(value) for value in (100, 300, 0, 250, 250, 400, 0, 0, 120)]
    ride = recording([(s, s * 8.0) for s in range(len(watts))], sport="Ride")
    lagging, powers = watts[1], []
    for value in watts[1:]:
        lagging += (value - lagging) / 25
        powers.append(lagging**4)
    assert weighted_power(Track.of(ride), np.array(watts)) == pytest.approx((sum(powers) / len(powers)) ** 0.25)


def test_a_mean_is_over_the_moving_time() -> None:
    """Each reading stands for the interval that ends at it; zeros count for power and not for cadence."""
    track = Track.of(recording([(0, 0), (10, 30), (20, 30), (50, 150)]))
    values = np.array([7.0, 100.0, 5.0, 200.0])
    assert mean(track, values) == (100 * 10 + 200 * 30) / 40
    assert mean(track, np.array([7.0, 0.0, 5.0, 80.0]), without_zeros=True) == 80
    assert mean(track, np.array([7.0, np.nan, 5.0, 80.0])) == 80


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40), st.sampled_from([3, 5, 17]))
def test_smoothing_is_the_mean_of_as_many_points_on_either_side(values: list[float], points: int) -> None:
    """Towards the ends of fewer points, so that a straight line stays one."""
    for index, value in enumerate(smoothed(np.array(values), points)):
        reach = min(points // 2, index, len(values) - 1 - index)
        assert value == pytest.approx(math.fsum(values[index - reach : index + reach + 1]) / (2 * reach + 1), abs=1e-9)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Draw seconds and metres of a course with rests."""
    steps = draw(
        st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 1, 5, 50, 120, 333])), min_size=1, max_size=25)
    )
    course: Course = [(0, 0)]
    for seconds, metres in steps:
        course.append((course[-1][0] + seconds, course[-1][1] + metres))
    return course


@given(courses(), st.sampled_from(["Run", "Ride"]), st.lists(st.integers(0, 400), max_size=6, unique=True))
@settings(max_examples=60)
def test_moving_time_is_second_by_second_the_same(course: Course, sport: str, ends: list[int]) -> None:
    """Each second counts whose interval is fast enough; with pauses each second of the timer, at any speed."""
    pauses = [(before, after) for before, after in pairwise(sorted(ends)) if after <= course[-1][0]][::2]
    made = recording(
        course,
        sport=sport,
        pauses=[(START + before, START + after) for before, after in pauses],
        has_pauses=bool(pauses),
    )
    least, moving = {"Run": 1609.344 / 1800, "Ride": 0.5}[sport], 0
    is_timed = bool(pauses) or course[-1][1] == 0
    for (before, near), (after, far) in pairwise(course):
        for second in range(int(before), int(after)):
            is_paused = any(start <= second < end for start, end in pauses)
            moving += not is_paused if is_timed else far - near >= least * (after - before)
    assert Track.of(made).moving_s == pytest.approx(moving)
    assert Track.of(made).moving.sum() == pytest.approx(moving)


def at_distance(course: Course, metres: float, *, is_last: bool) -> float:
    """Return when a distance was reached first, or when it was left: by looking at each interval."""
    found = []
    for (before, near), (after, far) in pairwise(course):
        if near <= metres <= far:
            found += [before, after] if near == far else [before + (after - before) * (metres - near) / (far - near)]
    return max(found) if is_last else min(found)


@given(courses(), st.sampled_from([100, 400, 1000]))
def test_a_best_effort_is_the_fastest_of_all_stretches(course: Course, length: int) -> None:
    """Among all that begin or end at a point, and no faster than any that begins somewhere between."""
    seconds, distance = (np.array(axis, dtype=np.float64) for axis in zip(*course, strict=True))
    found = best_effort(seconds, distance, length)
    total = course[-1][1]
    if total < length:
        assert found is None
        return
    begins = {metres for _, metres in course if metres + length <= total}
    begins |= {metres - length for _, metres in course if metres >= length}
    begins |= {total * part / 7 for part in range(7) if total * part / 7 + length <= total}
    expected = min(
        at_distance(course, metres + length, is_last=False) - at_distance(course, metres, is_last=True)
        for metres in begins
    )
    assert found is not None
    assert found[1] == pytest.approx(expected, abs=1e-6)


def test_a_best_effort_may_begin_between_points() -> None:
    """(0, 0) (100 s, 400 m) (180 s, 800 m): 400 m in 80 s, and no half mile."""
    seconds, distance = np.array([0.0, 100, 180]), np.array([0.0, 400, 800])
    assert best_effort(seconds, distance, 400) == (100, 80)
    assert best_effort(seconds, distance, 805) is None
    # points alone would say 100 s
    seconds, distance = np.array([0.0, 100, 110, 200]), np.array([0.0, 380, 420, 800])
    assert best_effort(seconds, distance, 400) == (105, 95)


@given(courses())
@settings(max_examples=60)
def test_splits_add_up_and_end_where_the_distance_is_reached(course: Course) -> None:
    """Lengths, elapsed and moving times are those of the whole; each end is where each interval says it is."""
    run = recording(course)
    track = Track.of(run)
    made = splits(run, track, KILOMETRE_M)
    total = course[-1][1]
    if total < 1:
        assert made == []
        return
    assert sum(each["distance"] for each in made) == pytest.approx(total)
    assert sum(each["elapsed_time"] for each in made) == course[-1][0]
    assert sum(each["moving_time"] for each in made) == round(float(track.moving.sum()))
    assert [each["distance"] for each in made[:-1]] == [1000] * (len(made) - 1)
    ends = np.cumsum([each["elapsed_time"] for each in made])[:-1]
    for number, end in enumerate(ends, start=1):
        if number * 1000 < total:
            assert abs(end - at_distance(course, number * 1000, is_last=False)) <= 0.5


def test_a_polyline_is_google_s() -> None:
    """The example of its documentation."""
    line = np.array([[38.5, -120.2], [40.7, -120.95], [43.252, -126.453]])
    assert encode(line[:, 0], line[:, 1]) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=30))
def test_a_polyline_decodes_to_its_points(points: list[tuple[float, float]]) -> None:
    """To five decimals, with another library's decoder."""
    line = np.array(points)
    decoded = polyline.decode(encode(line[:, 0], line[:, 1]))
    assert np.allclose(np.array(decoded), line, atol=0.51e-5)


@given(
    st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=1, max_size=60),
    st.sampled_from([5.0, 20.0]),
)
@settings(max_examples=60)
def test_no_point_is_farther_from_the_summary_than_the_tolerance(
    steps: list[tuple[int, int]], tolerance: float
) -> None:
    """And both ends stay."""
    metres = np.cumsum(np.array([(0, 0), *steps], dtype=np.float64), axis=0)
    line = metres / (math.pi / 180 * 6_371_008.8)
    kept = simplified(line[:, 0], line[:, 1], tolerance)
    assert (kept[0], kept[-1]) == (0, len(line) - 1)
    for first, last in pairwise(kept.tolist()):
        for point in range(first, last + 1):
            assert _away(metres[point], metres[first], metres[last]) <= tolerance + 1e-3


def _away(point: Any, first: Any, last: Any) -> float:
    along = last - first
    length = float(along @ along)
    share = min(1.0, max(0.0, float((point - first) @ along) / length)) if length else 0.0
    return float(np.hypot(*(point - first - share * along)))


def test_a_line_without_end_is_summarised_in_time() -> None:
    """Half a million points of a zigzag, of which none can be left out: only so many are looked at."""
    zigzag = np.arange(500_000.0)
    kept = simplified(zigzag % 2 / 100, zigzag / 10_000)
    assert 2 <= len(kept) <= 10_001
