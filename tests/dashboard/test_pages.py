"""The pages as Streamlit draws them: the numbers shown are the mart's, and emptiness is told."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, MartMissing, QueryFailed
from dashboard import navigation
from dashboard.auto_refresh import is_outdated
from dashboard.context import PageContext
from dashboard.formatting import NOTHING
from dashboard.mart import Mart
from dashboard.views import overview as overview_page


def first_page(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page that opens first."""
    from dashboard import navigation  # noqa: PLC0415 - see above

    navigation.show(context)


def other_page(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page that AppTest cannot click its way to."""
    from dashboard import navigation  # noqa: PLC0415 - see above
    from dashboard.views import pipeline  # noqa: PLC0415 - see above

    navigation.draw(context, pipeline.show)


def overview(context: PageContext) -> AppTest:
    """Open the page that opens first."""
    return drawn(AppTest.from_function(first_page, kwargs={"context": context}))


def pipeline(context: PageContext) -> AppTest:
    """Open the other page."""
    return drawn(AppTest.from_function(other_page, kwargs={"context": context}))


def drawn(app: AppTest) -> AppTest:
    """Run it, and expect that nothing was raised."""
    app.run(timeout=30)
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """Join all that the page says in words."""
    return "\n".join(
        str(element.value)
        for kind in (app.info, app.warning, app.success, app.error, app.caption, app.text, app.markdown)
        for element in kind
    )


def shown(app: AppTest, title: str) -> list[str]:
    """Return the values of all numbers of that title, from the top."""
    return [metric.value for metric in app.metric if metric.label == title]


def test_the_cards_show_week_month_and_year(lively: Any, context_of: Any) -> None:
    """The sums of the typed-in days, with units."""
    app = overview(context_of(lively))
    assert shown(app, "Distance") == ["1,050.8 km", "1,060.8 km", "1,072.8 km"]
    assert shown(app, "Time") == ["34 h 42 min", "36 h 08 min", "40 h 08 min"]
    assert shown(app, "Elevation") == ["12,465 m", "12,515 m", "13,415 m"]
    assert shown(app, "Activities") == ["3", "5", "6"]
    assert app.metric[0].delta == "+1,042.8 km"


@pytest.mark.parametrize(
    ("utc_offset_s", "week", "distance"),
    [
        (-36_000, "16 \N{EN DASH} 22 Nov 2026", "5.0 km"),
        (3_600, "23 Nov 2026", "7.0 km"),
        (46_800, "23 Nov 2026", "7.0 km"),
        (None, "23 Nov 2026", "7.0 km"),
    ],
)
def test_this_week_is_the_athletes(
    mart_file: Any, context_of: Any, utc_offset_s: int | None, week: str, distance: str
) -> None:
    """At half past midnight of a Monday in Berlin it is Sunday in Honolulu; nobody knows where: the page's zone."""
    mart_file.activity("2026-11-22", "Run", km=5, minutes=25)
    mart_file.activity("2026-11-23", "Run", km=7, minutes=35)
    mart_file.health(utc_offset_s=utc_offset_s)
    mart_file.publish(date(2026, 11, 23))
    app = overview(context_of(mart_file, lambda: datetime.fromisoformat("2026-11-22T23:30:00Z")))
    assert f"**This week** · {week}" in [element.value for element in app.markdown]
    assert shown(app, "Distance")[0] == distance


def test_the_bars_begin_by_the_athletes_day(mart_file: Any, context_of: Any) -> None:
    """A year of weeks ends with the athlete's running one: in Auckland Monday has come, in Honolulu it has not."""
    mart_file.activity("2024-05-01", "Run", km=5, minutes=25)
    for utc_offset_s, since in ((46_800, "1 Dec 2025"), (-36_000, "24 Nov 2025")):
        mart_file.health(utc_offset_s=utc_offset_s)
        mart_file.publish()
        app = overview(context_of(mart_file, lambda: datetime.fromisoformat("2026-11-22T20:00:00Z")))
        assert f"Nothing since {since}." in said(app)


def test_marts_without_a_column_are_told_to_be_of_another_version(lively: Any, context_of: Any) -> None:
    """The page's own query names what it needs, so that no page trips over a column that is not there."""

    class Older:
        """Answers as an adapter does whose marts have every column of the health but one."""

        def rows(self, sql: str, parameters: object = ()) -> list[dict[str, object]]:
            if "utc_offset_s" in sql:
                raise QueryFailed("no column utc_offset_s")
            return [{"athlete_id": 7001}]

        def version(self) -> str | None:
            return "the same"

        def close(self) -> None: ...

    context = context_of(lively)
    older = PageContext(mart=Mart(Older()), zone=context.zone, refresh_s=2.0, clock=context.clock)
    assert "another version built them" in said(overview(older))


def test_the_pickers_choose_what_the_bars_show(lively: Any, context_of: Any) -> None:
    """Eight activities in all years, 780 m of climbing in the year before among them."""
    app = overview(context_of(lively))
    assert "In all, 1,072.8 km since the week of Mon 24 Nov 2025." in said(app)
    app.segmented_control(key="period").set_value("Year")
    app.segmented_control(key="measure").set_value("Activities")
    assert "In all, 8 since 2025." in said(drawn(app))
    assert list(app.dataframe[0].value["Year"]) == ["2026", "2025"]
    assert list(app.dataframe[0].value["All"]) == ["6", "2"]


def test_the_latest_table_links_to_strava_and_leaves_names_alone(lively: Any, context_of: Any) -> None:
    """Names are cells of a table, in which nothing is interpreted."""
    table = overview(context_of(lively)).dataframe[1].value
    assert list(table.columns) == ["Start", "Sport", "Distance", "Time", "Pace or speed", "Name", "Strava"]
    assert list(table["Name"][:2]) == ["WeightTraining 8", "<b>Far</b> **out** :bike: 🚴"]
    assert list(table["Time"][:2]) == ["00:30:00", "33:20:00"]
    assert list(table["Pace or speed"][:4]) == [NOTHING, "31.2 km/h", "5:00 /km", "2:15 /100 m"]
    assert table["Strava"][0] == "https://www.strava.com/activities/8"


def test_times_are_shown_in_the_zone_that_was_asked_for(lively: Any, context_of: Any) -> None:
    """The mart's UTC moments appear in Berlin's time, and the zone is named."""
    text = said(overview(context_of(lively)))
    assert "as of 18 Nov 2026, 20:29:50 CET (less than 1 min ago) · times in Europe/Berlin" in text


def test_charts_that_should_have_been_renewed_are_not_called_live(mart_file: Any, context_of: Any) -> None:
    """Both pages warn, and say since when; a build of any minute of this hour is live."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25)
    mart_file.health(last_transform_started_at=datetime.fromisoformat("2026-11-18T18:59:59"))
    mart_file.publish()
    for text in (said(overview(context_of(mart_file))), said(pipeline(context_of(mart_file)))):
        assert "have not been renewed since 18 Nov 2026, 19:59:59 CET" in text
        assert "log of the transformer" in text
        assert "As of 18 Nov 2026, 19:59:59 CET (30 min ago)" in text
        assert "Live" not in text
    mart_file.health(last_transform_started_at=datetime.fromisoformat("2026-11-18T19:00:00"))
    mart_file.publish()
    renewed = overview(context_of(mart_file))
    assert "Live · as of 18 Nov 2026, 20:00:00 CET" in said(renewed)
    assert not renewed.warning


def test_the_pipeline_shows_the_marts_health(mart_file: Any, context_of: Any) -> None:
    """Every number of the page is that of its column."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25)
    mart_file.health(
        last_event_at=datetime.fromisoformat("2026-11-18T19:00:00"),
        last_event_finished_at=datetime.fromisoformat("2026-11-18T19:00:01"),
        last_event_outcome="stored",
        activity_count=1482,
        detailed_count=1400,
        summary_count=82,
        deleted_count=14,
        waiting_event_count=8,
    )
    mart_file.latency("save_to_heard", 1, 0.412, 1.25, event_count=41)
    mart_file.latency("heard_to_raw", 1, 0.04, 0.3, event_count=41)
    mart_file.latency("save_to_chart", 1, 2.1, 3.84, event_count=41, not_on_chart_count=2)
    mart_file.latency("save_to_chart", 30, 2.1, 125.0)
    mart_file.latency("save_to_heard", 1, 99, 99, athlete_id=8)
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    assert shown(app, "Last event") == ["18 Nov 2026, 20:00:00 CET"]
    assert (shown(app, "Save to chart, p50"), shown(app, "Save to chart, p95")) == (["2.1 s"], ["3.8 s"])
    titles = ("Activities", "Detailed", "Summary only", "Deleted", "Waiting", "Calls left")
    values = [["1,482"], ["1,400"], ["82"], ["14"], ["8"], [NOTHING]]
    assert [shown(app, title) for title in titles] == values
    stages = next(table.value for table in app.dataframe if "Stage" in table.value)
    assert stages.to_numpy().tolist() == [
        ["Save on Strava to webhook", "0.4 s", "1.2 s", NOTHING, NOTHING, "0 events"],
        ["Webhook to warehouse", "< 0.1 s", "0.3 s", NOTHING, NOTHING, "0 events"],
        ["Webhook to charts", NOTHING, NOTHING, NOTHING, NOTHING, "0 events"],
        ["Save on Strava to charts", "2.1 s", "3.8 s", "2.1 s", "2 min 05 s", "1 event"],
    ]
    text = said(app)
    assert "Not checked yet" in text
    assert "`athlete daily` does it now" in text
    assert "only their ids are kept" in text
    assert "Half were faster in the last 24 hours (41 events, 2 not on a chart yet)." in text
    assert "No event reached the warehouse in the last 24 hours. Pick 30 days" in text


CHECKED = "checked 07:00"


@pytest.mark.parametrize(
    ("verdict", "ours", "more", "sentence"),
    [
        ("complete", 1482, {}, f"**Strava 1,482 = warehouse 1,482**, {CHECKED}."),
        (
            "complete", 1482, {"missing_count": 2, "changed_count": 1, "repaired_count": 3},
            f"**Strava 1,482 = warehouse 1,482**, {CHECKED}: 2 missing, 1 changed; all repaired.",
        ),
        (
            "incomplete",
            1480,
            {"reconcile_reason": "Two are left.", "reconcile_retry_at": "2026-11-18T06:15:00", "missing_count": 2,
             "differs_since": "2026-11-17T06:00:00"},
            (f"**Strava 1,482 ≠ warehouse 1,480**, {CHECKED}: 2 missing; 0 repaired. It differs since 17 Nov 2026, "
            "07:00, and was never complete so far. Two are left. It can go on from 07:15."),
        ),
        (
            "incomplete", 1482, {"changed_count": 1, "last_complete_at": "2026-11-16T06:00:00"},
            (f"**Strava 1,482 and warehouse 1,482 differ**, {CHECKED}: 1 changed; 0 repaired. It differs, and was "
            "complete the last time 16 Nov 2026, 07:00."),
        ),
        (
            "complete",
            1482,
            {"cut_short_at": "2026-11-18T19:00:00", "cut_short_reason": "No answer.",
             "reconcile_retry_at": "2026-11-19T06:15:00"},
            (f"**Strava 1,482 = warehouse 1,482**, {CHECKED}.\n\n**Not checked** 20:00. "
            "No answer. It can go on from 19 Nov 2026, 07:15."),
        ),
    ],
)  # fmt: skip
def test_the_verdict_is_told_with_its_counts(
    mart_file: Any, context_of: Any, verdict: str, ours: int, more: dict[str, Any], sentence: str
) -> None:
    """Complete or not, with both counts, when they were compared, why not, since when, and what was cut short since."""
    counts = dict.fromkeys(("missing_count", "extra_count", "changed_count", "repaired_count"), 0)
    checked = {"reconcile_verdict": verdict, "last_reconciled_at": datetime.fromisoformat("2026-11-18T06:00:00")}
    told = {
        key: datetime.fromisoformat(value) if key.endswith(("_at", "_since")) else value for key, value in more.items()
    }
    mart_file.health(**{**counts, **checked, **told}, reconcile_strava_count=1482, reconcile_warehouse_count=ours)
    mart_file.publish()
    app = pipeline(context_of(mart_file))
    box = app.error if verdict != "complete" else app.warning if "cut_short_at" in more else app.success
    assert [element.value for element in box] == [sentence]


def test_a_check_that_never_reached_the_end_is_told(mart_file: Any, context_of: Any) -> None:
    """There are no counts to show, and what to do stands there."""
    mart_file.health(cut_short_at=datetime.fromisoformat("2026-11-18T06:00:00"), cut_short_reason="Connect again.")
    mart_file.publish()
    shown = said(pipeline(context_of(mart_file)))
    assert "**Not checked** 07:00. Connect again." in shown
    assert "Not checked yet" not in shown


LISTED = {"started_at": "2026-11-18 19:00:01", "listed_at": "2026-11-18 19:00:09", "listed_count": 2115}
DETAILS = "1,240 of 2,115 details"
WAITS = "It goes on today about 20:45: Spent."
FAILED = "5 activities could not be fetched; they are tried again today about 21:10."


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({}, "**The history waits** for the worker to take it up."),
        (
            {"started_at": "2026-11-18 19:00:01", "listed_count": 800},
            "**The history is being loaded.** 800 activities listed so far.",
        ),
        (LISTED, f"**The history is being loaded.** {DETAILS}."),
        (
            {**LISTED, "has_streams": True, "streamed_count": 1010},
            f"**The history is being loaded.** {DETAILS}, 1,010 with streams.",
        ),
        (
            {**LISTED, "expected_at": "2026-11-19 13:00:05"},
            f"**The history is being loaded.** {DETAILS}, done Thursday about 14:00.",
        ),
        (
            {
                **LISTED,
                "expected_at": "2026-11-19 13:00:05",
                "waits_until": "2026-11-18 19:45:05",
                "waits_because": "Spent.",
            },
            f"**The history is being loaded.** {DETAILS}, done Thursday about 14:00. {WAITS}",
        ),
        (
            {**LISTED, "finished_at": "2026-11-18 19:10:00"},
            f"**History loaded.** {DETAILS}, since 20:10.",
        ),
        (
            {**LISTED, "finished_at": "2026-11-18 19:10:00", "failed_count": 5, "retry_at": "2026-11-18 20:10:00"},
            f"**History loaded.** {DETAILS}, since 20:10. {FAILED}",
        ),
        (
            {**LISTED, "finished_at": "2026-11-18 19:10:00", "has_details": False},
            "**History loaded.** 2,115 activities, since 20:10.",
        ),
    ],
)
def test_the_history_is_told(mart_file: Any, context_of: Any, row: dict[str, Any], sentence: str) -> None:
    """How far it is, when it will be done, and what it waits for; of this athlete and no other."""
    mart_file.health(activity_count=2115, detailed_count=1240, summary_count=875)
    mart_file.backfill(**row)
    mart_file.backfill(athlete_id=8, waits_because="Another's.")
    mart_file.publish()
    told = said(pipeline(context_of(mart_file)))
    assert sentence in told
    assert "Another's" not in told


def test_no_mart_says_what_to_run(mart_file: Any, context_of: Any) -> None:
    """Both pages give the same advice, and no other beside it."""
    for page in (overview, pipeline):
        app = page(context_of(mart_file))
        assert "Run `athlete demo`" in said(app)
        assert not app.text


def test_nobody_connected_says_what_to_run(mart_file: Any, context_of: Any) -> None:
    """The marts may exist before there is an athlete."""
    mart_file.publish()
    assert "Run `athlete connect`" in said(overview(context_of(mart_file)))


def test_no_activities_and_no_events_are_told(mart_file: Any, context_of: Any) -> None:
    """A connected athlete without anything sees no empty charts, and is told what will happen."""
    mart_file.health()
    mart_file.publish()
    page = overview(context_of(mart_file))
    assert "No activities yet" in said(page)
    assert not page.metric
    assert "No events yet" in said(pipeline(context_of(mart_file)))


def test_a_long_break_leaves_the_chart_empty_and_says_so(mart_file: Any, context_of: Any) -> None:
    """No activity within a year of weeks: the page says where to look."""
    mart_file.activity("2024-05-01", "Run", km=5, minutes=25)
    mart_file.health()
    mart_file.publish()
    assert "Nothing since 24 Nov 2025. Pick a longer period" in said(overview(context_of(mart_file)))


def test_several_athletes_are_picked_from(lively: Any, context_of: Any) -> None:
    """Each sees their own numbers."""
    lively.activity("2026-11-18", "Run", km=5, minutes=25, athlete_id=8000)
    lively.health(8000)
    lively.publish()
    app = overview(context_of(lively))
    assert shown(app, "Distance")[0] == "1,050.8 km"
    app.selectbox(key="athlete").set_value(8000)
    assert shown(drawn(app), "Distance") == ["5.0 km", "5.0 km", "5.0 km"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (WarehouseBusy("locked"), "try again by itself"),
        (QueryFailed("no column x"), "another version built them. Run `athlete transform`"),
        (MartDamaged("mart.duckdb is damaged"), "The published marts are damaged"),
        (MartMissing("no table y"), "another version built them. Run `athlete transform`"),
    ],
)
def test_what_cannot_be_read_is_told_instead_of_raised(
    lively: Any, context_of: Any, error: Exception, sentence: str
) -> None:
    """A busy warehouse or marts of another version, even if only a table is missing, are no traceback."""
    context = context_of(lively)
    health = context.mart.snapshot().health

    class Refusing:
        def rows(self, sql: str, parameters: object = ()) -> list[dict[str, object]]:
            if "pipeline_health" in sql:
                return list(health)
            raise error

        def version(self) -> str | None:
            return "the same"

        def close(self) -> None: ...

    refused = PageContext(mart=Mart(Refusing()), zone=context.zone, refresh_s=2.0, clock=context.clock)
    text = said(overview(refused))
    assert sentence in text
    assert "No data yet" not in text


@pytest.mark.parametrize(
    ("error", "sentence"), [(MartDamaged(), "damaged"), (MartMissing("no health"), "another version built them")]
)
def test_marts_that_cannot_be_read_are_no_empty_page(
    mart_file: Any, context_of: Any, error: Exception, sentence: str
) -> None:
    """Marts that are there, but damaged or without the first table, are said to be so, with what builds them again."""

    class Unreadable:
        def rows(self, sql: str, parameters: object = ()) -> list[dict[str, object]]:
            raise error

        def version(self) -> str | None:
            return "the same"

        def close(self) -> None: ...

    text = said(overview(replace(context_of(mart_file), mart=Mart(Unreadable()))))
    assert sentence in text
    assert "`athlete transform`" in text
    assert "No data yet" not in text


def test_marts_that_were_busy_are_looked_at_again(lively: Any, context_of: Any) -> None:
    """A page that could not be drawn is drawn again, though no other marts were published."""

    class Busy:
        def version(self) -> str | None:
            return "the same"

        def rows(self, sql: str, parameters: object = ()) -> list[dict[str, object]]:
            raise WarehouseBusy

        def close(self) -> None: ...

    page = replace(context_of(lively), mart=Mart(Busy()))
    drawn = navigation._drawn(page, overview_page.show)
    assert is_outdated(page, drawn)


@pytest.mark.parametrize(
    ("signed_in", "seen"),
    [
        ("accounts.google.com:me@example.org", [7001]),
        ("accounts.google.com:ME@example.org", [7001]),
        ("accounts.google.com:friend@example.org", []),  # listed, with another athlete
        ("accounts.google.com:stranger@example.org", []),
        ("", []),
        (None, []),
    ],
)
def test_a_viewer_sees_the_athletes_listed_for_them(
    lively: Any, context_of: Any, signed_in: str | None, seen: list[int]
) -> None:
    """Who is signed in sees their own list; who is unlisted, or not signed in, sees nobody."""
    viewers = {"Me@example.org": {7001, 1}, "friend@example.org": {7002}}
    context = replace(context_of(lively), viewers=viewers)
    assert context.visible(context.mart.snapshot(), signed_in).athlete_ids == seen


def test_who_is_no_viewer_is_shown_nothing(lively: Any, context_of: Any) -> None:
    """Both pages say what to do and draw no number; without viewers everybody sees all."""
    closed = replace(context_of(lively), viewers={})
    for page in (overview(closed), pipeline(closed)):
        assert "No athlete is shown to you" in said(page)
        assert not page.metric
    assert "No athlete is shown to you" not in said(overview(context_of(lively)))
