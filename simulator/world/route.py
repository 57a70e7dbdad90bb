"""Routes that look like streets: a walk whose heading keeps to a grid, closed into a loop or walked back."""

from math import cos, pi, radians, sin
from random import Random

from simulator.world.places import Place

Point = tuple[float, float]
METRES_PER_DEGREE = 111_320.0


def walk(rng: Random, place: Place, distance_m: float) -> list[Point]:
    """Return the route's points, evenly spaced, at least 60 and at most 600."""
    count = int(min(max(distance_m / 45, 60), 600))
    if rng.random() < 0.35:
        half = _steps(rng, count // 2)
        steps = half + [(-north, -east) for north, east in reversed(half)]
    else:
        steps = _close(_steps(rng, count))
    return _lay(steps, _start(rng, place), distance_m / len(steps))


def decimate(points: list[Point], limit: int = 90) -> list[Point]:
    """Thin a route to about `limit` points, ends kept."""
    stride = max(1, len(points) // limit)
    thinned = points[::stride]
    return thinned if thinned[-1] == points[-1] else [*thinned, points[-1]]


def _steps(rng: Random, count: int) -> list[Point]:
    grid, heading = rng.random() * pi / 2, rng.randrange(4)
    steps: list[Point] = []
    for _ in range(count):
        if rng.random() < 0.12:
            heading += rng.choice((-1, 1))
        angle = grid + heading * pi / 2 + rng.gauss(0, 0.12)
        steps.append((cos(angle), sin(angle)))
    return steps


def _close(steps: list[Point]) -> list[Point]:
    """Take the drift out, so that the last step ends where the first began."""
    north = sum(step[0] for step in steps) / len(steps)
    east = sum(step[1] for step in steps) / len(steps)
    return [(step[0] - north, step[1] - east) for step in steps]


def _start(rng: Random, place: Place) -> Point:
    door = rng.random() < 0.7  # most days begin at the door
    spread = 0.0006 if door else 0.03
    return place.latitude + rng.gauss(0, spread), place.longitude + rng.gauss(0, spread)


def _lay(steps: list[Point], start: Point, step_m: float) -> list[Point]:
    latitude, longitude = start
    per_degree_east = METRES_PER_DEGREE * cos(radians(latitude))
    points = [(round(latitude, 6), round(longitude, 6))]
    for north, east in steps:
        latitude += north * step_m / METRES_PER_DEGREE
        longitude += east * step_m / per_degree_east
        points.append((round(latitude, 6), round(longitude, 6)))
    return points
