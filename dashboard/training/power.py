"""The power curve: the best measured power of each duration, of all time, this year and the last 90 days."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import streamlit as st

from dashboard import charts, empty_states, form
from dashboard.card import Card, Why, card
from dashboard.contributing import EVER
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page
from dashboard.training.zones import NO_CURVES

HEIGHT = 300
RUN, RIDE = "run", "ride"
ALL, QUARTER, SIX_WEEKS = "all", "last_90_days", "last_42_days"
FTP_DURATION_S, FTP_SHARE = 1200, 0.95
MARKS = (1, 5, 30, 60, 300, 1200, 3600, 10800)  # of the axis, in seconds
TOLD_S = (5, 60, 300, 1200)  # of which the sentence tells
NOT_MEASURED = N_("**The stored curves hold no measured power.** What Strava estimates makes no curve.")


def draw(page: Page) -> None:
    """Draw the curves of rides, or of runs where the filter asks for them."""
    tell = page.tell
    sport = RUN if page.filters.sport == RUN else RIDE
    note = tell("measured, of runs") if sport == RUN else tell("measured, of rides")
    with card(page, "power", tell("Power curve"), note, height=HEIGHT) as opened:
        today = form.of_today(form.recent(page, page.filters.sport))
        year = str((today["date_day"] if today else page.filters.last).year)
        rows = opened.rows("training/power", page.athlete_id, sport, year, page.athlete_id)
        if not rows:
            [counted] = opened.rows("training/recorded", *[page.athlete_id] * 2, *EVER, sport, sport)
            empty_states.info("empty-power", tell(NOT_MEASURED if counted["recorded_count"] else NO_CURVES))
            return
        _curves(page, opened, rows, year)


def _curves(page: Page, opened: Card, rows: Sequence[Row], year: str) -> None:
    tell = page.tell
    titles = {ALL: tell("All time"), year: year, QUARTER: tell("Last 90 days")}
    drawn = [row for row in rows if row["period"] in titles]
    said, suggested = sentence(rows, tell), suggestion(rows, tell)
    best = [row for row in rows if row["period"] == ALL]
    opened.why = Why(
        formula=tell(
            "**The best average of so many seconds in a row, by the clock**, held for at least so long. Pauses are 0 W."
        ),
        inputs=[tell("Ratios by weight are those of the weight of the day."), *([suggested] if suggested else [])],
        excluded=[tell("Estimated power, e-bikes, and readings above 2,500 W or 30 W/kg.")],
        activities=list({row["activity_id"]: row for row in best}.values()),
        models=["power_curve", "power_curve_activity"],
    )
    points = [point(row, titles, tell, f"{row['name']}, {tell.day(row['start_date_local'])}") for row in drawn]
    charts.show(page, "power", chart(points, tell), points, alt=said, height=HEIGHT)
    with st.container(key="power-told"):
        st.caption(f"{said} {suggested}".strip())
    opened.numbers(table(drawn, titles, tell))


def sentence(rows: Sequence[Row], tell: Teller) -> str:
    """Say the best of some durations of all time."""
    best = {row["duration_s"]: row["power_w"] for row in rows if row["period"] == ALL}
    told = [
        tell("{watts} W for {time}", watts=tell.number(best[duration]), time=duration_title(duration, tell))
        for duration in TOLD_S
        if duration in best
    ]
    return tell("Best of all time: {list}.", list=", ".join(told)) if told else ""


def suggestion(rows: Sequence[Row], tell: Teller) -> str:
    """Suggest an FTP from the best 20 minutes of six weeks; nothing where there are none."""
    best = [row["power_w"] for row in rows if (row["period"], row["duration_s"]) == (SIX_WEEKS, FTP_DURATION_S)]
    if not best:
        return ""
    return tell(
        "A suggestion for your FTP: {ftp} W, which is 95 % of your best 20 min of the last 42 days ({watts} W). "
        "Nothing is reckoned with it unless you set it.",
        ftp=tell.number(FTP_SHARE * best[0]), watts=tell.number(best[0]),
    )  # fmt: skip


def duration_title(seconds: int, tell: Teller) -> str:
    """Return a duration as it stands on the axis."""
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return tell("{n} s", n=tell.number(seconds))
    return tell("{n} min", n=f"{minutes}:{rest:02}" if rest else tell.number(minutes))


def table(rows: Sequence[Row], titles: Mapping[str, str], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the curves, the shortest first."""
    found: dict[int, dict[str, str]] = {}
    for row in rows:
        cells = found.setdefault(row["duration_s"], dict.fromkeys(titles.values(), tell.number(None)))
        cells[titles[row["period"]]] = watts(row, tell)
    return [{tell("Duration"): duration_title(duration, tell), **found[duration]} for duration in sorted(found)]


def watts(row: Row, tell: Teller) -> str:
    """Return power, and by weight where one is known."""
    shown = tell("{n} W", n=tell.number(row["power_w"]))
    if row["w_per_kg"] is not None:
        shown += f" ({tell('{n} W/kg', n=tell.number(row['w_per_kg'], 2))})"
    return shown


def point(row: Row, titles: Mapping[str, str], tell: Teller, told: str) -> dict[str, Any]:
    """Return a point of a curve; `told` says of which activity it is."""
    return {
        "duration": row["duration_s"],
        "power": row["power_w"],
        "series": {ALL: "neutral", QUARTER: "accent"}.get(row["period"], "last"),
        "title": titles[row["period"]],
        "time": duration_title(row["duration_s"], tell),
        "shown": watts(row, tell),
        "told": told,
    }


def chart(points: Sequence[dict[str, Any]], tell: Teller) -> dict[str, Any]:
    """Return the curves over a logarithmic axis of durations; one that comes later among the points lies on top."""
    names = {point["series"]: point["title"] for point in points}
    heads = tell("Period"), tell("Duration"), tell("Power"), tell("Activity")
    return _written(tuple(names.items()), heads, tuple(duration_title(mark, tell) for mark in MARKS))


@lru_cache(maxsize=64)
def _written(names: tuple[tuple[str, str], ...], heads: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, Any]:
    """Return the specification, which Altair takes longer to write than all else of the card takes."""
    named = dict(zip(MARKS, labels, strict=True))
    drawn = (
        alt.Chart(charts.ROWS)
        .mark_line(point={"size": 24})
        .encode(
            x=alt.X(
                "duration:Q",
                scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(values=list(MARKS), labelExpr=f"{named!r}[datum.value]", labelOverlap=True),
            ),
            y=alt.Y("power:Q", scale=alt.Scale(zero=True)),
            color=charts.colour("series:N", [series for series, _ in names], dict(names)),
            tooltip=[
                alt.Tooltip(f"{field}:N", title=head)
                for field, head in zip(("title", "time", "shown", "told"), heads, strict=True)
            ],
        )
    )
    return charts.written(drawn)
