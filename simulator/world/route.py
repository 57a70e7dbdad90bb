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
        steps = _steps(rng, count)
        north, east = (sum(parts) / count for parts in zip(*steps, strict=True))
        steps = [(step[0] - north, step[1] - east) for step in steps]  # without drift, it ends where it began
    spread = 0.0006 if rng.random() < 0.7 else 0.03  # most days begin at the door
    latitude, longitude = place.latitude + rng.gauss(0, spread), place.longitude + rng.gauss(0, spread)
    north_per_step = distance_m / len(steps) / METRES_PER_DEGREE
    east_per_step = north_per_step / cos(radians(latitude))
    points = [(round(latitude, 6), round(longitude, 6))]
    for north, east in steps:
        latitude += north * north_per_step
        longitude += east * east_per_step
        points.append((round(latitude, 6), round(longitude, 6)))
    return points


def decimate(points: list[Point], limit: int = 180) -> list[Point]:
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
