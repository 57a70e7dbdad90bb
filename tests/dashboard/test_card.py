"""The card: why its numbers are what they are, the SQL behind them, and what is said when a query fails."""

import csv
import io
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from streamlit.testing.v1 import AppTest

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartDamaged, QueryFailed
from dashboard.card import as_csv, as_parquet
from dashboard.formatting import NARROW
from dashboard.mart import Mart, Rows
from tests.dashboard.test_pages import drawn, first_page, html, openable, overview, pipeline, said

ROWS = Rows(
    [
        {"day": date(2026, 11, 18), "km": 10.5, "name": 'a, "b"', "path": [1, 2]},
        {"day": None, "km": None, "name": "", "path": []},
    ],
    query="x",
    statement="select 1",
    parameters=(),
)


def failing(error: Exception) -> AppTest:
    """Draw two cards on one page, the first of which asks what cannot be answered."""

    def page(error: Exception) -> None:
        from datetime import UTC, datetime  # noqa: PLC0415 - AppTest runs this text by itself
        from types import SimpleNamespace  # noqa: PLC0415
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        import streamlit as st  # noqa: PLC0415

        from dashboard.card import card  # noqa: PLC0415
        from dashboard.formatting import Teller  # noqa: PLC0415

        def rows(*_: object) -> None:
            raise error

        tell = Teller(now=datetime(2026, 11, 18, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"))
        fake: Any = SimpleNamespace(tell=tell, rows=rows, health={}, context=None)
        with card(fake, "one", "One") as opened:
            opened.rows("anything")
        with card(fake, "two", "Two <b>"):
            st.caption("drawn")

    return AppTest.from_function(page, kwargs={"error": error}).run(timeout=30)


def test_a_card_that_fails_says_so_and_leaves_the_others_alone() -> None:
    """The reason is the log's; damaged marts are told by the whole page."""
    app = failing(QueryFailed("no column x"))
    assert not app.exception
    assert "This card could not be drawn." in said(app)
    assert "drawn" in [element.value for element in app.caption]
    assert "Two &lt;b&gt;" in html(app)
    assert failing(MartDamaged("torn")).exception


def test_why_and_sql_stand_beside_the_title(lively: Any, context_of: Any) -> None:
    """The formula has the athlete's values; the statement is the file's, with parameters, rows, time and engine."""
    app = overview(context_of(lively))
    text = said(app)
    assert (
        "**This week = moving time since Monday** = 34 h 42 min. On 16 \N{EN DASH} 18 Nov 2025 it was 0 h 50 min"
        in text
    )
    assert '<a href="activity?id=6">Run 6</a>, 16 Nov 2026' in html(app)
    assert "Model `activity_summary` · not tested yet · built 20:29" in text
    assert "Nothing is excluded." in text
    assert "Parameters: `7001`, `all`, `2025-11-19`, `2026-11-18`" in text
    assert " ms · DuckDB · built 20:29:50" in text
    assert any(element.value.startswith("-- How much was done on each day") for element in app.code)


def test_what_is_behind_a_card_is_drawn_when_it_is_opened(lively: Any, context_of: Any) -> None:
    """A page sends no reason, statement or table before; what is open stays so when the page is drawn again."""
    app = AppTest.from_function(first_page, kwargs={"context": context_of(lively)}).run(timeout=30)
    assert len(openable(app)) > 2 * 8
    assert not app.code
    assert not app.dataframe
    assert "Nothing is excluded." not in said(app)
    app.session_state["sql-calendar"] = True
    for _ in range(2):
        [statement, *_] = app.run(timeout=30).code
        assert statement.value.startswith("-- How much was done on each day")
    assert not app.dataframe


@pytest.mark.slow
def test_every_number_in_a_tile_says_why_and_how(lively: Any, context_of: Any) -> None:
    """Sums with their comparison, form with its averages and the last loads; the three sums' statement stands once."""
    lively.activity("2026-11-17", "Ride", km=30, minutes=60, load=84.0)
    lively.publish()
    app = overview(context_of(lively))
    text = said(app)
    assert "**This week = distance since Monday** = 1,081 km. On 16 \N{EN DASH} 18 Nov 2025 it was 10.0 km" in text
    assert "**This week = elevation since Monday** = 12,465 m." in text
    assert "Each day fitness goes 2.4 % and fatigue 13.3 % of the way" in text
    assert "Mon 16 Nov: 0 · Tue 17 Nov: 84." in text
    tiles = [popover.proto.popover.label for popover in app.get("popover")]
    assert tiles[:8] == ["Why", "SQL"] * 4
    assert sum("mart.activity_summary" in element.value for element in app.code) == 3 + 1 + 1
    assert len(pipeline(context_of(lively)).get("popover")) >= 2 * 11


def test_every_chart_has_its_numbers_as_a_table(lively: Any, context_of: Any) -> None:
    """Newest first, with the words of the page; of the week beside the same days of last year."""
    days, week, weeks = (table.value for table in overview(context_of(lively)).dataframe)
    assert days.iloc[0].tolist() == ["Wed 18 Nov 2026", "1", f"0{NARROW}h 30{NARROW}min"]
    assert list(week.columns) == ["Day", "All", "Run", "Ride", "Strength", "A year before"]
    assert week.iloc[0].tolist()[0::5] == ["Wed 18 Nov 2026", f"0{NARROW}h 50{NARROW}min"]
    assert weeks.iloc[0]["Week"] == "Week 47, 16 \N{EN DASH} 22 Nov 2026"


def test_downloads_hold_the_rows_as_they_are() -> None:
    """CSV and Parquet are read back by Arrow; a list is written as text in CSV, which has none."""
    table = pa_parquet.read_table(io.BytesIO(as_parquet(ROWS)))
    assert table.to_pylist() == list(ROWS)
    back = pa_csv.read_csv(io.BytesIO(as_csv(ROWS))).to_pylist()
    assert (back[0]["day"], back[0]["km"], back[0]["name"], back[0]["path"]) == (
        date(2026, 11, 18),
        10.5,
        'a, "b"',
        "[1, 2]",
    )


@pytest.mark.parametrize(
    ("value", "in_csv", "in_parquet"),
    [
        (timedelta(days=1, hours=2), "1 day, 2:00:00", timedelta(days=1, hours=2)),
        ({"km": 5}, "{'km': 5}", {"km": 5}),
        ({}, "{}", "{}"),
        ({1: "a"}, "{1: 'a'}", "{1: 'a'}"),
        ([{"km": 2**70}], "[{'km': 1180591620717411303424}]", "[{'km': 1180591620717411303424}]"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000007"),
        (2**70, "1180591620717411303424", "1180591620717411303424"),
        (time(9, 30), "09:30:00.000000", time(9, 30)),
    ],
)
def test_downloads_hold_all_that_sql_answers(value: object, in_csv: str, in_parquet: object) -> None:
    """As text where the file has no such kind, also beside a null; a question may answer what no mart holds."""
    rows = Rows([{"a": None, "b": 1}, {"a": value, "b": 2}], query="q", statement="select", parameters=())
    written = list(csv.reader(io.StringIO(as_csv(rows).decode())))
    assert written[2] == [in_csv, "2"]
    assert pa_parquet.read_table(io.BytesIO(as_parquet(rows))).to_pylist() == [
        {"a": None, "b": 1},
        {"a": in_parquet, "b": 2},
    ]


def test_the_page_is_drawn_without_a_chart_that_has_no_rows(mart_file: Any, context_of: Any) -> None:
    """A day with nothing but one activity draws every card."""
    mart_file.activity("2026-11-18", "Run", km=5, minutes=25, load=50)
    mart_file.health()
    mart_file.publish()
    assert not drawn(overview(context_of(mart_file))).exception


@pytest.mark.slow
def test_why_says_what_the_tests_of_a_mart_found(lively: Any, context_of: Any) -> None:
    """Its version, how many passed and when, or how many failed. A mart without tests yet says so, and its build."""
    tested_at = datetime(2026, 11, 18, 19, 29, 55)  # noqa: DTZ001 - the mart keeps UTC
    counts = {"test_count": 12, "failed_count": 0, "tested_at": tested_at}
    lively.row("model_status", model="calendar_heat", definition_version=2, **counts)
    lively.row("model_status", model="activity_summary", **{**counts, "failed_count": 2})
    lively.publish()
    told = said(overview(context_of(lively)))
    assert "Model `calendar_heat` v2 · 12 tests passed 20:29 · built 20:29" in told
    assert "Model `activity_summary` · 2 tests failed 20:29 · built 20:29" in told
    assert "Model `streak` · not tested yet · built 20:29" in told


@pytest.mark.slow
def test_why_says_so_before_any_test_has_run(lively: Any, context_of: Any, reader_of: Any) -> None:
    """The first tests make the table of what they found; a warehouse that is busy says nothing of them."""

    class Failing(reader_of):  # type: ignore[misc]
        error: Exception

        def rows(self, sql: str, parameters: Any = ()) -> Any:
            if "mart.model_status" in sql:
                raise self.error
            return super().rows(sql, parameters)

    def told(error: Exception) -> str:
        reader = Failing(lively.path)
        reader.error = error
        return said(overview(replace(context_of(lively), mart=Mart(reader))))

    assert "Model `streak` · not tested yet · built 20:29" in told(QueryFailed("no table model_status"))
    assert "Model `streak` · built 20:29" in told(WarehouseBusy())
