"""Streams are thinned out as Strava documents: so many points at most, even along distance or time."""

from itertools import pairwise
from typing import Any

import pytest

from simulator.world.streams import Resolution, SeriesType, answer

SIZE = 13_129
#: A runner who stands still for the first half of the time.
STANDING: dict[str, list[Any]] = {
    "time": list(range(SIZE)),
    "distance": [max(0.0, index - SIZE // 2) * 3 for index in range(SIZE)],
    "heartrate": list(range(SIZE)),
}


@pytest.mark.parametrize(("resolution", "most"), [("low", 100), ("medium", 1000), ("high", 10_000)])
def test_a_resolution_is_a_number_of_points(resolution: Resolution, most: int) -> None:
    """100, 1,000 and 10,000 of a long recording, with both its ends; the answer tells its whole length."""
    thin = answer(STANDING, {"heartrate"}, resolution, "time")
    assert set(thin) == {"time", "heartrate"}
    for stream in thin.values():
        assert (len(stream["data"]), stream["original_size"]) == (most, SIZE)
        assert (stream["data"][0], stream["data"][-1]) == (0, SIZE - 1)
        assert (stream["resolution"], stream["series_type"]) == (resolution, "time")


@pytest.mark.parametrize("series_type", ["distance", "time"])
def test_points_are_even_along_the_series_asked_for(series_type: SeriesType) -> None:
    """By distance a stop takes one step; by time it takes half of all points."""
    series = answer(STANDING, set(), "low", series_type)[series_type]["data"]
    steps = [after - before for before, after in pairwise(series)]
    assert max(steps) <= 1.1 * series[-1] / 99
    seconds = answer(STANDING, {"time"}, "low", series_type)["time"]["data"]
    assert sum(second <= SIZE // 2 for second in seconds) == {"distance": 1, "time": 50}[series_type]


@pytest.mark.parametrize("resolution", ["low", None])
def test_a_short_recording_stays_whole(resolution: Resolution | None) -> None:
    """What has fewer points than allowed, or was asked for without a resolution, is told in full."""
    short: dict[str, list[Any]] = {"time": list(range(100)), "distance": [0.0] * 100}
    assert answer(short, set(), resolution, "time")["time"]["data"] == list(range(100))
    assert len(answer(STANDING, set(), None, "time")["time"]["data"]) == SIZE


def test_without_distance_the_points_are_counted() -> None:
    """An hour of weights by distance is as many points as any other recording."""
    lifting: dict[str, list[Any]] = {"distance": [0.0] * 240, "heartrate": list(range(240))}
    assert len(answer(lifting, {"heartrate"}, "low", "distance")["heartrate"]["data"]) == 100
