"""Reads FIT files: a recording for each session, also where the file is damaged.

Written for numpy alone. The native parser that is quickest (fitfast) refuses whole files whose header has 12 bytes or
no checksum, and every damaged one; a malformed definition ends it without an error that can be caught. The tests hold
this reader to its values, and to those of fitdecode.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from strava.recordings import fit_fields, sport_types
from strava.recordings.fit_fields import (
    ACTIVITY,
    DEVICE_INFO,
    EVENT,
    FIELDS,
    FILE_ID,
    LAP,
    RECORD,
    SESSION,
    SPORT,
)
from strava.recordings.fit_structure import Part, parts
from strava.recordings.recording import (
    APART_S,
    MOST_RECORDINGS,
    NEAR_S,
    Column,
    Device,
    Lap,
    Reading,
    Recording,
    Totals,
    UnreadableRecording,
    cleaned,
    is_possible,
)

_KINDS = {
    1: "device",
    2: "settings",
    3: "sport",
    4: "activity",
    5: "workout",
    6: "course",
    9: "weight",
    10: "totals",
    11: "goals",
    14: "blood pressure",
    15: "monitoring",
    28: "monitoring",
    32: "monitoring",
    34: "segment",
    35: "segment list",
}
_ACTIVITY_FILE = 4
_MANUFACTURERS = {
    1: "Garmin",
    23: "Suunto",
    32: "Wahoo",
    89: "Tacx",
    123: "Polar",
    255: "Development",
    260: "Zwift",
    265: "Strava",
    267: "Bryton",
    289: "Hammerhead",
    294: "Coros",
}
_TIMER, _START, _STOPS = 0, 0, (1, 4, 8, 9)  # an event, and its types
_BAROMETER, _LOCAL = 4, 5  # a device's type, and where it is
_QUARTER_S, _MOST_OFFSET_S = 900, 15 * 3600
Row = dict[str, float]


def read_fit(content: bytes) -> Reading:
    """Read a FIT file. Raises UnreadableRecording for what is no activity or holds no time."""
    found = parts(content, FIELDS.keys())
    recordings, remarks, other = list[Recording](), list[str](), ""
    for part in found:
        remarks += part.remarks
        kind = _kind(content, part)
        if kind not in {"activity", ""}:
            other = kind
            continue
        for recording in _recordings(content, part):
            if any(
                abs(recording.start - each.start) < 1 and recording.sport_type == each.sport_type for each in recordings
            ):
                remarks.append("it holds a session twice")
            else:
                recordings.append(recording)
    if not recordings:
        raise UnreadableRecording(f"not an activity: {other}" if other else "no times")
    return Reading(kind="fit", recordings=recordings, is_truncated=any(part.is_cut for part in found), remarks=remarks)


def _kind(content: bytes, part: Part) -> str:
    """Return what kind of file it says it is, nothing where it does not say."""
    for row in fit_fields.rows(content, part.messages, FILE_ID):
        if "type" in row:
            return (
                _KINDS.get(int(row["type"]), f"kind {row['type']:.0f}") if row["type"] != _ACTIVITY_FILE else "activity"
            )
    return ""


def _recordings(content: bytes, part: Part) -> list[Recording]:
    read = {number: fit_fields.rows(content, part.messages, number) for number in FIELDS if number != RECORD}
    columns = _columns(content, part)
    sessions = [
        row for row in read[SESSION] if row.get("sport") != sport_types.TRANSITION and is_possible(row.get("start", 0))
    ]
    if len(sessions) > MOST_RECORDINGS:
        raise UnreadableRecording(f"more than {MOST_RECORDINGS} sessions")
    sessions.sort(key=lambda row: row["start"])
    device, offset = _device(content, part, read[FILE_ID], read[DEVICE_INFO]), _offset(read[ACTIVITY])
    if not sessions:
        sport = next(iter(read[SPORT]), {})
        start = _first_start(read[EVENT], columns["time"])
        if start is None:
            return []
        sessions = [{"start": start} | {name: sport[name] for name in ("sport", "sub_sport") if name in sport}]
    is_only = len(sessions) == 1
    made = list[Recording]()
    for row, following in pairwise([*sessions, {"start": float("inf")}]):
        end = row["start"] + row.get("elapsed_s", float("inf")) + 1
        within = (-float("inf"), float("inf")) if is_only else (row["start"], min(end, following["start"]))
        made.append(_recording(row, _between(columns, *within, is_rebased=bool(made)), read, within, device, offset))
    return made


def _recording(  # noqa: PLR0913, PLR0917 - all that a session is made of
    row: Row,
    columns: dict[str, Column],
    read: dict[int, list[Row]],
    within: tuple[float, float],
    device: Device,
    offset: int | None,
) -> Recording:
    times = columns["time"]
    start = row["start"]
    if len(times) and not -NEAR_S <= times[0] - start <= APART_S:
        start = float(times[0])
    columns = _between(columns, start, float("inf"), is_rebased=False)  # some record while they wait for satellites
    times = columns["time"]
    sport, kind = row.get("sport"), row.get("sub_sport")
    sport_type, is_indoor = sport_types.of_fit(*(None if each is None else int(each) for each in (sport, kind)))
    last = float(times[-1]) if len(times) else start
    totals = Totals.of(row)
    pauses = _pauses([each for each in read[EVENT] if within[0] <= each.get("time", 0) <= within[1]], last)
    return Recording(
        start=start,
        columns=columns,
        sport_type=sport_type,
        is_indoor=is_indoor,
        pauses=pauses,
        has_pauses=bool(pauses),
        laps=[
            Lap(each["start"], Totals.of(each))
            for each in read[LAP]
            if "start" in each and max(within[0], start - APART_S) <= each["start"] < min(within[1], last + APART_S)
        ],
        totals=totals,
        device=device,
        utc_offset_s=offset,
    )


def _columns(content: bytes, part: Part) -> dict[str, Column]:
    columns = fit_fields.table(content, part.messages, RECORD)
    if "time" not in columns:
        return {"time": np.zeros(0)}
    fraction = columns.pop("fractional_cadence_rpm", None)
    if fraction is not None and "cadence_rpm" in columns:
        columns["cadence_rpm"] = columns["cadence_rpm"] + np.nan_to_num(fraction)
    return cleaned(columns)


def _between(columns: dict[str, Column], start: float, end: float, *, is_rebased: bool) -> dict[str, Column]:
    """Return the points of one session; where the distance goes on from the session before, it begins at zero."""
    kept = (columns["time"] >= start) & (columns["time"] < end)
    cut = {name: column[kept] for name, column in columns.items()}
    cut = {name: column for name, column in cut.items() if name == "time" or not np.isnan(column).all()}
    if is_rebased and "distance_m" in cut:
        cut["distance_m"] = cut["distance_m"] - np.nanmin(cut["distance_m"])
    return cut


def _first_start(events: Sequence[Row], times: Column) -> float | None:
    starts = [each["time"] for each in events if _is_timer(each) and each["event_type"] == _START and "time" in each]
    if not len(times):
        return None
    first = float(times[0])
    return min(starts) if starts and 0 <= first - min(starts) < APART_S else first


def _is_timer(event: Row) -> bool:
    return event.get("event") == _TIMER and "event_type" in event


def _pauses(events: Sequence[Row], last: float) -> list[tuple[float, float]]:
    """Return from when to when the timer stood still; a stop after which nothing was recorded is the end."""
    pauses, stopped = list[tuple[float, float]](), None
    for event in sorted((each for each in events if _is_timer(each) and "time" in each), key=lambda each: each["time"]):
        if event["event_type"] == _START:
            if stopped is not None and stopped < event["time"] <= last:
                pauses.append((stopped, event["time"]))
            stopped = None
        elif event["event_type"] in _STOPS and stopped is None:
            stopped = event["time"]
    return pauses


def _device(content: bytes, part: Part, files: Sequence[Row], devices: Sequence[Row]) -> Device:
    told = next(iter(files), {}) | next(
        (
            {name: value for name, value in each.items() if name != "index"}
            for each in devices
            if each.get("index") == 0
        ),
        {},
    )
    told |= {name: value for each in files[:1] for name, value in each.items()}
    maker, number, serial, created = (
        told.get(name) for name in ("manufacturer", "product_number", "serial_number", "created")
    )
    return Device(
        manufacturer=None if maker is None else _MANUFACTURERS.get(int(maker), f"manufacturer {maker:.0f}"),
        product=fit_fields.product_name(content, part.messages, FILE_ID)
        or fit_fields.product_name(content, part.messages, DEVICE_INFO),
        product_number=None if number is None else int(number),
        serial_number=None if serial is None else int(serial),
        created_at=None if created is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=created),
        has_barometer=any(
            each.get("device_type") == _BAROMETER and each.get("source_type") == _LOCAL for each in devices
        ),
    )


def _offset(activities: Sequence[Row]) -> int | None:
    """Return how far the device's clock was ahead of UTC, in seconds; devices miss the quarter hour by a few."""
    for row in activities:
        if "time" in row and "local_time" in row:
            quarters = round((row["local_time"] - row["time"]) / _QUARTER_S)
            if abs(quarters * _QUARTER_S) <= _MOST_OFFSET_S:
                return quarters * _QUARTER_S
    return None
