"""How many recordings a second are read and said as an activity with its streams, beside a bare loop of fitfast.

fitfast is the quickest parser of FIT there is. Its loop decodes the same files and does nothing with their values.
"""

import math
import random
import struct
import time
from collections.abc import Callable, Iterator
from statistics import median

import fitfast

from strava.recordings import describe, read_recording, streams
from strava.recordings.fit_structure import checksum

RECORDS = 4_276  # an hour and eleven minutes, as in public comparisons of parsers
FILES, ROUNDS = 5, 7
START = 1_000_000_000  # in FIT's seconds: 2021-09-08
_RECORD = "<BIiiHBBIHHb"
_RECORD_FIELDS = (
    (253, 0x86),
    (0, 0x85),
    (1, 0x85),
    (2, 0x84),
    (3, 0x02),
    (4, 0x02),
    (5, 0x86),
    (6, 0x84),
    (7, 0x84),
    (13, 0x01),
)
_SESSION = "<BIIBII"
_SESSION_FIELDS = ((253, 0x86), (2, 0x86), (5, 0x00), (7, 0x86), (9, 0x86))
_SIZES = {0x00: 1, 0x01: 1, 0x02: 1, 0x84: 2, 0x85: 4, 0x86: 4}


def recording(seed: int) -> bytes:
    """Return a FIT file of a winding run with a reading a second, 111 kB."""
    rng = random.Random(seed)  # noqa: S311 - a made-up run
    body = _definition(0, 20, _RECORD_FIELDS) + b"".join(_records(rng)) + _definition(1, 18, _SESSION_FIELDS)
    body += struct.pack(_SESSION, 1, START + RECORDS, START, 1, 1000 * (RECORDS - 1), 300 * (RECORDS - 1))
    head = struct.pack("<BBHI4s", 14, 0x20, 2132, len(body), b".FIT")
    head += struct.pack("<H", checksum(head))
    return head + body + struct.pack("<H", checksum(head + body))


def _definition(local: int, message: int, fields: tuple[tuple[int, int], ...]) -> bytes:
    told = b"".join(bytes((number, _SIZES[kind], kind)) for number, kind in fields)
    return struct.pack("<BBBHB", 0x40 | local, 0, 0, message, len(fields)) + told


def _records(rng: random.Random) -> Iterator[bytes]:
    latitude, longitude, heading = 52.0, 13.0, 0.0
    for second in range(RECORDS):
        heading += rng.gauss(0, 0.08)
        latitude += 3e-5 * math.cos(heading)
        longitude += 4e-5 * math.sin(heading)
        place = (round(degrees * 2**31 / 180) for degrees in (latitude, longitude))
        height, heart, power = 3000 + round(200 * math.sin(second / 300)), rng.randint(140, 149), rng.randint(230, 290)
        yield struct.pack(_RECORD, 0, START + second, *place, height, heart, 85, second * 300, 3000, power, 15)


def measure() -> dict[str, float]:
    """Alternate between the two in processor time; return files a second of both and their ratio."""
    files = [recording(seed) for seed in range(FILES)]
    ways: dict[str, Callable[[bytes], object]] = {"recordings": _said, "bare": fitfast.parse}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.process_time()
            for each in files:
                way(each)
            seconds[name].append(time.process_time() - started)
    said, bare = (FILES / median(seconds[name]) for name in ways)
    return {"recordings_per_s": said, "recordings_bare_per_s": bare, "recordings_ratio": said / bare}


def _said(content: bytes) -> object:
    found = read_recording(content).recordings[0]
    return describe(found), streams(found)
