"""Invented roads around a town, and the loops that the athlete knows on them: routes meet, and come again.

The junctions are a jittered grid that depends on the place alone. A loop is named by a text,
`spacing/length/variant`: metres between the junctions it uses, metres that it is meant to have, and which one of that
length it is. The same name is always the same line.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import atan2, cos, hypot, pi, radians, sin
from random import Random

from simulator.world.places import PLACES, Place
from simulator.world.sports import RIDES

Point = tuple[float, float]
Node = tuple[int, int]
METRES_PER_DEGREE = 111_320.0
STREETS_M, ROADS_M = 350, 2000  # between two junctions: on foot, and by bike
FOOT_STEP_M, RIDE_STEP_M = 2500, 12_500  # loops come in these steps of length
SHORT_RIDE_M = 10_000
COMMUTE = f"{STREETS_M}/6000/0"
FAVOURITES = (0, 0, 0, 1, 1, 2)
OTHERS = 24  # how many further loops of one length the athlete tries
RACE_COURSE = 99
AROUND = 9  # way points of a loop
GPS_ERROR_M = 3.0
GRID_TURN = 0.45  # radians: no town's streets all lead exactly north


def choose(rng: Random, sport_type: str, amount_m: float, purpose: str = "") -> str:
    """Return the name of a loop of about so many metres: mostly a favourite, and always the same way to work."""
    if purpose == "commute":
        return COMMUTE
    by_road = sport_type in RIDES and amount_m >= SHORT_RIDE_M
    step = RIDE_STEP_M if by_road else FOOT_STEP_M
    variant = rng.choice(FAVOURITES) if rng.random() < 0.7 else 3 + rng.randrange(OTHERS)
    return f"{ROADS_M if by_road else STREETS_M}/{max(1, round(amount_m / step)) * step}/{variant}"


def race_course(distance_m: float) -> str:
    """Return the name of the course of a race, which is held on the same streets each time."""
    return f"{STREETS_M}/{round(distance_m)}/{RACE_COURSE}"


@lru_cache(maxsize=8192)
def length_m(place: str, loop: str) -> float:
    """Return the metres that a loop really has."""
    return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(_line(place, loop)))


def recorded(rng: Random, place: Place, loop: str) -> list[Point]:
    """Return latitudes and longitudes of a loop, as a receiver that is some metres off records them."""
    east_per_degree = METRES_PER_DEGREE * cos(radians(place.latitude))
    return [
        (
            round(place.latitude + (north + rng.gauss(0, GPS_ERROR_M)) / METRES_PER_DEGREE, 6),
            round(place.longitude + (east + rng.gauss(0, GPS_ERROR_M)) / east_per_degree, 6),
        )
        for east, north in _line(place.name, loop)
    ]


@lru_cache(maxsize=256)
def _line(place: str, loop: str) -> tuple[Point, ...]:
    """Return metres east and north of the door along the loop, which ends where it began."""
    spacing = int(loop.partition("/")[0])
    nodes = _nodes(place, loop)
    points = [_junction(place, spacing, nodes[0])]
    for start, end in pairwise(nodes):
        points += _road(place, spacing, start, end)
    return tuple(points)


def _nodes(place: str, loop: str) -> list[Node]:
    """Walk from way point to way point around a bent circle through the door; dead ends are left out."""
    spacing, length, _ = map(int, loop.split("/"))
    rng = Random(f"{place}:{loop}")
    radius = length / 8  # along streets that cross at right angles, a circle of radius r has 8 r
    inland, swing = PLACES[place].inland_degrees, pi / 3
    bearing = rng.uniform(0, 2 * pi) if inland is None else radians(inland) + rng.uniform(-swing, swing)
    targets: list[Node] = [(0, 0)]
    for step in range(1, AROUND):
        angle = bearing + pi + step * 2 * pi / AROUND
        far = radius * rng.uniform(0.7, 1.2)
        east, north = radius * sin(bearing) + far * sin(angle), radius * cos(bearing) + far * cos(angle)
        targets.append((round(east / spacing), round(north / spacing)))
    nodes: list[Node] = [(0, 0)]
    for target in [*targets[1:], (0, 0)]:
        for node in _between(nodes[-1], target):
            if len(nodes) > 1 and nodes[-2] == node:
                nodes.pop()
            else:
                nodes.append(node)
    return nodes if len(nodes) > 1 else [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]


def _between(start: Node, end: Node) -> Iterator[Node]:
    """Yield the junctions after the first one, always along the direction in which more is left to go."""
    east, north = start
    while (east, north) != end:
        left_east, left_north = end[0] - east, end[1] - north
        if abs(left_east) >= abs(left_north):
            east += 1 if left_east > 0 else -1
        else:
            north += 1 if left_north > 0 else -1
        yield east, north


@lru_cache(maxsize=8192)
def _junction(place: str, spacing: int, node: Node) -> Point:
    if node == (0, 0):
        return 0.0, 0.0
    rng = Random(f"{place}:{spacing}:{node}")
    east, north = ((each + rng.uniform(-0.3, 0.3)) * spacing for each in node)
    return east * cos(GRID_TURN) - north * sin(GRID_TURN), east * sin(GRID_TURN) + north * cos(GRID_TURN)


def _road(place: str, spacing: int, start: Node, end: Node) -> list[Point]:
    """Return the bent line to the next junction without its beginning; both directions are the same line."""
    low, high = sorted((start, end))
    (east, north), (far_east, far_north) = (_junction(place, spacing, node) for node in (low, high))
    rng = Random(f"{place}:{spacing}:{low}:{high}")
    across = atan2(far_north - north, far_east - east) + pi / 2
    bend, bends = spacing * rng.uniform(-0.1, 0.1), rng.choice((1, 2, 3))
    count = 16 if spacing == ROADS_M else 6
    points = []
    for step in range(count + 1):
        share = step / count
        aside = bend * sin(pi * bends * share)
        points.append((
            east + (far_east - east) * share + aside * cos(across),
            north + (far_north - north) * share + aside * sin(across),
        ))  # fmt: skip
    return (points if start == low else points[::-1])[1:]
