"""What is told by an event, how it is delivered, and what is never told."""

import asyncio
from typing import Any

import pytest


async def test_event_of_a_create_has_strava_s_fields_and_no_more(lab: Any) -> None:
    """The body is the documented one; the time is the save's in whole seconds."""
    made = await lab.save(sport_type="Run")
    (event,) = await lab.delivered()
    assert event == {
        "object_type": "activity",
        "object_id": made["id"],
        "aspect_type": "create",
        "updates": {},
        "owner_id": 4242424242,
        "event_time": int(lab.clock().timestamp()),
        "subscription_id": event["subscription_id"],
    }
    assert made["saved_at"] == "2026-06-10T12:07:30.250001Z"


@pytest.mark.parametrize(
    ("change", "updates"),
    [
        ({"name": "New 🏃"}, {"title": "New 🏃"}),
        ({"sport_type": "TrailRun"}, {"type": "TrailRun"}),
        ({"private": True}, {"private": "true"}),
        ({"name": "Both", "private": True}, {"title": "Both", "private": "true"}),
    ],
)
async def test_title_type_and_privacy_are_told(lab: Any, change: dict[str, Any], updates: dict[str, str]) -> None:
    """One update event tells all of them, as strings."""
    made = await lab.save(sport_type="Run", name="Old")
    await lab.edit(made["id"], **change)
    events = await lab.delivered()
    assert [(event["aspect_type"], event["updates"]) for event in events] == [("create", {}), ("update", updates)]


@pytest.mark.parametrize(
    "change",
    [{"description": "x"}, {"distance": 4000}, {"gear_id": None}, {"commute": True}, {"name": "Old"}],
)
async def test_other_edits_are_silent_but_happen(lab: Any, change: dict[str, Any]) -> None:
    """Crop, gear, description: the activity changes, no event is sent."""
    made = await lab.save(sport_type="Run", name="Old", distance=9000)
    assert (await lab.edit(made["id"], **change))["event"] is None
    assert len(await lab.delivered()) == 1
    now = (await lab.get(f"/activities/{made['id']}")).json()
    assert {key: now[key] for key in change} == change


async def test_delete_is_told_and_the_activity_is_gone(lab: Any) -> None:
    """404 from then on."""
    made = await lab.save(sport_type="Run")
    assert (await lab.client.delete(f"/simulator/activities/{made['id']}")).status_code == 200
    events = await lab.delivered()
    assert [event["aspect_type"] for event in events] == ["create", "delete"]
    assert (await lab.get(f"/activities/{made['id']}")).status_code == 404


async def test_privacy_flips_look_like_delete_and_create_without_read_all(bare_lab: Any) -> None:
    """So an id can come back; what happens to it while hidden is not told."""
    await bare_lab.connect("activity:read")
    await bare_lab.subscribe()
    made = await bare_lab.save(sport_type="Run")
    for change in ({"private": True}, {"name": "Hidden"}, {"private": False}):
        await bare_lab.edit(made["id"], **change)
    events = await bare_lab.delivered()
    assert [(event["aspect_type"], event["updates"]) for event in events] == [
        ("create", {}),
        ("delete", {}),
        ("create", {}),
    ]


async def test_private_activity_is_never_told_without_read_all(bare_lab: Any) -> None:
    """Neither its create nor its delete."""
    await bare_lab.connect("activity:read")
    await bare_lab.subscribe()
    made = await bare_lab.save(sport_type="Run", private=True)
    await bare_lab.client.delete(f"/simulator/activities/{made['id']}")
    assert await bare_lab.delivered() == []


async def test_without_activity_scope_no_event_ever_arrives(bare_lab: Any) -> None:
    """And no error says so."""
    await bare_lab.connect("profile:read_all")
    assert (await bare_lab.subscribe()).status_code == 201
    await bare_lab.save(sport_type="Run")
    assert await bare_lab.delivered() == []


@pytest.mark.parametrize("refusal", [201, 204, 302, 500])
async def test_only_exactly_200_counts_and_three_attempts_are_made(lab: Any, refusal: int) -> None:
    """After the third the event is gone for ever."""
    lab.callback.statuses = [refusal] * 3
    await lab.save(sport_type="Run")
    events = await lab.delivered()
    (save,) = await lab.saves()
    assert len(events) == 3
    assert events[0] == events[1] == events[2]
    assert [(d["attempt"], d["status"]) for d in save["deliveries"]] == [(1, refusal), (2, refusal), (3, refusal)]
    assert save["fate"] == "given_up"


async def test_second_attempt_can_succeed(lab: Any) -> None:
    """Then there is no third."""
    lab.callback.statuses = [503]
    await lab.save(sport_type="Run")
    await lab.delivered()
    (save,) = await lab.saves()
    assert [d["status"] for d in save["deliveries"]] == [503, 200]
    assert save["fate"] == "delivered"


@pytest.mark.slow
async def test_answer_after_two_seconds_is_no_answer(lab: Any) -> None:
    """A callback that hangs is tried again."""
    waits = [asyncio.Event().wait]

    async def hang_once() -> None:
        if waits:
            await waits.pop()()

    lab.callback.before_answer = hang_once
    await lab.save(sport_type="Run")
    await lab.delivered()
    (save,) = await lab.saves()
    assert [(d["status"], d["error"]) for d in save["deliveries"]] == [(None, "TimeoutError"), (200, None)]


async def test_answer_that_cannot_be_decoded_is_no_answer(lab: Any) -> None:
    """It says gzip and is not: tried three times, then the event is gone."""
    lab.callback.encoding = "gzip"
    await lab.save(sport_type="Run")
    await lab.delivered()
    (save,) = await lab.saves()
    assert [(d["status"], d["error"]) for d in save["deliveries"]] == [(None, "DecodingError")] * 3
    assert save["fate"] == "given_up"


async def test_events_of_one_activity_keep_their_order(lab: Any) -> None:
    """Unless a fault says otherwise."""
    made = await lab.save(sport_type="Run")
    for number in range(20):
        await lab.edit(made["id"], name=f"{number}")
    events = await lab.delivered()
    assert [event["updates"].get("title") for event in events] == [None, *(f"{number}" for number in range(20))]


async def test_unsubscribed_application_hears_nothing(bare_lab: Any) -> None:
    """The save is logged as such."""
    await bare_lab.connect()
    await bare_lab.save(sport_type="Run")
    assert await bare_lab.delivered() == []
    assert [save["fate"] for save in await bare_lab.saves()] == ["unsubscribed"]
