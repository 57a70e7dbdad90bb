"""Of any bytes, opening a file ends soon, in an archive or in one kind of error, and writes nothing."""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from simulator.export.columns import Version, layout_of
from simulator.export.languages import Language
from simulator.export.rows import header
from strava.archive.archive import Archive, read_archive
from strava.archive.container import Limits, Member, ZipContainer
from strava.errors import UnreadableArchive
from tests.strava.exports import NOW, cells_of, csv_of, zip_of
from tests.strava.fuzzing import INPUTS, SEED

LIMITS = Limits(member=2**20, nested=2**20, total=2**22)
SPLINTERS = (b'"', b",", b"\n", b"\r", b"\x00", b"\xff", b"activities/", b"#error#", b"\xef\xbb\xbf", b"9" * 40, b"PK")


class OneFile:
    """A container with one file in memory."""

    problems = ()
    is_copy = False

    def __init__(self, name: str, content: bytes) -> None:
        self.members = [Member(name, len(content))]
        self._content = content

    def read(self, name: str) -> bytes:
        return self._content

    def modified(self, name: str) -> datetime:
        return NOW

    def close(self) -> None:
        """Nothing is open."""


def damaged(rng: Random, content: bytes) -> bytes:
    """Return the bytes with some cut, doubled, overwritten or put in; half of the time, all others keep their place."""
    if rng.random() < 0.5:
        changed = bytearray(content)
        for _ in range(rng.randrange(1, 9)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed)
    for _ in range(rng.randrange(1, 5)):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice((0, 1, 2, 40, 4000)))
        put_in = rng.choice((b"", rng.choice(SPLINTERS), rng.randbytes(rng.randrange(1, 9)), content[start:end] * 2))
        content = content[:start] + put_in + content[end:]
    return content


@pytest.fixture
def nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Works in an empty folder that stays empty."""
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def looked_at(archive: Archive) -> int:
    """Look at all of an archive and return how many activities and files it has."""
    for row in archive.rows:
        assert row.activity["id"] == row.activity_id
        assert len(row.raw) > 6
        assert archive.file_of(row) in {None, *archive.files}
    for name in archive.files:
        with suppress(UnreadableArchive):
            archive.read(name)
    assert all(problem.reason for problem in archive.problems)
    return len(archive.rows) + len(archive.files)


def _list(version: Version) -> bytes:
    layout = layout_of(version)
    shown = {"date": "24 Dec 2020, 08:13:59", "name": 'a "b"\nc, d', "type": "Ride", "distance": "1,5", "gear": "Blue"}
    rows = [
        cells_of(
            layout, {"Distance": "1500.0", "Bike": "7.0"}, id=str(number), file=f"activities/{number}.gpx", **shown
        )
        for number in range(1, 6)
    ]
    return csv_of([header(layout, Language.EN_GB), *rows])


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_written")
def test_damaged_lists() -> None:
    """Of thousands, most still give their sound rows."""
    rng = Random(SEED)
    lists = [_list(version) for version in (Version.JULY_2019, Version.YEAR_2020, Version.SEPTEMBER_2026)]
    sound = refused = 0
    for _ in range(INPUTS // 4):
        container = OneFile("activities.csv", damaged(rng, rng.choice(lists)))
        try:
            sound += looked_at(read_archive(container, "activities.csv", limits=LIMITS, now=NOW)) > 0
        except UnreadableArchive:
            refused += 1
    assert sound > INPUTS / 8
    assert refused > INPUTS / 400


@pytest.mark.usefixtures("nothing_written")
def test_damaged_zips() -> None:
    """Of thousands, some still give their sound members."""
    rng = Random(SEED)
    entries = {
        "activities.csv": _list(Version.YEAR_2024), "activities/1.gpx": b"<gpx/>" * 50, "bikes.csv": b"a,b\nBlue,c\n",
        "activities/2.gpx": b"", "profile.csv": b"Athlete ID\n7\n", "logins.csv": b"private",
    }  # fmt: skip
    content = zip_of(entries)
    sound = refused = 0
    for _ in range(INPUTS // 4):
        try:
            container = ZipContainer(io.BytesIO(damaged(rng, content)), LIMITS)
            sound += looked_at(read_archive(container, "export.zip", limits=LIMITS, now=NOW)) > 0
        except UnreadableArchive:
            refused += 1
    assert sound > INPUTS / 100
    assert refused > INPUTS / 20
