"""The week's goals: a bar each, with a mark where an even pace would be, and the same in words."""

from collections.abc import Sequence

import streamlit as st

from dashboard import chart_data, filters, sports
from dashboard.card import Card
from dashboard.formatting import Teller, small_html
from dashboard.mart import Row
from dashboard.measures import MEASURES
from dashboard.page import Page

MOST = 2  # bars that the card has room for
BY_COLUMN = {measure.column: measure for measure in MEASURES.values()}


def draw(opened: Card, page: Page) -> None:
    """Draw the goals of this week that are of the sport asked for, or say that there is none."""
    tell = page.tell
    rows = chosen(opened.rows("overview/goals", page.athlete_id), page.filters.sport)
    with st.container(key="goals", gap="xsmall"):
        if not rows:
            st.caption(tell("No goal for the week. `athlete.toml` in DATA_DIR sets one."))
        for row in rows:
            st.html(bar(row, tell))
        if rows and (last := page.told_until) < page.today:
            week = chart_data.week_title(rows[0]["period_start_date"], tell)
            st.caption(tell("As of {day}, in {week}.", day=tell.day(last), week=week))


def chosen(rows: Sequence[Row], sport: str) -> list[Row]:
    """Return the first goals of all sports, or of those that the sport counts towards."""
    of_sport = [row for row in rows if sport == filters.ALL or sport in groups(row)]
    return of_sport[:MOST]


def groups(row: Row) -> list[str]:
    """Return the sport groups that count towards a goal."""
    return str(row["sport_groups"]).split(", ")


def bar(row: Row, tell: Teller) -> str:
    """Return a goal's bar and sentence as HTML."""
    names = [filters.sport_title(group, tell) for group in groups(row)]
    done, plan = (min(max(row[part] / row["target"], 0), 1) if row["target"] else 0 for part in ("done", "expected"))
    told = {"done": _amount(row, row["done"], tell), "target": _amount(row, row["target"], tell)}
    if row["is_reached"]:
        sentence = tell("{done} of {target}: reached", **told)
    else:
        ahead = {"plan": _amount(row, row["expected"], tell), "left": _amount(row, row["needed_per_day"], tell)}
        sentence = tell("{done} of {target} · on plan would be {plan} · {left} a day left", **told, **ahead)
    alone = names == [filters.sport_title(filters.ALL, tell)]
    label = sentence if alone else f"{', '.join(names)}: {sentence}"
    colour = f" ad-{sports.colour(groups(row)[0])}" if len(names) == 1 and not alone else ""
    return (
        f'<div lang="{tell.language}"><div class="ad-bar{colour}" role="img" aria-label="{label}">'
        f'<i style="width:{done:.1%}"></i><b style="left:{plan:.1%}"></b></div><small>{small_html(label)}</small></div>'
    )


def _amount(row: Row, value: float | None, tell: Teller) -> str:
    measure = BY_COLUMN.get(row["measure"])
    if measure is None:
        return tell.number(value)
    return measure.shown(value or 0, tell)
