"""Which year is shown, and beside which other one; both are kept in the address."""

from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

from dashboard import address
from dashboard.mart import Row
from dashboard.page import Page

NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Years:
    """A row of `year/review`, and that of the year beside it; None where there is none."""

    shown: Row
    other: Row | None

    @property
    def rows(self) -> list[Row]:
        """Both, as far as there are two."""
        return [self.shown, self.other] if self.other else [self.shown]

    @property
    def span(self) -> tuple[date, date]:
        """The days of the year shown."""
        return date(int(self.shown["year"]), 1, 1), date(int(self.shown["year"]), 12, 31)

    @property
    def until(self) -> date | None:
        """The day of the other year up to which it is compared: that of today, while the year shown is not over."""
        if self.other is None or not self.shown["is_running"]:
            return None
        return same_day(self.shown["last_day"], int(self.other["year"]))


def same_day(day: date, year: int) -> date:
    """Return the same month and day of another year; 29 February is compared with the 28th."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=year, day=28 if is_leap_day and not isleap(year) else day.day)


def years_of(rows: Sequence[Row], shown: str, other: str) -> Years:
    """Return the two years by their words in the address."""
    found = {str(row["year"]): row for row in rows}
    return Years(shown=found[shown], other=found.get(other) if other != shown else None)


def draw(page: Page, rows: Sequence[Row]) -> Years:
    """Draw the two selectboxes; the running year beside the one before it until the reader says otherwise."""
    tell, words = page.tell, [str(row["year"]) for row in rows]
    with st.container(horizontal=True, key="years", gap="small", vertical_alignment="center"):
        shown = address.pick("year", words, words[0], tell("Year"), str, width=110)
        others = [word for word in words if word != shown]
        before = str(int(shown) - 1)
        default = before if before in others else next(iter(others), NONE)
        other = address.pick(
            "with", [*others, NONE], default, tell("Compare with"),
            lambda word: tell("alone") if word == NONE else tell("with {year}", year=word), width=140,
        )  # fmt: skip
    return years_of(rows, shown, other)
