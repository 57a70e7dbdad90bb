"""What the load of each week rests on: bars by method, the darker the more is measured."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import altair as alt
import streamlit as st

from dashboard import chart_data, charts, contributing, empty_states
from dashboard.card import Why, card
from dashboard.formatting import Teller, total
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.overview import load
from dashboard.page import Page

HEIGHT = 300
# Families of methods by what their names begin with, from measured to guessed: title and step of the scale.
FAMILIES = {
    "power_estimated": (N_("estimated power"), 3),
    "power": (N_("power"), 10),
    "heart_rate": (N_("heart rate"), 8),
    "pace": (N_("pace or swim speed"), 6),
    "swim": (N_("pace or swim speed"), 6),
    "suffer_score": (N_("Relative Effort"), 5),
    "": (N_("time alone"), 1),
}


def draw(page: Page) -> None:
    """Draw the ISO weeks of the days asked for, as many as there is room for."""
    tell, asked = page.tell, page.filters
    note = tell("per week, by what it rests on")
    with card(page, "methods", tell("Load by method"), note, height=HEIGHT) as opened:
        span = asked.first, asked.last, asked.sport, asked.sport
        rows = opened.rows("training/methods", page.athlete_id, *span)
        if not rows:
            empty_states.nothing_in_filter(page, "methods")
            return
        shares = opened.rows("overview/load_coverage", page.athlete_id, *span)
        bars = weeks(rows, tell)
        said = load.coverage(shares, tell)
        opened.why = Why(
            formula=tell(
                "**A bar = load of the activities that began in the ISO week**, by the first method of your "
                "order that had what it needs. In all {load} of {activities}.",
                load=tell.number(total(row["load"] for row in rows)),
                activities=tell.plural("{n} activity", "{n} activities", sum(row["activity_count"] for row in rows)),
            ),
            inputs=[f"{said}.", tell("The darker, the more is measured; time alone is a guess.")],
            models=["fct_activities", "load_alternatives"],
            activities=contributing.largest(page, "load", asked.first, asked.last),
        )
        charts.show(page, "methods", _chart(bars, tell), bars, alt=said, height=HEIGHT)
        with st.container(key="methods-told"):
            st.caption(said)
        opened.numbers(table(bars, tell))


def family(method: str) -> tuple[str, int]:
    """Return title and step of a method, also of one that is new to us."""
    return next(found for start, found in FAMILIES.items() if method.startswith(start))


def weeks(rows: Sequence[Row], tell: Teller) -> list[dict[str, Any]]:
    """A part of a bar for each week and family; `ago` counts the weeks back from the newest."""
    parts: dict[tuple[date, str, int], list[float]] = {}
    for row in rows:
        title, level = family(row["load_method"])
        parts.setdefault((chart_data.monday(row["start_date_local"]), title, level), []).append(row["load"])
    newest = max(week for week, _, _ in parts)
    return [
        {
            "start": week.isoformat(),
            "ago": (newest - week).days // 7,
            "week": chart_data.week_title(week, tell),
            "level": level,
            "title": tell(title),
            "value": total(loads),
            "shown": tell.number(total(loads)),
        }
        for (week, title, level), loads in sorted(parts.items(), key=lambda part: (part[0][0], -part[0][2]))
    ]


def table(bars: Sequence[dict[str, Any]], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the bars, newest first."""
    return chart_data.part_table(bars, _titles(bars).values(), tell.number(0), tell)


def _titles(bars: Sequence[dict[str, Any]]) -> dict[int, str]:
    return {bar["level"]: bar["title"] for bar in sorted(bars, key=lambda bar: -bar["level"])}


def _chart(bars: Sequence[dict[str, Any]], tell: Teller) -> alt.Chart:
    heads = tell("Week"), tell("Method"), tell("Load")
    colour = charts.shades(_titles(bars), "max(2, floor(width / 110))")
    return charts.stacked_weeks(9, colour, alt.Order("level:Q", sort="descending"), heads)
