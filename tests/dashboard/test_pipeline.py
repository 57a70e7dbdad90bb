"""The Pipeline page: what waits and why, the lapse, the limits, the runs, the receipts and the course."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import streamlit

from dashboard import import_report, latency_course, navigation
from dashboard.formatting import NARROW, Teller
from tests.dashboard.conftest import ATHLETE, NOW
from tests.dashboard.test_pages import drawn, html, pipeline, said, shown, visit


def at(clock: str, day: int = 18) -> datetime:
    """Return a moment of November 2026 in UTC, as the marts hold it."""
    return datetime.fromisoformat(f"2026-11-{day:02d}T{clock}")


def table(app: Any, column: str) -> list[list[Any]]:
    """Return the rows of the table that has this column, without `Why` where it is empty."""
    [found] = [each.value for each in app.dataframe if column in each.value]
    rows: list[list[Any]] = found.to_numpy().tolist()
    return rows


def wait(kind: str, reason: str, **fields: Any) -> dict[str, Any]:
    """Build an event that waits since 20:00 in Berlin."""
    row = {"delivery_id": f"{kind}{reason}{fields}", "athlete_id": ATHLETE, "wait_kind": kind, "reason": reason}
    return row | {"waits_since": at("19:00:00")} | fields


def test_what_waits_is_told_with_why_and_what_to_do(mart_file: Any, context_of: Any) -> None:
    """Queued, deferred until when, parked, given up and of nobody; another athlete's is not told."""
    mart_file.health(queued_count=2, queued_since=at("19:10:00"))
    for minute in ("19:45:00", "20:00:00"):
        mart_file.row("waiting_event", **wait("deferred", "Spent.", retry_at=at(minute)))
    mart_file.row("waiting_event", **wait("deferred", "Busy."))
    mart_file.row("waiting_event", **wait("parked", "Refused *so*."))
    mart_file.row("waiting_event", **wait("dead_letter", "Gave up."))
    mart_file.row("waiting_event", **wait("parked", "Not readable.", athlete_id=None))
    mart_file.row("waiting_event", **wait("parked", "Another's.", athlete_id=8))
    mart_file.publish()
    text = said(pipeline(context_of(mart_file)))
    for sentence in (
        "**2 events in the queue**, the oldest since 20:10. The worker takes them one after the other;",
        "**2 events deferred**, the oldest since 20:00. Spent. It is tried again by itself from 20:45 to 21:00.",
        "Busy. The queue brings it again by itself within minutes. It is one of those in the queue.",
        r"**1 event parked**, the oldest since 20:00. Refused \*so\*. It needs a person: mend the reason",
        "**1 event given up after all attempts**, the oldest since 20:00. Gave up. `athlete replay --dead`",
        "**1 event parked**, the oldest since 20:00. Not readable. It is of nobody connected here",
    ):
        assert sentence in text
    assert "Another's" not in text
    assert "Nothing waits" not in text
    assert "2 messages are in the queue, and 6 events were deferred or parked." in text


@pytest.mark.parametrize(
    ("fields", "sentence", "left"),
    [
        (
            {"lapsed_since": at("13:00:00", 17), "closed_until": at("20:00:00"), "closed_because": "Renew it."},
            "**Strava refuses the app since 17 Nov 2026, 14:00.** Renew it. The next call is made 21:00.",
            "0",
        ),
        (
            {"lapsed_since": at("13:00:00"), "closed_because": "Renew it."},
            "**Strava refuses the app since 14:00.** Renew it. The next call finds out.",
            "0",
        ),
        (
            {"closed_until": at("19:45:00"), "closed_because": "Spent."},
            "**No call is made until 20:45.** Spent.",
            "25",
        ),
    ],
)
def test_a_refusal_is_told_with_its_end(
    mart_file: Any, context_of: Any, fields: dict[str, Any], sentence: str, left: str
) -> None:
    """Since when, why, and when the next call is made; no call is left while the app is refused."""
    mart_file.health(**fields)
    limit = {"limit_name": "read_quarter", "call_limit": 100, "used_count": 75, "left_count": 25}
    mart_file.row("rate_budget", **limit, resets_at=at("19:45:00"), read_at=at("19:29:00"))
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    assert [element.value for element in app.warning] == [sentence]
    assert shown(app, "Calls left") == [left]


def test_an_athlete_of_whom_strava_cannot_be_asked_is_named(mart_file: Any, context_of: Any) -> None:
    """With what to do, also while another athlete is looked at; a status that the page does not know is told too."""
    mart_file.health()
    mart_file.health(8, athlete_status="token_rejected", status_since=at("08:05:00"))
    mart_file.health(9, athlete_status="app_inactive")
    mart_file.health(10, athlete_status="asleep")
    mart_file.publish()
    told = [element.value for element in pipeline(context_of(mart_file)).warning]
    assert [text.split("**")[1] for text in told] == [
        "Athlete 8 must connect again.",
        "Athlete 9 is paused",
        "Athlete 10 is not connected",
    ]
    assert "Run `athlete connect`. So since 09:05." in told[0]
    assert "https://www.strava.com/account" in told[1]


def test_a_viewer_hears_of_no_other_athlete(mart_file: Any, context_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether another can be asked is told to those alone who may see them."""
    mart_file.health()
    mart_file.health(8, athlete_status="token_rejected")
    mart_file.health(9, athlete_status="app_inactive")
    mart_file.publish()
    context = replace(context_of(mart_file), viewers={"me@example.org": {7001, 9}})
    signed_in = {navigation.SIGNED_IN: "accounts.google.com:me@example.org"}
    monkeypatch.setattr(type(streamlit.context), "headers", signed_in)
    told = [element.value for element in pipeline(context).warning]
    assert [text.split("**")[1] for text in told] == ["Athlete 9 is paused"]


def test_limits_are_told_as_they_were_read(mart_file: Any, context_of: Any) -> None:
    """A limit that has begun again since counts as whole; who had to wait is told."""
    mart_file.health(reading_at=at("19:14:00"), detail_refused_count=12, streams_refused_count=1)
    mart_file.row("rate_budget", limit_name="quarter", call_limit=200, used_count=190, left_count=10,
                  resets_at=at("19:15:00"), read_at=at("19:14:00"))  # fmt: skip
    mart_file.row("rate_budget", limit_name="day", call_limit=2000, used_count=500, left_count=1500,
                  resets_at=at("00:00:00", 19), read_at=at("19:14:00"))  # fmt: skip
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    assert table(app, "Limit") == [
        ["Calls in a quarter hour", "190", "200", "10", "came back since"],
        ["Calls in a UTC day", "500", "2,000", "1,500", "19 Nov 2026, 01:00"],
    ]
    assert shown(app, "Calls left") == ["1,500"]
    assert "As read 20:14." in said(app)
    assert "in that quarter hour: 12 for details of the history, 1 for streams." in said(app)
    assert "Calls in a quarter hour: 10 of 200 are left, 190 were used." in said(app)


def test_runs_and_receipts_are_tables(mart_file: Any, context_of: Any) -> None:
    """When, how long, what came of it and why; checks of another athlete are not shown; receipts name nobody."""
    mart_file.health()
    runs = (
        ("daily", ATHLETE, at("06:00:00"), 7.3, "complete", None),
        ("daily", ATHLETE, at("06:00:00", 17), 60.0, "cut_short", "No answer."),
        ("daily", 8, at("06:00:00"), 1.0, "guarded", "Another's."),
        ("transform", None, at("19:29:00"), 1.3, "published", None),
        ("transform", None, at("19:20:00"), 2.0, "failed", "Disk full."),
    )
    for number, (kind, athlete_id, started_at, duration_s, result, reason) in enumerate(runs):
        mart_file.row("pipeline_run", run_id=str(number), run_kind=kind, athlete_id=athlete_id, started_at=started_at,
                      duration_s=duration_s, result=result, reason=reason, recency=1)  # fmt: skip
    mart_file.row(
        "purge_receipt", purge_id="p", purged_at=at("06:00:00", 2), activity_count=12, event_count=3, row_count=17
    )
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    daily, transform = [each.value.to_numpy().tolist() for each in app.dataframe if "How long" in each.value]
    assert daily == [
        ["07:00", f"7.3{NARROW}s", "complete", ""],
        ["17 Nov 2026, 07:00", f"1{NARROW}min 00{NARROW}s", "not checked", "No answer."],
    ]
    assert transform == [
        ["20:29", f"1.3{NARROW}s", "published", ""],
        ["20:20", f"2.0{NARROW}s", "failed", "Disk full."],
    ]
    assert table(app, "Rows removed") == [["2 Nov 2026, 07:00", "17", "12", "3"]]
    assert "**17 rows removed**" in said(app)
    assert "Of the runs shown: 1 complete, 1 not checked." in said(app)
    offered = Counter(each.proto.popover.label for each in app.get("popover"))
    assert offered["Why"] == offered["SQL"] > 10  # each tile and each card has both


def test_a_fresh_start_has_a_sentence_where_something_is_missing(mart_file: Any, context_of: Any) -> None:
    """Nothing is blank: each part says that there is nothing yet, and no table or chart is empty."""
    mart_file.health()
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    text = said(app)
    for sentence in (
        "**Not checked yet.**",
        "**No events yet.**",
        "No event has been measured in the last 30 days.",
        "Nothing waits: every event that was heard is settled.",
        "Nothing is known of Strava's limits yet",
        "No check yet. `athlete up` runs one a day",
        "This page is of the first one",
    ):
        assert sentence in text
    assert not app.dataframe
    assert not app.get("vega_lite_chart")


def test_who_imported_own_files_alone_is_told_so(mart_file: Any, context_of: Any) -> None:
    """Nothing is compared and nothing is wrong, so neither a check nor a connection is missed."""
    mart_file.health(athlete_status="archive_only")
    mart_file.publish()
    text = said(pipeline(context_of(mart_file)))
    assert "**Imported, and not compared with Strava.**" in text
    assert not [each for each in ("Not checked yet", "is not connected") if each in text]


def period(clock: str, p50_s: float, p95_s: float, day: int = 18, **fields: Any) -> dict[str, Any]:
    """Build one period of the course."""
    counts = {"event_count": 3, "not_on_chart_count": 0}
    return {"period_start_at": at(clock, day), "p50_s": p50_s, "p95_s": p95_s} | counts | fields


def test_the_course_is_drawn_for_the_time_that_is_picked(mart_file: Any, context_of: Any) -> None:
    """Hours are those of the page's clock, days are UTC's, each with its numbers; the other athlete's are left out."""
    mart_file.health()
    mart_file.latency("save_to_chart", 30, 2.0, 4.0)
    for kind, row in (
        ("hour", period("18:00:00", 2.0, 4.0)),
        ("day", period("00:00:00", 2.5, 90.0, 10, event_count=25)),
    ):
        mart_file.row("pipeline_latency_course", athlete_id=ATHLETE, period_kind=kind, **row)
        mart_file.row("pipeline_latency_course", athlete_id=8, period_kind=kind, **row)
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    assert len(app.get("vega_lite_chart")) == 1
    assert table(app, "Hour") == [["18 Nov, 19:00", f"2.0{NARROW}s", f"4.0{NARROW}s", "3"]]
    assert "p95 is the slowest" in said(app)
    app.segmented_control(key="course").set_value("day")
    assert table(drawn(app), "Day") == [["Tue 10 Nov 2026 (UTC)", f"2.5{NARROW}s", f"1{NARROW}min 30{NARROW}s", "25"]]
    assert "p95 is the slowest" not in said(app)


@pytest.mark.parametrize(("slowest", "kind"), [(9.0, "linear"), (61.0, "log")])
def test_the_axis_spans_the_whole_day(slowest: float, kind: str) -> None:
    """One slow event does not press the others to the ground; an hour alone does not fill the chart."""
    tell = Teller(now=NOW, zone=ZoneInfo("Europe/Berlin"))
    points = latency_course.points([period("18:00:00", 0.01, slowest)], "hour", tell)
    assert [point["seconds"] for point in points] == [0.1, slowest]
    chart = latency_course.chart(points, "hour", NOW, tell).to_dict()
    rules, marks = chart["layer"]
    assert marks["encoding"]["y"]["scale"].get("type", "linear") == kind
    assert marks["encoding"]["x"]["scale"]["domain"] == ["2026-11-17T20:00:00Z", "2026-11-18T20:30:00Z"]
    assert (rules["mark"]["type"], marks["mark"]["type"]) == ("rule", "point")


def imported(key: str, started_at: str, **fields: Any) -> dict[str, Any]:
    """Build an import of 1,434 rows and 1,421 files of which one could not be read."""
    rows = {"row_count": 1434, "row_new_count": 1102, "row_same_id_count": 319, "row_updated_count": 13,
            "row_skipped_count": 0, "row_unreadable_count": 0, "row_open_count": 0}  # fmt: skip
    files = {"file_count": 1421, "file_read_count": 1418, "file_cut_short_count": 2, "file_same_file_count": 0,
             "file_skipped_count": 0, "file_failed_count": 1, "file_open_count": 0}  # fmt: skip
    rest = {"matched_file_count": 1, "problem_count": 0, "media_count": 1007, "other_count": 43}
    times = {"started_at": at(started_at), "updated_at": at(started_at), "finished_at": at(started_at)}
    row = {"import_id": key, "athlete_id": ATHLETE, "source_name": "export_7001.zip", "status": "finished"}
    return row | rows | files | rest | times | fields


def item(kind: str, outcome: str, **fields: Any) -> dict[str, Any]:
    """Build an item of the import `a`."""
    row = {"athlete_id": ATHLETE, "import_id": "a", "item_id": f"{kind}{fields}", "item_kind": kind}
    return row | {"outcome": outcome, "finished_at": at("18:00:00")} | fields


@pytest.mark.slow
def test_an_import_is_told_with_sums_that_add_up(mart_file: Any, context_of: Any) -> None:
    """Rows and files by outcome, what was not read and why, and twins; nothing of another athlete."""
    mart_file.health()
    mart_file.row("import", **imported("a", "18:00:00", exported_at=at("05:00:00", 17)))
    mart_file.row("import", **imported("b", "18:05:00", athlete_id=8, source_name="another.zip"))
    failed = {"file_name": "activities/133.tcx.gz", "reason": "line 1 is not XML"}
    for row in (
        item("file", "failed", **failed),
        item("file", "read", file_name="own.fit", matched_by="alike", twin="12070000001"),
        item("file", "read", file_name="fine.fit", matched_by="row"),
        item("problem", "left_out", file_name="../x", reason="its name leads out of the archive"),
        item("row", "same_id", activity_id=7),
        item("file", "failed", file_name="other.fit") | {"athlete_id": 8, "import_id": "b"},
    ):
        mart_file.row("import_item", **row)
    suspect = {"athlete_id": ATHLETE, "import_id": "a", "activity_id": 8_000_000_000_000_001}
    for number, kind in enumerate(("overlaps", "suspect_time_zone")):
        row = suspect | {
            "file_id": kind,
            "file_name": f"{number}.fit",
            "suspect": kind,
            "twin_activity_id": 70 + number,
        }
        mart_file.row("import_suspect", **row)
    mart_file.row("import_suspect", **suspect | {"athlete_id": 8, "file_id": "x", "suspect": "overlaps"})
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    text = said(app)
    link = '<b><a href="pipeline?import=a">export_7001.zip</a></b>'
    assert f"{link} · 19:00 · finished · as of 17 Nov 2026" in html(app)
    for sentence in (
        "1,434 rows: 1,102 new · 13 changed · 319 known before",
        "1,421 files: 1,418 read · 2 cut short (kept to the break) · 1 failed",
        "Not looked at: 1,007 photos and videos, 43 other files",
    ):
        assert sentence in text
    assert "another" not in text
    assert table(app, "Twin") == [
        ["activities/133.tcx.gz", "failed", "", "line 1 is not XML"],
        ["../x", "left out or doubtful", "", "its name leads out of the archive"],
        ["0.fit", "read, at the same time as another activity, and not joined", "70", ""],
        ["1.fit", "read, alike but for whole quarter hours, and not joined (is a clock wrong?)", "71", ""],
        ["own.fit", "read, matched by start, length and place", "12070000001", ""],
    ]


@pytest.mark.slow
def test_a_link_leads_to_the_report_of_an_import(mart_file: Any, context_of: Any) -> None:
    """It stands first, also of one older than those that are listed; how many activities it brought is in the mart."""
    mart_file.health()
    for place, key in enumerate("abcdefg"):
        mart_file.row("import", **imported(key, f"18:0{place}:00", source_name=f"{key}.zip"))
    for place, (kind, outcome, activity_id, fields) in enumerate([
        ("row", "new", 1, {}), ("file", "read", 1, {"matched_by": "row"}), ("row", "updated", 2, {}),
        ("row", "unreadable", None, {}), ("file", "read", 3, {}), ("file", "cut_short", 3, {"matched_by": "alike"}),
        ("file", "same_file", 4, {}), ("file", "read", 5, {"matched_by": "alike", "twin": "5"}),
        *[("file", "failed", None, {"file_name": f"{number:03}.fit"}) for number in range(110)],
    ]):  # fmt: skip
        row = item(kind, outcome, activity_id=activity_id, **fields) | {"item_id": str(place)}
        mart_file.row("import_item", **row)
    mart_file.row("import_item", **item("file", "failed", file_name="g.fit") | {"import_id": "g"})
    mart_file.publish()
    app = visit(context_of(mart_file), "pipeline", **{"import": "a"})
    heads = re.findall(r"(\w).zip</a>", html(app))
    assert heads == ["a", "g", "f", "e", "d", "c"]
    assert "5 activities: 2 new · 3 known before" in said(app)
    found = table(app, "Twin")
    assert [row[0] for row in found[:2] + found[-1:]] == ["", "000.fit", "098.fit"]
    assert "13 more" in said(app)
    titles = re.findall(r"<h2[^>]*>([^<]+)", html(app))
    assert titles[0] == "Imports of your own files"
    for unknown in ("", "x"):
        app = visit(context_of(mart_file), "pipeline", **{"import": unknown})
        assert re.findall(r"(\w).zip</a>", html(app)) == ["g", "f", "e", "d", "c"]
        assert [row[0] for row in table(app, "Twin")] == ["g.fit"]
        assert re.findall(r"<h2[^>]*>([^<]+)", html(app))[0] != titles[0]


def test_a_running_import_says_how_far_it_is() -> None:
    """All rows and half of the files after 60 s: as long again; before the first file no end is told."""
    tell = Teller(now=NOW, zone=ZoneInfo("Europe/Berlin"))
    running = imported("a", "19:28:00", status="running", updated_at=at("19:29:00"), finished_at=None,
                       file_read_count=0, file_cut_short_count=0, file_failed_count=0)  # fmt: skip
    half = running | {"file_count": 1420, "file_read_count": 710, "file_open_count": 710}
    share, told = import_report.progress(half, tell) or (0.0, "")
    assert share == pytest.approx(2144 / 2854)
    assert told == "2,144 of 2,854 rows and files are done. At this pace it ends within minutes."
    lines = import_report.counts(half | {"activity_new_count": 0, "activity_known_count": 0}, tell)
    assert lines[1] == "1,420 files: 710 read · 710 to come"
    none = running | {"file_open_count": 1421, "row_open_count": 1434}
    assert import_report.progress(none, tell) == (0.0, "0 of 2,855 rows and files are done.")
    assert import_report.progress(running | {"status": "finished"}, tell) is None
