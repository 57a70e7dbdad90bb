"""`athlete import` from outside: every row and file of an archive is counted once, and a dry run stores nothing."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from zipfile import ZipInfo

import pytest
from filelock import FileLock
from typer.testing import CliRunner, Result

from athlete.data_dir import claimed
from athlete.importing.inbox import take
from athlete.main import app
from backends.marks.lease import LeaseHeld, LeasePolicy, leased
from backends.warehouse.activities import Observation, Source
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.own_files import FileRow, ImportItem
from backends.warehouse.sqlite.store import SqliteRawStore
from runtime.clock import utc_now
from simulator.export.archive import write_export
from simulator.export.columns import Version, layout_of
from simulator.export.languages import Language
from simulator.export.rows import header
from simulator.journal import Journal
from simulator.world.world import Origin, World
from tests.parsed_project import give_built
from tests.shared_marks import MemoryMarks
from tests.strava.exports import cells_of, csv_of, opened, zip_of, zip_with
from worker.dbt_runner.settings import TransformSettings
from worker.importing import running
from worker.importing.outcomes import FileOutcome, FileResult, ReadFile
from worker.importing.readers import Wanted, read_files, wanted_files

TRACK = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="51.0" lon="10.0"><time>2022-05-29T15:53:35Z</time></trkpt>'
    b'<trkpt lat="51.0" lon="10.001"><time>2022-05-29T15:53:55Z</time></trkpt>'
    b"</trkseg></trk></gpx>"
)
FILES = {
    "activities/1.gpx": TRACK,
    "activities/2.gpx.gz": gzip.compress(TRACK * 1)[:-12],
    "activities/3.gpx": b"",
    "activities/4.tcx.gz": gzip.compress(b"no xml at all"),
    "activities/5.gpx": b"<!DOCTYPE gpx>" + TRACK,
    "activities/6.gpx.gz": zlib.compress(b" " * 2**24, wbits=31),
    "activities/7.gpx": b"x" * 2**21,  # a ratio that no recording has
    "activities/8.tcx": b"<TrainingCenterDatabase><Courses><Course/></Courses></TrainingCenterDatabase>",
}


def run(*arguments: str) -> Result:
    """Run the command in two processes."""
    return CliRunner().invoke(app, ["import", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """An export whose rows name good and bad files, one that is not there, and none."""
    layout = layout_of(Version.SEPTEMBER_2026)
    named = [*FILES, "activities/9.fit.gz", "", "#error#"]
    rows = [
        cells_of(layout, {}, id=str(100 + place), date="29.05.2022, 15:53:35", type="Lauf", file=name)
        for place, name in enumerate(named)
    ]
    rows[0][1] = "29. toukokuuta 2022, 15.53.35"
    broken = [["no id", *rows[0][1:]]]
    content = {"activities.csv": csv_of([header(layout, Language.DE), *rows, *broken]), **FILES, "media/1.jpg": b"x"}
    path = tmp_path / "export_42.zip"
    path.write_bytes(zip_of(content))
    return path


@pytest.mark.slow
def test_each_row_and_file_of_an_odd_export_is_counted_once(odd: Path) -> None:
    """The parts add up to the inputs, and each thing that is left out has one line with its reason."""
    before = odd.stat()
    result = run(str(odd), "--dry-run", "--jobs", "2")
    lines = result.stdout.splitlines()
    assert lines[1:5] == [
        "12 rows: 11 new · 1 unreadable",
        "3 rows without a recording: 1 whose file is not here · 1 without a file · 1 whose file Strava has lost",
        "1 date of rows with a file cannot be read; the file tells it",
        "8 files: 1 read · 1 cut short (kept to the break) · 1 of no activity · 5 failed",
    ]
    assert lines[5:8] == [
        "not looked at: 1 media, 0 other files",
        "left out or doubtful:",
        "  activities.csv: line 13: no activity's id at its beginning",
    ]
    assert sorted(lines[9:14]) == [
        "  activities/3.gpx: empty file",
        "  activities/4.tcx.gz: not a FIT, TCX or GPX file",
        "  activities/5.gpx: a document type declaration, which no recording needs",
        "  activities/6.gpx.gz: unpacks to more than 64 MiB or 200 times its size",
        "  activities/7.gpx: unpacks to more than 200 times its size",
    ]
    assert lines[14:] == [
        "of no activity:",
        "  activities/8.tcx: not an activity: course or workout",
        "cut short (kept to the break):",
        "  activities/2.gpx.gz: cut short: its compressed data breaks off; cut short: line 1: not XML",
    ]
    assert result.exit_code == 1
    assert list(odd.parent.iterdir()) == [odd]
    assert odd.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.slow
def test_a_whole_life_is_read_and_agrees_with_its_list(tmp_path: Path) -> None:
    """All files of the simulated athlete's export, as JSON: each begins when its row says, and is of its sport."""
    world = World(Origin(seed=7, athlete_id=4242424242, years=0.12, until=date(2026, 11, 20)), Journal())
    run_id = next(key for key in world.ids() if world.summary(key)["distance"] and not world.summary(key)["manual"])
    world.edit(run_id, {"distance": world.summary(run_id)["distance"] / 2})
    path = tmp_path / "export.zip"
    with path.open("wb") as file:
        write_export(file, world, exported_at=datetime(2026, 11, 20, 9, tzinfo=UTC), language=Language.JA)
    result = run(str(path), "--dry-run", "--json", "--jobs", "1")
    assert result.exit_code == 0
    items = [json.loads(line) for line in result.stdout.splitlines()]
    archive, *rest = items
    rows = {item["file"]: item for item in rest if item["item"] == "row"}
    files = [item for item in rest if item["item"] == "file"]
    assert sum(archive["rows"].values()) == len(world)
    assert archive["rows"]["with_file"] == archive["files"]["read"] == len(files) > 20
    assert (archive["language"], archive["columns"], archive["athlete_id"]) == ("ja", 103, 4242424242)
    assert {file["seconds_off"] for file in files} == {0.0}
    assert [file["name"] for file in files if file["seconds_more"] > 5] == [
        name for name, row in rows.items() if row["activity_id"] == run_id
    ]
    assert all(file["start_date"] == rows[file["name"]]["start_date"] for file in files)
    assert [file["start_date"] for file in files] == sorted((file["start_date"] for file in files), reverse=True)
    assert Counter(file["kind"] for file in files).keys() == {"fit", "gpx", "tcx"}
    assert [item for item in rest if item["item"] == "problem"] == []


@pytest.mark.slow
def test_a_dry_run_reads_what_is_wanted(odd: Path, tmp_path: Path) -> None:
    """By start and sport as an import does, of this athlete alone."""
    early, late = tmp_path / "early.gpx", tmp_path / "late.gpx"
    early.write_bytes(TRACK)
    late.write_bytes(TRACK.replace(b"2022-05-29", b"2022-06-29"))
    since = ("--dry-run", "--since", "2022-06-01", "--jobs", "1")
    assert run(str(early), str(late), "--athlete", "42", *since).stdout.splitlines()[1:3] == [
        "1 file: 1 read",
        "1 rows and files were not wanted (--since, --only)",
    ]
    lines = run(
        str(odd), *since
    ).stdout.splitlines()  # a row without a date that can be read stays, and so does its file
    assert lines[1] == "2 rows: 1 new · 1 unreadable"
    assert "17 rows and files were not wanted (--since, --only)" in lines
    told = run(str(odd), *since, "--only", "ride", "--json").stdout.splitlines()
    assert {json.loads(line)["item"] for line in told} == {"archive", "problem"}
    other = run(str(odd), "--dry-run", "--athlete", "7")
    assert (other.exit_code, other.stderr) == (
        2,
        "athlete: export_42.zip is of athlete 42, not of 7; nothing was stored.\n",
    )


@pytest.mark.slow
def test_exit_codes_of_a_dry_run(tmp_path: Path) -> None:
    """2 where nothing can be read, 1 where something cannot."""
    track, of_anna = tmp_path / "1.gpx", ("--athlete", "42", "--jobs", "1", "--dry-run")
    track.write_bytes(TRACK)
    assert run(str(tmp_path / "nowhere.zip"), "--dry-run").exit_code == 2
    empty = tmp_path / "empty.fit"
    empty.touch()
    assert run(str(empty), *of_anna).exit_code == 2
    assert run(str(empty), str(track), *of_anna).exit_code == 1
    both = run(str(tmp_path / "nowhere.zip"), str(track), *of_anna)
    assert (both.exit_code, both.stderr) == (1, "athlete: nowhere.zip does not exist.\n")
    assert both.stdout.splitlines() == [
        "1.gpx: recordings without a list of activities",
        "1 file: 1 read",
        "not looked at: 0 media, 0 other files",
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--since", "nonsense"), "--since nonsense is neither a time"),
        (("--since", f"{10**18}d"), "is beyond every calendar"),
        (("--athlete", str(2**63)), "--athlete is beyond every number"),
        (("--dry-run", "--resume", "i1"), "leave out --resume"),
    ],
)
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, options: Sequence[str], told: str) -> None:
    """With 2, as 1 says that some could not be read; no file is looked for and no folder made."""
    data = tmp_path / "data"
    environment = {"COLUMNS": "200", "DATA_DIR": str(data)}
    wrong = CliRunner().invoke(app, ["import", str(tmp_path / "nowhere.zip"), *options], env=environment)
    assert (wrong.exit_code, told in wrong.stderr, wrong.stdout) == (2, True, "")
    assert "nowhere.zip" not in wrong.stderr
    assert not data.exists()


def foreseen(data_dir: Path, *arguments: str) -> Result:
    """Run the command on a data folder, on which no pipeline runs, without storing."""
    environment = {"COLUMNS": "200", "DATA_DIR": str(data_dir)}
    return CliRunner().invoke(app, ["import", *arguments, "--dry-run", "--jobs", "1"], env=environment)


PRICE = (
    "11 known by the export alone: what only Strava's API tells (exact sport, privacy, segments) costs 11 calls, 1 day "
    "of `athlete backfill`"
)


def stored(data_dir: Path, *arguments: str) -> Result:
    """Run the command on a data folder while a pipeline runs there, which builds the charts."""
    with claimed(data_dir):
        environment = {"COLUMNS": "200", "DATA_DIR": str(data_dir)}
        return CliRunner().invoke(app, ["import", *arguments, "--jobs", "1"], env=environment)


@pytest.mark.slow
def test_an_export_is_stored_and_each_part_counted_once(odd: Path, tmp_path: Path) -> None:
    """The sums are those of the inputs, also of what is imported again; what was not read is named with its reason."""
    data = tmp_path / "data"
    first = stored(data, str(odd))
    lines = first.stdout.splitlines()
    assert lines[1:6] == [
        "12 rows: 11 new · 1 unreadable",
        "3 rows without a recording: 1 whose file is not here · 1 without a file · 1 whose file Strava has lost",
        "8 files: 1 read · 1 cut short (kept to the break) · 1 of no activity · 5 failed",
        PRICE,
        "9 without a zone of their own, counted by the nearest in time: 9 Europe/Berlin",
    ]
    assert lines[6] == "not looked at: 1 media, 0 other files"
    assert "  activities/3.gpx: empty file" in lines
    assert first.exit_code == 1
    again = stored(data, str(odd), "--json")
    items = [json.loads(line) for line in again.stdout.splitlines()]
    assert (items[0]["athlete_id"], items[0]["status"], items[0]["rows"], items[0]["files"]) == (42, "finished", 12, 8)
    assert Counter((item["item"], item["outcome"]) for item in items[1:]) == {
        ("row", "same_id"): 11, ("row", "unreadable"): 1, ("file", "same_file"): 2, ("file", "skipped"): 1,
        ("file", "failed"): 5, ("problem", "failed"): 1,
    }  # fmt: skip
    assert len(list((data / "files").rglob("*.gz"))) == 2
    layout = layout_of(Version.SEPTEMBER_2026)
    row = cells_of(layout, {}, id="100", date="29.05.2022, 15:53:35", type="Lauf", file="")
    later = ZipInfo("activities.csv", (2026, 11, 25, 10, 0, 0))
    content = zip_with([(later, csv_of([header(layout, Language.DE), row]))])
    (tmp_path / "export_42_later.zip").write_bytes(content)
    left = "10 of earlier exports are not in this one, and stay until Strava says they were deleted"
    assert left in stored(data, str(tmp_path / "export_42_later.zip")).stdout.splitlines()
    assert left not in stored(data, str(odd)).stdout  # which is not the newest
    watch, other = tmp_path / "watch.gpx", tmp_path / "other.gpx"
    watch.write_bytes(TRACK.replace(b"10.001", b"10.0011"))
    other.write_bytes(TRACK.replace(b"T15", b"T12"))
    own = stored(data, str(watch), str(other)).stdout.splitlines()
    assert own[2] == "2 recordings that no row names: 1 of its own · 1 matched by start, length and place"
    assert own[3] == "matched by start, length and place:"
    assert own[4] in {"  watch.gpx: activity 100", "  watch.gpx: activity 101"}  # whose files are alike too
    assert own[5] == "alike but for whole quarter hours, and not joined (is a clock wrong?):"
    assert own[6].startswith("  other.gpx: ")


@pytest.mark.slow
def test_where_no_pipeline_runs_the_charts_are_built(odd: Path, tmp_path: Path, built_project: Path) -> None:
    """Of the rows while the files are read, and at the end of all; a person is told how to see them."""
    give_built(built_project, tmp_path / "data")
    command = [sys.executable, "-m", "athlete", "import", str(odd), "--json"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "data")}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 1, built.stderr  # some of its files are none
    assert built.stderr.endswith("The charts are built: `athlete up` shows them.\n")
    assert all(json.loads(line)["item"] for line in built.stdout.splitlines())
    with closing(DuckdbMartReader(tmp_path / "data/mart.duckdb")) as marts:
        counted = marts.rows("select count(*) as n, count(start_latitude) as placed from mart.fct_activities as runs")
    assert counted == [{"n": 11, "placed": 2}]


@pytest.mark.slow
def test_where_nothing_could_be_read_no_charts_are_built(tmp_path: Path) -> None:
    """A name that was mistyped is told at once, although nobody else builds them; a file of nothing is no success."""
    data, empty = tmp_path / "data", tmp_path / "empty.fit"
    empty.touch()
    environment = {"COLUMNS": "200", "DATA_DIR": str(data)}
    mistyped = CliRunner().invoke(app, ["import", str(tmp_path / "exprot.zip")], env=environment)
    assert (mistyped.exit_code, mistyped.stderr) == (2, "athlete: exprot.zip does not exist.\n")
    assert not (data / "mart.duckdb").exists()
    nothing = stored(data, str(empty), "--athlete", "42")
    assert (nothing.exit_code, "  empty.fit: empty file" in nothing.stdout) == (2, True)


@pytest.mark.slow
async def test_a_dry_run_tells_of_rows_what_an_import_does(odd: Path, tmp_path: Path) -> None:
    """What is new, known, or deleted at Strava since, before and after an import; nothing in the folder changes."""
    data = tmp_path / "data"

    def contents() -> dict[
        Path, bytes | int
    ]:  # a folder tells when a file, such as a log, was last made or removed in it
        paths = [data, *data.rglob("*")] if data.exists() else []
        return {path: path.read_bytes() if path.is_file() else path.stat().st_mtime_ns for path in paths}

    def both() -> tuple[list[str], list[str], dict[int, str]]:
        before = contents()
        dry, as_json = (foreseen(data, str(odd), *more) for more in ((), ("--json",)))
        assert contents() == before
        items = map(json.loads, as_json.stdout.splitlines())
        rows = {each["activity_id"]: each["outcome"] for each in items if each["item"] == "row"}
        return dry.stdout.splitlines()[1:3], stored(data, str(odd)).stdout.splitlines()[1:3], rows

    first = await asyncio.to_thread(both)
    assert (first[0], first[0][0]) == (first[1], "12 rows: 11 new · 1 unreadable")
    store = SqliteRawStore(data / "pipeline.sqlite")
    gone = Observation(activity_id=103, athlete_id=42, observed_at=utc_now(), source=Source.WEBHOOK)
    await store.apply([gone])
    await store.close()
    then = await asyncio.to_thread(both)
    assert then[0] == then[1]
    assert then[0][0] == "12 rows: 10 known before · 1 deleted at Strava since · 1 unreadable"
    assert Counter(then[2].values()) == {"same_id": 10, "skipped": 1}
    assert then[2][103] == "skipped"
    other = odd.rename(odd.with_name("export_43.zip"))
    refused = await asyncio.to_thread(foreseen, data, str(other))
    assert (refused.exit_code, "is of athlete 43, and here is athlete 42" in refused.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("is_dry", [True, False])
def test_a_sport_that_no_activity_is_of_is_told(tmp_path: Path, *, is_dry: bool) -> None:
    """With those that there are; all could be read, so the exit code is 0. Of a sport that is there nothing is told."""
    layout, path = layout_of(Version.SEPTEMBER_2026), tmp_path / "export_42.zip"
    told = [("1", "Lauf"), ("2", "Lauf"), ("3", "Radfahrt"), ("4", "Wasserball")]
    rows = [cells_of(layout, {}, id=each, date="29.05.2022, 15:53:35", type=sport, file="") for each, sport in told]
    path.write_bytes(zip_of({"activities.csv": csv_of([header(layout, Language.DE), *rows])}))
    data, dry = tmp_path / "data", ["--dry-run"] * is_dry
    none = stored(data, str(path), "--only", "Jogging", *dry)
    there = "but 2 Run · 1 Ride · 1 Wasserball: give --only a sport as it is written here, or leave it out."
    assert none.stderr == (
        f"athlete: export_42.zip lists no activity of the sport jogging, {there} Nothing was stored.\n"
    )
    assert (none.exit_code, "4 rows and files were not wanted (--since, --only)" in none.stdout) == (0, True)
    some = stored(data, str(path), "--only", "Jogging", "--only", "Wasserball", *dry)
    assert (some.exit_code, some.stderr.endswith(f"sport jogging, {there}\n")) == (0, True)
    known = stored(data, str(path), "--only", "lauf", "--only", "ride", "--since", "2023-01-01", *dry)
    assert (known.exit_code, known.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("is_dry", [True, False])
@pytest.mark.parametrize(
    ("files", "wish", "code"),
    [
        ({}, (), 1),
        ({"activities/8.gpx": TRACK, "activities/9.gpx": b""}, (), 1),
        ({"activities/9.gpx": b""}, ("--only", "Jogging"), 1),
        ({}, ("--since", "2024-01-01"), 1),
        (None, (), 2),
        (None, ("--only", "Jogging"), 2),
    ],
)
def test_a_dry_run_ends_as_the_import_does(
    tmp_path: Path, files: Mapping[str, bytes] | None, wish: Sequence[str], code: int, *, is_dry: bool
) -> None:
    """Beside three lines that are none: 2 where nothing can be read, not where what can be read was not asked for."""
    layout, path = layout_of(Version.SEPTEMBER_2026), tmp_path / "export_42.zip"
    row = cells_of(layout, {}, id="1", date="29.05.2022, 15:53:35", type="Lauf", file="")
    rows = [["no id", *row[1:]]] * 3 + [row] * (files is not None)
    path.write_bytes(zip_of({"activities.csv": csv_of([header(layout, Language.DE), *rows]), **(files or {})}))
    ended = stored(tmp_path / "data", str(path), *wish, *["--dry-run"] * is_dry)
    assert (ended.exit_code, "3 unreadable" in ended.stdout) == (code, True)
    nobody = "lists no activity of the sport jogging, and none whose sport can be read." in ended.stderr
    assert nobody == (files is None and wish != ())


@pytest.mark.slow
@pytest.mark.parametrize("is_dry", [True, False])
def test_whose_recordings_are_of_nobody_must_be_told(tmp_path: Path, *, is_dry: bool) -> None:
    """Before the first import, too; a dry run leaves no folder."""
    data, track = tmp_path / "data", tmp_path / "1.gpx"
    track.write_bytes(TRACK)
    nobody = foreseen(data, str(track)) if is_dry else stored(data, str(track))
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert "1.gpx does not say whose it is, and nobody is known here yet: say --athlete ID" in nobody.stderr
    assert data.exists() != is_dry


@pytest.mark.slow
def test_it_must_be_sure_whose_files_they_are(odd: Path, tmp_path: Path) -> None:
    """Nothing is stored of another athlete's export, or of files of nobody; a person's word makes it sure."""
    data, track = tmp_path / "data", tmp_path / "1.gpx"
    track.write_bytes(TRACK)
    other = stored(data, str(odd), "--athlete", "7")
    assert (other.exit_code, "is of athlete 42, not of 7; nothing was stored." in other.stderr) == (2, True)
    early = stored(data, str(track), "--athlete", "7", "--since", "2022-05-30", "--json")
    assert (early.exit_code, early.stdout.count("\n")) == (0, 1)
    assert stored(data, str(track)).exit_code == 0
    foreign = stored(data, str(odd))
    assert (foreign.exit_code, "is of athlete 42, and here is athlete 7" in foreign.stderr) == (2, True)
    with FileLock(data / "import.lock"):
        busy = stored(data, str(track))
    assert (busy.exit_code, "Another import is at work" in busy.stderr) == (1, True)


async def test_two_imports_on_google_cloud_are_not_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On two machines, which share no file: the second says so, and the right ends with the first."""
    settings, marks = TransformSettings(data_dir=tmp_path), MemoryMarks()
    monkeypatch.setattr(running, "is_on_gcp", lambda _: True)
    monkeypatch.setattr(running, "open_shared_marks", lambda _: marks)
    async with leased(marks, "import", LeasePolicy()):
        with pytest.raises(running.AnotherImport, match="at work on Google Cloud"):
            async with running.importing(settings):
                raise AssertionError
    async with running.importing(settings):
        with pytest.raises(LeaseHeld):
            async with leased(marks, "import", LeasePolicy()):
                raise AssertionError


@pytest.mark.slow
async def test_the_inbox_is_emptied_and_each_file_has_its_report(odd: Path, tmp_path: Path) -> None:
    """An export and a recording go to done, what is broken or nobody's to failed; a name that is there is not lost."""
    settings = TransformSettings(data_dir=tmp_path / "data")
    settings.inbox_path.mkdir(parents=True)
    content = {odd.name: odd.read_bytes(), "run.gpx": TRACK, "bad.fit": b"x", "lost.zip": b"PK\x05\x06", ".part": b"x"}
    for name, each in content.items():
        (settings.inbox_path / name).write_bytes(each)
    (settings.inbox_path / "done").mkdir()
    (settings.inbox_path / "done" / "run.gpx").write_bytes(b"of before")
    await take(settings, [odd.name, "run.gpx", "bad.fit", "lost.zip", "gone.fit"])
    found = {str(each.relative_to(settings.inbox_path)) for each in settings.inbox_path.rglob("*") if each.is_file()}
    moved = {f"done/{odd.name}", "done/run-2.gpx", "failed/bad.fit", "failed/lost.zip"}
    assert found == {".part", "done/run.gpx", *moved, *(f"{name}.txt" for name in moved)}
    reports = {name: (settings.inbox_path / f"{name}.txt").read_text() for name in moved}
    assert "12 rows: 11 new · 1 unreadable" in reports[f"done/{odd.name}"]
    assert reports["done/run-2.gpx"] == "run.gpx: stored before\n"
    assert reports["failed/bad.fit"] == "bad.fit: failed: not a FIT, TCX or GPX file\n"
    assert "lost.zip" in reports["failed/lost.zip"]


@pytest.mark.slow
async def test_the_inbox_puts_aside_what_it_cannot_name_or_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An odd or too long name is mended; what breaks the import goes to failed, and no other file with it."""
    settings = TransformSettings(data_dir=tmp_path / "data")
    settings.inbox_path.mkdir(parents=True)
    (settings.inbox_path / "run.gpx").write_bytes(TRACK)
    store_files = SqliteRawStore.put_files

    async def put_files(store: SqliteRawStore, files: Sequence[FileRow], items: Sequence[ImportItem]) -> object:
        if any(each.name == "trap.gpx" for each in files):
            raise ZeroDivisionError
        return await store_files(store, files, items)

    monkeypatch.setattr(SqliteRawStore, "put_files", put_files)
    (settings.inbox_path / "export_42.zip").write_bytes(zip_of({"activities/1.gpx": TRACK}))
    (settings.inbox_path / "trap.gpx").write_bytes(TRACK.replace(b"T15", b"T12"))
    await take(settings, ["export_42.zip", "run.gpx", "trap.gpx"])
    told = {path.name: path.read_text() for path in settings.inbox_path.glob("*/*.txt")}
    assert told["trap.gpx.txt"] == "trap.gpx: it breaks the import (ZeroDivisionError)\n"
    assert told["run.gpx.txt"] == "run.gpx: stored before\n"
    assert (settings.inbox_path / "failed" / "trap.gpx").exists()
    odd_names = ["caf\udce9.gpx", "caf\udce9.zip", "n" * 251 + ".gpx"]  # bytes that are no UTF-8, and too many of them
    for name in odd_names:
        (settings.inbox_path / name).write_bytes(TRACK)
    await take(settings, odd_names)
    assert not [each.name for each in settings.inbox_path.iterdir() if each.is_file()]
    assert "characters that no name has" in (settings.inbox_path / "failed" / "caf\udce9.zip.txt").read_text()
    assert (settings.inbox_path / "done" / ("n" * 196 + ".gpx.txt")).read_text().endswith("gpx: stored before\n")


MORTAL = """
import json, os, signal, sys
while line := sys.stdin.buffer.readline():
    asked = json.loads(line)
    sys.stdin.buffer.read(asked["size"])
    if asked["name"] == "1.gpx":
        os._exit(3)
    if asked["name"] == "2.gpx":
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        while True:
            pass
    print(json.dumps({"result": {"name": asked["name"], "outcome": "read"}, "sessions": []}), flush=True)
"""


async def test_a_file_that_ends_the_process_or_takes_too_long_costs_only_itself(tmp_path: Path) -> None:
    """Another process goes on with the next file."""
    results: list[FileResult] = []

    async def tell(read: ReadFile) -> None:
        results.append(read.result)

    content = zip_of({f"{number}.gpx": TRACK for number in range(5)})
    with opened(tmp_path / "bag.zip", content) as archive:
        assert wanted_files(archive) == [Wanted(f"{number}.gpx") for number in range(5)]
        command = (sys.executable, "-c", MORTAL)
        await read_files(archive, wanted_files(archive), jobs=1, tell=tell, command=command)
    assert [(result.name, result.outcome, result.reason) for result in results] == [
        ("0.gpx", FileOutcome.READ, ""),
        ("1.gpx", FileOutcome.FAILED, "ends the reader (code 3)"),
        ("2.gpx", FileOutcome.FAILED, "takes more than 30 s"),
        ("3.gpx", FileOutcome.READ, ""),
        ("4.gpx", FileOutcome.READ, ""),
    ]
