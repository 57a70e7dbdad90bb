"""Where the simulated athlete lives and travels: invented towns, each in a real time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Place:
    """A town: its centre, its zone, its ground (metres above the sea) and how hilly its roads are (m per km)."""

    name: str
    latitude: float
    longitude: float
    zone: str
    ground_m: float
    hills_m_per_km: float


HOME = Place("Lindenfurt", 51.2873, 10.4416, "Europe/Berlin", 212.0, 9.0)
ISLAND = Place("Puerto Calmo", 28.4127, -16.3931, "Atlantic/Canary", 40.0, 22.0)
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


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone."""
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """One moment as Strava tells it: true UTC, wall clock, and the zone with its *standard* offset."""

    utc: datetime
    wall: datetime
    timezone: str
    utc_offset: float


def local_time(wall: datetime, zone: str) -> LocalTime:
    """Read a naive wall-clock time in a zone, daylight saving honoured."""
    aware = wall.replace(tzinfo=zone_of(zone))
    offset = aware.utcoffset() or timedelta()
    return LocalTime(
        aware.astimezone(UTC), wall, zone_label(offset - (aware.dst() or timedelta()), zone), offset.total_seconds()
    )


def wall_clock(moment: datetime, zone: str) -> datetime:
    """Return the naive wall-clock time of a moment in a zone."""
    return moment.astimezone(zone_of(zone)).replace(tzinfo=None)


def zone_label(standard: timedelta, zone: str) -> str:
    """Write a zone as Strava does: `(GMT+01:00) Europe/Berlin`."""
    minutes = int(standard.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"(GMT{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}) {zone}"
