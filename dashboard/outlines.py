"""Coasts and borders of the world, shipped with the package, so that no map asks a server.

Made with Natural Earth, free vector and raster map data at 1:50 million (https://www.naturalearthdata.com, public
domain), from `countries-50m.json` of the npm package world-atlas 2.0.2 (https://github.com/topojson/world-atlas, ISC).
`python -m dashboard.outlines countries-50m.json` writes `outlines.npz` from it.

The file keeps TopoJSON's arcs (https://github.com/topojson/topojson-specification): a border that two countries share
is one line. `deltas` has each line's first point and its steps, in the file's own grid; `ends` where lines end;
`scale` and `origin` lead from the grid to degrees; `names` are the countries', and `country` and `arc` say which lines
bound which country.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from babel import Locale

FILE = "outlines.npz"
# Natural Earth's names that are not Babel's English ones, by the codes of ISO 3166-1; a few of its places have none.
CODES = {
    "Antigua and Barb.": "AG",
    "Åland": "AX",
    "Bosnia and Herz.": "BA",
    "St-Barthélemy": "BL",
    "Dem. Rep. Congo": "CD",
    "Central African Rep.": "CF",
    "Congo": "CG",
    "Côte d'Ivoire": "CI",
    "Cook Is.": "CK",
    "Cabo Verde": "CV",
    "Dominican Rep.": "DO",
    "W. Sahara": "EH",
    "Falkland Is.": "FK",
    "Faeroe Is.": "FO",
    "Eq. Guinea": "GQ",
    "S. Geo. and the Is.": "GS",
    "Hong Kong": "HK",
    "Heard I. and McDonald Is.": "HM",
    "Br. Indian Ocean Ter.": "IO",
    "St. Kitts and Nevis": "KN",
    "Cayman Is.": "KY",
    "Saint Lucia": "LC",
    "St-Martin": "MF",
    "Marshall Is.": "MH",
    "Macedonia": "MK",
    "Myanmar": "MM",
    "Macao": "MO",
    "N. Mariana Is.": "MP",
    "Fr. Polynesia": "PF",
    "St. Pierre and Miquelon": "PM",
    "Pitcairn Is.": "PN",
    "Palestine": "PS",
    "Solomon Is.": "SB",
    "Saint Helena": "SH",
    "S. Sudan": "SS",
    "São Tomé and Principe": "ST",
    "eSwatini": "SZ",
    "Turks and Caicos Is.": "TC",
    "Fr. S. Antarctic Lands": "TF",
    "Turkey": "TR",
    "Trinidad and Tobago": "TT",
    "United States of America": "US",
    "Vatican": "VA",
    "St. Vin. and Gren.": "VC",
    "British Virgin Is.": "VG",
    "U.S. Virgin Is.": "VI",
    "Wallis and Futuna Is.": "WF",
}
Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Outlines:
    """Lines in degrees; line k has the points from starts[k] to starts[k + 1]."""

    latitudes: Floats
    longitudes: Floats
    starts: Ints
    names: list[str]
    country: Ints
    arc: Ints

    def lines(self, south: float, west: float, north: float, east: float) -> Iterator[tuple[Floats, Floats]]:
        """Yield latitudes and longitudes of the lines that may be seen in a box."""
        first = self.starts[:-1]
        meets = np.minimum.reduceat(self.latitudes, first) <= north
        meets &= np.maximum.reduceat(self.latitudes, first) >= south
        meets &= np.minimum.reduceat(self.longitudes, first) <= east
        meets &= np.maximum.reduceat(self.longitudes, first) >= west
        for line in np.flatnonzero(meets):
            part = slice(self.starts[line], self.starts[line + 1])
            yield self.latitudes[part], self.longitudes[part]

    def country_at(self, latitude: float, longitude: float, language: str) -> str | None:
        """Return in which country a place is, in a language; None at sea.

        A ray to the east crosses a country's lines an odd number of times from within:
        https://wrf.ecse.rpi.edu/Research/Short_Notes/pnpoly.html
        """
        north, east = self.latitudes, self.longitudes
        rises = (north[:-1] > latitude) != (north[1:] > latitude)
        rises[self.starts[1:-1] - 1] = False  # from one line to the next is no step
        steps = np.flatnonzero(rises)
        share = (latitude - north[steps]) / (north[steps + 1] - north[steps])
        steps = steps[east[steps] + share * (east[steps + 1] - east[steps]) > longitude]
        crossed = np.bincount(np.searchsorted(self.starts, steps, side="right") - 1, minlength=len(self.starts) - 1)
        times = np.bincount(self.country, weights=crossed[self.arc], minlength=len(self.names))
        within = np.flatnonzero(times % 2)
        return _translated(self.names[int(within[0])], language) if len(within) else None


def _translated(name: str, language: str) -> str:
    """Return a country's name in a language; as Natural Earth writes it where Babel knows none."""
    known = (code for code, english in Locale("en").territories.items() if english == name)
    code = CODES.get(name) or next(known, "")
    return str(Locale(language).territories.get(code, name))


@cache
def outlines() -> Outlines:
    """Read the file that is shipped, once."""
    with (files("dashboard") / FILE).open("rb") as file, np.load(file) as kept:
        ends = kept["ends"].astype(np.int64)
        starts = np.concatenate([[0], ends])
        walked = np.cumsum(kept["deltas"].astype(np.int64), axis=0)
        before = np.concatenate([[[0, 0]], walked])[starts[:-1]]
        places = walked - np.repeat(before, np.diff(starts), axis=0)
        degrees = places * kept["scale"] + kept["origin"]
        names = [str(name) for name in kept["names"]]
        return Outlines(
            np.ascontiguousarray(degrees[:, 1]), np.ascontiguousarray(degrees[:, 0]), starts, names,
            kept["country"].astype(np.int64), kept["arc"].astype(np.int64),
        )  # fmt: skip


def convert(topology: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays of the file from a TopoJSON of countries."""
    arcs = topology["arcs"]
    countries = topology["objects"]["countries"]["geometries"]
    bounds = [(place, arc) for place, each in enumerate(countries) for arc in _arcs(each["arcs"])]
    return {
        "deltas": np.array([point[:2] for arc in arcs for point in arc], dtype=np.int32),
        "ends": np.cumsum([len(arc) for arc in arcs]).astype(np.int32),
        "scale": np.array(topology["transform"]["scale"]),
        "origin": np.array(topology["transform"]["translate"]),
        "names": np.array([each["properties"]["name"] for each in countries]),
        "country": np.array([place for place, _ in bounds], dtype=np.int16),
        "arc": np.array([arc for _, arc in bounds], dtype=np.int16),
    }


def _arcs(nested: Any) -> Iterator[int]:
    """Yield the arcs of rings, polygons and many of them; one that is walked backwards is written as its complement."""
    if isinstance(nested, int):
        yield nested if nested >= 0 else ~nested
    else:
        for each in nested:
            yield from _arcs(each)


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    np.savez_compressed(Path(__file__).with_name(FILE), **convert(source))
