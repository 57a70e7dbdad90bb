"""The queries on a mart made from the transforms' contract, and what is asked again when."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from backends.warehouse.marts import MartMissing
from dashboard.mart import Mart, Snapshot, in_utc
from dashboard.periods import Period, earliest_shown, running

ATHLETE = 7001
TODAY = date(2026, 11, 18)


@pytest.fixture
def mart(lively: Any, reader_of: Any) -> Mart:
    """The lively athlete's mart."""
    return Mart(reader_of(lively.path))


def totals(mart: Mart, period: Period) -> dict[bool, Any]:
    """Ask for a running period and the same span before."""
    spans = running(period, TODAY)
    now, before = ((span.first, span.last) for span in (spans.current, spans.before))
    return {row["is_current"]: row for row in mart.rows("running_totals", *now, ATHLETE, *now, *before)}


def test_running_totals_are_those_of_the_days_typed_in(mart: Mart) -> None:
    """Week, month and year each sum their own days, and those of the same span before."""
    week, month, year = (totals(mart, period) for period in Period)
    assert (week[True]["distance_m"], week[True]["activity_count"]) == (10_500 + 1_040_250, 3)
    assert (week[False]["distance_m"], week[False]["activity_count"]) == (8_000, 1)
    assert (month[True]["activity_count"], month[False]["activity_count"]) == (5, 1)
    assert month[False]["moving_time_s"] == 240 * 60
    assert (year[True]["activity_count"], year[False]["activity_count"]) == (6, 2)
    assert year[False]["elevation_gain_m"] == 780


@pytest.mark.parametrize("metres", [(34_746.4, 8_341.7, 5_161.9), (5_161.9, 8_341.7, 34_746.4)])
def test_running_totals_do_not_depend_on_the_order_of_days(
    mart_file: Any, reader_of: Any, metres: tuple[float, ...]
) -> None:
    """48,250 m of distance and of climbing; added up from the left, one order gives 48,250.00000000001."""
    for day, amount in enumerate(metres, start=16):
        mart_file.activity(f"2026-11-{day}", "Run", km=1, minutes=1, climb=amount, distance_m=amount)
    mart_file.health()
    week = totals(Mart(reader_of(mart_file.publish())), Period.WEEK)[True]
    assert (week["distance_m"], week["elevation_gain_m"]) == (48_250, 48_250)


@pytest.mark.parametrize(("period", "periods"), [(Period.WEEK, 52), (Period.MONTH, 21), (Period.YEAR, 2)])
def test_totals_by_period_hold_every_period_and_every_activity_since(mart: Mart, period: Period, periods: int) -> None:
    """Periods with nothing are there, and none before the chart's first."""
    since = earliest_shown(period, TODAY)
    rows = mart.rows("totals_by_period", ATHLETE, period.lower(), since)
    assert len({row["period_start_date"] for row in rows}) == periods
    assert min(row["period_start_date"] for row in rows) >= since
    assert sum(row["activity_count"] for row in rows) == (6 if period is Period.WEEK else 8)


def test_the_mix_of_a_period_adds_up_to_one(mart: Mart) -> None:
    """Newest period first; shares of time and count are whole together."""
    starts = [row["period_start_date"] for row in mart.rows("mix_periods", ATHLETE, "week")]
    assert starts[:2] == [date(2026, 11, 16), date(2026, 11, 9)]
    rows = mart.rows("mix", ATHLETE, "week", starts[0])
    assert [row["sport_type"] for row in rows] == ["Ride", "Run", "WeightTraining"]
    assert sum(row["share_of_time"] for row in rows) == pytest.approx(1)
    assert [row["share_of_count"] for row in rows] == pytest.approx([1 / 3] * 3)


def test_the_latest_come_newest_first_and_never_another_athletes(lively: Any, reader_of: Any) -> None:
    """One athlete's page shows nothing of another."""
    lively.activity("2026-11-18", "Run", km=5, minutes=25, athlete_id=9, name="somebody else's")
    lively.publish()
    names = [row["name"] for row in Mart(reader_of(lively.path)).rows("latest_activities", ATHLETE)]
    assert names[:3] == ["WeightTraining 8", "<b>Far</b> **out** :bike: 🚴", "Run 6"]
    assert len(names) == 8


def test_the_latest_of_one_day_are_in_the_order_of_their_local_start(lively: Any, reader_of: Any) -> None:
    """What the table shows explains its order, across zones too; an activity without a start comes last."""
    for name, start in (("noon", "12:00"), ("dawn", "06:10"), ("night", "23:59"), ("dusk", "18:40")):
        at = datetime.fromisoformat(f"2026-11-18T{start}")
        lively.activity("2026-11-18", "Run", km=5, minutes=25, name=name, start_at_local=at)
    unknown = dict.fromkeys(["start_at", "start_at_local", "start_date_local"])
    lively.activity("2026-11-18", "Run", km=5, minutes=25, name="unknown", **unknown)
    lively.publish()
    names = [row["name"] for row in Mart(reader_of(lively.path)).rows("latest_activities", ATHLETE)]
    assert names[:5] == ["night", "dusk", "noon", "WeightTraining 8", "dawn"]
    assert names[-1] == "unknown"


def test_an_answer_is_remembered_until_other_marts_are_published(lively: Any, reader_of: Any) -> None:
    """Each query is asked once of the same marts, and again of the next."""
    reader = reader_of(lively.path)
    mart = Mart(reader)
    for _ in range(2):
        assert mart.snapshot().athlete_ids == [ATHLETE]
        assert len(mart.rows("latest_activities", ATHLETE)) == 8
    assert len(reader.asked) == 2
    lively.activity("2026-11-18", "Run", km=5, minutes=25, name="just now")
    lively.health(8)
    lively.publish()
    assert mart.snapshot().athlete_ids == [8, ATHLETE]
    assert mart.rows("latest_activities", ATHLETE)[0]["name"] == "just now"


def test_without_a_mart_it_says_so(mart_file: Any, reader_of: Any) -> None:
    """The pages turn this into advice."""
    with pytest.raises(MartMissing):
        Mart(reader_of(mart_file.path)).snapshot()


def test_a_moment_without_a_zone_is_utc() -> None:
    """The mart keeps UTC, whether the engine says so or not."""
    aware = datetime(2026, 11, 18, 19, 30, tzinfo=UTC)
    assert in_utc(aware.replace(tzinfo=None)) == in_utc(aware) == aware
    assert Snapshot(()).built_at is None
