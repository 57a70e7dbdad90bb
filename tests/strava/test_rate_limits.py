"""Strava's rate headers and the windows they speak of."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strava.rate_limits import RateUsage, RateWindow, wait_for_next_day, wait_for_next_window

FULL = {
    "X-RateLimit-Limit": "200,2000",
    "X-RateLimit-Usage": "5,148",
    "X-ReadRateLimit-Limit": "100,1000",
    "X-ReadRateLimit-Usage": "4,140",
}
READ = RateUsage(
    quarter=RateWindow(limit=200, used=5),
    day=RateWindow(limit=2000, used=148),
    read_quarter=RateWindow(limit=100, used=4),
    read_day=RateWindow(limit=1000, used=140),
)


@pytest.mark.parametrize("cased", [str, str.lower, str.upper, str.title])
def test_headers_are_read_in_any_casing(cased: Callable[[str], str]) -> None:
    """Strava's casing varies; the meaning does not."""
    headers = {cased(name): value for name, value in FULL.items()}

    assert RateUsage.from_headers(headers) == RateUsage.from_headers(httpx.Headers(headers)) == READ


def test_recorded_headers_are_read(recorded: Callable[[str], httpx.Response]) -> None:
    """The headers of a recorded activity give all four windows."""
    assert RateUsage.from_headers(recorded("activity_run_marathon").headers) == RateUsage(
        quarter=RateWindow(limit=200, used=5),
        day=RateWindow(limit=2000, used=148),
        read_quarter=RateWindow(limit=100, used=5),
        read_day=RateWindow(limit=1000, used=148),
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Limit": "200,2000"},
        {"X-RateLimit-Usage": "1,2"},
        {"X-RateLimit-Limit": "", "X-RateLimit-Usage": ""},
        {"X-RateLimit-Limit": "many,more", "X-RateLimit-Usage": "1,2"},
        {"X-RateLimit-Limit": "-1,²", "X-RateLimit-Usage": "1,2"},
    ],
)
def test_absent_or_odd_headers_say_nothing(headers: dict[str, str]) -> None:
    """An answer that does not state limit and usage states nothing."""
    assert RateUsage.from_headers(headers) is None


def test_one_family_is_enough() -> None:
    """Old answers know no read limits."""
    usage = RateUsage.from_headers({"x-ratelimit-limit": "600, 30000", "x-ratelimit-usage": "600, 1"})

    assert usage == RateUsage(quarter=RateWindow(limit=600, used=600), day=RateWindow(limit=30_000, used=1))
    assert usage is not None
    assert not usage.is_day_spent


@given(st.dictionaries(st.sampled_from(sorted(FULL)), st.text()))
def test_no_header_breaks_the_reading(headers: dict[str, str]) -> None:
    """Reading any headers gives windows with whole numbers, or nothing."""
    usage = RateUsage.from_headers(headers)

    assert usage is None or isinstance(usage, RateUsage)


def test_what_is_left_is_never_negative() -> None:
    """Calls beyond the limit leave nothing, not less than nothing."""
    assert [RateWindow(limit=100, used=used).left for used in (0, 99, 100, 130)] == [100, 1, 0, 0]


def test_a_read_limit_spends_the_day_too() -> None:
    """The lower of the two limits decides."""
    assert RateUsage(day=RateWindow(limit=2000, used=1000), read_day=RateWindow(limit=1000, used=1000)).is_day_spent


@pytest.mark.parametrize(
    ("now", "window", "day"),
    [
        ("2026-03-01T11:58:20Z", 105, 43_305),
        ("2026-03-01T12:01:00Z", 845, 43_145),
        ("2026-03-01T23:59:59.5Z", 5.5, 5.5),
        ("2026-03-01T05:43:20+05:45", 105, 105),
    ],
)
def test_windows_end_on_the_quarter_and_at_midnight_utc(now: str, window: float, day: float) -> None:
    """The windows are UTC's in every zone of the clock; a wait ends five seconds after the reset."""
    moment = datetime.fromisoformat(now)

    assert (wait_for_next_window(moment), wait_for_next_day(moment)) == (window, day)


@pytest.mark.parametrize(("ahead_s", "wait"), [(0, 60), (5, 55), (59.5, 0.5)])
def test_a_clock_that_is_ahead_costs_no_day(ahead_s: float, wait: float) -> None:
    """Spent just after midnight by our clock means just before it by Strava's: the wait is seconds, not a day."""
    moment = datetime.fromisoformat("2026-03-01T00:00:00Z") + timedelta(seconds=ahead_s)

    assert (wait_for_next_window(moment), wait_for_next_day(moment)) == (wait, wait)


@given(st.datetimes(max_value=datetime.fromisoformat("9998-01-01"), timezones=st.just(UTC)))
def test_waiting_ends_in_the_next_window(now: datetime) -> None:
    """The wait ends within a minute after a quarter hour, and is never nothing."""
    wait = wait_for_next_window(now)
    then = now + timedelta(seconds=wait)

    assert 0 < wait <= 845
    assert (then.minute % 15, then.second) in {(0, 5), (1, 0)}
