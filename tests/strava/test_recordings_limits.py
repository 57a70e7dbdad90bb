"""Files that are made to fill the memory or the processor: each is refused early, or read at a bounded cost."""

import gzip
import struct
from collections.abc import Callable

import pytest

from strava.recordings import UnreadableRecording, read_recording
from tests.strava.fit_writer import LAP, SESSION, START, TIME, Field, FitWriter, course, run, sealed
from tests.strava.xml_writer import TCX_HEAD, tcx, tcx_activity
from tests.strava.xml_writer import course as xml_course


def _parts() -> bytes:
    """More files in a row than a device writes, each of one byte."""
    return sealed(struct.pack("<BBHI4sB", 12, 0x20, 2132, 1, b".FIT", 0x40)) * 101


def _definitions() -> bytes:
    """Ever another definition of a message."""
    made = run(2)
    for number in range(1_002):
        made.define(1, 1000 + number, [TIME])
    return made.file()


def _events() -> bytes:
    """More events than an activity has."""
    made = run(2).define(7, 21, [Field(0, "enum")])
    made.body += b"\x07\x00" * 50_001
    return made.file(header=12)


def _sessions() -> bytes:
    """More sessions than an activity has, each of which would be cut from all points."""
    made = run(2).define(7, 18, SESSION)
    for number in range(100):
        made.data(7, START, START + number, 1, 0, 1000, 1000, 1000)
    return made.file()


def _gzips() -> bytes:
    """Ever another gzip file of nothing."""
    return gzip.compress(b"<gpx/>") + gzip.compress(b"") * 1_000


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_parts, "more than 100 files in a row"),
        (_definitions, "more than 1,000 definitions of messages"),
        (_events, "more than 50,000 messages of one kind"),
        (_sessions, "more than 100 sessions"),
        (f"{TCX_HEAD}{'<Activity/>' * 101}".encode, "more than 100 activities"),
        (f"{TCX_HEAD}<Activity>{'<Lap/>' * 10_001}".encode, "more than 10,000 laps"),
        (f"<gpx>{''.join(f'<n{number}/>' for number in range(1_001))}".encode, "more than 1,000 names"),
        (_gzips, "more than 1,000 gzip files in a row"),
        (("<gpx>" + "".join(f"<n a{number}='1'/>" for number in range(1_001))).encode, "more than 1,000 names"),
    ],
    ids=[
        "files in a row",
        "definitions",
        "events",
        "sessions",
        "activities",
        "laps",
        "elements",
        "gzips",
        "attributes",
    ],
)
def test_more_of_a_thing_than_a_device_writes_is_refused(make: Callable[[], bytes], reason: str) -> None:
    """A few bytes each, of which 64 MiB would take gigabytes of memory or hours."""
    with pytest.raises(UnreadableRecording, match=reason):
        read_recording(make())


def test_a_definition_that_is_repeated_for_each_message_counts_once() -> None:
    """Some devices write it before every message: the values are the same, and read as quickly."""
    points = course(2_500)
    made, once = FitWriter(), FitWriter().define(0, 20, [TIME, Field(3, "uint8")])
    for second, *_ in points:
        made.define(0, 20, [TIME, Field(3, "uint8")]).data(0, START + int(second or 0), 140)
        once.data(0, START + int(second or 0), 140)
        made.define(0, 19, LAP)
    [read], [known] = read_recording(made.file()).recordings, read_recording(once.file()).recordings
    assert {name: column.tolist() for name, column in read.columns.items()} == {
        name: column.tolist() for name, column in known.columns.items()
    }


def test_a_time_that_is_not_known_does_not_move_compressed_ones() -> None:
    """The last known time counts on."""
    made = FitWriter().define(0, 20, [TIME]).define(1, 20, [Field(3, "uint8")])
    made.data(0, START).data(0, None)
    for second in (1, 2):
        made.data(1, 140, stamp=START + second)
    [recording] = read_recording(made.file()).recordings
    assert (recording.columns["time"] - recording.start).tolist() == [0, 1, 2]


def test_an_activity_in_a_lap_of_another_one_is_read() -> None:
    """A lap's end that is missing leaves no lap open in the next activity."""
    first, second = (tcx_activity("Running", [xml_course(3)]) for _ in range(2))
    content = f"{TCX_HEAD}{first[: first.index('</Lap>')]}{second.replace('<Lap ', '<Gap ')}"
    [recording] = read_recording(content.encode()).recordings[1:]
    assert (len(recording.columns["time"]), recording.totals.told()) == (3, {})


def test_a_lap_in_which_a_file_ends_says_nothing_of_the_whole() -> None:
    """It was written at the lap's end and told at its begin: distance and timer are of points that were cut off."""
    whole = tcx([("Running", [xml_course(101)])])
    at = whole.index("<Trackpoint>", len(whole) // 2)
    [recording] = read_recording(whole[:at].encode()).recordings
    assert len(recording.columns["time"]) < 60
    assert recording.totals.told() == {}
    assert recording.elapsed_s == len(recording.columns["time"]) - 1
    assert read_recording(whole.encode()).recordings[0].totals.distance_m == 300
