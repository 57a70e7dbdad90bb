"""A recording's readings in the shape of Strava's streams: https://developers.strava.com/docs/reference/#api-Streams."""

from typing import Any

import numpy as np

from strava.recordings.measures import speeds
from strava.recordings.recording import Column, Recording
from strava.recordings.track import Track

# Strava's name, ours, and to how many decimals; what is whole has none.
_READINGS = (
    ("altitude", "altitude_m", 1),
    ("heartrate", "heart_rate_bpm", None),
    ("cadence", "cadence_rpm", None),
    ("watts", "power_w", None),
    ("temp", "temperature_c", None),
)


def streams(recording: Recording) -> dict[str, dict[str, Any]]:
    """Return the streams by key; what was not recorded is absent.

    All have the same length. A value that one point lacks is that of the point before it, of the first known one at
    the begin; watts and cadence are 0 there.
    """
    track = Track.of(recording)
    if not len(track.seconds):
        return {}
    data: dict[str, list[Any]] = {"time": np.rint(track.seconds).astype(int).tolist()}
    if track.distance is not None:
        data["distance"] = np.round(track.distance - track.distance[0], 1).tolist()
        data["moving"] = [False, *(track.moving > 0).tolist()]
    if "latitude" in recording.columns:
        axes = [np.round(_held(recording.columns[name]), 6) for name in ("latitude", "longitude")]
        data["latlng"] = np.stack(axes, axis=1).tolist()
    speed = speeds(recording, track)
    if speed is not None:
        data["velocity_smooth"] = np.round(_held(speed), 3).tolist()
    for key, name, decimals in _READINGS:
        if name in recording.columns:
            values = recording.columns[name]
            values = np.nan_to_num(values) if key in {"watts", "cadence"} else _held(values)
            data[key] = (
                np.rint(values).astype(int).tolist() if decimals is None else np.round(values, decimals).tolist()
            )
    series = "distance" if "distance" in data else "time"
    return {
        key: {"data": values, "series_type": series, "original_size": len(values), "resolution": "high"}
        for key, values in data.items()
    }


def _held(values: Column) -> Column:
    """Fill each unknown value with the known one before it, at the begin with the first."""
    known = np.flatnonzero(~np.isnan(values))
    place = np.maximum(np.searchsorted(known, np.arange(len(values)), side="right") - 1, 0)
    return values[known[place]]
