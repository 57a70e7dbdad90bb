"""How each sport group is called and ordered, the same on every chart; the palette has its colour by its name."""

from dashboard.formatting import Teller
from dashboard.languages import N_
from dashboard.palette import SPORTS

# The groups of the transforms' seed.
TITLES = {
    "run": N_("Run"),
    "ride": N_("Ride"),
    "swim": N_("Swim"),
    "walk": N_("Walk"),
    "winter": N_("Winter"),
    "water": N_("Water"),
    "strength": N_("Strength"),
    "other": N_("Other"),
}


def title(group: str, tell: Teller) -> str:
    """Return the group's name in the reader's language; one that is new to us keeps its own."""
    return tell(TITLES[group]) if group in TITLES else group.replace("_", " ").capitalize()


def colour(group: str) -> str:
    """Return the group's name in SERIES; a group that is new to us looks like `other`."""
    return group if group in SPORTS else "other"


def rank(group: str) -> int:
    """Return the group's place in stacks and legends; groups new to us come last."""
    return SPORTS.index(group) if group in SPORTS else len(SPORTS)
