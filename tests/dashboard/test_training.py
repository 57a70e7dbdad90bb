"""The Training page against the marts: its numbers, both definitions, its charts' rows, and what it says in words."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.form import Definition
from dashboard.formatting import NARROW, Teller
from dashboard.mart import Row
from dashboard.training import audit, course, history, methods, strain, zones
from tests.dashboard.conftest import ATHLETE, TODAY, FileReader, training_rows
from tests.dashboard.test_pages import html, said, shown, visit

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 5)
LOADS = [float(30 * (n % 4)) for n in range((TODAY - FIRST).days + 1)]
DAYS = [(FIRST + timedelta(days=n), load, False) for n, load in enumerate(LOADS)]
AHEAD = [(TODAY + timedelta(days=n), 0.0, True) for n in range(1, 15)]


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """What the mart has of a history that began on 5 January."""
    return training_rows({"athlete_id": ATHLETE, "sport_group": "all"}, [*DAYS, *AHEAD])


@pytest.fixture
def trained(mart_file: Any) -> Any:
    """An athlete who runs and rides since January, with loads by three methods."""
    for number, (day, load, _) in enumerate(DAYS):
        if load:
            sport, method = ("Run", "heart_rate") if number % 8 < 4 else ("Ride", "power_strava")
            told = {"load": load, "load_method": method if load > 30 else "time"}
            mart_file.activity(day.isoformat(), sport, km=10, minutes=load, **told)
    values = {"load": 90.0, "load_uncapped": 90.0, "is_load_capped": False}
    newest = sum(1 for load in LOADS if load)
    for priority, method, load in ((1, "power_strava", 90.0), (2, "heart_rate", 50.0), (7, "time", 75.0)):
        told = values | {"load": load, "load_method": method, "priority": priority, "is_chosen": priority == 1}
        mart_file.row("load_alternatives", athlete_id=ATHLETE, activity_id=newest, load_ftp_w=250.0, **told)
    setting = {"setting": "ftp_w", "sport_group": "ride", "source": "file", "is_backdated": False}
    early, late = date(1900, 1, 1), date(2026, 6, 1)
    mart_file.row("athlete_setting", athlete_id=ATHLETE, valid_from=early, next_valid_from=late, value=230, **setting)
    mart_file.row("athlete_setting", athlete_id=ATHLETE, valid_from=late, value=250, **setting)
    ordered = {"setting": "load_order", "sport_group": "all", "source": "file", "is_backdated": False}
    words = "heart_rate,relative_effort"
    mart_file.row("athlete_setting", athlete_id=ATHLETE, valid_from=early, value=None, value_text=words, **ordered)
    mart_file.health()
    mart_file.publish()
    return mart_file


def training(context: Any, **chosen: str) -> AppTest:
    """Open the page with these words in its address."""
    return visit(context, "training", **chosen)


def of_today(file: Any, sport: str) -> Row:
    """Return the row of the mart that the numbers are of."""
    statement = "select * from mart.training_load_daily where sport_group = ? and date_day = ?"
    [row] = FileReader(file.path).rows(statement, [sport, TODAY])
    return row


def specification(app: AppTest, number: int) -> dict[str, Any]:
    """Return what the browser is given for one of the charts."""
    told: dict[str, Any] = json.loads(app.get("vega_lite_chart")[number].proto.spec)
    return told


@pytest.mark.parametrize(
    ("sport", "curve", "moment"), [("all", "exp", "before"), ("run", "linear", "after"), ("all", "both", "before")]
)
def test_the_tiles_say_the_marts_numbers(
    trained: Any, context_of: Any, tell: Teller, sport: str, curve: str, moment: str
) -> None:
    """By either definition, for all sports and for one."""
    app, row = training(context_of(trained), sport=sport, curve=curve, moment=moment), of_today(trained, sport)
    definition = Definition(curve, moment)
    assert shown(app, "Fitness") == [tell.number(row[f"{definition.prefix}fitness"], 1)]
    assert shown(app, "Fatigue") == [tell.number(row[f"{definition.prefix}fatigue"], 1)]
    assert shown(app, "Form today") == [tell.number(row[definition.form], 1, signed=True)]
    assert shown(app, "Load, last 7 days") == [tell.number(row["load_7_days"])]


def test_every_card_says_its_numbers(trained: Any, context_of: Any) -> None:
    """Course, methods, monotony, audit and settings, each with its reason; the list names every method."""
    app = training(context_of(trained))
    text, row = said(app), of_today(trained, "all")
    for words in (
        f"Fitness {row['fitness']:.1f}, fatigue {row['fatigue']:.1f} and form",
        "The first 42 days are shaded", "dashed: two weeks ahead without training",
        f"The last 7 days have a load of {row['load_7_days']:.0f}", "a week of the three before",
        "1 activity. Of 1 another measured method differs by more than a quarter.",
        "Each day fitness goes 2.4 % and fatigue 13.3 % of the way", "Model `training_load_daily`",
        "Model `load_alternatives`", "Model `athlete_setting`",
    ):  # fmt: skip
        assert words in text, words
    tables = html(app)
    assert "heart rate 50 · time alone 75" in tables
    assert "FTP 250 W" in tables
    assert "Order of methods<br><small>heart rate, Relative Effort</small>" in tables
    assert tables.index("250 <small>W") < tables.index("230 <small>W")


@pytest.mark.parametrize(("curve", "moment"), [("exp", "before"), ("linear", "after")])
def test_the_course_of_one_day_says_what_that_day_began_with(
    trained: Any, context_of: Any, tell: Teller, curve: str, moment: str
) -> None:
    """The day before is not among those asked for; and form is said to be of the day that it is of."""
    definition, day = Definition(curve, moment), TODAY.isoformat()
    app = training(context_of(trained), range="custom", dates=f"{day}..{day}", curve=curve, moment=moment)
    statement = "select * from mart.training_load_daily where sport_group = 'all' and date_day between ? and ?"
    before, now = (
        float(str(row[f"{definition.prefix}fitness"]))
        for row in FileReader(trained.path).rows(f"{statement} order by date_day", [TODAY - timedelta(days=1), TODAY])
    )
    share, load = tell.number(definition.share(42), 4), tell.number(LOADS[-1])
    begun = tell.number(before, 1)
    assert f"{begun} + {share} · ({load} - {begun}) = {tell.number(now, 1)} on" in said(app)
    whose = {"before": "yesterday's", "after": "today's"}[moment]
    assert f"fatigue is the same over 7 days, and form is {whose} fitness - fatigue." in said(app)


def test_both_curves_are_drawn_when_asked_for(trained: Any, context_of: Any) -> None:
    """The other averages are lines of their own; without asking there are none. Two weeks ahead are among the rows."""
    one, both = (json.dumps(specification(training(context_of(trained), curve=word), 0)) for word in ("exp", "both"))
    assert '"field": "other_fitness"' not in one
    assert '"field": "other_fitness"' in both
    app = training(context_of(trained), curve="both")
    assert '<i class="ad-line ad-dotted"></i>1 ÷ days' in html(app)
    assert "42 and 7 days, exponential, and dotted 1 ÷ days;" in html(app)
    assert "Fitness, 1 ÷ days" in json.dumps(specification(app, 1), ensure_ascii=False), "of the pointed day"


def test_the_page_is_german_and_says_what_is_missing(trained: Any, context_of: Any) -> None:
    """A sport without load has nothing to show, and a history of one day nothing to compare with."""
    text = said(training(context_of(trained), lang="de"))
    assert "Die letzten 7 Tage haben eine Belastung von" in text
    assert "Form = Fitness von gestern - Ermüdung von gestern" in text
    nothing = said(training(context_of(trained), range="custom", dates="2025-01-01..2025-02-01"))
    assert nothing.count("Nothing for **All sports**") == 5


@pytest.fixture
def recorded(trained: Any) -> Any:
    """Two weeks with curves: heart rate in four zones, and power of all time and of six weeks."""
    told = {"athlete_id": ATHLETE, "activity_id": 1, "sport_group": "ride"}
    zoned = {"kind": "heart_rate", "bounds_source": "strava", **told}
    for day, zone, seconds in ((DAYS[1][0], 0, 600), (DAYS[1][0], 2, 5400), (TODAY, 3, 1200), (TODAY, 5, 4800)):
        trained.row("time_in_zone", zone=zone, seconds=seconds, start_date_local=day, **zoned)
    for period, duration, watts in (("all", 5, 800.0), ("all", 1200, 250.0), ("last_42_days", 1200, 240.0)):
        trained.row("power_curve", period=period, duration_s=duration, power_w=watts, w_per_kg=watts / 80, **told)
    trained.publish()
    return trained


def test_zones_and_power_say_the_marts_numbers(recorded: Any, context_of: Any) -> None:
    """The share of easy and hard, the best of each duration, and an FTP that is no more than suggested."""
    text = said(training(context_of(recorded), range="all"))
    for words in (
        "50 % easy (to 2), 10 % between (3), 40 % hard (from 4).",
        "Bounds: your zones on Strava.", "Best of all time: 800 W for 5 s, 250 W for 20 min.",
        "A suggestion for your FTP: 228 W, which is 95 % of your best 20 min of the last 42 days (240 W).",
    ):  # fmt: skip
        assert words in text, text
    german = said(training(context_of(recorded), range="all", lang="de"))
    assert "Ein Vorschlag für deine FTP: 228 W" in german
    assert "No curves are stored" in said(training(context_of(recorded), range="all", zones="pace"))
    recorded.row("stream_summary", athlete_id=ATHLETE, activity_id=1)
    recorded.publish()
    text = said(training(context_of(recorded), range="all", zones="pace"))
    assert "The stored curves hold nothing of this" in text


def test_curves_without_power_are_told_from_none(trained: Any, context_of: Any) -> None:
    """An athlete with stored curves of rides is not told to store some, also where another sport is asked for."""
    none = "The stored curves hold no measured power"
    trained.activity("2026-11-17", "Ride", km=30, minutes=60, activity_id=900)
    trained.row("stream_summary", athlete_id=ATHLETE, activity_id=1)
    trained.publish()
    assert none not in said(training(context_of(trained))), "these are of a run"
    trained.row("stream_summary", athlete_id=ATHLETE, activity_id=900)
    trained.publish()
    assert none in said(training(context_of(trained)))
    assert none in said(training(context_of(trained), sport="swim"))


def test_a_bar_is_darker_the_harder(tell: Teller) -> None:
    """What is below the first zone is drawn lightest; a week's parts add up whatever the day."""
    rows = [
        {"start_date_local": day, "zone": zone, "seconds": 1800, "bounds_source": "ftp"}
        for day, zone in ((TODAY, 0), (TODAY, 7), (TODAY - timedelta(days=7), 1), (TODAY, 7))
    ]
    parts = [(bar["ago"], bar["zone"], bar["level"], bar["value"]) for bar in zones.weeks(rows, 5, tell)]
    assert parts == [(1, 1, 2, 0.5), (0, 0, 1, 0.5), (0, 7, 10, 1.0)]
    newest = zones.table(zones.weeks(rows, 5, tell), tell)[0]
    assert list(newest)[1:] == ["below zone 1", "zone 1", "zone 7"]


@pytest.mark.parametrize("kind", zones.USUAL_COUNT)
def test_each_zone_has_a_colour_and_a_name_of_its_own(kind: str, tell: Teller) -> None:
    """Also of the seven of power, and the same colour in a month that lacks the hardest ones."""
    count = zones.USUAL_COUNT[kind]
    rows = [
        {"start_date_local": TODAY, "zone": zone, "seconds": 60, "bounds_source": "ftp"} for zone in range(count + 1)
    ]
    bars = zones.weeks(rows, count, tell)
    levels = [bar["level"] for bar in bars]
    assert levels == sorted(set(levels)), "darker the harder"
    assert (levels[0], levels[-1]) == (1, 10)
    legend = zones._chart(bars, tell).to_dict()["encoding"]["color"]["legend"]
    assert legend["values"] == levels
    assert [bar["level"] for bar in zones.weeks(rows[:3], count, tell)] == levels[:3]


def test_an_athlete_without_load_is_told_so(lively: Any, context_of: Any) -> None:
    """Activities without any load leave dashes, and no state of balance."""
    app = training(context_of(lively))
    assert shown(app, "Form today") == ["\N{EN DASH}"]
    assert "no load yet" in [metric.delta for metric in app.metric]
    assert "Nothing is known yet." in said(app)


def test_the_course_goes_two_weeks_ahead(rows: list[dict[str, Any]], tell: Teller) -> None:
    """Days count back from today; the days ahead are negative, and form ends where rest leads."""
    days = course.days(rows, Definition(), tell)
    assert [day["ago"] for day in days] == list(range(len(DAYS) - 1, -15, -1))
    assert days[-1]["form"] == rows[-1]["form"]
    assert sum(day["warming"] for day in days) == 42
    assert course.form_sentence(days, tell).endswith(
        f"Without training it would be {days[-1]['form_told']} on Wed 2 Dec 2026."
    )
    low, high = course.form_limits(days)
    bands = course.bands(low, high)
    assert [band["high"] for band in bands[1:]] == [band["low"] for band in bands[:-1]] == [25, 10, -10, -30]
    assert all(low <= day["form"] <= high for day in days)


def test_names_at_the_ends_keep_apart(tell: Teller) -> None:
    """Two lines that end together have names one above the other, with today's values."""
    day = {"day": "2026-11-18", "ago": 0, "fitness": 50.2, "fatigue": 50.1}
    fitness, fatigue = course.line_names([day], tell)
    assert (fitness["name"], fatigue["name"]) == ("Fitness 50", "Fatigue 50")
    assert fitness["fitness"] - fatigue["fitness"] >= 3.4


def test_a_week_is_stacked_by_what_it_rests_on(tell: Teller) -> None:
    """Methods of one kind are one part; what is measured best comes first; a method that is new to us counts too."""
    told = [("power_strava", 60.0), ("power_average", 40.0), ("power_estimated", 5.0), ("by_new_means", 1.0)]
    rows = [{"start_date_local": TODAY, "load_method": name, "load": load} for name, load in told]
    rows.append({"start_date_local": TODAY - timedelta(days=7), "load_method": "swim", "load": 7.0})
    bars = methods.weeks(rows, tell)
    assert [(bar["ago"], bar["title"], bar["value"]) for bar in bars] == [
        (1, "pace or swim speed", 7), (0, "power", 100), (0, "estimated power", 5), (0, "time alone", 1),
    ]  # fmt: skip
    newest, before = methods.table(bars, tell)
    assert list(newest.values())[1:] == ["100", "0", "5", "1"]
    assert list(before.values())[1:] == ["0", "7", "0", "0"]


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (None, "the three weeks before had no load, or the history is shorter"),
        (1.5, "50 % more than"),
        (0.8, "20 % less than"),
        (1.0, "as much as"),
    ],
)
def test_seven_days_are_compared_in_words(tell: Teller, ratio: float | None, words: str) -> None:
    """More, less, or the same as a week of the three before."""
    row = {"load_ratio": ratio, "load_7_days": 300.0, "load_3_weeks_before": 600.0}
    assert words in strain.against_weeks_before(row, tell).replace(NARROW, " ")


def test_only_measurements_contradict() -> None:
    """Time alone never does, nor does a method that is close; the chosen one is what they are compared with."""
    chosen = {"is_chosen": True, "load": 100.0, "load_method": "power_strava"}
    for method, load, is_apart in (("heart_rate", 74.0, True), ("heart_rate", 80.0, False), ("time", 50.0, False)):
        other = {"is_chosen": False, "load": load, "load_method": method}
        assert audit.is_contradicted([chosen, other]) == is_apart
    assert not audit.is_contradicted([{**chosen, "load": 0.0}])


@pytest.mark.parametrize(
    ("setting", "group", "number", "told"),
    [
        ("ftp_w", "ride", 250.0, "250 W"), ("weight_kg", "all", 68.04, "68.0 kg"),
        ("threshold_speed_mps", "run", 4.0, "4:10 /km"), ("threshold_speed_mps", "swim", 1.25, "1:20 /100\xa0m"),
        ("max_heartrate_bpm", "all", 190.0, "190 bpm"),
    ],
)  # fmt: skip
def test_a_setting_is_told_with_its_unit(tell: Teller, setting: str, group: str, number: float, told: str) -> None:
    """A threshold speed is the pace of its sport."""
    row = {"setting": setting, "sport_group": group, "value": number}
    assert history.value(row, tell).replace(NARROW, " ") == told
