"""The four numbers on top of Training: fitness, fatigue, form and the load of seven days."""

from datetime import date, timedelta

import streamlit as st

from dashboard import form, formatting
from dashboard.card import Why, tile
from dashboard.form import Definition
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.page import Page

AVERAGES = {"fitness": N_("Fitness"), "fatigue": N_("Fatigue")}
BARS = 28  # days of the smallest chart of loads


def draw(page: Page, definition: Definition) -> None:
    """Draw the numbers of the athlete's today."""
    rows = form.recent(page, page.filters.sport)
    now = form.of_today(rows)
    with st.grid(4, min_column_width=150, gap="small"):
        for name in AVERAGES:
            _average(page, rows, definition, name)
        form.tile_of_today(page, rows, definition, sport=page.filters.sport, decimals=1)
        _seven_days(page, rows, now)


def _average(page: Page, rows: Rows, definition: Definition, name: str) -> None:
    tell, column, now = page.tell, definition.prefix + name, form.of_today(rows)
    shown, is_up = _change(page, rows, column)
    days = form.FITNESS_DAYS if name == "fitness" else form.FATIGUE_DAYS
    why = Why(
        formula=tell(
            "**{title} = average of the load of about {days} days**, the newest the most: {value} after {day}.",
            title=tell(AVERAGES[name]), days=days,
            value=tell.number(now[column] if now else None, 1), day=tell.day(now["date_day"] if now else None),
        ),
        inputs=[form.explained(definition, tell)],
        models=["training_load_daily", "fct_activities"],
        activities=form.heaviest(page, now, days),
    )  # fmt: skip
    with tile(page, f"kpi-{name}", why, [rows]):
        st.metric(
            tell(AVERAGES[name]),
            tell.number(now[column] if now else None, 1),
            shown,
            delta_arrow="off" if is_up is None else "up" if is_up else "down",
            delta_color="off" if is_up is None else "primary",
            delta_description=tell("in 7 days"),
            chart_data=[round(row[column], 1) for row in rows] or None,
            chart_type="area",
        )


def _change(page: Page, rows: Rows, column: str) -> tuple[str, bool | None]:
    """Return how much a column changed in seven days, as text, and whether upwards; None where it did not."""
    by_day: dict[date, Row] = {row["date_day"]: row for row in rows}
    before = by_day.get(rows[-1]["date_day"] - timedelta(days=7)) if rows else None
    if before is None:
        return formatting.NOTHING, None
    change = rows[-1][column] - before[column]
    shown = page.tell.number(abs(change), 1)
    return shown, None if shown == page.tell.number(0, 1) else change > 0


def _seven_days(page: Page, rows: Rows, now: Row | None) -> None:
    tell, ratio = page.tell, now["load_ratio"] if now else None
    shown = tell.percent(abs(ratio - 1)) if ratio is not None else formatting.NOTHING
    is_up = None if ratio is None or shown == tell.percent(0) else ratio > 1
    with tile(page, "kpi-load", why_seven_days(page, now), [rows]):
        st.metric(
            tell("Load, last 7 days"),
            tell.number(now["load_7_days"] if now else None),
            shown,
            delta_arrow="off" if is_up is None else "up" if is_up else "down",
            delta_color="off" if is_up is None else "primary",
            delta_description=tell("vs 3 weeks"),
            chart_data=[round(row["load"], 1) for row in rows[-BARS:]] or None,
            chart_type="bar",
        )


def why_seven_days(page: Page, now: Row | None) -> Why:
    """Say the load of the seven days and of the weeks that it is compared with."""
    tell = page.tell
    if now is None:
        return Why(formula=tell("No load yet."), models=["training_load_daily"])
    first = now["date_day"] - timedelta(days=6)
    inputs = [tell("Without load in the three weeks before, or without 28 days, there is nothing to compare with.")]
    if now["load_ratio"] is not None:
        inputs = [
            tell(
                "The three weeks before, {days}, had {load}: {week} a week. {now} ÷ {week} = {ratio}.",
                days=tell.days(first - timedelta(days=21), first - timedelta(days=1)),
                load=tell.number(now["load_3_weeks_before"]), week=tell.number(now["load_3_weeks_before"] / 3),
                now=tell.number(now["load_7_days"]), ratio=tell.number(now["load_ratio"], 2),
            )
        ]  # fmt: skip
    return Why(
        formula=tell("The load of {days}: **{load}**. Those seven days are not among the weeks before.",
                     days=tell.days(first, now["date_day"]), load=tell.number(now["load_7_days"])),
        inputs=inputs,
        models=["training_load_daily", "fct_activities"],
        activities=form.heaviest(page, now, 7),
    )  # fmt: skip
