"""Metric and imperial: how a measure is scaled, and what its unit is called."""

from dataclasses import dataclass
from enum import StrEnum

METRES_PER_MILE = 1609.344  # exact, international yard and pound agreement of 1959
METRES_PER_FOOT = 0.3048
METRES_PER_YARD = 0.9144


class Units(StrEnum):
    """The reader's system of units; its value is the word in the address."""

    METRIC = "metric"
    IMPERIAL = "imperial"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit that `size` metres are one of."""

    name: str
    size: float


LONG = {Units.METRIC: Unit(name="km", size=1000), Units.IMPERIAL: Unit(name="mi", size=METRES_PER_MILE)}
HIGH = {Units.METRIC: Unit(name="m", size=1), Units.IMPERIAL: Unit(name="ft", size=METRES_PER_FOOT)}
SWUM = {Units.METRIC: Unit(name="100 m", size=100), Units.IMPERIAL: Unit(name="100 yd", size=100 * METRES_PER_YARD)}
FAST = {Units.METRIC: "km/h", Units.IMPERIAL: "mph"}
