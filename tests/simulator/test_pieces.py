"""Laps, zones and totals agree with the activities that they are told of."""

from datetime import datetime
from typing import Any

import pytest

WEEKS = 4


async def everything(lab: Any) -> list[dict[str, Any]]:
    """Return the whole list of summaries."""
    pages: list[list[dict[str, Any]]] = []
    while not pages or pages[-1]:
        pages.append((await lab.get("/athlete/activities", per_page=200, page=len(pages) + 1)).json())
    return [activity for page in pages for activity in page]


def started(activity: dict[str, Any]) -> float:
    """Return the epoch second of its start."""
    return datetime.fromisoformat(activity["start_date"]).timestamp()


def check_laps(laps: list[dict[str, Any]], activity: dict[str, Any]) -> None:
    """Laps add up to the activity in every number that they have of it, and follow one another."""
    for key in ("distance", "moving_time", "elapsed_time", "total_elevation_gain"):
        assert sum(lap[key] for lap in laps) == pytest.approx(activity[key]), key
    assert [lap["lap_index"] for lap in laps] == list(range(1, len(laps) + 1))


async def test_laps_add_up_to_the_activity(lab: Any) -> None:
    """Distance, times and climb, of every activity of three months; they are the detail's own."""
    several = 0
    for activity in await everything(lab):
        laps = (await lab.get(f"/activities/{activity['id']}/laps")).json()
        full = (await lab.get(f"/activities/{activity['id']}")).json()
        assert laps == full.get("laps", [])
        assert (laps == []) == activity["manual"]
        if laps:
            check_laps(laps, activity)
        several += len(laps) > 1
    assert several > 0


@pytest.mark.parametrize(
    "changes", [{"distance": 6000}, {"distance": 20_000}, {"moving_time": 1000}, {"elapsed_time": 9000}]
)
async def test_laps_add_up_after_an_edit(lab: Any, changes: dict[str, int]) -> None:
    """A crop, or a distance or time that was set right, leaves one lap for all."""
    made = await lab.save(sport_type="Run", distance=12_000, moving_time=3600)
    await lab.edit(made["id"], **changes)
    laps = (await lab.get(f"/activities/{made['id']}/laps")).json()
    check_laps(laps, (await lab.get(f"/activities/{made['id']}")).json())


async def test_seconds_in_zones_add_up_to_the_moving_time(lab: Any) -> None:
    """Of each kind that the detail names, and of no other; the zones leave no gap and the last has no end."""
    kinds = set()
    for activity in await everything(lab):
        told = (await lab.get(f"/activities/{activity['id']}/zones")).json()
        full = (await lab.get(f"/activities/{activity['id']}")).json()
        assert [each["type"] for each in told] == full["available_zones"]
        for each in told:
            buckets = each["distribution_buckets"]
            assert sum(bucket["time"] for bucket in buckets) == activity["moving_time"]
            assert [bucket["max"] for bucket in buckets] == [*(bucket["min"] for bucket in buckets[1:]), -1]
        kinds |= {each["type"] for each in told}
    assert kinds == {"heartrate", "pace", "power"}


async def test_most_of_the_time_is_where_the_mean_is(lab: Any) -> None:
    """The longest zone of heart rate is the one of the mean, or its neighbour."""
    made = await lab.save(sport_type="Run", distance=10_000, moving_time=3000)
    full = (await lab.get(f"/activities/{made['id']}")).json()
    told = {each["type"]: each for each in (await lab.get(f"/activities/{made['id']}/zones")).json()}
    heart = told["heartrate"]
    assert heart["score"] == full["suffer_score"]
    longest = max(heart["distribution_buckets"], key=lambda bucket: bucket["time"])
    assert longest["min"] - 5 <= full["average_heartrate"] <= longest["max"] + 5


async def test_the_athlete_s_zones_need_the_profile_scope(bare_lab: Any) -> None:
    """Heart rate and power, each from 0 to without end; without the scope the missing permission is named."""
    await bare_lab.connect("activity:read_all")
    refused = await bare_lab.get("/athlete/zones")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, "missing")
    await bare_lab.connect("activity:read_all", "profile:read_all")
    told = (await bare_lab.get("/athlete/zones")).json()
    assert told["heart_rate"]["custom_zones"] is False
    for kind in ("heart_rate", "power"):
        zones = told[kind]["zones"]
        assert (zones[0]["min"], zones[-1]["max"]) == (0, -1)
        assert [zone["max"] for zone in zones[:-1]] == [zone["min"] for zone in zones[1:]]


def totals(activities: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Add up what was listed."""
    chosen = [each for each in activities if each["type"] == kind]
    return {
        "count": len(chosen),
        "distance": pytest.approx(sum(each["distance"] for each in chosen)),
        "moving_time": sum(each["moving_time"] for each in chosen),
        "elapsed_time": sum(each["elapsed_time"] for each in chosen),
        "elevation_gain": pytest.approx(sum(each["total_elevation_gain"] for each in chosen)),
    }


async def test_totals_are_the_sums_of_what_is_listed(make_lab: Any) -> None:
    """Four weeks, this year and all, for rides, runs and swims; only what everyone may see counts."""
    async with make_lab(years=1) as lab:
        await lab.connect()
        await lab.save(sport_type="Ride", distance=300_000, moving_time=40_000, visibility="only_me")
        listed = [each for each in await everything(lab) if each["visibility"] == "everyone"]
        told = (await lab.get("/athletes/4242424242/stats")).json()
        since = lab.clock().timestamp() - WEEKS * 7 * 86_400
        periods = {
            "recent": [each for each in listed if started(each) > since],
            "ytd": [each for each in listed if each["start_date_local"].startswith("2026")],
            "all": listed,
        }
        assert 0 < len(periods["recent"]) < len(periods["ytd"]) < len(periods["all"])
        for period, chosen in periods.items():
            for kind in ("Ride", "Run", "Swim"):
                found = dict(told[f"{period}_{kind.lower()}_totals"])
                assert (found.pop("achievement_count", None) is not None) == (period == "recent")
                assert found == totals(chosen, kind)
        rides = [each for each in listed if each["type"] == "Ride"]
        assert told["biggest_ride_distance"] == max(each["distance"] for each in rides) < 300_000
        assert told["biggest_climb_elevation_gain"] == max(each["total_elevation_gain"] for each in rides)


async def test_totals_of_nothing_are_zero(make_lab: Any) -> None:
    """An athlete without activities has counts of zero and no biggest ride."""
    async with make_lab(years=0) as lab:
        await lab.connect()
        told = (await lab.get("/athletes/4242424242/stats")).json()
    assert (told["biggest_ride_distance"], told["all_run_totals"]["count"]) == (None, 0)


@pytest.mark.parametrize("path", ["/athletes/1/stats", "/athletes/abc/stats"])
async def test_nobody_else_s_totals_are_told(lab: Any, path: str) -> None:
    """404 of the athlete."""
    answer = await lab.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["resource"]) == (404, "Athlete")


@pytest.mark.parametrize("path", ["laps", "zones"])
async def test_an_activity_that_is_not_there_has_no_parts(lab: Any, path: str) -> None:
    """404 of the activity, as for itself."""
    answer = await lab.get(f"/activities/1/{path}")
    assert (answer.status_code, answer.json()["errors"][0]["resource"]) == (404, "Activity")
