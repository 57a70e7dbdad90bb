"""The simulated athlete's export is one that Strava could have sent: all activities, and what is odd in real ones."""

import csv
import gzip
import io
from collections import Counter
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from simulator.export.archive import write_export
from simulator.export.columns import Version, layout_of
from simulator.export.fit_file import crc
from simulator.export.languages import Language
from simulator.export.rows import header
from simulator.journal import Journal
from simulator.world.world import Origin, World

EXPORTED_AT = datetime(2026, 11, 20, 8, 30, 2, tzinfo=UTC)
COLUMNS = {
    "2019-06": 10, "2019-07": 10, "2020": 78, "2023": 86, "2024": 87, "2024-06": 92, "2024-08": 94, "2025-08": 99,
    "2026-02": 101, "2026-09": 103,
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    """Some months of a believable life."""
    return World(Origin(seed=7, athlete_id=4242424242, years=0.35, until=date(2026, 11, 20)), Journal())


@pytest.fixture(scope="module")
def exported(world: World) -> bytes:
    """Their export in German."""
    file = io.BytesIO()
    assert write_export(file, world, exported_at=EXPORTED_AT, language=Language.DE) == len(world)
    return file.getvalue()


def rows_of(exported: bytes) -> list[list[str]]:
    """Return the list's rows."""
    return list(csv.reader(io.StringIO(ZipFile(io.BytesIO(exported)).read("activities.csv").decode())))


def test_columns_are_as_many_as_strava_wrote() -> None:
    """The newest headers end with the media; those of 2020 do not."""
    assert {version.value: len(header(layout_of(version), Language.EN_US)) for version in Version} == COLUMNS
    assert [header(layout_of(version), Language.DE)[-1] for version in (Version.YEAR_2020, Version.YEAR_2023)] == [
        "Flagged",
        "Media",
    ]


def test_the_export_is_the_same_each_time() -> None:
    """Byte by byte, and all times in it are that of the export."""
    files = io.BytesIO(), io.BytesIO()
    for file in files:
        world = World(Origin(seed=7, athlete_id=4242424242, years=0.05, until=date(2026, 11, 20)), Journal())
        write_export(file, world, exported_at=EXPORTED_AT)
    assert files[0].getvalue() == files[1].getvalue()
    assert {info.date_time for info in ZipFile(files[0]).infolist()} == {(2026, 11, 20, 8, 30, 2)}


@pytest.mark.slow
def test_every_activity_has_a_row_and_the_odd_ones_are_there(world: World, exported: bytes) -> None:
    """Typed in without a file, lost at Strava, recorded by Strava's own app, uploaded in three formats."""
    names = ZipFile(io.BytesIO(exported)).namelist()
    titles, *rows = rows_of(exported)
    assert titles[12] == "Dateiname"
    assert [int(row[0]) for row in rows] == world.ids()
    files = [row[12] for row in rows]
    kinds = Counter(name.partition(".")[2] or name for name in files)
    assert kinds.keys() == {"", "#error#", "fit.gz", "gpx", "gpx.gz", "tcx.gz"}
    assert kinds["fit.gz"] > len(rows) / 2
    recorded = [name for name in files if name.startswith("activities/")]
    assert sorted(name for name in names if name.startswith("activities/")) == sorted(recorded)
    assert {"profile.csv", "bikes.csv", "shoes.csv", "logins.csv", "messaging.json", "media.csv"} <= set(names)
    assert [row[-1] for row in rows if row[-1]] == [name for name in names if name.startswith("media/")] != []


@pytest.mark.slow
def test_recordings_are_whole(exported: bytes) -> None:
    """FIT files have right checksums; GPX and TCX have times, and TCX begins with blanks that strict parsers refuse."""
    archive = ZipFile(io.BytesIO(exported))
    for name in archive.namelist():
        if not name.startswith("activities/"):
            continue
        content = archive.read(name)
        content = gzip.decompress(content) if name.endswith(".gz") else content
        if ".fit" in name:
            assert content[8:12] == b".FIT"
            assert int.from_bytes(content[4:8], "little") == len(content) - 16
            assert crc(content) == crc(content[:14]) == 0
            continue
        assert content.startswith(b" " * 10 if ".tcx" in name else b"<?xml")
        tags = Counter(element.tag.rpartition("}")[2].lower() for element in ET.fromstring(content.strip()).iter())  # noqa: S314
        assert tags["time"] > 50
        assert tags["trkpt"] + tags["trackpoint"] > 50
