"""Where an athlete's routes are: areas whose routes begin near one another, so that a holiday does not shrink home."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from dashboard.formatting import Teller
from dashboard.mart import Row
from dashboard.outlines import outlines

HALF_DEGREE = 50_000  # in 1e-5 degrees: about 55 km to the north
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Area:
    """Routes that begin in neighbouring cells of half a degree, the newest first, and the middle of where they begin.

    That middle is in degrees.
    """

    rows: Sequence[Row]
    latitude: float
    longitude: float

    @property
    def word(self) -> str:
        """What the address calls it."""
        return f"{self.latitude:.1f},{self.longitude:.1f}"

    def title(self, tell: Teller) -> str:
        """Return the country and the place: `Germany, 52.5° N 13.4° E`."""
        north = f"{tell.number(abs(self.latitude), 1)}° {tell('S') if self.latitude < 0 else tell('N')}"
        east = f"{tell.number(abs(self.longitude), 1)}° {tell('W') if self.longitude < 0 else tell('E')}"
        country = outlines().country_at(self.latitude, self.longitude, tell.language)
        return f"{country}, {north} {east}" if country else f"{north} {east}"


def areas(rows: Sequence[Row]) -> list[Area]:
    """Return the areas of rows of `map/routes`, the one with the most routes first."""
    cells: dict[Cell, list[Row]] = defaultdict(list)
    for row in rows:
        cells[row["path_latitudes"][0] // HALF_DEGREE, row["path_longitudes"][0] // HALF_DEGREE].append(row)
    left, found = set(cells), []
    for start in sorted(cells):
        if start not in left:
            continue
        left.remove(start)
        joined, waiting = [start], [start]
        while waiting:
            north, east = waiting.pop()
            near = {(north + up, east + across) for up in (-1, 0, 1) for across in (-1, 0, 1)} & left
            left -= near
            joined += near
            waiting += near
        found.append(_area([row for cell in joined for row in cells[cell]]))
    return sorted(found, key=lambda area: (-len(area.rows), area.word))


def _area(rows: list[Row]) -> Area:
    latitude, longitude = (median(row[f"path_{axis}"][0] for row in rows) for axis in ("latitudes", "longitudes"))
    rows.sort(key=lambda row: (row["start_date_local"], row["activity_id"]), reverse=True)
    return Area(rows, latitude / 100_000, longitude / 100_000)
