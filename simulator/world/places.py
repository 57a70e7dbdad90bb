"""Where the simulated athlete lives and travels: invented towns, each in a real time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from simulator.clock import iso


@dataclass(frozen=True, slots=True)
class Place:
    """A town: its centre, its zone, its ground (metres above the sea) and how hilly its roads are (m per km).

    By the sea, all roads lead away from it: `inland_degrees` is that direction, clockwise from north.
    """

    name: str
    latitude: float
    longitude: float
    zone: str
    ground_m: float
    hills_m_per_km: float
    inland_degrees: float | None = None


HOME = Place("Lindenfurt", 51.2873, 10.4416, "Europe/Berlin", 212.0, 9.0)
ISLAND = Place("Puerto Calmo", 28.4127, -16.3931, "Atlantic/Canary", 40.0, 22.0, inland_degrees=240.0)
FAR = (
    Place("Harbor Falls", 41.8342, -73.9127, "America/New_York", 95.0, 12.0),
    Place("春川町", 36.2714, 138.1127, "Asia/Tokyo", 610.0, 18.0),
    Place("Dhara Kot", 28.3317, 84.2271, "Asia/Kathmandu", 1480.0, 45.0),
)
PLACES = {place.name: place for place in (HOME, ISLAND, *FAR)}

ISLAND_WEEKS = frozenset({12, 13})  # summer time begins while the athlete is away
FAR_WEEKS = frozenset({31, 32})


def place_on(day: date) -> Place:
    """Return where the athlete is that day: two weeks on the island in spring, two weeks far away in summer."""
    week = day.isocalendar().week
    if week in ISLAND_WEEKS:
        return ISLAND
    return FAR[day.year % len(FAR)] if week in FAR_WEEKS else HOME


def utc_of(wall: datetime, zone: str) -> datetime:
    """Return the moment of a naive wall-clock time in a zone."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def wall_clock(moment: datetime, zone: str) -> datetime:
    """Return the naive wall-clock time of a moment in a zone."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def start_fields(wall: datetime, zone: str) -> dict[str, Any]:
    """Write a naive wall-clock start as Strava does; the zone's label has its standard offset, also in summer."""
    aware = wall.replace(tzinfo=ZoneInfo(zone))
    offset = aware.utcoffset() or timedelta()
    standard = int((offset - (aware.dst() or timedelta())).total_seconds() // 60)
    sign, (hours, minutes) = "-" if standard < 0 else "+", divmod(abs(standard), 60)
    return {
        "start_date": iso(aware.astimezone(UTC)),
        "start_date_local": iso(wall),  # wall-clock time with a false Z
        "timezone": f"(GMT{sign}{hours:02d}:{minutes:02d}) {zone}",
        "utc_offset": offset.total_seconds(),
    }
