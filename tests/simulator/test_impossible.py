"""An edit or a save that cannot be is refused, and leaves no trace in the world or in the state file."""

from pathlib import Path
from typing import Any

import pytest

NEVER_NULL = ("distance", "moving_time", "start_date", "start_date_local", "sport_type", "name", "private", "timezone")
UNREADABLE = (
    '{"distance": Infinity}',
    '{"distance": 1e15}',
    '{"kudos_count": 123456789012345678901234567890}',
    '{"description": "\\ud800"}',
    '{"start_date": "0001-01-01T00:00:00+14:00"}',
    '{"timezone": null, "start_date": "2026-06-09T06:00:00Z"}',
    '{"start_latlng": [null, "x"]}',
    '{"segment_efforts": [1]}',
    '{"gear_id": ["b1"]}',
)


async def is_whole(lab: Any) -> bool:
    """Whether the truth, the list and every activity are still served."""
    truth = await lab.client.get("/simulator/activities")
    listed = await lab.get("/athlete/activities", per_page=200)
    each = [(await lab.get(f"/activities/{item['id']}")).status_code for item in truth.json()]
    return {truth.status_code, listed.status_code, *each} == {200}


@pytest.mark.parametrize("field", NEVER_NULL)
async def test_null_is_refused_where_strava_always_has_a_value(lab: Any, field: str) -> None:
    """422 for a save and for an edit, and nothing is logged."""
    made = await lab.save(sport_type="Run")
    for method, address in (("PATCH", f"/simulator/activities/{made['id']}"), ("POST", "/simulator/activities")):
        answer = await lab.client.request(method, address, json={field: None})
        assert (answer.status_code, field in answer.text) == (422, True)
    assert [save["kind"] for save in await lab.saves()] == ["create"]


@pytest.mark.parametrize("body", UNREADABLE)
async def test_what_cannot_be_leaves_no_trace(make_lab: Any, tmp_path: Path, body: str) -> None:
    """422, and everything is served as before, also after a restart."""
    state, headers = tmp_path / "state.jsonl", {"Content-Type": "application/json"}
    async with make_lab(state=state, years=0.02) as first:
        await first.connect("activity:read")
        made = await first.save(sport_type="Run")
        before = (state.read_bytes(), (await first.client.get("/simulator/activities")).content)
        for method, address in (("PATCH", f"/simulator/activities/{made['id']}"), ("POST", "/simulator/activities")):
            answer = await first.client.request(method, address, content=body, headers=headers)
            assert answer.status_code == 422, answer.text
        assert (state.read_bytes(), (await first.client.get("/simulator/activities")).content) == before
        assert await is_whole(first)
    async with make_lab(state=state, years=0.02) as second:
        second.token = first.token
        assert await is_whole(second)
