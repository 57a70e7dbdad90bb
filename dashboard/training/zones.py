"""How long the athlete was in which zone in each week: bars, the darker the harder."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt
import streamlit as st

from dashboard import address, chart_data, charts, empty_states
from dashboard.card import Card, Why, card
from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.mart import Row, Rows
from dashboard.page import Page

HEIGHT = 300
KINDS = {"heart_rate": N_("Heart rate"), "power": N_("Power"), "pace": N_("Pace")}
SOURCES = {
    "file": N_("your own zones (athlete.toml)"),
    "strava": N_("your zones on Strava"),
    "heart_rate_reserve": N_("50, 60, 70, 80 and 90 % of the reserve between rest and maximum"),
    "ftp": N_("55, 75, 90, 105, 120 and 150 % of your FTP"),
    "threshold_pace": N_("80, 87, 95, 105 and 119 % of your speed at threshold; in water 93, 97, 99, 102 and 109 %"),
}
USUAL_COUNT = {"heart_rate": 5, "power": 7, "pace": 6}
LIGHTEST, DARKEST = 2, 10  # levels of the first and the last zone; lighter is what is below
EASY, MIDDLE = 2, 3  # zones up to which it is easy, and the one between
NO_CURVES = N_(
    "**No curves are stored for this.** Set `STREAMS=all` for what is to come, and run `athlete backfill --streams` "
    "for what you have done; an import of your own files brings them too."
)
NOT_IN_CURVES = N_("**The stored curves hold nothing of this**, or its zones are not known.")


def draw(page: Page) -> None:
    """Draw the ISO weeks of the days asked for, as many as there is room for."""
    tell, asked = page.tell, page.filters
    note = tell("hours per week, by zone")
    with card(page, "zones", tell("Time in zones"), note, height=HEIGHT) as opened:
        kind = address.pick(
            "zones", list(KINDS), "heart_rate", tell("Zones of"), lambda word: tell(KINDS[word]), width=160
        )
        span = kind, asked.first, asked.last, asked.sport, asked.sport
        rows = opened.rows("training/zones", page.athlete_id, *span)
        if not rows:
            _say_why_none(page, opened, *span[1:])
            return
        _weeks(page, opened, rows, kind, lambda: page.rows("training/zoned", *[page.athlete_id] * 2, *span))


def _say_why_none(page: Page, opened: Card, *span: Any) -> None:
    """Say what is missing: activities, their curves, or what is asked for in these."""
    [counted] = opened.rows("training/recorded", *[page.athlete_id] * 2, *span)
    if not counted["activity_count"]:
        empty_states.nothing_in_filter(page, "zones")
    else:
        empty_states.info("empty-zones", page.tell(NOT_IN_CURVES if counted["recorded_count"] else NO_CURVES))


def _weeks(page: Page, opened: Card, rows: Sequence[Row], kind: str, longest: Callable[[], Rows]) -> None:
    tell, bars, said = page.tell, weeks(rows, USUAL_COUNT[kind], page.tell), sentence(rows, page.tell)
    opened.why = Why(
        formula=tell(
            "**Seconds from each recorded point to the next, in the zone of its value**, while in motion: {hours} in "
            "all. A value on a border is in the zone that begins there; a pause is left out.",
            hours=tell.duration(sum(row["seconds"] for row in rows)),
        ),
        inputs=[
            tell("Bounds: {sources}.", sources="; ".join(tell(SOURCES[each]) for each in sorted(sources(rows)))),
            tell("Easy is up to zone 2, hard from zone 4 on. Guides to polarised training name 75 to 90 % easy."),
        ],
        excluded=[tell("Activities without stored curves, and what is no heart rate, power or pace.")],
        models=["time_in_zone", "athlete_setting"],
        activities=longest,
    )
    charts.show(page, "zones", _chart(bars, tell), bars, alt=said, height=HEIGHT)
    with st.container(key="zones-told"):
        st.caption(said)
    opened.numbers(table(bars, tell))


def sources(rows: Sequence[Row]) -> set[str]:
    """Return where the bounds come from."""
    return {row["bounds_source"] for row in rows}


def shares(rows: Sequence[Row]) -> Mapping[str, float]:
    """Return the shares of the time that were easy, between, and hard."""
    found = {"easy": 0, "between": 0, "hard": 0}
    for row in rows:
        found["easy" if row["zone"] <= EASY else "between" if row["zone"] == MIDDLE else "hard"] += row["seconds"]
    every = sum(found.values())
    return {name: seconds / every for name, seconds in found.items()}


def sentence(rows: Sequence[Row], tell: Teller) -> str:
    """Say how the time is shared out."""
    told = {name: tell.percent(share) for name, share in shares(rows).items()}
    hours = tell.duration(sum(row["seconds"] for row in rows))
    return tell(
        "{hours} in zones: {easy} easy (to 2), {between} between (3), {hard} hard (from 4).", hours=hours, **told
    )


def weeks(rows: Sequence[Row], usual_count: int, tell: Teller) -> list[dict[str, Any]]:
    """A part of a bar for each week and zone; `ago` counts the weeks back from the newest.

    Zones are as dark as if there were `usual_count`, however few of them the rows have.
    """
    count = max(usual_count, *(row["zone"] for row in rows))
    parts: dict[tuple[date, int], int] = {}
    for row in rows:
        key = chart_data.monday(row["start_date_local"]), row["zone"]
        parts[key] = parts.get(key, 0) + row["seconds"]
    newest = max(week for week, _ in parts)
    return [
        {
            "start": week.isoformat(),
            "ago": (newest - week).days // 7,
            "week": chart_data.week_title(week, tell),
            "zone": zone,
            "level": level(zone, count),
            "title": title(zone, tell),
            "value": seconds / 3600,
            "shown": tell.duration(seconds),
        }
        for (week, zone), seconds in sorted(parts.items())
    ]


def level(zone: int, count: int) -> int:
    """Return how dark one of so many zones is: each by itself, as long as there are no more than nine."""
    return LIGHTEST + round((DARKEST - LIGHTEST) * (zone - 1) / (count - 1)) if zone else 1


def title(zone: int, tell: Teller) -> str:
    """Return what a zone is called."""
    return tell("below zone 1") if zone == 0 else tell("zone {n}", n=tell.number(zone))


def table(bars: Sequence[dict[str, Any]], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the bars, newest first."""
    titles = {bar["zone"]: bar["title"] for bar in sorted(bars, key=lambda bar: bar["zone"])}
    return chart_data.part_table(bars, titles.values(), tell.duration(0), tell)


def _chart(bars: Sequence[dict[str, Any]], tell: Teller) -> alt.Chart:
    titles = {bar["level"]: bar["title"] for bar in bars}
    colour = charts.shades(dict(sorted(titles.items())), "max(2, floor(width / 110))")
    heads = tell("Week"), tell("Zone"), tell("Time")
    return charts.stacked_weeks(9, colour, alt.Order("zone:Q", sort="ascending"), heads)
