"""What the years were made of: time by kind of sport, and by gear, with a bar for each year."""

from collections.abc import Iterable
from datetime import date
from html import escape

import streamlit as st

from dashboard import contributing, empty_states, sport_types, sports
from dashboard.card import Why, card
from dashboard.filters import ALL
from dashboard.formatting import Teller, plain, small_html, total
from dashboard.html_table import RIGHT, WIDE, cell, html_table
from dashboard.page import Page
from dashboard.year.choice import Years
from dashboard.year.numbers import heads

GROWS = f"grow {WIDE}"
Amounts = dict[str, dict[int, float]]  # seconds by name and year


def draw(page: Page, years: Years) -> None:
    """Draw moving time by kind of sport; a sport has its colour in both years."""
    tell, asked = page.tell, page.filters
    with card(page, "year-mix", tell("Sports"), note(years, tell)) as opened:
        starts = [date(int(row["year"]), 1, 1) for row in years.rows]
        rows = opened.rows("year/mix", page.athlete_id, starts[0], starts[-1], asked.sport, asked.sport)
        if not rows:
            empty_states.nothing_in_filter(page, "year-mix")
            return
        groups = {row["sport_type"]: row["sport_group"] for row in rows}
        found = amounts((row["sport_type"], row["period_start_date"].year, row["moving_time_s"]) for row in rows)
        with st.container(key="year-mix"):
            titles = {one: sport_types.title(one, tell) for one in found}
            st.html(bars_table(found, titles, groups, years, tell))
        most = next(iter(found))
        opened.why = Why(
            formula=tell("**Time = moving time of the activities of the sport that began in the year.**")
            + " "
            + _most(sport_types.title(most, tell), found[most], years, tell),
            models=["activity_mix"],
            activities=contributing.largest(page, "moving_time_s", *years.span),
        )


def draw_gear(page: Page, years: Years) -> None:
    """Draw moving time by gear, of every sport."""
    tell = page.tell
    if page.filters.sport != ALL:
        return
    with card(page, "year-gear", tell("Gear"), note(years, tell)) as opened:
        first, last = (int(row["year"]) for row in (years.rows[0], years.rows[-1]))
        rows = opened.rows("year/gear", page.athlete_id, first, last)
        if not rows:
            st.markdown(tell("No activity of these years has gear."))
            return
        names = {row["gear_id"]: row["gear_name"] for row in rows}
        found = amounts((row["gear_id"], int(row["year"]), row["moving_time_s"]) for row in rows)
        with st.container(key="year-gear"):
            st.html(bars_table(found, names, {}, years, tell))
        most = next(iter(found))
        opened.why = Why(
            formula=tell("**Time = moving time of the activities with the gear that began in the year.**")
            + " "
            + _most(plain(names[most]), found[most], years, tell),
            models=["gear_usage_month"],
            activities=contributing.with_gear(page, "moving_time_s", most, *years.span),
        )


def note(years: Years, tell: Teller) -> str:
    """Say what is measured, and which bar is of which year."""
    if years.other is None:
        return tell("moving time")
    return tell("moving time; the upper bar is {year}", year=years.shown["year"])


def amounts(rows: Iterable[tuple[str, int, float]]) -> Amounts:
    """Return what each name has in each year, the most of all years first."""
    found: Amounts = {}
    for name, year, value in rows:
        found.setdefault(name, {})[year] = float(value)
    return dict(sorted(found.items(), key=lambda one: (-total(one[1].values()), one[0])))


def bars_table(found: Amounts, titles: dict[str, str], groups: dict[str, str], years: Years, tell: Teller) -> str:
    """Return a line for each name: its bar of the year shown, and the time of each year."""
    numbers = [int(row["year"]) for row in years.rows]
    most = max(value for by_year in found.values() for value in by_year.values()) or 1
    drawn = []
    for name, by_year in found.items():
        colour = f' class="ad-{sports.colour(groups[name])}"' if name in groups else ""
        bars = "".join(
            f'<div class="ad-bar"><i style="width:{by_year.get(year, 0) / most * 100:.1f}%"></i></div>'
            for year in numbers
        )
        times = "".join(cell(small_html(tell.duration(by_year.get(year, 0))), RIGHT) for year in numbers)
        drawn.append(f'<tr{colour}><th scope="row">{escape(titles[name])}</th>{cell(bars, GROWS)}{times}</tr>')
    [_, *columns] = heads(years, tell)
    return html_table([(tell("Name"), ""), ("", GROWS), *columns], drawn, tell)


def _most(name: str, by_year: dict[int, float], years: Years, tell: Teller) -> str:
    told = [f"{row['year']}: {tell.duration(by_year.get(int(row['year']), 0))}" for row in years.rows]
    return f"{name}: {' · '.join(told)}."
