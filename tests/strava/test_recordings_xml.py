"""TCX and GPX files: what they say, the faults that exporters make, and what is refused."""

import codecs
import tracemalloc

import numpy as np
import pytest

from strava.recordings import Device, Totals, UnreadableRecording, read_recording
from tests.strava.fit_writer import START_AT
from tests.strava.xml_writer import GPX_HEAD, TCX_HEAD, course, gpx, tcx


def test_a_tcx_file_says_what_its_points_and_laps_say() -> None:
    """Positions, heights, distances, heart rate and what stands in the extensions; sums over the laps; the device."""
    points = course(120)
    reading = read_recording(tcx([("Biking", [points[:60], points[60:]])]).encode())
    recording = reading.recordings[0]
    assert (reading.kind, reading.remarks, reading.is_truncated) == ("tcx", [], False)
    assert (recording.sport_type, recording.start_at, recording.elapsed_s) == ("Ride", START_AT, 119)
    assert {name: float(column[7]) for name, column in recording.columns.items() if name != "time"} == {
        "latitude": 52.00014,
        "longitude": 13.00014,
        "altitude_m": 102,
        "distance_m": 21,
        "speed_mps": 3,
        "heart_rate_bpm": 140,
        "cadence_rpm": 84,
        "power_w": 250,
    }
    assert recording.totals == Totals(timer_s=118, distance_m=354, calories_kcal=120, max_speed_mps=4.5)
    assert [(lap.start - recording.start, lap.totals.elapsed_s) for lap in recording.laps] == [(0, 60), (60, 59)]
    assert recording.laps[0].totals.average_heart_rate_bpm == 139
    assert recording.device == Device(product="Edge 530", serial_number=3_912_345_678, product_number=3121)
    assert not recording.has_pauses


def test_a_lap_whose_timer_ran_shorter_had_a_pause() -> None:
    """By more than five seconds: then the timer counts as moving time."""
    assert read_recording(tcx([("Running", [course(60)])], timer_s=50).encode()).recordings[0].has_pauses
    assert not read_recording(tcx([("Running", [course(60)])], timer_s=55).encode()).recordings[0].has_pauses


def test_each_activity_of_a_tcx_file_is_a_recording() -> None:
    """With its own sport and points."""
    points = course(90)
    reading = read_recording(tcx([("Running", [points[:30]]), ("Other", [points[30:]])]).encode())
    assert [(each.sport_type, len(each.columns["time"])) for each in reading.recordings] == [("Run", 30), (None, 60)]


def test_a_gpx_file_says_what_its_points_say() -> None:
    """Strava's own: name and type of the track, and what it writes into the extensions."""
    reading = read_recording(gpx(course(60)).encode())
    recording = reading.recordings[0]
    assert (reading.kind, recording.name, recording.sport_type) == ("gpx", "Morning", "Run")
    assert (recording.start_at, recording.elapsed_s) == (START_AT, 59)
    assert {name: float(column[7]) for name, column in recording.columns.items() if name != "time"} == {
        "latitude": 52.00014,
        "longitude": 13.00014,
        "altitude_m": 102,
        "heart_rate_bpm": 140,
    }


def test_a_creator_with_a_barometer_is_believed() -> None:
    """Strava tells its users to write so; otherwise a creator is a program and no device."""
    told = gpx(course(2)).replace("StravaGPX", "Edge 500 With Barometer")
    assert read_recording(told.encode()).recordings[0].device == Device(has_barometer=True)
    assert read_recording(gpx(course(2)).encode()).recordings[0].device == Device()


@pytest.mark.parametrize(
    ("kind", "sport_type"), [("1", "Ride"), ("9", "Run"), ("trail_running", "TrailRun"), ("odd", None)]
)
def test_a_type_of_gpx_is_a_sport_of_strava(kind: str, sport_type: str | None) -> None:
    """Also the numbers of Strava's older files; a word that is not known is no sport."""
    assert read_recording(gpx(course(2), kind=kind).encode()).recordings[0].sport_type == sport_type


@pytest.mark.parametrize(
    "wrapped",
    [
        " " * 10 + tcx([("Running", [course(20)])]),
        "\r\n\t" + gpx(course(20)),
        gpx(course(20)).replace("<trkpt", "\n<trkpt"),
        gpx(course(20))
        .replace("<gpx ", "<g:gpx xmlns:g='http://www.topografix.com/GPX/1/1' ")
        .replace("</gpx>", "</g:gpx>"),
        tcx([("Running", [course(20)])])
        .replace("TPX>", "ns3:TPX>")
        .replace("<Activities>", '<Activities xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2">'),
    ],
    ids=["ten blanks", "line breaks", "indented", "prefixed", "prefixed extension"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_odd_but_readable_files_are_read(wrapped: str, encoding: str) -> None:
    """Blanks before the declaration, byte-order marks, any prefix, and UTF-16."""
    if encoding == "utf-16":
        wrapped = wrapped.lstrip().replace('encoding="UTF-8"', 'encoding="UTF-16"')
    columns = read_recording(wrapped.encode(encoding)).recordings[0].columns
    assert len(columns["time"]) == 20
    assert columns["heart_rate_bpm"].tolist() == [140] * 20


@pytest.mark.parametrize("content", [gpx(course(50)), tcx([("Running", [course(50)])])], ids=["gpx", "tcx"])
def test_a_cut_file_is_read_up_to_the_break(content: str) -> None:
    """The points before it stay, and the reading says that it is cut."""
    reading = read_recording(content[: content.index("52.0005")].encode())
    assert reading.is_truncated
    assert reading.remarks[0].startswith("cut short: line")
    assert len(reading.recordings[0].columns["time"]) == 25


def test_points_without_a_time_are_left_out() -> None:
    """And counted."""
    points = [*course(10), {"lat": 52, "lon": 13}]
    reading = read_recording(gpx(points).encode())
    assert (len(reading.recordings[0].columns["time"]), reading.remarks) == (
        10,
        ["1 points without a time were left out"],
    )


def test_half_a_position_is_none() -> None:
    """A point without a longitude keeps its time and heart rate."""
    columns = read_recording(gpx(course(5)).replace('lon="13.00004"', "").encode()).recordings[0].columns
    assert np.flatnonzero(np.isnan(columns["latitude"])).tolist() == [2]
    assert columns["heart_rate_bpm"].tolist() == [140] * 5


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gpx([{"lat": 52, "lon": 13}]), "no times"),
        (GPX_HEAD + "</gpx>", "no times"),
        (TCX_HEAD + "</TrainingCenterDatabase>", "no times"),
        (
            TCX_HEAD + "<Courses><Course><Name>A</Name></Course></Courses></TrainingCenterDatabase>",
            "not an activity: course or workout",
        ),
        ("<gpx <", "line 1: not XML"),
        ("<?xml version='1.0'?>\n\n<gpx><trk>&nbsp;</trk></gpx>", "line 3: not XML"),
        (
            '<!DOCTYPE gpx [<!ENTITY a "aaaa">]>' + gpx(course(2))[38:],
            "a document type declaration, which no recording needs",
        ),
        ("<?xml version='1.0' encoding='klingon'?><gpx/>", "in an encoding that is not known"),
        ("<gpx>" + "<a>" * 100, "elements within more than 64 others"),
        (
            "<gpx " + " ".join(f"a{number}='1'" for number in range(101)) + "/>",
            "an element with more than 100 attributes",
        ),
        ("<gpx " + "a='>' " * 50_000 + "/>", "an element of more than 256 KiB"),
        ("<html><body>Sign in</body></html>", "not a FIT, TCX or GPX file"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_reason(content: str, reason: str) -> None:
    """The reason goes into the import's report."""
    with pytest.raises(UnreadableRecording) as refused:
        read_recording(content.encode())
    assert str(refused.value) == reason


def test_a_long_text_and_many_elements_need_no_memory() -> None:
    """Nothing of a file is kept but its points."""
    content = (GPX_HEAD + "<metadata><desc>" + "x" * 250_000 + "</desc>" + "<a/>" * 50_000 + "</metadata>").encode()
    tracemalloc.start()
    with pytest.raises(UnreadableRecording, match="not XML"):
        read_recording(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(content)


def test_what_strava_could_not_export_says_so() -> None:
    """Its file has the name `#error#` and no content."""
    with pytest.raises(UnreadableRecording, match="Strava has no file for it"):
        read_recording(b"", "activities/#error#")


def test_a_mark_of_the_byte_order_alone_is_no_file() -> None:
    """Nothing follows it."""
    with pytest.raises(UnreadableRecording, match="not a FIT, TCX or GPX file"):
        read_recording(codecs.BOM_UTF8)
