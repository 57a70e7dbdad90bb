"""Fitness, fatigue and form of random lives: the model's SQL against a loop over the days."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from statistics import fmean, pstdev
from typing import Any

import pytest

from tests.transforms.compiled import InMemory
from tests.transforms.warehouse import BERLIN, SCRIPTS

pytestmark = pytest.mark.slow

FIRST = date(1996, 5, 17)
FORECAST_DAYS = 14
DAY = {"athlete_id": "bigint", "sport_group": "varchar", "date_day": "date", "load": "double"}
SHARES = {
    "fitness": 1 - math.exp(-1 / 42),
    "fatigue": 1 - math.exp(-1 / 7),
    "linear_fitness": 1 / 42,
    "linear_fatigue": 1 / 7,
}
DAYS, MART = "staging.int_summaries__daily_by_group", "mart.training_load_daily"
IN_ORDER = f"select * from {MART} order by sport_group, date_day"  # noqa: S608 - our own name
Built = Callable[[Mapping[str, Sequence[float]]], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def database(compiled_models: Mapping[str, str]) -> Iterator[InMemory]:
    """The models as a full build has them."""
    with closing(InMemory(compiled_models)) as database:
        yield database


@pytest.fixture(scope="session")
def built(database: InMemory) -> Built:
    """Builds the model of loads by sport group, one for each day from FIRST on."""

    def rows(loads: Mapping[str, Sequence[float]], first: date = FIRST) -> list[dict[str, Any]]:
        database.put(DAYS, DAY, [])
        for group, each in loads.items():
            database.put_days(DAYS, BERLIN, group, first, each)
        database.build(MART)
        return database.rows(IN_ORDER)

    return rows


def random_loads(dice: random.Random, days: int) -> list[float]:
    """Return a load for each day, to a millionth: hard and easy times, rest days, pauses, and here and there a lot."""
    loads: list[float] = []
    while len(loads) < days:
        usual, active = dice.choice([0, 20, 80, 300]), dice.random()
        loads += [round(dice.expovariate(1 / usual), 6) if usual and dice.random() < active else 0.0 for _ in range(60)]
        loads.append(dice.choice([0.0, 25_000.0]))
    return loads[:days]


def averages(loads: Sequence[float], share: float) -> list[float]:
    """Walk through the days, one step each, from zero."""
    state, states = 0.0, []
    for load in loads:
        state += share * (load - state)
        states.append(state)
    return states


def test_thirty_years_are_those_of_a_loop(built: Built) -> None:
    """Each average is within a thousand-millionth of the loop on every day, two weeks ahead included; form follows."""
    dice = random.Random(7)
    loads = {"all": random_loads(dice, 30 * 365 + 8), "run": random_loads(dice, 130), "ride": [60.5]}
    found = built(loads)
    for group, told in loads.items():
        rows, ahead = [row for row in found if row["sport_group"] == group], [*told, *[0.0] * FORECAST_DAYS]
        assert [row["date_day"] for row in rows] == [FIRST + timedelta(days=n) for n in range(len(ahead))]
        assert [row["load"] for row in rows] == ahead
        assert [row["is_forecast"] for row in rows] == [False] * len(told) + [True] * FORECAST_DAYS
        wanted = {name: averages(ahead, share) for name, share in SHARES.items()}
        for name, states in wanted.items():
            assert [row[name] for row in rows] == pytest.approx(states, abs=1e-9, rel=0), (group, name)
        for prefix in ("", "linear_"):
            after = [row[f"{prefix}fitness"] - row[f"{prefix}fatigue"] for row in rows]
            assert [row[f"{prefix}form_after"] for row in rows] == after
            assert [row[f"{prefix}form"] for row in rows] == [0, *after[:-1]]


def test_weeks_are_what_one_adds_up(built: Built) -> None:
    """Ramp, seven days, monotony, strain and three weeks before, on each day of two years with equal weeks in them."""
    loads = [*random_loads(random.Random(8), 700), *[40.0] * 20, *[80.0] * 10, *[0.0] * 40]
    rows = built({"all": loads})
    loads += [0.0] * FORECAST_DAYS
    for place, row in enumerate(rows):
        week, before = loads[max(place - 6, 0) : place + 1], loads[max(place - 27, 0) : max(place - 6, 0)]
        assert row["load_7_days"] == pytest.approx(math.fsum(week))
        assert row["is_warming_up"] == (place < 42)
        assert (row["load_3_weeks_before"] or 0) == pytest.approx(math.fsum(before))
        ramp = row["fitness"] - rows[place - 7]["fitness"] if place >= 7 else None
        assert row["ramp"] == ramp
        if place < 6 or len(set(week)) == 1:
            assert row["monotony"] is row["strain"] is None
        else:
            assert row["monotony"] == pytest.approx(fmean(week) / pstdev(week), rel=1e-9)
            assert row["strain"] == pytest.approx(math.fsum(week) * fmean(week) / pstdev(week), rel=1e-9)
        if place < 27 or not any(before):
            assert row["load_ratio"] is None
        else:
            assert row["load_ratio"] == pytest.approx(fmean(week) / fmean(before), rel=1e-9)


LOADS = random_loads(random.Random(9), 900)
# What a refresh finds: the loads of `all` from so many days after FIRST on, and how many after FIRST the first differs.
CHANGES = {
    "an edit": (0, [*LOADS[:700], 77.5, *LOADS[701:]], 700),
    "an edit of the first day": (0, [99.25, *LOADS[1:]], 0),
    "a new day": (0, [*LOADS, 40.0], 900),
    "a last day that is no more": (0, LOADS[:-1], 899),
    "an older first day": (-200, [12.0, *[0.0] * 199, *LOADS], -200),
    "nothing": (0, LOADS, None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_refresh_builds_the_days_from_the_first_changed_one(database: InMemory, built: Any, change: str) -> None:
    """To the last bit what a full build has; the days before stay as they are, but for the one just before.

    That one goes with the days to come, which follow it where the last day is no more. Another group is not touched.
    """
    offset, loads, first_changed = CHANGES[change]
    first, run = FIRST + timedelta(days=offset), [1.5] * 30
    wanted = built({"all": loads}, first)
    built({"all": LOADS, "run": run})
    database.run(f"update {MART} set definition_version = 0")  # noqa: S608 - our own name
    others = [row for row in database.rows(IN_ORDER) if row["sport_group"] == "run"]
    database.put(DAYS, DAY, [])
    database.put_days(DAYS, BERLIN, "all", first, loads)
    database.put_days(DAYS, BERLIN, "run", FIRST, run)
    changed = [] if first_changed is None else [FIRST + timedelta(days=first_changed)]
    key = {"athlete_id": BERLIN, "sport_group": "all"}
    database.put("staging.int_summaries__changed_days", DAY, [{**key, "date_day": day} for day in changed])
    [model] = [model for model in SCRIPTS[()].models if model.name == "training_load_daily"]
    database.run(*model.statements)
    rows = database.rows(IN_ORDER)
    assert [row for row in rows if row["sport_group"] == "run"] == others
    mine = [row for row in rows if row["sport_group"] == "all"]
    touched = [row["date_day"] for row in mine if row["definition_version"]]
    kept = [row["date_day"] for row in mine if not row["definition_version"]]
    assert [row | {"definition_version": 1} for row in mine] == wanted
    assert not touched if first_changed is None else min(touched) == max(first, changed[0] - timedelta(days=1))
    assert not kept or not touched or max(kept) < min(touched)
