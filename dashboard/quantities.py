"""Numbers as a person reads them: with units, thousands separators, and a dash where there is none."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

NOTHING = "\N{EN DASH}"


def distance(metres: float) -> str:
    """Kilometres with one decimal."""
    return f"{metres / 1000:,.1f} km"


def time(seconds: float) -> str:
    """Hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def elevation(metres: float) -> str:
    """Whole metres."""
    return f"{metres:,.0f} m"


def count(number: float) -> str:
    """A whole number."""
    return f"{number:,.0f}"


def clock(seconds: float | None) -> str:
    """`hh:mm:ss`, padded so that it also sorts as text."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


def pace_or_speed(pace_s_per_km: float | None, speed_kmh: float | None) -> str:
    """Minutes per kilometre where the sport has a pace, else kilometres per hour."""
    if pace_s_per_km is not None:
        minutes, seconds = divmod(round(pace_s_per_km), 60)
        return f"{minutes}:{seconds:02d} /km"
    return NOTHING if speed_kmh is None else f"{speed_kmh:,.1f} km/h"


def latency(seconds: float | None) -> str:
    """Seconds with one decimal, or minutes and seconds; no finer, since Strava's own times are whole seconds."""
    if seconds is None:
        return NOTHING
    if (tenths := round(seconds, 1)) < 60:  # noqa: PLR2004 - a minute
        return f"{tenths:.1f} s" if tenths else "< 0.1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest:02d} s"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """Date, time to the second and the zone's own short name at that moment."""
    return NOTHING if at is None else f"{at.astimezone(zone):%-d %b %Y, %H:%M:%S %Z}"


def age(since: timedelta) -> str:
    """How long ago, in the one unit that matters, so that an idle page changes at most once a minute."""
    seconds = since.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,.0f} {unit} ago"
    return "less than 1 min ago"
