"""Matching recordings with activities: each key and its limits, and the same end in any order."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.importing.matching import Activity, Known, Match, Recorded, match

START = 1_700_000_000
RUN = Known(start=START, elapsed_s=3600, distance_m=10_000, sport_type="Run", first_point=(52.0, 13.0))
OWN = 8_000_000_000_000_001


def activity(number: int = 12_000_000_001, **known: Any) -> Activity:
    """Return an activity that is the run but for what is told."""
    return Activity(activity_id=number, known=replace(RUN, **known))


def recorded(file_id: str = "aa/0", name: str = "run.fit", device_key: str | None = None, **known: Any) -> Recorded:
    """Return a recording of the run but for what is told."""
    return Recorded(
        file_id=file_id, own_activity_id=OWN + ord(file_id[0]), known=replace(RUN, **known), name=name,
        device_key=device_key,
    )  # fmt: skip


def matched(activities: list[Activity], *recordings: Recorded) -> Match:
    """Return the match of the first recording."""
    return match(activities, recordings)[recordings[0].file_id]


def test_a_row_s_file_is_of_its_activity() -> None:
    """Although another activity fits better, and although its own cannot be compared."""
    named = replace(recorded(), row_activity_id=7)
    assert matched([activity(), Activity(activity_id=7, known=None)], named) == Match(7, "row", "7")


@pytest.mark.parametrize("number", [12_000_000_001, 13_000_000_002])
def test_a_file_is_named_after_an_upload_or_an_activity(number: int) -> None:
    """Also where a crop moved the start; not where the day is another, by which the name is another's."""
    known = replace(activity(start=START + 3000, elapsed_s=60), upload_id=13_000_000_002)
    named = recorded(name=f"{number}.fit.gz")
    assert matched([known], named) == Match(12_000_000_001, "same_upload", "12000000001")
    assert matched([replace(known, known=replace(RUN, start=START + 86_400))], named).matched_by is None


def test_the_watch_s_own_file_joins_the_archive_s_by_its_device() -> None:
    """Stronger than the other activity that is alike; another time of the same key is another session."""
    archived = replace(recorded("bb/0", device_key="Garmin/1/x", start=START + 600, elapsed_s=600), row_activity_id=7)
    own = recorded(device_key="Garmin/1/x")
    assert matched([activity()], own, archived) == Match(7, "same_recording", "bb/0")
    later = replace(archived, known=replace(RUN, start=START + 4000))
    assert matched([activity()], own, later) == Match(12_000_000_001, "alike", "12000000001")


def test_the_api_tells_the_file_s_name() -> None:
    """Names are used again, so the start must be within a minute."""
    known = replace(activity(elapsed_s=60, sport_type="Ride"), external_id="RUN.fit")
    assert matched([known], recorded(start=START + 60)) == Match(12_000_000_001, "same_name", "12000000001")
    assert matched([known], recorded(start=START + 61)).matched_by is None


@pytest.mark.parametrize(
    ("known", "is_alike"),
    [
        ({}, True),
        ({"start": START + 120}, True),
        ({"start": START + 121}, False),
        ({"elapsed_s": 3789}, True),  # 5 % of the longer
        ({"elapsed_s": 3790}, False),
        ({"distance_m": 10_526}, True),
        ({"distance_m": 10_527}, False),
        ({"distance_m": None}, True),
        ({"sport_type": "TrailRun"}, True),
        ({"sport_type": None}, True),
        ({"sport_type": "Ride"}, False),
        ({"first_point": (52.0044, 13.0)}, True),
        ({"first_point": (52.0046, 13.0)}, False),
        ({"first_point": None}, True),
    ],
)
def test_alike_has_limits(known: dict[str, Any], is_alike: bool) -> None:
    """Start, duration, distance, sport and first position must all agree as far as both know them."""
    found = matched([activity()], recorded(**known))
    assert (found.matched_by == "alike", found.activity_id == 12_000_000_001) == (is_alike, is_alike)


@pytest.mark.parametrize(("apart_s", "is_alike"), [(30, True), (31, False), (70, False)])
def test_short_efforts_saved_one_by_one_stay_apart(apart_s: int, is_alike: bool) -> None:
    """A minute each, within two of each other: only what overlaps by half can be one."""
    effort: dict[str, Any] = {"elapsed_s": 60, "distance_m": 300}
    assert (matched([activity(**effort)], recorded(start=START + apart_s, **effort)).matched_by == "alike") is is_alike
    pair = match([], [recorded(**effort), recorded("bb/0", start=START + apart_s, **effort)])
    assert (len({each.activity_id for each in pair.values()}) == 1) is is_alike


def test_of_several_that_are_alike_the_nearest_start_decides() -> None:
    """Then the duration, then the smaller number."""
    others = [activity(5, start=START + 9), activity(4, start=START - 2, elapsed_s=3610), activity(3, start=START + 2)]
    assert matched(others, recorded()).activity_id == 3
    assert matched(others[:2], recorded()).activity_id == 4


def test_what_is_off_by_a_time_zone_or_overlaps_is_told_and_not_joined() -> None:
    """Whole quarter hours, 14 hours at most; and half of the shorter within the other."""
    for hours in (1, 14, 0.25):
        found = matched([activity(start=START + int(hours * 3600) + 10)], recorded())
        assert found == Match(OWN + ord("a"), None, None, "suspect_time_zone", "12000000001")
    assert matched([activity(start=START + 3600 + 11)], recorded()).suspect is None
    assert matched([activity(start=START + 15 * 3600)], recorded()).suspect is None
    half = matched([activity(start=START + 1800)], recorded(sport_type="Ride"))
    assert (half.suspect, half.suspect_twin) == ("overlaps", "12000000001")
    assert matched([activity(start=START + 1801)], recorded(sport_type="Ride")).suspect is None


def test_recordings_without_an_activity_are_one_if_they_are_alike() -> None:
    """The smallest id leads; a third that is alike to the second alone comes along; sessions of one file stay apart."""
    first, second, third = recorded("cc/0"), recorded("bb/0", start=START + 100), recorded("dd/0", start=START + 200)
    found = match([], [first, second, third])
    leader = OWN + ord("b")
    assert found == {
        "bb/0": Match(leader),
        "cc/0": Match(leader, "alike", "bb/0"),
        "dd/0": Match(leader, "alike", "bb/0"),
    }
    with_activity = match([activity(start=START - 100)], [first, second, third])
    assert {each.activity_id for each in with_activity.values()} == {12_000_000_001}
    sessions = match([], [recorded("aa/0"), replace(recorded("aa/1", start=START + 60), own_activity_id=9)])
    assert [each.activity_id for each in sessions.values()] == [OWN + ord("a"), 9]


KNOWN = st.builds(
    Known,
    start=st.sampled_from([START + each for each in (0, 50, 120, 160, 900, 1800, 3600, 7200)]),
    elapsed_s=st.sampled_from([600, 640, 3600]),
    distance_m=st.sampled_from([None, 2_000.0, 10_000.0]),
    sport_type=st.sampled_from([None, "Run", "Ride"]),
)
ACTIVITIES = st.lists(
    st.builds(
        Activity,
        activity_id=st.integers(1, 6),
        known=st.none() | KNOWN,
        upload_id=st.none() | st.integers(4, 9),
        external_id=st.sampled_from([None, "a.fit", "b.fit"]),
    ),
    max_size=4,
    unique_by=lambda each: each.activity_id,
)
RECORDINGS = st.lists(
    st.builds(
        Recorded,
        file_id=st.sampled_from([f"{sha}/{number}" for sha in "abcdef" for number in range(2)]),
        own_activity_id=st.just(0),
        known=KNOWN,
        name=st.sampled_from(["a.fit", "b.fit.gz", "4.fit", "5.gpx"]),
        device_key=st.sampled_from([None, "Garmin/1/x", "Garmin/2/x"]),
        row_activity_id=st.none() | st.integers(1, 6),
    ),
    max_size=8,
    unique_by=lambda each: each.file_id,
)


@pytest.mark.slow
@given(ACTIVITIES, RECORDINGS, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_the_order_of_arrival_changes_nothing(
    activities: list[Activity], recordings: list[Recorded], chance: random.Random
) -> None:
    """Each recording has one match, in each order of arrival; who has none of Strava's leads or follows a recording."""
    recordings = [replace(each, own_activity_id=OWN + number) for number, each in enumerate(recordings)]
    found = match(activities, recordings)
    shuffled = chance.sample(activities, len(activities)), chance.sample(recordings, len(recordings))
    assert match(*shuffled) == found
    assert found.keys() == {each.file_id for each in recordings}
    own = {each.own_activity_id: each.file_id for each in recordings}
    for file_id, each in found.items():
        leader = own.get(each.activity_id)
        assert (each.matched_by is None) == (leader == file_id)
        assert leader is None or (leader <= file_id and found[leader].matched_by is None)
        assert each.suspect is None or leader == file_id
