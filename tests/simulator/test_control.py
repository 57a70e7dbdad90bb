"""The control API lives the athlete's life and tells the truth."""

import asyncio
import hashlib
import json
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from simulator.autoplay import AutoplaySettings, Mix
from simulator.world.sports import ALIKE, sport


async def test_create_keeps_every_field_that_was_fixed(lab: Any) -> None:
    """The rest is made up and fits: the speed is distance by time, the wall clock fits the zone."""
    fixed = {
        "sport_type": "Ride",
        "name": "自転車 🚲",
        "start_date": "2026-03-29T06:30:00Z",
        "distance": 40_000,
        "moving_time": 5000,
        "description": "with wind",
        "commute": True,
        "kudos_count": 3,
    }
    made = await lab.save(**fixed)
    full = (await lab.get(f"/activities/{made['id']}")).json()
    assert {key: full[key] for key in fixed} == fixed
    assert (full["average_speed"], full["type"], full["athlete"]["id"]) == (8.0, "Ride", 4242424242)
    assert (full["start_date_local"], full["utc_offset"], full["timezone"]) == (
        "2026-03-29T07:30:00Z",
        3600.0,
        "(GMT+00:00) Atlantic/Canary",
    )


async def test_new_activity_is_listed_first_and_back_dated_one_where_it_belongs(lab: Any) -> None:
    """Old device syncs fire a create too; ids grow from save to save."""
    newest = await lab.save(sport_type="Run")
    old = await lab.save(sport_type="Run", start_date="2019-01-05T09:00:00Z")
    listed = (await lab.get("/athlete/activities", per_page=200)).json()
    assert (listed[0]["id"], listed[-1]["id"]) == (newest["id"], old["id"])
    assert old["id"] > newest["id"]
    assert [event["object_id"] for event in await lab.delivered()] == [newest["id"], old["id"]]


async def test_crop_shortens_everything_that_hangs_on_the_distance(lab: Any) -> None:
    """Times, splits, best efforts, route and streams."""
    made = await lab.save(sport_type="Run", distance=12_000, moving_time=3600)
    before = (await lab.get(f"/activities/{made['id']}")).json()
    await lab.edit(made["id"], distance=6000)
    after = (await lab.get(f"/activities/{made['id']}")).json()
    assert (after["distance"], after["moving_time"], len(after["splits_metric"])) == (6000, 1800, 6)
    assert {effort["distance"] for effort in after["best_efforts"]} <= set(range(5001))
    assert len(after["map"]["polyline"]) < len(before["map"]["polyline"])
    curves = (await lab.get(f"/activities/{made['id']}/streams", keys="distance", key_by_type="true")).json()
    assert curves["distance"]["data"][-1] <= 6000


async def test_moved_start_moves_the_wall_clock_and_the_place_in_the_list(lab: Any) -> None:
    """In winter the same zone is an hour nearer to UTC."""
    made = await lab.save(sport_type="Run", start_date="2026-06-09T06:00:00Z")
    summer = (await lab.get(f"/activities/{made['id']}")).json()
    await lab.edit(made["id"], start_date="2025-12-09T06:00:00Z")
    winter = (await lab.get(f"/activities/{made['id']}")).json()
    assert (summer["start_date_local"], winter["start_date_local"]) == ("2026-06-09T08:00:00Z", "2025-12-09T07:00:00Z")
    listed = (await lab.get("/athlete/activities", per_page=200)).json()
    assert listed[-1]["id"] == made["id"]


async def test_new_sport_takes_the_run_s_own_parts_away(lab: Any) -> None:
    """A ride has no best efforts, and an unheard-of sport keeps its name."""
    made = await lab.save(sport_type="Run", distance=6000)
    await lab.edit(made["id"], sport_type="MoonHopping")
    full = (await lab.get(f"/activities/{made['id']}")).json()
    assert (full["sport_type"], full["type"], "best_efforts" in full) == ("MoonHopping", "Workout", False)


async def test_visibility_and_private_mirror_each_other(lab: Any) -> None:
    """Whichever is changed."""
    made = await lab.save(sport_type="Run")
    seen = []
    for change in ({"private": True}, {"visibility": "followers_only"}, {"visibility": "only_me"}, {"private": False}):
        await lab.edit(made["id"], **change)
        full = (await lab.get(f"/activities/{made['id']}")).json()
        seen.append((full["private"], full["visibility"]))
    assert seen == [(True, "only_me"), (False, "followers_only"), (True, "only_me"), (False, "everyone")]


@pytest.mark.parametrize("wrong", [{"id": 1}, {"distance": -1}, {"start_date": "yesterday"}, {"visibility": "nobody"}])
async def test_what_nobody_can_choose_is_refused(lab: Any, wrong: dict[str, Any]) -> None:
    """422, and nothing is saved."""
    assert (await lab.client.post("/simulator/activities", json=wrong)).status_code == 422
    assert await lab.saves() == []


async def test_wall_clock_follows_from_the_start(lab: Any) -> None:
    """So an edit cannot set it on its own."""
    made = await lab.save(sport_type="Run", start_date_local="2026-06-09T08:00:00Z")
    assert (await lab.get(f"/activities/{made['id']}")).json()["start_date"] == "2026-06-09T06:00:00Z"
    address = f"/simulator/activities/{made['id']}"
    answer = await lab.client.patch(address, json={"start_date_local": "2026-06-09T09:00:00Z"})
    assert answer.status_code == 422


async def test_unknown_activity_cannot_be_edited_deleted_or_repeated(lab: Any) -> None:
    """404."""
    address = "/simulator/activities/1"
    assert (await lab.client.patch(address, json={"name": "x"})).status_code == 404
    assert (await lab.client.delete(address)).status_code == 404
    assert (await lab.client.post(f"{address}/repeat")).status_code == 404


async def test_repeat_sends_the_newest_event_again(lab: Any) -> None:
    """With its own time, as Strava's duplicates have."""
    made = await lab.save(sport_type="Run")
    await lab.edit(made["id"], name="New")
    lab.clock.advance(90)
    await lab.client.post(f"/simulator/activities/{made['id']}/repeat")
    events = await lab.delivered()
    assert events[1] == events[2]
    assert [save["kind"] for save in await lab.saves()] == ["create", "update", "repeat"]


async def test_truth_is_what_the_api_serves_with_its_hash(lab: Any) -> None:
    """Ids, canonical hash and activity; the hash is SHA-256 of compact sorted JSON."""
    await lab.save(sport_type="Run", name="Größe 🏃")
    truth = (await lab.client.get("/simulator/activities")).json()
    hashes = (await lab.client.get("/simulator/activities?fields=hash")).json()
    assert [(item["id"], item["hash"]) for item in truth] == [(item["id"], item["hash"]) for item in hashes]
    for item in truth[:15]:
        served = (await lab.get(f"/activities/{item['id']}", include_all_efforts="true")).json()
        assert served == item["activity"]
        text = json.dumps(served, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == item["hash"]


async def test_saves_after_one_are_the_newer_ones(lab: Any) -> None:
    """Oldest first, each with exact time and deliveries."""
    for _ in range(3):
        await lab.save(sport_type="Run")
        lab.clock.advance(1)
    await lab.delivered()
    newer = (await lab.client.get("/simulator/saves?after=1")).json()
    assert [save["save_id"] for save in newer] == [2, 3]
    assert newer[0]["saved_at"] == "2026-06-10T12:07:31.250001Z"
    assert [(d["attempt"], d["status"]) for d in newer[0]["deliveries"]] == [(1, 200)]


@pytest.mark.slow
async def test_athlete_can_revoke_from_the_settings_page(lab: Any) -> None:
    """Once; then there is nothing to revoke."""
    assert (await lab.client.post("/simulator/deauthorize")).status_code == 200
    assert (await lab.client.post("/simulator/deauthorize")).status_code == 409
    assert [event["updates"] for event in await lab.delivered()] == [{"authorized": "false"}]


async def test_life_goes_on_by_itself_until_it_is_stopped(lab: Any) -> None:
    """Every kind of change comes, and health tells whether it lives."""
    await lab.client.post("/simulator/live", json={"running": True, "per_minute": 60_000, "seed": 5})
    kinds: set[str] = set()
    while not {"create", "update", "delete", "repeat"} <= kinds:
        await asyncio.sleep(0)  # an in-process answer does not let the life go on by itself
        kinds = {save["kind"] for save in await lab.saves()}
    assert (await lab.client.get("/simulator/health")).json()["is_living"] is True
    await lab.client.post("/simulator/live", json={"running": False})
    count = len(await lab.saves())
    await lab.delivered()
    assert len(await lab.saves()) == count
    assert (await lab.client.get("/simulator/live")).json()["running"] is False


async def test_life_of_a_seed_is_always_the_same(make_lab: Any) -> None:
    """The same seed, world and clock give the same saves."""
    lives = []
    for seed in (5, 5, 6):
        async with make_lab() as lab:
            autoplay = lab.app.state.simulation.autoplay
            autoplay.settings = autoplay.settings.model_copy(update={"seed": seed})
            for _ in range(30):
                autoplay.step()
            lives.append([(save["kind"], save["id"], save["event"]) for save in await lab.saves()])
    assert lives[0] == lives[1] != lives[2]


async def test_a_fast_life_keeps_the_athletes_weeks(lab: Any) -> None:
    """What is saved is what was deleted, so a day of rest stays one; nothing goes on while another does."""
    before = {started(each): each for each in await summaries(lab)}
    autoplay = lab.app.state.simulation.autoplay
    for _ in range(400):
        autoplay.step()
    kinds = Counter(save["kind"] for save in await lab.saves())
    assert min(kinds["create"], kinds["delete"]) > 50
    after = await summaries(lab)
    assert len(before) - 5 < len(after) <= len(before)
    assert {started(each) for each in after} <= before.keys()
    assert max(map(ended, after)) < lab.clock.now
    new = {save["id"] for save in await lab.saves() if save["kind"] == "create"}
    for earlier, later in pairwise(sorted(after, key=started)):
        assert ended(earlier) <= started(later) or not {earlier["id"], later["id"]} & new
    for each in after:
        sport_type = before[started(each)]["sport_type"]
        assert each["sport_type"] in {sport_type, ALIKE.get(sport_type)}
        assert sport(each["sport_type"]).has_distance or not each["distance"]


async def test_todays_training_is_saved_once_it_is_over(lab: Any) -> None:
    """On a Wednesday evening the ride of the afternoon is there; before, and a second time, nothing is saved."""
    autoplay = lab.app.state.simulation.autoplay
    autoplay.settings = AutoplaySettings(
        running=False, mix=Mix(rename=1, retype=0, hide=0, silent=0, delete=0, repeat=0)
    )
    saved = []
    for hours in (0, 10, 0):
        lab.clock.advance(hours * 3600)
        for _ in range(10):
            autoplay.step()
        saved.append(Counter(save["kind"] for save in await lab.saves())["create"])
    assert saved == [0, 1, 1]
    newest = lab.app.state.simulation.world.ids()[-1]
    assert lab.app.state.simulation.world.summary(newest)["start_date_local"].startswith("2026-06-10T1")


async def test_titles_are_many_and_fit_the_sport(lab: Any) -> None:
    """Hardly two of them are alike, and kilometres are told of what has some."""
    autoplay = lab.app.state.simulation.autoplay
    autoplay.settings = AutoplaySettings(
        running=False, mix=Mix(create=0, retype=0, hide=0, silent=0, delete=0, repeat=0)
    )
    for _ in range(120):
        autoplay.step()
    told = [save["event"]["updates"]["title"] for save in await lab.saves()]
    assert len(set(told)) > len(told) * 0.7
    for each in await summaries(lab):
        assert each["distance"] >= 1000 or " km" not in each["name"]


async def summaries(lab: Any) -> list[dict[str, Any]]:
    """Return what the list shows, newest first."""
    listed: list[dict[str, Any]] = (await lab.get("/athlete/activities", per_page=200)).json()
    return listed


def started(activity: dict[str, Any]) -> datetime:
    """Return the moment of its start."""
    return datetime.fromisoformat(activity["start_date"])


def ended(activity: dict[str, Any]) -> datetime:
    """Return the moment of its end."""
    return started(activity) + timedelta(seconds=activity["elapsed_time"])


async def test_health_tells_whether_a_duplicate_is_still_on_its_way(lab: Any) -> None:
    """A save is delivered with its first copy; it is idle only when the second has come too."""
    second_may_come, calls = asyncio.Event(), iter((False, True))

    async def hold_the_second() -> None:
        if next(calls):
            await second_may_come.wait()

    lab.callback.before_answer = hold_the_second
    await lab.faults(duplicate=1, duplicate_within_s=0)
    await lab.save(sport_type="Run")
    while [save["fate"] for save in await lab.saves()] != ["delivered"]:  # noqa: ASYNC110 - the in-process answer brings it about
        await asyncio.sleep(0)
    assert (await lab.client.get("/simulator/health")).json()["is_idle"] is False
    second_may_come.set()
    await lab.delivered()
    assert (await lab.client.get("/simulator/health")).json()["is_idle"] is True
