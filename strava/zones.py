"""Time zones as Strava writes them: `(GMT+01:00) Europe/Berlin`."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def find_zone(name: str | None) -> ZoneInfo | None:
    """Return the zone of a name of the IANA list, also behind Strava's offset; None if it is not known here."""
    try:
        return ZoneInfo(name.rpartition(" ")[2]) if name else None
    except (ValueError, OSError, ZoneInfoNotFoundError):  # newer than the installed list of zones, or no name at all
        return None


def offset_s(zone: ZoneInfo, at: datetime) -> int:
    """Return how many seconds east of UTC the zone's clock is at a moment."""
    return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def written(zone: ZoneInfo, at: datetime) -> str:
    """Return `(GMT+01:00) Europe/Berlin`: the offset is the standard one of that year, in summer too."""
    minutes = min(offset_s(zone, datetime(at.year, month, 1, tzinfo=UTC)) for month in (1, 7)) // 60
    return f"(GMT{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}) {zone.key}"
