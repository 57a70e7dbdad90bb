"""Fitness, fatigue and form against numbers that were computed elsewhere."""

import math
from datetime import date

import pytest

from dashboard.form import before, course
from dashboard.overview.tiles import band

LOADS = [100, 0, 50, 0, 0]
FITNESS = [2.3528313347756735, 2.2974731818766507, 3.419833180333226, 3.33937027366929, 3.260800523486215]
FATIGUE = [13.312210024981841, 11.54006066748957, 16.65992856691396, 14.442123886074425, 12.519558022292129]
AFTER = [-10.959378690206167, -9.242587485612919, -13.240095386580732, -11.102753612405134, -9.258757498805913]


def test_five_days_are_those_of_the_definition() -> None:
    """Exponential averages over 42 and 7 days from zero; what is left after a day is the next day's form."""
    states = course(LOADS)
    assert [state.fitness for state in states] == pytest.approx(FITNESS, rel=1e-12)
    assert [state.fatigue for state in states] == pytest.approx(FATIGUE, rel=1e-12)
    assert [state.value for state in states] == pytest.approx(AFTER, rel=1e-12)


def test_after_42_days_of_the_same_load_fitness_is_63_per_cent_of_it() -> None:
    """1 - 1/e of the way, for any load."""
    assert course([100] * 42)[-1].fitness == pytest.approx(100 * (1 - 1 / math.e))
    assert course([]) == []


@pytest.mark.parametrize(
    ("value", "word"),
    [(25, "very fresh"), (10, "fresh"), (0, "neutral"), (-10, "neutral"), (-10.1, "building"), (-30.1, "overreaching")],
)
def test_a_form_has_a_word(value: float, word: str) -> None:
    """Each band begins with its lower end."""
    assert band(value) == word


def test_form_is_of_the_days_before_today() -> None:
    """Days after the marts' build have no load; what today already has is tomorrow's."""
    loads = {date(2026, 11, 16): 100.0, date(2026, 11, 17): 0.0, date(2026, 11, 18): 50.0}
    assert before(date(2026, 11, 18), loads) == [100, 0]
    assert before(date(2026, 11, 21), loads) == LOADS
    assert before(date(2026, 11, 21), {}) == []
