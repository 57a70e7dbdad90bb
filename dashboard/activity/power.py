"""The power curve of an activity against the best of its sport."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

import streamlit as st

from dashboard import charts
from dashboard.activity.subject import Subject
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.training import power

HEIGHT = 240
THIS = "activity"
SERIES = {power.ALL: "neutral", power.QUARTER: "accent"}


def draw(subject: Subject) -> None:
    """Draw the curve and the best of the same durations behind it; nothing where no power was measured."""
    page, row, tell = subject.page, subject.row, subject.page.tell
    if not row["is_power_measured"] or row["is_assisted"]:
        return
    year = str(page.today.year)
    rows = page.rows("activity/power", page.athlete_id, subject.activity_id, page.athlete_id, row["sport_group"], year)
    mine = {each["duration_s"]: each for each in rows if each["period"] == THIS}
    if not mine:
        return
    titles = {power.ALL: tell("All time"), year: year, power.QUARTER: tell("Last 90 days"), THIS: tell("This activity")}
    drawn = [each for period in titles for each in rows if each["period"] == period and each["duration_s"] in mine]
    best = {each["duration_s"]: each for each in drawn if each["period"] == power.ALL}
    said = sentence(mine, best, tell)
    with card(
        page, "activity-power", tell("Power curve"), tell("against your best"), height=HEIGHT, queries=[rows]
    ) as it:
        points = [
            power.point(each, titles, tell, tell.day(each["start_date_local"]))
            | {"series": SERIES.get(each["period"], row["sport_group"] if each["period"] == THIS else "last")}
            for each in drawn
        ]
        charts.show(page, "activity-power", power.chart(points, tell), points, alt=said, height=HEIGHT)
        st.caption(said)
        it.numbers(power.table(drawn, titles, tell))
        it.why = replace(_why(mine, best, tell), activities=lambda: _of_the_best(subject, year, mine))


def _of_the_best(subject: Subject, year: str, durations: Container[int]) -> Sequence[Row]:
    """Return the activities that have the best of all time of these durations, each once."""
    page = subject.page
    rows = page.rows("training/power", page.athlete_id, subject.row["sport_group"], year, page.athlete_id)
    found = (row for row in rows if row["period"] == power.ALL and row["duration_s"] in durations)
    return list({row["activity_id"]: row for row in found}.values())


def sentence(mine: Mapping[int, Row], best: Mapping[int, Row], tell: Teller) -> str:
    """Say the power of some durations, and what part of the best of all time it is."""
    told = [
        tell(
            "{time} {watts} W ({share})", time=power.duration_title(duration, tell),
            watts=tell.number(mine[duration]["power_w"]),
            share=tell.percent(mine[duration]["power_w"] / best[duration]["power_w"]),
        )
        for duration in _told(mine, best)
    ]  # fmt: skip
    return tell("Of the best of all time: {list}.", list=", ".join(told)) if told else ""


def _told(mine: Mapping[int, Row], best: Mapping[int, Row]) -> Sequence[int]:
    """Return the durations of which the sentence tells; of an activity of seconds the longest."""
    known = [duration for duration in mine if duration in best and best[duration]["power_w"]]
    return [duration for duration in power.TOLD_S if duration in known] or known[-1:]


def _why(mine: Mapping[int, Row], best: Mapping[int, Row], tell: Teller) -> Why:
    formula = tell(
        "**The best average of so many seconds in a row, by the clock**, held for at least so long. Pauses are 0 W."
    )
    for duration in _told(mine, best)[-1:]:
        formula += " " + tell(
            "**Share = power ÷ the best of all time**: for {time} {mine} W ÷ {best} W = {share}.",
            time=power.duration_title(duration, tell), mine=tell.number(mine[duration]["power_w"], 1),
            best=tell.number(best[duration]["power_w"], 1),
            share=tell.percent(mine[duration]["power_w"] / best[duration]["power_w"]),
        )  # fmt: skip
    return Why(
        formula=formula,
        inputs=[tell("The best are of all activities of the sport, this one and later ones among them.")],
        excluded=[tell("Estimated power, e-bikes, and readings above 2,500 W or 30 W/kg.")],
        models=["power_curve_activity", "power_curve"],
    )
