"""What the activity is, the way to those before and after it, and its numbers."""

from html import escape

import streamlit as st

from dashboard import sport_types
from dashboard.activity.subject import Subject, choose
from dashboard.areas import Area
from dashboard.card import Why, tile
from dashboard.formatting import NARROW, NOTHING, Teller, plain, small_html
from dashboard.html_table import link, sport_dot
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.overview import load

MOST_FACTS = 10
ON_FOOT = frozenset({"run", "walk"})
STEPPED = frozenset({"Snowshoe"})  # on foot, in a group that is not
SOURCES = {
    "api": N_("Numbers are Strava's own, as its API sends them."),
    "archive": N_("Numbers are those of the athlete's export from Strava; the API does not tell of this activity."),
    "file": N_("Numbers are computed of a recording; Strava does not tell of this activity."),
}


def draw(subject: Subject) -> None:
    """Draw the line of what it is, and the card of its numbers."""
    page, row, tell = subject.page, subject.row, subject.page.tell
    st.html(f'<h2 class="ad-h ad-what" lang="{tell.language}">{_what(subject)}</h2>')
    rows = page.rows("activity/one", page.athlete_id, subject.activity_id)
    with tile(page, "activity-facts", _why(row, tell), [rows]):
        shown = "".join(
            f"<div><dt>{escape(tell(title))}</dt><dd>{small_html(escape(value))}</dd></div>"
            for title, value in facts(row, tell)
        )
        st.html(f'<dl class="ad-facts" lang="{tell.language}">{shown}</dl>')


def beside(subject: Subject) -> None:
    """Draw the two buttons to the activities of the same sport before and after."""
    page = subject.page
    parameters = (page.athlete_id, subject.activity_id, page.athlete_id, not subject.is_shared)
    others = {row["is_later"]: row["activity_id"] for row in page.rows("activity/beside", *parameters)}
    for is_later, title, icon in (
        (False, page.tell("Previous"), "chevron_left"),
        (True, page.tell("Next"), "chevron_right"),
    ):
        other = others.get(is_later)
        st.button(
            title, key=f"activity-{'next' if is_later else 'previous'}", icon=f":material/{icon}:", type="tertiary",
            icon_position="right" if is_later else "left", on_click=choose, args=(other,), disabled=other is None,
        )  # fmt: skip


def _what(subject: Subject) -> str:
    """Return dot, name, sport, day, place, gear and the link to Strava as HTML, in which names are text."""
    row, tell = subject.row, subject.page.tell
    parts = [
        sport_types.title(row["sport_type"], tell),
        tell.local(row["start_at_local"]) if row["start_at_local"] else NOTHING,
        _place(subject),
        row["gear_name"],
    ]
    told = [escape(part) for part in parts if part]
    if row["strava_url"]:
        told.append(link(row["strava_url"], tell("View on Strava")))
    return f"{sport_dot(row['sport_group'], tell)}{escape(subject.name)}<small>{' · '.join(told)}</small>"


def _place(subject: Subject) -> str:
    """Return the country and the place to a tenth of a degree, about 11 km; nothing for what has no route."""
    page = subject.page
    routes = page.rows("activity/route", page.athlete_id, subject.activity_id)
    if not routes or routes[0]["is_virtual"]:
        return ""
    first = (routes[0][f"path_{axis}"][0] / 100_000 for axis in ("latitudes", "longitudes"))
    return Area(routes, *first).title(page.tell)


def facts(row: Row, tell: Teller) -> list[tuple[str, str]]:
    """Return at most ten numbers of a row of `activity/one`, as marked titles and texts; what is not known is left out.

    Strava counts the steps of one leg; here they are those of both.
    """
    is_on_foot = row["sport_group"] in ON_FOOT or row["sport_type"] in STEPPED
    cadence = row["average_cadence_rpm"]
    speed = tell.pace_or_speed(row)
    found = [
        (N_("Distance"), tell.distance(row["distance_m"] or None, 2)),
        (N_("Moving time"), tell.clock(row["moving_time_s"])),
        (N_("Pace") if "/" in speed and "h" not in speed else N_("Speed"), speed),
        (N_("Elevation"), tell.elevation(row["elevation_gain_m"])),
        (N_("Heart rate"), _unit(row["average_heartrate_bpm"], "bpm", tell)),
        (N_("Power"), _power(row, tell)),
        (N_("Load"), _load(row, tell)),
        (N_("Elapsed time"), tell.clock(row["elapsed_time_s"])),
        (N_("Cadence"), _unit(cadence and cadence * 2, "spm", tell) if is_on_foot else _unit(cadence, "rpm", tell)),
        (N_("Highest heart rate"), _unit(row["max_heartrate_bpm"], "bpm", tell)),
        (N_("Calories"), _unit(row["calories_kcal"], "kcal", tell)),
        (N_("Temperature"), _unit(row["average_temperature_c"], "°C", tell)),
    ]
    return [(title, value) for title, value in found if value != NOTHING][:MOST_FACTS]


def _unit(value: float | None, unit: str, tell: Teller) -> str:
    return NOTHING if value is None else f"{tell.number(value)}{NARROW}{unit}"


def _power(row: Row, tell: Teller) -> str:
    """Return weighted power, else the average; estimated power says so."""
    power = row["weighted_power_w"] if row["weighted_power_w"] is not None else row["average_power_w"]
    shown = _unit(power, "W", tell)
    return shown if power is None or row["is_power_measured"] else f"{shown} ({tell('estimated')})"


def _load(row: Row, tell: Teller) -> str:
    """Return the load and what it rests on, in short: whether by the second, and what is not known, stands below."""
    if row["load"] is None:
        return NOTHING
    method = (row["load_method"] or "").replace("power_stream", "power_strava").replace("_stream", "")
    shown = load.method(method, tell).partition(",")[0].replace(" ", "\N{NO-BREAK SPACE}")
    return f"{tell.number(row['load'])}{NARROW}{shown}"


def _why(row: Row, tell: Teller) -> Why:
    shown = tell.pace_or_speed(row)
    formula = tell("The numbers of one activity, without any sum.")
    if shown != NOTHING:
        time = row["elapsed_time_s"] if row["is_race"] and row["pace_s_per_km"] is not None else row["moving_time_s"]
        formula = tell(
            "**Pace and speed = distance and time in motion**, of a race on foot elapsed time: {distance} in {time} is "
            "{shown}.",
            distance=tell.distance(row["distance_m"], 2), time=plain(tell.clock(time)), shown=shown,
        )  # fmt: skip
    inputs = [tell(SOURCES[row["source"]])]
    if row["distance_precision_m"]:
        inputs.append(tell("Its distance is rounded to {n} m.", n=tell.number(row["distance_precision_m"])))
    inputs.append(tell("Cadence on foot counts both legs; Strava's number, of one leg, is doubled."))
    return Why(formula=formula, inputs=inputs, models=["fct_activities"])
