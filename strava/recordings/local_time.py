"""What the clock showed where a recording began."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from tzfpy import get_tz

from strava.recordings.recording import Recording


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The clock's distance to UTC in seconds, the zone as Strava writes it if it is known, and what told it.

    `source` is `file`, `place` or `athlete`.
    """

    utc_offset_s: int
    timezone: str | None
    source: str


def local_time(recording: Recording, home_zone: str | None = None) -> LocalTime | None:
    """Return the local time: by the device's clock, otherwise where its first position is, otherwise at home."""
    zones = [
        (zone, source)
        for name, source in ((_place(recording), "place"), (home_zone, "athlete"))
        if (zone := _zone(name))
    ]
    told = recording.utc_offset_s
    if told is not None:
        same = [_timezone(zone, recording.start_at) for zone, _ in zones if _offset_s(zone, recording.start_at) == told]
        return LocalTime(told, next(iter(same), None), "file")
    for zone, source in zones:
        return LocalTime(_offset_s(zone, recording.start_at), _timezone(zone, recording.start_at), source)
    return None


def _place(recording: Recording) -> str | None:
    """Return the name of the zone where the first position is; at sea that of the longitude."""
    latitude = recording.columns.get("latitude")
    if latitude is None:
        return None
    first = int(np.flatnonzero(~np.isnan(latitude))[0])
    return get_tz(float(recording.columns["longitude"][first]), float(latitude[first]))


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, ZoneInfoNotFoundError):  # newer than the installed list of zones
        return None


def _timezone(zone: ZoneInfo, at: datetime) -> str:
    """Return `(GMT+01:00) Europe/Berlin`: the offset is the standard one of that year, in summer too."""
    minutes = min(_offset_s(zone, datetime(at.year, month, 1, tzinfo=UTC)) for month in (1, 7)) // 60
    return f"(GMT{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}) {zone.key}"


def _offset_s(zone: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())
