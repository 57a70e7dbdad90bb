"""Recorded answers are served as the simulated athlete's own."""

from pathlib import Path
from typing import Any

import pytest

from simulator.recorded import Recorded, read_recorded

ME = 4242424242


@pytest.fixture
def recorded() -> Recorded:
    """The recorded answers that are kept as fixtures."""
    return read_recorded(Path(__file__).parents[1] / "fixtures" / "strava", ME)


async def test_they_can_be_the_whole_history(make_lab: Any, recorded: Recorded, samples: Any) -> None:
    """With no generated years: the recorded ids, payloads as recorded but for the athlete's id."""
    async with make_lab(years=0, recorded=recorded) as lab:
        await lab.connect()
        listed = (await lab.get("/athlete/activities", per_page=200)).json()
        page, run = samples("athlete_activities_page"), samples("activity_run_marathon")
        assert len(listed) == len(page) + 2
        full = (await lab.get(f"/activities/{run['id']}", include_all_efforts="true")).json()
        assert full.pop("athlete") == {"id": ME, "resource_state": 1}
        assert {effort["athlete"]["id"] for effort in full["best_efforts"] + full["laps"]} == {ME}
        nested = {"athlete", "best_efforts", "laps"}
        assert {k: v for k, v in full.items() if k not in nested} == {k: v for k, v in run.items() if k not in nested}
        shown = next(activity for activity in listed if activity["id"] == page[0]["id"])
        assert shown | {"athlete": None} == page[0] | {"athlete": None}


async def test_they_are_added_to_the_generated_years(make_lab: Any, recorded: Recorded, samples: Any) -> None:
    """Sorted in by their start; their gear is known; they can be edited and cropped like any other."""
    async with make_lab(recorded=recorded) as lab:
        await lab.connect()
        listed = (await lab.get("/athlete/activities", per_page=200)).json()
        starts = [activity["start_date"] for activity in listed]
        assert starts == sorted(starts, reverse=True)
        run = samples("activity_run_marathon")
        gear = (await lab.get(f"/gear/{run['gear']['id']}")).json()
        assert gear["name"] == run["gear"]["name"]
        await lab.edit(run["id"], distance=21_200, name="Half of it")
        half = (await lab.get(f"/activities/{run['id']}")).json()
        assert (half["name"], half["distance"], len(half["splits_metric"])) == ("Half of it", 21_200, 21)
        assert "Marathon" not in {effort["name"] for effort in half["best_efforts"]}


def test_summary_alone_becomes_a_plain_detail(recorded: Recorded, samples: Any) -> None:
    """Its map stands for the full one; nothing is invented."""
    summary = samples("athlete_activities_page")[0]
    full = recorded.activities[summary["id"]]
    assert full["resource_state"] == 3
    assert full["map"]["polyline"] == summary["map"]["summary_polyline"]


def test_file_that_is_no_json_is_named_as_an_error(tmp_path: Path) -> None:
    """Better at the start than a silent gap."""
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        read_recorded(tmp_path, ME)
