"""Trends, streaks and the calendar of random lives: the models' SQL against the definitions written in plain Python."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.compiled import InMemory
from tests.transforms.warehouse import AS_OF, BERLIN

pytestmark = pytest.mark.slow

TODAY = date.fromisoformat(AS_OF[:10])
ACTIVITY = {
    "activity_id": "bigint",
    "athlete_id": "bigint",
    "sport_group": "varchar",
    "start_date_local": "date",
    "start_at": "timestamp",
    "start_at_local": "timestamp",
    "timezone_name": "varchar",
    "utc_offset_s": "bigint",
    "distance_m": "double",
    "moving_time_s": "bigint",
    "elapsed_time_s": "bigint",
    "elevation_gain_m": "double",
    "energy_kj": "double",
    "calories_kcal": "double",
    "load": "double",
    "is_manual": "boolean",
    "has_hidden_start_time": "boolean",
    "is_assisted": "boolean",
    "is_speed_inconsistent": "boolean",
    "is_moving_time_implausible": "boolean",
}
DAILY = ("staging.int_summaries__daily", "staging.int_summaries__daily_by_group")


@dataclass(frozen=True)
class Activity:
    """What a life is made of: how many days ago, which sport, and how far in tenths of a metre."""

    days_ago: int
    sport_group: str
    tenths: int

    @property
    def day(self) -> date:
        """The local day of the start."""
        return TODAY - timedelta(days=self.days_ago)

    def row(self, activity_id: int) -> dict[str, Any]:
        """Return the row of `fct_activities`."""
        start = datetime(self.day.year, self.day.month, self.day.day, 7 + self.tenths % 12)  # noqa: DTZ001 - wall clock
        return {
            "activity_id": activity_id,
            "athlete_id": BERLIN,
            "sport_group": self.sport_group,
            "start_date_local": self.day,
            "start_at": start,
            "start_at_local": start,
            "utc_offset_s": 0,
            "distance_m": self.tenths / 10,
            "moving_time_s": self.tenths,
            "elapsed_time_s": self.tenths,
            "is_manual": False,
            "has_hidden_start_time": False,
        }


# Dense weeks and long pauses, over two New Years and a 29 February; some are dated later than today.
DAYS_AGO = st.one_of(st.integers(-3, 40), st.integers(-3, 800))
LIVES = st.lists(
    st.builds(Activity, DAYS_AGO, st.sampled_from(["run", "ride"]), st.integers(0, 500_000)), min_size=1, max_size=60
).filter(lambda life: any(each.days_ago >= 0 for each in life))


Built = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def built(compiled_models: Mapping[str, str]) -> Iterator[Built]:
    """Builds models of a life, and returns the rows of the last."""
    with closing(InMemory(compiled_models)) as database:

        def rows(life: Sequence[Activity], *models: str) -> list[dict[str, Any]]:
            activities = [activity.row(number) for number, activity in enumerate(life, 1)]
            database.put("mart.fct_activities", ACTIVITY, activities)
            database.build(*DAILY, *models)
            return database.rows(f"select * from {models[-1]}")  # noqa: S608 - our own names

        yield rows


def by_group(life: Sequence[Activity]) -> dict[str, list[Activity]]:
    """Return what has come of a life, by sport group and in all."""
    come = [activity for activity in life if activity.days_ago >= 0]
    groups = {group: [each for each in come if each.sport_group == group] for group in ("run", "ride")}
    return {group: found for group, found in groups.items() if found} | {"all": come}


def metres(activities: Sequence[Activity]) -> float:
    """Add up exactly."""
    return float(sum((Decimal(each.tenths) for each in activities), Decimal(0)) / 10)


def days_from(first: date, last: date) -> list[date]:
    """Return every day from one to another."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


START_OF: Mapping[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def next_start(kind: str, start: date) -> date:
    """Return the first day of the period after the one that begins on a day."""
    return START_OF[kind](start + timedelta(days={"day": 1, "week": 7, "month": 31}[kind]))


def runs_of(kind: str, days: Sequence[date]) -> list[tuple[date, date, int, bool, bool]]:
    """Walk through the periods and count: start, end, length, whether current, whether at risk."""
    active = {START_OF[kind](day) for day in days}
    running, start = START_OF[kind](TODAY), min(active)
    runs: list[tuple[date, date, int, bool, bool]] = []
    within: list[date] = []
    while start <= running:
        after = next_start(kind, start)
        if start in active:
            within.append(start)
            if after not in active:
                is_current = after >= running
                end = after - timedelta(days=1)
                runs.append((within[0], end, len(within), is_current, is_current and start != running))
                within = []
        start = after
    return runs


def year_of(kind: str, day: date) -> int:
    """Return the year that a day counts for: a week belongs to its ISO year."""
    return day.isocalendar().year if kind == "week" else day.year


def runs_by_period(kind: str, activities: Sequence[Activity]) -> dict[str, list[tuple[date, date, int, bool, bool]]]:
    """Return the runs of all time and of each year; those of a year that is over have ended."""
    days = [each.day for each in activities]
    found = {"all": runs_of(kind, days)}
    for year in {year_of(kind, day) for day in days}:
        runs = runs_of(kind, [day for day in days if year_of(kind, day) == year])
        is_over = year < year_of(kind, TODAY)
        found[str(year)] = [(*run[:3], False, False) if is_over else run for run in runs]
    return found


@settings(max_examples=25)
@given(life=LIVES)
def test_runs_are_what_one_counts_day_by_day(built: Built, life: list[Activity]) -> None:
    """Runs of days, weeks and months by sport, of all time and of each year, and which of them last until today."""
    columns = ("start_date", "end_date", "length", "is_current", "is_at_risk")
    found: dict[tuple[str, str, str], list[Any]] = {}
    for row in built(life, "mart.streak_run"):
        key = row["sport_group"], row["period_kind"], row["period"]
        found.setdefault(key, []).append(tuple(row[name] for name in columns))
    wanted = {
        (group, kind, period): runs
        for group, activities in by_group(life).items()
        for kind in START_OF
        for period, runs in runs_by_period(kind, activities).items()
    }
    assert {key: sorted(runs) for key, runs in found.items()} == wanted


@settings(max_examples=25)
@given(life=LIVES)
def test_streaks_are_the_last_run_and_the_longest(built: Built, life: list[Activity]) -> None:
    """The current one is never longer than the longest, of which the earliest is told."""
    for row in built(life, "mart.streak_run", "mart.streak"):
        activities = by_group(life)[row["sport_group"]]
        runs = runs_by_period(row["period_kind"], activities)[row["period"]]
        longest = max(runs, key=lambda run: (run[2], -run[0].toordinal()))
        running = [(start, length, is_at_risk) for start, _, length, is_current, is_at_risk in runs if is_current]
        assert (row["longest_start_date"], row["longest_end_date"], row["longest_length"]) == longest[:3]
        assert (row["current_start_date"], row["current_length"], row["is_at_risk"]) == (
            running[0] if running else (None, 0, False)
        )


@settings(max_examples=25)
@given(life=LIVES)
def test_a_class_tells_how_many_days_were_less(built: Built, life: list[Activity]) -> None:
    """Every day is there; class k has at least (k - 1) fifths of the days with anything below it, and not k fifths."""
    rows = built(life, "mart.calendar_heat")
    for group, activities in by_group(life).items():
        found = {row["date_day"]: row for row in rows if row["sport_group"] == group}
        assert sorted(found) == days_from(min(each.day for each in by_group(life)["all"]), TODAY)
        sums = {day: metres([each for each in activities if each.day == day]) for day in found}
        some = [value for value in sums.values() if value > 0]
        for day, row in found.items():
            assert row["distance_m"] == sums[day]
            lower, k = sum(value < sums[day] for value in some), row["distance_class"]
            assert (k == 0) if sums[day] == 0 else (k - 1) * len(some) <= 5 * lower < k * len(some)


@settings(max_examples=15)
@given(life=LIVES)
def test_a_window_holds_its_last_days(built: Built, life: list[Activity]) -> None:
    """On every day since the first activity of any sport: what the last 7, 28 and 90 days have."""
    rows = built(life, "mart.trend_rolling_daily")
    groups = by_group(life)
    first = min(each.day for each in groups["all"])
    assert len(rows) == len(groups) * 3 * len(days_from(first, TODAY))
    for row in rows:
        day, n = row["date_day"], row["window_days"]
        since = day - timedelta(days=n - 1)
        within = [each for each in groups[row["sport_group"]] if since <= each.day <= day]
        assert (row["activity_count"], row["distance_m"]) == (len(within), metres(within))
        assert row["moving_time_s"] == sum(each.tenths for each in within)
        assert (row["days_in_window"], row["is_warming_up"]) == (len(days_from(max(since, first), day)), since < first)


def a_year_before(day: date) -> date:
    """Return the same month and day of the year before; of 29 February the 28th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def since_new_year(activities: Sequence[Activity], day: date) -> list[Activity]:
    """Return what was done in a year up to a day."""
    return [each for each in activities if date(day.year, 1, 1) <= each.day <= day]


@settings(max_examples=15)
@given(life=LIVES)
def test_a_year_compares_with_the_same_day_of_the_one_before(built: Built, life: list[Activity]) -> None:
    """Sums since New Year, by the same month and day before, the whole year before, and where the pace leads."""
    rows = built(life, "mart.trend_rolling_daily", "mart.trend_year_over_year")
    groups = by_group(life)
    first = min(each.day for each in groups["all"])
    for row in rows:
        day, activities = row["date_day"], groups[row["sport_group"]]
        so_far = metres(since_new_year(activities, day))
        assert row["distance_m"] == so_far
        if first.year < day.year:
            before = metres(since_new_year(activities, a_year_before(day)))
            total = metres(since_new_year(activities, date(day.year - 1, 12, 31)))
            assert (row["last_year_distance_m"], row["last_year_total_distance_m"]) == (before, total)
            assert row["difference_distance_m"] == so_far - before
        else:
            assert (
                row["last_year_distance_m"] is row["difference_distance_m"] is row["last_year_total_distance_m"] is None
            )
        recent = metres([each for each in activities if day - timedelta(days=28) < each.day <= day])
        pace, left = recent / min(28, (day - first).days + 1), (date(day.year, 12, 31) - day).days
        assert row["projected_distance_m"] == pytest.approx(so_far + pace * left, rel=1e-12)
