"""How far gear went by month, stacked: the most used pieces each in a shade, the others together."""

from collections.abc import Mapping, Sequence
from datetime import date

import altair as alt
import streamlit as st

from dashboard import address, charts, contributing
from dashboard.card import Why, card
from dashboard.formatting import Teller, plain, total
from dashboard.gear.table import KINDS
from dashboard.languages import N_
from dashboard.mart import Row
from dashboard.page import Page

HEIGHT = 260
ALL = "all"
LEVELS = (10, 8, 6, 4)  # of the pieces used most, the strongest first; the others are 2
OTHERS = 2


def draw(page: Page, pieces: Sequence[Row]) -> None:
    """Draw distance by month; as many months as there is room for, the newest at the right."""
    tell = page.tell
    note = tell("{unit} per month", unit=tell.distance_unit)
    with card(page, "gear-months", tell("Months by gear"), note, height=HEIGHT) as opened:
        kind = _kind(page, pieces)
        rows = opened.rows("gear/months", page.athlete_id, kind, kind)
        if not any(row["distance_m"] for row in rows):
            st.markdown(tell("No activity with gear has a distance yet."))
            return
        shades = levels(rows)
        titles = {shade: tell("Others") for shade in [OTHERS] if len(shades) < len({row["gear_id"] for row in rows})}
        titles |= {shades[row["gear_id"]]: row["gear_name"] for row in rows if row["gear_id"] in shades}
        sentence = finding(rows, tell)
        charts.show(page, "gear-months", _chart(titles, tell), bars(rows, shades, tell), alt=sentence, height=HEIGHT)
        opened.numbers(table(rows, tell))
        opened.why = Why(
            formula=tell("**A bar = distance of the activities with the gear that began in the month.**")
            + f" {plain(sentence)}",
            inputs=[tell("The strongest shade is the gear that went furthest in all; the faintest is all but four.")],
            models=["gear_usage_month"],
            activities=contributing.with_gear(page, "distance_m", next(iter(shades))),
        )


def _kind(page: Page, pieces: Sequence[Row]) -> str:
    """Ask for bikes or shoes where there are both."""
    kinds = [kind for kind in KINDS if any(row["gear_kind"] == kind and row["distance_m"] for row in pieces)]
    if len(kinds) < 2:  # noqa: PLR2004 - nothing to choose from
        return ALL
    titles = {ALL: N_("All gear"), **KINDS, "bike": N_("Bikes")}
    return address.pick(
        "gear", [ALL, *kinds], ALL, page.tell("Kind of gear"), lambda word: page.tell(titles[word]), width=200
    )


def by_gear(rows: Sequence[Row]) -> dict[str, float]:
    """Return the metres of each piece."""
    found: dict[str, list[float]] = {}
    for row in rows:
        found.setdefault(row["gear_id"], []).append(row["distance_m"])
    return {gear_id: total(metres) for gear_id, metres in found.items()}


def levels(rows: Sequence[Row]) -> dict[str, int]:
    """Return the shade of each piece that has one of its own: those that went furthest."""
    metres = by_gear(rows)
    return dict(zip(sorted(metres, key=lambda one: (-metres[one], one)), LEVELS, strict=False))


def bars(rows: Sequence[Row], shades: Mapping[str, int], tell: Teller) -> list[dict[str, object]]:
    """Return a segment for each month and piece; a month with nothing stays, so that gaps are seen."""
    last = _number(max(row["month_start_date"] for row in rows))
    ago = {row["month_start_date"]: last - _number(row["month_start_date"]) for row in rows}
    first = min(row["month_start_date"] for row in rows)
    empty = [
        {"month": f"{month // 12:04d}-{month % 12 + 1:02d}-01", "ago": last - month, "level": OTHERS, "value": 0}
        for month in range(_number(first), last + 1)
        if last - month not in ago.values()
    ]
    return empty + [
        {
            "month": row["month_start_date"].isoformat(),
            "ago": ago[row["month_start_date"]],
            "level": shades.get(row["gear_id"], OTHERS),
            "value": tell.distance_amount(row["distance_m"]),
            "title": row["gear_name"],
            "named": tell.day(row["month_start_date"], "month"),
            "shown": tell.distance(row["distance_m"]),
        }
        for row in rows
    ]


def _number(month: date) -> int:
    return month.year * 12 + month.month - 1


def table(rows: Sequence[Row], tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the bars, newest first."""
    return [
        {
            tell("Month"): tell.day(row["month_start_date"], "month"),
            tell("Gear"): row["gear_name"],
            tell("Activities"): tell.number(row["activity_count"]),
            tell("Distance"): tell.distance(row["distance_m"]),
            tell("Time"): tell.duration(row["moving_time_s"]),
        }
        for row in reversed(rows)
    ]


def finding(rows: Sequence[Row], tell: Teller) -> str:
    """Say in one sentence which piece went furthest, and in which month most was done."""
    metres = by_gear(rows)
    furthest = max(metres, key=lambda one: (metres[one], one))
    name = next(row["gear_name"] for row in rows if row["gear_id"] == furthest)
    months: dict[date, list[float]] = {}
    for row in rows:
        months.setdefault(row["month_start_date"], []).append(row["distance_m"])
    most, month = max((total(each), start) for start, each in months.items())
    return tell(
        "{name} went furthest, {distance}; the most in a month was {most} in {month}.",
        name=name, distance=tell.distance(metres[furthest]), most=tell.distance(most), month=tell.day(month, "month"),
    )  # fmt: skip


def _chart(titles: Mapping[int, str], tell: Teller) -> alt.Chart:
    label = "utcFormat(toDate(datum.value), utcmonth(toDate(datum.value)) ? '%b' : '%Y')"
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_bar()
        .transform_filter("datum.ago < floor(width / 22)")
        .encode(
            x=alt.X("month:O", axis=alt.Axis(labelAngle=0, labelExpr=label, labelOverlap=True)),
            y=alt.Y("value:Q", stack="zero"),
            color=charts.shades(dict(sorted(titles.items(), reverse=True)), "max(1, floor(width / 150))"),
            order=alt.Order("level:Q", sort="descending"),
            tooltip=[
                alt.Tooltip("named:N", title=tell("Month")),
                alt.Tooltip("title:N", title=tell("Gear")),
                alt.Tooltip("shown:N", title=tell("Distance")),
            ],
        )
    )
    return chart
