"""What was reached, in words: milestones, and the longest activity, day and week of each measure."""

from collections.abc import Sequence
from datetime import date
from html import escape

from dashboard import countries, sport_types, sports
from dashboard.best_efforts import distance_name
from dashboard.card import Why
from dashboard.filters import ALL
from dashboard.formatting import NARROW, NOTHING, Teller, plain, small_html
from dashboard.html_table import RIGHT, cell, html_table, link
from dashboard.languages import N_
from dashboard.links import activity_url
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.units import Units

# Milestones in the other system's units are left out.
OTHER_UNITS = {Units.METRIC: ("mi", "ft"), Units.IMPERIAL: ("km", "m")}
TEXTS = {
    "count": N_("{value} activities"),
    "distance": N_("{value} {unit} in all"),
    "elevation": N_("{value} {unit} climbed in all"),
    "time": N_("{value} hours in motion"),
    "streak": N_("{value} days in a row"),
    "eddington": N_("Eddington number {value} ({unit})"),
    "first_gear": N_("First time with {gear}"),
    "gear_distance": N_("{gear}: {value} {unit}"),
}
MEASURES = {
    "distance_m": N_("Distance"),
    "moving_time_s": N_("Moving time"),
    "elapsed_time_s": N_("Elapsed time"),
    "elevation_gain_m": N_("Elevation"),
    "elevation_high_m": N_("Highest point"),
    "average_speed_kmh": N_("Average speed"),
    "energy_kj": N_("Energy"),
    "calories_kcal": N_("Calories"),
}
SPANS = ("activity", "day", "week")


def asked(page: Page, first: date, last: date) -> tuple[object, ...]:
    """Return the parameters of `records/milestones`, for these days and the sport and units of the page."""
    sport = page.filters.sport
    return page.athlete_id, page.athlete_id, first, last, sport, sport, *OTHER_UNITS[page.tell.units]


def why(rows: Sequence[Row], tell: Teller) -> Why:
    """Say what milestones are, and name the activities that reached them."""
    day = tell.day(rows[0]["reached_on"])
    return Why(
        formula=tell(
            "Round totals of all time, on the local day on which the total got there; days in a row; every "
            "Eddington number; every record over a distance; the first activity of each sport; the first day in "
            "each country, and with each bike or pair of shoes, and its round distances."
        ),
        inputs=[tell("The newest: {told}", told=plain(f"{milestone_text(rows[0], tell)}, {day}"))],
        excluded=[tell("Totals count activities with a motor, Eddington numbers and records do not.")],
        models=["milestone"],
        activities=reached_by(rows),
    )


def reached_by(rows: Sequence[Row]) -> list[Row]:
    """Return the activities that reached milestones, each once; a total is of no single one."""
    found = {row["activity_id"]: row for row in rows if row["activity_id"] is not None}
    return [{**row, "start_date_local": row["reached_on"]} for row in found.values()]


def milestone_list(rows: Sequence[Row], tell: Teller) -> str:
    """Return milestones as an HTML list, in the order of the rows of `records/milestones`."""
    return f'<ul class="ad-list" lang="{tell.language}">{"".join(_item(row, tell) for row in rows)}</ul>'


def _item(row: Row, tell: Teller) -> str:
    group = row["sport_group"]
    dot = "" if group == ALL else f'<span class="ad-dot ad-{sports.colour(group)}"></span>'
    text = escape(milestone_text(row, tell))
    if row["activity_id"] is not None:
        text = link(activity_url(row["activity_id"]), text)
    whose = tell("All sports") if group == ALL else sports.title(group, tell)
    return f"<li>{dot}{text}<small>{tell.day(row['reached_on'])} · {escape(whose)}</small></li>"


def milestone_text(row: Row, tell: Teller) -> str:
    """Say one milestone."""
    kind, value = row["milestone_kind"], row["milestone_value"]
    if kind == "record":
        return tell("{distance} in {time}", distance=distance_name(row["subject"], tell), time=tell.clock(value))
    if kind == "first_activity":
        return tell("First activity: {sport}", sport=sport_types.title(row["subject"], tell))
    if kind == "first_country":
        return tell("New country: {country}", country=countries.title(row["subject"], tell))
    return tell(TEXTS[kind], value=tell.number(value), unit=row["unit"], gear=row["subject"])


def longest_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the most of each measure as HTML: a line for each, a column for activity, day and week."""
    found = {(row["measure"], row["span_kind"]): row for row in rows}
    titles = tell("Measure"), tell("Activity"), tell("Day"), tell("Week")
    heads = [(title, RIGHT if place else "") for place, title in enumerate(titles)]
    lines = [
        f'<tr><th scope="row">{escape(tell(title))}</th>'
        + "".join(cell(_longest(found.get((measure, span)), tell), RIGHT) for span in SPANS)
        + "</tr>"
        for measure, title in MEASURES.items()
        if any((measure, span) in found for span in SPANS)
    ]
    return html_table(heads, lines, tell, "ad-t ad-two")


def _longest(row: Row | None, tell: Teller) -> str:
    if row is None:
        return NOTHING
    shown = small_html(measured(row["measure"], row["record_value"], tell))
    if row["activity_id"] is not None:
        shown = link(activity_url(row["activity_id"]), shown, row["activity_name"] or "")
    return f'{shown}<small class="ad-when">{tell.day(row["span_start_date"])}</small>'


def measured(measure: str, value: float, tell: Teller) -> str:
    """Return a value of `record_longest` with its unit."""
    if measure == "distance_m":
        return tell.distance(value)
    if measure in {"moving_time_s", "elapsed_time_s"}:
        return tell.duration(value)
    if measure == "average_speed_kmh":
        return tell.speed(value)
    if measure in {"elevation_gain_m", "elevation_high_m"}:
        return tell.elevation(value)
    return f"{tell.number(value)}{NARROW}{'kJ' if measure == 'energy_kj' else 'kcal'}"
