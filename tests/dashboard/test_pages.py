"""The pages as Streamlit draws them: the numbers shown are the mart's, and emptiness is told."""

import json
import math
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, MartMissing, MartRows, QueryFailed
from dashboard import navigation
from dashboard.auto_refresh import is_outdated
from dashboard.context import PageContext
from dashboard.formatting import MINUS, NARROW, NOTHING, Teller
from dashboard.mart import Mart
from tests.dashboard.conftest import NOW, TODAY

pytestmark = pytest.mark.slow
TIME = re.compile(r"(?<=\d)\\:")  # its colons are escaped
EMOJI = re.compile(r":(?!material/|streamlit:)[\w+-]+:")  # what makes Streamlit load them


def first_page(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page that opens first."""
    from dashboard import navigation  # noqa: PLC0415 - see above

    navigation.show(context)


def other_page(context, path):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page that AppTest cannot click its way to."""
    from dashboard import navigation  # noqa: PLC0415 - see above

    entry = next(one for one in navigation.ENTRIES if one.path == path)
    navigation.draw(context, entry, navigation._reader(context))


def page_of_state(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - AppTest runs this text by itself
    """Draw the page whose path the session tells, as the sidebar would."""
    import streamlit  # noqa: PLC0415 - see above

    from dashboard import navigation  # noqa: PLC0415 - see above

    entry = next(one for one in navigation.ENTRIES if one.path == streamlit.session_state["path"])
    navigation.draw(context, entry, navigation._reader(context))


def overview(context: PageContext) -> AppTest:
    """Open the page that opens first."""
    return drawn(AppTest.from_function(first_page, kwargs={"context": context}))


def pipeline(context: PageContext) -> AppTest:
    """Open the other page."""
    return visit(context, "pipeline")


def visit(context: Any, path: str, **told: str) -> AppTest:
    """Open a page with these words in its address."""
    app = AppTest.from_function(other_page, kwargs={"context": context, "path": path})
    for key, word in told.items():
        app.query_params[key] = word
    return drawn(app)


def helps(app: AppTest) -> list[str]:
    """Return what the page says when a text is pointed at."""
    return [TIME.sub(":", element.help) for element in app.markdown if element.help]


def drawn(app: AppTest) -> AppTest:
    """Run it with everything opened that can be; nothing may be raised, and each chart must be Vega-Lite's."""
    app.run(timeout=30)
    closed = [key for key in openable(app) if key not in app.session_state or not app.session_state[key]]
    for key in closed:
        app.session_state[key] = True
    if closed:
        app.run(timeout=30)
    assert not app.exception
    for chart in app.get("vega_lite_chart"):
        check_chart(chart.proto.spec)
    return app


def openable(app: AppTest) -> list[str]:
    """Return the keys of what is drawn when a reader opens it."""
    ids = [block.proto.popover.id for block in app.get("popover")] + [block.proto.id for block in app.get("expander")]
    return [found[0] for each in ids if (found := re.findall(r"-((?:why|sql|numbers)-.+)$", each))]


def said(app: AppTest) -> str:
    """Join all that the page says in words, as it is read: a colon of a time is escaped."""
    text = "\n".join(
        str(element.value)
        for kind in (app.info, app.warning, app.success, app.error, app.caption, app.text, app.markdown)
        for element in kind
    ).replace(NARROW, " ")
    return TIME.sub(":", text)


def shown(app: AppTest, title: str) -> list[str]:
    """Return the values of all numbers of that title, from the top."""
    return [TIME.sub(":", plain_units(metric.value)) for metric in app.metric if metric.label == title]


@cache
def check_chart(specification: str) -> None:
    """Hold a chart against Vega-Lite's schema, which no page does."""
    alt.TopLevelSpec.validate(json.loads(specification))


def taken_for_emojis(app: AppTest) -> list[str]:
    """Return the texts for which Streamlit loads all emojis that there are."""
    texts = [element.help or "" for element in app.markdown]
    texts += [element.value for kind in (app.caption, app.markdown, app.metric) for element in kind]
    return [text for text in texts if EMOJI.search(text)]


def plain_units(text: str) -> str:
    """Return a value without the marks that make its units small."""
    return re.sub(r":small\[(.*?)\]", r"\1", text).replace(NARROW, " ")


def html(app: AppTest) -> str:
    """Return what the page draws as HTML."""
    return "\n".join(element.proto.body for element in app.get("html")).replace(NARROW, " ")


def drawn_text(app: AppTest) -> str:
    """Return all that a page draws, as one text: words, tables and charts."""
    return "\n".join(str(element.proto) for element in app.main if hasattr(element, "proto")) + html(app) + said(app)


def test_the_tiles_show_the_week_against_a_year_ago(lively: Any, context_of: Any) -> None:
    """The sums of the typed-in days, with units, and the difference to the same days of the year before."""
    app = overview(context_of(lively))
    assert shown(app, "Distance this week") == ["1,051 km"]
    assert shown(app, "Time this week") == ["34 h 42 min"]
    assert shown(app, "Elevation this week") == ["12,465 m"]
    told = {metric.label: metric for metric in app.metric}
    assert plain_units(told["Distance this week"].delta) == "1,041 km"
    assert told["Distance this week"].proto.direction == told["Distance this week"].proto.MetricDirection.UP
    app.selectbox(key="sport").set_value("walk")
    nothing = {metric.label: metric for metric in drawn(app).metric}["Distance this week"]
    assert (plain_units(nothing.value), plain_units(nothing.delta)) == ("0.0 km", "0.0 km")
    assert nothing.proto.direction == nothing.proto.MetricDirection.NONE


@pytest.mark.parametrize(
    ("utc_offset_s", "distance"),
    [(-36_000, "5.0 km"), (3_600, "7.0 km"), (46_800, "7.0 km"), (None, "7.0 km")],
)
def test_this_week_is_the_athletes(mart_file: Any, context_of: Any, utc_offset_s: int | None, distance: str) -> None:
    """At half past midnight of a Monday in Berlin it is Sunday in Honolulu; nobody knows where: the page's zone."""
    mart_file.activity("2026-11-22", "Run", km=5, minutes=25)
    mart_file.activity("2026-11-23", "Run", km=7, minutes=35)
    mart_file.health(utc_offset_s=utc_offset_s)
    mart_file.publish(date(2026, 11, 23))
    app = overview(context_of(mart_file, lambda: datetime.fromisoformat("2026-11-22T23:30:00Z")))
    assert shown(app, "Distance this week") == [distance]


@pytest.mark.parametrize("path", [entry.path for entry in navigation.ENTRIES if entry.path != "activity"])
def test_no_time_is_taken_for_an_emoji(lively: Any, context_of: Any, path: str) -> None:
    """Streamlit takes the minutes of 12:34:56 for one, and draws such a text after 260 kB of all emojis there are."""
    app = AppTest.from_function(other_page, kwargs={"context": context_of(lively), "path": path}).run(timeout=30)
    assert any("Built " in text for text in helps(app))
    assert taken_for_emojis(app) == []


def test_marts_without_a_column_are_told_to_be_of_another_version(lively: Any, context_of: Any) -> None:
    """The page's own query names what it needs, so that no page trips over a column that is not there."""

    class Older:
        """Answers as an adapter does whose marts have every column of the health but one."""

        def rows(self, sql: str, parameters: object = ()) -> MartRows:
            if "utc_offset_s" in sql:
                raise QueryFailed("no column utc_offset_s")
            return MartRows([{"athlete_id": 7001}])

        def version(self) -> str | None:
            return "the same"

        def close(self) -> None: ...

    context = context_of(lively)
    older = PageContext(mart=Mart(Older()), zone=context.zone, refresh_s=2.0, clock=context.clock)
    assert "built by another version" in said(overview(older))


def test_the_filters_choose_sport_and_days(lively: Any, context_of: Any) -> None:
    """By a word in the address or by hand; each choice is written back, a default leaves nothing."""
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    app.query_params["sport"] = "run"
    app.query_params["range"] = "nonsense"
    app = drawn(app)
    assert (app.selectbox(key="sport").value, app.selectbox(key="range").value) == ("run", "12m")
    assert [f"{name}</a></td>" in html(app) for name in ("Run 6", "Run 2", "Hike 3")] == [True, False, False]
    app.selectbox(key="range").set_value("all")
    app = drawn(app)
    assert "Run 2</a></td>" in html(app)
    assert app.query_params == {"sport": "run", "range": "all"}
    app.selectbox(key="sport").set_value("all")
    assert drawn(app).query_params == {"range": "all"}


def test_days_of_ones_own_are_kept_in_the_address(lively: Any, context_of: Any) -> None:
    """First and last day, both included; what is no span of days is left out."""
    for told, is_shown in (("2026-10-05..2026-11-10", True), ("2026-11-10..2026-10-05", False), ("x", False),
                           ("20261005..20261110", False), ("0001-01-01..2026-11-10", False),
                           ("2026-10-05..9999-12-31", False)):  # fmt: skip
        app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
        app.query_params["range"] = "custom"
        app.query_params["dates"] = told
        app = drawn(app)
        listed = tuple(f"{name}</a></td>" in html(app) for name in ("Hike 3", "Run 6"))
        assert listed == ((True, False) if is_shown else (True, True))


def test_a_link_to_days_of_ones_own_shows_the_same_tomorrow(lively: Any, context_of: Any) -> None:
    """The newest ninety stand in the address as soon as they are chosen, or asked for without days."""
    app = overview(context_of(lively))
    app.selectbox(key="range").set_value("custom")
    link = {"range": "custom", "dates": "2026-08-21..2026-11-18"}
    assert drawn(app).query_params == link
    assert visit(context_of(lively), "trends", range="custom", dates="x").query_params == link
    lively.publish(TODAY + timedelta(days=1))
    tomorrow = context_of(lively, lambda: NOW + timedelta(days=1))
    assert visit(tomorrow, "trends", **link).query_params == link
    assert visit(tomorrow, "trends", range="custom").query_params["dates"] == "2026-08-22..2026-11-19"


def test_choices_outlive_a_page_that_does_not_draw_them(lively: Any, context_of: Any) -> None:
    """A link of the sidebar drops the address, and Pipeline has no filters: back on Overview they are as they were."""
    app = AppTest.from_function(page_of_state, kwargs={"context": context_of(lively)})
    app.session_state["path"] = "overview"
    app = drawn(app)
    app.selectbox(key="sport").set_value("run")
    app = drawn(app)
    for path in ("pipeline", "overview"):
        app.session_state["path"] = path
        app.query_params.clear()
        app = drawn(app)
    assert (app.selectbox(key="sport").value, app.query_params) == ("run", {"sport": "run"})
    assert "Run 6" in html(app)
    assert "Hike 3" not in html(app)
    app.selectbox(key="sport").set_value("all")
    assert drawn(app).query_params == {}


def test_an_activity_without_a_day_stops_no_page(lively: Any, context_of: Any) -> None:
    """A sport of which no day is known is not offered; the others are drawn."""
    lively.activity("2026-11-18", "Kayaking", km=5, minutes=60, sport_group="water", start_date_local=None)
    lively.publish()
    app = overview(context_of(lively))
    assert "water" not in app.selectbox(key="sport").options
    assert shown(app, "Distance this week") == ["1,051 km"]


@pytest.mark.parametrize(
    ("hour", "streak", "goal"),
    [
        ("2026-11-18T20:30", "now 3 days, today counted", ""),
        ("2026-11-19T00:10", "3 days as of 18 Nov 2026", "As of 18 Nov 2026, in Week 47, 16 \N{EN DASH} 22 Nov 2026."),
        ("2026-11-23T00:10", "3 days as of 18 Nov 2026", "As of 18 Nov 2026, in Week 47, 16 \N{EN DASH} 22 Nov 2026."),
    ],
)
def test_what_is_of_the_day_of_the_build_says_so(
    lively: Any, context_of: Any, hour: str, streak: str, goal: str
) -> None:
    """After midnight, until the marts are built again: streak, goals and form."""
    run = {"period_kind": "day", "period": "all", "current_length": 3, "is_at_risk": False, "longest_length": 3}
    ends = {"longest_start_date": date(2026, 11, 16), "longest_end_date": date(2026, 11, 18)}
    lively.row("streak", athlete_id=7001, sport_group="all", **run, **ends)
    week = {"period_kind": "week", "period_start_date": date(2026, 11, 16), "is_current": True, "is_reached": True}
    parts = {"measure": "moving_time_s", "sport_groups": "all", "target": 3600.0, "done": 7200.0, "expected": 900.0}
    lively.row("goal_progress", athlete_id=7001, goal_number=1, **week, **parts)
    lively.activity("2026-11-18", "Ride", km=30, minutes=60, load=84.0)
    lively.publish()
    app = overview(context_of(lively, lambda: datetime.fromisoformat(f"{hour}+01:00")))
    text = said(app)
    assert streak in text
    assert ("today counted" in text) == (not goal)
    assert ("As of" in text.replace(":gray-badge[:material/schedule: As of]", "")) == bool(goal)
    assert goal in text
    fitness, fatigue = (84 * (1 - math.exp(-1 / days)) for days in (42, 7))
    form = {"2026-11-18T20:30": 0, "2026-11-19T00:10": fitness - fatigue}
    if hour in form:
        assert shown(app, "Form today") == [f"{form[hour]:.0f}".replace("-", MINUS)]
        app.selectbox(key="sport").set_value("ride")
        assert shown(drawn(app), "Form today, all sports") == [f"{form[hour]:.0f}".replace("-", MINUS)]


@pytest.mark.parametrize(
    ("sport", "shown_goals", "folded"),
    [
        ("all", ["Activities: 3 of 10 · on plan would be 5 · 3.5 a day left", "Ride · Load: 80 of 300"], "2 more"),
        ("run", ["All sports · Activities: 3 of 10", "since 1 Nov 2026 · Run: 20.0"], ""),
        ("ride", ["All sports · Activities: 3 of 10", "Ride · Load: 80 of 300"], "1 more"),
    ],
)
def test_every_goal_that_a_sport_counts_towards_is_told(
    lively: Any, context_of: Any, sport: str, shown_goals: list[str], folded: str
) -> None:
    """What is counted, for which sports and until when; what the card has no room for is behind one line."""
    base = {"athlete_id": 7001, "is_current": True, "is_reached": False, "expected": 5.0, "needed_per_day": 3.5}
    week = {"period_kind": "week", "period_start_date": date(2026, 11, 16), "period_end_date": date(2026, 11, 22)}
    month = {"period_kind": "month", "period_start_date": date(2026, 11, 1), "period_end_date": date(2026, 11, 30)}
    ever = {"period_kind": "lifetime", "period_start_date": date(2026, 11, 1), "expected": None, "needed_per_day": None}
    goals = [
        {**week, "measure": "activity_count", "sport_groups": "all", "target": 10.0, "done": 3.0},
        {**week, "measure": "load", "sport_groups": "ride", "target": 300.0, "done": 80.0},
        {**month, "measure": "distance_m", "sport_groups": "ride", "target": 9e5, "done": 1e5},
        {**ever, "measure": "distance_m", "sport_groups": "run", "target": 9e5, "done": 2e4},
    ]
    for number, goal in enumerate(goals, 1):
        lively.row("goal_progress", goal_number=number, **(base | goal))
    lively.activity("2026-11-18", "Run", km=5, minutes=30)
    lively.publish()
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    app.query_params["sport"] = sport
    told = html(drawn(app))
    for sentence in shown_goals:
        assert sentence in told
    assert [each.label for each in app.expander if "more" in each.label] == [folded] * bool(folded)


def test_an_athlete_without_any_load_has_no_form(lively: Any, context_of: Any) -> None:
    """A dash, and no word for it; 0 would be a state of balance."""
    app = overview(context_of(lively))
    assert shown(app, "Form today") == [NOTHING]
    assert [metric.delta for metric in app.metric if metric.label == "Form today"] == ["no load yet"]


def test_a_year_that_is_not_there_is_compared_with_nothing(mart_file: Any, context_of: Any) -> None:
    """Who began three weeks ago, or whose history is not listed yet, has no year ago; who rested then has."""
    mart_file.activity("2026-11-01", "Run", km=5, minutes=25)
    mart_file.activity("2026-11-17", "Run", km=48.1, minutes=250)
    mart_file.health()
    mart_file.publish()
    assert told_delta(overview(context_of(mart_file))) == (NOTHING, 0)
    assert "On 16 \N{EN DASH} 18 Nov 2025" not in said(overview(context_of(mart_file)))
    mart_file.activity("2025-03-01", "Run", km=5, minutes=25)
    mart_file.publish()
    assert told_delta(overview(context_of(mart_file))) == ("48.1 km", 1)
    mart_file.backfill(started_at="2026-11-18 19:00:01")
    mart_file.publish()
    assert told_delta(overview(context_of(mart_file))) == (NOTHING, 0)


def told_delta(app: AppTest) -> tuple[str, int]:
    """Return what the first tile says of the year before, and 1 where it has an arrow upwards, 0 without."""
    [metric] = [one for one in app.metric if one.label == "Distance this week"]
    directions = {metric.proto.MetricDirection.UP: 1, metric.proto.MetricDirection.NONE: 0}
    return plain_units(metric.delta), directions[metric.proto.direction]


def test_the_week_counts_all_of_its_activities(lively: Any, context_of: Any) -> None:
    """Why lists ten of them and says how many more, beyond what its query returns."""
    for _ in range(30):
        lively.activity("2026-11-16", "Run", km=1, minutes=6)
    lively.publish()
    assert "and 23 more activities" in said(overview(context_of(lively)))


def test_a_filter_that_leaves_nothing_says_so_and_offers_all_days(lively: Any, context_of: Any) -> None:
    """When there was something last, and one click to it."""
    lively.activity("2024-05-01", "Kayaking", km=5, minutes=60, sport_group="water")
    lively.publish()
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    app.query_params["sport"] = "water"
    app = drawn(app)
    assert "Nothing for **Water** in **Last 12 months**. The last one was on 1 May 2024." in said(app)
    app.button(key="all-latest").click()
    assert "Kayaking 9" in html(drawn(app))
    assert app.query_params["range"] == "all"


def test_after_a_long_break_all_time_shows_what_was_before_it(mart_file: Any, context_of: Any) -> None:
    """The calendar and the weeks end with the last activity where a year or more has passed since."""
    mart_file.activity("2022-11-01", "Run", km=5, minutes=30)
    mart_file.activity("2024-05-01", "Run", km=5, minutes=30)
    mart_file.health()
    mart_file.publish()
    app = AppTest.from_function(first_page, kwargs={"context": context_of(mart_file)})
    app.query_params["range"] = "all"
    told = said(drawn(app))
    assert "have nothing to show here" not in told
    assert "1 May 2023 \N{EN DASH} 1 May 2024 \N{MIDDLE DOT} 1 active day of 367" in told
    assert "Nothing since 5 May 2024." in told


def test_a_week_that_is_not_built_yet_is_no_break(lively: Any, context_of: Any) -> None:
    """On a Monday, until the marts are built again, they end before the week that is asked for."""
    monday = datetime.fromisoformat("2026-11-23T00:10+01:00")
    assert "Nothing since" not in said(overview(context_of(lively, lambda: monday)))


def test_trends_have_nothing_of_a_year_that_has_just_begun(lively: Any, context_of: Any) -> None:
    """On 1 January, until the marts are built again, the rolling sums end before the days asked for."""
    sums = {"distance_m": 8000.0, "moving_time_s": 2400, "elevation_gain_m": 50.0, "activity_count": 1}
    for day in (date(2026, 1, 1), date(2026, 12, 31)):
        key = {"athlete_id": 7001, "sport_group": "all", "window_days": 28, "date_day": day}
        lively.row("trend_rolling_daily", **key, **sums, is_warming_up=False)
    lively.publish()
    context = context_of(lively, lambda: datetime.fromisoformat("2027-01-01T00:10:00+01:00"))
    assert "Nothing for **All sports** in **This year**. The last one was on 18 Nov 2026." in said(
        visit(context, "trends", range="year")
    )


def test_methods_share_out_the_load_and_not_the_activities(mart_file: Any, context_of: Any) -> None:
    """One activity has 60 of a load of 100, two have the rest; one before the days asked for, and a ride, none."""
    loads = [("2026-11-16", 60, "heart_rate"), ("2026-11-17", 25, "time"), ("2026-11-18", 15, "time")]
    for day, load, method in [*loads, ("2025-11-01", 500, "power_strava"), ("2026-11-18", None, "pace")]:
        mart_file.activity(day, "Run", km=5, minutes=30, load=load, load_method=method)
    mart_file.activity("2026-11-18", "Ride", km=5, minutes=30, load=700, load_method="power_strava")
    mart_file.health()
    mart_file.publish()
    app = AppTest.from_function(first_page, kwargs={"context": context_of(mart_file)})
    app.query_params["sport"] = "run"
    assert "Load: 60 % heart rate, 40 % time alone\n" in said(drawn(app)) + "\n"


def test_distances_are_counted_in_the_span_that_holds_them(mart_file: Any, context_of: Any) -> None:
    """2.9 km is in that from 2.5 km on, and 3 km in the next."""
    for km in (2.9, 2.9, 3.0):
        mart_file.activity("2026-11-16", "Run", km=km, minutes=20)
    mart_file.health()
    mart_file.publish()
    assert "Most often 2.5 km \N{EN DASH} 3.0 km: 2 of 3 activities." in said(visit(context_of(mart_file), "trends"))


def test_the_latest_link_to_their_pages_and_leave_names_alone(lively: Any, context_of: Any) -> None:
    """A name is text, markup and all."""
    told = html(overview(context_of(lively)))
    assert "&lt;b&gt;Far&lt;/b&gt; **out** :bike: 🚴" in told
    assert "<b>Far" not in told
    assert '<a href="activity?id=8">WeightTraining 8</a>' in told
    for cell in ("31.2 <small>km/h</small>", "5:00 <small>/km</small>", "2:15 <small>/100\N{NO-BREAK SPACE}m</small>"):
        assert cell in told


def test_language_and_units_are_the_readers(lively: Any, context_of: Any) -> None:
    """The browser's language, or that of the address; units by choice."""
    german = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    german.context["locale"] = "de-AT"
    german = drawn(german)
    assert german.selectbox(key="lang").value == "de"
    german.selectbox(key="lang").set_value("en")
    assert drawn(german).query_params == {"lang": "en"}
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    app.query_params["units"] = "imperial"
    assert shown(drawn(app), "Distance this week") == ["652.9 mi"]


def test_times_are_shown_in_the_zone_that_was_asked_for(lively: Any, context_of: Any) -> None:
    """The mart's UTC moments appear in Berlin's time, and the zone is named."""
    app = overview(context_of(lively))
    text = said(app)
    assert "Built 18 Nov 2026, 20:29:50 CET (less than 1 min ago). Times in Europe/Berlin." in helps(app)
    assert ":green-badge[:material/bolt: Live] 20:29" in text


def test_charts_that_should_have_been_renewed_are_not_called_live(mart_file: Any, context_of: Any) -> None:
    """Both pages warn, and say since when; a build of any minute of this hour is live."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25)
    mart_file.health(last_transform_started_at=datetime.fromisoformat("2026-11-18T18:59:59"))
    mart_file.publish()
    for text in (said(overview(context_of(mart_file))), said(pipeline(context_of(mart_file)))):
        assert "**Not renewed since 19:59.** Newer activities may be missing." in text
        assert "As of] 19:59" in text
        assert "Live" not in text
    mart_file.health(last_transform_started_at=datetime.fromisoformat("2026-11-18T19:00:00"))
    mart_file.publish()
    renewed = overview(context_of(mart_file))
    assert "Live] 20:00" in said(renewed)
    assert not renewed.warning


@pytest.mark.parametrize("path", ["overview", "training", "gear", "pipeline"])
def test_an_own_file_that_is_not_taken_is_told(lively: Any, context_of: Any, tmp_path: Path, path: str) -> None:
    """With the line and what to do, until it is corrected; a reader elsewhere is told nothing."""
    file = tmp_path / "athlete.toml"
    context = replace(context_of(lively), own_file=file)
    assert "athlete.toml is not taken" not in said(visit(context, path))
    file.write_text("weight = 60\nrun = 4", encoding="utf-8")
    text = said(visit(context, path))
    assert "**athlete.toml is not taken.** What it said before stays in force" in text
    assert "line 2: run: write a table" in text
    assert "is not taken" not in said(visit(context_of(lively), path))
    file.write_text("weight = 60", encoding="utf-8")
    assert "is not taken" not in said(visit(context, path))


def test_the_newest_records_tell_what_was_gained(lively: Any, context_of: Any) -> None:
    """A tie and the first time over a distance are no news; the name of the activity is text."""
    effort = {"athlete_id": 7001, "activity_id": 6, "distance_m": 5000.0, "sport_group": "run", "is_current": True}
    days = {"start_date_local": date(2026, 11, 16), "activity_name": '"<b>'}
    gained = {"elapsed_time_s": 1290, "previous_time_s": 1302, "improvement_s": 12}
    lively.row("record_progression", **effort, **days, **gained, effort_name="5K", record_number=2, is_tie=False)
    lively.row("record_progression", **effort, **days, **gained, effort_name="1K", record_number=2, is_tie=True)
    lively.row("record_progression", **effort, **days, **gained, effort_name="2K", record_number=1, is_tie=False)
    lively.publish()
    app = overview(context_of(lively))
    link = '<a href="activity?id=6" title="&quot;&lt;b&gt;">5 km</a>'
    assert f"{link}<small>21:30 on 16 Nov 2026, 0:12 faster" in html(app)
    assert html(app).count("faster</small></li>") == 1
    assert "5 km: 21:30, before it 21:42." in said(app)


def test_the_newest_milestones_obey_the_filter(lively: Any, context_of: Any) -> None:
    """Five of them, each with a link where an activity reached it; the reason names those activities."""
    total = {"athlete_id": 7001, "sport_group": "all", "milestone_kind": "count", "unit": "activities", "subject": ""}
    for day in range(1, 6):
        lively.row("milestone", **total, milestone_value=100 * day, reached_on=date(2026, 11, day))
    lively.row("milestone", **total, milestone_value=50, reached_on=date(2025, 11, 18))  # a day too early
    first = {"athlete_id": 7001, "sport_group": "run", "milestone_kind": "first_activity", "unit": "activities"}
    lively.row("milestone", **first, subject="Run", milestone_value=1, reached_on=date(2026, 11, 16), activity_id=6)
    lively.publish()
    app = overview(context_of(lively))
    told = html(app)
    link = '<a href="activity?id=6">First activity: Run</a><small>16 Nov 2026 · Run</small>'
    assert link in told
    assert [f"{number} activities<small>" in told for number in (100, 200, 500)] == [False, True, True]
    [reached] = [each for each in app.get("html") if "First activity" in each.proto.body]
    assert reached.proto.body.count("<li>") == 5
    assert '<a href="activity?id=6">Run 6</a>, 16 Nov 2026' in told
    listed = html(visit(context_of(lively), "records"))
    assert [f"{number} activities<small>" in listed for number in (50, 100)] == [False, True]
    app.selectbox(key="sport").set_value("ride")
    assert "No milestone was reached in these days." in said(drawn(app))
    app.selectbox(key="sport").set_value("run")
    assert link.replace("id=6", "id=6&amp;sport=run") in html(drawn(app))


def test_best_efforts_obey_the_filter(lively: Any, context_of: Any) -> None:
    """The fastest of the sport in the days asked for: no slower one, no ride, none that is older or excluded."""
    for number, (group, day, seconds, reason) in enumerate(
        [
            ("run", date(2026, 11, 16), 1400, None), ("run", date(2026, 11, 17), 1300, None),
            ("ride", date(2026, 11, 17), 600, None), ("run", date(2025, 11, 18), 1200, None),
            ("run", date(2026, 11, 18), 1100, "indoors"),
        ]
    ):  # fmt: skip
        lively.row(
            "record_best_effort", athlete_id=7001, effort_name="5K", distance_m=5000.0, elapsed_time_s=seconds,
            sport_group=group, start_date_local=day, activity_id=number, excluded_reason=reason,
        )  # fmt: skip
    run = {"effort_name": "5K", "distance_m": 5000.0, "sport_group": "run", "is_tie": False, "is_current": True}
    lively.row(
        "record_progression", athlete_id=7001, **run, record_number=1, elapsed_time_s=1200, days_stood=365,
        start_date_local=date(2025, 11, 18), activity_id=3,
    )  # fmt: skip
    lively.publish()
    table = next(body for body in html(visit(context_of(lively), "records")).split("<table")[1:] if "5 km" in body)
    assert re.findall(r"<b>([\d:]+)</b>", table) == ["21:40"]


def test_the_newest_records_obey_the_filter(lively: Any, context_of: Any) -> None:
    """A ride's are none of runs, and what is older than the days asked for is not told."""
    for group, day, name in (("run", 16, "5K"), ("ride", 17, "10K"), ("run", -364, "15K")):
        lively.row(
            "record_progression", athlete_id=7001, effort_name=name, distance_m=1.0, sport_group=group, is_tie=False,
            is_current=True, record_number=2, elapsed_time_s=100, previous_time_s=110, improvement_s=10,
            start_date_local=date(2026, 11, 1) + timedelta(days=day - 1), activity_id=6,
        )  # fmt: skip
    lively.publish()
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)})
    told = html(drawn(app))
    assert [f">{km} km</a><small>1:40" in told for km in (5, 10, 15)] == [True, True, False]
    app.selectbox(key="sport").set_value("run")
    told = html(drawn(app))
    assert [f">{km} km</a><small>1:40" in told for km in (5, 10, 15)] == [True, False, False]


def test_starts_and_distances_obey_the_filter(lively: Any, context_of: Any) -> None:
    """Of runs in twelve months two begin at seven; the ride and the older run are left out."""
    for group, day, hour in (("run", 16, 7), ("run", 17, 7), ("ride", 18, 9), ("run", -364, 8)):
        day_of_start = date(2026, 11, 1) + timedelta(days=day - 1)
        lively.row(
            "start_pattern", athlete_id=7001, sport_group=group, date_day=day_of_start, day_of_week=1, start_hour=hour,
            excluded_reason="none", activity_count=1, moving_time_s=60,
        )  # fmt: skip
    lively.publish()
    told = said(visit(context_of(lively), "trends", sport="run"))
    assert "Most often on Monday, 7:00 \N{EN DASH} 7:59: 2 of 2 activities." in told
    assert "Most often 8.0 km \N{EN DASH} 8.5 km: 1 of 2 activities." in told


def test_a_predicted_race_is_told_by_another_distance(lively: Any, context_of: Any) -> None:
    """Where a marathon is the best run, the formula leads to the half: to itself it would tell nothing."""
    best = {
        "athlete_id": 7001, "exponent": 1.06, "is_own_exponent": False, "exponent_effort_count": 1, "vdot": 47.7,
        "reference_effort_name": "Marathon", "reference_distance_m": 42195.0, "reference_time_s": 11891,
        "reference_activity_id": 6, "reference_date": date(2026, 11, 16),
    }  # fmt: skip
    for name, metres in (("5K", 5000.0), ("10K", 10000.0), ("Half-Marathon", 21097.5), ("Marathon", 42195.0)):
        seconds = 11891 * (metres / 42195) ** 1.06
        lively.row(
            "race_prediction", **best, effort_name=name, distance_m=metres, predicted_time_s=seconds,
            vdot_time_s=seconds,
        )  # fmt: skip
    lively.publish()
    told = said(visit(context_of(lively), "records"))
    assert "Riegel: 3:18:11 · (21.1 km ÷ 42.2 km) ^ 1.060 = 1:35:03 for the Half marathon." in told


def test_records_list_all_that_they_count(lively: Any, context_of: Any) -> None:
    """Every milestone can be opened; of the excluded efforts the table says how many it has."""
    step = {"athlete_id": 7001, "sport_group": "all", "milestone_kind": "eddington", "unit": "km", "subject": ""}
    treadmill = {"athlete_id": 7001, "sport_group": "run", "effort_name": "1K", "distance_m": 1000.0}
    for n in range(1, 131):
        day = date(2026, 1, 1) + timedelta(days=n)
        lively.row("milestone", **step, milestone_value=n, reached_on=day)
        fields = {"elapsed_time_s": 300, "excluded_reason": "indoors", "start_date_local": day, "activity_id": n}
        lively.row("record_best_effort", **treadmill, **fields)
    lively.publish()
    app = visit(context_of(lively), "records")
    assert "118 more" in [block.label for block in app.expander]
    assert html(app).count(" (km)<small>") == 130
    assert "100 of 130 are listed, the newest of each reason." in said(app)


def test_the_chip_tells_what_is_not_yet_or_not_right(mart_file: Any, context_of: Any) -> None:
    """A history that is still loading, with what is left; and a difference that the last check found, first of all."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25)
    mart_file.health(activity_count=1300, detailed_count=60)
    mart_file.backfill(started_at="2026-11-18 19:00:01")
    mart_file.publish()
    loading = said(overview(context_of(mart_file)))
    assert ":gray-badge[:material/history: Loading history, 1,240 left]" in loading
    assert "**The history is being loaded.** 0 activities listed so far." in loading
    mart_file.backfill(athlete_id=8, started_at="2026-11-18 19:00:01", waits_because="Another's.")
    mart_file.publish()
    assert "Another" not in said(overview(context_of(mart_file)))
    mart_file.health(reconcile_verdict="incomplete", missing_count=2, extra_count=1, reconcile_strava_count=1,
                     reconcile_warehouse_count=1)  # fmt: skip
    mart_file.publish()
    [wrong] = [link.proto for link in overview(context_of(mart_file)).get("page_link")]
    assert ":red-badge[:material/error: Wrong: 3 differences]" in wrong.label
    assert wrong.page == "pipeline"


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
    assert [[cell.replace(NARROW, " ") for cell in row] for row in stages.to_numpy().tolist()] == [
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
            "complete", 1482, {"file_only_count": 37},
            f"**Strava 1,482 = warehouse 1,482, + 37 from files only**, {CHECKED}.",
        ),
        (
            "complete", 1482, {"missing_count": 2, "changed_count": 1, "repaired_count": 3},
            f"**Strava 1,482 = warehouse 1,482**, {CHECKED}: 2 missing, 1 changed; all repaired.",
        ),
        (
            "incomplete",
            1480,
            {"stopped_kind": "rate_limited", "unreadable_count": 1, "reconcile_retry_at": "2026-11-18T06:15:00",
             "missing_count": 2, "differs_since": "2026-11-17T06:00:00"},
            (f"**Strava 1,482 ≠ warehouse 1,480**, {CHECKED}: 2 missing; 0 repaired. It differs since 17 Nov 2026, "
            "07:00, and was never complete so far. 1 item of Strava's list could not be read or is another athlete's. "
            "2 differences are not repaired yet. The calls that Strava allows for this are used up. It can go on from "
            "07:15."),
        ),
        (
            "guarded", 1482, {"extra_count": 90},
            (f"**Strava 1,482 and warehouse 1,482 differ**, {CHECKED}: 90 extra; 0 repaired. It differs, and was never "
            "complete so far. 90 stored activities are not in Strava's list any more, so many that nothing was "
            "removed. If they were deleted at Strava, confirm it: `athlete daily --confirm`."),
        ),
        (
            "incomplete", 1482, {"changed_count": 1, "last_complete_at": "2026-11-16T06:00:00"},
            (f"**Strava 1,482 and warehouse 1,482 differ**, {CHECKED}: 1 changed; 0 repaired. It differs, and was "
            "complete the last time 16 Nov 2026, 07:00. 1 difference is not repaired yet."),
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


def test_the_history_is_complete_back_to_a_day(mart_file: Any, context_of: Any) -> None:
    """The day after the newest activity that lacks its details; nothing while the newest of all lacks them."""
    mart_file.activity("2023-04-13", "Run", km=5, minutes=25, resource_state=2)
    mart_file.activity("2023-04-20", "Ride", km=50, minutes=125, resource_state=3)
    mart_file.health(activity_count=2, detailed_count=1)
    mart_file.backfill(**LISTED)
    mart_file.publish()
    for page in (overview, pipeline):
        assert "1 of 2 details, complete back to 14 Apr 2023." in said(page(context_of(mart_file)))
    mart_file.activity("2023-04-20", "Swim", km=5, minutes=25, resource_state=2)
    mart_file.publish()
    assert "complete back to" not in said(pipeline(context_of(mart_file)))


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


def test_several_athletes_are_picked_from(lively: Any, context_of: Any) -> None:
    """Each sees their own numbers."""
    lively.activity("2026-11-18", "Run", km=5, minutes=25, athlete_id=8000)
    lively.health(8000)
    lively.publish()
    app = overview(context_of(lively))
    assert shown(app, "Distance this week") == ["1,051 km"]
    app.selectbox(key="athlete").set_value("8000")
    assert shown(drawn(app), "Distance this week") == ["5.0 km"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (WarehouseBusy("locked"), "The warehouse is busy. This page tries again in 2 s."),
        (QueryFailed("no column x"), "built by another version. Run `athlete transform`"),
        (MartDamaged("mart.duckdb is damaged"), "The published marts are damaged"),
        (MartMissing("no table y"), "built by another version. Run `athlete transform`"),
    ],
)
def test_what_cannot_be_read_is_told_instead_of_raised(
    lively: Any, context_of: Any, error: Exception, sentence: str
) -> None:
    """A busy warehouse or marts of another version, even if only a table is missing, are no traceback."""
    context = context_of(lively)
    health = context.mart.newest().snapshot().health

    class Refusing:
        def rows(self, sql: str, parameters: object = ()) -> MartRows:
            if "pipeline_health" in sql:
                return MartRows(dict(row) for row in health)
            raise error

        def version(self) -> str | None:
            return "the same"

        def close(self) -> None: ...

    refused = PageContext(mart=Mart(Refusing()), zone=context.zone, refresh_s=2.0, clock=context.clock)
    text = said(overview(refused))
    assert sentence in text
    assert "No data yet" not in text


@pytest.mark.parametrize(
    ("error", "sentence"), [(MartDamaged(), "damaged"), (MartMissing("no health"), "built by another version")]
)
def test_marts_that_cannot_be_read_are_no_empty_page(
    mart_file: Any, context_of: Any, error: Exception, sentence: str
) -> None:
    """Marts that are there, but damaged or without the first table, are said to be so, with what builds them again."""

    class Unreadable:
        def rows(self, sql: str, parameters: object = ()) -> MartRows:
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

        def rows(self, sql: str, parameters: object = ()) -> MartRows:
            raise WarehouseBusy

        def close(self) -> None: ...

    page = replace(context_of(lively), mart=Mart(Busy()))
    tell = Teller(now=page.now(), zone=page.zone)
    drawn = navigation._drawn(page, navigation.ENTRIES[0], tell, streamlit.container())
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
    assert context.visible(context.mart.newest().snapshot(), signed_in).athlete_ids == seen


def test_where_others_look_private_activities_have_no_name(
    lively: Any, context_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lists tell their sport instead, on every page; where the athlete is alone, the name is there."""
    monkeypatch.setattr(PageContext, "visible", lambda _, snapshot, __: snapshot)
    of_a_run = {"sport_type": "Run", "sport_group": "run", "start_date_local": date(2026, 11, 18)}
    lively.activity("2026-11-18", "Run", 30, 60, activity_id=990, name="To the hidden place", is_private=True)
    lively.row("record_best_effort", athlete_id=7001, effort_name="5K", distance_m=5000.0, elapsed_time_s=1400,
               excluded_reason="duration_implausible", activity_id=990, activity_name="To the hidden place",
               **of_a_run)  # fmt: skip
    used = {"athlete_id": 7001, "gear_id": "g1", "distance_m": 30_000.0}
    lively.row("gear_usage", **used, gear_name="Shoes", gear_kind="shoes", is_retired=False, activity_count=1,
               moving_time_s=3600, elevation_gain_m=0.0, service_count=0, due_service_count=0)  # fmt: skip
    day = {"start_date_local": date(2026, 11, 18)}
    lively.row("gear_activity", **used, **day, activity_id=990, name="To the hidden place")
    lively.publish()
    alone = context_of(lively)
    shared = replace(alone, viewers={"me@example.org": {7001}})
    for address in ("overview", "records", "gear"):
        mine, theirs = (drawn_text(visit(context, address)) for context in (alone, shared))
        switched = drawn_text(visit(alone, address, shared="1"))
        assert "To the hidden place" in mine
        assert "To the hidden place" not in theirs + switched
        assert "activity?id=990" in theirs
        assert "activity?id=990" in switched
        assert "The shared view is on: private activities have no name." in switched


def test_who_is_no_viewer_is_shown_nothing(lively: Any, context_of: Any) -> None:
    """Both pages say what to do and draw no number; without viewers everybody sees all."""
    closed = replace(context_of(lively), viewers={})
    for page in (overview(closed), pipeline(closed)):
        assert "No athlete is shown to you" in said(page)
        assert not page.metric
    assert "No athlete is shown to you" not in said(overview(context_of(lively)))


def test_the_eddington_number_is_there_without_activities_on_a_screen(lively: Any, context_of: Any) -> None:
    """The switch is drawn where there are any, and says which activities count."""
    for counts, number in ((True, 3), (False, 2)):
        life = {"athlete_id": 7001, "sport_group": "all", "unit": "km", "period": "all", "counts_virtual": counts}
        needed = {"days_at_next": 2, "days_needed_next": number - 1, "longest_day": 5}
        lively.row("eddington", **life, eddington_number=number, next_number=number + 1, **needed)
        for n in range(1, 6):
            lively.row("eddington_step", **life, n=n, days_at_least=6 - n, days_needed=max(0, 2 * n - 6))
    lively.publish()
    app = visit(context_of(lively), "records")
    assert "**3** now" in said(app)
    assert "Those on a screen count." in said(app)
    app.toggle(key="eddington-screens").set_value(False)
    drawn(app)
    assert "**2** now" in said(app)
    assert "Those on a screen are left out." in said(app)
    assert app.query_params["screens"] == "0"


def test_the_switch_is_there_when_all_was_on_a_screen(lively: Any, context_of: Any) -> None:
    """A link without those on a screen finds no day, says so, and lets them count again."""
    life = {"athlete_id": 7001, "sport_group": "all", "unit": "km", "period": "all"}
    of_one = {"eddington_number": 1, "next_number": 2, "days_at_next": 1, "days_needed_next": 1, "longest_day": 2}
    of_none = {"eddington_number": 0, "next_number": 1, "days_at_next": 0, "days_needed_next": 1, "longest_day": 0}
    lively.row("eddington", **life, counts_virtual=True, **of_one)
    lively.row("eddington", **life, counts_virtual=False, **of_none)
    for n in (1, 2):
        lively.row("eddington_step", **life, counts_virtual=True, n=n, days_at_least=1, days_needed=n - 1)
    lively.publish()
    app = AppTest.from_function(other_page, kwargs={"context": context_of(lively), "path": "records"})
    app.query_params["screens"] = "0"
    assert "has a whole km yet" in said(drawn(app))
    app.toggle(key="eddington-screens").set_value(True)
    assert "**1** now" in said(drawn(app))
