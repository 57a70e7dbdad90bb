"""The load audit: how each activity came to its load, and what the other methods would have said."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

import streamlit as st

from dashboard import empty_states, sport_types
from dashboard.card import Why, card
from dashboard.formatting import NARROW, NOTHING, Teller
from dashboard.html_table import RIGHT, cell, html_table, link, sport_dot
from dashboard.languages import N_
from dashboard.links import activity_url
from dashboard.mart import Row
from dashboard.overview import load
from dashboard.page import Page

APART = 0.25  # of the load, from which another method contradicts it
# What a method rests on besides the recording: column, text, decimals.
INPUTS = (
    ("load_normalised_power_w", N_("normalised power {value} W"), 0),
    ("load_trimp", N_("training impulse {value}"), 0),
    ("load_ftp_w", N_("FTP {value} W"), 0),
    ("load_resting_heartrate_bpm", N_("at rest {value} bpm"), 0),
    ("load_threshold_heartrate_bpm", N_("threshold {value} bpm"), 0),
    ("load_max_heartrate_bpm", N_("maximum {value} bpm"), 0),
    ("load_threshold_speed_mps", N_("threshold {value} m/s"), 2),
    ("load_suffer_score_factor", N_("factor {value}"), 2),
)


def draw(page: Page) -> None:
    """Draw what the newest activities have in common; the list itself is behind a click."""
    tell, asked = page.tell, page.filters
    with card(page, "audit", tell("Load audit"), tell("the newest activities, method by method")) as opened:
        span = asked.first, asked.last, asked.sport, asked.sport
        rows = opened.rows("training/audit", page.athlete_id, *span, page.athlete_id)
        if not rows:
            empty_states.nothing_in_filter(page, "audit")
            return
        activities = [list(each) for _, each in groupby(rows, key=lambda row: row["activity_id"])]
        chosen = [row for row in rows if row["is_chosen"]]
        with st.container(key="audit-told"):
            st.markdown(" ".join(sentences(activities, tell)))
        with st.expander(tell("Show the list"), type="compact"), st.container(key="audit-list"):
            st.html(audit_table(activities, tell))
        capped = sum(row["is_load_capped"] for row in chosen)
        cut = tell.plural("{n} load was cut at 200 an hour.", "{n} loads were cut at 200 an hour.", capped)
        opened.why = Why(
            formula=tell(load.DEFINITION),
            inputs=[tell("Each method uses the settings that were in force on the day of the activity.")],
            excluded=[cut] if capped else (),
            models=["load_alternatives", "fct_activities", "athlete_setting"],
            activities=chosen,
        )


def sentences(activities: Sequence[Sequence[Row]], tell: Teller) -> list[str]:
    """Say how many there are, and of how many a second method says something quite different."""
    said = [tell.plural("{n} activity.", "The newest {n} activities.", len(activities))]
    apart = [each for each in activities if is_contradicted(each)]
    said.append(
        tell.plural(
            "Of {n} another measured method differs by more than a quarter.",
            "Of {n} another measured method differs by more than a quarter.",
            len(apart),
        )
    )
    return said


def is_contradicted(alternatives: Sequence[Row]) -> bool:
    """Whether a method that measures, and is not the chosen one, gives quite another load."""
    chosen = next((row for row in alternatives if row["is_chosen"]), None)
    if chosen is None or not chosen["load"]:
        return False
    others = (row for row in alternatives if not row["is_chosen"] and row["load_method"] not in GUESSES)
    return any(abs(row["load"] / chosen["load"] - 1) > APART for row in others)


GUESSES = {"time", "power_estimated", "suffer_score_unscaled"}


def audit_table(activities: Sequence[Sequence[Row]], tell: Teller) -> str:
    """Return a line for each activity as HTML, in which names are text."""
    heads = ((tell("Activity"), "grow"), (tell("Method"), ""), (tell("Load"), RIGHT))
    return html_table(heads, (_line(each, tell) for each in activities), tell)


def _line(alternatives: Sequence[Row], tell: Teller) -> str:
    row = alternatives[0]
    chosen = next((one for one in alternatives if one["is_chosen"]), None)
    name = escape(row["name"] or sport_types.title(row["sport_type"], tell))
    others = " · ".join(
        f"{load.method(one['load_method'], tell)}{NARROW}{tell.number(one['load'])}"
        for one in alternatives
        if not one["is_chosen"]
    )
    below = [", ".join(inputs(chosen, tell))] if chosen else []
    below += [tell("other methods: {loads}", loads=others)] if others else []
    told = "".join(f"<br><small>{escape(each)}</small>" for each in below)
    day = f"<small>{tell.day(row['start_date_local'])}</small>"
    cells = (
        cell(
            f"{sport_dot(row['sport_group'], tell)}{link(activity_url(row['activity_id']), name)} {day}{told}", "grow"
        ),
        cell(escape(load.method(chosen["load_method"], tell)) if chosen else NOTHING),
        cell(f"<b>{tell.number(chosen['load'])}</b>" if chosen else NOTHING, RIGHT),
    )
    return f"<tr>{''.join(cells)}</tr>"


def inputs(row: Mapping[str, object], tell: Teller) -> list[str]:
    """Say what the load of a method rests on: the time, what was recorded, and the settings of the day."""
    said = [tell.clock(float(str(row["moving_time_s"]))) if row["moving_time_s"] else tell.number(None)]
    method = str(row["load_method"])
    if method in {"heart_rate", "heart_rate_sex_unknown"} and row["average_heartrate_bpm"]:
        said.append(tell("average {value} bpm", value=tell.number(float(str(row["average_heartrate_bpm"])))))
    power = row["average_power_w"] if method == "power_average" else row["weighted_power_w"] or row["average_power_w"]
    if method in {"power_strava", "power_average", "power_estimated"} and power:
        said.append(f"{tell.number(float(str(power)))} W")
    for column, text, decimals in INPUTS:
        if (value := row[column]) is not None:
            said.append(tell(text, value=tell.number(float(str(value)), decimals)))
    return said
