"""The SQL page: a question runs when asked, its answer is shown, and what is billed is told first."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backends.warehouse.duckdb.mart_console import DuckdbMartConsole
from backends.warehouse.marts import MartAnswer, MartLimits, QueryFailed
from dashboard.main import open_console
from dashboard.settings import DashboardSettings
from dashboard.sql import answer, box
from dashboard.sql.question import Asking
from tests.dashboard.test_pages import drawn, html, other_page, said

Open = Callable[..., AppTest]
FAR = "select start_date_local as day, name, distance_m / 1000 as km from mart.fct_activities where distance_m > 5e4"


class Billed:
    """A console of an engine that bills by bytes; `asked` is what was read."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def bytes_of(self, sql: str) -> int | None:
        if "nowhere" in sql:
            raise QueryFailed("there is no table nowhere")
        return 12_300_000

    def asking(self, sql: str) -> "Billed":
        self.asked.append(sql)
        return self

    def answer(self) -> MartAnswer:
        return MartAnswer(columns=["n"], rows=[{"n": 1}], is_cut=True, scanned_bytes=12_300_000)

    def cancel(self) -> None: ...


@pytest.fixture
def page(lively: Any, context_of: Any) -> Open:
    """Open the page on the lively athlete's marts, or with another console, by its address."""
    for column, text in (("", "One row per activity."), ("name", "<i>Title</i>")):
        lively.row("documentation", model="fct_activities", column_name=column, position=0, description=text)
    lively.publish()

    def opened(console: Any = None, queries: Path | None = None, **address: str) -> AppTest:
        console = console or DuckdbMartConsole(lively.path, MartLimits())
        context = replace(context_of(lively), console=console, queries=queries)
        app = AppTest.from_function(other_page, kwargs={"context": context, "path": "sql"})
        for name, word in address.items():
            app.query_params[name] = word
        return drawn(app)

    return opened


def test_a_question_of_the_address_runs_when_asked(page: Open) -> None:
    """Not by opening a link; then its rows, a chart's finding and what it took are there, and the tables beside."""
    app = page(query=FAR)
    assert app.text_area(key="question-text").value == FAR
    assert not app.dataframe
    app.button(key="question-run").click()
    app = drawn(app)
    assert [list(row) for row in app.dataframe[0].value.itertuples(index=False)] == [
        [date(2025, 3, 2), "Ride 1", 60.0],
        [date(2026, 11, 17), "<b>Far</b> **out** :bike: 🚴", 1040.25],
    ]
    assert "2 rows" in html(app)
    assert "km is highest, 1,040.25, where day is 2026-11-17." in said(app)
    assert "One row per activity." in said(app)
    assert "&lt;i&gt;Title" in html(app)
    assert app.query_params == {"query": FAR}
    app.selectbox(key="question-x").set_value("name")
    assert r"\<b>Far\</b> \*\*out\*\* \:bike\: 🚴" in said(drawn(app)), "what is found in a row is text"


@pytest.mark.slow
def test_an_answer_that_there_is_not_is_told(page: Open) -> None:
    """In the engine's words; the answer of before is gone, and another question works."""
    app = page(query="select * from staging.stg_strava__gear")
    app.button(key="question-run").click()
    app = drawn(app)
    assert "only the tables of mart" in said(app)
    app.selectbox(key="question-example").set_value("longest")
    app = drawn(app)
    assert app.text_area(key="question-text").value == box.example("longest")
    app.button(key="question-run").click()
    app = drawn(app)
    assert "There is no answer." not in said(app)
    assert app.dataframe[0].value["distance_km"].tolist()[:2] == [1040.3, 60.0]


@pytest.mark.slow
def test_what_is_billed_is_told_before_it_is_read(page: Open) -> None:
    """The first click asks what it costs, the second reads; a mistake costs neither."""
    console = Billed()
    app = page(console, query="select 1 as n")
    app.button(key="question-run").click()
    app = drawn(app)
    assert console.asked == []
    app.button(key="question-read").click()
    app = drawn(app)
    assert console.asked == ["select 1 as n"]
    assert "12.3" in html(app)
    assert "Only the first 1 rows are shown" in said(app)
    app.text_area(key="question-text").set_value("from nowhere")
    app.button(key="question-run").click()
    assert "there is no table nowhere" in said(drawn(app))
    assert len(console.asked) == 1


@pytest.mark.slow
def test_a_question_is_saved_by_name_and_taken_again(page: Open, tmp_path: Path) -> None:
    """Written over under its name, capitals aside, kept for the next visit, and deleted; what is in the box stays."""
    folder = tmp_path / "queries"
    app = page(queries=folder, query=FAR)
    app.text_input(key="question-name").set_value("Weit weg")
    app = drawn(app)
    app.button(key="question-keep").click()
    app = drawn(app)
    assert "Saved as **Weit weg**." in said(app)
    assert app.selectbox(key="question-example").value == "saved/Weit weg"
    assert (folder / "Weit weg.sql").read_text() == f"{FAR}\n"
    assert [oct(path.stat().st_mode & 0o777) for path in (folder, folder / "Weit weg.sql")] == ["0o700", "0o600"]
    app.text_area(key="question-text").set_value("select 2 as two")
    app.text_input(key="question-name").set_value("WEIT weg")
    app = drawn(app)
    assert app.button(key="question-keep").label == "Write over Weit weg"
    app.button(key="question-keep").click()
    drawn(app)
    assert [path.name for path in folder.iterdir()] == ["Weit weg.sql"]
    app = page(queries=folder)
    choice = app.selectbox(key="question-example")
    assert choice.options[:2] == ["Saved: Weit weg", "Example: What each year came to"]
    choice.set_value("saved/Weit weg")
    app = drawn(app)
    assert app.text_area(key="question-text").value == "select 2 as two\n"
    app.button(key="question-forget").click()
    app = drawn(app)
    assert "**Weit weg** is deleted" in said(app)
    assert app.text_area(key="question-text").value == "select 2 as two\n"
    assert app.selectbox(key="question-example").value is None
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_what_cannot_be_saved_is_told(page: Open, tmp_path: Path) -> None:
    """A name that would leave the folder, and a folder that cannot be; without a folder nothing offers it."""
    (tmp_path / "queries").write_text("a file")
    app = page(queries=tmp_path / "queries")
    app.text_input(key="question-name").set_value("../mart")
    app = drawn(app)
    assert "A name has letters" in said(app)
    assert app.button(key="question-keep").disabled
    app.text_input(key="question-name").set_value("mart")
    app = drawn(app)
    app.button(key="question-keep").click()
    app = drawn(app)
    assert "The folder of saved questions refuses it." in said(app)
    assert str(tmp_path / "queries") in said(app)
    (tmp_path / "others").mkdir()
    (tmp_path / "others/Broken.sql").write_bytes(b"\xff")
    app = page(queries=tmp_path / "others")
    app.selectbox(key="question-example").set_value("saved/Broken")
    assert "no text in UTF-8" in said(drawn(app))
    app = page()
    assert "Nothing is saved by name where others may look" in said(app)
    assert not app.text_input


class Endless:
    """A question that ends when it is cancelled."""

    def __init__(self) -> None:
        self._ended = Event()

    def answer(self) -> MartAnswer:
        assert self._ended.wait(30)
        raise QueryFailed("The query was cancelled.")

    def cancel(self) -> None:
        self._ended.set()


def test_a_question_under_way_can_be_cancelled() -> None:
    """Until then it is not done; afterwards it says why there is no answer."""
    asking = Asking(Endless())
    assert not asking.is_done(0.01)
    asking.cancel()
    assert asking.is_done(30)
    assert (asking.answer, asking.fault) == (None, "The query was cancelled.")


def test_only_numbers_go_upwards() -> None:
    """A truth is no number, nor is a column of nulls; a row that lacks one of both has no point."""
    rows: list[dict[str, object]] = [
        {"a": "x", "b": 1, "c": True, "d": None},
        {"a": "y", "b": None, "c": False, "d": None},
    ]
    told = MartAnswer(columns=["a", "b", "c", "d"], rows=rows, is_cut=False)
    assert answer.numeric(told) == ["b"]
    assert answer.points(rows, "a", "b") == [{"x": "x", "y": 1.0, "place": 0}]


@pytest.mark.parametrize(
    ("columns", "across", "upwards"),
    [
        (["athlete_id", "activity_id", "day", "km"], "day", "km"),
        (["year", "activities", "athlete_id"], "year", "activities"),
        (["activity_id", "km"], "activity_id", "km"),
        (["km", "activity_id"], "activity_id", "km"),
        (["athlete_id", "ID"], "athlete_id", "ID"),
        (["day", "activity_id"], "day", "activity_id"),
        (["km", "day"], "day", "km"),
    ],
)
def test_an_id_is_drawn_where_nothing_else_is(columns: list[str], across: str, upwards: str) -> None:
    """Numbers that name something tell no amount."""
    row: dict[str, object] = {name: "Monday" if name == "day" else 1 for name in columns}
    x, numbers = answer.axes(MartAnswer(columns=columns, rows=[row, row], is_cut=False))
    assert (x[0], next(name for name in numbers if name != x[0])) == (across, upwards)


def test_what_is_highest_is_so_of_the_whole_answer(page: Open) -> None:
    """A line has every row; of bars the first are drawn, which is said."""
    app = page(query="select cast(n as int) as day, n as height from range(600) as t (n) order by n")
    app.button(key="question-run").click()
    text = said(drawn(app))
    assert "height is highest, 599, where day is 599." in text
    assert "The chart has the first 500 of 600 rows." in text


def test_an_axis_of_dates_names_days() -> None:
    """Without hours, which only moments have, and on a clock of 24 hours."""
    days, moments = (answer.chart("day", "km", is_time=True, has_hours=each).to_dict() for each in (False, True))
    across = days["encoding"]["x"]
    assert across["scale"] == {"type": "utc"}
    assert across["axis"]["tickMinStep"] == 24 * 60 * 60 * 1000
    assert "%H" not in json.dumps(days)
    assert "%H:%M" in moments["encoding"]["x"]["axis"]["labelExpr"]


def test_nobody_asks_in_sql_where_readers_may_see_some_athletes_only() -> None:
    """Rows of athletes are not told apart there, and routes not cut: there is no console, and no page without one."""
    assert open_console(DashboardSettings(dashboard_viewers={"a@example.org": [7]})) is None
    assert open_console(DashboardSettings(privacy_radius_m=300)) is None
    assert open_console(DashboardSettings(privacy_radius_m=0)) is not None
    assert open_console(DashboardSettings()) is not None
