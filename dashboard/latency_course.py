"""How long saves took to reach the charts, hour by hour or day by day: the rows, the chart and its table."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt

from dashboard.charts import ROWS, named
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row, in_utc
from dashboard.palette import SERIES

QUANTILES = {"p50_s": N_("Half within (p50)"), "p95_s": N_("19 of 20 within (p95)")}
COLOURS = {"p50_s": "accent", "p95_s": "form"}  # names of SERIES
LEAST_S = 0.1  # what a logarithmic axis can begin with
LINEAR_UP_TO_S = 60.0  # beyond, the fast ones would all be drawn on the ground


def points(rows: Iterable[Row], kind: str, tell: Teller) -> list[dict[str, Any]]:
    """One point per period and quantile: hours by the clock of the page, days as the marts cut them, in UTC."""
    found: list[dict[str, Any]] = []
    for row in rows:
        at = tell.here(row["period_start_at"]) if kind == "hour" else in_utc(row["period_start_at"])
        late = row["not_on_chart_count"]
        events = tell.number(row["event_count"])
        period = (
            f"{tell.day(at.date(), 'short')}, {at:%H:%M}" if kind == "hour" else f"{tell.day(at.date(), 'long')} (UTC)"
        )
        for column, quantile in QUANTILES.items():
            found.append(
                {
                    "start": f"{at:%Y-%m-%dT%H:%M:%S}Z",
                    "period": period,
                    "colour": COLOURS[column],
                    "quantile": tell(quantile),
                    "seconds": max(row[column], LEAST_S),
                    "shown": tell.latency(row[column]),
                    "events": events + (tell(", {n} not on a chart yet", n=tell.number(late)) if late else ""),
                }
            )
    return found


def table(found: Sequence[dict[str, Any]], kind: str, tell: Teller) -> list[dict[str, object]]:
    """The numbers behind the course, newest first."""
    rows = [
        {
            tell("Hour") if kind == "hour" else tell("Day"): one["period"],
            tell("Half within"): one["shown"],
            tell("19 of 20 within"): other["shown"],
            tell("Events"): one["events"],
        }
        for one, other in zip(found[::2], found[1::2], strict=True)
    ]
    return rows[::-1]


def is_logarithmic(found: Sequence[dict[str, Any]]) -> bool:
    """Whether the slowest is so slow that the axis counts powers of ten."""
    return bool(max(row["seconds"] for row in found) > LINEAR_UP_TO_S)


def chart(found: Sequence[dict[str, Any]], kind: str, now: datetime, tell: Teller) -> alt.LayerChart:
    """Points over the whole last day or month; periods without an event stay empty.

    The two of a period are joined by a rule. Nothing joins periods: what lies between them was not measured.
    """
    now = now if kind == "hour" else now.astimezone(UTC)
    since = now - (timedelta(hours=24) if kind == "hour" else timedelta(days=30))
    start = alt.X(
        "start:T",
        scale=alt.Scale(type="utc", domain=[f"{since:%Y-%m-%dT%H:00:00}Z", f"{now:%Y-%m-%dT%H:%M:%S}Z"]),
        axis=alt.Axis(format="%H:%M" if kind == "hour" else "%-d %b", tickCount=8, labelOverlap="greedy"),
    )
    scale = alt.Scale(type="log", nice=True) if is_logarithmic(found) else alt.Scale(domainMin=0, nice=True)
    names = list(QUANTILES)
    legend = {COLOURS[one]: tell(QUANTILES[one]) for one in names}
    base = alt.Chart(ROWS).encode(x=start)
    rules = base.mark_rule(strokeWidth=2, opacity=0.5).encode(
        y=alt.Y("min(seconds):Q", scale=scale),
        y2="max(seconds):Q",
        color=named("neutral"),
    )
    # hollow, so that of a period with one event both are seen
    marks = base.mark_point(filled=False, size=70, strokeWidth=2, opacity=1).encode(
        y=alt.Y("seconds:Q", scale=scale, axis=alt.Axis(format="~s", tickCount=5)),
        color=alt.Color(
            "colour:N",
            scale=alt.Scale(domain=list(SERIES)),
            legend=alt.Legend(values=[COLOURS[one] for one in names], labelExpr=f"{legend!r}[datum.value]"),
        ),
        shape=alt.Shape(
            "quantile:N", legend=None,
            scale=alt.Scale(domain=[tell(QUANTILES[one]) for one in names], range=["circle", "triangle-up"]),
        ),
        tooltip=[
            alt.Tooltip("period:N", title=tell("Hour from") if kind == "hour" else tell("Day")),
            alt.Tooltip("quantile:N", title=tell("Measure")),
            alt.Tooltip("shown:N", title=tell("Save to chart")),
            alt.Tooltip("events:N", title=tell("Events")),
        ],
    )  # fmt: skip
    return alt.LayerChart(layer=[rules, marks])
