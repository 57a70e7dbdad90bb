"""Every fault can be switched on and off, and the seed decides when it strikes."""

import asyncio
from typing import Any

import pytest


async def statuses(lab: Any, count: int = 40) -> list[int]:
    """Ask for the athlete again and again."""
    return [(await lab.get("/athlete")).status_code for _ in range(count)]


@pytest.mark.parametrize(("fault", "status"), [("server_error", 500), ("unauthorized", 401), ("rate_limited", 429)])
async def test_answers_fail_as_often_as_told_and_alike_for_a_seed(lab: Any, fault: str, status: int) -> None:
    """The same seed fails the same requests, another seed others, and off is off."""
    runs = []
    for seed in (1, 1, 2):
        await lab.faults(seed=seed, **{fault: 0.3})
        runs.append(await statuses(lab))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, status}
    await lab.faults()
    assert set(await statuses(lab)) == {200}


async def test_token_requests_fail_too_and_cost_no_token(lab: Any) -> None:
    """A refresh that ends with 500 has rotated nothing."""
    lab.clock.advance(5.5 * 3600)
    await lab.faults(server_error=1)
    failed = await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)
    await lab.faults()
    again = await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)
    assert (failed.status_code, again.status_code) == (500, 200)


async def test_inactive_application_is_403_until_it_is_switched_off(lab: Any) -> None:
    """As when the owner's subscription lapsed."""
    await lab.faults(inactive=True)
    answer = await lab.get("/athlete")
    assert (answer.status_code, answer.json()["errors"][0]) == (
        403,
        {"resource": "Application", "field": "Status", "code": "Inactive"},
    )
    await lab.faults()
    assert (await lab.get("/athlete")).status_code == 200


async def test_new_activity_is_404_and_unlisted_for_a_while(lab: Any) -> None:
    """Its event comes at once nevertheless; old activities are not hit."""
    await lab.faults(visible_after_s=30)
    made = await lab.save(sport_type="Run")
    assert len(await lab.delivered()) == 1
    assert (await lab.get(f"/activities/{made['id']}")).status_code == 404
    listed = (await lab.get("/athlete/activities", per_page=1)).json()
    assert listed[0]["id"] != made["id"]
    lab.clock.advance(30)
    assert (await lab.get(f"/activities/{made['id']}")).status_code == 200


async def test_not_found_and_its_empty_body(lab: Any) -> None:
    """An activity that is there can be 404, and a 404 can have no body."""
    made = await lab.save(sport_type="Run")
    await lab.faults(not_found=1, empty_not_found=True)
    answer = await lab.get(f"/activities/{made['id']}")
    assert (answer.status_code, answer.content) == (404, b"")


async def test_tokens_can_die_before_their_time_and_be_refreshed(lab: Any) -> None:
    """The fault also ends tokens before their `expires_at`."""
    await lab.faults(token_lifetime_s=60)
    lab.clock.advance(61)
    assert (await lab.get("/athlete")).status_code == 401
    fresh = (await lab.token_request(grant_type="refresh_token", refresh_token=lab.refresh_token)).json()
    assert (fresh["access_token"] != lab.token, fresh["expires_in"]) == (True, 60)
    lab.token = fresh["access_token"]
    assert (await lab.get("/athlete")).status_code == 200


async def test_latency_holds_the_answer_back(lab: Any) -> None:
    """A client that is less patient gets no answer."""
    await lab.faults(latency_s=3600, latency_jitter_s=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await lab.get("/athlete")
    await lab.faults()
    assert (await lab.get("/athlete")).status_code == 200


async def test_lost_events_never_arrive(lab: Any) -> None:
    """The log says so."""
    await lab.faults(lose=1)
    await lab.save(sport_type="Run")
    assert await lab.delivered() == []
    assert [(save["fate"], save["deliveries"]) for save in await lab.saves()] == [("lost", [])]


async def test_duplicates_are_the_same_event_twice(lab: Any) -> None:
    """Byte for byte the same content."""
    await lab.faults(duplicate=1, duplicate_within_s=0)
    await lab.save(sport_type="Run")
    events = await lab.delivered()
    (save,) = await lab.saves()
    assert events[0] == events[1]
    assert sorted(d["copy"] for d in save["deliveries"]) == [0, 1]


async def test_reordering_mixes_the_order_of_one_activity_but_loses_nothing(lab: Any) -> None:
    """Later events overtake earlier ones."""
    await lab.faults(seed=3, reorder=0.6, reorder_within_s=0.5)
    made = await lab.save(sport_type="Run")
    for number in range(8):
        await lab.edit(made["id"], name=f"{number}")
    order = [event["updates"].get("title", "") for event in await lab.delivered()]
    assert sorted(order) == ["", *(f"{number}" for number in range(8))]
    assert order != sorted(order)


async def test_delayed_event_is_overtaken_by_the_next(lab: Any) -> None:
    """It is late by the told time, then arrives."""
    await lab.faults(delay=1, delay_s=0.2)
    first = await lab.save(sport_type="Run")
    await lab.faults()
    second = await lab.save(sport_type="Run")
    assert [event["object_id"] for event in await lab.delivered()] == [second["id"], first["id"]]


async def test_unknown_faults_and_impossible_chances_are_refused(lab: Any) -> None:
    """422, and what was switched on stays."""
    await lab.faults(inactive=True)
    for wrong in ({"nonsense": 1}, {"lose": 1.5}, {"latency_s": -1}):
        assert (await lab.client.put("/simulator/faults", json=wrong)).status_code == 422
    assert (await lab.client.get("/simulator/faults")).json()["inactive"] is True
