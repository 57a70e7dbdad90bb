"""Periods, shares and the pipeline's health on the same life; expected values were added up by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from athlete.demo.latency import STAGES, UNKNOWN, events_on_chart, percentiles
from backends.warehouse.duckdb.marts import DuckdbMartReader

PERIOD = """
    select * from mart.activity_summary
    where athlete_id = 7 and period_kind = '{kind}' and sport_group = '{group}' and period_start_date = '{day}'
"""


def period(life: Any, kind: str, group: str, day: str) -> dict[str, Any]:
    """Return one row of a summary."""
    row: dict[str, Any] = life.row(PERIOD.format(kind=kind, group=group, day=day))
    return row


def test_a_day_adds_up_what_began_on_it_locally(life: Any) -> None:
    """Runs of 5 and 2 km on the day of the clock change: 7 km, 2100 s moving, 2160 s elapsed, 25 m up."""
    row = period(life, "day", "run", "2026-03-29")
    assert (row["activity_count"], row["distance_m"], row["moving_time_s"], row["elapsed_time_s"]) == (
        2,
        7000,
        2100,
        2160,
    )
    assert row["elevation_gain_m"] == 25
    # 2,100 s at 0.9 of the threshold pace: 33.75 and 13.5
    assert round(row["load"], 3) == 47.25


def test_a_day_without_activity_is_a_zero(life: Any) -> None:
    """Between first activity and today every group has every day."""
    row = period(life, "day", "run", "2026-03-28")
    assert (row["activity_count"], row["distance_m"], row["load"]) == (0, 0, 0)


def test_periods_run_from_the_first_activity_to_the_local_today(life: Any) -> None:
    """20 March to 2 April are 14 days for each of the five groups that the athlete has used."""
    row = life.row(
        "select min(period_start_date) as first, max(period_start_date) as last, count(*) as days, "
        "count(distinct sport_group) as groups from mart.activity_summary where athlete_id = 7 and period_kind = 'day'"
    )
    assert row == {"first": date(2026, 3, 20), "last": date(2026, 4, 2), "days": 70, "groups": 5}


def test_periods_end_today_whatever_is_dated_later(life: Any) -> None:
    """Activities of tomorrow and of 2099 are stored, and count nowhere yet."""
    later = life.rows("select activity_id from mart.fct_activities where start_date_local > '2026-04-02' order by 1")
    assert [row["activity_id"] for row in later] == [61, 62]
    row = life.row(
        "select max(period_start_date) as last, count(distinct sport_group) as groups from mart.activity_summary "
        "where athlete_id = 8 and period_kind = 'day'"
    )
    assert row == {"last": date(2026, 4, 2), "groups": 3}
    assert life.row("select max(period_start_date) as last from mart.activity_mix") == {"last": date(2026, 3, 23)}


def test_the_week_of_the_clock_change_begins_on_monday(life: Any) -> None:
    """29 March is the Sunday of the week from the 23rd."""
    row = period(life, "week", "run", "2026-03-23")
    assert (row["activity_count"], row["distance_m"], row["period_end_date"]) == (2, 7000, date(2026, 3, 29))


def test_months_and_years_add_up(life: Any) -> None:
    """March 2026 has both runs; so has the year; April has a row with nothing."""
    assert period(life, "month", "run", "2026-03-01")["distance_m"] == 7000
    assert period(life, "month", "run", "2026-04-01")["activity_count"] == 0
    assert period(life, "year", "run", "2026-01-01")["moving_time_s"] == 2100


def test_the_mix_shares_out_a_month(life: Any) -> None:
    """March: 5+2 km run, 5 km each of gravel, Quidditch and swim: of 22 km, seven were run; of six activities, two."""
    row = life.row(
        "select * from mart.activity_mix where athlete_id = 7 and period_kind = 'month' "
        "and period_start_date = '2026-03-01' and sport_type = 'Run'"
    )
    assert (row["activity_count"], row["distance_m"]) == (2, 7000)
    assert round(row["share_of_distance"], 6) == 0.318182
    assert round(row["share_of_count"], 6) == 0.333333
    # 2100 of 2100 + 3 * 1500 + 1800 seconds
    assert row["share_of_time"] == 0.25


def test_dates_reach_from_the_first_activity_of_anyone_to_today(life: Any) -> None:
    """The recorded marathon of 2018-11-04 is the oldest activity."""
    row = life.row("select min(date_day) as first, max(date_day) as last, count(*) as days from mart.dim_date")
    assert (row["first"], row["last"]) == (date(2018, 11, 4), date(2026, 4, 2))
    assert row["days"] == (date(2026, 4, 2) - date(2018, 11, 4)).days + 1


def test_health_counts_what_is_stored(life: Any) -> None:
    """Nine living activities, one of them a summary, one tombstone."""
    row = life.row("select * from mart.pipeline_health where athlete_id = 7")
    assert (row["activity_count"], row["detailed_count"], row["summary_count"], row["deleted_count"]) == (9, 8, 1, 1)
    assert round(row["backfill_progress"], 6) == 0.888889
    assert (row["reconcile_verdict"], row["missing_count"], row["repaired_count"]) == ("complete", 1, 2)
    assert f"{row['cut_short_at']} {row['reconcile_retry_at']}" == "2026-04-02 06:00:05 2026-04-02 06:15:00"


def test_latencies_are_those_of_the_one_event(life: Any) -> None:
    """Heard 0.25 s after the save's whole second, in raw after 1.5 s, and first shown by this build, 22 hours later."""
    rows = life.rows("select * from mart.pipeline_latency where athlete_id = 7 and window_days = 1")
    assert {row["stage"]: (row["event_count"], row["p50_s"], row["p95_s"]) for row in rows} == {
        "save_to_heard": (1, 0.25, 0.25),
        "heard_to_raw": (1, 1.25, 1.25),
        "heard_to_chart": (1, 79_199.75, 79_199.75),
        "save_to_raw": (1, 1.5, 1.5),
        "save_to_chart": (1, 79_200, 79_200),
    }


def test_the_demo_reads_its_latencies(life: Any) -> None:
    """What the demo asks is what the marts hold: every stage, and the events that were heard since a moment."""
    marts = DuckdbMartReader(life.built)
    assert percentiles(marts, 7)["heard_to_raw"] == {"p50": 1.25, "p95": 1.25}
    assert percentiles(marts, 8) == dict.fromkeys(STAGES, UNKNOWN)
    heard = datetime(2026, 4, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert events_on_chart(marts, heard)["d1"]["heard_to_chart_s"] == 79_199.75
    assert events_on_chart(marts, heard + timedelta(microseconds=1)) == {}
    marts.close()


def test_health_has_a_row_for_an_athlete_without_events(life: Any) -> None:
    """The recorded athlete has activities and no event."""
    row = life.row("select * from mart.pipeline_health where athlete_id = 4605555801")
    assert (row["activity_count"], row["last_event_at"], row["parked_event_count"]) == (14, None, 0)
    assert (row["reconcile_verdict"], row["missing_count"]) == (None, None)


def test_health_tells_every_athlete_of_what_is_nobodys(life: Any) -> None:
    """A parked message that could not be read is on every row, and among no athlete's own."""
    rows = life.rows(
        "select unassigned_parked_event_count as nobodys, parked_event_count as own from mart.pipeline_health"
    )
    assert rows == [{"nobodys": 1, "own": 0}] * 4


def test_each_event_that_waits_counts_once(life: Any) -> None:
    """Two of the queue that were put off, one that waits off it, and one of nobody; others' messages are in it too."""
    rows = life.rows("select athlete_id, waiting_event_count as waiting from mart.pipeline_health order by athlete_id")
    assert [(row["athlete_id"], row["waiting"]) for row in rows] == [(5, 3), (6, 3), (7, 4), (4605555801, 3)]
