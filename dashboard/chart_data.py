"""From rows of the marts to rows of a chart or a table: pure, so that it can be checked without a browser."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from dashboard import sports
from dashboard.formatting import Teller, total
from dashboard.mart import Row
from dashboard.measures import Measure


def monday(day: date) -> date:
    """Return the first day of the ISO week that holds the day."""
    return day - timedelta(days=day.weekday())


def used_groups(rows: Iterable[Row]) -> list[str]:
    """Return the sport groups in which anything happened, in their fixed order."""
    used = {row["sport_group"] for row in rows if row["activity_count"]}
    return sorted(used, key=lambda name: (sports.rank(name), name))


def weeks(rows: Sequence[Row], measure: Measure, tell: Teller) -> list[dict[str, object]]:
    """One bar segment per ISO week and sport group in use; weeks with nothing stay, so that gaps are seen."""
    groups, ordered = used_groups(rows), sorted({row["period_start_date"] for row in rows})
    place = {week: number for number, week in enumerate(reversed(ordered))}
    return [
        {
            "start": row["period_start_date"].isoformat(),
            "ago": place[row["period_start_date"]],
            "week": week_title(row["period_start_date"], tell),
            "sport": sports.colour(row["sport_group"]),
            "title": sports.title(row["sport_group"], tell),
            "rank": sports.rank(row["sport_group"]),
            "value": measure.amount(row[measure.column], tell),
            "shown": measure.shown(row[measure.column], tell),
        }
        for row in rows
        if row["sport_group"] in groups
    ]


def table(rows: Sequence[Row], measure: Measure, tell: Teller) -> dict[date, dict[str, str]]:
    """The numbers behind the bars by period, newest first: the sum of all sport groups, and a column for each used."""
    found: dict[date, dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: row["period_start_date"], reverse=True):
        found.setdefault(row["period_start_date"], {})[row["sport_group"]] = row[measure.column]
    return {
        start: {tell("All"): measure.shown(total(cells.values()), tell)}
        | {sports.title(one, tell): measure.shown(cells.get(one, 0), tell) for one in used_groups(rows)}
        for start, cells in found.items()
    }


def week_table(rows: Sequence[Row], measure: Measure, tell: Teller) -> list[dict[str, str]]:
    """A row per week, newest first."""
    return [{tell("Week"): week_title(week, tell), **cells} for week, cells in table(rows, measure, tell).items()]


def part_table(
    bars: Sequence[Mapping[str, Any]], titles: Iterable[str], nothing: str, tell: Teller
) -> list[dict[str, str]]:
    """The numbers of bars in parts (`week`, `title`, `shown`; oldest first) by week, newest first; a column a title."""
    empty = dict.fromkeys(titles, nothing)
    found: dict[str, dict[str, str]] = {}
    for bar in reversed(bars):
        found.setdefault(bar["week"], dict(empty))[bar["title"]] = bar["shown"]
    return [{tell("Week"): week, **cells} for week, cells in found.items()]


def week_title(start: date, tell: Teller) -> str:
    """Name a week by its ISO number and its days."""
    return tell("Week {n}", n=start.isocalendar().week) + f", {tell.days(start, start + timedelta(days=6))}"


def spaced(sport_type: str) -> str:
    """Strava's `sport_type` as words: `TrailRun` becomes `Trail Run`, `EBikeRide` `E Bike Ride`."""
    follows_a_word = (
        here.isupper() and (before.islower() or after.islower())
        for before, here, after in zip(sport_type, sport_type[1:], sport_type[2:] + " ", strict=False)
    )
    return sport_type[:1] + "".join(
        f" {letter}" if starts else letter for letter, starts in zip(sport_type[1:], follows_a_word, strict=True)
    )


def same_day_last_year(day: date) -> date:
    """Return the same month and day a year before; 29 February is compared with the 28th."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)


def in_all(rows: Iterable[Row], measure: Measure) -> float:
    """Sum a column; the same in any order."""
    return total(float(row[measure.column]) for row in rows)
