"""What changed since the last visit: when that was, and what is said of it."""

import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from shutil import which
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import activity_changes, last_visit
from dashboard.context import PageContext
from dashboard.formatting import NARROW, NOTHING, Teller
from tests.dashboard.test_pages import drawn, html, other_page, plain_units, said

NOW = datetime(2026, 11, 18, 19, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
TELL = Teller(now=NOW, zone=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("cookie", "ended_ago_s"),
    [
        (None, None),
        ("", None),
        ("rubbish", None),
        ("-5.7", None),
        (f"0.{SECONDS}", None),  # still the first visit
        (f"0.{SECONDS - 1800}", None),
        (f"0.{SECONDS - 1801}", 1801),  # the second one
        (f"{SECONDS - 9000}.{SECONDS - 60}", 9000),  # within a later one
        (f"{SECONDS - 9000}.{SECONDS - 7200}", 7200),
        (f"{SECONDS - 9000}.{SECONDS + 600}", 9000),  # the clock was set back
    ],
)
def test_a_visit_ends_after_half_an_hour_without_a_look(cookie: str | None, ended_ago_s: int | None) -> None:
    """On a first visit, or with a cookie that nobody wrote so, nothing is known."""
    wanted = None if ended_ago_s is None else NOW - timedelta(seconds=ended_ago_s)
    assert last_visit.before(cookie, NOW) == wanted


DRIVER = """
const state = JSON.parse(process.argv[1]), cookies = [];
let reloads = 0;
const listeners = [];
globalThis.window = globalThis;
globalThis.location = {reload: () => { reloads += 1; }};
globalThis.setInterval = () => {};
globalThis.document = {
  visibilityState: "visible", addEventListener: (_, look) => listeners.push(look), querySelector: () => state.place,
  set cookie(text) { cookies.push(text.split(";")[0]); },
};
const steps = [];
for (const [kind, at, script] of state.steps) {
  Date.now = () => at * 1000;
  if (kind === "draw") eval(script);
  else { document.visibilityState = kind; listeners.forEach((look) => look()); }
  steps.push([cookies.at(-1) ?? null, reloads]);
}
console.log(JSON.stringify([steps, listeners.length]));
"""


def looked(*steps: tuple[str, int, str], place: str | None = "here") -> tuple[list[Any], int]:
    """Return the cookie and the number of reloads after each step in a browser, and how many listeners there are."""
    node = which("node")
    if node is None:
        pytest.skip("needs Node.js")
    told = json.dumps({"steps": steps, "place": place})
    run = subprocess.run([node, "-e", DRIVER, told], capture_output=True, text=True, check=True)
    steps_after, listeners = json.loads(run.stdout)
    return steps_after, listeners


def drawn_at(second: int, athlete_id: int = 7) -> tuple[str, int, str]:
    """Return the step that draws the page at a second, by a browser's clock that is 100 seconds late."""
    ended, now = datetime.fromtimestamp(5, UTC), datetime.fromtimestamp(second, UTC)
    script = last_visit.script(athlete_id, ended, now)
    return "draw", second - 100, script.removeprefix("<script>").removesuffix("</script>")


def test_a_tab_in_the_background_does_not_look() -> None:
    """What is drawn while it is hidden writes nothing; within half an hour it goes on, later it is another visit."""
    steps, listeners = looked(
        drawn_at(1000), ("hidden", 1100, ""), drawn_at(2000), ("visible", 2600, ""), ("hidden", 2700, ""),
        drawn_at(30_000), ("visible", 40_000, ""),
    )  # fmt: skip
    first, later = "athlete_visits_7=5.1000", "athlete_visits_7=5.2700"
    assert steps == [[first, 0], [first, 0], [first, 0], [later, 0], [later, 0], [later, 0], [later, 1]]
    assert listeners == 1


def test_each_athlete_has_a_visit() -> None:
    """To look at another athlete is no look at the first, whose visit may end meanwhile; nor is another page."""
    steps, _ = looked(drawn_at(1000), drawn_at(2000, 8), drawn_at(2801), drawn_at(3700, 8))
    other = "athlete_visits_8=5.2000"
    assert steps == [["athlete_visits_7=5.1000", 0], [other, 0], [other, 1], ["athlete_visits_8=5.3700", 1]]
    assert looked(drawn_at(1000), place=None)[0] == [[None, 0]]


def change(activity_id: int, kind: str, minute: int, field: str | None = None, **told: Any) -> dict[str, Any]:
    """Return a row of `change_log`."""
    of = {"activity_name": f"Run {activity_id}", "sport_type": "Run", "sport_group": "run"}
    moment = datetime(2026, 11, 18, 12, minute)  # noqa: DTZ001 - the mart keeps UTC
    key = {"athlete_id": 7001, "activity_id": activity_id, "change_id": f"{activity_id}/{minute}", "changed_at": moment}
    return key | of | {"change_kind": kind, "changed_field": field, "source": "webhook"} | told


def test_what_changed_last_is_listed_first(lively: Any, context_of: Any) -> None:
    """The changes of an activity stand together; a deletion counts more than a save, a save more than an edit."""
    for row in [
        change(1, "changed", 9, "name", old_value="a", new_value="b"), change(2, "deleted", 8), change(1, "added", 7),
        change(3, "changed", 6, "distance", old_value="5000.0", new_value="5100"), change(2, "added", 5),
    ]:  # fmt: skip
        lively.row("change_log", **row)
    lively.publish()
    app = overview(context_of(lively), NOON)
    assert "1 new activity, 1 edited, 1 deleted" in said(app)
    told = html(app)
    assert "title: a → b · new" in told
    assert re.findall(r"Run \d(?=<)", told.partition("title: a")[0])[-1:] == ["Run 1"]
    assert re.findall(r"Run [123](?=<)", told[told.index("title: a") :])[:2] == ["Run 2", "Run 3"]


@pytest.mark.slow
def test_what_is_not_listed_is_counted(lively: Any, context_of: Any) -> None:
    """Of many edits seven activities are listed, of an import its number; one that was edited, too, is no import."""
    for number in range(1, 601):
        brought = {"import_id": f"i{max(number // 100, 2)}", "is_private": number == 600}
        lively.row("change_log", **change(1000 + number, "imported", 2) | brought)
    for number in (0, *range(2, 7)):
        began = datetime(2026, 11, 18, 11, number)  # noqa: DTZ001 - as above
        lively.row("import", import_id=f"i{number}", athlete_id=7001, started_at=began)
    for number in range(1, 10):
        for field in ("name", "description"):
            edit = {"old_value": "a", "new_value": "b", "change_id": f"{field} {number}"}
            lively.row("change_log", **change(1000 + number, "changed", 10 + number, field) | edit)
    lively.publish()
    app = overview(context_of(lively), NOON)
    assert "591 imported, 9 edited" in said(app)
    assert "and 2 more activities" in said(app)
    told = html(app)
    reports = [f'<a href="pipeline?import=i{number}">Report of 12:0{number}</a>' for number in (6, 5, 4)]
    links = " · ".join([*reports, '<a href="pipeline?">2 more</a>'])
    assert f"<li>591 activities imported from your own files<small>{links}</small></li>" in told
    assert [f"Run {number}<" in told for number in (1002, 1003, 1009, 1010)] == [False, True, True, False]
    imported = '<a href="pipeline?import=i2">imported from your own files</a>'
    assert told.count(f"description: a → b · title: a → b · {imported}") == 7
    shared = html(overview(replace(context_of(lively), viewers={"": {7001}}), NOON))
    assert "import=i5" in shared
    assert "import=i6" not in shared  # of a private activity alone


@pytest.mark.parametrize(
    ("field", "old", "new", "words"),
    [
        ("name", "a", "b", "title: a → b"),
        ("distance", "5000.0", "5100", f"distance: 5.00{NARROW}km → 5.10{NARROW}km"),
        ("distance", "far", None, f"distance: far → {NOTHING}"),
        ("moving_time", "1500", "1560", "time in motion: 25:00 → 26:00"),
        ("trainer", "false", "true", "indoors: no → yes"),
        ("sport_type", "Run", "TrailRun", "sport: Run → Trail Run"),
        ("of_tomorrow", "1", "2", "of_tomorrow: 1 → 2"),
        ("workout_type", "0", "1", f"kind of workout: {NOTHING} → race"),
        ("workout_type", "0", "77", "kind of workout changed"),
        ("visibility", "everyone", "only_me", "visibility: everyone → the athlete alone"),
        ("visibility", "everyone", "of_tomorrow", "visibility changed"),
        ("gear_id", "g1", None, f"gear: Blue shoes → {NOTHING}"),
        ("gear_id", "g1", "g2", "gear changed"),
        ("start_date_local", "2026-11-18T07:05:00Z", "soon", "start: 18 Nov 2026, 07:05 → soon"),
        (
            "start_date",
            "2026-11-18T07:05:00Z",
            "2026-11-18T08:05:00+01:00",
            "start in UTC: 18 Nov 2026, 07:05 → 18 Nov 2026, 07:05",
        ),
        ("perceived_exertion", None, "7.0", f"perceived exertion: {NOTHING} → 7"),
        ("name", "true", "false", "title: true → false"),
        ("description", "", "x" * 90, f"description: {NOTHING} → {'x' * 80}…"),
    ],
)
def test_a_change_is_said_in_the_reader_s_units(field: str, old: str, new: str | None, words: str) -> None:
    """What cannot be read, or is a field of another version, stays as Strava sent it; codes without a word are left."""
    row = change(1, "changed", 1, field, old_value=old, new_value=new)
    assert activity_changes.told(row, TELL, gear={"g1": "Blue shoes"}) == words


def test_codes_are_told_in_german() -> None:
    """Strava's words are English ones."""
    row = change(1, "changed", 1, "visibility", old_value="everyone", new_value="followers_only")
    assert activity_changes.told(row, replace(TELL, language="de")) == "Sichtbarkeit: alle → Follower"


def test_where_others_look_what_was_entered_is_not_repeated() -> None:
    """The activity may have been private; its numbers are told."""
    effort = change(1, "changed", 1, "perceived_exertion", old_value="3.0", new_value="7.0")
    assert activity_changes.told(effort, TELL, is_shared=True) == "perceived exertion changed"
    title = change(1, "changed", 1, "name", old_value="a", new_value="b")
    assert activity_changes.told(title, TELL, is_shared=True) == "title changed"
    indoors = change(1, "changed", 1, "trainer", old_value="false", new_value="true")
    assert activity_changes.told(indoors, TELL, is_shared=True) == "indoors: no → yes"


def overview(context: Any, since: datetime | None) -> AppTest:
    """Open the Overview of a reader whose last visit ended then."""
    app = AppTest.from_function(other_page, kwargs={"context": context, "path": "overview"})
    if since is not None:
        app.session_state["last-visit-7001"] = since
    return drawn(app)


@pytest.mark.slow
def test_the_overview_tells_what_changed_since_the_last_visit(lively: Any, context_of: Any) -> None:
    """Only what came since, its milestones with it; nothing on a first visit, nor where nothing changed."""
    lively.row("change_log", **change(6, "added", 30))
    lively.row("change_log", **change(7, "changed", 40, "name", old_value="<i>old</i>", new_value="<b>new</b>"))
    lively.row("change_log", **change(2, "changed", 1, "name", old_value="x", new_value="y"))
    gone = {"activity_name": None, "sport_type": None, "sport_group": None}
    lively.row("change_log", **change(99, "deleted", 50, **gone))
    reached = {"milestone_kind": "count", "unit": "", "subject": ""}
    for activity_id in (6, 2):
        lively.row(
            "milestone", athlete_id=7001, sport_group="all", **reached, reached_on=date(2026, 11, activity_id),
            activity_id=activity_id, milestone_value=1000 + activity_id,
        )  # fmt: skip
    lively.activity("2026-11-18", "Run", km=5, minutes=30, activity_id=60)
    lively.row("change_log", **change(60, "added", 35))
    for day, value in ((18, 2060), (12, 2012)):  # sums are of no activity: of those days one is of what came
        lively.row(
            "milestone", athlete_id=7001, sport_group="all", **reached, reached_on=date(2026, 11, day),
            activity_id=None, milestone_value=value,
        )  # fmt: skip
    lively.publish()
    first = overview(context_of(lively), None)
    assert "Since your last visit" not in html(first)
    app = overview(context_of(lively), datetime(2026, 11, 18, 12, 20, tzinfo=UTC))
    told, _, _ = html(app).partition("Newest milestones")
    assert "Since your last visit" in told
    assert "2 new activities, 1 edited, 1 deleted" in said(app)
    assert "title: &lt;i&gt;old&lt;/i&gt; → &lt;b&gt;new&lt;/b&gt;" in told
    assert "Activity 99" in told
    assert "title: x → y" not in told
    assert "1,006 activities" in told
    assert "1,002 activities" not in told
    assert "2,060 activities" in told
    assert "2,012 activities" not in told
    later = overview(context_of(lively), datetime(2026, 11, 18, 12, 50, tzinfo=UTC))
    assert "Since your last visit" not in html(later)


@pytest.mark.slow
def test_the_numbers_that_moved_are_summed(lively: Any, context_of: Any) -> None:
    """What is new counts as it is now, an edit by its difference; imports, deletions and what private is are apart."""
    measured = {"km": 10, "minutes": 50, "climb": 100, "load": 60.4}
    for activity_id, is_private in ((60, False), (61, True), (62, False)):
        lively.activity("2026-11-18", "Run", **measured, activity_id=activity_id, is_private=is_private)
    lively.row("change_log", **change(60, "added", 30), is_private=False)
    lively.row("change_log", **change(60, "changed", 31, "distance", difference=4000.0), is_private=False)
    lively.row("change_log", **change(61, "restored", 32), is_private=True)
    lively.row("change_log", **change(62, "imported", 33, source="import"), is_private=False)
    lively.row("change_log", **change(62, "changed", 33, "distance", difference=9e6, source="import", change_id="x"))
    for field, difference in (("distance", -12_500.0), ("moving_time", -60.0), ("elapsed_time", 7200.0)):
        edit = {"difference": difference, "change_id": field, "is_private": False}
        lively.row("change_log", **change(1, "changed", 34, field) | edit)
    lively.row("change_log", **change(99, "deleted", 35, activity_name=None, sport_type=None, sport_group=None))
    lively.publish()
    text = plain_units(said(overview(context_of(lively), NOON)))
    moves = "+7.5 km, +1 h 39 min, +200 m, +121 load, without 1 deleted activity"
    assert moves in text
    assert "The load that an edit moved and what a deleted activity had are not kept." in text


@pytest.mark.slow
def test_others_see_nothing_of_private_activities(
    lively: Any, context_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor of deleted ones, which may have been private; the athlete sees them all, and gear by its name."""
    monkeypatch.setattr(PageContext, "visible", lambda _, snapshot, __: snapshot)
    lively.row("gear_usage", athlete_id=7001, gear_id="g1", gear_name="Blue shoes", is_retired=False)
    for number, is_private in ((106, True), (107, False), (108, None)):
        row = change(number, "changed", 30, "gear_id", old_value=None, new_value="g1", change_id=str(number))
        lively.row("change_log", **row | ({"change_kind": "deleted"} if number == 108 else {}), is_private=is_private)
    lively.publish()
    context = context_of(lively)
    app = overview(context, NOON)
    assert "2 edited, 1 deleted" in said(app)
    assert html(app).count(f"gear: {NOTHING} → Blue shoes") == 2
    app = overview(replace(context, viewers={"me@example.org": {7001}}), NOON)
    assert "1 edited" in said(app)
    assert "1 deleted" not in said(app)
    assert "Run 107<" in html(app)
    assert not re.search("Run 10[68]<", html(app))
    assert "private and deleted activities are left out" in said(app)
