"""How each sport group looks: one name and one colour, the same on every chart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SportGroup:
    """A row of the transforms' seed, as shown."""

    title: str
    colour: str


# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), told apart with any colour vision. Their black is lost
# in dark mode, their yellow in light mode: a grey and a violet stand in, chosen to be farthest from the others under
# simulated protan, deutan and tritan vision, and to be seen on both backgrounds.
GROUPS = {
    "run": SportGroup("Run", "#D55E00"),
    "ride": SportGroup("Ride", "#0072B2"),
    "swim": SportGroup("Swim", "#56B4E9"),
    "walk": SportGroup("Walk", "#009E73"),
    "winter": SportGroup("Winter", "#CC79A7"),
    "water": SportGroup("Water", "#8833DD"),
    "strength": SportGroup("Strength", "#E69F00"),
    "other": SportGroup("Other", "#666666"),
}


def group(name: str) -> SportGroup:
    """Return how the group looks; one that is new to us looks like `other` under its own name."""
    return GROUPS.get(name) or SportGroup(name.replace("_", " ").capitalize(), GROUPS["other"].colour)


def rank(name: str) -> int:
    """Return the group's place in stacks and legends; groups new to us come last."""
    return list(GROUPS).index(name) if name in GROUPS else len(GROUPS)
