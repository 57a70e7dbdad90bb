"""What the clock showed where a recording began."""

from dataclasses import dataclass

import numpy as np
from tzfpy import get_tz

from strava.recordings.recording import Recording
from strava.zones import find_zone, offset_s, written


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The clock's distance to UTC in seconds, the zone as Strava writes it if it is known, and what told it.

    `source` is `file` or `place`.
    """

    utc_offset_s: int
    timezone: str | None
    source: str


def local_time(recording: Recording) -> LocalTime | None:
    """Return the local time: by the device's clock, otherwise where its first position is."""
    zone, told, at = find_zone(_place(recording)), recording.utc_offset_s, recording.start_at
    if told is not None:
        return LocalTime(told, written(zone, at) if zone and offset_s(zone, at) == told else None, "file")
    return None if zone is None else LocalTime(offset_s(zone, at), written(zone, at), "place")


def _place(recording: Recording) -> str | None:
    """Return the name of the zone where the first position is; at sea that of the longitude."""
    latitude = recording.columns.get("latitude")
    if latitude is None:
        return None
    first = int(np.flatnonzero(~np.isnan(latitude))[0])
    return get_tz(float(recording.columns["longitude"][first]), float(latitude[first]))
