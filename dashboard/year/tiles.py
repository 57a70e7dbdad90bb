"""The four numbers on top: distance, time, activities and active days, against the other year."""

import streamlit as st

from dashboard import contributing, formatting
from dashboard.card import Why, tile
from dashboard.languages import N_
from dashboard.mart import Rows
from dashboard.measures import Kind, Measure
from dashboard.page import Page
from dashboard.year.choice import Years

SHOWN = {
    "distance": Measure(title=N_("Distance"), column="distance_m", kind=Kind.DISTANCE),
    "time": Measure(title=N_("Time"), column="moving_time_s", kind=Kind.DURATION),
    "activities": Measure(title=N_("Activities"), column="activity_count", kind=Kind.COUNT),
    "days": Measure(title=N_("Active days"), column="active_day_count", kind=Kind.COUNT),
}


def draw(page: Page, years: Years, reviewed: Rows) -> None:
    """Draw the tiles; while the year goes on, it is compared with the other up to the same day."""
    other, queries = years.other, [reviewed]
    if other is not None and (until := years.until) is not None:
        first = until.replace(month=1, day=1)
        found = page.rows("year/to_day", page.athlete_id, first, until, page.filters.sport)
        other, queries = found[0], [reviewed, found]
    with st.grid(4, min_column_width=150, gap="small"):
        for name, measure in SHOWN.items():
            before = None if other is None else float(other[measure.column])
            with tile(page, f"year-{name}", _why(page, measure, years, before), queries):
                _metric(page, measure, years, before)


def _metric(page: Page, measure: Measure, years: Years, before: float | None) -> None:
    tell, value = page.tell, float(years.shown[measure.column])
    delta, is_same = formatting.NOTHING, True
    if before is not None:
        delta = measure.shown(abs(value - before), tell)
        is_same = delta == measure.shown(0, tell)
    st.metric(
        tell(measure.title),
        formatting.small(measure.shown(value, tell)),
        delta,
        delta_arrow="off" if is_same else "up" if before is not None and value > before else "down",
        delta_color="off" if is_same else "primary",
        delta_description=_against(page, years),
    )


def _against(page: Page, years: Years) -> str | None:
    tell, other = page.tell, years.other
    if other is None:
        return None
    if years.until is not None:
        return tell("to {year}, by {day}", year=other["year"], day=tell.day(years.until, "short"))
    if other["is_running"]:
        return tell("to {year} so far", year=other["year"])
    return tell("to {year}", year=other["year"])


def _why(page: Page, measure: Measure, years: Years, before: float | None) -> Why:
    tell, shown = page.tell, years.shown
    formula = tell(
        "**{measure} of {year}: {value}**, from {first} to {last}.",
        measure=tell(measure.title), year=shown["year"], value=measure.shown(shown[measure.column], tell),
        first=tell.day(shown["first_day"]), last=tell.day(shown["last_day"]),
    )  # fmt: skip
    inputs = [tell("Every activity of the sport counts on the local day on which it began.")]
    if before is not None and years.other is not None:
        until = years.until or years.other["last_day"]
        inputs.append(
            tell("{year} had {value} by {day}.", year=years.other["year"], value=measure.shown(before, tell),
                 day=tell.day(until))
        )  # fmt: skip
    return Why(
        formula=formula, inputs=inputs, models=["year_review"],
        activities=contributing.largest(page, measure.column, shown["first_day"], shown["last_day"]),
    )  # fmt: skip
