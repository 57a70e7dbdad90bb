"""The contributing activities: those that make up a number, as its reason names them when it is opened."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backends.warehouse.marts import QueryFailed
from dashboard.mart import Mart
from tests.dashboard.conftest import ATHLETE
from tests.dashboard.test_pages import drawn, first_page, html, overview, said, visit

pytestmark = pytest.mark.slow


def named(app: AppTest, key: str) -> list[str]:
    """Return the activities that the reason of a card or tile names, in their order."""
    [reason] = [popover for popover in app.get("popover") if popover.proto.popover.id.endswith(f"-why-{key}")]
    return links(reason)


def links(reason: Any) -> list[str]:
    """Return the activities that a reason names."""
    return re.findall(r"<li>[^<]*<a [^>]*>([^<]*)</a>", "".join(each.proto.body for each in reason.get("html")))


@pytest.fixture
def busy(lively: Any) -> Any:
    """Twelve rides more, each longer than the one before, with loads; published."""
    for number in range(1, 13):
        loads = {"load": 10 + number, "load_method": "time", "climb": 100}
        lively.activity(f"2026-11-{number:02}", "Ride", km=20 + number, minutes=40 + number, **loads)
    lively.publish()
    return lively


def test_the_largest_stand_first_and_the_others_are_counted(busy: Any, context_of: Any) -> None:
    """Of the calendar by time in motion; another sport's are not among those of the filter."""
    app = overview(context_of(busy))
    assert named(app, "calendar")[:3] == ["&lt;b&gt;Far&lt;/b&gt; **out** :bike: 🚴", "Hike 3", "Run 6"]
    assert "and 8 more activities" in said(app)
    app.selectbox(key="sport").set_value("run")
    assert named(drawn(app), "calendar") == ["Run 6", "Run 4"]
    assert named(app, "kpi-distance") == ["Run 6"]


def test_they_are_asked_for_when_the_reason_is_opened(busy: Any, context_of: Any, reader_of: Any) -> None:
    """Not before, so that a page waits for none of them."""
    reader = reader_of(busy.path)
    context = replace(context_of(busy), mart=Mart(reader))
    app = AppTest.from_function(first_page, kwargs={"context": context}).run(timeout=30)
    assert not any("contributing_count" in sql for sql in reader.asked)
    assert drawn(app).get("html")
    assert any("contributing_count" in sql for sql in reader.asked)


def charts_without(app: AppTest) -> Iterator[str]:
    """Yield the reasons that name no activity."""
    for popover in app.get("popover"):
        if popover.proto.popover.label == "Why" and not links(popover):
            yield popover.proto.popover.id.rpartition("-why-")[2]


@pytest.mark.parametrize("path", ["", "trends", "training"])
def test_every_reason_names_some(busy: Any, context_of: Any, path: str) -> None:
    """Each number of these pages is made of activities; the settings of loads are not."""
    app = visit(context_of(busy), path) if path else overview(context_of(busy))
    assert set(charts_without(app)) <= {"settings"}
    assert named(app, "kpi-form" if path != "trends" else "distances")


def test_eddington_names_the_days_that_count_towards_the_next(busy: Any, context_of: Any) -> None:
    """Two activities of 20 km are a day of 40; an e-bike and numbers that contradict one another do not count."""
    fine = {"is_assisted": False, "is_speed_inconsistent": False, "is_virtual": False}
    for name, km, more in (("A", 20, {}), ("B", 20, {}), ("E", 90, {"is_assisted": True}), ("F", 50, {})):
        bad = {"is_speed_inconsistent": name == "F"}
        busy.activity("2026-10-20", "Ride", km=km, minutes=60, name=name, **(fine | bad | more))
    busy.activity("2026-10-21", "Ride", km=39.9994, minutes=60, name="D", **fine)
    of = {"athlete_id": ATHLETE, "sport_group": "all", "unit": "km", "period": "all", "counts_virtual": True}
    busy.row("eddington", **of, eddington_number=39, next_number=40, days_at_next=1, days_needed_next=39)
    busy.row("eddington_step", **of, n=39, days_at_least=39, days_needed=0)
    busy.publish()
    assert named(visit(context_of(busy), "records"), "eddington") == ["B", "A"]


def test_best_efforts_name_each_activity_once(busy: Any, context_of: Any) -> None:
    """With the distances that it is the best over, as many as there are."""
    for name, metres, activity_id in (("1K", 1000, 6), ("5K", 5000, 6), ("10K", 10000, 2)):
        of = {"athlete_id": ATHLETE, "sport_group": "run", "effort_name": name, "distance_m": float(metres)}
        told = {"activity_id": activity_id, "activity_name": f"Run {activity_id}", "elapsed_time_s": metres * 3 // 10}
        of |= told | {"start_date_local": date(2026, 11, 16)}
        busy.row("record_best_effort", **of, pace_s_per_km=300.0)
        busy.row("record_progression", **of, record_number=1, is_tie=False, is_current=True, days_stood=2)
    busy.publish()
    app = visit(context_of(busy), "records")
    assert named(app, "best-efforts") == ["Run 6", "Run 2"]
    assert "<li>1 km, 5 km: <a" in html(app)
    assert "<li>10 km: <a" in html(app)


def test_a_question_that_fails_is_told_in_its_reason(busy: Any, context_of: Any, reader_of: Any) -> None:
    """The page and what else the reason says are there."""

    class Failing(reader_of):  # type: ignore[misc]
        def rows(self, sql: str, parameters: Any = ()) -> Any:
            if "contributing_count" in sql:
                raise QueryFailed("no column x")
            return super().rows(sql, parameters)

    app = overview(replace(context_of(busy), mart=Mart(Failing(busy.path))))
    assert "The activities could not be asked for." in said(app)
    assert "Model `calendar_heat`" in said(app)
    assert "Newest records" in html(app)
