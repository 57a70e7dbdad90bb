"""The activities that make up a number, as its reason names them: asked when that is opened."""

from collections.abc import Callable
from datetime import date

from dashboard.mart import Rows
from dashboard.page import Page

EVER = date(1900, 1, 1), date(2100, 12, 31)


def largest(  # noqa: PLR0913 - what a sum is of
    page: Page, measure: str, first: date, last: date, *, sport: str = "", least_of_day: float = 0
) -> Callable[[], Rows]:
    """Return what asks for the activities with the most of a measure, and for how many contribute.

    Measures are those of `contributing.sql`. The sport is the filter's unless given; with `least_of_day` only those of
    days that have at least so much of the measure count.
    """
    group = sport or page.filters.sport
    asked = (measure, page.athlete_id, first, min(last, page.today), group, group, float(least_of_day))
    return lambda: page.rows("contributing", *asked)


def with_gear(
    page: Page, measure: str, gear_id: str, first: date = EVER[0], last: date = EVER[1]
) -> Callable[[], Rows]:
    """Return what asks for the same of a piece of gear, by distance or by time in motion."""
    asked = (measure, page.athlete_id, gear_id, first, min(last, page.today))  # what is dated later counts nowhere yet
    return lambda: page.rows("gear/contributing", *asked)
