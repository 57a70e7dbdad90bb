"""FIT files: every value as two other readers have it, and every damaged kind read up to where it breaks."""

import gzip
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import fitdecode
import fitfast
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strava.recordings import Device, Reading, Totals, UnreadableRecording, read_recording
from strava.recordings.fit_fields import FIELDS, RECORD, table
from strava.recordings.fit_structure import checksum, parts
from tests.strava import fit_writer
from tests.strava.fit_writer import (
    CYCLING,
    START,
    START_AT,
    SWIMMING,
    TIME,
    TRANSITION,
    Field,
    FitWriter,
    Session,
    Value,
    activity,
    course,
    crc,
    run,
    sealed,
)

EPOCH = fit_writer.EPOCH
# What each reader calls a column.
ORACLE = {
    "time": "timestamp",
    "latitude": "position_lat",
    "longitude": "position_long",
    "altitude_m": "enhanced_altitude",
    "speed_mps": "enhanced_speed",
    "heart_rate_bpm": "heart_rate",
    "cadence_rpm": "cadence",
    "distance_m": "distance",
    "power_w": "power",
    "temperature_c": "temperature",
    "fractional_cadence_rpm": "fractional_cadence",
}
Columns = dict[str, list[float | None]]


def rounded(values: Any) -> list[float | None]:
    """Return values to six decimals, None for what is not known."""
    return [None if value is None or np.isnan(value) else round(float(value), 6) for value in values]


def ours(content: bytes) -> Columns:
    """Read the records with our reader."""
    tables = [table(content, part.messages, RECORD) for part in parts(content, FIELDS.keys())]
    return {
        name: [value for each in tables for value in rounded(each.get(name, np.full(len(each["time"]), np.nan)))]
        for name in {name for each in tables for name in each}
        if any(not np.isnan(each[name]).all() for each in tables if name in each)
    }


def by_fitfast(content: bytes) -> Columns:
    """Read the records with the quickest parser there is."""
    read = fitfast.records(content)
    return {name: rounded(read[other]) for name, other in ORACLE.items() if other in read}


def by_fitdecode(content: bytes) -> Columns:
    """Read the records with the parser that minds least."""
    with warnings.catch_warnings(action="ignore"), fitdecode.FitReader(content) as reader:
        records = [
            frame
            for frame in reader
            if frame.frame_type == fitdecode.FIT_FRAME_DATA and frame.global_mesg_num == RECORD
        ]
    found = Columns()
    for name, other in ORACLE.items():
        values = [_told(each, other) for each in records]
        if any(value is not None for value in values):
            found[name] = rounded([_plain(name, value) for value in values])
    return found


def _told(message: Any, name: str) -> Any:
    """Return a field of its own, otherwise the coarser one that it is also told by."""
    for each in message.fields:
        if each.name == name and each.field_def and each.value is not None:
            return each.value
    return message.get_value(name.removeprefix("enhanced_"), fallback=None)


def _plain(name: str, value: Any) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    if value is None:
        return None
    return float(value) * 180 / 2**31 if name in {"latitude", "longitude"} else float(value)


def with_developer_fields() -> FitWriter:
    """Write a run with values of an app on the watch, one of them under the name of the watch's own."""
    made = run(0)
    made.define(6, 207, [Field(3, "uint8"), Field(1, "byte", 16)]).data(6, 0, b"a" * 16)
    made.define(6, 206, [Field(0, "uint8"), Field(1, "uint8"), Field(2, "uint8"), Field(3, "string", 16)])
    made.data(6, 0, 0, 0x84, b"Form Power")
    made.define(7, 20, [TIME, Field(3, "uint8"), Field(5, "uint32"), Field(0, "uint16", developer=0)])
    for index in range(10):
        made.data(7, START + index, 120 + index, index * 250, 60 + index)
    return made


def with_compressed_times() -> FitWriter:
    """Write records whose headers carry the last five bits of the time; more than once these begin at zero again."""
    made = run(0).define(2, 20, [TIME, Field(5, "uint32")]).define(3, 20, [Field(5, "uint32"), Field(3, "uint8")])
    made.data(2, START, 0)
    for index in range(1, 100):
        made.data(3, index * 300, 130, stamp=START + index)
    return made.data(2, START + 140, 43_000).data(3, 44_000, 131, stamp=START + 150)


def with_speed_and_distance_in_one() -> FitWriter:
    """Write records as old devices do: speed and distance in three bytes, the distance beginning again every 256 m."""
    made = run(0).define(2, 20, [TIME, Field(8, "byte", 3)])
    for index in range(200):
        speed, distance = 350, index * 56 % 4096
        made.data(2, START + index, bytes([speed & 0xFF, speed >> 8 | (distance & 0x0F) << 4, distance >> 4]))
    return made


def with_two_definitions() -> FitWriter:
    """Write records that change what they hold on the way, to finer heights and speeds."""
    made = run(20).define(
        8, 20, [TIME, Field(78, "uint32"), Field(73, "uint32"), Field(53, "uint8"), Field(4, "uint8")]
    )
    for index in range(20, 30):
        made.data(8, START + index, 3_000 + index, 3_141, 64, 88)
    return made


GOOD = {
    "plain": run().file(),
    "big-endian": activity([Session(points=course(40), elapsed_s=39)], writer=FitWriter(endian=">")).file(),
    "developer fields": with_developer_fields().file(),
    "compressed times": with_compressed_times().file(),
    "speed and distance in one": with_speed_and_distance_in_one().file(),
    "two definitions": with_two_definitions().file(),
    "two in a row": run(30).file() + run(20).file(),
    "unknown values": activity(
        [Session(points=[*course(3), [3, *[None] * 9], *course(3, start_s=4)], elapsed_s=6)]
    ).file(),
}


@pytest.mark.parametrize("name", GOOD)
def test_values_are_those_of_other_readers(name: str) -> None:
    """Our reader, the quickest other one and the most patient other one agree on every value of every record."""
    content = GOOD[name]
    assert ours(content) == by_fitdecode(content)
    if name != "speed and distance in one":  # which the quickest does not take apart
        assert ours(content) == by_fitfast(content)
    assert len(ours(content)["time"]) >= 10 or name == "unknown values"


@pytest.mark.parametrize("header", [12, 14])
def test_a_header_without_a_checksum_is_good(header: int) -> None:
    """Of 12 bytes, or with 0 where the header's checksum would be: both are allowed."""
    content = run(50).file(header=header, is_header_sealed=False)
    reading = read_recording(content)
    assert (len(reading.recordings[0].columns["time"]), reading.remarks) == (50, [])
    assert ours(content) == by_fitdecode(content)


RECORD_FIELDS = [each for each in fit_writer.RECORD if each is not TIME] + [
    Field(53, "uint8"),
    Field(73, "uint32"),
    Field(78, "uint32"),
]


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """Draw a file: its byte order, the fields of its records, and values that are any or not known."""
    made = FitWriter(endian=draw(st.sampled_from("<>")))
    made.define(0, 0, [Field(0, "enum")]).data(0, 4)
    for local in range(1, draw(st.integers(2, 4))):
        fields = draw(st.lists(st.sampled_from(RECORD_FIELDS), unique=True, max_size=8))
        made.define(local, 20, [TIME, *fields])
        for index in range(draw(st.integers(0, 4))):
            made.data(local, START + index, *(draw(st.none() | _number(each.type)) for each in fields))
    return made.file()


def _number(kind: str) -> st.SearchStrategy[int]:
    bits = int("".join(filter(str.isdigit, kind)))
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 2) if kind[0] == "s" else st.integers(0, 2**bits - 2)


@given(written())
@settings(max_examples=30, deadline=None)
def test_any_file_has_the_values_of_other_readers(content: bytes) -> None:
    """Any fields its records have, in either byte order."""
    assert {name: column for name, column in ours(content).items() if any(column)} == {
        name: column for name, column in by_fitdecode(content).items() if any(column)
    }


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_the_checksum_is_the_one_that_fit_defines(content: bytes) -> None:
    """As the plain loop over bytes has it; and of a file with its checksum it is 0."""
    assert checksum(content) == crc(content)
    assert checksum(sealed(content)) == 0


def flipped(content: bytes, at: int) -> bytes:
    """Return the content with one byte changed."""
    return content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]


WHOLE = run(326).file()
HALF = WHOLE[: WHOLE.index(b"\x02" + (START + 164).to_bytes(4, "little")) + 13]  # within the 165th record
DAMAGED: dict[str, tuple[bytes, int, bool, str]] = {
    "cut in half": (HALF, 164, True, "cut short after"),
    "last two bytes gone": (WHOLE[:-2], 326, False, "its checksum is missing"),
    "checksum wrong": (flipped(WHOLE, len(WHOLE) - 1), 326, False, "its checksum is wrong"),
    "header of length 0": (WHOLE[:4] + bytes(4) + WHOLE[8:], 326, False, "its header gives no length"),
    "junk after it": (WHOLE + b"junk" * 9, 326, False, "36 bytes after its end were not looked at"),
    "a byte flipped": (flipped(WHOLE, len(WHOLE) // 2), 326, False, "its checksum is wrong"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_read_up_to_the_break(name: str) -> None:
    """All records before the break are there, the reading says what is wrong, and only what is cut counts as cut."""
    content, records, is_truncated, remark = DAMAGED[name]
    reading = read_recording(content)
    assert len(reading.recordings) == 1
    assert len(reading.recordings[0].columns["time"]) == records
    assert reading.is_truncated is is_truncated
    assert [each for each in reading.remarks if remark in each], reading.remarks


def test_a_message_that_was_never_defined_ends_the_file() -> None:
    """What follows a message with an unknown number cannot be found, so the file ends there."""
    made = run(40)
    made.body += b"\x0f" * 30
    reading = read_recording(made.file())
    assert (len(reading.recordings[0].columns["time"]), reading.is_truncated) == (40, True)


def test_a_file_that_was_cut_has_no_session_and_keeps_its_points() -> None:
    """Start and end are those of its points."""
    recording = read_recording(HALF).recordings[0]
    assert recording.totals == Totals()
    assert (recording.start_at, recording.elapsed_s, recording.sport_type) == (START_AT, 163, None)


def test_a_type_of_values_that_does_not_exist_is_passed_over() -> None:
    """Its field has no values; the others are there. The native parser ends with a panic here."""
    made = run(0).define(2, 20, [TIME, Field(3, "uint8"), Field(90, "uint8")])
    made.body[-1] = 0x7F
    made.data(2, START, 120, 1).data(2, START + 1, 121, 1)
    assert list(read_recording(made.file()).recordings[0].columns["heart_rate_bpm"]) == [120, 121]


def test_values_of_an_app_never_replace_those_of_the_watch() -> None:
    """An app's field may be called `heart_rate`; the watch's own heart rate stays."""
    made = run(0).define(6, 206, [Field(0, "uint8"), Field(1, "uint8"), Field(2, "uint8"), Field(3, "string", 16)])
    made.data(6, 0, 0, 2, b"heart_rate").define(7, 20, [TIME, Field(3, "uint8"), Field(0, "uint8", developer=0)])
    made.data(7, START, 120, 60).data(7, START + 1, 121, 61)
    assert list(read_recording(made.file()).recordings[0].columns["heart_rate_bpm"]) == [120, 121]
    assert list(fitfast.records(made.file())["heart_rate"]) == [60, 61]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (gzip.compress(b"", mtime=0), "empty file"),
        (bytes(500), "empty file: nothing but zeros"),
        (FitWriter().define(0, 0, [Field(0, "enum")]).data(0, 2).file(), "not an activity: settings"),
        (FitWriter().define(0, 0, [Field(0, "enum")]).data(0, 6).file(), "not an activity: course"),
        (FitWriter().define(0, 0, [Field(0, "enum")]).data(0, 4).file(), "no times"),
        (b"PK\x03\x04" + bytes(99), "a ZIP archive, not a recording"),
        (b"\x89PNG" + bytes(99), "not a FIT, TCX or GPX file"),
        (gzip.compress(bytes(2**22), mtime=0), "unpacks to more than 64 MiB or 200 times its size"),
    ],
    ids=range(9),
)
def test_what_is_no_recording_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    """The reason goes into the import's report."""
    with pytest.raises(UnreadableRecording) as refused:
        read_recording(content)
    assert str(refused.value) == reason


def test_a_gzipped_file_is_known_by_its_content() -> None:
    """Its name does not count; cut short, it is read as far as it unpacks."""
    packed = gzip.compress(WHOLE)
    assert len(read_recording(packed, "activities/1.fit").recordings[0].columns["time"]) == 326
    cut = read_recording(packed[: len(packed) * 2 // 3], "activities/1.fit.gz")
    assert cut.is_truncated
    assert cut.remarks[0] == "cut short: its compressed data breaks off"
    assert 50 < len(cut.recordings[0].columns["time"]) < 326


def triathlon() -> Reading:
    """Read a swim, a change, a ride, another change and a run of one file."""
    sports = [(SWIMMING, 600), (TRANSITION, 60), (CYCLING, 1200), (TRANSITION, 60), (fit_writer.RUNNING, 900)]
    sessions, start = list[Session](), 0
    for sport, seconds in sports:
        points = course(seconds, start_s=start)
        sessions.append(
            Session(points=points, sport=sport, start_s=start, elapsed_s=seconds - 1, distance_m=(seconds - 1) * 3)
        )
        start += seconds
    return read_recording(activity(sessions).file())


def test_a_file_with_several_sessions_has_a_recording_for_each() -> None:
    """Each has the points, the lap and the pauses of its own time; the changes between them are none."""
    reading = triathlon()
    assert [each.sport_type for each in reading.recordings] == ["Swim", "Ride", "Run"]
    assert [len(each.columns["time"]) for each in reading.recordings] == [600, 1200, 900]
    assert [each.start_at - START_AT for each in reading.recordings] == [timedelta(seconds=s) for s in (0, 660, 1920)]
    assert [[lap.start for lap in each.laps] for each in reading.recordings] == [
        [each.start] for each in reading.recordings
    ]
    assert [each.columns["distance_m"][[0, -1]].tolist() for each in reading.recordings] == [
        [0, 1797],
        [0, 3597],
        [0, 2697],
    ]


def test_a_session_that_stands_twice_counts_once() -> None:
    """As when the same file was written twice in a row."""
    reading = read_recording(WHOLE + WHOLE)
    assert len(reading.recordings) == 1
    assert "it holds a session twice" in reading.remarks


def test_what_a_device_says_of_itself_is_read() -> None:
    """Manufacturer, serial number and time are the key by which copies of one recording are known."""
    made = run(10)
    made.define(
        6, 23, [Field(0, "uint8"), Field(2, "uint16"), Field(1, "uint8"), Field(25, "enum"), Field(27, "string", 20)]
    )
    made.data(6, 0, 1, None, None, b"Forerunner 945").data(6, 2, 1, 4, 5, b"")
    recording = read_recording(made.file()).recordings[0]
    assert recording.device == Device(
        manufacturer="Garmin",
        product="Forerunner 945",
        product_number=2697,
        serial_number=3_912_345_678,
        created_at=datetime.fromtimestamp(EPOCH + START, UTC),
        has_barometer=True,
    )
    assert recording.utc_offset_s == 7200


@pytest.mark.parametrize(
    ("sport", "kind", "sport_type", "is_indoor"),
    [
        (1, 0, "Run", False),
        (1, 1, "Run", True),
        (1, 3, "TrailRun", False),
        (2, 58, "VirtualRide", True),
        (2, 6, "Ride", True),
        (2, 46, "GravelRide", False),
        (5, 17, "Swim", True),
        (10, 20, "WeightTraining", False),
        (22, 0, None, False),
        (None, None, None, False),
    ],
)
def test_a_sport_has_strava_s_name(
    sport: int | None, kind: int | None, sport_type: str | None, is_indoor: bool
) -> None:
    """A sport that Strava does not have stays unknown, and does not become another."""
    points: Sequence[Sequence[Any]] = course(3)
    made = activity([Session(points=points, sport=sport, kind=kind, elapsed_s=2)])  # type: ignore[arg-type]
    recording = read_recording(made.file()).recordings[0]
    assert (recording.sport_type, recording.is_indoor) == (sport_type, is_indoor)


def test_the_timer_s_stops_are_pauses() -> None:
    """From each stop to the start after it; the last stop is the end."""
    session = Session(points=course(60), elapsed_s=59, pauses=[(10, 20), (30, 31)])
    recording = read_recording(activity([session]).file()).recordings[0]
    assert [(a - recording.start, b - recording.start) for a, b in recording.pauses] == [(10, 20), (30, 31)]
    assert not read_recording(run(20).file()).recordings[0].has_pauses


@pytest.mark.parametrize(("early", "first", "start"), [(3, 0, 0), (300, -300, -300)])
def test_no_point_is_before_the_start(early: int, first: int, start: int) -> None:
    """Readings while a device waits for satellites are left out; more of them say that the session's start is wrong."""
    points = course(early + 60, start_s=-early)
    [recording] = read_recording(activity([Session(points=points, elapsed_s=60)]).file()).recordings
    assert (recording.columns["time"] - START - EPOCH).tolist() == list(range(first, 60))
    assert recording.start == START + EPOCH + start


def test_points_are_sorted_merged_and_cleaned() -> None:
    """One moment has one point; the position 0, 0, a clock not set yet and a leap of distance do not count."""
    points = course(6)
    points[2][1:3] = [0, 0]
    points[3][6] = 4_000_000_000
    extra: list[list[Value]] = [
        [4, None, None, None, 99, None, None, None, None, None],
        [5, *points[5][1:4], None, *points[5][5:]],
    ]
    shuffled = [points[i] for i in (3, 1, 0, 2, 4, 5)]
    made = activity([Session(points=[*shuffled, *extra], elapsed_s=5)])
    made.data(2, 1000, None, None, None, 60, None, None, None, None, None)
    columns = read_recording(made.file()).recordings[0].columns
    assert (columns["time"] - EPOCH - START).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isnan(columns["latitude"]).tolist() == [False, False, True, False, False, False]
    assert columns["heart_rate_bpm"].tolist() == [140, 141, 142, 143, 99, 145]
    assert columns["distance_m"].tolist() == [0, 3, 6, 6, 6, 9]


def test_too_many_messages_are_refused() -> None:
    """A file of nothing but messages without values would otherwise fill the memory."""
    made = run(0).define(9, 20, [])
    made.body += b"\x09" * 1_000_001
    with pytest.raises(UnreadableRecording, match="more than 1,000,000 messages"):
        read_recording(made.file(header=12))
