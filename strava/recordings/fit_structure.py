"""The structure of a FIT file: where its messages are, and whether its checksum is right.

Format: https://developer.garmin.com/fit/protocol/

A file may be several in a row, each with a header, messages and a checksum. A message either defines what later
messages with its local number hold, or holds values. So a file is read up to the first message that cannot be right,
and everything before that is good.
"""

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from strava.recordings.recording import UnreadableRecording

MOST_MESSAGES, MOST_DEFINITIONS, MOST_PARTS = 1_000_000, 1_000, 100
TIMESTAMP = 253  # the number of this field in every message
_LEAST_HEADER, _CHECKSUM = 12, 2
_NO_TIME = b"\xff\xff\xff\xff"
_DEFINITION, _DEVELOPER, _COMPRESSED = 0x40, 0x20, 0x80
Words = np.ndarray[Any, np.dtype[np.uint16]]


@dataclass(slots=True)
class Messages:
    """The messages of one definition, in the file's order: at which byte the values of each begin.

    `fields` tells by a field's number its first byte, size in bytes and base type. `stamps` are the times in FIT's
    seconds of those messages, by their place, that carry theirs in the header.
    """

    number: int
    is_wanted: bool
    is_big_endian: bool
    fields: dict[int, tuple[int, int, int]]
    size: int
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    stamps: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Part:
    """One of the files in a row: its messages of the kinds that were asked for, and what is wrong with it."""

    messages: list[Messages] = field(default_factory=list)
    end: int = 0
    is_cut: bool = False
    remarks: list[str] = field(default_factory=list)


def parts(content: bytes, wanted: Collection[int]) -> list[Part]:
    """Return the files in a row that a file is. Raises UnreadableRecording for more than any device writes."""
    found, start = list[Part](), 0
    while content[start + 8 : start + _LEAST_HEADER] == b".FIT" and content[start] >= _LEAST_HEADER:
        if len(found) == MOST_PARTS:
            raise UnreadableRecording(f"more than {MOST_PARTS} files in a row")
        found.append(_part(content, start, wanted))
        start = found[-1].end
    if found and start < len(content):
        found[-1].remarks.append(f"{len(content) - start:,} bytes after its end were not looked at")
    return found


def _part(content: bytes, start: int, wanted: Collection[int]) -> Part:
    size = int.from_bytes(content[start + 4 : start + 8], "little")
    first = start + content[start]
    part = Part(end=first + size + _CHECKSUM)
    if not size:  # a device that stopped before it had filled in the length
        part.end = len(content)
        part.remarks.append("its header gives no length")
    last = min(part.end - _CHECKSUM, len(content) - (0 if part.end > len(content) else _CHECKSUM))
    reached = _walk(content, first, max(first, last), wanted, part)
    if reached < last or part.end - _CHECKSUM > len(content):
        part.is_cut = True
        part.remarks.append(f"cut short after {max(0, reached - start):,} bytes")
    elif part.end > len(content):
        part.remarks.append("its checksum is missing")
    elif size and checksum(content[start : part.end]):
        part.remarks.append("its checksum is wrong")
    part.end = min(part.end, len(content))
    return part


def _walk(content: bytes, at: int, last: int, wanted: Collection[int], part: Part) -> int:
    """Follow the messages as far as they make sense; return where the last good one ends."""
    local, known = dict[int, Messages](), dict[bytes, Messages]()  # some devices repeat definitions all along
    stamp, stamped = 0, None  # the last known time, and the message that tells a later one
    for _ in range(MOST_MESSAGES):
        if at >= last:
            return at
        header = content[at]
        if header & (_DEFINITION | _COMPRESSED) == _DEFINITION:
            defined, after = _definition(content, at, wanted)
            if defined is None or after > last:
                return at
            local[header & 0x0F] = _shared(known, content[at:after], defined)
            at = after
            continue
        messages = local.get(header >> 5 & 0x03 if header & _COMPRESSED else header & 0x0F)
        if messages is None or at + 1 + messages.size > last:
            return at
        if header & _COMPRESSED:
            stamp, stamped = _stamp(content, header, stamp, stamped), None
            messages.stamps[len(messages.starts)] = stamp
        elif _tells_time(content, at + 1, messages):
            stamped = messages, at + 1
        if messages.is_wanted:
            messages.starts.append(at + 1)
            if len(messages.starts) == 1:
                part.messages.append(messages)
        at += 1 + messages.size
    raise UnreadableRecording(f"more than {MOST_MESSAGES:,} messages")


def _shared(known: dict[bytes, Messages], written: bytes, defined: Messages) -> Messages:
    """Return the messages of an equal definition, if there was one."""
    if len(known) > MOST_DEFINITIONS:
        raise UnreadableRecording(f"more than {MOST_DEFINITIONS:,} definitions of messages")
    return known.setdefault(written, defined)


def _tells_time(content: bytes, start: int, messages: Messages) -> bool:
    return TIMESTAMP in messages.fields and not content.startswith(_NO_TIME, start + messages.fields[TIMESTAMP][0])


def _stamp(content: bytes, header: int, stamp: int, stamped: tuple[Messages, int] | None) -> int:
    """Return the time of a message that carries its last five bits: the next such time after the last known one."""
    if stamped:
        messages, start = stamped
        offset, size, _ = messages.fields[TIMESTAMP]
        whole = content[start + offset : start + offset + min(size, 4)]
        stamp = int.from_bytes(whole, "big" if messages.is_big_endian else "little")
    return stamp + ((header - stamp) & 0x1F) & 0xFFFFFFFF


def _definition(content: bytes, at: int, wanted: Collection[int]) -> tuple[Messages | None, int]:
    """Read a definition; return it, None if it cannot be one, and where it ends."""
    is_big = content[at + 2 : at + 3] == b"\1"
    if len(content) < at + 6 or content[at + 2] > 1:
        return None, at
    number = int.from_bytes(content[at + 3 : at + 5], "big" if is_big else "little")
    after = at + 6 + 3 * content[at + 5]
    fields, size = dict[int, tuple[int, int, int]](), 0
    for place in range(at + 6, min(after, len(content) - 2), 3):
        fields[content[place]] = size, content[place + 1], content[place + 2]
        size += content[place + 1]
    if content[at] & _DEVELOPER and after < len(content):  # what an app on the device adds is passed over
        own, after = after + 1, after + 1 + 3 * content[after]
        size += sum(content[own + 1 : after : 3])
    return Messages(number, number in wanted, is_big, fields, size), after


def checksum(content: bytes) -> int:
    """Return the checksum that FIT defines; of something with its checksum at the end it is 0.

    It is linear: that of two pieces in a row is the first one's, carried on over as many zeros as the second piece is
    long, combined with the second one's. So neighbours are combined in pairs until one is left; zeros before the
    content change nothing.
    """
    words: Words = np.frombuffer(b"\0" * (len(content) % 2) + content, dtype="<u2")
    sums, level = _carried(0)[words], 0
    while len(sums) > 1:
        if len(sums) % 2:
            sums = np.concatenate([np.zeros(1, dtype=np.uint16), sums])
        sums = _carried(level)[sums[0::2]] ^ sums[1::2]
        level += 1
    return int(sums[0]) if len(sums) else 0


@cache
def _carried(level: int) -> Words:
    """Return for each checksum what it becomes after 2^level words of zeros."""
    if level:
        return _carried(level - 1)[_carried(level - 1)]
    table = np.arange(2**16, dtype=np.uint16)
    for _ in range(16):
        table = np.where(table & 1, table >> 1 ^ 0xA001, table >> 1).astype(np.uint16)
    return table
