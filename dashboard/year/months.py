"""The months of the years, two bars side by side."""

from collections.abc import Sequence

import altair as alt

from dashboard import address, charts, contributing
from dashboard.card import Why, card
from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.measures import MEASURES, Measure
from dashboard.page import Page
from dashboard.year.choice import Years

HEIGHT = 260
COLOURS = ("accent", "last")  # of the year shown, and of the other


def draw(page: Page, years: Years) -> None:
    """Draw a measure of each month; which one is asked for in the address, as on Trends."""
    tell, asked = page.tell, page.filters
    measure = MEASURES[address.follow("measure", MEASURES.__contains__, "distance")]
    unit = measure.unit(tell)
    with card(page, "year-months", tell("Months"), unit, height=HEIGHT) as opened:
        address.pick(
            "measure", list(MEASURES), "distance", tell("Measure"), lambda word: tell(MEASURES[word].title), width=148
        )
        numbers = [int(row["year"]) for row in years.rows]
        rows = opened.rows("year/months", page.athlete_id, numbers[0], numbers[-1], asked.sport, asked.sport)
        found, sentence = bars(rows, numbers, measure, tell), finding(rows, numbers, measure, tell)
        charts.show(page, "year-months", _chart(numbers, measure, tell), found, alt=sentence, height=HEIGHT)
        opened.numbers(table(rows, measure, tell))
        opened.why = Why(
            formula=tell("**A bar = sum of the activities that began in the month**, by local days.") + f" {sentence}",
            models=["activity_summary"],
            activities=contributing.largest(page, measure.column, *years.span),
        )


def bars(rows: Sequence[Row], years: Sequence[int], measure: Measure, tell: Teller) -> list[dict[str, object]]:
    """Return a bar for each month of each year."""
    return [
        {
            "month": row["period_start_date"].month,
            "place": years.index(row["period_start_date"].year),
            "colour": COLOURS[years.index(row["period_start_date"].year)],
            "value": measure.amount(row[measure.column], tell),
            "named": tell.day(row["period_start_date"], "month"),
            "shown": measure.shown(row[measure.column], tell),
        }
        for row in rows
    ]


def finding(rows: Sequence[Row], years: Sequence[int], measure: Measure, tell: Teller) -> str:
    """Say which month of each year had the most."""
    told = []
    for year in years:
        of_year = [row for row in rows if row["period_start_date"].year == year]
        if of_year:
            most = max(of_year, key=lambda row: row[measure.column])
            value = measure.shown(most[measure.column], tell)
            told.append(
                tell("Most in {month}: {value}.", month=tell.day(most["period_start_date"], "month"), value=value)
            )
    return " ".join(told)


def table(rows: Sequence[Row], measure: Measure, tell: Teller) -> list[dict[str, str]]:
    """The numbers behind the bars, newest first."""
    return [
        {
            tell("Month"): tell.day(row["period_start_date"], "month"),
            tell(measure.title): measure.shown(row[measure.column], tell),
        }
        for row in reversed(rows)
    ]


def _chart(years: Sequence[int], measure: Measure, tell: Teller) -> alt.Chart:
    titles = {COLOURS[place]: str(year) for place, year in enumerate(years)}
    chart: alt.Chart = (
        alt.Chart(charts.ROWS)
        .mark_bar()
        .encode(
            x=alt.X(
                "month:O",
                axis=alt.Axis(
                    labelAngle=0, labelExpr="utcFormat(utc(2024, datum.value - 1, 1), '%b')", labelOverlap=True
                ),
                scale=alt.Scale(domain=list(range(1, 13)), paddingInner=0.2),
            ),
            xOffset=alt.XOffset("place:O", scale=alt.Scale(domain=list(range(len(years))))),
            y=alt.Y("value:Q"),
            color=charts.colour("colour:N", list(titles), titles),
            tooltip=[
                alt.Tooltip("named:N", title=tell("Month")),
                alt.Tooltip("shown:N", title=tell(measure.title)),
            ],
        )
    )
    return chart
