"""What the recorded points of an activity tell: splits, time in zones, halves, decoupling."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

import streamlit as st

from dashboard import folded
from dashboard.activity.course import PACED, shown, speed_shown
from dashboard.activity.subject import Subject
from dashboard.activity.tables import speed_of
from dashboard.card import Why, card
from dashboard.formatting import NARROW, NOTHING, Teller, small_html
from dashboard.html_table import BOTH, RIGHT, WIDE, cell, html_table
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.training import zones as training_zones

MOST_SPLITS = 30
CURVES = {"heart_rate": "heartrate", "power": "power", "pace": "speed"}  # names of curves by kind of zones
SOURCES = {
    "streams": N_(
        "Times are found between two recorded points, and are those in motion. A gap without points is a pause, unless "
        "the way went on in it at 0.5 m/s at least, as in a tunnel."
    ),
    "strava": N_("The splits are Strava's own; its curves of this activity are not here."),
    "file": N_("The splits are computed of a recording."),
}


def splits(subject: Subject) -> None:
    """Draw each kilometre or mile; the bar is its pace among the others."""
    page, tell = subject.page, subject.page.tell
    note = tell("each {unit}", unit=tell.distance_unit)
    with card(page, "activity-splits", tell("Splits"), note) as opened:
        rows = opened.rows("activity/splits", page.athlete_id, subject.activity_id, tell.units.value)
        opened.why = Why(
            formula=tell("**Pace and speed of a split = its distance ÷ its time in motion**, of the last one as well."),
            inputs=[
                tell(SOURCES[rows[0]["source"]]) if rows else "",
                tell(
                    "Adjusted to the grade: metres on the flat that cost as much, by the slope over 200 m of smoothed "
                    "heights (Strava's model of 2017)."
                ),
            ],
            models=["split"],
        )
        if not rows:
            said = N_("No splits: no distance was recorded, or neither curves nor details are here yet.")
            if subject.row["is_manual"]:
                said = N_("No splits: an activity typed in by hand has none.")
            st.markdown(tell(said))
            return
        has_grade = any(row["grade_adjusted_speed_mps"] is not None for row in rows)
        heads = [
            (tell.distance_unit, ""), (tell("Time"), RIGHT), (tell("Pace, speed"), RIGHT),
            *([(tell("On the flat"), RIGHT)] if has_grade else []),
            (tell("Heart rate"), BOTH), (tell("Height"), BOTH), ("", WIDE),
        ]  # fmt: skip
        speeds = [_speed(row) for row in rows]
        with_speeds = [{**row, "speed": speed} for row, speed in zip(rows, speeds, strict=True)]
        folded.show(
            "activity-splits-table", with_speeds, MOST_SPLITS,
            lambda some: html_table(
                heads, (_split(row, subject, max(speeds), has_grade=has_grade) for row in some), tell
            ), tell,
        )  # fmt: skip


def _speed(row: Row) -> float:
    seconds = row["moving_time_s"] or row["elapsed_time_s"] or 0
    return float(row["distance_m"] / seconds) if seconds else 0.0


def _split(row: Row, subject: Subject, fastest: float, *, has_grade: bool) -> str:
    tell, whole = subject.page.tell, subject.page.tell.distance_amount(row["distance_m"])
    is_whole = abs(whole - 1) < 0.01  # noqa: PLR2004 - to 10 m
    name = tell.number(row["split_index"]) if is_whole else tell.number(whole, 2)
    flat = row["grade_adjusted_speed_mps"]
    on_the_flat = NOTHING if flat is None else speed_shown(flat, subject.row["sport_group"], tell)
    rise = row["elevation_difference_m"]
    height = NOTHING if rise is None else tell.number(tell.elevation_amount(rise), signed=True)
    width = 100 * row["speed"] / fastest if fastest else 0
    cells = (
        cell(name),
        cell(tell.clock(row["moving_time_s"] if row["moving_time_s"] is not None else row["elapsed_time_s"]), RIGHT),
        cell(small_html(speed_of(row, subject.row, tell)), RIGHT),
        *([cell(small_html(on_the_flat), RIGHT)] if has_grade else []),
        cell(tell.number(row["average_heartrate_bpm"]), BOTH),
        cell(height if rise is None else f"{height}{NARROW}<small>{tell.elevation_unit}</small>", BOTH),
        cell(_bar(width), WIDE),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _bar(percent: float) -> str:
    return f'<div class="ad-bar" style="margin-left:.75rem"><i style="width:{percent:.0f}%"></i></div>'


def zones(subject: Subject) -> None:
    """Draw how long it was in which zone of heart rate, power and pace; nothing where no curve is here."""
    page, tell = subject.page, subject.page.tell
    rows = page.rows("activity/zones", page.athlete_id, subject.activity_id)
    if not rows:
        return
    with card(page, "activity-zones", tell("Time in zones"), queries=[rows]) as opened:
        opened.why = Why(
            formula=tell(
                "**Seconds from each recorded point to the next, in the zone of its value**, while in motion. A value "
                "on a border is in the zone that begins there; a pause is left out."
            ),
            inputs=[_bounds(rows, tell)],
            models=["time_in_zone", "athlete_setting"],
        )
        heads = ((tell("Zone"), ""), (tell("From"), RIGHT), (tell("Time"), RIGHT), (tell("Share"), RIGHT), ("", WIDE))
        with st.container(key="activity-zones-table"):
            for kind, each in groupby(rows, key=lambda row: row["kind"]):
                of_kind = list(each)
                st.html(f'<h4 class="ad-h" lang="{tell.language}">{escape(tell(training_zones.KINDS[kind]))}</h4>')
                st.html(html_table(heads, (_zone(row, of_kind, subject) for row in of_kind), tell))


def _bounds(rows: Sequence[Row], tell: Teller) -> str:
    told = (tell(training_zones.SOURCES[each]) for each in sorted(training_zones.sources(rows)))
    return tell("Bounds: {sources}.", sources="; ".join(told))


def _zone(row: Row, every: Sequence[Row], subject: Subject) -> str:
    tell, seconds = subject.page.tell, sum(each["seconds"] for each in every)
    share = row["seconds"] / seconds if seconds else 0
    start = shown(CURVES[row["kind"]], row["lower_bound"], subject.row["sport_group"], tell)
    cells = (
        cell(escape(training_zones.title(row["zone"], tell))),
        cell(small_html(start), RIGHT),
        cell(tell.clock(row["seconds"]), RIGHT),
        cell(tell.percent(share), RIGHT),
        cell(_bar(100 * share), WIDE),
    )
    return f"<tr>{''.join(cells)}</tr>"


def summary(subject: Subject) -> None:
    """Draw what the points tell of the whole; nothing where no curve is here."""
    page, tell = subject.page, subject.page.tell
    rows = page.rows("activity/streams", page.athlete_id, subject.activity_id)
    told = facts(rows[0], subject.row["sport_group"], tell) if rows else []
    if not told:
        return
    with card(page, "activity-streams", tell("Second by second"), tell("of the recorded points"), queries=[rows]) as it:
        it.why = Why(
            formula=tell(
                "Each recorded point counts as long as it stands: up to the next, or 1 s where the recording paused."
            ),
            inputs=[
                tell("Halves are those of the distance, by the clock."),
                tell(
                    "Decoupling is by how much power, else speed, per heart beat falls from the first half of the time "
                    "to the second (Friel), of 40 min at the least without long pauses; up to 5 % is steady."
                ),
                tell(
                    "Normalised power is the fourth root of the mean fourth power of averages of 30 s (Coggan); "
                    "training impulse sums minutes by how near the heart rate is to its maximum (Banister)."
                ),
            ],
            models=["stream_summary"],
        )
        shown_facts = (f"<tr>{cell(escape(title), 'grow')}{cell(value, RIGHT)}</tr>" for title, value in told)
        with st.container(key="activity-streams-table"):
            st.html(html_table(((tell("Measure"), ""), ("", RIGHT)), shown_facts, tell))


def facts(row: Row, sport_group: str, tell: Teller) -> list[tuple[str, str]]:
    """Return title and value, as HTML, of what is known."""
    found = [
        (tell("First half"), tell.clock(row["first_half_s"])),
        (tell("Second half"), f"{tell.clock(row['second_half_s'])} {_change(row, tell)}"),
        (tell("Pace on the flat"), _flat(row, sport_group, tell)),
        (tell("Normalised power"), _unit(row["normalised_power_w"], "W", tell)),
        (tell("Average power, pauses at 0 W"), _unit(row["average_power_w"], "W", tell)),
        (tell("Cadence in motion"), _unit(row["cadence_per_min"], "spm" if sport_group in PACED else "rpm", tell)),
        (tell("Decoupling"), _percent(row["decoupling_pct"], tell)),
        (tell("Training impulse"), tell.number(row["trimp"])),
        (tell("Heart rate that cannot be right"), tell.clock(row["heartrate_suspect_s"] or None)),
    ]
    return [(title, value) for title, value in found if not value.startswith(NOTHING)]


def _change(row: Row, tell: Teller) -> str:
    change = row["split_change_pct"]
    if change is None:
        return ""
    if _percent(change, tell) == _percent(0, tell):
        return f"<small>{escape(tell('even split'))}</small>"
    kind = tell("negative split") if change < 0 else tell("positive split")
    return f"<small>{_percent(change, tell)} {escape(kind)}</small>"


def _percent(value: float | None, tell: Teller) -> str:
    return NOTHING if value is None else f"{tell.number(value, 1, signed=True)}{NARROW}%"


def _unit(value: float | None, unit: str, tell: Teller) -> str:
    return NOTHING if value is None else f"{tell.number(value)}{NARROW}<small>{unit}</small>"


def _flat(row: Row, sport_group: str, tell: Teller) -> str:
    mps = row["grade_adjusted_speed_mps"]
    return NOTHING if mps is None else small_html(speed_shown(mps, sport_group, tell))
