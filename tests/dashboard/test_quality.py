"""The Data quality page: each check in words, its activities, and the numbers of the mart."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.formatting import NARROW, Teller
from dashboard.quality import checks, summary, totals
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
    assert "Nothing is wrong with your 1 activity" in summary.finding(kinds, 1, ENGLISH)
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


def total(**fields: Any) -> dict[str, Any]:
    """Return a row of `strava_total`: runs of the year so far, of which both say the same."""
    kinds = ("hidden", "file_only", "archive_only", "other_sport_type")
    zeros: dict[str, float] = {f"{kind}_{of}": 0 for kind in (*kinds, "unexplained") for of in ("count", "distance_m")}
    for name, value in (("activity_count", 4), ("distance_m", 40_250.0), ("moving_time_s", 12_000)):
        zeros |= {name: value, f"strava_{name}": value}
    same = dict.fromkeys(("count", "m", "moving_time_s", "elevation_gain_m"), 0)
    key = {"athlete_id": 7001, "sport_group": "run", "scope": "ytd", "calendar_year": 2026}
    climb = {"elevation_gain_m": 310.0, "strava_elevation_gain_m": 310.0}
    told = {"told_at": datetime(2026, 11, 18, 3)}  # noqa: DTZ001 - the mart keeps UTC
    return key | zeros | climb | {f"difference_{name}": value for name, value in same.items()} | told | fields


def test_a_difference_of_totals_is_told_with_its_reasons() -> None:
    """What is known for sure first; the same where only roundings differ, and never a difference without a word."""

    def said_of(**fields: Any) -> str:
        return " · ".join(totals.reasons(total(**fields), ENGLISH)).replace(NARROW, " ")

    assert said_of() == said_of(difference_m=49.0, difference_elevation_gain_m=None, hidden_count=2) == "the same"
    both = said_of(difference_count=3, hidden_count=2, hidden_distance_m=12_500.0, file_only_count=1)
    assert both == (
        "2 are private or for followers, 12.5 km: not counted by Strava · 1 is from a file alone, 0.0 km: not on Strava"
    )
    more = {"strava_activity_count": 5, "difference_count": -1, "unexplained_count": -1}
    maybe = said_of(archive_only_count=1, other_sport_type_count=2, **more)
    assert maybe.endswith("2 have another sport type, 0.0 km: Strava may count some · 1 more on Strava than is here")
    virtual = {"other_sport_type_count": 2, "other_sport_type_distance_m": 50_000.0, "hidden_count": 1}
    for ours, verdict in ((7, "not counted by Strava"), (6, "Strava may count some"), (5, "counted by Strava too")):
        told = said_of(activity_count=ours, difference_count=ours - 4, **virtual)
        assert told.partition("2 have another sport type, 50.0 km: ")[2].endswith(verdict), told
    assert said_of(difference_count=1, unexplained_count=1) == "1 that Strava does not count yet"
    assert said_of(difference_m=-60.0, unexplained_distance_m=-60.0).startswith("0.1 km by edits since")
    many = said_of(activity_count=3_000, strava_activity_count=3_000, difference_elevation_gain_m=5.0)
    assert many == "the same"
    assert said_of(difference_elevation_gain_m=5.0) == said_of(difference_moving_time_s=60)
    assert said_of(difference_moving_time_s=60).startswith("the same activities with other numbers")


def test_strava_s_totals_stand_beside_ours(lively: Any, context_of: Any) -> None:
    """A line for each sport and span of which either side has activities, the first of them explained."""
    assert "Strava's totals are not here." in said(visit(context_of(lively), "quality"))
    lively.row("strava_total", **total())
    hidden = {"hidden_count": 1, "hidden_distance_m": 1_040_250.0, "difference_count": 1, "difference_m": 1_040_250.0}
    ride = {"sport_group": "ride", "scope": "all", "calendar_year": None, "strava_activity_count": 3}
    lively.row("strava_total", **total(**ride, **hidden, distance_m=1_080_500.0))
    nothing = {"sport_group": "ride", "strava_activity_count": 0, "activity_count": 0}
    lively.row("strava_total", **total(**nothing))
    lively.publish()
    app = visit(context_of(lively), "quality")
    told = html(app)
    assert "Run, 2026<br><small>the same" in told
    assert "3<br>40.2 <small>km</small>" in told
    assert "4<br>1,080 <small>km</small>" in told
    assert "1 is private or for followers, 1,040 km: not counted by Strava" in told
    assert "Ride, 2026" not in told
    assert "Strava says 4, we say 4" in said(app)
