"""The Trends page: years on top of one another, rolling sums, hours of starts, distances, and the mix of sports."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from dashboard import address, charts, contributing, empty_states, trend_charts, trend_data
from dashboard.card import Card, Why, card
from dashboard.chart_data import same_day_last_year
from dashboard.formatting import plain
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.measures import MEASURES, Kind, Measure
from dashboard.page import Page
from dashboard.units import LONG

WINDOWS = ("7", "28", "90")
YEARS_HEIGHT, HEIGHT = 330, 230
BY_YEAR = {
    "distance": N_("Distance by year"),
    "time": N_("Time by year"),
    "elevation": N_("Elevation by year"),
    "activities": N_("Activities by year"),
}
LEFT_OUT = {"manual": N_("{n} typed in by hand"), "hidden_start_time": N_("{n} with a hidden start")}


def show(page: Page) -> None:
    """Draw the page for one athlete."""
    if not page.health["activity_count"]:
        empty_states.info("empty-no-activities", page.tell(empty_states.NO_ACTIVITIES))
        return
    name = address.follow("measure", MEASURES.__contains__, "distance")
    _years(page, name)
    left, right = st.columns(2, gap="small")
    with left:
        _rolling(page, MEASURES[name])
    with right:
        _starts(page)
    left, right = st.columns(2, gap="small")
    with left:
        _distances(page)
    with right:
        _mix(page, MEASURES[name])


def _note(page: Page, measure: Measure, text: str) -> str:
    """Join unit, text and sport to a card's note."""
    parts = (measure.unit(page.tell), text, page.filters.sport_title(page.tell))
    return " · ".join(part for part in parts if part)


def _years(page: Page, name: str) -> None:
    tell, asked, measure = page.tell, page.filters, MEASURES[name]
    first = date(trend_data.first_year(asked.first, asked.last), 1, 1)
    with card(
        page, "years", tell(BY_YEAR[name]), _note(page, measure, tell("since 1 January")), height=YEARS_HEIGHT
    ) as opened:
        rows = opened.rows("trends/years", page.athlete_id, asked.sport, first, asked.last)
        now = next(iter(opened.rows("trends/year_to_date", page.athlete_id, asked.sport, asked.last)), None)
        address.pick(
            "measure", list(MEASURES), "distance", tell("Measure"), lambda word: tell(MEASURES[word].title), width=148
        )
        if now is None or not any(row[measure.column] for row in rows):
            empty_states.nothing_in_filter(page, "years")
            return
        goal = _goal(opened, page, measure, now["date_day"].year)
        opened.why = _why_years(page, measure, now, goal)
        charts.show(
            page, "years", trend_charts.years(measure.unit(tell), tell, has_goal=goal is not None),
            _year_sets(page, measure, rows, now, goal),
            alt=" ".join(_year_sentences(page, measure, now, goal)), height=YEARS_HEIGHT,
        )  # fmt: skip
        with st.container(key="years-told"):
            st.caption(" · ".join(_year_sentences(page, measure, now, goal)))
        opened.numbers(trend_data.year_table(rows, measure, now["date_day"], tell))


def _goal(opened: Card, page: Page, measure: Measure, year: int) -> Row | None:
    """Return the year's goal for exactly this measure and these sports, if the athlete has set one."""
    rows = opened.rows("trends/year_goal", page.athlete_id, measure.column, page.filters.sport, date(year, 1, 1))
    return rows[0] if rows else None


def _year_sets(
    page: Page, measure: Measure, rows: Sequence[Row], now: Row, goal: Row | None
) -> dict[str, list[trend_data.Shown]]:
    """Return the chart's lines and the labels at their ends."""
    tell, last = page.tell, now["date_day"]
    new_year, end = date(last.year, 1, 1), date(last.year, 12, 31)
    projected = measure.amount(now[f"projected_{measure.column}"], tell)
    so_far = measure.amount(now[measure.column], tell)
    lines = trend_data.year_lines(rows, measure, last.year, tell)
    lines += trend_data.straight("projection", (last, so_far), (end, projected), "accent")
    if goal:
        target = measure.amount(goal["target"], tell)
        lines += trend_data.straight("goal", (new_year, 0), (end, target), "good")
    ends = {line["year"]: line["value"] for line in lines if line["kind"] == "year"} | {str(last.year): projected}
    labels = trend_data.year_labels({int(year): value for year, value in ends.items()}, last.year)
    return {"rows": lines, "labels": labels}


def _year_sentences(page: Page, measure: Measure, now: Row, goal: Row | None) -> list[str]:
    """Say what the year has so far, against the year before, where it leads, and what the goal is."""
    tell, column, last = page.tell, measure.column, now["date_day"]
    said = [tell("{value} by {day}", value=measure.shown(now[column], tell), day=tell.day(last))]
    if (difference := now[f"difference_{column}"]) is not None:
        more = measure.shown(abs(difference), tell)
        text = N_("{value} more than a year before") if difference >= 0 else N_("{value} less than a year before")
        said.append(tell(text, value=more))
    projected = measure.shown(now[f"projected_{column}"], tell)
    pace = N_("{value} by 31 December at the pace of the last 28 days (dashed)")
    if last - page.first_day < timedelta(days=27):
        pace = N_("{value} by 31 December at the pace so far (dashed)")
    said.append(tell(pace, value=projected))
    if goal:
        said.append(tell("goal {value} (dotted)", value=measure.shown(goal["target"], tell)))
    return said


def _why_years(page: Page, measure: Measure, now: Row, goal: Row | None) -> Why:
    tell, column, last = page.tell, measure.column, now["date_day"]
    left = now["days_in_year"] - now["day_of_year"]
    pace = (now[f"projected_{column}"] - now[column]) / left if left else 0
    a_day = tell.number(pace, 2) if measure.kind is Kind.COUNT else measure.shown(pace, tell)
    inputs = [tell("A year before is the same month and day; 29 February is compared with 28 February.")]
    if goal:
        even = measure.shown(goal["target"] * now["day_of_year"] / now["days_in_year"], tell)
        inputs.append(
            tell("An even pace towards the goal has {value} on day {day} of {days}.", value=even,
                 day=now["day_of_year"], days=now["days_in_year"])
        )  # fmt: skip
    return Why(
        formula=tell(
            "The sum of all activities since 1 January, by the day where they began: **{value}**. Projection: the sum "
            "and {left} days more at {pace} a day, the mean of the last 28 days, or of all while there are fewer: "
            "**{projected}**.",
            value=measure.shown(now[column], tell), left=tell.number(left), pace=a_day,
            projected=measure.shown(now[f"projected_{column}"], tell),
        ),
        inputs=inputs,
        models=["trend_year_over_year", "goal_progress"] if goal else ["trend_year_over_year"],
        activities=contributing.largest(page, column, date(last.year, 1, 1), last),
    )  # fmt: skip


def _rolling(page: Page, measure: Measure) -> None:
    tell, asked = page.tell, page.filters
    window = int(address.follow("window", WINDOWS.__contains__, "28"))
    title = tell("Rolling {n} days", n=window)
    with card(page, "rolling", title, _note(page, measure, tell("sum of the days before")), height=HEIGHT) as opened:
        since = same_day_last_year(asked.first)
        rows = opened.rows("trends/rolling", page.athlete_id, asked.sport, window, since, asked.last)
        address.pick("window", WINDOWS, "28", tell("Window"), lambda word: tell("{n} days", n=word), width=104)
        lines = trend_data.rolling_lines(rows, measure, asked.first, tell)
        if not lines or not any(row[measure.column] for row in rows):
            empty_states.nothing_in_filter(page, "rolling")
            return
        opened.why = _why_rolling(page, measure, window, rows)
        charts.show(
            page, "rolling", trend_charts.rolling(measure.unit(tell), tell), lines,
            alt=_rolling_sentence(page, measure, window, rows), height=HEIGHT,
        )  # fmt: skip
        with st.container(key="rolling-told"):
            st.caption(_rolling_sentence(page, measure, window, rows))
        opened.numbers(trend_data.rolling_table(rows, measure, asked.first, tell))


def _rolling_sentence(page: Page, measure: Measure, window: int, rows: Sequence[Row]) -> str:
    """Say the last sum, the largest, and whether the first ones still fill up."""
    tell, column = page.tell, measure.column
    shown = [row for row in rows if row["date_day"] >= page.filters.first]
    last, most = shown[-1], max(shown, key=lambda row: (row[column], row["date_day"]))
    said = tell(
        "{value} in the {n} days up to {day}; the most was {most} up to {then}.",
        value=measure.shown(last[column], tell), n=window, day=tell.day(last["date_day"]),
        most=measure.shown(most[column], tell), then=tell.day(most["date_day"]),
    )  # fmt: skip
    if warming := sum(row["is_warming_up"] for row in shown):
        said += " " + tell.plural(
            "On the first {n} day the window still fills up.",
            "On the first {n} days the window still fills up.",
            warming,
        )
    return said


def _why_rolling(page: Page, measure: Measure, window: int, rows: Sequence[Row]) -> Why:
    tell, last = page.tell, rows[-1]
    first = trend_data.days_before(last["date_day"], window)
    return Why(
        formula=tell(
            "Each day has the sum of that day and the {n} before it, days without an activity included. "
            "{days}: **{value}**.",
            n=window - 1, days=tell.days(first, last["date_day"]), value=measure.shown(last[measure.column], tell),
        ),
        inputs=[tell("The grey line has the sums of the same month and day a year before.")],
        models=["trend_rolling_daily"],
        activities=contributing.largest(page, measure.column, first, last["date_day"]),
    )  # fmt: skip


def _starts(page: Page) -> None:
    tell, asked = page.tell, page.filters
    with card(
        page, "starts", tell("When you start"), tell("weekday and hour, by the clock there"), height=HEIGHT
    ) as opened:
        rows = opened.rows("trends/starts", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport)
        cells = trend_data.starts(rows, tell)
        left_out = _left_out(page, rows)
        if not cells:
            empty_states.nothing_in_filter(page, "starts")
            st.caption(left_out)
            return
        counted = sum(cell["count"] for cell in cells)
        most = max(cells, key=lambda cell: cell["count"])
        said = tell(
            "Most often on {when}: {some} of {all}.",
            when=most["when"], some=tell.number(most["count"]),
            all=tell.plural("{n} activity", "{n} activities", counted),
        )  # fmt: skip
        opened.why = Why(
            formula=tell("Each activity counts in the hour of its start, by the clock where it was: {n} in all.",
                         n=tell.number(counted)),
            inputs=[tell("The colours are fifths of the largest count, {n}.", n=tell.number(most["count"]))],
            excluded=[left_out] if left_out else [],
            models=["start_pattern"],
            activities=contributing.largest(page, "start", asked.first, asked.last),
        )  # fmt: skip
        charts.show(page, "starts", trend_charts.starts(tell), cells, alt=said, height=HEIGHT)
        with st.container(key="starts-told"):
            st.caption(plain(f"{said} {left_out}".strip()))
        opened.numbers(trend_data.starts_table(cells, tell))


def _left_out(page: Page, rows: Sequence[Row]) -> str:
    """Say how many activities have no hour to tell, by the reason; nothing for none."""
    tell = page.tell
    counts = {
        reason: sum(row["activity_count"] for row in rows if row["excluded_reason"] == reason) for reason in LEFT_OUT
    }
    told = [tell(LEFT_OUT[reason], n=tell.number(count)) for reason, count in counts.items() if count]
    return tell("Left out: {reasons}.", reasons=", ".join(told)) if told else ""


def _distances(page: Page) -> None:
    tell, asked = page.tell, page.filters
    half = LONG[tell.units].size / 2
    note = tell("activities by {unit}", unit=tell.distance_unit)
    with card(page, "distances", tell("Distances"), note, height=HEIGHT) as opened:
        span = asked.first, asked.last, asked.sport, asked.sport
        rows = opened.rows("trends/distances", half, page.athlete_id, *span)
        found = trend_data.histogram(rows, half, tell)
        if not found.bars:
            empty_states.nothing_in_filter(page, "distances")
            return
        counted = sum(bar["count"] for bar in found.bars)
        said = _most_common(page, found.bars, counted)
        without = tell.plural("{n} activity without a distance.", "{n} activities without a distance.", found.without)
        opened.why = Why(
            formula=tell("Activities are counted in spans of {size}: {n} in all.", size=tell.distance(found.size),
                         n=tell.number(counted)),
            excluded=[without] if found.without else [],
            models=["fct_activities"],
            activities=contributing.largest(page, "distance_m", asked.first, asked.last),
        )  # fmt: skip
        titles = {bar["sport"]: bar["title"] for bar in sorted(found.bars, key=lambda bar: bar["rank"])}
        charts.show(page, "distances", trend_charts.distances(titles, tell), found.bars, alt=said, height=HEIGHT)
        with st.container(key="distances-told"):
            st.caption(f"{said} {without if found.without else ''}".strip())
        opened.numbers(trend_data.distances_table(found.bars, tell))


def _most_common(page: Page, bars: Sequence[trend_data.Shown], counted: int) -> str:
    sums: dict[str, int] = {}
    for bar in bars:
        sums[bar["span"]] = sums.get(bar["span"], 0) + bar["count"]
    span = max(sums, key=lambda one: sums[one])
    return page.tell(
        "Most often {span}: {some} of {all}.",
        span=span, some=page.tell.number(sums[span]), all=page.tell.plural("{n} activity", "{n} activities", counted),
    )  # fmt: skip


def _mix(page: Page, measure: Measure) -> None:
    tell, asked = page.tell, page.filters
    note = f"{tell(measure.title)} · {asked.sport_title(tell)}"
    with card(page, "mix", tell("Mix of sports"), note, height=HEIGHT) as opened:
        rows = opened.rows("trends/mix", page.athlete_id, asked.first, asked.last, asked.sport, asked.sport)
        bars = trend_data.mix(rows, measure, tell)
        if not bars:
            empty_states.nothing_in_filter(page, "mix")
            return
        total = measure.shown(sum(float(row[measure.column]) for row in rows), tell)
        said = tell("{sport} is {percent} of {total}.", sport=bars[0]["name"], percent=bars[0]["percent"], total=total)
        opened.why = Why(
            formula=tell("Share = sum of the sport ÷ sum of all that the filter leaves, {total}.", total=total),
            models=["fct_activities"],
            activities=contributing.largest(page, measure.column, asked.first, asked.last),
        )
        names = [bar["name"] for bar in bars]
        charts.show(page, "mix", trend_charts.mix(names, tell), bars, alt=said, height=HEIGHT)
        with st.container(key="mix-told"):
            st.caption(said)
        opened.numbers(trend_data.mix_table(bars, tell))
