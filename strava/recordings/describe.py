"""Says a recording as Strava's API says an activity: https://developers.strava.com/docs/reference/#api-models-DetailedActivity."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from strava.recordings.local_time import LocalTime, local_time
from strava.recordings.measures import climbed, fastest, heights, mean, weighted_power
from strava.recordings.polyline import encode, simplified
from strava.recordings.recording import Recording, Totals
from strava.recordings.splits import BEST_EFFORTS, KILOMETRE_M, MILE_M, best_effort, splits
from strava.recordings.sport_types import RUNS
from strava.recordings.track import Track

Fields = dict[str, Any]


def describe(recording: Recording) -> Fields:
    """Return the activity in the words, units and shape of Strava's detailed one, without what the file does not know.

    `computed` names the fields that follow from the readings instead of the device's own words. `sources` tells who
    says what Strava may say differently: `total_elevation_gain` comes from the `device`, its `barometer` or
    `satellites`; `utc_offset` from the `file` or the `place`. `is_clipped` tells that the file holds more than the
    activity.
    """
    track = Track.of(recording)
    local = local_time(recording)
    fields: Fields = {
        "resource_state": 3,
        "manual": False,
        "trainer": recording.is_indoor and recording.sport_type != "Swim",
    }
    if recording.name:
        fields["name"] = recording.name
    if recording.sport_type:
        fields["sport_type"] = recording.sport_type
    if recording.device.product:
        fields["device_name"] = recording.device.product
    computed, sources = set[str](), {}
    fields |= _start(recording.start, local)
    if local:
        fields |= {"timezone": local.timezone, "utc_offset": float(local.utc_offset_s)}
        sources["utc_offset"] = local.source
    fields |= _course(recording, track, computed)
    fields |= _readings(recording, track, computed)
    fields |= _climb(recording, computed, sources)
    fields |= _map(recording)
    fields |= _pieces(recording, track, local, computed)
    known = {name: value for name, value in fields.items() if value is not None}
    return known | {"computed": sorted(computed & known.keys()), "sources": sources, "is_clipped": recording.is_clipped}


def _start(start: float, local: LocalTime | None) -> Fields:
    """Return a moment as Strava writes it; the local one ends with a false Z."""
    dates = {"start_date": _text(start)}
    return dates | ({"start_date_local": _text(start + local.utc_offset_s)} if local else {})


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(round(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _course(recording: Recording, track: Track, computed: set[str]) -> Fields:
    told = recording.totals
    computed |= {"average_speed"}
    computed |= set() if track.is_measured else {"distance"}
    computed |= set() if told.elapsed_s else {"elapsed_time"}
    computed |= set() if track.is_timed and told.timer_s is not None else {"moving_time"}
    computed |= set() if told.max_speed_mps else {"max_speed"}
    moving = round(track.moving_s)
    return {
        "distance": round(track.distance_m, 1),
        "moving_time": moving,
        "elapsed_time": round(recording.elapsed_s),
        "average_speed": round(track.distance_m / moving, 3) if moving else 0.0,
        "max_speed": _rounded(told.max_speed_mps or fastest(recording, track), 3),
        "calories": told.calories_kcal,
    }


def _readings(recording: Recording, track: Track, computed: set[str]) -> Fields:
    columns, told = recording.columns, recording.totals
    means: Fields = {
        "average_heartrate": _mean(track, columns, "heart_rate_bpm"),
        "average_cadence": _mean(track, columns, "cadence_rpm", without_zeros=True),
        "average_watts": _mean(track, columns, "power_w"),
        "average_temp": _mean(track, columns, "temperature_c"),
        "max_heartrate": _highest(columns, "heart_rate_bpm"),
        "max_watts": _highest(columns, "power_w"),
    }
    computed |= {name for name, value in means.items() if value is not None}
    said = {
        "average_heartrate": told.average_heart_rate_bpm,
        "average_cadence": told.average_cadence_rpm,
        "average_watts": told.average_power_w,
        "average_temp": told.average_temperature_c,
        "max_heartrate": told.max_heart_rate_bpm,
        "max_watts": told.max_power_w,
    }
    fields = {name: said[name] if value is None else value for name, value in means.items()}
    fields |= {name: _rounded(fields[name], 1) for name in fields}
    fields["average_temp"] = None if fields["average_temp"] is None else round(fields["average_temp"])
    fields["has_heartrate"] = fields["average_heartrate"] is not None
    if fields["average_watts"] is not None:
        computed |= {"kilojoules", "weighted_average_watts"}
        weighted = weighted_power(track, columns["power_w"]) if "power_w" in columns else None
        fields |= {
            "device_watts": True,
            "weighted_average_watts": None if weighted is None else round(weighted),
            "kilojoules": round(fields["average_watts"] * round(track.moving_s) / 1000, 1),
        }
    return fields


def _mean(track: Track, columns: Any, name: str, *, without_zeros: bool = False) -> float | None:
    return mean(track, columns[name], without_zeros=without_zeros) if name in columns else None


def _highest(columns: Any, name: str) -> float | None:
    return float(np.nanmax(columns[name])) if name in columns else None


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def _climb(recording: Recording, computed: set[str], sources: Fields) -> Fields:
    known = heights(recording)
    if recording.totals.ascent_m is not None:
        sources["total_elevation_gain"] = "device"
        fields: Fields = {"total_elevation_gain": round(recording.totals.ascent_m, 1)}
    elif len(known):
        computed.add("total_elevation_gain")
        sources["total_elevation_gain"] = "barometer" if recording.device.has_barometer else "satellites"
        fields = {"total_elevation_gain": round(climbed(known), 1)}
    else:
        return {}
    if len(known):
        told = recording.columns["altitude_m"]
        fields |= {"elev_high": round(float(np.nanmax(told)), 1), "elev_low": round(float(np.nanmin(told)), 1)}
    return fields


def _map(recording: Recording) -> Fields:
    if "latitude" not in recording.columns:
        return {"start_latlng": [], "end_latlng": [], "map": {"polyline": "", "summary_polyline": ""}}
    known = ~np.isnan(recording.columns["latitude"])
    latitude, longitude = (recording.columns[name][known] for name in ("latitude", "longitude"))
    kept = simplified(latitude, longitude)
    ends = [[round(float(axis[place]), 6) for axis in (latitude, longitude)] for place in (0, -1)]
    return {
        "start_latlng": ends[0],
        "end_latlng": ends[1],
        "map": {
            "polyline": encode(latitude, longitude),
            "summary_polyline": encode(latitude[kept], longitude[kept]),
        },
    }


def _pieces(recording: Recording, track: Track, local: LocalTime | None, computed: set[str]) -> Fields:
    computed |= {"splits_metric", "splits_standard", "best_efforts"}
    fields: Fields = {
        "laps": _laps(recording, track, local),
        "splits_metric": splits(recording, track, KILOMETRE_M),
        "splits_standard": splits(recording, track, MILE_M),
    }
    if recording.sport_type in RUNS and track.distance is not None:
        fields["best_efforts"] = [
            _stretch(name, length, found, recording, track, local)
            for name, length in BEST_EFFORTS.items()
            if (found := best_effort(track.seconds, track.distance, length))
        ]
    return {name: value for name, value in fields.items() if value}


def _stretch(  # noqa: PLR0913, PLR0917 - all that a stretch is
    name: str, length: float, found: tuple[float, float], recording: Recording, track: Track, local: LocalTime | None
) -> Fields:
    start, lasted = found
    first, last = np.searchsorted(track.seconds, [start, start + lasted])
    return {
        "name": name,
        "distance": length,
        "elapsed_time": round(lasted),
        "moving_time": round(lasted),
        **_start(recording.start + start, local),
        "start_index": int(first),
        "end_index": int(min(last, len(track.seconds) - 1)),
    }


def _laps(recording: Recording, track: Track, local: LocalTime | None) -> list[Fields]:
    made = []
    for index, lap in enumerate(recording.laps, start=1):
        told: Totals = lap.totals
        elapsed = told.elapsed_s if told.elapsed_s is not None else told.timer_s or 0.0
        moving = told.timer_s if told.timer_s is not None else elapsed
        start = lap.start - recording.start
        first, last = np.searchsorted(track.seconds, [start, start + elapsed])
        fields: Fields = {
            "lap_index": index,
            "split": index,
            "name": f"Lap {index}",
            **_start(lap.start, local),
            "distance": _rounded(told.distance_m, 1),
            "elapsed_time": round(elapsed),
            "moving_time": round(min(moving, elapsed)),
            "total_elevation_gain": told.ascent_m,
            "average_speed": round(told.distance_m / moving, 3) if told.distance_m and moving else None,
            "max_speed": _rounded(told.max_speed_mps, 3),
            "average_heartrate": told.average_heart_rate_bpm,
            "max_heartrate": told.max_heart_rate_bpm,
            "average_cadence": told.average_cadence_rpm,
            "average_watts": told.average_power_w,
            "device_watts": True if told.average_power_w is not None else None,
            "start_index": int(first),
            "end_index": int(min(last, max(len(track.seconds) - 1, 0))),
        }
        made.append({name: value for name, value in fields.items() if value is not None})
    return made
