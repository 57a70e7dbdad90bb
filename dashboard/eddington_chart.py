"""The Eddington chart: how many days had at least n kilometres or miles, and the line on which n days have n."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from dashboard import charts
from dashboard.formatting import NARROW, Teller
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.palette import SERIES

HEIGHT = 230
MOST_BARS = 120
NAMED = ((60, 20), (8, 5))  # of more than so many bars, every so many are named; of fewer all
BEYOND = 20  # steps shown behind a number that is larger
LATER = 5  # the number after the next that the caption tells of
COLOUR = alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=None)
NUMBER_LINE = N_("Eddington number {number}: {number} days of at least {number} {unit}; {next} takes {n} more.")


def bars(steps: Sequence[Row], tell: Teller) -> list[dict[str, Any]]:
    """Return the chart's rows from those of `records/eddington`."""
    number, unit = steps[0]["eddington_number"], tell.distance_unit
    return [
        {
            "n": row["n"],
            "days": row["days_at_least"],
            "series": "accent" if row["n"] <= number else "neutral",
            "label": f"E = {number}" if row["n"] == number else "",
            "distance": f"{row['n']}{NARROW}{unit}",
            "shown": tell.plural("{n} day", "{n} days", row["days_at_least"]),
            "reached": tell.day(row["reached_on"]),
        }
        for row in steps
        if row["n"] <= max(MOST_BARS, number + BEYOND)
    ]


def chart(shown: int, tell: Teller) -> alt.LayerChart:
    """Bars of days for so many steps, the line of the definition, and the point where they meet."""
    every = next((step for more_than, step in NAMED if shown > more_than), 1)
    label = f"datum.value % {every} == 0 ? datum.value + '{NARROW}{tell.distance_unit}' : ''"
    x = alt.X(
        "n:O", axis=alt.Axis(labelAngle=0, labelExpr=label, labelOverlap=False), scale=alt.Scale(paddingInner=0.2)
    )
    base = alt.Chart(charts.ROWS).encode(x=x)
    days = base.mark_bar().encode(
        y=alt.Y("days:Q", axis=alt.Axis(tickMinStep=1)),
        color=COLOUR,
        tooltip=[
            alt.Tooltip("distance:N", title=tell("At least")),
            alt.Tooltip("shown:N", title=tell("Days")),
            alt.Tooltip("reached:N", title=tell("Reached on")),
        ],
    )
    in_form = {"color": charts.named("form")}
    most = alt.Chart(charts.ROWS).transform_joinaggregate(top="max(days)").transform_filter("datum.n <= datum.top")
    line = most.mark_line(strokeDash=[4, 3], interpolate="linear").encode(x=x, y="n:Q", **in_form)
    meeting = base.transform_filter("datum.label != ''")
    point = meeting.mark_point(filled=True, size=90, opacity=1).encode(y="n:Q", **in_form)
    text = meeting.mark_text(align="left", dx=8, dy=-10, fontWeight="bold").encode(y="n:Q", text="label:N", **in_form)
    return alt.LayerChart(layer=[days, line, point, text])


def finding(steps: Sequence[Row], tell: Teller) -> str:
    """Say the number and what the next one takes."""
    row = steps[0]
    return tell(
        NUMBER_LINE, number=row["eddington_number"], unit=tell.distance_unit, next=row["eddington_number"] + 1,
        n=tell.plural("{n} day", "{n} days", row["days_needed_next"]),
    )  # fmt: skip


def caption(steps: Sequence[Row], tell: Teller) -> str:
    """Return the number, and the days that the next one and a later one take, as Markdown."""
    number = steps[0]["eddington_number"]
    needed = {row["n"]: row["days_needed"] for row in steps}
    after, later = number + 1, number + LATER
    needed_next = steps[0]["days_needed_next"]
    distance = f"{after}{NARROW}{tell.distance_unit}"
    parts = [
        tell("**{number}** now", number=number),
        tell.plural(
            "**{n}** more day of {distance} for {next}", "**{n}** more days of {distance} for {next}", needed_next,
            distance=distance, next=after,
        ),
        tell("**{n}** for {next}", n=tell.number(needed.get(later, later)), next=later),
    ]  # fmt: skip
    return " · ".join(parts)


def table(steps: Sequence[Row], tell: Teller) -> list[dict[str, Any]]:
    """Return the numbers behind the chart."""
    return [
        {
            tell("At least"): f"{row['n']}{NARROW}{tell.distance_unit}",
            tell("Days"): row["days_at_least"],
            tell("Days needed"): row["days_needed"],
            tell("Reached on"): tell.day(row["reached_on"]),
        }
        for row in steps
    ]
