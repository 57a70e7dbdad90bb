"""How fitness, fatigue and form are read: by which definition, what a form is called, and the tile of today's.

The numbers are those of `training_load_daily`, which has both definitions of the averages as columns.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from dashboard import address, contributing, formatting
from dashboard.card import Why, tile
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.page import Page

FITNESS_DAYS, FATIGUE_DAYS = 42, 7
SHOWN_DAYS = 90  # of the small charts in the tiles
# Bands of form for display; nothing of physiology is proven by them.
BANDS = ((25, N_("very fresh")), (10, N_("fresh")), (-10, N_("neutral")), (-30, N_("building")))
LOWEST = N_("overreaching")
CURVES = {"exp": N_("averages: exponential"), "linear": N_("averages: 1 ÷ days"), "both": N_("averages: both")}
MOMENTS = {"before": N_("form: before training"), "after": N_("form: after training")}


@dataclass(frozen=True, slots=True)
class Definition:
    """Which columns are shown; `curve` is a key of CURVES, `moment` one of MOMENTS."""

    curve: str = "exp"
    moment: str = "before"

    @property
    def prefix(self) -> str:
        """What the names of the columns begin with."""
        return "linear_" if self.curve == "linear" else ""

    @property
    def form(self) -> str:
        """The column of the form."""
        return f"{self.prefix}form{'_after' if self.moment == 'after' else ''}"

    @property
    def has_both(self) -> bool:
        """Whether the other averages are drawn beside these."""
        return self.curve == "both"

    @property
    def other(self) -> "Definition":
        """The definition whose averages are drawn beside these where both are."""
        return Definition("linear", self.moment)

    def share(self, days: int) -> float:
        """Return what part of the way to the day's load an average over some days goes in a day."""
        return 1 / days if self.prefix else 1 - math.exp(-1 / days)


def chosen() -> Definition:
    """Return the definition that the address asks for."""
    curve = address.follow("curve", CURVES.__contains__, "exp")
    return Definition(curve, address.follow("moment", MOMENTS.__contains__, "before"))


def choices(tell: Teller) -> None:
    """Draw the two choices of the definition."""
    address.pick("curve", list(CURVES), "exp", tell("Averages"), lambda word: tell(CURVES[word]), width=240)
    address.pick("moment", list(MOMENTS), "before", tell("Form"), lambda word: tell(MOMENTS[word]), width=240)


def band(value: float) -> str:
    """Return the word for a form."""
    return next((word for least, word in BANDS if value >= least), LOWEST)


def limits(value: float, tell: Teller) -> str:
    """Return between which forms the word for a form holds."""
    ends = [least for least, _ in BANDS]
    low = max((end for end in ends if value >= end), default=None)
    high = min((end for end in ends if value < end), default=None)
    if high is None:
        return tell("from {n} on", n=tell.number(low, signed=True))
    if low is None:
        return tell("below {n}", n=tell.number(high, signed=True))
    return tell("{low} to {high}", low=tell.number(low, signed=True), high=tell.number(high, signed=True))


def of_today(rows: Sequence[Row]) -> Row | None:
    """Return the last of the rows that are told up to today."""
    return rows[-1] if rows else None


def recent(page: Page, sport: str) -> Rows:
    """Return the last days up to the athlete's today; one of them may be after the build, and without load so far."""
    return page.rows("training/days", page.athlete_id, sport, page.today - timedelta(days=SHOWN_DAYS - 1), page.today)


def explained(definition: Definition, tell: Teller) -> str:
    """Say how the averages are made."""
    share = definition.share
    slow, fast = (f"{tell.number(100 * share(days), 1)}{formatting.NARROW}%" for days in (FITNESS_DAYS, FATIGUE_DAYS))
    return tell(
        "Each day fitness goes {slow} and fatigue {fast} of the way to the day's load ({how}, of {fitness_days} and of "
        "{fatigue_days} days), from 0 on the day before the first activity.",
        slow=slow, fast=fast, how=tell("1 ÷ days") if definition.prefix else tell("1 - e^(-1 ÷ days)"),
        fitness_days=FITNESS_DAYS, fatigue_days=FATIGUE_DAYS,
    )  # fmt: skip


def tile_of_today(page: Page, rows: Rows, definition: Definition, *, sport: str, decimals: int) -> None:
    """Draw how fresh the athlete's today is; `rows` are the days of `training/days` up to it."""
    tell, now = page.tell, of_today(rows)
    is_known = now is not None and any(row["fitness"] for row in rows)
    value = float(now[definition.form]) if now else 0.0
    word = tell("warming up") if now and now["is_warming_up"] else tell(band(value))
    with tile(page, "kpi-form", why(page, rows, definition, sport), [rows]):
        st.metric(
            tell("Form today") if sport == page.filters.sport else tell("Form today, all sports"),
            tell.number(value, decimals, signed=True) if is_known else formatting.NOTHING,
            word if is_known else tell("no load yet"),
            delta_arrow="off",
            delta_color="off",
            delta_description=limits(value, tell) if is_known else None,
            chart_data=[round(row[definition.form], 1) for row in rows] or None,
        )


def why(page: Page, rows: Rows, definition: Definition, sport: str) -> Why:
    """Say both averages that form is the difference of, and the loads that moved them last."""
    tell, is_after = page.tell, definition.moment == "after"
    days = rows[-FATIGUE_DAYS:] if is_after else rows[-FATIGUE_DAYS - 1 : -1]
    state = days[-1] if days else None
    told = {name: tell.number(state[definition.prefix + name] if state else 0, 1) for name in ("fitness", "fatigue")}
    value = rows[-1][definition.form] if rows else 0
    told["form"] = tell.number(value, 1, signed=True)
    loads = [f"{tell.day(row['date_day'], 'near')}: {tell.number(row['load'])}" for row in days]
    formula = tell(
        "**Form = yesterday's fitness - yesterday's fatigue** = {form} (before rounding: {fitness} - {fatigue}).",
        **told,
    )
    if is_after:
        formula = tell(
            "**Form = today's fitness - today's fatigue** = {form} (before rounding: {fitness} - {fatigue}).", **told
        )
    return Why(
        formula=formula,
        inputs=[
            explained(definition, tell),
            *([tell("Load of the last days: {days}.", days=" · ".join(loads))] if loads else []),
        ],
        models=["training_load_daily", "fct_activities"],
        activities=heaviest(page, state, FITNESS_DAYS, sport),
    )


def heaviest(page: Page, last: Row | None, days: int, sport: str = "") -> Sequence[Row] | Callable[[], Rows]:
    """Return what asks for the activities with the most load in the days up to that of a row; nothing for no row."""
    if last is None:
        return ()
    day: date = last["date_day"]
    return contributing.largest(page, "load", day - timedelta(days=days - 1), day, sport=sport)
