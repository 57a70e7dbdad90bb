"""Fitness, fatigue and form from the training load of each day.

Each is an average that goes a part of the way to the day's load, one step per local day, from 0 on the day before the
first activity: x(t) = x(t-1) + a * (load(t) - x(t-1)) with a = 1 - exp(-1 / days), over 42 days for fitness and 7 for
fatigue. Form is yesterday's fitness minus yesterday's fatigue: how fresh before today's training. This is Coggan's
performance manager in the exponential form of WKO+.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

FITNESS_DAYS, FATIGUE_DAYS = 42, 7
WARM_UP_DAYS = FITNESS_DAYS  # until then fitness is still building up from zero


@dataclass(frozen=True, slots=True)
class Form:
    """The state after a day, in units of load per day."""

    fitness: float
    fatigue: float

    @property
    def value(self) -> float:
        """How fresh the next day begins."""
        return self.fitness - self.fatigue


def before(today: date, loads: Mapping[date, float]) -> list[float]:
    """Return a load per day from the first one told up to yesterday; a day of which nothing is told has none."""
    first = min(loads, default=today)
    return [loads.get(first + timedelta(days=number), 0.0) for number in range((today - first).days)]


def course(loads: Sequence[float]) -> list[Form]:
    """Return the state at the end of each day; `loads` has one number per day from the first activity on."""
    state, states = Form(0.0, 0.0), []
    for load in loads:
        state = Form(_step(state.fitness, load, FITNESS_DAYS), _step(state.fatigue, load, FATIGUE_DAYS))
        states.append(state)
    return states


def _step(before: float, load: float, days: int) -> float:
    return before + share(days) * (load - before)


def share(days: int) -> float:
    """Return what part of the way to the day's load the average goes in a day."""
    return 1 - math.exp(-1 / days)
