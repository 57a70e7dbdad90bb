"""Streaks on Records: the current and the longest run of days, weeks and months, and the runs next to it."""

from datetime import date
from typing import Any

import pytest

from dashboard.formatting import NARROW
from tests.dashboard.conftest import ATHLETE
from tests.dashboard.test_pages import drawn, html, said, visit

pytestmark = pytest.mark.slow


def run(mart_file: Any, kind: str, length: int, first: date, last: date, **fields: Any) -> None:
    """Add a run of the mart's list."""
    of = {"athlete_id": ATHLETE, "sport_group": "all", "period_kind": kind, "period": "all", "is_at_risk": False}
    row = {"length": length, "start_date": first, "end_date": last, "is_current": False}
    mart_file.row("streak_run", **(of | row | fields))


@pytest.fixture
def streaky(lively: Any) -> Any:
    """Days with a run that goes on and a longer one before, weeks of which this one has nothing yet; published."""
    now = {"current_length": 3, "current_start_date": date(2026, 11, 16), "is_at_risk": False}
    then = {"longest_length": 5, "longest_start_date": date(2026, 10, 1), "longest_end_date": date(2026, 10, 5)}
    of = {"athlete_id": ATHLETE, "period": "all"}
    lively.row("streak", **of, sport_group="all", period_kind="day", **now, **then)
    lively.row("streak", **of, sport_group="all", period_kind="week", **(now | {"is_at_risk": True}), **then)
    lively.row("streak", **of, sport_group="all", period_kind="month", **(now | {"current_length": 0}), **then)
    lively.row("streak", **(of | {"period": "2026"}), sport_group="all", period_kind="day", **now, **then)
    lively.row("streak", **of, sport_group="run", period_kind="day", **now, **(then | {"longest_length": 77}))
    for number in range(6):
        run(lively, "day", 6 - number, date(2026, 9, 1 + number), date(2026, 9, 6))
    run(lively, "day", 3, date(2026, 11, 16), date(2026, 11, 18), is_current=True)
    lively.publish()
    return lively


def table_of(app: Any, title: str) -> str:
    """Return the table whose heads have a title."""
    bodies: list[str] = [each.proto.body for each in app.get("html")]
    return next(body for body in bodies if f">{title}</th>" in body)


def test_each_kind_tells_the_current_and_the_longest_run(streaky: Any, context_of: Any) -> None:
    """Since when it goes on and whether it is at risk; of a sport its own."""
    app = visit(context_of(streaky), "records", range="all")
    told = table_of(app, "Now").replace(NARROW, " ")
    days, weeks, months = told.split('<th scope="row">')[1:]
    assert '3<small class="ad-when">since 16 Nov 2026</small>' in days
    assert '5<small class="ad-when">1 \N{EN DASH} 5 Oct 2026</small>' in days
    assert "since 16 Nov 2026, nothing yet this week" in weeks
    assert months.startswith('Months</th><td class="n">0<small class="ad-when">\N{EN DASH}</small>')
    assert "The longest of days has 5 days, 1 \N{EN DASH} 5 Oct 2026." in said(app)
    assert "77" in table_of(visit(context_of(streaky), "records", range="all", sport="run"), "Now")
    assert table_of(visit(context_of(streaky), "records", range="year"), "Now").count('<th scope="row">') == 1


def test_the_longest_runs_are_listed(streaky: Any, context_of: Any) -> None:
    """Five of each kind, the longest first, of equals the first; the one that goes on is marked."""
    told = table_of(visit(context_of(streaky), "records", range="all"), "Run of")
    lengths = [line.rpartition('<td class="n">')[2][0] for line in told.split("</tr>")[1:-1]]
    assert lengths == ["6", "5", "4", "3", "3"]
    assert told.count('<span class="ad-new">now</span>') == 1


def test_without_an_activity_there_is_none(streaky: Any, context_of: Any) -> None:
    """Emptiness is told, as in the other cards."""
    app = visit(context_of(streaky), "records", range="all", sport="swim")
    assert "Streaks" in html(app)
    assert "Nothing for **Swim**" in said(drawn(app)) or "have nothing to show here" in said(app)
