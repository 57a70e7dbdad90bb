"""An edit or a save that cannot be is refused, and leaves no trace in the world or in the state file."""

from pathlib import Path
from typing import Any

import pytest

UNREADABLE = (
    '{"distance": 1e15}',
    '{"kudos_count": 123456789012345678901234567890}',
    '{"description": "\\ud800"}',
    '{"start_date": "0001-01-01T00:00:00+14:00"}',
    '{"timezone": 7, "start_date": "2026-06-09T06:00:00Z"}',
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
