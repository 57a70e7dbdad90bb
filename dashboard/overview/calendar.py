"""The calendar: a cell per day, darker where more was done, and the streak beneath."""

from collections.abc import Sequence
from datetime import date, timedelta

import altair as alt
import streamlit as st

from dashboard import chart_data, charts, contributing, empty_states
from dashboard.card import Card, Why, card
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.page import Page

WEEKS = 53
HEIGHT = 158
CLASSES = 5
MOST_WIDTH = 24  # pixels of a week, so that few weeks are no wide bars


def draw(page: Page) -> None:
    """Draw the days of the filter, at most 53 weeks of it: the last ones, or the last before a longer break."""
    tell, asked = page.tell, page.filters
    with card(page, "calendar", tell("Calendar"), tell("moving time per day"), height=HEIGHT) as opened:
        rows, last = _days(opened, page)
        if not rows:
            empty_states.nothing_in_filter(page, "calendar")
            return
        opened.why = _why(rows, page)
        of_days = [] if last == asked.last else [tell.days(rows[0]["date_day"], last)]
        sentence = " · ".join([*of_days, _active(rows, tell), *_streak(opened, page)])
        shown = cells(rows, tell)
        drawn = chart(tell, len({cell["week"] for cell in shown}))
        charts.show(page, "calendar", drawn, shown, alt=sentence, height=HEIGHT)
        with st.container(key="streak"):
            st.caption(sentence)
        opened.numbers(table(rows, tell))


def _days(opened: Card, page: Page) -> tuple[Sequence[Row], date]:
    """Return the days to draw and the last of them; no rows where the filter leaves nothing."""
    asked = page.filters
    last, first = asked.last, _first_of_weeks(asked.last)
    rows = opened.rows("overview/calendar", page.athlete_id, asked.sport, max(asked.first, first), last)
    if _active_days(rows) or asked.first >= first:
        return (rows if _active_days(rows) else []), last
    rows = opened.rows("overview/calendar", page.athlete_id, asked.sport, asked.first, first - timedelta(days=1))
    last = max(_active_days(rows), default=asked.last)
    return [row for row in rows if _first_of_weeks(last) <= row["date_day"] <= last], last


def _first_of_weeks(last: date) -> date:
    return chart_data.monday(last) - timedelta(weeks=WEEKS - 1)


def _active_days(rows: Sequence[Row]) -> list[date]:
    return [row["date_day"] for row in rows if row["activity_count"]]


def cells(rows: Sequence[Row], tell: Teller) -> list[dict[str, object]]:
    """One cell per day; level 0 is a day with nothing, 2, 4 … 10 are the fifths of the athlete's days."""
    last = max(row["week_start_date"] for row in rows)
    return [
        {
            "week": row["week_start_date"].isoformat(),
            "ago": (last - row["week_start_date"]).days // 7,
            "weekday": row["day_of_week"],
            "level": 2 * row["moving_time_class"],
            "day": tell.day(row["date_day"], "long"),
            "shown": tell.duration(row["moving_time_s"]) if row["activity_count"] else tell("rest day"),
        }
        for row in rows
    ]


def table(rows: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the colours, newest first."""
    return [
        {
            tell("Day"): tell.day(row["date_day"], "long"),
            tell("Activities"): tell.number(row["activity_count"]),
            tell("Moving time"): tell.duration(row["moving_time_s"]),
        }
        for row in reversed(rows)
    ]


def chart(tell: Teller, weeks: int = WEEKS, least: int = 11) -> alt.Chart:
    """Draw `cells` as so many weeks; those without room for `least` pixels are left out, the oldest first."""
    weekday = "datum.value % 2 ? utcFormat(utc(2024, 0, datum.value), '%a') : ''"  # 1 January 2024 is a Monday
    drawn: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_rect(cornerRadius=2.5)
        .transform_filter(f"datum.ago < floor(width / {least})")
        .encode(
            x=alt.X(
                "week:O",
                axis=alt.Axis(
                    orient="top", labelAngle=0, labelExpr=charts.MONTH_OF_WEEK, labelOverlap=False, labelAlign="left"
                ),
                scale=alt.Scale(
                    paddingInner=0.16, paddingOuter=0, rangeMax=alt.ExprRef(f"min(width, {MOST_WIDTH * weeks})")
                ),
            ),
            y=alt.Y(
                "weekday:O",
                axis=alt.Axis(grid=False, labelExpr=weekday, minExtent=0),
                scale=alt.Scale(domain=list(range(1, 8)), paddingInner=0.16, paddingOuter=0),
            ),
            color=alt.condition("datum.level > 0", charts.AMOUNT, alt.value(charts.EMPTY)),
            tooltip=[alt.Tooltip("day:N", title=tell("Day")), alt.Tooltip("shown:N", title=tell("Moving time"))],
        )
    )
    return drawn


def _active(rows: Sequence[Row], tell: Teller) -> str:
    active = len(_active_days(rows))
    return tell.plural("{n} active day of {all}", "{n} active days of {all}", active, all=tell.number(len(rows)))


def _streak(opened: Card, page: Page) -> list[str]:
    """Tell the longest and the current run of days, and whether today is still to come."""
    tell = page.tell
    rows = opened.rows("records/streaks", page.athlete_id, page.filters.sport, "all")
    row = next((row for row in rows if row["period_kind"] == "day"), None)
    if row is None:
        return []
    days = tell.days(row["longest_start_date"], row["longest_end_date"])
    told = [
        tell.plural(
            "longest streak {n} day, {days}", "longest streak {n} days, {days}", row["longest_length"], days=days
        )
    ]
    if row["current_length"] and (last := page.told_until) < page.today:
        day = tell.day(last)
        told.append(tell.plural("{n} day as of {day}", "{n} days as of {day}", row["current_length"], day=day))
    elif row["current_length"]:
        now = tell.plural("now {n} day", "now {n} days", row["current_length"])
        told.append(now + (tell(", nothing yet today") if row["is_at_risk"] else tell(", today counted")))
    return told


def _why(rows: Sequence[Row], page: Page) -> Why:
    """Say where each of the five colours begins for this athlete, and the day with the most."""
    tell = page.tell
    least = {
        level: min(row["moving_time_s"] for row in rows if row["moving_time_class"] == level)
        for level in range(1, CLASSES + 1)
        if any(row["moving_time_class"] == level for row in rows)
    }
    begins = " · ".join(f"{level}: {tell.duration(seconds)}" for level, seconds in least.items())
    most = max(rows, key=lambda row: row["moving_time_s"])
    return Why(
        formula=tell(
            "**Colour = the fifth in which the day's moving time lies** among all days of this athlete and sport with "
            "anything, the darkest being the highest. Shown here they begin at {begins}.",
            begins=begins,
        ),
        inputs=[
            tell(
                "The most was {time} on {day}.",
                time=tell.duration(most["moving_time_s"]),
                day=tell.day(most["date_day"]),
            ),
            tell(
                "A day is that of the clock where the activity began; a streak breaks after one whole day without any."
            ),
        ],
        models=["calendar_heat", "streak"],
        activities=contributing.largest(page, "moving_time_s", rows[0]["date_day"], rows[-1]["date_day"]),
    )
