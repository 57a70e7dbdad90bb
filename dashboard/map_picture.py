"""Maps drawn here with Pillow, for a browser that has to do nothing: density of routes, and explorer tiles.

One picture of numbers, each a colour by day and another by night: the ground, amounts, outlines, grid and letters.
"""

import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dashboard.explorer import Square, Tile
from dashboard.outlines import outlines
from dashboard.palette import theme
from dashboard.route_lines import EQUATOR_M, Floats, Lines, mercator

Numbers = np.ndarray[Any, np.dtype[np.uint8]]
Ints = np.ndarray[Any, np.dtype[np.int64]]
WIDTH, HEIGHT = 2000, 1000
MARGIN = 0.04  # of the width, around what is shown
LEAST_WIDTH = 1 / 2**14  # of the world: one tile of zoom 14
GROUND, FIRST, AMOUNTS = 0, 1, 64
OUTLINE, GRID = FIRST + AMOUNTS, FIRST + AMOUNTS + 1
LETTERS, SHADES = GRID + 1, 8
SQUARE = LETTERS + SHADES
DENSITY = {
    "light": ("#2A9AA3", "#057C88", "#005360", "#00303A"),
    "dark": ("#1B7F8B", "#21A3AD", "#62CFD1", "#C9FBF6"),
}
INK = "#808691"  # of grid, scale and letters: 3.6 : 1 by day, 5.0 : 1 by night
OUTLINES = {"light": "#C3CAD3", "dark": "#3B4654"}
FAINT = {"light": "#EDF0F3", "dark": "#1C232C"}
MOST = 0.995  # of the pixels that are passed have the colours to themselves; the few beyond look like the last
LOOKS_M = (1, 2, 5)  # a scale and a grid go by these and their tens


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the square world that a picture shows: its north-western corner and its width, of a world of 1."""

    x: float
    y: float
    width: float

    @property
    def metres(self) -> float:
        """How wide the picture is, at its middle."""
        return self.width * EQUATOR_M * math.cos(math.radians(self.latitude(self.y + self.width / 4)))

    @staticmethod
    def latitude(y: float) -> float:
        """Return the latitude of a place on the square world."""
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))

    def pixels(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where places on the square world are in the picture."""
        return (x - self.x) * (WIDTH / self.width), (y - self.y) * (WIDTH / self.width)


def frame_of(x: Floats, y: Floats) -> Frame:
    """Return the frame around places on the square world, twice as wide as high."""
    west, east, north, south = x.min(), x.max(), y.min(), y.max()
    width = max(float(east - west), 2 * float(south - north), LEAST_WIDTH) / (1 - 2 * MARGIN)
    return Frame(float(west + east - width) / 2, float(north + south - width / 2) / 2, width)


def density(lines: Lines, frame: Frame) -> tuple[Numbers, int]:
    """Return the picture's numbers, and how often the pixel that is passed most is passed."""
    counts = passes(lines, frame)
    for axis in (0, 1):  # two pixels wide
        counts = np.maximum(counts, np.roll(counts, 1, axis=axis))
    passed = counts[counts > 0]
    if not len(passed):
        return np.full((HEIGHT, WIDTH), GROUND, dtype=np.uint8), 0
    most = max(float(np.quantile(passed, MOST)), 2.0)
    levels = np.clip(np.log(np.arange(passed.max() + 1.0) + 1e-9) / math.log(most), 0, 1) * (AMOUNTS - 1)
    looks = (FIRST + levels).astype(np.uint8)
    looks[0] = GROUND
    return looks[counts], int(passed.max())


def passes(lines: Lines, frame: Frame) -> Ints:
    """Count by pixel how often it is passed; a line that comes back passes it again."""
    x, y = frame.pixels(*mercator(lines.latitudes, lines.longitudes))
    turn = WIDTH / frame.width  # a world's width
    line = np.repeat(np.arange(len(lines.rows)), np.diff(lines.starts))
    here = np.flatnonzero(np.diff(line) == 0) if len(line) else np.zeros(0, dtype=np.int64)
    here = here[_may_be_seen(x, y, here, turn)]
    steps = np.maximum(np.ceil(np.maximum(np.abs(x[here + 1] - x[here]), np.abs(y[here + 1] - y[here]))), 1).astype(int)
    of = np.repeat(np.arange(len(here)), steps)
    share = (np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[of]
    start = here[of]
    column = np.floor((x[start] + (x[start + 1] - x[start]) * share) % turn).astype(np.int64)
    row = np.floor(y[start] + (y[start + 1] - y[start]) * share).astype(np.int64)
    within = (column < WIDTH) & (row >= 0) & (row < HEIGHT)
    pixels = np.where(within, row * WIDTH + column, -1)
    enters = np.diff(pixels, prepend=-1) != 0
    enters[np.cumsum(steps) - steps] |= np.diff(line[here], prepend=-1) != 0
    return np.bincount(pixels[enters & within], minlength=WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)


def _may_be_seen(x: Floats, y: Floats, here: Ints, turn: float) -> Any:
    """Tell which steps may touch the picture: one far away would be walked pixel by pixel for nothing."""
    high, low = np.maximum(y[here], y[here + 1]), np.minimum(y[here], y[here + 1])
    seen = (high >= 0) & (low < HEIGHT)
    if turn < 2 * WIDTH:
        return seen
    west, east = np.minimum(x[here], x[here + 1]), np.maximum(x[here], x[here + 1])
    shown = np.zeros(len(here), dtype=bool)
    for world in (-1, 0, 1):  # a line that goes on beyond 180 degrees is seen where it comes in again
        shown |= (east + world * turn >= 0) & (west + world * turn < WIDTH)
    return seen & shown


def tiles(visits: Mapping[Tile, int], zoom: int, square: Square, cluster: Collection[Tile], frame: Frame) -> Numbers:
    """Return the picture of visited tiles: those of the largest cluster darker, and a frame around the square."""
    image = Image.fromarray(np.full((HEIGHT, WIDTH), GROUND, dtype=np.uint8))
    draw = ImageDraw.Draw(image)
    clustered = set(cluster)
    for tile in visits:
        west, north, east, south = _box(*tile, 1, zoom, frame)
        look = FIRST + (AMOUNTS * 2 // 3 if tile in clustered else AMOUNTS // 8)
        draw.rectangle((west, north, max(east - 4, west), max(south - 4, north)), fill=look)
    if square.size:
        draw.rectangle(_box(square.x, square.y, square.size, zoom, frame), outline=SQUARE, width=6)
    return np.array(image)


def _box(x: int, y: int, size: int, zoom: int, frame: Frame) -> tuple[int, int, int, int]:
    side = 1 / 2**zoom
    column, row = frame.pixels(np.array([x, x + size]) * side, np.array([y, y + size]) * side)
    return round(column[0]), round(row[0]), round(column[1]), round(row[1])


def tile_frame(visited: Collection[Tile], zoom: int) -> Frame:
    """Return the frame around some tiles."""
    x, y = (np.array([[tile[axis], tile[axis] + 1] for tile in visited]).ravel() / 2**zoom for axis in (0, 1))
    return frame_of(x, y)


def pictures(numbers: Numbers, frame: Frame, scale: tuple[float, str]) -> dict[str, bytes]:
    """Return PNG files for the themes light and dark, with outlines beneath, a grid in degrees and a scale bar.

    `scale` is the bar's length in metres and what it is called.
    """
    image = Image.fromarray(np.full((HEIGHT, WIDTH), GROUND, dtype=np.uint8))
    letters = Image.new("L", (WIDTH, HEIGHT))
    _outlines(ImageDraw.Draw(image), frame)
    _grid(ImageDraw.Draw(image), ImageDraw.Draw(letters), frame)
    _scale(ImageDraw.Draw(letters), frame, *scale)
    under = np.array(image)
    shade = np.array(letters).astype(np.int64) * SHADES // 256
    under = np.where(shade > 0, LETTERS + shade, under)
    whole = Image.fromarray(np.where(numbers == GROUND, under, numbers).astype(np.uint8))
    return {name: _png(whole, name) for name in DENSITY}


def _png(numbers: Image.Image, name: str) -> bytes:
    ground = _rgb(theme(name)["backgroundColor"])
    colours = [ground, *_ramp([_rgb(one) for one in DENSITY[name]], AMOUNTS), _rgb(OUTLINES[name]), _rgb(FAINT[name])]
    colours += _ramp([ground, _rgb(INK)], SHADES)
    colours.append(_rgb(theme(name)["chartCategoricalColors"][10]))  # the colour `form`
    numbers.putpalette([part for colour in colours for part in colour])
    sink = io.BytesIO()
    numbers.save(sink, "PNG", compress_level=6)
    return sink.getvalue()


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _ramp(stops: Sequence[tuple[int, ...]], count: int) -> list[tuple[int, ...]]:
    at = np.linspace(0, len(stops) - 1, count)
    parts = [np.interp(at, range(len(stops)), [stop[part] for stop in stops]) for part in range(3)]
    return [tuple(round(float(part[step])) for part in parts) for step in range(count)]


def _outlines(draw: ImageDraw.ImageDraw, frame: Frame) -> None:
    north, south = (frame.latitude(frame.y + part * frame.width / 2) for part in (0, 1))
    for world in (-1, 0, 1):  # the frame may go on beyond 180 degrees
        west, east = (360 * (frame.x + part * frame.width - world) - 180 for part in (0, 1))
        for latitudes, longitudes in outlines().lines(south, west, north, east):
            x, y = mercator(latitudes, longitudes)
            column, row = frame.pixels(x + world, y)
            draw.line(list(zip(column.tolist(), row.tolist(), strict=True)), fill=OUTLINE, width=2)


def _grid(draw: ImageDraw.ImageDraw, letters: ImageDraw.ImageDraw, frame: Frame) -> None:
    """Draw meridians and parallels, and write their degrees."""
    step = round_number(frame.width * 360 / 7)
    decimals = max(0, -math.floor(math.log10(step)))
    font = ImageFont.load_default(22)
    for number in range(
        math.ceil((360 * frame.x - 180) / step), math.floor((360 * (frame.x + frame.width) - 180) / step) + 1
    ):
        degrees = number * step
        column = (degrees + 180 - 360 * frame.x) / 360 * WIDTH / frame.width
        draw.line([(column, 0), (column, HEIGHT)], fill=GRID, width=2)
        around = (degrees + 180) % 360 - 180
        letters.text(
            (column + 8, HEIGHT - 34), f"{abs(around):.{decimals}f}° {'W' if around < 0 else 'E'}", fill=255, font=font
        )
    south, north = (frame.latitude(frame.y + part * frame.width / 2) for part in (1, 0))
    for number in range(math.ceil(south / step), math.floor(north / step) + 1):
        degrees = number * step
        _, y = mercator(np.array([degrees]), np.zeros(1))
        row = float(y[0] - frame.y) * WIDTH / frame.width
        draw.line([(0, row), (WIDTH, row)], fill=GRID, width=2)
        letters.text((8, row + 6), f"{abs(degrees):.{decimals}f}° {'S' if degrees < 0 else 'N'}", fill=255, font=font)


def _scale(letters: ImageDraw.ImageDraw, frame: Frame, metres: float, title: str) -> None:
    long = metres / frame.metres * WIDTH
    right, bottom = WIDTH - 60, HEIGHT - 64
    letters.line([(right - long, bottom - 12), (right - long, bottom), (right, bottom), (right, bottom - 12)], 255, 4)
    letters.text((right - long, bottom - 44), title, fill=255, font=ImageFont.load_default(26))


def round_number(most: float) -> float:
    """Return the largest of 1, 2 and 5 and their tens and tenths that is not above a number."""
    ten: float = 10.0 ** math.floor(math.log10(most))
    return ten * max(look for look in LOOKS_M if look * ten <= most * (1 + 1e-9))
