"""`activities.csv`: one row an activity, in the words of the account's language and the numbers of Strava's own."""

import struct
from collections.abc import Mapping
from typing import Any

from simulator.clock import read_iso
from simulator.export import columns
from simulator.export.columns import SHOWN, Layout
from simulator.export.languages import SPELLINGS, Language

_IN_METRES = {"Swim", "Rowing"}  # shown in metres, all others in kilometres
#: Measured columns, by their place in the block as names come twice, and the API's field.
_API_FIELDS = {
    "Elapsed Time": "elapsed_time", "Moving Time": "moving_time", "Distance": "distance", "Max Speed": "max_speed",
    "Average Speed": "average_speed", "Elevation Gain": "total_elevation_gain", "Elevation Low": "elev_low",
    "Elevation High": "elev_high", "Average Cadence": "average_cadence", "Max Heart Rate": "max_heartrate",
    "Average Heart Rate": "average_heartrate", "Max Watts": "max_watts", "Average Watts": "average_watts",
    "Calories": "calories", "Average Temperature": "average_temp", "Relative Effort": "suffer_score",
    "Perceived Exertion": "perceived_exertion", "Weighted Average Power": "weighted_average_watts",
}  # fmt: skip


def header(layout: Layout, language: Language) -> list[str]:
    """Return the names of the columns; Strava translates all, of which the shown ones are known here."""
    if language is Language.XX:
        return [f"x{place}" for place in range(1, 1 + len(layout.shown) + len(layout.measured))]
    translated = dict(zip(SHOWN, SPELLINGS[language].names, strict=True))
    return [*(translated.get(name, name) for name in layout.shown), *layout.measured]


def row(layout: Layout, language: Language, activity: Mapping[str, Any], file_name: str, media: str = "") -> list[str]:
    """Return the cells of a detailed activity whose recording is `file_name`, empty for one that was typed in."""
    if layout.is_oldest:
        return [*_oldest(activity), file_name]
    by_name = dict(zip(SHOWN, [*_shown(language, activity), file_name], strict=True))
    measured = _measured(activity)
    last = {columns.MEDIA: media}
    return [
        *(by_name[name] for name in layout.shown),
        *(measured.get(name, last.get(name, "")) for name in layout.measured),
    ]


def _gear_name(activity: Mapping[str, Any]) -> str:
    return str((activity.get("gear") or {}).get("name") or "")


def _oldest(activity: Mapping[str, Any]) -> list[str]:
    return [
        str(activity["id"]),
        read_iso(activity["start_date"]).strftime("%Y-%m-%d %H:%M:%S"),
        activity["name"],
        SPELLINGS[Language.EN_US].sport(activity["sport_type"]),
        activity["description"] or "",
        str(activity["elapsed_time"]),
        f"{activity['distance']:.1f}",
        _boolean(activity["commute"]),
        _gear_name(activity),
    ]


def _shown(language: Language, activity: Mapping[str, Any]) -> list[str]:
    spelling = SPELLINGS[language]
    metres = activity["distance"]
    return [
        str(activity["id"]),
        spelling.moment(read_iso(activity["start_date"])),
        activity["name"],
        spelling.sport(activity["sport_type"]),
        activity["description"] or "",
        str(activity["elapsed_time"]),
        f"{metres:.0f}" if activity["sport_type"] in _IN_METRES else spelling.kilometres(metres),
        _whole(activity.get("max_heartrate")),
        _whole(activity.get("suffer_score")),
        _boolean(activity["commute"]),
        "",
        _gear_name(activity),
    ]


def _measured(activity: Mapping[str, Any]) -> dict[str, str]:
    gear = activity.get("gear_id") or ""
    measured = {name: _float(activity.get(field)) for name, field in _API_FIELDS.items()}
    return measured | {
        "Commute": _float(float(activity["commute"])),
        "From Upload": _float(float(not activity["manual"])),
        "Bike": _float(gear[1:] if gear.startswith("b") else None),
        "Gear": _float(gear[1:] if gear.startswith("g") else None),
        "Flagged": "0.0",
    }


def _float(value: float | str | None) -> str:
    """Write a number as Strava's export does: what is left of it in 32 bits."""
    return "" if value is None else str(struct.unpack("f", struct.pack("f", float(value)))[0])


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _boolean(value: Any) -> str:
    return "true" if value else "false"
