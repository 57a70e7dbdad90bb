"""Calendar arithmetic of the cards and charts: running weeks, months and years, and how they are labelled."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DASH = "\N{EN DASH}"


class Period(StrEnum):
    """A step of the calendar; weeks are ISO weeks, so they start on Monday."""

    WEEK = "Week"
    MONTH = "Month"
    YEAR = "Year"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A running period up to today, and the same span of the period before."""

    current: Span
    before: Span


def running(period: Period, today: date) -> Comparison:
    """Compare the running period with the same span of the one before.

    Where the one before is shorter (31 May against April), its span ends with its last day.
    """
    first = start_of(period, today)
    before = start_of(period, first - timedelta(days=1))
    return Comparison(
        current=Span(first=first, last=today),
        before=Span(first=before, last=_same_day(period, today, before)),
    )


def start_of(period: Period, day: date) -> date:
    """Return the first day of the period that holds the day."""
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day.replace(month=1, day=1)


def earliest_shown(period: Period, today: date) -> date:
    """Return where the chart begins: a year of weeks, two years of months, every year."""
    if period is Period.WEEK:
        return start_of(period, today) - timedelta(weeks=51)
    return date(today.year - 2, today.month, 1) if period is Period.MONTH else date.min


def label(period: Period, start: date) -> str:
    """Name one period in full: a week by its Monday."""
    if period is Period.WEEK:
        return f"Week of Mon {start.day} {start:%b %Y}"
    return f"{start:%B %Y}" if period is Period.MONTH else f"{start.year}"


def span_label(span: Span) -> str:
    """Name a span of days, saying the month and the year no more often than needed."""
    first, last = span.first, span.last
    if first == last:
        return f"{last.day} {last:%b %Y}"
    if first.year != last.year:
        return f"{first.day} {first:%b %Y} {DASH} {last.day} {last:%b %Y}"
    if first.month != last.month:
        return f"{first.day} {first:%b} {DASH} {last.day} {last:%b %Y}"
    return f"{first.day} {DASH} {last.day} {last:%b %Y}"


def _same_day(period: Period, today: date, before: date) -> date:
    if period is Period.WEEK:
        return before + timedelta(days=today.weekday())
    month = before.month if period is Period.MONTH else today.month
    return date(before.year, month, min(today.day, calendar.monthrange(before.year, month)[1]))
