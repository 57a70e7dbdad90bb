"""The Records page: best efforts and how they fell, Eddington, predicted races, the longest, streaks, milestones."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from html import escape

import streamlit as st

from dashboard import (
    address,
    best_efforts,
    charts,
    contributing,
    eddington_chart,
    empty_states,
    folded,
    milestones,
    streaks,
)
from dashboard.best_efforts import distance_name
from dashboard.card import Why, card
from dashboard.filters import ALL, Filters
from dashboard.formatting import MINUS, NOTHING, plain
from dashboard.html_table import RIGHT, cell, html_table
from dashboard.mart import Row, Rows
from dashboard.page import Page
from dashboard.units import LONG

RUNS = {ALL, "run"}
MEASURED = {ALL: "run", "run": "run", "ride": "ride"}  # whose best efforts are shown, by the sport asked for
SHOWN_MILESTONES = 12
USUAL_EXPONENT = 1.06
HALF_MILLIMETRE = 0.0005  # the marts round days to millimetres


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    _best_efforts(page)
    left, right = st.columns([1.55, 1], gap="small")
    with left:
        _eddington(page)
    with right:
        _prediction(page)
    left, right = st.columns(2, gap="small")
    with left:
        _longest(page)
        streaks.draw(page, period_of(page.filters), f"{page.filters.sport_title(page.tell)}, {_period_title(page)}")
    with right:
        _milestones(page)


def period_of(asked: Filters) -> str:
    """Return the period of the marts that the days asked for stand for: one calendar year, or all time."""
    is_year = asked.first == date(asked.first.year, 1, 1) and asked.last.year == asked.first.year
    is_whole = asked.last == date(asked.last.year, 12, 31)
    return str(asked.first.year) if is_year and (asked.range == "year" or is_whole) else "all"


def _period_title(page: Page) -> str:
    period = period_of(page.filters)
    return page.tell("all time") if period == "all" else period


def _best_efforts(page: Page) -> None:
    tell, asked = page.tell, page.filters
    is_ride = asked.sport == "ride"
    note = tell("run, elapsed time; the bar is how long each record stood")
    if is_ride:
        note = tell("ride, elapsed time, of recorded curves; the bar is how long each record stood")
    with card(page, "best-efforts", tell("Best efforts"), note if asked.sport in MEASURED else "") as opened:
        if asked.sport not in MEASURED:
            st.markdown(tell("Best efforts are measured in runs and rides only."))
            return
        days, sport = (asked.first, asked.last), MEASURED[asked.sport]
        best = opened.rows("records/best_efforts", page.athlete_id, *days, sport, page.athlete_id)
        steps = opened.rows("records/record_steps", page.athlete_id, sport)
        excluded = opened.rows("records/excluded_efforts", page.athlete_id, *days, sport)
        if best:
            with st.container(key="best-efforts"):
                st.html(best_efforts.best_table(best, steps, page.today, tell))
            opened.why = _why_best(best, excluded, page)
        else:
            empty_states.nothing_in_filter(page, "best-efforts")
        if excluded:
            st.caption(best_efforts.excluded_sentence(excluded, tell))
        if steps:
            with st.expander(tell("How each record fell"), type="compact"), st.container(key="record-steps"):
                st.html(best_efforts.steps_table(steps, tell))
        if excluded:
            with st.expander(tell("Excluded efforts"), type="compact"), st.container(key="excluded-efforts"):
                st.html(best_efforts.excluded_table(excluded, tell))
                if (in_all := best_efforts.excluded_count(excluded)) > len(excluded):
                    shown = {"n": tell.number(len(excluded)), "all": tell.number(in_all)}
                    st.caption(tell("{n} of {all} are listed, the newest of each reason.", **shown))


def _why_best(best: Sequence[Row], excluded: Sequence[Row], page: Page) -> Why:
    tell, row = page.tell, max(best, key=lambda each: each["start_date_local"])
    measured = tell("The shortest **elapsed** time over each distance that Strava measured in your runs.")
    if row["sport_group"] == "ride":
        measured = tell(
            "The shortest **elapsed** time over each distance in the recorded curves of your rides; a stretch may "
            "begin or end between two points."
        )
    formula = tell(
        "{measured} From {days} it is {time} over {distance}, of {day}; the record of all time is {record}.",
        measured=measured,
        days=tell.days(page.filters.first, page.filters.last), distance=distance_name(row["effort_name"], tell),
        time=plain(tell.clock(row["elapsed_time_s"])), day=tell.day(row["start_date_local"]),
        record=plain(tell.clock(row["record_time_s"])),
    )  # fmt: skip
    rule = tell(
        "A record is faster than every effort before it; an equal time is a tie. It stands until the day on which the "
        "next one falls, or until today. Pauses count, so that they make no record."
    )
    return Why(
        formula=formula,
        inputs=[rule],
        excluded=[best_efforts.excluded_sentence(excluded, tell)] if excluded else (),
        models=["record_best_effort", "record_progression"],
        activities=_once(
            (distance_name(each["effort_name"], tell), _named(each, each["start_date_local"])) for each in best
        ),
    )


def _named(row: Row, day: date) -> Row:
    return {"name": row["activity_name"], "start_date_local": day, "activity_id": row["activity_id"]}


def _once(found: Iterable[tuple[str, Row]]) -> list[Row]:
    """Return each activity once, with all that it is the best in."""
    best_in: dict[int, list[str]] = {}
    rows = {}
    for title, row in found:
        best_in.setdefault(row["activity_id"], []).append(title)
        rows[row["activity_id"]] = row
    return [{**row, "stands_for": ", ".join(best_in[activity_id])} for activity_id, row in rows.items()]


def _eddington(page: Page) -> None:
    tell, asked = page.tell, page.filters
    note = f"{asked.sport_title(tell)}, {tell.distance_unit}, {_period_title(page)}"
    with card(page, "eddington", tell("Eddington number"), note, height=eddington_chart.HEIGHT) as opened:
        period = period_of(asked)
        found = opened.rows("records/eddington", page.athlete_id, asked.sport, tell.distance_unit, period)
        steps, screens = _with_or_without_screens(found, page)
        if not steps:
            st.markdown(
                tell(
                    "No day of {sport} has a whole {unit} yet.", sport=asked.sport_title(tell), unit=tell.distance_unit
                )
            )
            return
        bars, finding = eddington_chart.bars(steps, tell), eddington_chart.finding(steps, tell)
        charts.show(
            page, "eddington", eddington_chart.chart(len(bars), tell), bars, alt=finding, height=eddington_chart.HEIGHT
        )
        st.caption(eddington_chart.caption(steps, tell))
        opened.numbers(eddington_chart.table(steps, tell))
        opened.why = Why(
            formula=tell("The largest n for which n days have at least n {unit}.", unit=tell.distance_unit)
            + f" {finding}",
            inputs=[
                tell("A day is the sum of its activities, by the local day on which they began."),
                tell("Listed are those of the days that count towards the next number, the longest first."),
            ],
            excluded=[
                tell("Activities with a motor (e-bikes) do not count, nor distances that time or speed contradict."),
                screens,
            ],
            models=["eddington", "eddington_step"],
            activities=_towards_the_next(page, steps[0], period),
        )


def _towards_the_next(page: Page, number: Row, period: str) -> Callable[[], Rows]:
    """Return what asks for the activities of the days that count towards the next number, the longest first."""
    first, last = (date(int(period), 1, 1), date(int(period), 12, 31)) if period != "all" else contributing.EVER
    measure = "eddington" if number["counts_virtual"] else "eddington_real"
    least = (number["eddington_number"] + 1) * LONG[page.tell.units].size - HALF_MILLIMETRE
    return contributing.largest(page, measure, first, last, least_of_day=least)


def _with_or_without_screens(steps: Sequence[Row], page: Page) -> tuple[Sequence[Row], str]:
    """Draw the switch where there are activities on a screen; return the steps that count, and which those are."""
    tell, counts = page.tell, True
    if not all(row["counts_virtual"] for row in steps):
        st.session_state["eddington-screens"] = address.follow("screens", ("0", "1").__contains__, "1") == "1"
        counts = st.toggle(tell("With those on a screen"), key="eddington-screens", on_change=_screens_switched)
    told = tell("Those on a screen count.") if counts else tell("Those on a screen are left out.")
    return [row for row in steps if row["counts_virtual"] == counts and row["n"] is not None], told


def _screens_switched() -> None:
    address.put("screens", "1" if st.session_state["eddington-screens"] else "0", "1")


def _prediction(page: Page) -> None:
    tell, asked = page.tell, page.filters
    note = tell("from the best run of 180 days") if asked.sport in RUNS else ""
    with card(page, "prediction", tell("Race predictor"), note) as opened:
        if asked.sport not in RUNS:
            st.markdown(tell("Races are predicted for runs only."))
            return
        rows = opened.rows("records/race_prediction", page.athlete_id)
        if not rows:
            st.markdown(
                tell("No run of 1.5 km to a marathon in the last 180 days, so there is nothing to predict from.")
            )
            return
        with st.container(key="race-prediction"):
            st.html(_prediction_table(rows, page))
        distance = distance_name(rows[0]["reference_effort_name"], tell)
        time = plain(tell.clock(rows[0]["reference_time_s"]))
        told = tell("From {distance} in {time}.", distance=distance, time=time)
        st.caption(f"{told} {_exponent_sentence(rows[0], page)}")
        opened.why = _why_prediction(rows, page)


def _prediction_table(rows: Sequence[Row], page: Page) -> str:
    tell = page.tell
    titles = tell("Distance"), tell("Best"), tell("Predicted"), tell("Room")
    lines = []
    for row in rows:
        best, predicted = row["best_time_s"], round(row["predicted_time_s"])
        room = f"{MINUS}{tell.clock(best - predicted)}" if best is not None and best > predicted else NOTHING
        rest = tell.clock(best), f"<b>{tell.clock(predicted)}</b>", f"<small>{room}</small>"
        name = cell(escape(distance_name(row["effort_name"], tell)))
        lines.append(f"<tr>{name}{''.join(cell(each, RIGHT) for each in rest)}</tr>")
    return html_table([(title, RIGHT if place else "") for place, title in enumerate(titles)], lines, tell)


def _exponent_sentence(row: Row, page: Page) -> str:
    tell, exponent = page.tell, row["exponent"]
    values = {"exponent": tell.number(exponent, 3), "usual": tell.number(USUAL_EXPONENT, 2)}
    if not row["is_own_exponent"]:
        return tell(
            "With the usual exponent {usual}. Your own needs efforts of three runs in 180 days over distances from "
            "1.5 to 21.1 km, the longest three times the shortest.", **values,
        )  # fmt: skip
    if exponent > USUAL_EXPONENT:
        return tell("Your exponent {exponent} (usual {usual}): you slow down a little more with distance.", **values)
    return tell("Your exponent {exponent} (usual {usual}): you hold your pace well with distance.", **values)


def _why_prediction(rows: Sequence[Row], page: Page) -> Why:
    tell, row = page.tell, rows[0]
    others = (each for each in reversed(rows) if each["distance_m"] != row["reference_distance_m"])
    last = next(others, rows[-1])
    formula = tell(
        "Riegel: {time} · ({longer} ÷ {shorter}) ^ {exponent} = {predicted} for the {distance}. At the same VDOT "
        "({vdot}, from this run) it would be {equal}.",
        time=plain(tell.clock(row["reference_time_s"])), longer=tell.distance(last["distance_m"]),
        shorter=tell.distance(row["reference_distance_m"]), exponent=tell.number(row["exponent"], 3),
        predicted=plain(tell.clock(last["predicted_time_s"])), distance=distance_name(last["effort_name"], tell),
        vdot=tell.number(row["vdot"], 1), equal=plain(tell.clock(last["vdot_time_s"])),
    )  # fmt: skip
    inputs = tell(
        "The run with the highest VDOT of the last 180 days, and the exponent from your best efforts over {n} "
        "distances. Riegel is meant for 3.5 minutes to 4 hours and is optimistic beyond the half marathon.",
        n=row["exponent_effort_count"],
    ) if row["is_own_exponent"] else tell(
        "The run with the highest VDOT of the last 180 days, and the usual exponent. "
        "Riegel is meant for 3.5 minutes to 4 hours and is optimistic beyond the half marathon.",
    )  # fmt: skip
    return Why(
        formula=formula,
        inputs=[inputs],
        excluded=[tell("Efforts that cannot be records do not count.")],
        models=["race_prediction"],
        activities=[
            {
                "name": row["reference_name"],
                "start_date_local": row["reference_date"],
                "activity_id": row["reference_activity_id"],
            }
        ],
    )


def _longest(page: Page) -> None:
    tell, asked = page.tell, page.filters
    note = f"{asked.sport_title(tell)}, {_period_title(page)}"
    with card(page, "longest", tell("Longest"), note) as opened:
        rows = opened.rows("records/longest", page.athlete_id, asked.sport, period_of(asked))
        if not rows:
            empty_states.nothing_in_filter(page, "longest")
            return
        with st.container(key="longest"):
            st.html(milestones.longest_table(rows, tell))
        opened.why = _why_longest([row for row in rows if row["activity_id"] is not None], page)


def _why_longest(singles: Sequence[Row], page: Page) -> Why:
    tell = page.tell
    excluded = tell(
        "Activities with a motor never count; climb, highest point and speed leave out those indoors, on a screen or "
        "typed in by hand; distance and speed those whose numbers contradict one another; times and speed those whose "
        "times cannot be right."
    )
    return Why(
        formula=tell("The most of each measure in one activity, one local day and one week from Monday to Sunday."),
        inputs=[tell("Average speed is distance ÷ moving time, of activities of at least 20 minutes.")],
        excluded=[excluded],
        models=["record_longest"],
        activities=_once(
            (tell(milestones.MEASURES[row["measure"]]), _named(row, row["span_start_date"])) for row in singles
        ),
    )


def _milestones(page: Page) -> None:
    tell, asked = page.tell, page.filters
    with card(page, "milestones", tell("Milestones"), tell("newest first")) as opened:
        rows = opened.rows("records/milestones", *milestones.asked(page, asked.first, asked.last))
        if not rows:
            empty_states.nothing_in_filter(page, "milestones")
            return
        folded.show("milestones", rows, SHOWN_MILESTONES, lambda some: milestones.milestone_list(some, tell), tell)
        opened.why = milestones.why(rows, tell)
