"""What lines on a map come to, worked out point by point: the reference of `polyline.py` and of BigQuery's SQL."""

from itertools import accumulate, pairwise
from math import ceil, cos, floor, log, pi, radians, sin

from hypothesis import strategies as st

Point = tuple[int, int]  # latitude and longitude in 1e-5 degrees
Tile = tuple[int, int, int]  # zoom, x, y
TURN = 36_000_000
EARTH_RADIUS_M = 6_371_008.8


@st.composite
def walks(draw: st.DrawFn, longest: int = 200) -> list[Point]:
    """Lines of steps from some metres to a hundred kilometres; some cross 180 degrees or touch a pole."""
    latitude = draw(st.sampled_from([5_252_001, -1_680_000, 0, 8_999_000, -3_385_678]))
    longitude = draw(st.sampled_from([1_340_495, 17_999_000, -17_999_000, 0, 15_121_530]))
    spread = draw(st.sampled_from([60, 900, 3_000, 40_000]))
    steps = draw(st.lists(st.tuples(*[st.integers(-spread, spread)] * 2), max_size=longest))
    points = [(latitude, longitude)]
    for north, east in steps:
        latitude = min(max(latitude + north, -9_000_000), 9_000_000)
        longitude = (longitude + east + TURN // 2) % TURN - TURN // 2
        points.append((latitude, longitude))
    return points


def encoded(points: list[Point]) -> str:
    """Encode whole numbers of 1e-5 degrees."""
    text, before = "", (0, 0)
    for point in points:
        for difference in (point[0] - before[0], point[1] - before[1]):
            number = ~(difference << 1) if difference < 0 else difference << 1
            while number >= 32:
                text += chr((number & 31) + 32 + 63)
                number >>= 5
            text += chr(number + 63)
        before = point
    return text


def decoded(text: str) -> list[Point] | None:
    """Read a line letter by letter; None where it does not follow the rules or leaves the globe."""
    numbers, letters = [], ""
    for letter in text:
        letters += letter
        if not 63 <= ord(letter) <= 126 or len(letters) > 7:
            return None
        if ord(letter) < 95:
            number = sum(((ord(each) - 63) & 31) << (5 * place) for place, each in enumerate(letters))
            numbers.append(~(number >> 1) if number & 1 else number >> 1)
            letters = ""
    if letters or not numbers or len(numbers) % 2:
        return None
    points = list(zip(accumulate(numbers[::2]), accumulate(numbers[1::2]), strict=True))
    is_on_globe = all(abs(north) <= TURN // 4 and abs(east) <= TURN // 2 for north, east in points)
    return points if is_on_globe else None


def unwrapped(points: list[Point]) -> list[Point]:
    """Follow a line the shorter way round, so that beyond 180 degrees it goes on."""
    followed = points[:1]
    for before, (latitude, longitude) in pairwise(points):
        step = longitude - before[1]
        step += TURN if step < -TURN // 2 else -TURN if step > TURN // 2 else 0
        followed.append((latitude, followed[-1][1] + step))
    return followed


def simplified(points: list[Point]) -> list[Point]:
    """Leave at most 60 points: the ends, and of 58 stretches the point of the largest triangle each."""
    if len(points) <= 60:
        return points
    stretches: dict[int, list[int]] = {}
    for step in range(1, len(points) - 1):
        stretches.setdefault((step - 1) * 58 // (len(points) - 2), []).append(step)
    kept = [0, len(points) - 1]
    for steps in stretches.values():
        (north, east), (to_north, to_east) = points[steps[0] - 1], points[steps[-1] + 1]
        areas = [
            abs((to_north - north) * (points[step][1] - east) - (to_east - east) * (points[step][0] - north))
            for step in steps
        ]
        kept.append(steps[areas.index(max(areas))])
    return [points[step] for step in sorted(kept)]


def on_map(point: Point, zoom: int) -> tuple[float, float]:
    """Return a place on the square map of the world, in tiles from its north-west corner."""
    sine = sin(radians(min(max(point[0] / 100_000, -85.0511287798066), 85.0511287798066)))
    tiles = 2**17
    x, y = (point[1] + TURN // 2) / TURN * tiles, (0.5 - log((1 + sine) / (1 - sine)) / (4 * pi)) * tiles
    return x / 2 ** (17 - zoom), y / 2 ** (17 - zoom)


def tile(x: float, y: float, zoom: int) -> Tile:
    """Return the tile of a place on that map."""
    return zoom, floor(x) % 2**zoom, min(max(floor(y), 0), 2**zoom - 1)


def visited(points: list[Point], zoom: int) -> set[Tile]:
    """The tiles of a line's points, and the one that it crosses between two that touch at a corner."""
    places = [on_map(point, zoom) for point in points]
    found = {tile(*place, zoom) for place in places}
    for (x1, y1), (x2, y2) in pairwise(places):
        if abs(floor(x2) - floor(x1)) == abs(floor(y2) - floor(y1)) == 1:
            crossing = y1 + (y2 - y1) * (max(floor(x1), floor(x2)) - x1) / (x2 - x1)
            found.add(tile(x2, y1, zoom) if floor(crossing) == floor(y1) else tile(x1, y2, zoom))
    return found


def passed(points: list[Point], zoom: int) -> set[Tile]:
    """The tiles that a line visits or passes between points at most a kilometre apart."""
    found = visited(points, zoom)
    for one, other in pairwise(points):
        north, east = ((radians(other[axis] / 100_000) - radians(one[axis] / 100_000)) for axis in (0, 1))
        east *= cos((radians(one[0] / 100_000) + radians(other[0] / 100_000)) / 2)
        if (north**2 + east**2) * EARTH_RADIUS_M**2 > 1_000_000:
            continue
        (x1, y1), (x2, y2) = on_map(one, 17), on_map(other, 17)
        parts = max(ceil(2 * max(abs(x2 - x1), abs(y2 - y1))), 1)
        scale = 2 ** (17 - zoom)
        for part in range(1, parts):
            share = part / parts
            found.add(tile((x1 + (x2 - x1) * share) / scale, (y1 + (y2 - y1) * share) / scale, zoom))
    return found
