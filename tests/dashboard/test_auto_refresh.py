"""When an open page stops to call its charts live."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.auto_refresh import days_of, is_late, is_outdated


@pytest.mark.parametrize(
    ("built_at", "now", "late"),
    [
        ("2026-11-18T11:59:59Z", "2026-11-18T12:04:59Z", False),
        ("2026-11-18T11:59:59Z", "2026-11-18T12:05:00Z", True),
        ("2026-11-18T12:00:00Z", "2026-11-18T13:04:59Z", False),
        ("2026-11-18T12:00:00Z", "2026-11-18T13:05:00Z", True),
        ("2026-11-18T23:59:59Z", "2026-11-19T00:05:00Z", True),
        ("2026-11-18T11:45:00Z", "2026-11-18T17:29:00+05:30", False),
    ],
)
def test_charts_are_late_when_no_build_followed_the_full_hour(built_at: str, now: str, late: bool) -> None:
    """The transformer builds as soon as an hour begins, and is given five minutes for it."""
    assert is_late(datetime.fromisoformat(built_at), datetime.fromisoformat(now)) is late


def test_a_change_of_clocks_makes_no_build_late() -> None:
    """At 3:02 of a Berlin night without an hour from 2 to 3, five minutes ago was 1:57, and a build then is in time."""
    now = datetime(2026, 3, 29, 3, 2, tzinfo=ZoneInfo("Europe/Berlin"))
    assert not is_late(datetime(2026, 3, 29, 0, 57, tzinfo=UTC), now)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - given there
def test_no_build_older_than_65_minutes_passes_for_live(now: datetime) -> None:
    """Whatever the minute and the zone; and one of five minutes always does."""
    now_utc = now.astimezone(UTC)
    assert is_late(now_utc - timedelta(minutes=65, microseconds=1), now)
    assert not is_late(now_utc - timedelta(minutes=5), now)


def test_a_page_is_drawn_again_on_the_athletes_new_day(mart_file: Any, context_of: Any) -> None:
    """Auckland's midnight is noon in Berlin, whose own midnight changes nothing."""
    mart_file.health(utc_offset_s=46_800)
    mart_file.publish()
    clock = [datetime.fromisoformat("2026-11-18T10:59:59Z")]
    context = context_of(mart_file, lambda: clock[0])
    shown = context.mart.snapshot()
    days = days_of(context, shown)
    assert days == [date(2026, 11, 18)]
    assert not is_outdated(context, shown, days)
    clock[0] = datetime.fromisoformat("2026-11-18T11:00:00Z")
    assert is_outdated(context, shown, days)
    drawn = days_of(context, shown)
    clock[0] = datetime.fromisoformat("2026-11-18T23:00:00Z")
    assert not is_outdated(context, shown, drawn)


def test_a_page_is_drawn_again_for_another_build(mart_file: Any, context_of: Any) -> None:
    """From none to one, and from one to the next; a build that cannot be read is no news."""
    context = context_of(mart_file)
    assert not is_outdated(context, None, [])
    mart_file.health()
    mart_file.publish()
    assert is_outdated(context, None, [])
    shown = context.mart.snapshot()
    assert not is_outdated(context, shown, days_of(context, shown))
    mart_file.health(deleted_count=1)
    mart_file.publish()
    assert is_outdated(context, shown, days_of(context, shown))
