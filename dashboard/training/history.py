"""What loads are reckoned with: FTP, thresholds, heart rates and weight, each since when and by whom."""

from collections.abc import Sequence
from datetime import date
from html import escape

import streamlit as st

from dashboard.card import Why, card
from dashboard.filters import ALL, sport_title
from dashboard.formatting import NARROW, Teller, small_html
from dashboard.html_table import RIGHT, WIDE, cell, html_table
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page

BEGINNING = date(1900, 1, 1)
TITLES = {
    "ftp_w": N_("FTP"),
    "threshold_speed_mps": N_("Threshold pace"),
    "threshold_heartrate_bpm": N_("Threshold heart rate"),
    "max_heartrate_bpm": N_("Maximal heart rate"),
    "resting_heartrate_bpm": N_("Heart rate at rest"),
    "weight_kg": N_("Weight"),
    "load_order": N_("Order of methods"),
}
# The words of athlete.toml's `load_order`, as a reader calls the methods.
METHODS = {
    "power": N_("power"),
    "heart_rate": N_("heart rate"),
    "pace": N_("pace or swim speed"),
    "relative_effort": N_("Relative Effort"),
    "estimated_power": N_("estimated power"),
    "time": N_("time alone"),
}
UNITS = {"ftp_w": "W", "weight_kg": "kg"}
SOURCES = {
    "file": N_("your file"),
    "strava": N_("Strava"),
    "own_activities": N_("your activities"),
    "age": N_("your age"),
    "default": N_("default"),
    "heartrate_reserve": N_("rest and maximum"),
}


def draw(page: Page) -> None:
    """Draw the values in force, and those before them behind a click."""
    tell, asked = page.tell, page.filters
    with card(page, "settings", tell("Thresholds and weight")) as opened:
        found = opened.rows("training/settings", page.athlete_id)
        rows = [row for row in found if row["setting"] in TITLES]
        rows = [row for row in rows if asked.sport == ALL or row["sport_group"] in {ALL, asked.sport}]
        if not rows:
            st.markdown(tell("Nothing is known yet. `athlete settings` says how to tell it."))
            return
        rows.sort(
            key=lambda row: (list(TITLES).index(row["setting"]), row["sport_group"], -row["valid_from"].toordinal())
        )
        now = [row for row in rows if row["next_valid_from"] is None]
        with st.container(key="settings"):
            st.html(settings_table(now, tell))
        if earlier := [row for row in rows if row["next_valid_from"] is not None]:
            with st.expander(tell("What it was before"), type="compact"), st.container(key="settings-earlier"):
                st.html(settings_table(earlier, tell))
        opened.why = Why(
            formula=tell(
                "Of several sources the best holds: your file, Strava, your own activities, your age, and a default "
                "where nothing else is known. An activity is reckoned with what was in force on its day."
            ),
            inputs=[
                tell(
                    "Where nobody tells the threshold heart rate, it follows from the two others: the "
                    "heart rate at rest, and 85 % of the way from there to the maximum."
                ),
                tell("`athlete settings` shows all of it; `athlete.toml` in DATA_DIR changes it."),
            ],
            models=["athlete_setting"],
        )


def settings_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return a line for each value as HTML."""
    heads = ((tell("Setting"), "grow"), (tell("Since"), WIDE), (tell("By"), ""), (tell("Value"), RIGHT))
    return html_table(heads, (_line(row, tell) for row in rows), tell)


def _line(row: Row, tell: Teller) -> str:
    title = tell(TITLES[row["setting"]])
    if row["sport_group"] != ALL:
        title += f" · {sport_title(row['sport_group'], tell)}"
    is_order = row["setting"] == "load_order"
    below = f"<br><small>{escape(order(row['value_text'], tell))}</small>" if is_order else ""
    since = tell("the beginning") if row["valid_from"] == BEGINNING else tell.day(row["valid_from"])
    source = tell(SOURCES[row["source"]]) if row["source"] in SOURCES else row["source"]
    cells = (
        cell(escape(title) + below, "grow"),
        cell(f"<small>{since}</small>", WIDE),
        cell(f"<small>{escape(source)}</small>"),
        cell("" if is_order else small_html(value(row, tell)), RIGHT),
    )
    return f"<tr>{''.join(cells)}</tr>"


def order(words: str, tell: Teller) -> str:
    """Return the methods of load in an athlete's order, of words joined by commas; an unknown word stays as it is."""
    return ", ".join(tell(METHODS.get(word, word)) for word in words.split(","))


def value(row: Row, tell: Teller) -> str:
    """Return a setting's value with its unit; a threshold speed as the pace of its sport."""
    setting, number = row["setting"], row["value"]
    if setting == "threshold_speed_mps":
        swum = {"distance_m": number * 3600, "moving_time_s": 3600, "sport_group": row["sport_group"], "sport_type": ""}
        pace = 1000 / number if row["sport_group"] in {"run", "walk"} else None
        return tell.pace_or_speed(
            swum | {"pace_s_per_km": pace, "speed_kmh": None if row["sport_group"] == "swim" else number * 3.6}
        )
    return f"{tell.number(number, 1 if setting == 'weight_kg' else 0)}{NARROW}{UNITS.get(setting, 'bpm')}"
