"""The fields of FIT messages that are read, and their values as numbers of our units.

Numbers, scales and offsets: the profile of https://developer.garmin.com/fit/, the same in every reader of the format.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from strava.recordings.fit_structure import TIMESTAMP, Messages
from strava.recordings.recording import Column, UnreadableRecording

FILE_ID, SPORT, SESSION, LAP, RECORD, EVENT, DEVICE_INFO, ACTIVITY = 0, 12, 18, 19, 20, 21, 23, 34
EPOCH = 631_065_600  # 1989-12-31, where FIT's seconds begin
_DEGREES = 2**31 / 180

# For each message its fields by number: our name, and what to divide by and then to subtract. A name that stands twice
# is told by two fields, of which the later one is the finer.
FIELDS: Mapping[int, Mapping[int, tuple[str, float, float]]] = {
    FILE_ID: {
        0: ("type", 1, 0),
        1: ("manufacturer", 1, 0),
        2: ("product_number", 1, 0),
        3: ("serial_number", 1, 0),
        4: ("created", 1, -EPOCH),
    },
    SPORT: {0: ("sport", 1, 0), 1: ("sub_sport", 1, 0)},
    SESSION: {
        TIMESTAMP: ("time", 1, -EPOCH),
        2: ("start", 1, -EPOCH),
        5: ("sport", 1, 0),
        6: ("sub_sport", 1, 0),
        7: ("elapsed_s", 1000, 0),
        8: ("timer_s", 1000, 0),
        9: ("distance_m", 100, 0),
        11: ("calories_kcal", 1, 0),
        15: ("max_speed_mps", 1000, 0),
        16: ("average_heart_rate_bpm", 1, 0),
        17: ("max_heart_rate_bpm", 1, 0),
        18: ("average_cadence_rpm", 1, 0),
        20: ("average_power_w", 1, 0),
        21: ("max_power_w", 1, 0),
        22: ("ascent_m", 1, 0),
        57: ("average_temperature_c", 1, 0),
        125: ("max_speed_mps", 1000, 0),
    },
    LAP: {
        TIMESTAMP: ("time", 1, -EPOCH),
        2: ("start", 1, -EPOCH),
        7: ("elapsed_s", 1000, 0),
        8: ("timer_s", 1000, 0),
        9: ("distance_m", 100, 0),
        11: ("calories_kcal", 1, 0),
        14: ("max_speed_mps", 1000, 0),
        15: ("average_heart_rate_bpm", 1, 0),
        16: ("max_heart_rate_bpm", 1, 0),
        17: ("average_cadence_rpm", 1, 0),
        19: ("average_power_w", 1, 0),
        20: ("max_power_w", 1, 0),
        21: ("ascent_m", 1, 0),
        111: ("max_speed_mps", 1000, 0),
    },
    RECORD: {
        TIMESTAMP: ("time", 1, -EPOCH),
        0: ("latitude", _DEGREES, 0),
        1: ("longitude", _DEGREES, 0),
        2: ("altitude_m", 5, 500),
        3: ("heart_rate_bpm", 1, 0),
        4: ("cadence_rpm", 1, 0),
        5: ("distance_m", 100, 0),
        6: ("speed_mps", 1000, 0),
        7: ("power_w", 1, 0),
        13: ("temperature_c", 1, 0),
        53: ("fractional_cadence_rpm", 128, 0),
        73: ("speed_mps", 1000, 0),
        78: ("altitude_m", 5, 500),
    },
    EVENT: {TIMESTAMP: ("time", 1, -EPOCH), 0: ("event", 1, 0), 1: ("event_type", 1, 0)},
    DEVICE_INFO: {
        0: ("index", 1, 0),
        1: ("device_type", 1, 0),
        2: ("manufacturer", 1, 0),
        3: ("serial_number", 1, 0),
        4: ("product_number", 1, 0),
        25: ("source_type", 1, 0),
    },
    ACTIVITY: {TIMESTAMP: ("time", 1, -EPOCH), 5: ("local_time", 1, -EPOCH)},
}
PRODUCT_NAME = {FILE_ID: 8, DEVICE_INFO: 27}  # the only texts that are read
MOST_ROWS = 50_000  # messages of one kind, other than records
SPEED_AND_DISTANCE = 8  # of a record: both in three bytes

# How numpy reads a base type, and the value that means "not known"; the highest bit only says that bytes have an order.
_TYPES: Mapping[int, tuple[str, float]] = {
    0x00: ("u1", 0xFF),
    0x01: ("i1", 0x7F),
    0x02: ("u1", 0xFF),
    0x03: ("i2", 0x7FFF),
    0x04: ("u2", 0xFFFF),
    0x05: ("i4", 0x7FFFFFFF),
    0x06: ("u4", 0xFFFFFFFF),
    0x08: ("f4", np.nan),
    0x09: ("f8", np.nan),
    0x0A: ("u1", 0),
    0x0B: ("u2", 0),
    0x0C: ("u4", 0),
    0x0D: ("u1", 0xFF),
    0x0E: ("i8", 0x7FFFFFFFFFFFFFFF),
    0x0F: ("u8", 0xFFFFFFFFFFFFFFFF),
    0x10: ("u8", 0),
}


def table(content: bytes, messages: Sequence[Messages], number: int) -> dict[str, Column]:
    """Return the values of one kind of message in the file's order, a column for each field; NaN is not known."""
    same = [each for each in messages if each.number == number and each.starts]
    if not same:
        return {}
    order = np.argsort(np.concatenate([np.asarray(each.starts) for each in same]), kind="stable")
    columns = dict[str, Column]()
    for field, (name, scale, offset) in FIELDS[number].items():
        values = [_values(content, each, field) for each in same]
        if any(each is not None for each in values):
            filled = [
                np.full(len(one.starts), np.nan) if each is None else each
                for one, each in zip(same, values, strict=True)
            ]
            column = np.concatenate(filled)[order] / scale - offset
            columns[name] = np.where(np.isnan(column), columns[name], column) if name in columns else column
    if number == RECORD:
        _expand(content, same, order, columns)
    return columns


def rows(content: bytes, messages: Sequence[Messages], number: int) -> list[dict[str, float]]:
    """Return the messages of one kind with what each tells; product names are apart, see `product_name`.

    Raises UnreadableRecording for more than any device writes.
    """
    if sum(len(each.starts) for each in messages if each.number == number) > MOST_ROWS:
        raise UnreadableRecording(f"more than {MOST_ROWS:,} messages of one kind")
    columns = table(content, messages, number)
    names = list(columns)
    return [
        {name: value for name, value in zip(names, values, strict=True) if value == value}  # noqa: PLR0124 - not NaN
        for values in zip(*(column.tolist() for column in columns.values()), strict=True)
    ]


def product_name(content: bytes, messages: Sequence[Messages], number: int) -> str | None:
    """Return the first name of a product that messages of one kind tell."""
    for each in messages:
        place = each.fields.get(PRODUCT_NAME[number]) if each.number == number else None
        for start in each.starts if place else ():
            text = content[start + place[0] : start + place[0] + place[1]] if place else b""
            name = text.split(b"\0")[0].decode(errors="replace").strip()
            if name and name.isprintable():
                return name
    return None


def _values(content: bytes, messages: Messages, field: int) -> Column | None:
    """Return one field of all messages, NaN where it is not known; of an array its first value."""
    values = _told(content, messages, field)
    if field == TIMESTAMP and messages.stamps:
        values = np.full(len(messages.starts), np.nan) if values is None else values
        values[list(messages.stamps)] = list(messages.stamps.values())
    return values


def _told(content: bytes, messages: Messages, field: int) -> Column | None:
    offset, size, base = messages.fields.get(field, (0, 0, 0xFF))
    letter, unknown = _TYPES.get(base & 0x1F, ("", 0.0))
    width = int(letter[1:] or 0)
    if not width or size < width or size % width:
        return None
    order = ">" if messages.is_big_endian else "<"
    values = _bytes_at(content, messages, offset, width).view(f"{order}{letter}")[:, 0]
    known = np.isfinite(values) if np.isnan(unknown) else values != values.dtype.type(unknown)
    return np.where(known, values.astype(np.float64), np.nan)


def _bytes_at(content: bytes, messages: Messages, offset: int, width: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    places = np.asarray(messages.starts)[:, None] + np.arange(offset, offset + width)
    return np.frombuffer(content, dtype=np.uint8)[places]


def _expand(content: bytes, same: Sequence[Messages], order: Any, columns: dict[str, Column]) -> None:
    """Add the speeds and distances of devices that write both in three bytes: 12 bits each, the distance going on."""
    if not any(SPEED_AND_DISTANCE in each.fields for each in same):
        return
    speeds, sixteenths = [], []
    for each in same:
        offset, size, _ = each.fields.get(SPEED_AND_DISTANCE, (0, 0, 0))
        if size != 3:  # noqa: PLR2004 - bytes
            speeds.append(np.full(len(each.starts), np.nan))
            sixteenths.append(np.full(len(each.starts), np.nan))
            continue
        low, middle, high = _bytes_at(content, each, offset, size).astype(np.int64).T
        unknown = (low & middle & high) == 0xFF  # noqa: PLR2004 - not known
        speeds.append(np.where(unknown, np.nan, (low | (middle & 0x0F) << 8) / 100))
        sixteenths.append(np.where(unknown, np.nan, middle >> 4 | high << 4))
    speed, distance = np.concatenate(speeds)[order], np.concatenate(sixteenths)[order]
    known = np.flatnonzero(~np.isnan(distance))
    distance[known] = np.cumsum(np.diff(distance[known], prepend=0) % 4096) / 16
    for name, column in (("speed_mps", speed), ("distance_m", distance)):
        columns[name] = np.where(np.isnan(columns[name]), column, columns[name]) if name in columns else column
