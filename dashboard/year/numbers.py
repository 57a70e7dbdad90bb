"""What else the years came to, in lines with a column for each year: days, the longest, the biggest, hours, firsts."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

import streamlit as st

from dashboard import contributing
from dashboard.card import Why, card
from dashboard.formatting import NARROW, NOTHING, Teller, small_html
from dashboard.html_table import RIGHT, cell, html_table, link
from dashboard.languages import N_
from dashboard.links import activity_url
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.year.choice import Years

Shown = Callable[[Row, Teller], str]
ACTIVITIES = {
    "longest_distance": (N_("Longest distance"), "m"),
    "longest_time": (N_("Longest time"), "s"),
    "most_elevation": (N_("Most climbed"), "m"),
}
SPANS = {
    "biggest_day_distance": (N_("Biggest day"), "m"),
    "biggest_day_time": (N_("Longest day"), "s"),
    "biggest_week_distance": (N_("Biggest week"), "m"),
    "biggest_week_time": (N_("Longest week"), "s"),
}
COUNTS = {
    "rest_day_count": N_("Rest days"),
    "longest_streak_days": N_("Longest streak, days"),
    "record_count": N_("Records set"),
    "first_count": N_("First times"),
}
HOURS = {
    "morning_count": N_("Morning, 6 to 12"),
    "afternoon_count": N_("Afternoon, 12 to 17"),
    "evening_count": N_("Evening, 17 to 23"),
    "night_count": N_("Night, 23 to 6"),
    "untimed_count": N_("Hour not known"),
}


def draw(page: Page, years: Years) -> None:
    """Draw the two tables: what the years came to, and when activities began."""
    tell, asked = page.tell, page.filters
    with card(page, "year-numbers", tell("In numbers"), asked.sport_title(tell)) as opened:
        rows = opened.rows("year/review", page.athlete_id, asked.sport)
        tiles = opened.rows("year/new_tiles", page.athlete_id, asked.sport, asked.sport)
        new = {int(row["year"]): row["tile_count"] for row in tiles}
        with st.container(key="year-numbers"):
            st.html(html_table(heads(years, tell), lines(years, new, tell), tell, "ad-t ad-two"))
        if rows:
            opened.why = _why(page, years)


def draw_hours(page: Page, years: Years) -> None:
    """Draw in which part of the day activities began."""
    tell = page.tell
    with card(page, "year-hours", tell("When you start"), tell("activities by the local hour")) as opened:
        opened.rows("year/review", page.athlete_id, page.filters.sport)
        told = [_line(tell(title), [tell.number(row[column]) for row in years.rows]) for column, title in HOURS.items()]
        with st.container(key="year-hours"):
            st.html(html_table(heads(years, tell), told, tell, "ad-t ad-two"))
        shown = years.shown
        timed = sum(shown[column] for column in HOURS if column != "untimed_count")
        opened.why = Why(
            formula=tell(
                "Activities by the hour on the clock where they began. {year}: {timed} of {all} have one.",
                year=shown["year"], timed=tell.number(timed), all=tell.number(shown["activity_count"]),
            ),
            excluded=[tell("Of those typed in by hand and those with a hidden start nobody knows the hour.")],
            models=["year_review", "start_pattern"],
            activities=contributing.largest(page, "start", *years.span),
        )  # fmt: skip


def heads(years: Years, tell: Teller) -> list[tuple[str, str]]:
    """Return the heads of a table with a column for each year."""
    return [(tell("Measure"), ""), *((str(row["year"]), RIGHT) for row in years.rows)]


def lines(years: Years, tiles: Mapping[int, int], tell: Teller) -> list[str]:
    """Return a line for each measure; one that no year has is left out."""
    shown: list[tuple[str, Shown]] = [
        (N_("Elevation"), lambda row, tell: tell.elevation(row["elevation_gain_m"])),
        (N_("Load"), lambda row, tell: tell.number(row["load"])),
        (N_("Calories"), lambda row, tell: _calories(row["calories_kcal"], tell)),
        (N_("Commutes"), lambda row, tell: _unless_nothing(row, tell.distance(row["commute_distance_m"]))),
        (N_("CO2 of a car instead"), lambda row, tell: _unless_nothing(row, carbon(row, tell))),
    ]
    found = [(tell(title), [small_html(value(row, tell)) for row in years.rows]) for title, value in shown]
    found += [(tell(title), [tell.number(row[name]) for row in years.rows]) for name, title in COUNTS.items()]
    found.append((tell("New tiles"), [tell.number(tiles.get(int(row["year"]), 0)) for row in years.rows]))
    for name, (title, unit) in ACTIVITIES.items():
        found.append((tell(title), [_activity(row, name, unit, tell) for row in years.rows]))
    for name, (title, unit) in SPANS.items():
        found.append((tell(title), [_span(row, name, unit, tell) for row in years.rows]))
    return [_line(title, cells) for title, cells in found if set(cells) != {NOTHING}]


def carbon(row: Row, tell: Teller) -> str:
    """Say what a car would have given off over the commutes."""
    return tell("about {amount}", amount=f"{tell.number(row['commute_co2_kg'])}{NARROW}kg")


def _calories(kcal: float | None, tell: Teller) -> str:
    """Say a sum of calories; one of nothing is of activities of which none are known."""
    return f"{tell.number(kcal)}{NARROW}kcal" if kcal else NOTHING


def _unless_nothing(row: Row, told: str) -> str:
    return told if row["commute_distance_m"] else NOTHING


def _line(title: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{escape(title)}</th>{"".join(cell(each, RIGHT) for each in cells)}</tr>'


def _amount(row: Row, name: str, unit: str, tell: Teller) -> str:
    value = row[f"{name}_{unit}"]
    if value is None:
        return NOTHING
    if unit == "s":
        return tell.duration(value)
    return tell.elevation(value) if "elevation" in name else tell.distance(value)


def _activity(row: Row, name: str, unit: str, tell: Teller) -> str:
    amount, activity_id = small_html(_amount(row, name, unit, tell)), row[f"{name}_activity_id"]
    return amount if activity_id is None else link(activity_url(activity_id), amount)


def _span(row: Row, name: str, unit: str, tell: Teller) -> str:
    amount = _amount(row, name, unit, tell)
    if amount == NOTHING:
        return amount
    return f'{small_html(amount)}<small class="ad-when">{tell.day(row[f"{name}_date"])}</small>'


def _why(page: Page, years: Years) -> Why:
    tell, row = page.tell, years.shown
    formula = tell.plural(
        "{year} had {n} active day of {all}, so {rest} of rest.",
        "{year} had {n} active days of {all}, so {rest} of rest.",
        row["active_day_count"], year=row["year"], all=tell.number(row["day_count"]),
        rest=tell.number(row["rest_day_count"]),
    )  # fmt: skip
    return Why(
        formula=formula,
        inputs=[
            tell(
                "The longest are of one activity, one local day and one week from Monday to Sunday; a week belongs to "
                "its ISO year. Calories are of activities whose details are here."
            ),
            tell(
                "A record is a best effort of a ride or run that was faster than all before it, the first over a "
                "distance included. A first time is that of a kind of sport, a piece of gear or a country. A tile "
                "(zoom 14) is new in the year of its first visit."
            ),
            *_carbon_why(row, tell),
        ],
        excluded=[
            tell("The longest leave out activities with a motor and numbers that cannot be right; sums count them.")
        ],
        models=["year_review", "tile_visit"],
        activities=contributing.largest(page, "moving_time_s", *years.span),
    )


def _carbon_why(row: Row, tell: Teller) -> list[str]:
    if not row["commute_distance_m"]:
        return []
    return [
        tell(
            "Commutes are activities that you marked so, without a motor. CO2 = {km} km · 0.2178 kg/km = {carbon}: "
            "what a car would have given off. The factor is a convention of other dashboards for which nobody names a "
            "reference, so the line can be left aside.",
            km=tell.number(row["commute_distance_m"] / 1000, 1), carbon=carbon(row, tell),
        )
    ]  # fmt: skip
