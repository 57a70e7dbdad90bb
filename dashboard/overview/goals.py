"""The athlete's goals: a bar each, with a mark where an even pace would be, and the same in words."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import chart_data, filters, folded, sports
from dashboard.card import Card
from dashboard.formatting import Teller, small_html
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.measures import MEASURES, Kind
from dashboard.page import Page

MOST = 2  # bars that the card has room for; the others are behind one line
BY_COLUMN = {measure.column: measure for measure in MEASURES.values()}
# Measures whose amounts have no unit that tells what they are.
NAMED = {"activity_count": N_("Activities"), "load": N_("Load"), "calories_kcal": N_("Calories (kcal)")}


def draw(opened: Card, page: Page) -> None:
    """Draw the goals in force that the sport asked for counts towards, or say that there is none."""
    tell, sport = page.tell, page.filters.sport
    rows = chosen(opened.rows("overview/goals", page.athlete_id), sport)
    of_week = [row for row in rows if row["period_kind"] == "week"]
    with st.container(gap="xsmall"):
        if not rows:
            st.caption(tell("No goal for the week. `athlete.toml` in DATA_DIR sets one."))
        else:
            folded.show("goals", rows, MOST, partial(bars, sport=sport, tell=tell), tell)
        if of_week and (last := page.told_until) < page.today:
            week = chart_data.week_title(of_week[0]["period_start_date"], tell)
            st.caption(tell("As of {day}, in {week}.", day=tell.day(last), week=week))


def chosen(rows: Sequence[Row], sport: str) -> list[Row]:
    """Return the goals that the sport counts towards: its own, and those of all sports."""
    return [row for row in rows if sport == filters.ALL or {sport, filters.ALL} & set(groups(row))]


def bars(rows: Sequence[Row], *, sport: str, tell: Teller) -> str:
    """Return the goals' bars and sentences as HTML."""
    return "".join(bar(row, tell, sport=sport) for row in rows)


def groups(row: Row) -> list[str]:
    """Return the sport groups that count towards a goal."""
    return str(row["sport_groups"]).split(", ")


def bar(row: Row, tell: Teller, *, sport: str = filters.ALL) -> str:
    """Return a goal's bar and sentence as HTML; that it is of all sports is said where one is asked for."""
    done, plan = (_share(row[part], row["target"]) for part in ("done", "expected"))
    label = ": ".join(filter(None, [" · ".join(_heading(row, sport, tell)), _sentence(row, tell)]))
    first, *others = groups(row)
    colour = "" if others or first == filters.ALL else f" ad-{sports.colour(first)}"
    mark = "" if row["expected"] is None else f'<b style="left:{plan:.1%}"></b>'
    return (
        f'<div lang="{tell.language}"><div class="ad-bar{colour}" role="img" aria-label="{label}">'
        f'<i style="width:{done:.1%}"></i>{mark}</div><small>{small_html(label)}</small></div>'
    )


def _heading(row: Row, sport: str, tell: Teller) -> list[str]:
    """Return the goal's period if it is no week, its sports unless nothing else is shown, and what is counted."""
    first, last = row["period_start_date"], row["period_end_date"]
    heading = []
    if row["period_kind"] != "week":
        heading.append(tell.days(first, last) if last else tell("since {day}", day=tell.day(first)))
    if groups(row) != [filters.ALL] or sport != filters.ALL:
        heading.append(", ".join(filters.sport_title(group, tell) for group in groups(row)))
    if row["measure"] in NAMED:
        heading.append(tell(NAMED[row["measure"]]))
    return heading


def _sentence(row: Row, tell: Teller) -> str:
    told = {"done": _amount(row, row["done"], tell), "target": _amount(row, row["target"], tell)}
    if row["is_reached"]:
        return tell("{done} of {target}: reached", **told)
    if row["needed_per_day"] is None:  # without an end there is no pace
        return tell("{done} of {target}", **told)
    ahead = {"plan": _amount(row, row["expected"], tell), "left": _amount(row, row["needed_per_day"], tell)}
    return tell("{done} of {target} · on plan would be {plan} · {left} a day left", **told, **ahead)


def _share(part: float | None, target: float) -> float:
    return min(max((part or 0) / target, 0), 1) if target else 0


def _amount(row: Row, value: float | None, tell: Teller) -> str:
    measure = BY_COLUMN.get(row["measure"])
    if measure is None or measure.kind is Kind.COUNT:
        return tell.number(value, 0 if value is None or float(value).is_integer() else 1)
    return measure.shown(value or 0, tell)
