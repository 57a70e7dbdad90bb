"""What happened survives a restart, even one that a kill forced."""

from pathlib import Path
from typing import Any

import pytest

from simulator.journal import Journal, StateUnusable


async def test_second_start_continues_where_the_first_ended(make_lab: Any, tmp_path: Path) -> None:
    """Activities, edits, deletions, tokens, subscription and the log of saves."""
    state = tmp_path / "state.jsonl"
    async with make_lab(state=state) as first:
        await first.connect()
        await first.subscribe()
        kept, gone = await first.save(sport_type="Ride"), await first.save(sport_type="Run")
        await first.edit(kept["id"], name="Kept")
        await first.client.delete(f"/simulator/activities/{gone['id']}")
        await first.delivered()
        before = [(await first.client.get(f"/simulator/{path}")).content for path in ("activities", "saves")]
    async with make_lab(state=state) as second:
        after = [(await second.client.get(f"/simulator/{path}")).content for path in ("activities", "saves")]
        second.token = first.token
        assert (await second.get(f"/activities/{kept['id']}")).json()["name"] == "Kept"
        assert (await second.save(sport_type="Run"))["id"] > gone["id"]
        assert len(await second.delivered()) == 1
    assert after == before


async def test_event_that_was_on_its_way_is_sent_after_the_restart(make_lab: Any, tmp_path: Path) -> None:
    """The program ended before the callback answered."""
    state = tmp_path / "state.jsonl"
    async with make_lab(state=state) as first:
        await first.connect()
        await first.subscribe()
        await first.faults(delay=1, delay_s=3600)
        made = await first.save(sport_type="Run")
    async with make_lab(state=state) as second:
        assert [event["object_id"] for event in await second.delivered()] == [made["id"]]


def test_line_that_a_kill_cut_off_is_dropped(tmp_path: Path) -> None:
    """All complete lines count, the last word of each key wins."""
    path = tmp_path / "state.jsonl"
    journal = Journal(path)
    for value in (1, 2):
        journal.put("kind", "key", value)
    journal.put("kind", "other", 3)
    journal.drop("kind", "other")
    journal.close()
    with path.open("ab") as file:
        file.write(b'["kind","key",')
    again = Journal(path)
    again.close()
    assert again.of("kind") == {"key": 2}
    assert path.read_bytes() == b'["kind","key",2]\n'


@pytest.mark.parametrize("text", ["a diary\nof two lines\n", "one line", '{"a": 1}\n', '["kind", 1, 2]\n', "\n\n"])
def test_a_file_of_something_else_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    """A wrong path costs nobody a file; the sentence names it."""
    path = tmp_path / "diary.txt"
    path.write_text(text)
    with pytest.raises(StateUnusable, match=r"diary\.txt, which holds something else"):
        Journal(path)
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_without_a_path(tmp_path: Path) -> None:
    """It remembers as long as it runs."""
    journal = Journal()
    journal.put("kind", "key", [1])
    assert journal.of("kind") == {"key": [1]}
    assert list(tmp_path.iterdir()) == []


async def test_hour_that_comes_twice_is_still_the_same_one_after_the_restart(make_lab: Any, tmp_path: Path) -> None:
    """When the clocks go back, 02:30 in Berlin is 00:30 and then 01:30 UTC."""
    state, told = tmp_path / "state.jsonl", []
    async with make_lab(state=state) as first:
        await first.connect()
        made = [await first.save(start_date=f"2025-10-26T0{hour}:30:00Z") for hour in (0, 1)]
    async with make_lab(state=state) as second:
        second.token = first.token
        for save in made:
            full = (await second.get(f"/activities/{save['id']}")).json()
            told.append((full["start_date"], full["start_date_local"], full["utc_offset"]))
    assert told == [
        ("2025-10-26T00:30:00Z", "2025-10-26T02:30:00Z", 7200.0),
        ("2025-10-26T01:30:00Z", "2025-10-26T02:30:00Z", 3600.0),
    ]
