"""An activity as a FIT file: https://developer.garmin.com/fit/protocol/.

Written from the protocol's description, with the messages that a watch writes and nothing else: who made it, the timer,
the records, one lap, one session, the activity.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from simulator.clock import read_iso
from simulator.export.recording import Recording

_EPOCH_S = 631_065_600  # 1989-12-31T00:00:00Z
_SEMICIRCLES = 2**31 / 180
#: Base types: how `struct` packs them, the protocol's number, and the value that means none.
_ENUM, _SINT8, _UINT8 = ("B", 0x00, 0xFF), ("b", 0x01, 0x7F), ("B", 0x02, 0xFF)
_UINT16, _SINT32, _UINT32, _UINT32Z = (
    ("H", 0x84, 0xFFFF),
    ("i", 0x85, 2**31 - 1),
    ("I", 0x86, 2**32 - 1),
    ("I", 0x8C, 0),
)
_TIMESTAMP = (253, _UINT32)
_SPORTS = {
    "Run": 1, "Ride": 2, "Swim": 5, "Yoga": 10, "WeightTraining": 10, "Workout": 10, "Walk": 11, "NordicSki": 12,
    "Hike": 17, "EBikeRide": 21,
}  # fmt: skip
_VIRTUAL, _TIMER, _START, _STOP_ALL = 58, 0, 0, 4
_SIMULATED = 255  # the manufacturer "development"

Field = tuple[int, tuple[str, int, int]]
Values = Sequence[float | None]


def fit(recording: Recording) -> bytes:
    """Return the file."""
    body = b"".join((
        _messages(0, ((0, _ENUM), (1, _UINT16), (2, _UINT16), (3, _UINT32Z), (4, _UINT32)), [_file_id(recording)]),
        _messages(21, (_TIMESTAMP, (0, _ENUM), (1, _ENUM)), _timer(recording)),
        _messages(20, _RECORD, _records(recording)),
        _messages(19, _LAP, [_totals(recording)]),
        _messages(18, _SESSION, [_session(recording)]),
        _messages(34, ((253, _UINT32), (0, _UINT32), (1, _UINT16), (5, _UINT32)), [_activity(recording)]),
    ))  # fmt: skip
    header = struct.pack("<BBHI4s", 14, 0x20, 2141, len(body), b".FIT")
    whole = header + struct.pack("<H", crc(header)) + body
    return whole + struct.pack("<H", crc(whole))


_RECORD: tuple[Field, ...] = (
    _TIMESTAMP, (0, _SINT32), (1, _SINT32), (2, _UINT16), (3, _UINT8), (4, _UINT8), (5, _UINT32), (7, _UINT16),
    (13, _SINT8),
)  # fmt: skip
_LAP: tuple[Field, ...] = (_TIMESTAMP, (2, _UINT32), (7, _UINT32), (8, _UINT32), (9, _UINT32))
_SESSION: tuple[Field, ...] = (
    *_LAP, (5, _ENUM), (6, _ENUM), (11, _UINT16), (16, _UINT8), (17, _UINT8), (20, _UINT16), (22, _UINT16),
)  # fmt: skip


def _file_id(recording: Recording) -> Values:
    return 4, _SIMULATED, 1, recording.activity["id"] % 2**31 or 1, _seconds(recording.start)


def _timer(recording: Recording) -> Iterable[Values]:
    yield _seconds(recording.start), _TIMER, _START
    if recording.pause_s:
        yield _seconds(recording.moment(recording.resumed_at)) - recording.pause_s, _TIMER, _STOP_ALL
        yield _seconds(recording.moment(recording.resumed_at)), _TIMER, _START
    yield _seconds(_end(recording)), _TIMER, _STOP_ALL


def _records(recording: Recording) -> Iterable[Values]:
    keys = ("latlng", "altitude", "heartrate", "cadence", "distance", "watts", "temp")
    for index, values in enumerate(zip(*(recording.curve(key) for key in keys), strict=True)):
        place, height, heart, cadence, metres, watts, celsius = values
        latitude, longitude = (degrees * _SEMICIRCLES for degrees in place) if place else (None, None)
        yield (
            _seconds(recording.moment(index)), latitude, longitude, None if height is None else (height + 500) * 5,
            heart, cadence, _covered(recording, metres), watts, celsius,
        )  # fmt: skip


def _totals(recording: Recording) -> Values:
    activity = recording.activity
    return (
        _seconds(_end(recording)), _seconds(recording.start), activity["elapsed_time"] * 1000,
        activity["moving_time"] * 1000, _covered(recording, activity["distance"]),
    )  # fmt: skip


def _covered(recording: Recording, metres: float) -> float | None:
    """Return centimetres; in the weight room a watch writes none, not a 0."""
    return metres * 100 if recording.activity["distance"] else None


def _session(recording: Recording) -> Values:
    activity = recording.activity
    sport = activity["sport_type"]
    known = _SPORTS.get(sport) or _SPORTS.get(activity["type"].removeprefix("Virtual"), 0)
    return (
        *_totals(recording), known, _VIRTUAL if sport.startswith("Virtual") else 0, activity.get("calories"),
        activity.get("average_heartrate"), activity.get("max_heartrate"), activity.get("average_watts"),
        activity["total_elevation_gain"],
    )  # fmt: skip


def _activity(recording: Recording) -> Values:
    local = _end(recording) + (read_iso(recording.activity["start_date_local"]) - recording.start)
    return _seconds(_end(recording)), recording.activity["moving_time"] * 1000, 1, _seconds(local)


def _end(recording: Recording) -> datetime:
    return recording.start + timedelta(seconds=recording.activity["elapsed_time"])


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp()) - _EPOCH_S


def _messages(number: int, fields: Sequence[Field], rows: Iterable[Values]) -> bytes:
    """Return the definition of a message and its rows."""
    formats = "".join(kind[0] for _, kind in fields)
    definition = struct.pack("<BBBHB", 0x40, 0, 0, number, len(fields))
    definition += b"".join(struct.pack("BBB", place, struct.calcsize(kind[0]), kind[1]) for place, kind in fields)
    pack = struct.Struct(f"<B{formats}").pack
    none = [kind[2] for _, kind in fields]
    packed = (
        pack(0, *(missing if value is None else round(value) for value, missing in zip(row, none, strict=True)))
        for row in rows
    )
    return definition + b"".join(packed)


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]


def crc(content: bytes) -> int:
    """Return the protocol's checksum, CRC-16/ARC: 0 of what ends with its own."""
    value = 0
    for byte in content:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value
