"""From rows of the marts to the rows of the Trends page's charts and tables: pure, without a browser."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

from dashboard import sport_types, sports
from dashboard.chart_data import same_day_last_year
from dashboard.formatting import NOTHING, Teller
from dashboard.mart import Row
from dashboard.measures import Measure

A_YEAR = 2024  # a leap year, as the axis on which all years lie
MOST_YEARS = 10
FEWEST_YEARS = 5  # shown for comparison, although the dates ask for fewer
LABEL_GAP = 0.045  # of the axis: text at the end of two lines stays apart
MOST_POINTS = 800  # of a line, beyond which a screen shows no more
MOST_ROWS = 100  # of the table behind it
STEPS = (1, 2, 4, 10, 20, 40, 100, 200)  # half kilometres or half miles of a bar
MOST_BARS = 24
BAR_GAP = 0.04  # of a bar's width, left free on either side
MOST_SPORTS = 7
HEAT_CLASSES = 5

Shown = dict[str, Any]


def first_year(first: date, last: date) -> int:
    """Return the earliest year that is drawn: as many as the dates touch, within five and ten."""
    count = min(MOST_YEARS, max(FEWEST_YEARS, last.year - first.year + 1))
    return last.year - count + 1


def on_axis(day: date) -> str:
    """Return the day's place on the axis of all years."""
    return day.replace(year=A_YEAR).isoformat()


def year_lines(rows: Sequence[Row], measure: Measure, year: int, tell: Teller) -> list[Shown]:
    """A point per day and year; the year that is asked for is `accent`, earlier ones are paler the older they are."""
    oldest = min((row["date_day"].year for row in rows), default=year)
    steps = max(1, year - 1 - oldest)
    return [
        {
            "kind": "year",
            "day": on_axis(row["date_day"]),
            "told": tell.day(row["date_day"], "short"),
            "year": str(row["date_day"].year),
            "value": measure.amount(row[measure.column], tell),
            "series": "accent" if row["date_day"].year == year else "neutral",
            "size": 2.8 if row["date_day"].year == year else 1.5,
            "opacity": 1.0 if row["date_day"].year == year else 0.9 - 0.6 * (year - 1 - row["date_day"].year) / steps,
        }
        for row in rows
    ]


def straight(kind: str, start: tuple[date, float], end: tuple[date, float], series: str) -> list[Shown]:
    """Two points of a straight line: the goal, or the projection."""
    return [
        {"kind": kind, "day": on_axis(day), "year": kind, "value": value, "series": series}
        for day, value in (start, end)
    ]


def year_labels(ends: Mapping[int, float], year: int) -> list[Shown]:
    """The years as text where their lines end, pushed apart so that none covers another."""
    gap = LABEL_GAP * max([*ends.values(), 0])
    labels: list[Shown] = []
    for one, value in sorted(ends.items(), key=lambda item: (item[1], item[0])):
        at = max(value, labels[-1]["value"] + gap) if labels else value
        series = "accent" if one == year else "neutral"
        labels.append(
            {"day": f"{A_YEAR}-12-31", "value": at, "year": str(one), "series": series, "near": one >= year - 1}
        )
    return labels


def year_table(rows: Sequence[Row], measure: Measure, last: date, tell: Teller) -> list[Shown]:
    """A row per year, newest first: what it had by the same day, and in the whole."""
    by_day = {row["date_day"]: row[measure.column] for row in rows}
    table, day = [], last
    for year in sorted({day.year for day in by_day}, reverse=True):
        whole = by_day.get(date(year, 12, 31)) if year < last.year else None
        shown = measure.shown(by_day[day], tell) if day in by_day else tell.number(None)
        table.append(
            {
                tell("Year"): str(year),
                tell("By {day}", day=tell.day(last, "short")): shown,
                tell("Whole year"): tell.number(None) if whole is None else measure.shown(whole, tell),
            }
        )
        day = same_day_last_year(day)
    return table


def rolling_lines(rows: Sequence[Row], measure: Measure, first: date, tell: Teller) -> list[Shown]:
    """Two lines over the days from the first: their own sums, and those of the same days a year before."""
    by_day = {row["date_day"]: row[measure.column] for row in rows}
    days = [day for day in sorted(by_day) if day >= first]
    lines = []
    for day in thinned(days, MOST_POINTS):
        for series, then in (("accent", day), ("last", same_day_last_year(day))):
            if (value := by_day.get(then)) is not None:
                amount = measure.amount(value, tell)
                lines.append({"day": day.isoformat(), "told": tell.day(then), "series": series, "value": amount})
    return lines


def rolling_table(rows: Sequence[Row], measure: Measure, first: date, tell: Teller) -> list[Shown]:
    """The numbers behind the lines, newest first: of a long span every so many days, with the newest."""
    by_day = {row["date_day"]: row[measure.column] for row in rows}
    table = []
    for day in reversed(thinned([day for day in sorted(by_day) if day >= first], MOST_ROWS)):
        now, before = (by_day.get(each) for each in (day, same_day_last_year(day)))
        shown = [NOTHING if value is None else measure.shown(value, tell) for value in (now, before)]
        table.append({tell("Day"): tell.day(day), tell("These days"): shown[0], tell("A year before"): shown[1]})
    return table


def thinned(days: list[date], most: int) -> list[date]:
    """Return at most so many of the days, evenly apart, with the last."""
    step = ceil(len(days) / most) or 1
    return days[::-1][::step][::-1]


def starts(rows: Sequence[Row], tell: Teller) -> list[Shown]:
    """A cell per weekday and hour, from the earliest to the latest hour with a start; `level` is 0 or 2 … 10."""
    counted = {(row["day_of_week"], row["start_hour"]): row for row in rows if row["start_hour"] is not None}
    if not counted:
        return []
    hours = [hour for _, hour in counted]
    most = max(row["activity_count"] for row in counted.values())
    cells = []
    for weekday in range(1, 8):
        for hour in range(min(*hours, 6), max(*hours, 21) + 1):
            row = counted.get((weekday, hour))
            count = row["activity_count"] if row else 0
            cells.append(
                {
                    "weekday": weekday,
                    "hour": hour,
                    "level": 2 * ceil(HEAT_CLASSES * count / most),
                    "count": count,
                    "when": f"{weekday_name(weekday, tell)}, {hour}:00 \N{EN DASH} {hour}:59",
                    "shown": tell.plural("{n} activity", "{n} activities", count),
                    "time": tell.duration(row["moving_time_s"] if row else 0),
                }
            )
    return cells


def starts_table(cells: Sequence[Shown], tell: Teller) -> list[Shown]:
    """The numbers behind the cells with a start, in the order of the week."""
    return [
        {tell("Start"): cell["when"], tell("Activities"): tell.number(cell["count"]), tell("Time"): cell["time"]}
        for cell in cells
        if cell["count"]
    ]


def weekday_name(number: int, tell: Teller, form: str = "weekday") -> str:
    """Return the name of an ISO weekday, 1 for Monday."""
    return tell.day(date(2024, 1, number), form)  # 1 January 2024 is a Monday


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars by distance: `size` metres wide; `without` activities went no distance."""

    bars: list[Shown]
    size: float
    without: int


def histogram(rows: Sequence[Row], half: float, tell: Teller) -> Histogram:
    """A bar per span of distances and sport group; `rows` count in steps of `half` metres, half a kilometre or mile."""
    with_distance = [row for row in rows if row["step"] is not None]
    furthest = max((row["step"] for row in with_distance), default=0) + 1
    step = next((step for step in STEPS if furthest / step <= MOST_BARS), STEPS[-1])
    counts: dict[tuple[int, str], int] = {}
    for row in with_distance:
        key = row["step"] // step, row["sport_group"]
        counts[key] = counts.get(key, 0) + row["activity_count"]
    bars: list[Shown] = []
    tops: dict[int, int] = {}
    for (place, group), count in sorted(counts.items(), key=lambda item: (item[0][0], sports.rank(item[0][1]))):
        under = tops.get(place, 0)
        tops[place] = under + count
        bars.append(
            {
                "low": (place + BAR_GAP) * step / 2,
                "high": (place + 1 - BAR_GAP) * step / 2,
                "under": under,
                "over": tops[place],
                "sport": sports.colour(group),
                "title": sports.title(group, tell),
                "rank": sports.rank(group),
                "count": count,
                "span": span(place * step * half, (place + 1) * step * half, tell),
            }
        )
    return Histogram(bars, step * half, sum(row["activity_count"] for row in rows if row["step"] is None))


def distances_table(bars: Sequence[Shown], tell: Teller) -> list[Shown]:
    """The numbers behind the bars, the shortest first."""
    return [
        {tell("Distance"): bar["span"], tell("Sport"): bar["title"], tell("Activities"): tell.number(bar["count"])}
        for bar in bars
    ]


def span(low: float, high: float, tell: Teller) -> str:
    """Return two distances as one span."""
    return f"{tell.distance(low)} \N{EN DASH} {tell.distance(high)}"


def mix(rows: Iterable[Row], measure: Measure, tell: Teller) -> list[Shown]:
    """A bar per kind of sport, largest first; past seven the smallest are one bar."""
    parts = sorted(
        ((float(row[measure.column]), row["sport_type"], row["sport_group"]) for row in rows if row[measure.column]),
        key=lambda part: (-part[0], part[1]),
    )
    total = sum(amount for amount, _, _ in parts)
    shown = [(amount, sport_types.title(sport, tell), group) for amount, sport, group in parts[:MOST_SPORTS]]
    if rest := parts[MOST_SPORTS:]:
        shown.append((sum(amount for amount, _, _ in rest), tell("{n} more", n=tell.number(len(rest))), "other"))
    return [
        {
            "name": name,
            "rank": rank,
            "sport": sports.colour(group),
            "share": amount / total,
            "percent": tell.percent(amount / total),
            "shown": measure.shown(amount, tell),
        }
        for rank, (amount, name, group) in enumerate(shown)
    ]


def mix_table(bars: Sequence[Shown], tell: Teller) -> list[Shown]:
    """The numbers behind the bars, the largest first."""
    return [{tell("Sport"): bar["name"], tell("Share"): bar["percent"], tell("In all"): bar["shown"]} for bar in bars]


def days_before(day: date, number: int) -> date:
    """Return the first of so many days that end on a day."""
    return day - timedelta(days=number - 1)
