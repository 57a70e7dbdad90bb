"""The Gear page: what is due, what a kilometre cost, shades by use, and the numbers of the mart."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.formatting import MINUS, NARROW, NOTHING, Teller
from dashboard.gear import months, services, table
from dashboard.units import Units
from tests.dashboard.test_contributing import named
from tests.dashboard.test_pages import drawn, html, said, visit

BERLIN = ZoneInfo("Europe/Berlin")
ENGLISH = Teller(now=datetime(2026, 11, 18, 20, tzinfo=BERLIN), zone=BERLIN)
MILES = Teller(now=ENGLISH.now, zone=BERLIN, units=Units.IMPERIAL)


def month(gear_id: str, year: int, number: int, km: float) -> dict[str, Any]:
    """Return a row of `gear/months`."""
    start = date(year, number, 1)
    return {
        "gear_id": gear_id, "gear_name": f"'{gear_id}'", "month_start_date": start, "activity_count": 1,
        "distance_m": km * 1000, "moving_time_s": 60,
    }  # fmt: skip


def test_a_cost_is_by_the_reader_s_unit_and_a_difference_has_its_sign() -> None:
    """1,609.344 by 1,000 km or 621 miles; nothing is told of gear without a cost, or without a distance."""
    row = {"cost": 1609.344, "distance_m": 1_000_000.0}
    assert [table.cost(row, tell) for tell in (ENGLISH, MILES)] == [f"1.61{NARROW}/km", f"2.59{NARROW}/mi"]
    assert [table.cost(row | none, ENGLISH) for none in ({"cost": None}, {"distance_m": 0.0})] == [NOTHING] * 2
    told = [table.difference(metres, ENGLISH) for metres in (-12_340.0, 500.0, -0.4, None)]
    assert told == [f"{MINUS}12.3{NARROW}km", f"+0.5{NARROW}km", f"0.0{NARROW}km", NOTHING]


def test_a_service_tells_every_limit_and_since_when() -> None:
    """The last service, or else the first use; gear that was never used has neither."""
    limits = {"every_m": 3_000_000.0, "every_s": 36_000.0, "every_days": 1}
    done = {"distance_m": 1_500_000.0, "moving_time_s": 3600, "day_count": 31}
    row = limits | done | {"last_done_on": date(2026, 10, 18), "since_day": date(2026, 10, 18)}
    parts = "1,500 km of 3,000 km · 1 h 00 min of 10 h 00 min · 31 of 1 day"
    assert services.used(row, ENGLISH).replace(NARROW, " ") == f"{parts} · since 18 Oct 2026"
    never = services.used(row | {"last_done_on": None}, ENGLISH)
    assert never.endswith("since its first use on 18 Oct 2026")
    assert services.used(row | {"last_done_on": None, "since_day": None}, ENGLISH).replace(NARROW, " ") == parts


def test_those_used_most_have_a_shade_of_their_own() -> None:
    """Four of six pieces; a month with nothing stays on the axis."""
    rows = [month(f"g{n}", 2025, 12, n) for n in range(1, 7)] + [month("g1", 2026, 2, 10)]
    shades = months.levels(rows)
    assert shades == {"g1": 10, "g6": 8, "g5": 6, "g4": 4}
    bars = months.bars(rows, shades, ENGLISH)
    assert {(bar["month"], bar["ago"]) for bar in bars} == {("2025-12-01", 2), ("2026-01-01", 1), ("2026-02-01", 0)}
    assert [bar["level"] for bar in bars if bar["month"] == "2025-12-01"] == [10, 2, 2, 4, 6, 8]
    finding = months.finding(rows, ENGLISH).replace(NARROW, " ")
    assert finding == "'g1' went furthest, 11.0 km; the most in a month was 21.0 km in December 2025."


@pytest.fixture
def geared(lively: Any) -> Any:
    """The lively athlete with a bike that needs a new chain, retired shoes, and a name with a mistake."""
    zeros = {"activity_count": 0, "distance_m": 0.0, "moving_time_s": 0, "elevation_gain_m": 0.0}
    base = {"athlete_id": 7001, "is_primary": False, "service_count": 0, "due_service_count": 0, **zeros}
    bike = {
        "gear_id": "b1", "gear_name": "<b>Blue</b>", "gear_kind": "bike", "is_retired": False, "activity_count": 2,
        "distance_m": 1_100_250.0, "moving_time_s": 129_000, "last_used_on": date(2026, 11, 17), "service_count": 1,
        "strava_distance_m": 1_150_000.0, "difference_m": -49_750.0, "cost": 2200.5, "due_service_count": 1,
        "strava_observed_at": datetime(2026, 11, 18, 3),  # noqa: DTZ001 - the mart keeps UTC
    }  # fmt: skip
    lively.row("gear_usage", **(base | bike))
    shoes = {"gear_kind": "shoes", "is_retired": True, "distance_m": 18_000.0, "activity_count": 2}
    lively.row("gear_usage", **(base | shoes), gear_id="g1", gear_name="Old shoes")
    lively.row("gear_usage", **base, gear_id="own-2", gear_name="Blu", gear_kind="own", is_retired=False)
    chain = {
        "service_number": 1,
        "service": "Chain",
        "every_m": 1e6,
        "distance_m": 1_100_250.0,
        "moving_time_s": 129_000,
    }
    due = {"since_day": date(2026, 1, 1), "day_count": 321, "share_used": 1.10025, "is_due": True}
    lively.row("gear_service", athlete_id=7001, gear_id="b1", **chain, **due)
    for gear_id, kind, km in (("b1", "bike", 1100.25), ("g1", "shoes", 18.0)):
        used = month(gear_id, 2026, 11, km)
        lively.row("gear_usage_month", athlete_id=7001, gear_kind=kind, **used)
    lively.publish()
    return lively


@pytest.mark.slow
def test_the_page_shows_the_mart_s_gear(geared: Any, context_of: Any) -> None:
    """Ours beside Strava's, the cost of a kilometre and what is due; names are text, a mistake in one is told."""
    app = visit(context_of(geared), "gear")
    told = html(app)
    for part in ("1,100 <small>km</small>", "1,150 <small>km</small>", f"{MINUS}49.8 <small>km</small>", "1 due",
                 "2.00 <small>/km</small>", "&lt;b&gt;Blue&lt;/b&gt;", "17 Nov 2026", "no activity has it", "Old shoes",
                 "Chain", "1,100 km of 1,000 km · since its first use on 1 Jan 2026"):  # fmt: skip
        assert part in told, part
    assert "<b>Blue" not in told
    assert "1,100 km in 2 activities" in said(app)
    app.selectbox(key="gear").set_value("shoes")
    app = drawn(app)
    assert "'g1' went furthest, 18.0 km" in said(app)
    assert app.query_params == {"gear": "shoes"}


@pytest.mark.slow
def test_a_reason_names_what_gear_was_used_for(geared: Any, context_of: Any) -> None:
    """Also gear that a rule of the athlete's own file gives to activities, which know nothing of it themselves."""
    went = {"athlete_id": 7001, "gear_id": "own-2", "start_date_local": date(2026, 11, 17)}
    for number, km in ((4, 40.0), (5, 41.0), (6, None)):
        metres = None if km is None else km * 1000
        geared.row("gear_activity", activity_id=number, name=f"Home {number}", distance_m=metres, **went)
    blue = {"gear_id": "b1", "activity_id": 7, "name": "Out", "distance_m": 1e6, "moving_time_s": 9000}
    geared.row("gear_activity", **(went | blue))
    geared.row("gear_usage_month", athlete_id=7001, gear_kind="own", **month("own-2", 2026, 11, 2e3))
    geared.publish()
    app = visit(context_of(geared), "gear")
    assert (named(app, "gear"), named(app, "services")) == (["Out"], ["Out"])
    assert named(app, "gear-months") == ["Home 5", "Home 4"]


def test_who_has_no_gear_is_told_where_it_comes_from(lively: Any, context_of: Any) -> None:
    """One sentence, and no empty chart."""
    app = visit(context_of(lively), "gear")
    assert "No gear yet." in said(app)
    assert "Months by gear" not in html(app)
