"""Strava's own totals of rides, runs and swims beside ours, and in words why they differ."""

import math
from collections.abc import Sequence
from html import escape

import streamlit as st

from dashboard import sports
from dashboard.card import Why, card
from dashboard.formatting import NOTHING, Teller, small_html
from dashboard.html_table import RIGHT, cell, html_table, sport_dot
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page

NOT_HERE = N_(
    "**Strava's totals are not here.** The daily check asks for them once a day where Strava is connected, and its "
    "report says what failed."
)
# Differences below these are of rounding: what Strava sends of each activity is rounded, what it sums is not.
TOLERANCES = {"m": 50, "moving_time_s": 60, "elevation_gain_m": 1}
ROUNDED_M = 0.1


def draw(page: Page) -> None:
    """Draw the table, a line for each sport and span that either side has activities of."""
    tell = page.tell
    with card(page, "quality-totals", tell("Strava says, we say"), tell("rides, runs and swims")) as opened:
        rows = opened.rows("quality/totals", page.athlete_id)
        if not rows:
            st.markdown(tell(NOT_HERE))
            return
        shown = [row for row in rows if row["strava_activity_count"] or row["activity_count"]] or rows
        with st.container(key="quality-totals"):
            st.html(totals_table(shown, tell))
        with st.expander(tell("All numbers"), type="compact"):
            st.dataframe(numbers(rows, tell), hide_index=True, alt=tell("Strava says, we say"))
        opened.why = _why(shown[0], tell)


def totals_table(rows: Sequence[Row], tell: Teller) -> str:
    """Return the totals as HTML, with the reasons of a difference below the sport's name."""
    heads = [(tell("Sport"), "grow"), (tell("Strava says"), RIGHT), (tell("We say"), RIGHT)]
    return html_table(heads, [_line(row, tell) for row in rows], tell)


def _line(row: Row, tell: Teller) -> str:
    name = f"{sport_dot(row['sport_group'], tell)}{escape(_name(row, tell))}"
    why = escape(" · ".join(reasons(row, tell)))
    cells = [cell(f"{name}<br><small>{why}</small>", "grow")]
    for who in ("strava_", ""):
        distance = small_html(escape(tell.distance(row[f"{who}distance_m"])))
        cells.append(cell(f"{tell.number(row[f'{who}activity_count'])}<br>{distance}", RIGHT))
    return f"<tr>{''.join(cells)}</tr>"


def _name(row: Row, tell: Teller) -> str:
    span = str(row["calendar_year"]) if row["scope"] == "ytd" else tell("all time")
    return f"{sports.title(row['sport_group'], tell)}, {span}"


def reasons(row: Row, tell: Teller) -> list[str]:
    """Say in words why a line differs, what is known for sure first; that it does not, where it does not."""
    if not row["difference_count"] and not _is_apart(row):
        return [tell("the same")]
    told = [
        text
        for kind, text in (
            ("hidden", _hidden(row, tell)),
            ("file_only", _from_files(row, tell)),
            ("archive_only", _from_exports(row, tell)),
            ("other_sport_type", _of_other_types(row, tell)),
        )
        if row[f"{kind}_count"]
    ]
    more = row["unexplained_count"]
    if more > 0:
        told.append(tell.plural("{n} that Strava does not count yet", "{n} that Strava does not count yet", more))
    elif more < 0:
        told.append(tell.plural("{n} more on Strava than is here", "{n} more on Strava than are here", -more))
    elif abs(row["unexplained_distance_m"] or 0) >= TOLERANCES["m"]:
        apart = tell.distance(abs(row["unexplained_distance_m"]))
        told.append(tell("{distance} by edits since, or counted otherwise", distance=apart))
    return told or [tell("the same activities with other numbers: edited since, or counted otherwise")]


def _is_apart(row: Row) -> bool:
    rounded = ROUNDED_M * math.sqrt(row["activity_count"])
    return any(abs(row[f"difference_{name}"] or 0) >= max(limit, rounded) for name, limit in TOLERANCES.items())


def _hidden(row: Row, tell: Teller) -> str:
    return tell.plural(
        "{n} is private or for followers, {distance}: not counted by Strava",
        "{n} are private or for followers, {distance}: not counted by Strava",
        row["hidden_count"], distance=tell.distance(row["hidden_distance_m"]),
    )  # fmt: skip


def _from_files(row: Row, tell: Teller) -> str:
    return tell.plural(
        "{n} is from a file alone, {distance}: not on Strava",
        "{n} are from files alone, {distance}: not on Strava",
        row["file_only_count"], distance=tell.distance(row["file_only_distance_m"]),
    )  # fmt: skip


def _from_exports(row: Row, tell: Teller) -> str:
    return tell.plural(
        "{n} is from an export alone, {distance}: {verdict}",
        "{n} are from an export alone, {distance}: {verdict}",
        row["archive_only_count"], distance=tell.distance(row["archive_only_distance_m"]), verdict=_verdict(row, tell),
    )  # fmt: skip


def _of_other_types(row: Row, tell: Teller) -> str:
    return tell.plural(
        "{n} has another sport type, {distance}: {verdict}",
        "{n} have another sport type, {distance}: {verdict}",
        row["other_sport_type_count"], distance=tell.distance(row["other_sport_type_distance_m"]),
        verdict=_verdict(row, tell),
    )  # fmt: skip


def _verdict(row: Row, tell: Teller) -> str:
    """Say whether Strava counts those of which it does not tell: its number may be without or with all of them."""
    unsure = row["archive_only_count"] + row["other_sport_type_count"]
    most = row["activity_count"] - row["hidden_count"] - row["file_only_count"]
    if row["strava_activity_count"] == most - unsure:
        return tell("by its number not counted by Strava")
    if row["strava_activity_count"] == most:
        return tell("by its number counted by Strava too")
    return tell("Strava may count some")


def numbers(rows: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """Return every number of every line: a row for Strava's, one for ours."""
    return [
        {
            tell("Sport"): _name(row, tell),
            tell("Says"): said_by,
            tell("Activities"): tell.number(row[f"{who}activity_count"]),
            tell("Distance"): tell.distance(row[f"{who}distance_m"]),
            tell("Time"): tell.duration(row[f"{who}moving_time_s"]),
            tell("Elevation"): tell.elevation(row[f"{who}elevation_gain_m"]),
        }
        for row in rows
        for who, said_by in (("strava_", "Strava"), ("", tell("this dashboard")))
    ]


def _why(row: Row, tell: Teller) -> Why:
    difference = tell.number(row["difference_count"], signed=True) if row["difference_count"] else NOTHING
    return Why(
        formula=tell(
            "**Strava's totals, asked {when}, beside the sum of our activities that began until then.** {name}: "
            "Strava says {strava}, we say {ours}, {difference} between them.",
            when=tell.minute(row["told_at"]), name=_name(row, tell), strava=tell.number(row["strava_activity_count"]),
            ours=tell.number(row["activity_count"]), difference=difference,
        ),
        inputs=[
            tell(
                "Strava counts only activities that everyone may see, and tells totals of rides, runs and swims alone."
            ),
            tell(
                "Which sport types these have, Strava does not say. Rides, mountain bike and gravel rides, runs and "
                "trail runs, and swims are taken to be in; virtual rides, e-bike rides and others of our group may be "
                "or not."
            ),
        ],
        excluded=[
            tell("What began after Strava was asked is left out of ours."),
            tell("The year is by UTC when Strava was asked, so around New Year it may be another one for some hours."),
        ],
        models=["strava_total"],
    )  # fmt: skip
