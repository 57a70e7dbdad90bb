"""The Overview page: the running week, the weeks by sport, and the latest activities."""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape

import altair as alt
import streamlit as st

from dashboard import chart_data, charts, empty_states, formatting, sports
from dashboard.card import card
from dashboard.formatting import NOTHING, small_html
from dashboard.mart import Row, Rows
from dashboard.measures import MEASURES, Measure
from dashboard.page import Page

TILES = ("distance", "time", "elevation")
SPARK_WEEKS = 12
BARS_HEIGHT = 220


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    _tiles(page)
    _latest(page)
    _weeks(page)


def same_day_last_year(day: date) -> date:
    """Return the same month and day a year before; 29 February is compared with the 28th."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)


def in_all(rows: Sequence[Row], measure: Measure) -> float:
    """Sum a column; the same in any order."""
    return formatting.total(float(row[measure.column]) for row in rows)


def _tiles(page: Page) -> None:
    """This week so far, against the same days of last year, with the last twelve weeks beneath."""
    first = chart_data.monday(page.today)
    sport = page.filters.sport
    now = page.rows("overview/days", page.athlete_id, first, page.today, sport, sport)
    year_ago = page.rows(
        "overview/days", page.athlete_id, same_day_last_year(first), same_day_last_year(page.today), sport, sport
    )
    since = first - timedelta(weeks=SPARK_WEEKS - 1)
    weeks = page.rows("overview/weeks", page.athlete_id, since, first, sport, sport)
    with st.grid(len(TILES), min_column_width=150, gap="small"):
        for name in TILES:
            _tile(page, name, now, year_ago, weeks)


def _tile(page: Page, name: str, now: Rows, year_ago: Rows, weeks: Rows) -> None:
    tell, measure = page.tell, MEASURES[name]
    value, before = in_all(now, measure), in_all(year_ago, measure)
    starts = sorted({row["week_start_date"] for row in weeks})
    spark = [in_all([row for row in weeks if row["week_start_date"] == start], measure) for start in starts]
    delta = measure.shown(abs(value - before), tell)
    is_same = delta == measure.shown(0, tell)
    with st.container(key=f"kpi-{name}", height="stretch"):
        st.metric(
            tell("{measure} this week", measure=tell(measure.title)),
            formatting.small(measure.shown(value, tell)),
            delta,
            delta_arrow="off" if is_same else "up" if value > before else "down",
            delta_color="off" if is_same else "primary",
            delta_description=tell("year ago"),
            chart_data=spark,
            chart_type="area",
            border=True,
            height="stretch",
        )


def _latest(page: Page) -> None:
    tell, asked = page.tell, page.filters
    with card(page, "latest", tell("Latest activities")) as opened:
        rows = opened.rows("overview/latest", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport)
        if not rows:
            empty_states.nothing_in_filter(page, "latest")
            return
        heads = "".join(
            f'<th scope="col"{attributes}>{tell(text)}</th>'
            for text, attributes in (
                (tell("Activity"), ""), (tell("Start"), ' class="wide"'), (tell("Distance"), ' class="n"'),
                (tell("Time"), ' class="n"'), (tell("Pace, speed"), ' class="n wide"'),
            )
        )  # fmt: skip
        body = "".join(_activity(page, row) for row in rows)
        with st.container(key="latest-activities"):
            st.html(f'<table class="ad-t" lang="{tell.language}"><thead><tr>{heads}</tr></thead>{body}</table>')


def _activity(page: Page, row: Row) -> str:
    tell = page.tell
    name = escape(row["name"] or chart_data.spaced(row["sport_type"]))
    group = row["sport_group"]
    dot = f'<span class="ad-dot ad-{sports.colour(group)}" title="{sports.title(group, tell)}"></span>'
    year_ago = same_day_last_year(page.today)
    start = row["start_at_local"]
    when = tell.local(start, "near" if start and start.date() > year_ago else "long")
    distance = tell.distance(row["distance_m"]) if row["distance_m"] else NOTHING
    return (
        f'<tr><td class="grow">{dot}<a href="{escape(row["strava_url"])}">{name}</a></td><td class="wide">'
        f'<small>{when}</small></td><td class="n">{small_html(distance)}</td>'
        f'<td class="n">{tell.clock(row["moving_time_s"])}</td>'
        f'<td class="n wide">{small_html(tell.pace_or_speed(row))}</td></tr>'
    )


def _weeks(page: Page) -> None:
    tell, asked, measure = page.tell, page.filters, MEASURES["time"]
    with card(page, "weeks", tell("Weeks by sport"), tell("moving time, hours")) as opened:
        first, last = chart_data.monday(asked.first), chart_data.monday(asked.last)
        rows = opened.rows("overview/weeks", page.athlete_id, first, last, asked.sport, asked.sport)
        found = chart_data.weeks(rows, measure, tell)
        if not found:
            empty_states.nothing_in_filter(page, "weeks")
            return
        titles = {sports.colour(one): sports.title(one, tell) for one in chart_data.used_groups(rows)}
        charts.show(page, "weeks", _bars(titles, page), found, alt=_finding(rows, measure, page), height=BARS_HEIGHT)
        with st.expander(tell("The numbers behind the chart")):
            st.dataframe(chart_data.week_table(rows, measure, tell), hide_index=True)


def _bars(titles: dict[str, str], page: Page) -> alt.Chart:
    """Stacked bars of `chart_data.weeks`; as many weeks as there is room for."""
    tell = page.tell
    month = "date(toDate(datum.value)) <= 7 ? utcFormat(toDate(datum.value), '%b') : ''"
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_bar()
        .transform_filter("datum.ago <= floor(width / 11)")
        .encode(
            x=alt.X("start:O", axis=alt.Axis(labelAngle=0, labelExpr=month, labelOverlap=False)),
            y=alt.Y("value:Q", stack="zero"),
            color=charts.colour("sport:N", list(titles), titles),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("week:N", title=tell("Week")),
                alt.Tooltip("title:N", title=tell("Sport")),
                alt.Tooltip("shown:N", title=tell("Time")),
            ],
        )
    )
    return chart


def _finding(rows: Rows, measure: Measure, page: Page) -> str:
    """Say in one sentence what the bars show: the sum, and the week with the most."""
    tell = page.tell
    sums = {
        start: in_all([row for row in rows if row["week_start_date"] == start], measure)
        for start in sorted({row["week_start_date"] for row in rows})
    }
    most = max(sums, key=lambda start: sums[start])
    return tell(
        "{total} in {n} weeks; the most was {most} in {week}.",
        total=tell.duration(in_all(rows, measure)), n=tell.number(len(sums)), most=tell.duration(sums[most]),
        week=chart_data.week_title(most, tell),
    )  # fmt: skip
