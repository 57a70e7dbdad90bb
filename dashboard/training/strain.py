"""How alike the days are and how fast fitness grows: monotony, strain, ramp, and seven days against three weeks."""

from collections.abc import Sequence
from html import escape
from typing import Any

import altair as alt
import streamlit as st

from dashboard import charts, empty_states
from dashboard.card import Why, card
from dashboard.formatting import NOTHING, Teller
from dashboard.html_table import RIGHT, cell, html_table
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.training.tiles import why_seven_days
from dashboard.trend_data import MOST_POINTS, MOST_ROWS, thinned

HEIGHT = 150
FOSTER = 2  # above it Foster speaks of monotony
LIMIT = alt.NamedData("limit")
# Column, title and decimals.
NUMBERS = {
    "ramp": (N_("Ramp: fitness in 7 days"), 1),
    "monotony": (N_("Monotony: mean ÷ deviation of 7 days"), 2),
    "strain": (N_("Strain: load of 7 days · monotony"), 0),
    "load_ratio": (N_("7 days ÷ a week of the three before"), 2),
}


def draw(page: Page) -> None:
    """Draw the last day's numbers beside the most of the days asked for, and the course of monotony."""
    tell, asked = page.tell, page.filters
    with card(page, "strain", tell("Monotony, strain and ramp"), tell("of 7 days"), height=HEIGHT) as opened:
        found = opened.rows("training/days", page.athlete_id, asked.sport, asked.first, asked.last)
        rows = [row for row in found if not row["is_forecast"]]
        if not any(row["load_7_days"] for row in rows):
            empty_states.nothing_in_filter(page, "strain")
            return
        said = f"{against_weeks_before(rows[-1], tell)} {monotony_sentence(rows, tell)}".strip()
        opened.why = _why(page, rows[-1])
        with st.container(key="strain-table"):
            st.html(numbers_table(rows, tell))
        sets = {"rows": points(rows, tell), "limit": [{"monotony": FOSTER}]}
        charts.show(page, "strain", _chart(tell), sets, alt=said, height=HEIGHT)
        with st.container(key="strain-told"):
            st.caption(said)
        opened.numbers(table(rows, tell))


def against_weeks_before(row: Row, tell: Teller) -> str:
    """Say in words what the seven days are beside a week of the three before."""
    if row["load_ratio"] is None:
        return tell(
            "Nothing to compare the last 7 days with: the three weeks before had no load, or the history is shorter."
        )
    week, ratio = row["load_3_weeks_before"] / 3, row["load_ratio"]
    percent = tell.percent(abs(ratio - 1))
    text = N_("The last 7 days have a load of {load}, {percent} less than a week of the three before ({week}).")
    if percent == tell.percent(0):
        text = N_("The last 7 days have a load of {load}, as much as a week of the three before ({week}).")
    elif ratio > 1:
        text = N_("The last 7 days have a load of {load}, {percent} more than a week of the three before ({week}).")
    return tell(text, load=tell.number(row["load_7_days"]), percent=percent, week=tell.number(week))


def monotony_sentence(rows: Sequence[Row], tell: Teller) -> str:
    """Say on how many of the days monotony was above what Foster calls monotonous."""
    known = [row for row in rows if row["monotony"] is not None]
    if not known:
        return ""
    above = sum(row["monotony"] > FOSTER for row in known)
    return tell(
        "Monotony was above {limit} on {days} of {all} days.",
        limit=tell.number(FOSTER), days=tell.number(above), all=tell.number(len(known)),
    )  # fmt: skip


def numbers_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the four numbers of the last day as HTML, and the most of all days."""
    heads = (("", "grow"), (tell.day(rows[-1]["date_day"], "short"), RIGHT), (tell("Most"), RIGHT))
    lines = []
    for column, (title, decimals) in NUMBERS.items():
        known = [row[column] for row in rows if row[column] is not None]
        cells = [rows[-1][column], max(known) if known else None]
        told = (tell.number(value, decimals, signed=column == "ramp") for value in cells)
        lines.append(f"<tr>{cell(escape(tell(title)), 'grow')}{''.join(cell(each, RIGHT) for each in told)}</tr>")
    return html_table(heads, lines, tell)


def points(rows: Sequence[Row], tell: Teller) -> list[dict[str, Any]]:
    """A point per day, of a long span every so many; days on which it is unknown leave a gap."""
    by_day = {row["date_day"]: row for row in rows}
    return [
        {"day": day.isoformat(), "monotony": by_day[day]["monotony"], **told(by_day[day], tell)}
        for day in thinned(sorted(by_day), MOST_POINTS)
    ]


def told(row: Row, tell: Teller) -> dict[str, str]:
    """The day's numbers as text."""
    shown = {f"{column}_told": tell.number(row[column], decimals) for column, (_, decimals) in NUMBERS.items()}
    return {"told": tell.day(row["date_day"], "long"), **shown}


def table(rows: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the chart, newest first: of a long span every so many days."""
    by_day = {row["date_day"]: row for row in rows}
    titles = {"told": tell("Day")} | {f"{column}_told": tell(title) for column, (title, _) in NUMBERS.items()}
    shown = (told(by_day[day], tell) for day in reversed(thinned(sorted(by_day), MOST_ROWS)))
    return [{title: each[name] for name, title in titles.items()} for each in shown]


def _chart(tell: Teller) -> alt.LayerChart:
    x = alt.X("day:T", scale=alt.Scale(type="utc"), axis=alt.Axis(labelExpr=charts.day_or("%b %Y"), tickCount=6))
    tooltip = [
        alt.Tooltip("told:N", title=tell("Day")),
        alt.Tooltip("monotony_told:N", title=tell("Monotony")),
        alt.Tooltip("strain_told:N", title=tell("Strain")),
    ]
    line = (
        alt.Chart(charts.ROWS)
        .mark_line(strokeWidth=1.5)
        .encode(
            x=x, y=alt.Y("monotony:Q", scale=alt.Scale(domainMin=0)), tooltip=tooltip, color=charts.colour("series:N")
        )
        .transform_calculate(series="'accent'")
    )
    limit = alt.Chart(LIMIT).mark_rule(strokeDash=[4, 3]).encode(y="monotony:Q", color=charts.named("neutral"))
    return alt.LayerChart(layer=[line, limit])


def _why(page: Page, row: Row) -> Why:
    tell = page.tell
    told = {"load": tell.number(row["load_7_days"]), "monotony": tell.number(row["monotony"], 2)}
    strain = tell.number(row["strain"])
    formula = tell("**Monotony = mean ÷ standard deviation of the load of 7 days** = {monotony} on {day}.",
                   monotony=told["monotony"], day=tell.day(row["date_day"]))  # fmt: skip
    if strain != NOTHING:
        formula += " " + tell(
            "**Strain = their load · monotony** = {load} · {monotony} = {strain}.", strain=strain, **told
        )
    weeks = why_seven_days(page, row)
    return Why(
        formula=formula,
        inputs=[
            tell("The dashed line is 2, above which Foster (1998) calls training monotonous."),
            tell("Ramp is how much fitness changed in 7 days, by the exponential averages."),
            weeks.formula,
            *weeks.inputs,
        ],
        excluded=[tell("There is none in the first week, and where all seven days are alike.")],
        models=["training_load_daily"],
        activities=weeks.activities,
    )  # fmt: skip
