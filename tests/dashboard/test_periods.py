"""Running periods, the spans they are compared with, and their labels."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.periods import Comparison, Period, Span, earliest_shown, label, running, span_label, start_of


def days(first: str, last: str) -> Span:
    """Build a span from two ISO days."""
    return Span(first=date.fromisoformat(first), last=date.fromisoformat(last))


@pytest.mark.parametrize(
    ("period", "today", "current", "before"),
    [
        (Period.WEEK, "2026-11-18", ("2026-11-16", "2026-11-18"), ("2026-11-09", "2026-11-11")),
        (Period.WEEK, "2026-01-01", ("2025-12-29", "2026-01-01"), ("2025-12-22", "2025-12-25")),
        (Period.MONTH, "2026-11-18", ("2026-11-01", "2026-11-18"), ("2026-10-01", "2026-10-18")),
        (Period.MONTH, "2026-05-31", ("2026-05-01", "2026-05-31"), ("2026-04-01", "2026-04-30")),
        (Period.MONTH, "2026-01-05", ("2026-01-01", "2026-01-05"), ("2025-12-01", "2025-12-05")),
        (Period.YEAR, "2026-11-18", ("2026-01-01", "2026-11-18"), ("2025-01-01", "2025-11-18")),
        (Period.YEAR, "2028-02-29", ("2028-01-01", "2028-02-29"), ("2027-01-01", "2027-02-28")),
    ],
)
def test_a_running_period_meets_the_same_span_of_the_one_before(
    period: Period, today: str, current: tuple[str, str], before: tuple[str, str]
) -> None:
    """Monday to today against Monday to the same weekday; short months and leap days end with their last day."""
    assert running(period, date.fromisoformat(today)) == Comparison(current=days(*current), before=days(*before))


@given(st.sampled_from(Period), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_the_span_before_ends_before_the_running_one_and_is_as_long(period: Period, today: date) -> None:
    """On any day the spans never overlap, and but for short months and leap days they are of one length."""
    spans = running(period, today)
    assert spans.before.last < spans.current.first
    longer = (spans.current.last - spans.current.first) - (spans.before.last - spans.before.first)
    assert timedelta(days=-1) <= longer <= timedelta(days=3)
    assert spans.before.first == start_of(period, spans.before.last)


def test_the_chart_begins_a_year_of_weeks_or_two_years_of_months_ago() -> None:
    """With the running one that is 52 weeks, 25 months, or all years."""
    today = date(2026, 11, 18)
    assert earliest_shown(Period.WEEK, today) == date(2025, 11, 24)
    assert earliest_shown(Period.MONTH, today) == date(2024, 11, 1)
    assert earliest_shown(Period.YEAR, today) == date.min


def test_periods_are_named_in_full() -> None:
    """A week goes by its Monday."""
    assert label(Period.WEEK, date(2026, 11, 16)) == "Week of Mon 16 Nov 2026"
    assert label(Period.MONTH, date(2026, 11, 1)) == "November 2026"
    assert label(Period.YEAR, date(2026, 1, 1)) == "2026"


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (days("2026-11-16", "2026-11-16"), "16 Nov 2026"),
        (days("2026-11-16", "2026-11-18"), "16 \N{EN DASH} 18 Nov 2026"),
        (days("2026-10-26", "2026-11-01"), "26 Oct \N{EN DASH} 1 Nov 2026"),
        (days("2025-12-29", "2026-01-01"), "29 Dec 2025 \N{EN DASH} 1 Jan 2026"),
    ],
)
def test_spans_say_month_and_year_no_more_often_than_needed(span: Span, text: str) -> None:
    """The label stays short without becoming unclear."""
    assert span_label(span) == text
