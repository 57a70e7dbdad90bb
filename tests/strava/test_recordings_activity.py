"""A recording said as Strava's API would say it: the activity, its streams, and what a crop leaves of both."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from simulator.export import recording as simulated
from simulator.export import xml_files
from simulator.export.fit_file import fit
from simulator.journal import Journal
from simulator.world.world import Origin, World
from strava.recordings import Recording, Totals, clip, describe, read_recording, streams
from tests.strava.fit_writer import CYCLING, RUNNING, START_AT, SWIMMING, Field, Session, Value, activity, course, run
from tests.strava.test_recordings_fit import triathlon
from tests.strava.xml_writer import course as xml_course
from tests.strava.xml_writer import gpx, tcx

FIRST_RUN_AT = datetime(2022, 5, 29, 15, 53, 35, tzinfo=UTC)


def seconds_to(moment: datetime) -> int:
    """Return how many seconds after the writer's start a moment is."""
    return int((moment - START_AT).total_seconds())


def walked(seconds: int, rest: tuple[int, int], metres: float, start_s: int) -> list[list[Value]]:
    """Return points of an even run, one a second, that rests once from one second to another."""
    points = course(seconds + 1, start_s=start_s)
    moved = seconds - (rest[1] - rest[0])
    for index, point in enumerate(points):
        point[6] = metres * 100 * (index - min(max(index - rest[0], 0), rest[1] - rest[0])) / moved
    return points


def first_run() -> Recording:
    """Read a run of 3,322.95 m in 1,428 s, of which it rests 17, in Berlin in summer."""
    start_s = seconds_to(FIRST_RUN_AT)
    points = walked(1428, (600, 617), 3322.95, start_s)
    session = Session(points=points, start_s=start_s, elapsed_s=1428, distance_m=3322.95)
    return read_recording(activity([session]).file()).recordings[0]


def test_a_run_is_said_in_strava_s_words() -> None:
    """Times in UTC and local with the zone, the distance to a decimeter, the moving time by Strava's own rule."""
    said = describe(first_run())
    expected = {
        "sport_type": "Run",
        "start_date": "2022-05-29T15:53:35Z",
        "start_date_local": "2022-05-29T17:53:35Z",
        "utc_offset": 7200.0,
        "timezone": "(GMT+01:00) Europe/Berlin",
        "distance": 3322.9,
        "moving_time": 1411,
        "elapsed_time": 1428,
        "average_speed": 2.355,
        "max_speed": 3.0,
        "average_cadence": 85.0,
        "has_heartrate": True,
        "device_watts": True,
        "trainer": False,
        "manual": False,
        "resource_state": 3,
        "sources": {"utc_offset": "file", "total_elevation_gain": "satellites"},
        "is_clipped": False,
    }
    assert {name: said[name] for name in expected} == expected
    assert said["start_latlng"] == [52.0, 13.0]
    assert said["map"]["polyline"].startswith("_gk|H_ajnA")
    assert {"moving_time", "total_elevation_gain", "average_heartrate", "splits_metric", "best_efforts"} <= set(
        said["computed"]
    )
    assert not {"distance", "elapsed_time"} & set(said["computed"])


def test_what_the_device_says_itself_is_not_computed() -> None:
    """Climbing, calories and the highest speed of the session are the device's."""
    made = run(60)
    fields = [
        Field(2, "uint32"), Field(5, "enum"), Field(7, "uint32"), Field(8, "uint32"), Field(9, "uint32"),
        Field(11, "uint16"), Field(15, "uint16"), Field(22, "uint16"),
    ]  # fmt: skip
    start = seconds_to(START_AT + timedelta(days=1)) + 1_000_000_000
    made.define(9, 18, fields).data(9, start, RUNNING, 60_000, 60_000, 18_000, 262, 3_215, 62)
    reading = read_recording(made.file())
    said = describe(reading.recordings[1])
    assert (said["calories"], said["max_speed"], said["total_elevation_gain"]) == (262, 3.215, 62)
    assert said["sources"]["total_elevation_gain"] == "device"
    assert said["computed"] == ["average_speed"]


def test_a_session_without_points_has_what_it_says() -> None:
    """Such as a workout in the gym: times, and no map, no splits and no streams."""
    session = Session(points=[], sport=10, kind=20, elapsed_s=1800, timer_s=1500)
    recording = read_recording(activity([session]).file()).recordings[0]
    said = describe(recording)
    assert (said["sport_type"], said["elapsed_time"], said["moving_time"]) == ("WeightTraining", 1800, 1500)
    assert (said["distance"], said["average_speed"], said["start_latlng"]) == (0.0, 0.0, [])
    assert not {"splits_metric", "best_efforts", "average_heartrate"} & said.keys()
    assert streams(recording) == {}


@pytest.mark.parametrize(
    ("start", "place", "local", "offset", "timezone"),
    [
        ("2026-06-29T20:14:15", (35.68, 139.69), "2026-06-30T05:14:15Z", 32400, "(GMT+09:00) Asia/Tokyo"),
        ("2026-10-25T00:30:00", (52.52, 13.40), "2026-10-25T02:30:00Z", 7200, "(GMT+01:00) Europe/Berlin"),
        ("2026-10-25T01:30:00", (52.52, 13.40), "2026-10-25T02:30:00Z", 3600, "(GMT+01:00) Europe/Berlin"),
        ("2026-01-01T05:00:00", (-33.87, 151.21), "2026-01-01T16:00:00Z", 39600, "(GMT+10:00) Australia/Sydney"),
        ("2026-07-01T12:00:00", (40.71, -74.0), "2026-07-01T08:00:00Z", -14400, "(GMT-05:00) America/New_York"),
        ("2026-07-01T12:00:00", (27.7, 85.3), "2026-07-01T17:45:00Z", 20700, "(GMT+05:45) Asia/Kathmandu"),
    ],
)
def test_the_local_time_is_that_of_the_place(
    start: str, place: tuple[float, float], local: str, offset: int, timezone: str
) -> None:
    """Where the file does not tell it: by the first position, with the offset of that very moment."""
    began = datetime.fromisoformat(start).replace(tzinfo=UTC)
    points = [{"s": index, "lat": place[0], "lon": place[1]} for index in range(5)]
    said = describe(read_recording(gpx(points, start=began).encode()).recordings[0])
    assert said["start_date"] == f"{start}Z"
    assert (said["start_date_local"], said["utc_offset"], said["timezone"]) == (local, offset, timezone)
    assert said["sources"]["utc_offset"] == "place"


def test_without_a_clock_and_a_place_there_is_no_local_time() -> None:
    """Nothing of the file tells it."""
    session = Session(points=[], elapsed_s=60)
    recording = read_recording(activity([session], offset_s=None).file()).recordings[0]
    assert not {"start_date_local", "utc_offset", "timezone"} & describe(recording).keys()


def test_a_clock_that_was_not_set_where_it_is_still_counts() -> None:
    """The device's offset is taken, without the name of a zone that has another one."""
    recording = read_recording(activity([Session(points=course(5), elapsed_s=4)], offset_s=-14400).file()).recordings[0]
    said = describe(recording)
    assert (said["utc_offset"], said["start_date_local"]) == (-14400, "2021-09-07T21:46:40Z")
    assert "timezone" not in said


def test_the_same_recording_of_two_files_has_the_same_device() -> None:
    """Strava's copy without heart rate and the watch's own: manufacturer, serial number and time are the same."""
    own = run(50).file()
    points = course(50)
    for point in points:
        point[4] = None
    archived = activity([Session(points=points, elapsed_s=49, distance_m=147)]).file()
    mine, theirs = (read_recording(each).recordings[0] for each in (own, archived))
    assert mine.device == theirs.device
    assert (describe(mine)["has_heartrate"], describe(theirs)["has_heartrate"]) == (True, False)


def test_all_streams_have_one_value_for_each_point() -> None:
    """In the shape of the API, to its decimals; gaps are filled with what was known before."""
    points = course(60)
    points[10][3:5] = [None, None]
    points[11][8] = None
    recording = read_recording(activity([Session(points=points, elapsed_s=59)]).file()).recordings[0]
    made = streams(recording)
    assert set(made) == {
        "time", "distance", "latlng", "altitude", "velocity_smooth", "heartrate", "cadence", "watts", "temp", "moving",
    }  # fmt: skip
    assert {len(each["data"]) for each in made.values()} == {60}
    assert {(each["series_type"], each["original_size"], each["resolution"]) for each in made.values()} == {
        ("distance", 60, "high")
    }
    assert made["time"]["data"] == list(range(60))
    assert made["distance"]["data"][:3] == [0, 3, 6]
    assert made["latlng"]["data"][1] == [52.00002, 13.00002]
    assert made["altitude"]["data"][9:12] == [101.8, 101.8, 102.2]
    assert made["heartrate"]["data"][9:12] == [149, 149, 151]
    assert made["watts"]["data"][10:13] == [260, 0, 262]
    assert made["moving"]["data"] == [False] + [True] * 59


def every_kind() -> dict[str, Recording]:
    """Read a recording of each kind."""
    return {
        "fit": first_run(),
        "tcx": read_recording(tcx([("Biking", [xml_course(300), xml_course(600)[300:]])]).encode()).recordings[0],
        "gpx": read_recording(gpx(xml_course(1300)).encode()).recordings[0],
        "one point": read_recording(gpx(xml_course(1)).encode()).recordings[0],
        "swim": triathlon().recordings[0],
    }


@pytest.mark.parametrize("kind", ["fit", "tcx", "gpx", "one point", "swim"])
def test_what_is_said_is_json_and_adds_up(kind: str) -> None:
    """Plain numbers and texts; no more moving than elapsed; pieces within the whole."""
    recording = every_kind()[kind]
    said = describe(recording)
    assert orjson.loads(orjson.dumps(said)) == said
    assert orjson.dumps(streams(recording))
    assert said["moving_time"] <= said["elapsed_time"]
    assert sum(each["elapsed_time"] for each in said.get("splits_metric", [])) <= said["elapsed_time"] + 1
    for piece in [*said.get("best_efforts", []), *said.get("laps", [])]:
        assert 0 <= piece["start_index"] <= piece["end_index"] < len(recording.columns["time"])
    assert [each["name"] for each in said.get("best_efforts", [])] == {
        "fit": ["400m", "1/2 mile", "1K", "1 mile", "2 mile"],
        "gpx": ["400m", "1/2 mile", "1K", "1 mile", "2 mile"],
    }.get(kind, [])


@pytest.mark.parametrize("kind", ["fit", "gpx", "tcx"])
def test_what_is_said_has_the_types_of_strava_s_own_answer(
    kind: str, recorded: Callable[[str], httpx.Response]
) -> None:
    """Each field that a recorded answer has too holds what it holds there, so one way of reading serves both."""
    theirs = recorded("activity_run_marathon").json()
    said = describe(every_kind()[kind])
    assert len(_types(said).keys() & _types(theirs).keys()) > 40
    assert {
        name: each for name, each in _types(said).items() if name in _types(theirs) and each != _types(theirs)[name]
    } == {}


def _types(value: Any, name: str = "") -> dict[str, str]:
    """Return the type of each field within a value, by its path; all numbers are of one type."""
    if isinstance(value, dict):
        return {path: each for key, inner in value.items() for path, each in _types(inner, f"{name}.{key}").items()}
    if isinstance(value, list):
        return _types(value[0], f"{name}[]") if value else {}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {} if value is None else {name: "number" if is_number else type(value).__name__}


@pytest.mark.slow
def test_the_simulator_s_files_say_what_its_api_says() -> None:
    """Some weeks of a life as devices recorded it, in all three formats, against the same life from the API."""
    world = World(Origin(seed=7, athlete_id=4242424242, years=0.06, until=date(2026, 11, 20)), Journal())
    lives = [(world.detail(key), world.streams(key)) for key in world.ids() if world.streams(key)]
    assert len(lives) > 10
    for theirs, curves in lives:
        whole = {key: theirs[key] for key in ("start_date", "start_date_local", "elapsed_time")}
        made = simulated.Recording.of(theirs, curves)
        files = {"fit": fit(made), "tcx": xml_files.tcx(made)} | (
            {"gpx": xml_files.gpx(made)} if "latlng" in curves else {}
        )
        for kind, content in files.items():
            recording = read_recording(content).recordings[0]
            said = describe(recording)
            local = {} if "start_date_local" in said else {"start_date_local": theirs["start_date_local"]}
            assert {key: (said | local)[key] for key in whole} == whole, kind
            assert len(streams(recording)["time"]["data"]) == len(curves["time"])
            if kind != "gpx":  # which knows neither the distance nor the timer
                assert said["distance"] == pytest.approx(theirs["distance"], abs=0.11)
                assert said["moving_time"] == pytest.approx(theirs["moving_time"], abs=6 if kind == "tcx" else 0)
            if "heartrate" in curves:
                assert said["average_heartrate"] == pytest.approx(theirs["average_heartrate"], abs=3)


@pytest.mark.parametrize(
    ("sport", "kind", "trainer"), [(SWIMMING, 17, False), (CYCLING, 6, True), (RUNNING, 1, True), (RUNNING, 0, False)]
)
def test_indoors_is_on_a_trainer_but_for_swims(sport: int, kind: int, trainer: bool) -> None:
    """Strava's word for a treadmill and a turbo trainer; a pool is neither."""
    made = activity([Session(points=course(30), sport=sport, kind=kind, elapsed_s=29)])
    assert describe(read_recording(made.file()).recordings[0])["trainer"] is trainer


@pytest.mark.parametrize(("kind", "is_computed"), [("fit", False), ("tcx", False), ("gpx", True)])
def test_a_distance_between_positions_is_computed(kind: str, is_computed: bool) -> None:
    """A GPX file has no other; what a device counted is its own word."""
    assert ("distance" in describe(every_kind()[kind])["computed"]) is is_computed


def test_laps_are_those_of_the_file() -> None:
    """With their place among the points."""
    said = describe(every_kind()["tcx"])
    assert [
        (lap["name"], lap["lap_index"], lap["distance"], lap["elapsed_time"], lap["moving_time"], lap["start_index"])
        for lap in said["laps"]
    ] == [("Lap 1", 1, 897.0, 300, 299, 0), ("Lap 2", 2, 897.0, 299, 299, 300)]
    assert said["device_name"] == "Edge 530"


def test_a_crop_leaves_what_lies_within_it() -> None:
    """Points, distance from its start, pauses and laps; what the device says of the whole no longer holds."""
    session = Session(points=course(601), elapsed_s=600, distance_m=1800, pauses=[(90, 110), (300, 310)])
    whole = read_recording(activity([session]).file()).recordings[0]
    cut = clip(whole, START_AT + timedelta(seconds=100), 300)
    assert (cut.start_at, cut.elapsed_s, cut.is_clipped) == (START_AT + timedelta(seconds=100), 300, True)
    assert (len(cut.columns["time"]), cut.columns["distance_m"][[0, -1]].tolist()) == (301, [0, 900])
    assert [(a - cut.start, b - cut.start) for a, b in cut.pauses] == [(0, 10), (200, 210)]
    assert (cut.laps, cut.totals) == ([], Totals(elapsed_s=300))
    said = describe(cut)
    assert (said["distance"], said["elapsed_time"], said["moving_time"], said["is_clipped"]) == (900, 300, 280, True)


@pytest.mark.parametrize("elapsed", [594.9, 595, 600, 700])
def test_what_is_at_most_five_seconds_shorter_is_no_crop(elapsed: float) -> None:
    """Strava and the device count a little differently."""
    whole = read_recording(run(601).file()).recordings[0]
    assert (clip(whole, START_AT, elapsed) is whole) == (elapsed >= 595)


@pytest.mark.parametrize(
    ("second", "sport"),
    [(0, "Swim"), (60, "Swim"), (300, "Swim"), (661, "Ride"), (1920, "Run"), (630, "Ride"), (9_000, None)],
)
def test_of_several_sessions_the_activity_s_own_is_taken(second: int, sport: str | None) -> None:
    """The one that begins within a minute, otherwise the one that was under way; never one of another day."""
    found = triathlon().of_activity(START_AT + timedelta(seconds=second))
    assert (found and found.sport_type) == sport


def test_the_only_session_of_a_file_is_any_activity_s() -> None:
    """An activity may be cropped far from the file's start."""
    reading = read_recording(run(20).file())
    assert reading.of_activity(START_AT + timedelta(hours=1)) is reading.recordings[0]


def test_sports_that_are_no_runs_have_no_best_efforts() -> None:
    """As at Strava; kilometres and miles have all."""
    points: Any = course(800)
    ride = read_recording(activity([Session(points=points, sport=CYCLING, elapsed_s=799)]).file()).recordings[0]
    said = describe(ride)
    assert "best_efforts" not in said
    assert [each["split"] for each in said["splits_metric"]] == [1, 2, 3]
    assert [round(each["distance"]) for each in said["splits_standard"]] == [1609, 788]
