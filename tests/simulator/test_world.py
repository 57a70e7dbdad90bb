"""The generated years are believable, repeatable and full of the traps that real ones hold."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polyline
import pytest

from simulator.journal import Journal
from simulator.world.efforts import BEST_EFFORTS, OLD_SPELLING
from simulator.world.world import Origin, World

Activities = list[dict[str, Any]]


async def test_same_seed_gives_the_same_bytes_and_another_seed_others(make_lab: Any) -> None:
    """List, detail and streams."""
    answers = []
    for seed in (3, 3, 4):
        async with make_lab(seed=seed) as lab:
            await lab.connect()
            listed = await lab.get("/athlete/activities", per_page=200)
            path = f"/activities/{listed.json()[0]['id']}"
            curves = await lab.get(f"{path}/streams", keys="time,heartrate")
            answers.append([listed.content, (await lab.get(path)).content, curves.content])
    assert answers[0] == answers[1]
    assert answers[0][0] != answers[2][0]


def test_history_does_not_shift_when_it_is_made_on_a_later_day() -> None:
    """Each day depends on the seed and its date alone."""
    worlds = [World(Origin(seed=7, athlete_id=1, years=1, until=date(2026, 6, day)), Journal()) for day in (1, 20)]
    shared = set(worlds[0].ids()) & set(worlds[1].ids())
    assert len(shared) > 280
    for key in sorted(shared)[:40]:
        assert worlds[0].summary(key) == worlds[1].summary(key)


@pytest.mark.slow
def test_four_years_are_some_1300_activities_with_rest_days(history: Activities) -> None:
    """Six or so a week, never a week of seven days for long, all ids different."""
    days = {activity["start_date_local"][:10] for activity in history}
    assert 1150 <= len(history) <= 1500
    assert len({activity["id"] for activity in history}) == len(history)
    assert 0.55 < len(days) / 1461 < 0.95


@pytest.mark.slow
def test_a_hundred_thousand_activities_can_be_planned() -> None:
    """Dense days; details are made only when they are asked for."""
    world = World(Origin(seed=7, athlete_id=1, years=20, density=17, until=date(2026, 6, 1)), Journal())
    assert len(world) > 100_000
    assert world.detail(world.ids()[50_000])["resource_state"] == 3


@pytest.mark.slow
def test_sports_and_seasons(history: Activities) -> None:
    """All sports come; skiing only in winter, and unknown types stay workouts in the old field."""
    sports = Counter(activity["sport_type"] for activity in history)
    assert set(sports) >= {
        "Run", "TrailRun", "VirtualRun", "Ride", "GravelRide", "VirtualRide", "Swim", "Hike", "Walk", "WeightTraining",
        "Yoga", "NordicSki", "Workout",
    }  # fmt: skip
    unknown = {"Plogging", "AirScootering", "CanalSkating"}
    assert unknown <= set(sports)
    assert {activity["type"] for activity in history if activity["sport_type"] in unknown} == {"Workout"}
    assert {a["start_date_local"][5:7] for a in history if a["sport_type"] == "NordicSki"} <= {"11", "12", "01", "02"}


def test_every_moment_is_right_in_utc_and_on_the_wall(history: Activities) -> None:
    """Daylight saving and holidays included: the label's offset is the standard one, `utc_offset` the true one."""
    labels = set()
    for activity in history:
        zone = activity["timezone"].partition(" ")[2]
        start = datetime.fromisoformat(activity["start_date"])
        wall = start.astimezone(ZoneInfo(zone))
        assert activity["start_date_local"] == wall.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert timedelta(seconds=activity["utc_offset"]) == wall.utcoffset()
        labels.add((activity["timezone"], activity["utc_offset"]))
    assert {("(GMT+01:00) Europe/Berlin", 3600.0), ("(GMT+01:00) Europe/Berlin", 7200.0)} <= labels
    assert ("(GMT+05:45) Asia/Kathmandu", 20_700.0) in labels
    assert ("(GMT-05:00) America/New_York", -14_400.0) in labels


TRAPS: dict[str, Callable[[dict[str, Any]], object]] = {
    "hidden start": lambda a: a["start_date_local"].endswith("T00:00:01Z"),
    "empty start_latlng": lambda a: a["start_latlng"] == [],
    "polyline absent": lambda a: "summary_polyline" not in a["map"],
    "polyline null": lambda a: a["map"].get("summary_polyline", "") is None,
    "polyline empty": lambda a: a["map"].get("summary_polyline") == "",
    "manual without upload": lambda a: a["manual"] and not {"upload_id", "external_id", "elev_high"} & set(a),
    "no heart rate": lambda a: not a["has_heartrate"] and "average_heartrate" not in a,
    "only me": lambda a: a["private"] and a["visibility"] == "only_me",
    "followers": lambda a: not a["private"] and a["visibility"] == "followers_only",
    "measured power": lambda a: a.get("device_watts") is True and a["max_watts"] > a["average_watts"],
    "estimated power": lambda a: a.get("device_watts") is False and "max_watts" not in a,
    "suffer score": lambda a: isinstance(a["suffer_score"], float),
    "suffer score null": lambda a: a["suffer_score"] is None,
    "old spelling": lambda a: any(e["name"] in OLD_SPELLING.values() for e in a.get("best_efforts", [])),
    "whole numbers": lambda a: isinstance(a["distance"], int),
    "contradiction": lambda a: (a["distance"], a["moving_time"], a["average_speed"]) == (101_529, 2432, 2.87),
    "emoji": lambda a: "🏃" in a["name"] or "🚴" in a["name"] or "💪" in a["name"],
    "other scripts": lambda a: any(script in a["name"] for script in "朝Уज한سΠ"),
    "race": lambda a: a["workout_type"] == 1 and a["sport_type"] == "Run",
    "commute": lambda a: a["commute"],
    "indoors": lambda a: a["trainer"],
    "per-leg cadence": lambda a: a["type"] == "Run" and 70 < a.get("average_cadence", 0) < 95,
    "description null": lambda a: a["description"] is None,
    "segment efforts": lambda a: a.get("segment_efforts"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_trap_is_present(history: Activities, trap: str) -> None:
    """At least twice in four years."""
    assert sum(bool(TRAPS[trap](activity)) for activity in history) >= 2


def test_pieces_add_up(history: Activities) -> None:
    """Splits and laps sum to the moving time and the distance."""
    for activity in history:
        for key in ("splits_metric", "splits_standard", "laps"):
            pieces = activity.get(key)
            if pieces:
                assert sum(piece["moving_time"] for piece in pieces) == activity["moving_time"]
                assert abs(sum(piece["distance"] for piece in pieces) - activity["distance"]) < 5


def test_best_efforts_are_named_as_strava_does_and_never_slower_than_the_run(history: Activities) -> None:
    """Each at Strava's distance; longer takes longer."""
    named = BEST_EFFORTS | {old: BEST_EFFORTS[new] for new, old in OLD_SPELLING.items()}
    for activity in history:
        efforts = sorted(activity.get("best_efforts", []), key=lambda effort: effort["distance"])
        assert [named[effort["name"]] for effort in efforts] == [effort["distance"] for effort in efforts]
        times = [effort["elapsed_time"] for effort in efforts]
        assert times == sorted(set(times))
        for effort in efforts:
            assert effort["distance"] / effort["elapsed_time"] > activity["average_speed"] * 0.97


def test_athlete_gets_faster_over_the_years(history: Activities) -> None:
    """The best 10K of the last year beats the first year's."""
    best: dict[str, list[int]] = defaultdict(list)
    for activity in history:
        for effort in activity.get("best_efforts", []):
            if effort["distance"] == 10_000:
                best[activity["start_date"][:4]].append(effort["elapsed_time"])
    assert min(best["2026"]) < min(best["2023"])


def test_routes_are_lines_near_the_place_and_close_or_come_back(history: Activities) -> None:
    """The polyline begins at `start_latlng`, and ends within two per cent of the distance of it."""
    for activity in history[:300]:
        if activity["start_latlng"]:
            points = polyline.decode(activity["map"]["polyline"])
            assert max(abs(points[0][i] - activity["start_latlng"][i]) for i in (0, 1)) < 0.0001
            gap = max(abs(points[0][i] - points[-1][i]) for i in (0, 1)) * 111_320
            assert gap < max(100, activity["distance"] * 0.02)


def test_two_pairs_of_shoes_retire_and_one_is_worn() -> None:
    """And there are two bikes."""
    world = World(Origin(seed=7, athlete_id=1, years=4, until=datetime(2026, 11, 24, tzinfo=UTC).date()), Journal())
    athlete = world.athlete(is_detailed=True)
    assert sum(shoe["retired"] for shoe in athlete["shoes"]) >= 2
    assert sum(not shoe["retired"] for shoe in athlete["shoes"]) == 1
    assert all(shoe["distance"] > 0 for shoe in athlete["shoes"])
    assert len(athlete["bikes"]) == 2


def test_routes_come_again(history: Activities) -> None:
    """A favourite is run many times within metres; there are others, and the way to work is always the same."""
    runs = [a for a in history if a["sport_type"] == "Run" and a["start_latlng"] and a["timezone"].endswith("Berlin")]
    middles = Counter(_middle(run) for run in runs)
    assert middles.most_common(1)[0][1] >= 12
    assert len(middles) > 60
    commutes = [a for a in history if a["commute"] and a["start_latlng"]]
    assert len(commutes) > 50
    assert len({_middle(commute) for commute in commutes}) <= 3  # the same place, rounded up or down


def _middle(activity: dict[str, Any]) -> tuple[float, float]:
    """Return the place half way, to about a hundred metres."""
    points = polyline.decode(activity["map"]["polyline"])
    latitude, longitude = points[len(points) // 2]
    return round(latitude, 3), round(longitude, 3)


def test_heart_and_power_follow_the_effort(history: Activities) -> None:
    """Races beat hard runs, hard runs easy ones; the same power stands for the same speed, within the noise."""
    runs = [a for a in history if a["sport_type"] == "Run" and a["has_heartrate"]]
    kinds = [[a["average_heartrate"] for a in runs if a["workout_type"] in kind] for kind in ((1,), (3,), (0, None))]
    raced, hard, easy = (sum(each) / len(each) for each in kinds)
    assert raced > hard + 5 > easy + 8
    rides = [a for a in history if a["sport_type"] == "Ride" and a.get("device_watts") and a["average_speed"] != 2.87]
    fast, slow = (
        [a["average_watts"] for a in rides if (a["average_speed"] > 7.6) is is_fast] for is_fast in (True, False)
    )
    assert min(len(fast), len(slow)) > 20
    assert sum(fast) / len(fast) > sum(slow) / len(slow) * 1.05


def test_records_fall_over_the_years(history: Activities) -> None:
    """5 km, 10 km and the half marathon each fall at least twice after the first year, and never to a leap."""
    for metres in (5000, 10_000, 21_097):
        record, falls = None, []
        for activity in reversed(history):
            for effort in activity.get("best_efforts", []):
                if effort["distance"] == metres and (record is None or effort["elapsed_time"] < record):
                    record = effort["elapsed_time"]
                    falls.append((activity["start_date"][:4], record))
        assert len({year for year, _ in falls}) >= 3, metres
        assert falls[-1][1] > falls[0][1] * 0.6, metres


def test_an_e_bike_and_a_treadmill_are_part_of_it(history: Activities) -> None:
    """The e-bike is its own type without power; a treadmill run is a run that has a trainer and no line."""
    assert [a for a in history if a["sport_type"] == a["type"] == "EBikeRide" and "average_watts" not in a]
    treadmill = [a for a in history if a["sport_type"] == "Run" and a["trainer"]]
    assert treadmill
    assert all(a["start_latlng"] == [] and a["total_elevation_gain"] == 0 and a["gear_id"] for a in treadmill)
