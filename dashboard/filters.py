"""The filters that all pages share: which sport, and which days. They are kept in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import streamlit as st

from dashboard import address, sports
from dashboard.chart_data import same_day_last_year
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row

ALL = "all"  # the sport group of all sports, in the address and in the marts
RANGES = {
    "12m": N_("Last 12 months"),
    "year": N_("This year"),
    "90d": N_("Last 90 days"),
    "all": N_("All time"),
    "custom": N_("Custom …"),
}
DEFAULT_RANGE = "12m"
_BETWEEN = ".."  # of two ISO days in the address
_YEARS = range(1900, 2101)  # that a custom range may lie in


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What a page is asked for: a sport group or `all`, and the local days `first` … `last`, both included.

    `today` is the athlete's day. `range` is the word of the range in the address, a key of RANGES.
    """

    sport: str
    range: str
    first: date
    last: date
    today: date

    def sport_title(self, tell: Teller) -> str:
        """Return the sport in the reader's language."""
        return sport_title(self.sport, tell)

    def range_title(self, tell: Teller) -> str:
        """Return the days in the reader's language: the name of the range, or the days of a custom one."""
        return tell.days(self.first, self.last) if self.range == "custom" else tell(RANGES[self.range])


def sport_title(sport: str, tell: Teller) -> str:
    """Return a sport group, or all of them, in the reader's language."""
    return tell("All sports") if sport == ALL else sports.title(sport, tell)


def everything(done: Sequence[Row], today: date) -> Filters:
    """Return what a page without filters is asked for."""
    return Filters(sport=ALL, range="all", first=first_day(done, today), last=today, today=today)


def keep(done: Sequence[Row]) -> None:
    """Hand on what the filters say through a page that draws none, so that it is there when the reader goes back."""
    address.follow("sport", {ALL, *(row["sport_group"] for row in done)}.__contains__, ALL)
    _keep_days()


def _keep_days() -> None:
    address.follow("range", RANGES.__contains__, DEFAULT_RANGE)
    _follow_dates()


def _follow_dates() -> str:
    return address.follow("dates", lambda told: _parsed(told) is not None, "")


def draw(done: Sequence[Row], today: date, tell: Teller, *, has_dates: bool = True) -> Filters:
    """Draw the filters and return what they say; `done` are the rows of `sports_done`. Without dates it is all time."""
    groups = sorted((row["sport_group"] for row in done), key=sports.rank)
    sport = address.pick(
        "sport", [ALL, *groups], ALL, tell("Sport"), lambda word: sport_title(word, tell),
        width=164, icon=":material/filter_alt:",
    )  # fmt: skip
    if not has_dates:
        _keep_days()
        return replace(everything(done, today), sport=sport)
    chosen = address.pick(
        "range", list(RANGES), DEFAULT_RANGE, tell("Dates"), lambda word: tell(RANGES[word]),
        width=176, icon=":material/calendar_today:",
    )  # fmt: skip
    earliest = first_day(done, today)
    first, last = _custom(earliest, today, tell) if chosen == "custom" else _days(chosen, earliest, today)
    return Filters(sport=sport, range=chosen, first=first, last=last, today=today)


def show_all_time() -> None:
    """Take the dates off; for the `on_click` of a button."""
    address.put("range", "all", DEFAULT_RANGE)


def first_day(done: Sequence[Row], today: date) -> date:
    """Return the day of the first activity of any sport; today without one."""
    return min((row["first_day"] for row in done), default=today)


def _days(chosen: str, earliest: date, today: date) -> tuple[date, date]:
    starts = {
        "12m": same_day_last_year(today) + timedelta(days=1),
        "year": today.replace(month=1, day=1),
        "90d": today - timedelta(days=89),
        "all": min(earliest, today),
    }
    return starts[chosen], today


def _custom(earliest: date, today: date, tell: Teller) -> tuple[date, date]:
    """Draw the two days; until the reader says which, the newest ninety of when they asked, as the address tells."""
    told = _parsed(_follow_dates())
    first, last = told or _days("90d", earliest, today)
    if not told:
        address.put("dates", _written(first, last), "")
    with st.popover(tell.days(first, last), key="dates-open"):
        st.date_input(
            tell("First and last day"), (first, last), min_value=min(earliest, first), max_value=max(today, last),
            format="YYYY-MM-DD", key="dates-picked", on_change=_picked,
        )  # fmt: skip
    return first, last


def _picked() -> None:
    """Keep two picked days; while only one is picked the dates stay as they are."""
    days = st.session_state["dates-picked"]
    if len(days) == 2:  # noqa: PLR2004 - first and last
        address.put("dates", _written(*days), "")


def _parsed(word: str) -> tuple[date, date] | None:
    """Read two days as they are written here, or nothing; other forms of ISO 8601 are none of the address's."""
    try:
        first, last = (date.fromisoformat(day) for day in word.split(_BETWEEN))
    except ValueError:
        return None
    is_span = first <= last and first.year in _YEARS and last.year in _YEARS
    return (first, last) if is_span and _written(first, last) == word else None


def _written(first: date, last: date) -> str:
    return f"{first.isoformat()}{_BETWEEN}{last.isoformat()}"
