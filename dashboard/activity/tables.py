"""Best efforts with their rank, laps, the same route before, and the load by each method."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import streamlit as st

from dashboard import folded
from dashboard.activity.subject import Subject
from dashboard.best_efforts import REASON_NAMES, distance_name, pace
from dashboard.card import Why, card
from dashboard.formatting import NOTHING, Teller, plain, small_html
from dashboard.html_table import BOTH, RIGHT, cell, html_table
from dashboard.links import activity_link
from dashboard.mart import Row
from dashboard.overview import load

MOST_BEFORE = 7
MOST_LAPS = 20
BIG, SMALL = 14, 17  # zooms of explorer tiles


def efforts(subject: Subject) -> None:
    """Draw the best efforts that Strava found in it, or that the recording has."""
    page, tell = subject.page, subject.page.tell
    with card(page, "activity-efforts", tell("Best efforts"), tell("rank among all that count")) as opened:
        rows = opened.rows("activity/efforts", page.athlete_id, subject.activity_id, page.athlete_id)
        if not rows:
            st.markdown(
                tell(
                    "No best efforts: Strava measures them in runs and sends them with the details; others are found "
                    "in the curves of rides and runs."
                )
            )
            return
        heads = ((tell("Distance"), ""), (tell("Time"), RIGHT), (tell("Pace, speed"), RIGHT), (tell("Rank"), RIGHT))
        with st.container(key="activity-efforts-table"):
            st.html(html_table(heads, (_effort(row, tell) for row in rows), tell))
        counted = [row for row in rows if row["excluded_reason"] is None]
        opened.why = Why(
            formula=tell(
                "**Rank = 1 + how many efforts were faster** over the distance, by elapsed time, of all time."
            ),
            inputs=[plain(_best(counted, tell))] if counted else (),
            excluded=[tell("Efforts that cannot be records have no rank: their reason stands there.")],
            models=["record_best_effort"],
        )


def _effort(row: Row, tell: Teller) -> str:
    if row["excluded_reason"] is None:
        rank = tell("{n} of {all}", n=tell.number(row["effort_rank"]), all=tell.number(row["effort_count"]))
    else:
        rank = f"<small>{escape(tell(REASON_NAMES[row['excluded_reason']]))}</small>"
    first = ' <span class="ad-new">1</span>' if row["excluded_reason"] is None and row["effort_rank"] == 1 else ""
    cells = (
        cell(f"{escape(distance_name(row['effort_name'], tell))}{first}", "grow"),
        cell(f"<b>{tell.clock(row['elapsed_time_s'])}</b>", RIGHT),
        cell(small_html(pace(row, tell)), RIGHT),
        cell(rank, RIGHT),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _best(rows: Sequence[Row], tell: Teller) -> str:
    best = min(rows, key=lambda row: (row["effort_rank"], -row["distance_m"]))
    return tell(
        "{distance} in {time}: {faster} of {all} were faster; the best of all is {best}.",
        distance=distance_name(best["effort_name"], tell), time=tell.clock(best["elapsed_time_s"]),
        faster=tell.number(best["effort_rank"] - 1), all=tell.number(best["effort_count"]),
        best=tell.clock(best["best_time_s"]),
    )  # fmt: skip


def laps(subject: Subject) -> None:
    """Draw the laps; where there is one for all of the activity, there are none."""
    page, tell = subject.page, subject.page.tell
    with card(page, "activity-laps", tell("Laps")) as opened:
        rows = opened.rows("activity/laps", page.athlete_id, subject.activity_id)
        opened.why = Why(
            formula=tell("Laps as the device made them; pace and speed are distance and time in motion."),
            models=["lap"],
        )
        if len(rows) < 2:  # noqa: PLR2004 - one is the whole activity
            st.markdown(tell("No laps: the device made none, or the details of this activity are not here yet."))
            return
        heads = (
            (tell("Lap"), ""), (tell("Distance"), RIGHT), (tell("Time"), RIGHT), (tell("Pace, speed"), RIGHT),
            (tell("Heart rate"), BOTH), (tell("Power"), BOTH),
        )  # fmt: skip
        folded.show(
            "activity-laps-table", rows, MOST_LAPS,
            lambda some: html_table(heads, (_lap(row, subject) for row in some), tell), tell,
        )  # fmt: skip


def _lap(row: Row, subject: Subject) -> str:
    tell = subject.page.tell
    cells = (
        cell(tell.number(row["lap_index"])),
        cell(small_html(tell.distance(row["distance_m"], 2)), RIGHT),
        cell(tell.clock(row["moving_time_s"] if row["moving_time_s"] is not None else row["elapsed_time_s"]), RIGHT),
        cell(small_html(speed_of(row, subject.row, tell)), RIGHT),
        cell(tell.number(row["average_heartrate_bpm"]), BOTH),
        cell(tell.number(row["average_power_w"]), BOTH),
    )
    return f"<tr>{''.join(cells)}</tr>"


def speed_of(part: Row, activity: Row, tell: Teller) -> str:
    """Return how fast a part of an activity was, with `distance_m` and `moving_time_s`, as its sport counts it."""
    metres, seconds = part["distance_m"] or 0, part["moving_time_s"] or part["elapsed_time_s"] or 0
    if metres <= 0 or seconds <= 0:
        return NOTHING
    kinds = {
        "pace_s_per_km": seconds / metres * 1000 if activity["sport_group"] in {"run", "walk"} else None,
        "speed_kmh": metres / seconds * 3.6 if activity["sport_group"] == "ride" else None,
    }
    return tell.pace_or_speed({**activity, **kinds, "distance_m": metres, "moving_time_s": seconds})


def before(subject: Subject) -> None:
    """Draw the activities on the same route, the fastest first, and how many tiles were new."""
    page, tell = subject.page, subject.page.tell
    with card(page, "activity-before", tell("Same route before"), tell("the fastest first")) as opened:
        rows = opened.rows(
            "activity/same_route", page.athlete_id, subject.activity_id, page.athlete_id, not subject.is_shared
        )
        tiles = {
            row["z"]: row
            for row in opened.rows("activity/new_tiles", page.athlete_id, subject.activity_id, page.athlete_id)
        }
        opened.why = _why_before(rows, tell)
        if len(rows) < 2:  # noqa: PLR2004 - itself
            has_route = rows or page.rows("activity/route", page.athlete_id, subject.activity_id)
            st.markdown(tell("This route was not used before.") if has_route else tell("This activity has no route."))
        else:
            _ranked(subject, rows)
        if tiles:
            st.caption(
                tell(
                    "New explorer tiles: {large} of {large_all}; of the small ones {small} of {small_all}.",
                    large=tell.number(tiles[BIG]["new_tile_count"]), large_all=tell.number(tiles[BIG]["tile_count"]),
                    small=tell.number(tiles[SMALL]["new_tile_count"]),
                    small_all=tell.number(tiles[SMALL]["tile_count"]),
                )
            )  # fmt: skip


def _ranked(subject: Subject, rows: Sequence[Row]) -> None:
    """Draw the fastest of a route, and this activity after them where it is none of these."""
    tell = subject.page.tell
    mine = next(row for row in rows if row["activity_id"] == subject.activity_id)
    shown = list(rows[:MOST_BEFORE])
    if mine not in shown:
        shown.append(mine)
    if mine["time_rank"] is not None:
        rank, count = tell.number(mine["time_rank"]), tell.number(mine["route_count"])
        st.markdown(tell("**{n} of {all}** on this route, by moving time.", n=rank, all=count))
    heads = ((tell("Rank"), ""), (tell("Activity"), ""), (tell("Time"), RIGHT), (tell("On"), RIGHT))
    with st.container(key="activity-before-table"):
        st.html(html_table(heads, (_one_before(row, subject) for row in shown), tell))


def _one_before(row: Row, subject: Subject) -> str:
    tell = subject.page.tell
    name = row["name"] or ""
    is_this = row["activity_id"] == subject.activity_id
    shown = f"<b>{escape(name)}</b>" if is_this else activity_link(row["activity_id"], name)
    cells = (
        cell(tell.number(row["time_rank"])),
        cell(shown, "grow"),
        cell(tell.clock(row["moving_time_s"]), RIGHT),
        cell(tell.day(row["start_date_local"]), RIGHT),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _why_before(rows: Sequence[Row], tell: Teller) -> Why:
    return Why(
        formula=tell(
            "Two activities are on the same route if they share at least 75 % of the tiles of zoom 17 that the larger "
            "of them passes, whichever way round. {n} are on this one.",
            n=tell.number(len(rows)),
        ),
        inputs=[tell("A tile is new if no earlier activity was there; of one day the lower number is the earlier.")],
        excluded=[tell("Activities with a motor have no rank.")],
        models=["route_group", "tile_visit"],
    )  # fmt: skip


def loads(subject: Subject) -> None:
    """Draw the load with its method, and what the other methods would give."""
    page, tell = subject.page, subject.page.tell
    with card(page, "activity-load", tell("Load"), tell("an hour at threshold is about 100")) as opened:
        rows = opened.rows("activity/loads", page.athlete_id, subject.activity_id)
        why = load.why([subject.row], tell)
        if not rows:
            st.markdown(
                tell("Nothing tells how hard it was: no power, no heart rate, no pace, and no time that counts.")
            )
            return
        told = tell("Your order of methods names none of these.")
        if why is not None:
            told = load.explained(subject.row, tell)
            opened.why = replace(why, inputs=[told], activities=())
        heads = ((tell("Method"), ""), (tell("Load"), RIGHT), ("", RIGHT))
        with st.container(key="activity-load-table"):
            st.html(html_table(heads, (_load(row, tell) for row in rows), tell))
        st.caption(told)


def _load(row: Row, tell: Teller) -> str:
    counts = f'<span class="ad-new">{escape(tell("counts"))}</span>' if row["is_chosen"] else ""
    name = escape(load.method(row["load_method"], tell))
    return f"<tr>{cell(name, 'grow')}{cell(tell.number(row['load']), RIGHT)}{cell(counts, RIGHT)}</tr>"
