"""Records, Eddington numbers and predictions of random lives: the models' SQL against plain Python."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.compiled import InMemory
from tests.transforms.warehouse import AS_OF, BERLIN, SCRIPTS
from worker.dbt_runner.statements import Statements

pytestmark = pytest.mark.slow

TODAY = date.fromisoformat(AS_OF[:10])
NOON = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)
NUMBERS = ("distance_m", "elevation_gain_m", "elevation_high_m", "energy_kj", "calories_kcal", "load", "max_speed_mps")
FLAGS = (
    "is_assisted", "is_virtual", "is_trainer", "is_manual", "is_speed_inconsistent", "is_moving_time_implausible",
    "is_elapsed_time_implausible",
)  # fmt: skip
SCREEN, INCONSISTENT, MOVING, ELAPSED = (
    "is_virtual", "is_speed_inconsistent", "is_moving_time_implausible", "is_elapsed_time_implausible",
)  # fmt: skip
# What leaves a measure of an activity out of records, besides a motor.
DOUBTS = {"distance_m": INCONSISTENT, "moving_time_s": MOVING, "elapsed_time_s": ELAPSED}
ACTIVITY = {
    **dict.fromkeys(("activity_id", "athlete_id", "utc_offset_s", "moving_time_s", "elapsed_time_s"), "bigint"),
    **dict.fromkeys(("sport_group", "sport_type", "name", "timezone_name"), "varchar"),
    "start_date_local": "date",
    "start_at": "timestamp",
    **dict.fromkeys(NUMBERS, "double"),
    **dict.fromkeys(FLAGS, "boolean"),
}
EFFORT = {
    "activity_id": "bigint",
    "athlete_id": "bigint",
    "effort_name": "varchar",
    "distance_m": "double",
    "elapsed_time_s": "bigint",
    "start_at": "timestamp",
    "is_computed": "boolean",
}
OWN_EFFORT = {
    **dict.fromkeys(("activity_id", "athlete_id"), "bigint"),
    "effort_name": "varchar",
    **dict.fromkeys(("distance_m", "begin_s", "elapsed_s"), "double"),
    "has_jump": "boolean",
}
WORLD_RECORD = {"effort_name": "varchar", "record_distance_mm": "bigint", "record_time_ms": "bigint"}
SPLIT = {
    **dict.fromkeys(("activity_id", "split_index", "elapsed_time_s"), "bigint"),
    "unit_system": "varchar",
    "distance_m": "double",
}
DAILY = ("staging.int_summaries__daily", "staging.int_records__daily")
EDDINGTON = (
    *("staging.int_records__eddington_days", "staging.int_records__lives"),
    *("mart.eddington_step", "mart.eddington"),
)
UNITS_MM = {"km": 1_000_000, "mi": 1_609_344}
DISTANCES_M = {"1 mile": 1609, "5K": 5000, "10K": 10000, "Half-Marathon": 21097, "400m": 400}


@dataclass(frozen=True)
class Activity:
    """What a life is made of: how many days ago, which sport, tenths of a metre, flags, a pace over a distance."""

    days_ago: int
    sport_group: str
    tenths: int
    flags: frozenset[str]
    effort_name: str
    pace_s_per_km: int

    @property
    def day(self) -> date:
        """The local day of the start."""
        return TODAY - timedelta(days=self.days_ago)

    @property
    def start(self) -> datetime:
        """The moment of the start, which another activity may share."""
        return datetime(self.day.year, self.day.month, self.day.day, 7 + self.tenths % 2)  # noqa: DTZ001 - UTC in the mart

    @property
    def effort_s(self) -> int:
        """Seconds over its distance."""
        return self.pace_s_per_km * DISTANCES_M[self.effort_name] // 1000

    def row(self, activity_id: int) -> dict[str, Any]:
        """Return the row of `fct_activities`."""
        return {name: name in self.flags for name in FLAGS} | {
            "activity_id": activity_id,
            "athlete_id": BERLIN,
            "sport_group": self.sport_group,
            "sport_type": self.sport_group.title(),
            "start_date_local": self.day,
            "start_at": self.start,
            "utc_offset_s": 0,
            **{measure: self.sent(measure) for measure in DOUBTS},
        }

    def sent(self, measure: str) -> float:
        """Return metres, or seconds."""
        return self.tenths / 10 if measure == "distance_m" else self.tenths % 7000

    def effort(self, activity_id: int) -> dict[str, Any]:
        """Return the row of its best effort."""
        return {
            "activity_id": activity_id,
            "athlete_id": BERLIN,
            "effort_name": self.effort_name,
            "distance_m": DISTANCES_M[self.effort_name],
            "elapsed_time_s": self.effort_s,
            "start_at": self.start,
            "is_computed": False,
        }


# A time that was never stopped is implausible both in motion and in all.
DRAWN_FLAGS = ({"is_assisted"}, {SCREEN}, {INCONSISTENT}, {MOVING, ELAPSED}, {ELAPSED}, {SCREEN, INCONSISTENT})


def activities(flags: st.SearchStrategy[frozenset[str]]) -> st.SearchStrategy[Activity]:
    """Draw from tomorrow back over three years, most in few days: days meet, months fill and times are equal."""
    return st.builds(
        Activity,
        st.one_of(st.integers(-1, 40), st.integers(0, 1100)),
        st.sampled_from(["run", "ride"]),
        st.one_of(st.integers(0, 60_000), st.sampled_from([16_090, 50_000, 100_000, 210_970])),
        flags,
        st.sampled_from(list(DISTANCES_M)),
        st.integers(240, 260),
    )


LIVES = st.lists(
    activities(st.one_of(st.just(frozenset()), st.sampled_from([frozenset(flags) for flags in DRAWN_FLAGS]))),
    min_size=1,
    max_size=40,
).filter(lambda life: any(activity.days_ago >= 0 for activity in life))

Life = Sequence[Activity]
Built = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def database(compiled_models: Mapping[str, str]) -> Iterator[InMemory]:
    """Where the models are built."""
    with closing(InMemory(compiled_models)) as database:
        yield database


@pytest.fixture(scope="session")
def built(database: InMemory) -> Built:
    """Builds models of a life, and returns the rows of the last."""

    def rows(life: Life, *models: str, fastest: Sequence[Any] = (), splits: Sequence[Any] = ()) -> list[dict[str, Any]]:
        numbered = list(enumerate(life, 1))
        database.put("mart.fct_activities", ACTIVITY, [activity.row(number) for number, activity in numbered])
        efforts = [activity.effort(number) for number, activity in numbered if activity.sport_group == "run"]
        database.put("staging.stg_strava__best_efforts", EFFORT, efforts)
        database.put("staging.int_streams__best_efforts", OWN_EFFORT, [])
        database.put("staging.world_records", WORLD_RECORD, fastest)
        database.put("staging.stg_strava__splits", SPLIT, splits)
        database.build(*DAILY, *models)
        return database.rows(f"select * from {models[-1]}")  # noqa: S608 - our own names

    return rows


def counting(life: Life) -> list[tuple[int, Activity]]:
    """Return what counts for records: what has come, without a motor."""
    return [(n, each) for n, each in enumerate(life, 1) if each.days_ago >= 0 and "is_assisted" not in each.flags]


def groups_of(life: Life) -> dict[str, list[tuple[int, Activity]]]:
    """Return it by sport group, and in all."""
    groups: dict[str, list[tuple[int, Activity]]] = defaultdict(list)
    for number, activity in counting(life):
        groups[activity.sport_group].append((number, activity))
        groups["all"].append((number, activity))
    return groups


def runs_of(life: Life, name: str) -> list[tuple[int, Activity]]:
    """Return the runs whose effort over a distance counts: outdoors, in a credible time, and no longer than its run."""
    runs = [run for run in groups_of(life)["run"] if not run[1].flags & {SCREEN, INCONSISTENT, MOVING}]
    return [(n, each) for n, each in runs if each.effort_name == name and each.tenths >= 10 * DISTANCES_M[name]]


def days_of(activities: Sequence[tuple[int, Activity]], left_out: frozenset[str]) -> dict[date, int | None]:
    """Add up tenths of a metre by day, without activities with such a flag; None of a day with no other."""
    sums: dict[date, int | None] = {}
    for _, activity in activities:
        before = sums.setdefault(activity.day, None)
        if not activity.flags & left_out:
            sums[activity.day] = (before or 0) + activity.tenths
    return sums


def lived_days(life: Life) -> dict[tuple[str, str, str, bool], dict[date, int]]:
    """Return whole units by day, for each sport group, unit and period, also without screens where these count."""
    found: dict[tuple[str, str, str, bool], dict[date, int]] = defaultdict(dict)
    for group, activities in groups_of(life).items():
        every, real = (days_of(activities, frozenset(each)) for each in ({INCONSISTENT}, {INCONSISTENT, SCREEN}))
        lives = {True: every} if real == every else {True: every, False: real}
        for counts_virtual, days in lives.items():
            for (unit, length_mm), (day, tenths) in product(UNITS_MM.items(), days.items()):
                for period in ("all", str(day.year)):
                    found[group, unit, period, counts_virtual][day] = (tenths or 0) * 100 // length_mm
    return found


def key_of(row: Mapping[str, Any]) -> tuple[str, str, str, bool]:
    """Return what a row of Eddington numbers or steps is about."""
    return row["sport_group"], row["unit"], row["period"], row["counts_virtual"]


def eddington(distances: Sequence[int]) -> int:
    """Return the number by its definition."""
    return max((n for n in range(len(distances) + 1) if sum(each >= n for each in distances) >= n), default=0)


@settings(max_examples=40)
@given(life=LIVES)
def test_eddington_numbers_are_what_the_definition_says(built: Built, life: list[Activity]) -> None:
    """The number, the days for the next one, and the longest day, by group, unit and period."""
    rows = built(life, *EDDINGTON)
    wanted = lived_days(life)
    assert {key_of(row) for row in rows} == set(wanted)
    for row in rows:
        distances = list(wanted[key_of(row)].values())
        number = eddington(distances)
        at_next = sum(each > number for each in distances)
        assert (row["eddington_number"], row["next_number"], row["longest_day"]) == (number, number + 1, max(distances))
        assert (row["days_at_next"], row["days_needed_next"]) == (at_next, number + 1 - at_next)


@settings(max_examples=40)
@given(life=LIVES)
def test_a_step_is_reached_on_its_nth_day(built: Built, life: list[Activity]) -> None:
    """Every step up to the longest day: days of at least that, days missing, and the day on which there were enough."""
    rows = built(life, *EDDINGTON[:3])
    found = {(*key_of(row), row["n"]): row for row in rows}
    wanted = {(*key, n): days for key, days in lived_days(life).items() for n in range(1, max(days.values()) + 1)}
    assert found.keys() == wanted.keys()
    for key, days in wanted.items():
        n = key[-1]
        enough = sorted(day for day, distance in days.items() if distance >= n)
        assert found[key]["days_at_least"] == len(enough)
        assert found[key]["days_needed"] == max(0, n - len(enough))
        assert found[key]["reached_on"] == (enough[n - 1] if len(enough) >= n else None)


@settings(max_examples=60)
@given(life=LIVES, changes=st.dictionaries(st.integers(0, 39), activities(st.just(frozenset())), max_size=3))
def test_a_refresh_knows_which_steps_stay(
    database: InMemory, built: Built, life: list[Activity], changes: dict[int, Activity]
) -> None:
    """Activities take the place of others, or come first or last: the steps are those of a build from nothing."""
    other = [*(dict(enumerate(life)) | changes).values()]
    was, steps = DAILY[1], EDDINGTON[2]
    built(life, *EDDINGTON[:3])
    database.run(f"create or replace table before as from {was}", f"create or replace table known as from {steps}")
    wanted = built(other, *EDDINGTON[:3])
    database.run(f"create or replace table {steps} as from known")
    differ = f"(from {was} except from before) union (from before except from {was})"
    days = f"select distinct athlete_id, sport_group, date_day from ({differ})"  # noqa: S608 - our own names
    database.run(f"create or replace table staging.int_records__changed_days as {days}")
    [model] = [model for model in SCRIPTS[()].models if model.name == "eddington_step"]
    Statements(database.run, NOON, lambda: NOON).build(model)
    in_order = f"select * from {steps} order by all"  # noqa: S608 - our own names
    assert sorted(map(str, database.rows(in_order))) == sorted(map(str, wanted))


PACE_OF_FASTEST = 250  # s/km, of the world record that these tests state for two of the distances
FASTEST = {name: DISTANCES_M[name] for name in ("5K", "400m")}
REASONS = {
    "is_assisted": "assisted", "is_manual": "manual", "is_trainer": "indoors", SCREEN: "virtual",
    INCONSISTENT: "speed_inconsistent", MOVING: "duration_implausible",
}  # fmt: skip


def excluded_reason(run: Activity, jump_after_s: int | None) -> str | None:
    """Say why an effort from the run's first second on is no record; of several reasons the first in this order."""
    for flag, reason in REASONS.items():
        if flag in run.flags:
            return reason
    if run.tenths < 10 * DISTANCES_M[run.effort_name]:
        return "activity_shorter"
    if run.effort_name in FASTEST and run.pace_s_per_km < PACE_OF_FASTEST:
        return "faster_than_world_record"
    return "gps_jump" if jump_after_s is not None and jump_after_s <= run.effort_s else None


@settings(max_examples=40)
@given(
    drawn=st.lists(
        st.tuples(
            activities(st.frozensets(st.sampled_from(FLAGS), max_size=2)),
            st.none() | st.integers(10, 400) | st.integers(10, 6000),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_an_effort_is_excluded_for_the_first_reason_that_there_is(
    built: Built, drawn: list[tuple[Activity, int | None]]
) -> None:
    """By its activity, its length, the world record, and a split of 250 m in one second that it meets in time."""
    splits = [
        {
            "activity_id": number,
            "unit_system": "metric",
            "split_index": place,
            "elapsed_time_s": s,
            "distance_m": metres,
        }
        for number, (_, rest_s) in enumerate(drawn, 1)
        if rest_s is not None
        for place, s, metres in ((1, rest_s, 1000.0), (2, 1, 250.0))
    ]
    fastest = [
        {"effort_name": name, "record_distance_mm": metres * 1000, "record_time_ms": metres * PACE_OF_FASTEST}
        for name, metres in FASTEST.items()
    ]
    rows = built([each for each, _ in drawn], "mart.record_best_effort", fastest=fastest, splits=splits)
    assert {row["activity_id"]: row["excluded_reason"] for row in rows} == {
        number: excluded_reason(each, jump_after_s)
        for number, (each, jump_after_s) in enumerate(drawn, 1)
        if each.sport_group == "run"
    }


@settings(max_examples=40)
@given(life=LIVES)
def test_records_fall_as_one_reads_them_in_order(built: Built, life: list[Activity]) -> None:
    """Strictly faster is a record, as fast is a tie, and a record stands until the next one or today."""
    rows = built(life, "mart.record_best_effort", "mart.record_progression")
    found = {(row["effort_name"], row["activity_id"]): row for row in rows}
    wanted: dict[tuple[str, int], tuple[Any, ...]] = {}
    for name in DISTANCES_M:
        runs = runs_of(life, name)
        best: int | None = None
        chain: list[tuple[int, Activity, int | None]] = []
        for number, each in sorted(runs, key=lambda run: (run[1].day, run[1].start, run[0])):
            if best is None or each.effort_s < best:
                chain.append((number, each, best))
                best = each.effort_s
            elif each.effort_s == best:
                wanted[name, number] = (len(chain), True, best, 0, None, None)
        for place, (number, each, before) in enumerate(chain, 1):
            end = chain[place][1].day if place < len(chain) else None
            gained = None if before is None else before - each.effort_s
            wanted[name, number] = (place, False, before, gained, end, ((end or TODAY) - each.day).days)
    columns = ("record_number", "is_tie", "previous_time_s", "improvement_s", "stood_until", "days_stood")
    assert {key: tuple(row[name] for name in columns) for key, row in found.items()} == wanted
    assert all(row["is_current"] == (row["stood_until"] is None and not row["is_tie"]) for row in rows)


def monday(day: date) -> date:
    """Return the first day of its week."""
    return day - timedelta(days=day.weekday())


def spans_of(life: Life, measure: str) -> dict[tuple[str, str, str], dict[tuple[date, int | None], float]]:
    """Return the sums of a measure by group, kind of span and period, of each first day and, of activities, number."""
    spans: dict[tuple[str, str, str], dict[tuple[date, int | None], float]] = defaultdict(lambda: defaultdict(float))
    for group, activities in groups_of(life).items():
        for number, each in activities:
            if DOUBTS[measure] in each.flags:
                continue
            week = monday(each.day)
            days = {"activity": (each.day, each.day.year), "day": (each.day, each.day.year)}
            for kind, (day, year) in {**days, "week": (week, week.isocalendar()[0])}.items():
                for period in ("all", str(year)):
                    span = day, number if kind == "activity" else None
                    spans[group, kind, period][span] += each.sent(measure)
    return spans


@settings(max_examples=25)
@given(life=LIVES)
def test_the_longest_is_the_first_of_the_largest(built: Built, life: list[Activity]) -> None:
    """Distance and times of activities, days and weeks, by group, of all time and each year; of equals the earliest."""
    rows = built(life, "mart.record_longest")
    columns = ("record_value", "span_start_date", "activity_id")
    for measure in DOUBTS:
        of_it = [row for row in rows if row["measure"] == measure]
        found = {(x["sport_group"], x["span_kind"], x["period"]): tuple(x[name] for name in columns) for x in of_it}
        wanted: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        for key, sums in spans_of(life, measure).items():
            spans = [(round(value, 1), *span) for span, value in sums.items() if value]
            if spans:
                wanted[key] = min(spans, key=lambda one: (-one[0], one[1], one[2] or 0))
        assert found == wanted


@settings(max_examples=25)
@given(life=LIVES)
def test_the_exponent_is_the_slope_of_the_best_efforts(built: Built, life: list[Activity]) -> None:
    """Least squares on logarithms, of three distances that differ enough; times grow with distance by that exponent."""
    rows = built(life, "mart.record_best_effort", "mart.race_prediction")
    times = {name: [each.effort_s for _, each in runs_of(life, name) if each.days_ago < 180] for name in DISTANCES_M}
    best = {name: min(found) for name, found in times.items() if found and name != "400m"}
    assert bool(rows) == bool(best)
    points = [(math.log(DISTANCES_M[name]), math.log(seconds)) for name, seconds in best.items()]
    exponent = 1.06
    if is_own := len(points) >= 3 and max(points)[0] - min(points)[0] >= math.log(3):
        mean_x, mean_y = (sum(each) / len(points) for each in zip(*points, strict=True))
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
        exponent = min(max(slope, 1.03), 1.15)
    for row in rows:
        assert (row["is_own_exponent"], row["exponent_effort_count"]) == (is_own, len(points))
        assert row["exponent"] == pytest.approx(exponent, abs=1e-6)
        ratio = row["distance_m"] / row["reference_distance_m"]
        assert row["reference_time_s"] == best[row["reference_effort_name"]]
        assert row["predicted_time_s"] == pytest.approx(row["reference_time_s"] * ratio ** row["exponent"])
        assert vdot(row["distance_m"], row["vdot_time_s"]) == pytest.approx(row["vdot"], abs=1e-9)
    strongest = max((vdot(DISTANCES_M[name], seconds) for name, seconds in best.items()), default=None)
    assert {row["vdot"] for row in rows} == {strongest} - {None} or rows[0]["vdot"] == pytest.approx(strongest)


def vdot(distance_m: float, time_s: float) -> float:
    """Return the VDOT of a run (Daniels and Gilbert)."""
    minutes = time_s / 60
    speed = distance_m / minutes
    share = 0.8 + 0.1894393 * math.exp(-0.012778 * minutes) + 0.2989558 * math.exp(-0.1932605 * minutes)
    return (-4.6 + 0.182258 * speed + 0.000104 * speed * speed) / share


def test_the_equal_times_of_5_km_in_1200_s(built: Built) -> None:
    """Times of VDOT 49.806, as bisection finds them."""
    run = Activity(3, "run", 60_000, flags=frozenset(), effort_name="5K", pace_s_per_km=240)
    rows = built([run], "mart.record_best_effort", "mart.race_prediction")
    times = {row["effort_name"]: row["vdot_time_s"] for row in rows}
    assert times == pytest.approx(
        {"5K": 1200, "10K": 2487.8543937307636, "Half-Marathon": 5509.675691334957, "Marathon": 11477.187540885447}
    )
