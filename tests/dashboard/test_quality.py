"""The Data quality page: each check in words, its activities, and the numbers of the mart."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.formatting import NARROW, Teller
from dashboard.quality import checks, summary
from tests.dashboard.test_pages import drawn, html, said, visit

ENGLISH = Teller(now=datetime(2026, 11, 18, 20, tzinfo=ZoneInfo("Europe/Berlin")), zone=ZoneInfo("Europe/Berlin"))


def issue(activity_id: int, check_name: str, kind: str, marts: str, **fields: Any) -> dict[str, Any]:
    """Return a row of `data_quality_issue`."""
    told = {"activity_name": f"Run {activity_id}", "sport_type": "Run", "sport_group": "run"}
    key = {"athlete_id": 7001, "activity_id": activity_id, "check_name": check_name, "issue_kind": kind}
    return key | told | {"touched_marts": marts, "start_date_local": date(2026, 11, activity_id)} | fields


@pytest.fixture
def flagged(lively: Any) -> Any:
    """The lively athlete with two activities at once, a jump in a third, and a name that is no HTML."""
    overlap = {"kind": "doubtful", "marts": "activity_summary, gear_usage", "check_name": "recordings_overlap"}
    lively.row("data_quality_issue", **issue(6, **overlap, measured=0.75, related_activity_id=7))
    lively.row(
        "data_quality_issue",
        **issue(7, **overlap, measured=0.75, related_activity_id=6, activity_name="<b>Far</b>", sport_group="ride"),
    )
    lively.row("data_quality_issue", **issue(2, "gps_jump", "wrong", "race_prediction, record_best_effort", measured=3))
    lively.row("data_quality_issue", **issue(3, "of_tomorrow", "missing", "a_new_mart", start_date_local=None))
    lively.publish()
    return lively


def test_every_check_and_every_mart_it_touches_has_words(project_root: Path) -> None:
    """What the transforms name, the page can say, and nothing else; the marts are real ones."""
    macro = (project_root / "transforms/macros/data_quality.sql").read_text()
    body = macro.partition("return({")[2].partition("}) }}")[0]
    assert set(re.findall(r"^ {8}'(\w+)': \{", body, re.MULTILINE)) == set(checks.CHECKS)
    lists = re.findall(r"(?:set \w+ =|'marts':) (\[[^\]]*\])", macro)
    named = {name for each in lists for name in re.findall(r"'(\w+)'", each)}
    assert named == set(checks.PAGE_OF)
    assert named <= {file.stem for file in (project_root / "transforms/models/mart").rglob("*.sql")}
    assert set(re.findall(r"'kind': '(\w+)'", body)) == set(checks.KINDS)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("gps_jump", 1, "1 effort"),
        ("gps_jump", 3, "3 efforts"),
        ("heart_rate_out_of_range", 75, "1:15"),
        ("power_out_of_range", 2501.0, f"2,501{NARROW}W"),
        ("recordings_overlap", 0.75, f"75{NARROW}%"),
        ("time_zone_far", 9.14, f"9.1{NARROW}h"),
        ("undated", None, ""),
        ("of_tomorrow", 5.0, ""),
    ],
)
def test_a_measured_number_has_its_unit(name: str, value: float | None, shown: str) -> None:
    """Of a check without a number, or that is not known, nothing is said."""
    assert checks.measured(name, value, ENGLISH) == shown


def test_nothing_wrong_is_said_so() -> None:
    """What is merely not known is no fault."""
    kinds: dict[str, dict[str, Any]] = {"missing": {"activity_count": 3, "moving_time_s": 60}}
    assert "Nothing is wrong with any of your 1,313 activities" in summary.finding(kinds, 1313, ENGLISH)
    kinds["wrong"] = {"activity_count": 2, "moving_time_s": None}
    assert "2 of 1,313 activities have something that cannot be right" in summary.finding(kinds, 1313, ENGLISH)


def test_the_page_shows_the_mart_s_issues(flagged: Any, context_of: Any) -> None:
    """What is wrong stands first and is opened; another is picked by its link, with the activity it is about."""
    app = visit(context_of(flagged), "quality")
    assert "1 of 8 activities have something that cannot be right" in said(app)
    assert "2 something that may be wrong" in said(app)
    told = html(app)
    assert told.index("A jump of the satellite signal") < told.index("Two activities at the same time")
    assert "Overview, Gear" in told
    assert "of_tomorrow" in told
    assert "3 efforts" in told
    assert "Best efforts that meet the jump" in said(app)
    app.selectbox(key="check").set_value("recordings_overlap")
    app = drawn(app)
    assert app.query_params == {"check": "recordings_overlap"}
    told = html(app)
    assert "&lt;b&gt;Far&lt;/b&gt;" in told
    assert "<b>Far" not in told
    assert told.count("the other one") == 2
    assert "activity?id=7" in told


def test_who_has_no_issue_is_told_so(lively: Any, context_of: Any) -> None:
    """One sentence, and no empty list."""
    app = visit(context_of(lively), "quality")
    assert "Nothing is wrong with any of your 8 activities" in said(app)
    assert "What you can do" not in said(app)
