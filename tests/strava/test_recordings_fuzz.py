"""Thousands of files that are damaged by chance: each is read or refused, soon, and in little memory."""

import gzip
import random
import resource
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from strava.recordings import UnreadableRecording, clip, describe, read_recording, streams
from tests.strava.fit_writer import CYCLING, START_AT, Session, activity, course, sealed
from tests.strava.fuzzing import INPUTS, SEED
from tests.strava.test_recordings_fit import (
    with_compressed_times,
    with_developer_fields,
    with_speed_and_distance_in_one,
)
from tests.strava.xml_writer import course as xml_course
from tests.strava.xml_writer import gpx, tcx

SMALL = [
    Session(points=course(12), elapsed_s=11, distance_m=33, pauses=[(3, 5)]),
    Session(points=course(9, start_s=20), sport=CYCLING, start_s=20, elapsed_s=8),
]
SEEDS: dict[str, list[bytes]] = {
    "fit": [
        activity(SMALL).file(),
        with_developer_fields().file(),
        with_speed_and_distance_in_one().file()[:700],
        with_compressed_times().file(),
    ],
    "xml": [
        gpx(xml_course(8)).encode(),
        tcx([("Running", [xml_course(4), xml_course(8)[4:]])], timer_s=2).encode(),
        gpx(xml_course(4)).encode("utf-16"),
    ],
    "gzip": [gzip.compress(activity(SMALL).file()), gzip.compress(gpx(xml_course(8)).encode())],
}
Change = Callable[[random.Random, bytearray], Any]


def _replace(rng: random.Random, content: bytearray) -> None:
    for _ in range(rng.randint(1, 6)):
        content[rng.randrange(len(content))] = rng.choice((0, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _cut(rng: random.Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _remove(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    del content[start : start + rng.randint(1, 40)]


def _repeat(rng: random.Random, content: bytearray) -> None:
    start = rng.randrange(len(content))
    content[start:start] = content[start : start + rng.randint(1, 200)] * rng.randint(1, 5)


def _digits(rng: random.Random, content: bytearray) -> None:
    """Change digits to others, signs and exponents: XML that stays XML and says odd things."""
    places = [place for place, byte in enumerate(content) if 48 <= byte <= 57]
    for place in rng.sample(places, min(len(places), rng.randint(1, 8))):
        content[place] = rng.choice(b"0123456789-.eE")


def _seal(_: random.Random, content: bytearray) -> None:
    content[:] = sealed(bytes(content[:-2]))


CHANGES: list[Change] = [_replace, _replace, _cut, _remove, _repeat, _digits, _digits, _seal]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "share"), [("fit", 4), ("xml", 7), ("gzip", 10)])
def test_a_file_damaged_by_chance_is_read_or_refused(kind: str, share: int) -> None:
    """No other error, no endless loop, and what is read can be said and clipped; memory stays where it was."""
    rng, count = random.Random(SEED), INPUTS // share
    before, started = _resident_mb(), time.process_time()
    outcomes = {"read": 0, "refused": 0}
    for _ in range(count):
        content = bytearray(rng.choice(SEEDS[kind]))
        for change in rng.choices(CHANGES, k=rng.randint(1, 3)):
            if content:
                change(rng, content)
        one = time.process_time()
        try:
            reading = read_recording(bytes(content))
        except UnreadableRecording:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            for recording in reading.recordings[:1] if rng.random() < 0.5 else []:
                orjson.dumps(describe(recording))
                orjson.dumps(streams(recording))
                orjson.dumps(describe(clip(recording, START_AT, 3)))
        assert time.process_time() - one < 2
    assert min(outcomes.values()) > count / 50, outcomes
    assert time.process_time() - started < 0.02 * count
    assert _resident_mb() - before < 100


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
