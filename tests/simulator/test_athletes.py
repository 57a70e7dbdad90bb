"""Several athletes have accounts of their own at the one Strava: lives, grants and events stay apart."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

ROBIN, KIM = 4242424242, 4242424243
PAGE = {"client_id": "4242", "redirect_uri": "http://app.test/cb", "scope": "read,activity:read_all"}


@pytest.fixture
async def both(make_lab: Any) -> AsyncIterator[tuple[Any, Any]]:
    """The laboratory as each of two athletes sees it: Robin granted everything, Kim not the private things."""
    async with make_lab(athletes=2) as robin:
        kim = replace(robin)
        assert (await robin.connect())["athlete"]["id"] == ROBIN
        assert (await kim.connect("activity:read", athlete_id=f"{KIM}"))["athlete"]["id"] == KIM
        assert (await robin.subscribe()).status_code == 201
        yield robin, kim


async def listed(lab: Any) -> dict[int, int]:
    """Return whose activity each one is that a token lists."""
    activities = (await lab.get("/athlete/activities", per_page=200)).json()
    return {each["id"]: each["athlete"]["id"] for each in activities}


@pytest.mark.slow
async def test_a_token_sees_its_athlete_s_life_and_no_other(both: tuple[Any, Any]) -> None:
    """Profile, activities and gear are of different people; the other's are 404."""
    robin, kim = both
    for me, other, athlete_id in ((robin, kim, ROBIN), (kim, robin, KIM)):
        own, theirs = await listed(me), await listed(other)
        assert len(own) > 40
        assert set(own.values()) == {athlete_id}
        assert own.keys().isdisjoint(theirs)
        assert (await me.get("/athlete")).json()["id"] == athlete_id
        assert (await me.get(f"/athletes/{athlete_id}/stats")).status_code == 200
        for path in (f"/activities/{next(iter(theirs))}", f"/athletes/{ROBIN + KIM - athlete_id}/stats"):
            assert (await me.get(path)).status_code == 404
    details = [(await lab.get(f"/activities/{key}")).json() for lab in both for key in list(await listed(lab))[:40]]
    worn = {gear_id: each["athlete"]["id"] for each in details if (gear_id := each["gear_id"])}
    assert set(worn.values()) == {ROBIN, KIM}
    for gear_id, athlete_id in worn.items():
        found = [(await lab.get(f"/gear/{gear_id}")).status_code for lab in both]
        assert found == ([200, 404] if athlete_id == ROBIN else [404, 200])


async def test_scopes_are_of_the_grant(both: tuple[Any, Any]) -> None:
    """Only Robin granted the profile, so Kim has no zones to read and no event of a private activity."""
    robin, kim = both
    assert [(await lab.get("/athlete/zones")).status_code for lab in both] == [200, 401]
    for athlete_id in (ROBIN, KIM):
        created = "/simulator/activities", {"private": True, "sport_type": "Run"}
        await robin.client.post(created[0], json=created[1], params={"athlete_id": athlete_id})
    assert [event["owner_id"] for event in await robin.delivered()] == [ROBIN]
    await kim.connect("activity:read_all", "profile:read_all", athlete_id=f"{KIM}")
    zones = [(await lab.get("/athlete/zones")).json()["power"]["zones"] for lab in both]
    assert zones[0] != zones[1]


async def test_page_asks_who_is_connecting(both: tuple[Any, Any]) -> None:
    """It offers all of them, also to one who granted everything before; an address that names one need not ask."""
    client = both[0].client
    page = await client.get("/oauth/authorize", params=PAGE)
    assert re.findall(r'<option value="(\d+)"( selected)?>(\w+)', page.text) == [
        (f"{ROBIN}", " selected", "Robin"),
        (f"{KIM}", "", "Kim"),
    ]
    named = [await client.get("/oauth/authorize", params={**PAGE, "athlete_id": each}) for each in (ROBIN, KIM, 5)]
    assert [answer.status_code for answer in named] == [302, 200, 400]
    assert f'<option value="{KIM}" selected>' in named[1].text
    assert (await client.post("/oauth/authorize", data={**PAGE, "athlete_id": "5"})).status_code == 400


@pytest.mark.parametrize("way", ["settings page", "revoke", "deauthorize"])
async def test_one_athlete_s_revocation_is_nothing_to_the_other(both: tuple[Any, Any], way: str) -> None:
    """Kim's tokens die and one event tells it; Robin's live on."""
    robin, kim = both
    if way == "settings page":
        await robin.client.post("/simulator/deauthorize", params={"athlete_id": KIM})
    elif way == "revoke":
        basic = httpx.BasicAuth("4242", "simulated-client-secret")
        await robin.client.post("/oauth/revoke", auth=basic, data={"token": kim.refresh_token})
    else:
        await robin.client.post("/oauth/deauthorize", data={"access_token": kim.token})
    assert [(await lab.get("/athlete")).status_code for lab in both] == [200, 401]
    refreshed = [await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token) for lab in both]
    assert [answer.status_code for answer in refreshed] == [200, 400]
    assert [(event["owner_id"], event["updates"]) for event in await robin.delivered()] == [
        (KIM, {"authorized": "false"})
    ]


async def test_limits_are_the_application_s(make_lab: Any) -> None:
    """What one athlete's token spends is missing to the other's."""
    async with make_lab(athletes=2, limits=("2,1000", "200,2000")) as robin:
        kim = replace(robin)
        await robin.connect()
        await kim.connect(athlete_id=f"{KIM}")
        assert [(await lab.get("/athlete")).status_code for lab in (robin, kim, kim, robin)] == [200, 200, 429, 429]


async def test_control_acts_as_the_athlete_who_is_named(both: tuple[Any, Any]) -> None:
    """Saves, the truth and the life that goes on by itself; an activity is its athlete's without being told."""
    robin, kim = both
    named = {"athlete_id": KIM}
    made = (await kim.client.post("/simulator/activities", params=named, json={"sport_type": "Run"})).json()
    await kim.edit(made["id"], name="New")
    await kim.client.post(f"/simulator/activities/{made['id']}/repeat")
    assert (await listed(kim))[made["id"]] == KIM
    await kim.client.delete(f"/simulator/activities/{made['id']}")
    autoplay = kim.app.state.simulation.accounts[1].autoplay
    for _ in range(20):
        autoplay.step()
    assert {event["owner_id"] for event in await robin.delivered()} == {KIM}
    saves = [(await kim.client.get("/simulator/saves", params=each)).json() for each in ({}, named, {"athlete_id": 5})]
    assert (len(saves[0]), saves[1], saves[2]) == (24, saves[0], [])
    truth = (await kim.client.get("/simulator/activities", params={**named, "fields": "full"})).json()
    assert {each["activity"]["athlete"]["id"] for each in truth} == {KIM}
    await kim.client.post("/simulator/live", params=named, json={"running": True})
    health = [(await kim.client.get("/simulator/health", params=each)).json() for each in ({}, named)]
    assert [(each["athlete_id"], each["is_living"]) for each in health] == [(ROBIN, False), (KIM, True)]
    assert health[0]["athlete_ids"] == [ROBIN, KIM]
    assert (await kim.client.post("/simulator/deauthorize", params={"athlete_id": 5})).status_code == 404


async def test_second_athlete_survives_a_restart_too(make_lab: Any, tmp_path: Path) -> None:
    """Grant, saves and edits; and one life alone is what it would be beside others."""
    state = tmp_path / "state.jsonl"
    async with make_lab(state=state, athletes=2, years=0.05) as first:
        await first.connect(athlete_id=f"{KIM}")
        made = (await first.client.post("/simulator/activities", params={"athlete_id": KIM}, json={})).json()
        await first.edit(made["id"], name="Kept")
        before = [(await first.client.get(f"/simulator/activities?athlete_id={each}")).json() for each in (ROBIN, KIM)]
    async with make_lab(state=state, athletes=2, years=0.05) as second:
        second.token = first.token
        assert (await second.get(f"/activities/{made['id']}")).json()["name"] == "Kept"
        after = [(await second.client.get(f"/simulator/activities?athlete_id={each}")).json() for each in (ROBIN, KIM)]
    async with make_lab(years=0.05) as alone:
        assert (await alone.client.get("/simulator/activities")).json() == before[0]
    assert after == before
