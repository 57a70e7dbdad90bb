"""Writes FIT files for tests: whole ones, chained ones, and ones that are broken in a chosen way.

Format: https://developer.garmin.com/fit/protocol/
"""

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Self

EPOCH = int(datetime(1989, 12, 31, tzinfo=UTC).timestamp())
# A base type's number on the wire, its letter for `struct`, and the value that means "not known".
TYPES = {
    "enum": (0x00, "B", 0xFF),
    "sint8": (0x01, "b", 0x7F),
    "uint8": (0x02, "B", 0xFF),
    "sint16": (0x83, "h", 0x7FFF),
    "uint16": (0x84, "H", 0xFFFF),
    "sint32": (0x85, "i", 0x7FFFFFFF),
    "uint32": (0x86, "I", 0xFFFFFFFF),
    "string": (0x07, "s", b""),
    "float32": (0x88, "f", float("nan")),
    "uint8z": (0x0A, "B", 0),
    "uint16z": (0x8B, "H", 0),
    "uint32z": (0x8C, "I", 0),
    "byte": (0x0D, "s", b"\xff" * 16),
}
Value = float | bytes | None
_TABLE = [functools.reduce(lambda value, _: value >> 1 ^ 0xA001 * (value & 1), range(8), byte) for byte in range(256)]


def crc(content: bytes) -> int:
    """Return the checksum that FIT defines."""
    value = 0
    for byte in content:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a definition; `size` in bytes matters for strings and bytes only. `developer` is its data index."""

    number: int
    type: str
    size: int = 0
    developer: int | None = None

    @property
    def bytes(self) -> int:
        """The size on the wire."""
        return self.size or struct.calcsize(TYPES[self.type][1])


@dataclass(slots=True)
class FitWriter:
    """The body of one FIT file under construction."""

    endian: Literal["<", ">"] = "<"
    body: bytearray = field(default_factory=bytearray)
    fields: dict[int, Sequence[Field]] = field(default_factory=dict)

    def define(self, local: int, message: int, fields: Sequence[Field]) -> Self:
        """Say what data messages with this local number hold."""
        own = [each for each in fields if each.developer is None]
        others = [each for each in fields if each.developer is not None]
        self.body += struct.pack(
            f"{self.endian}BBBHB", 0x40 | (0x20 if others else 0) | local, 0, self.endian == ">", message, len(own)
        )
        for each in own:
            self.body += bytes((each.number, each.bytes, TYPES[each.type][0]))
        if others:
            self.body.append(len(others))
            for each in others:
                self.body += bytes((each.number, each.bytes, each.developer or 0))
        self.fields[local] = [*own, *others]
        return self

    def data(self, local: int, *values: Value, stamp: int | None = None) -> Self:
        """Add one data message; None is a value that is not known. The last bits of `stamp` go into its header."""
        self.body.append(local if stamp is None else 0x80 | local << 5 | stamp & 0x1F)
        for each, value in zip(self.fields[local], values, strict=True):
            _, letter, unknown = TYPES[each.type]
            told = unknown if value is None else value
            self.body += struct.pack(f"{self.endian}{each.bytes if letter == 's' else ''}{letter}", told)
        return self

    def file(self, *, header: int = 14, is_header_sealed: bool = True) -> bytes:
        """Return the whole file, with a header of 12 or 14 bytes and the checksums."""
        start = struct.pack("<BBHI4s", header, 0x20, 2132, len(self.body), b".FIT")
        if header > len(start):
            start += struct.pack("<H", crc(start) if is_header_sealed else 0)
        return sealed(start + bytes(self.body))


def sealed(content: bytes) -> bytes:
    """Return a file with its checksum at the end."""
    return content + struct.pack("<H", crc(content))


START = 1_000_000_000  # in FIT's seconds: 2021-09-08T01:46:40Z
START_AT = datetime.fromtimestamp(EPOCH + START, UTC)
TIME = Field(253, "uint32")
RECORD = (
    TIME,
    Field(0, "sint32"),
    Field(1, "sint32"),
    Field(2, "uint16"),
    Field(3, "uint8"),
    Field(4, "uint8"),
    Field(5, "uint32"),
    Field(6, "uint16"),
    Field(7, "uint16"),
    Field(13, "sint8"),
)
SESSION = (
    TIME, Field(2, "uint32"), Field(5, "enum"), Field(6, "enum"), Field(7, "uint32"), Field(8, "uint32"),
    Field(9, "uint32"),
)  # fmt: skip
LAP = (TIME, Field(2, "uint32"), Field(7, "uint32"), Field(8, "uint32"), Field(9, "uint32"))
RUNNING, CYCLING, SWIMMING, TRANSITION = 1, 2, 5, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One session: from when to when after START, what it says of its times, and its points."""

    points: Sequence[Sequence[Value]]  # seconds after START, latitude, longitude, then as RECORD in FIT's own units
    sport: int = RUNNING
    kind: int = 0
    start_s: int = 0
    elapsed_s: float = 0
    timer_s: float | None = None
    distance_m: float | None = None
    pauses: Sequence[tuple[int, int]] = ()


def course(count: int, *, start_s: int = 0, speed_mps: float = 3.0) -> list[list[Value]]:
    """Return points, one a second, that go north-east of 52, 13 with changing heights, heart rate and power."""
    return [
        [
            start_s + index, 52 + index * 2e-5, 13 + index * 2e-5, (100 + 500) * 5 + index % 50, 140 + index % 20, 85,
            index * speed_mps * 100, speed_mps * 1000, 250 + index % 30, 15,
        ]
        for index in range(count)
    ]  # fmt: skip


def semicircles(degrees: Value) -> Value:
    """Return an angle as FIT has it."""
    return degrees if degrees is None or isinstance(degrees, bytes) else round(degrees * 2**31 / 180)


def activity(
    sessions: Sequence[Session],
    *,
    serial: int = 3_912_345_678,
    offset_s: int | None = 7200,
    writer: FitWriter | None = None,
) -> FitWriter:
    """Write an activity of a Garmin watch; `.file()` of the result is its bytes."""
    made = writer or FitWriter()
    made.define(
        0, 0, [Field(0, "enum"), Field(1, "uint16"), Field(2, "uint16"), Field(3, "uint32z"), Field(4, "uint32")]
    )
    made.data(0, 4, 1, 2697, serial, START)
    made.define(1, 21, [TIME, Field(0, "enum"), Field(1, "enum")])
    made.define(2, 20, RECORD)
    made.define(3, 19, LAP)
    made.define(4, 18, SESSION)
    end = START
    for each in sessions:
        start = START + each.start_s
        end = start + int(each.elapsed_s)
        made.data(1, start, 0, 0)
        for stopped, started in each.pauses:
            made.data(1, START + stopped, 0, 4).data(1, START + started, 0, 0)
        for seconds, latitude, longitude, *rest in each.points:
            made.data(2, START + int(seconds or 0), semicircles(latitude), semicircles(longitude), *map(whole, rest))
        made.data(1, end, 0, 4)
        timer = each.elapsed_s if each.timer_s is None else each.timer_s
        metres = None if each.distance_m is None else round(each.distance_m * 100)
        made.data(3, end, start, round(each.elapsed_s * 1000), round(timer * 1000), metres)
        made.data(4, end, start, each.sport, each.kind, round(each.elapsed_s * 1000), round(timer * 1000), metres)
    if offset_s is not None:
        made.define(5, 34, [TIME, Field(5, "uint32")]).data(5, end, end + offset_s)
    return made


def whole(value: Value) -> Value:
    """Return a number as the wire has it."""
    return value if value is None or isinstance(value, bytes) else round(value)


def run(count: int = 326) -> FitWriter:
    """Write a run of so many seconds."""
    seconds = max(count - 1, 0)
    return activity([Session(points=course(count), elapsed_s=seconds, distance_m=seconds * 3.0)])
