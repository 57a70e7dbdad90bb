"""The process that reads recordings for an import: what it answers of a file's sessions, and what it leaves alone."""

import gzip
import hashlib
import io
import os
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import pytest

from tests.strava.exports import opened, zip_of
from tests.strava.fit_writer import CYCLING, RUNNING, START_AT, SWIMMING, Session, activity, course
from worker.importing.outcomes import FileOutcome, ReadFile
from worker.importing.reader import Request, read_file
from worker.importing.readers import READER, Wanted, read_files, wanted_files

DEVICE_KEY = f"Garmin/3912345678/{START_AT:%Y-%m-%dT%H:%M:%SZ}"


def triathlon(scale: int = 1) -> bytes:
    """Write a file of a swim, a ride and a run, of 600, 1,200 and 900 s times `scale`."""
    sessions, start = list[Session](), 0
    for sport, seconds in ((SWIMMING, 600 * scale), (CYCLING, 1200 * scale), (RUNNING, 900 * scale)):
        points = course(seconds, start_s=start)
        distance_m = (seconds - 1) * 3
        session = Session(points=points, sport=sport, start_s=start, elapsed_s=seconds - 1, distance_m=distance_m)
        sessions.append(session)
        start += seconds
    return activity(sessions).file()


def asked(content: bytes, **more: Any) -> Request:
    """Ask for the data of a file."""
    return Request(name="tri.fit", size=len(content), has_data=True, **more)


def test_a_file_on_its_own_has_all_sessions_and_a_row_s_file_that_of_the_row() -> None:
    """Each session keeps its number; without a date the row's session cannot be told, and the file is not taken."""
    content = triathlon()
    _, sessions = read_file(asked(content), content)
    starts = [int(START_AT.timestamp()) + s for s in (0, 600, 1800)]
    assert [(each.number, each.start, each.elapsed_s) for each in sessions] == list(
        zip(range(3), starts, (599, 1199, 899), strict=True)
    )
    assert {each.device_key for each in sessions} == {DEVICE_KEY}
    assert [orjson.loads(each.activity)["sport_type"] for each in sessions] == ["Swim", "Ride", "Run"]
    assert [len(orjson.loads(each.streams)["time"]["data"]) for each in sessions] == [600, 1200, 900]
    _, of_row = read_file(asked(content, has_row=True, start=starts[1] + 2.0, elapsed=1199.0), content)
    assert [each.number for each in of_row] == [1]
    result, none = read_file(asked(content, has_row=True), content)
    assert (result.outcome, none) == (FileOutcome.FAILED, [])
    assert result.reason == "3 recordings, and its row has no date that tells which it is"


def test_a_recording_is_cut_to_what_its_activity_was_cropped_to() -> None:
    """The streams begin with the row's start and end with it; a row of another time cuts nothing."""
    content = activity([Session(points=course(900), elapsed_s=899, distance_m=2697)]).file()
    start = START_AT.timestamp() + 100
    _, [cropped] = read_file(asked(content, has_row=True, start=start, elapsed=300.0), content)
    told = orjson.loads(cropped.activity)
    assert (cropped.start, cropped.elapsed_s, told["is_clipped"]) == (start, 300, True)
    assert orjson.loads(cropped.streams)["time"]["data"] == list(range(301))
    _, [whole] = read_file(asked(content, has_row=True, start=start + 9000, elapsed=300.0), content)
    assert (whole.elapsed_s, orjson.loads(whole.activity)["is_clipped"]) == (899, False)


def test_files_are_wanted_newest_first_or_as_they_stand(tmp_path: Path) -> None:
    """Of an export within a ZIP in the order of their bytes, also where its list names them in another one."""
    header = "Activity ID,Activity Date,Activity Name,Activity Type,Description,Elapsed Time,Distance,Filename\n"
    rows = [f'{n},"May {n}, 2022, 3:53:35 PM",,Run,,60,1.00,activities/{n}.gpx\n' for n in (1, 2, 3)]
    inner = io.BytesIO()
    with ZipFile(inner, "w") as archive:
        archive.writestr("activities.csv", header + "".join(rows))
        for number in (2, 3, 1):
            archive.writestr(f"activities/{number}.gpx", f"{number}")
        archive.filelist.reverse()
    with opened(tmp_path / "export.zip", inner.getvalue()) as plain:
        assert [each.activity_id for each in wanted_files(plain)] == [3, 2, 1]
    with opened(tmp_path / "mail.zip", zip_of({"export.zip": inner.getvalue()})) as nested:
        assert [each.activity_id for each in wanted_files(nested)] == [2, 3, 1]


@pytest.mark.slow
async def test_large_answers_come_whole_and_a_stored_file_is_not_read(tmp_path: Path) -> None:
    """Five hours of curves pass the pipe; the hash is of the unpacked file, and decides before anything is read."""
    content, small = triathlon(7), activity([Session(points=course(9), elapsed_s=8)]).file()
    read = dict[str, ReadFile]()

    async def tell(each: ReadFile) -> None:
        read[each.result.name] = each

    def is_stored(wanted: Wanted, sha256: str) -> bool:
        return (wanted.name, sha256) == ("b.fit.gz", hashlib.sha256(small).hexdigest())

    files = {"a.fit": content, "b.fit.gz": gzip.compress(small), "c.fit.gz": gzip.compress(content)}
    with opened(tmp_path / "bag.zip", zip_of(files)) as archive:
        wanted = [Wanted(name) for name in files]
        await read_files(archive, wanted, jobs=1, tell=tell, is_stored=is_stored, has_data=True)
    assert [each.result.outcome for each in read.values()] == [
        FileOutcome.READ,
        FileOutcome.SAME_FILE,
        FileOutcome.READ,
    ]
    assert read["a.fit"].sessions == read["c.fit.gz"].sessions
    assert [len(orjson.loads(each.streams)["time"]["data"]) for each in read["a.fit"].sessions] == [4200, 8400, 6300]
    assert sum(len(each.streams) for each in read["a.fit"].sessions) > 2**20
    assert read["a.fit"].result.sha256 == read["c.fit.gz"].result.sha256 == hashlib.sha256(content).hexdigest()


def test_a_reader_gives_way_to_what_serves() -> None:
    """The charts of the rows, and live events, come before a file that nobody waits for."""
    with subprocess.Popen(READER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(orjson.dumps({"name": "1.gpx", "size": 0}) + b"\n")
        reader.stdin.flush()
        reader.stdout.readline()
        assert os.getpriority(os.PRIO_PROCESS, reader.pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
        reader.stdin.close()
