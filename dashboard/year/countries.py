"""In which countries the years were, by the time zones of the activities."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import contributing, countries
from dashboard.card import Why, card
from dashboard.formatting import NOTHING, Teller
from dashboard.html_table import RIGHT, cell, html_table
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.year.choice import Years
from dashboard.year.numbers import heads


def draw(page: Page, years: Years) -> None:
    """Draw the activities of each country; nothing where no activity of the years tells one."""
    tell, asked = page.tell, page.filters
    numbers = [int(row["year"]) for row in years.rows]
    rows = page.rows("year/countries", page.athlete_id, asked.sport, numbers[0], numbers[-1])
    if not rows:
        return
    with card(
        page, "year-countries", tell("Countries"), tell("activities by where they began"), queries=[rows]
    ) as opened:
        found: dict[str, dict[int, Row]] = {}
        for row in rows:
            found.setdefault(row["country_code"], {})[int(row["year"])] = row
        [_, *columns] = heads(years, tell)
        with st.container(key="year-countries"):
            lines = [_line(code, by_year, numbers, tell) for code, by_year in found.items()]
            st.html(html_table([(tell("Country"), ""), *columns], lines, tell))
        opened.why = Why(
            formula=tell(
                "The country is that of the time zone that Strava or the recording gives with the activity: in {year} "
                "{n} of {all} activities tell one.",
                year=numbers[0], n=tell.number(sum(row["activity_count"] for row in rows if row["year"] == numbers[0])),
                all=tell.number(years.shown["activity_count"]),
            ),
            inputs=[tell("The mark is of the first year in a country, of the sport that is chosen above.")],
            excluded=[
                tell("Rides and runs on a screen, and activities without a time zone of their own, are in no country.")
            ],
            models=["year_country"],
            activities=contributing.largest(page, "country", *years.span),
        )  # fmt: skip


def _line(code: str, by_year: dict[int, Row], numbers: Sequence[int], tell: Teller) -> str:
    cells = "".join(cell(_count(by_year.get(year), tell), RIGHT) for year in numbers)
    return f'<tr><th scope="row">{escape(countries.title(code, tell))}</th>{cells}</tr>'


def _count(row: Row | None, tell: Teller) -> str:
    if row is None:
        return NOTHING
    mark = f'<span class="ad-new">{escape(tell("first time"))}</span> ' if row["is_first_year"] else ""
    return f"{mark}{tell.number(row['activity_count'])}"
