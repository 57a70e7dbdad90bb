"""Archives of all shapes are opened without unpacking; what is hostile or private stays shut."""

import errno
import gzip
import io
import os
import stat
import struct
import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from simulator.export.columns import Version, layout_of
from simulator.export.languages import Language
from simulator.export.rows import header
from strava.archive.archive import open_archive, read_archive
from strava.archive.bag import bags, open_recordings
from strava.archive.container import MIB, Limits, Problem, ZipContainer
from strava.errors import UnreadableArchive
from tests.strava.exports import NOW, cells_of, csv_of, opened, zip_of, zip_with

LAYOUT = layout_of(Version.SEPTEMBER_2026)
TRACK = b"<gpx/>"


def a_list(*files: str) -> bytes:
    """Return `activities.csv` with an activity for each file."""
    rows = [
        cells_of(
            LAYOUT, {"Bike": "8930001.0"}, id=str(100 + number), date="May 29, 2022, 3:53:35 PM", type="Ride",
            gear="Blue Racer", file=file,
        )
        for number, file in enumerate(files)
    ]  # fmt: skip
    return csv_of([header(LAYOUT, Language.EN_US), *rows])


EXPORT = {
    "activities.csv": a_list("activities/7.gpx", "activities/8.fit.gz", "", "#error#"),
    "activities/7.gpx": TRACK,
    "activities/8.fit.gz": gzip.compress(b"fit"),
    "activities/.DS_Store": b"x",
    "bikes.csv": b"Bike Name,Bike Brand,Bike Model,Types\nBlue Racer,Velowerk,Aria 5,Ride\nOld One,,,\n",
    "shoes.csv": b"Shoe Name,Shoe Brand,Shoe Model,Types\nBlue Racer,,,\n",
    "profile.csv": b"Athlete ID,Email Address\n4242,someone@example.org\n",
    "media/1.jpg": b"picture",
    "logins.csv": b"private",
    "messaging.json": b"private",
}


@pytest.mark.parametrize("prefix", ["", "export_4242/"])
def test_an_export_at_the_root_or_one_folder_deep(tmp_path: Path, prefix: str) -> None:
    """List, recordings, gear with the ids of the rows, the athlete, and counts of what is never opened."""
    content = zip_of({prefix + name: content for name, content in EXPORT.items()})
    with opened(tmp_path / "export_4242.zip", content) as archive:
        assert [archive.file_of(row) for row in archive.rows] == [
            f"{prefix}activities/7.gpx", f"{prefix}activities/8.fit.gz", None, None,
        ]  # fmt: skip
        assert archive.read(f"{prefix}activities/7.gpx") == TRACK
        assert dict(archive.files) == {f"{prefix}activities/7.gpx": 6, f"{prefix}activities/8.fit.gz": 23}
        assert [(gear.kind, gear.name, gear.gear_id) for gear in archive.gear] == [
            ("bike", "Blue Racer", "b8930001"), ("bike", "Old One", None), ("shoes", "Blue Racer", None),
        ]  # fmt: skip
        assert (archive.athlete_id, archive.media, archive.others) == (4242, 1, 3)
        assert archive.exported_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
        assert archive.problems == []
        with pytest.raises(UnreadableArchive, match="none of the files to import"):
            archive.read(f"{prefix}logins.csv")


class Watched(io.BytesIO):
    """A file that remembers which of its bytes were read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.ranges: list[range] = []

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        content = super().read(size)
        self.ranges.append(range(start, start + len(content)))
        return content


def test_no_byte_of_a_private_file_is_read() -> None:
    """Of a ZIP, only its directory and the members that are imported; a media file in the middle is passed over."""
    names = [*sorted(EXPORT), "privacy_zones.csv"]
    file = Watched(zip_of({name: EXPORT.get(name, b"private") for name in names}))
    archive = read_archive(ZipContainer(file), "export.zip", limits=Limits(), now=NOW)
    for name in archive.files:
        archive.read(name)
    opened_names = {"activities.csv", "profile.csv", "bikes.csv", "shoes.csv", *archive.files}
    infos = ZipFile(io.BytesIO(file.getvalue())).infolist()
    ends = [*(info.header_offset for info in infos[1:]), file.getvalue().index(b"PK\x01\x02")]
    for info, end in zip(infos, ends, strict=True):
        is_read = any(each.start < end and each.stop > info.header_offset for each in file.ranges)
        assert is_read == (info.filename in opened_names), info.filename


def test_no_private_file_of_a_folder_is_opened(tmp_path: Path) -> None:
    """A file that nobody may read, a link and a pipe are passed over; the list tells the same as in a ZIP."""
    for name, content in EXPORT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "logins.fifo")  # to open it would hang
    (tmp_path / "activities" / "9.gpx").symlink_to(tmp_path / "logins.csv")
    with open_archive(tmp_path, now=NOW) as archive:
        assert [archive.read(name) for name in archive.files] == [TRACK, EXPORT["activities/8.fit.gz"]]
        assert (len(archive.rows), archive.athlete_id, archive.media, archive.others) == (4, 4242, 1, 3)
        assert sorted(archive.problems, key=lambda each: each.name) == [
            Problem("activities/9.gpx", "is a link or a device, not a file"),
            Problem("logins.fifo", "is a link or a device, not a file"),
        ]
        (tmp_path / "activities" / "7.gpx").unlink()
        (tmp_path / "activities" / "7.gpx").symlink_to(tmp_path / "logins.csv")  # changed since it was listed
        with pytest.raises(UnreadableArchive, match="cannot be read"):
            archive.read("activities/7.gpx")


def test_the_list_alone_a_recording_alone_and_a_bag_of_them(tmp_path: Path) -> None:
    """Each is an archive; ZIPs in a ZIP are read as one, and of other files nothing is known but how many."""
    with opened(tmp_path / "my list.csv", EXPORT["activities.csv"]) as archive:
        assert ([row.activity_id for row in archive.rows], archive.files) == ([100, 101, 102, 103], {})
        assert [archive.file_of(row) for row in archive.rows] == [None] * 4
    with opened(tmp_path / "morning", TRACK) as archive:
        assert (list(archive.rows), archive.read("morning")) == ([], TRACK)
    inner = zip_of({"1.fit": b"one", "2.fit": b"two", "notes.txt": b"private"})
    bag = zip_of({"a/parts/Part1.zip": inner, "a/3.GPX.gz": b"three", "a/profile.json": b"private"})
    with opened(tmp_path / "garmin.zip", bag) as archive:
        assert {name: archive.read(name) for name in archive.files} == {
            "a/parts/Part1.zip/1.fit": b"one", "a/parts/Part1.zip/2.fit": b"two", "a/3.GPX.gz": b"three",
        }  # fmt: skip
        assert (archive.rows, archive.others, archive.language, archive.exported_at) == ((), 2, None, None)


def test_an_export_inside_a_zip(tmp_path: Path) -> None:
    """An export that was packed once more is an export."""
    with opened(tmp_path / "again.zip", zip_of({"export_4242.zip": zip_of(EXPORT)})) as archive:
        assert (len(archive.rows), archive.athlete_id) == (4, 4242)
        assert archive.read("export_4242.zip/activities/7.gpx") == TRACK


@pytest.mark.parametrize("kept", ["activities/8.fit", "activities/8"])
def test_a_recording_that_lost_its_suffix_is_found(tmp_path: Path, kept: str) -> None:
    """Browsers unpack `.gz`; where two files could be meant, none is."""
    entries = {"activities.csv": a_list("activities/8.fit.gz"), kept: b"fit"}
    with opened(tmp_path / "export.zip", zip_of(entries)) as archive:
        assert archive.file_of(archive.rows[0]) == kept
    with opened(tmp_path / "export.zip", zip_of(entries | {"activities/8.gpx": TRACK})) as archive:
        assert archive.file_of(archive.rows[0]) is None


def _entry(name: str, *, mode: int = 0) -> ZipInfo:
    info = ZipInfo(name, (2026, 11, 20, 10, 0, 0))
    info.external_attr = mode << 16
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_each_hostile_entry_is_one_line_and_the_rest_is_read(tmp_path: Path) -> None:
    """Paths that lead away, a link, two entries of one name, a bomb: told, and nothing is written anywhere."""
    link = stat.S_IFLNK | 0o777
    content = zip_with(
        [
            (_entry("activities.csv"), a_list("activities/1.gpx", "activities/2.gpx")),
            (_entry("activities/1.gpx"), TRACK),
            (_entry("../../x"), b""),
            (_entry("/etc/passwd"), b""),
            (_entry("C:/x"), b""),
            (_entry("activities\\9.gpx"), b""),
            (_entry("activities/\x1b[2J.gpx"), b""),
            (_entry("activities/3.gpx", mode=link), b"/etc/passwd"),
            (_entry("activities/2.gpx"), TRACK),
            (_entry("activities/2.gpx"), TRACK),
            (_entry("activities/4.gpx"), b" " * (8 * 2**20)),
        ]
    )
    before = set(tmp_path.parent.rglob("*"))
    with opened(tmp_path / "export.zip", content) as archive:
        assert sorted((each.name, each.reason) for each in archive.problems) == [
            ("../../x", "its name leads out of the archive"),
            ("/etc/passwd", "its name is an absolute path"),
            ("C:/x", "its name is an absolute path"),
            ("activities/2.gpx", "is in it 2 times"),
            ("activities/3.gpx", "is a link or a device, not a file"),
            ("activities/\N{REPLACEMENT CHARACTER}[2J.gpx", "its name has characters that no name has"),
            ("activities\\9.gpx", "its name has a backslash"),
        ]
        assert list(archive.files) == ["activities/1.gpx", "activities/4.gpx"]
        assert archive.read("activities/1.gpx") == TRACK
        with pytest.raises(UnreadableArchive, match="unpacks to more than 200 times its size"):
            archive.read("activities/4.gpx")
    assert set(tmp_path.parent.rglob("*")) - before == {tmp_path / "export.zip"}


def test_limits(tmp_path: Path) -> None:
    """Of one member, of all that is read, and of how many there are."""
    path = tmp_path / "export.zip"
    content = zip_of({"a.gpx": os.urandom(900), "b.gpx": os.urandom(900)})
    path.write_bytes(content)
    with open_archive(path, limits=Limits(member=800)) as archive, pytest.raises(UnreadableArchive, match="unpacks to"):
        archive.read("a.gpx")
    with open_archive(path, limits=Limits(total=1000)) as archive:
        archive.read("a.gpx")
        path.write_bytes(b"")  # what is beyond the limit is not read to find that out
        with pytest.raises(UnreadableArchive, match="the most bytes"):
            archive.read("b.gpx")
    path.write_bytes(content)
    with pytest.raises(UnreadableArchive, match="has more than 1 entries"):
        open_archive(path, limits=Limits(entries=1))
    with pytest.raises(UnreadableArchive, match="list of files"):
        open_archive(path, limits=Limits(directory=90))
    big = tmp_path / "big.gpx"
    big.write_bytes(b"x" * 900)
    with open_archive(big, limits=Limits(member=800)) as archive, pytest.raises(UnreadableArchive, match="more than"):
        archive.read("big.gpx")


def test_a_zip_of_as_many_entries_as_are_read_fits_into_the_limits() -> None:
    """Its list names each by the name that Strava gives to pictures; one entry more, and none becomes an object."""
    limits = Limits()
    entry = b"PK\x01\x02" + bytes(42) + b"media/01234567-89ab-cdef-0123-456789abcdef.jpg"
    assert limits.entries * len(entry) < limits.directory
    directory = entry * (limits.entries + 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 0, 0)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableArchive, match="has more than 200,000 entries"):
            ZipContainer(io.BytesIO(directory + end))
        assert tracemalloc.get_traced_memory()[1] < 3 * len(directory)
    finally:
        tracemalloc.stop()


def _forged(content: bytes, changes: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    """Overwrite bytes at an offset behind a signature's last place."""
    forged = bytearray(content)
    for signature, offset, value in changes:
        place = content.rindex(signature) + offset
        forged[place : place + len(value)] = value
    return bytes(forged)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ([(b"PK\x01\x02", 8, b"\x01\x00")], "encrypted"),
        ([(b"PK\x01\x02", 10, b"\x0c\x00")], "packed by a method"),
        ([(b"PK\x01\x02", 16, b"\x00\x00\x00\x00")], "is damaged: it does not unpack"),
        ([(b"PK\x01\x02", 24, b"\xff\xff\xff\x7f")], "unpacks to more than 64 MiB"),
        ([(b"PK\x03\x04", 0, b"XX")], "is damaged: it does not unpack"),
    ],
)
def test_a_member_that_cannot_be_read_costs_only_itself(
    tmp_path: Path, changes: Sequence[tuple[bytes, int, bytes]], match: str
) -> None:
    """Encrypted, in a foreign method, of a wrong checksum, of a forged size, without its header."""
    content = zip_of({"activities.csv": EXPORT["activities.csv"], "activities/7.gpx": b"<gpx></gpx>"})
    with opened(tmp_path / "export.zip", _forged(content, changes)) as archive:
        assert len(archive.rows) == 4
        with pytest.raises(UnreadableArchive, match=match):
            archive.read("activities/7.gpx")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("export.zip", b"", "export.zip is empty"),
        ("export.zip", b"PK\x03\x04 and no more", "export.zip is damaged: the list of files at its end is missing"),
        ("export.zip", zip_of({"logins.csv": b"private"}), "neither activities.csv nor a recording"),
        ("activities.csv", b"", "no list of activities"),
        ("activities.csv", b"a,b,c\n", "no list of activities"),
        ("activities.csv", b"1,2,3,4,5,6,7,8\n", "no list of activities"),
        ("activities.csv", b"a" + b"," * 600 + b"\n", "no list of activities"),
        ("activities.csv", b"a,b,c,d,e,f,g\n" + b"," * (2**20 + 1), "a line of more than"),
    ],
)
def test_what_is_no_archive_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    """And a path that leads nowhere."""
    with pytest.raises(UnreadableArchive, match=match):
        opened(tmp_path / name, content)
    with pytest.raises(UnreadableArchive, match="nowhere does not exist"):
        open_archive(tmp_path / "nowhere")


class Unreadable(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, _: int | None = -1) -> bytes:
        """Fail as the system does."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_s_fault_is_not_told_as_damage() -> None:
    """Nobody is sent to load the file down again."""
    with pytest.raises(UnreadableArchive, match="cannot be read: Input/output error"):
        ZipContainer(Unreadable(zip_of(EXPORT)))


def test_two_exports_together_are_refused(tmp_path: Path) -> None:
    """Their activities may be of two athletes; a copy that macOS left is no second one."""
    content = {f"{folder}/activities.csv": EXPORT["activities.csv"] for folder in ("one", "__MACOSX")}
    with opened(tmp_path / "export.zip", zip_of(content)) as archive:
        assert len(archive.rows) == 4
    content["two/activities.csv"] = EXPORT["activities.csv"]
    with pytest.raises(UnreadableArchive, match="holds 2 exports"):
        opened(tmp_path / "export.zip", zip_of(content))


def test_who_and_when(tmp_path: Path) -> None:
    """The profile tells the athlete, else the ZIP's name; the list is no older than what it lists, nor of tomorrow."""
    without = {name: content for name, content in EXPORT.items() if name != "profile.csv"}
    with opened(tmp_path / "export_77 (1).zip", zip_of(without)) as archive:
        assert archive.athlete_id == 77
    with opened(tmp_path / "export_77.zip", zip_of(EXPORT)) as archive:
        assert archive.athlete_id == 4242
        assert [each.reason for each in archive.problems] == [
            "is named after another athlete than its profile.csv tells of"
        ]
    with opened(tmp_path / "export.zip", zip_of(EXPORT | {"profile.csv": b"Athlete ID\nnobody\n"})) as archive:
        assert archive.athlete_id is None
        assert [each.name for each in archive.problems] == ["profile.csv"]
    path = tmp_path / "activities.csv"
    path.write_bytes(EXPORT["activities.csv"])
    newest = datetime(2022, 5, 29, 15, 53, 35, tzinfo=UTC)
    for written in (newest - timedelta(days=9), NOW):
        os.utime(path, (written.timestamp(), written.timestamp()))
        assert open_archive(path, now=NOW).exported_at == newest  # the time of a copy tells nothing
    early = datetime(2026, 11, 19, tzinfo=UTC)
    (tmp_path / "early.zip").write_bytes(zip_of(EXPORT))
    with closing(open_archive(tmp_path / "early.zip", now=early)) as archive:
        assert archive.exported_at == early


def test_another_list_of_numbers_is_no_list_of_activities(tmp_path: Path) -> None:
    """An export's `profile.csv` begins with a number as well, and has no date, no file and no known header."""
    content = (
        b"Athlete ID,Email Address,First Name,Sex,Weight,City,Consent\n4242,x@example.org,A,M,70.0,Berlin,Unknown\n"
    )
    with pytest.raises(UnreadableArchive, match="is no list of activities: no date"):
        opened(tmp_path / "profile.csv", content)


def test_memory_is_bounded(tmp_path: Path) -> None:
    """1,000 activities take a megabyte, and a list of empty cells is refused line by line."""
    path = tmp_path / "activities.csv"
    first, row = a_list("activities/1.gpx").splitlines(keepends=True)
    many = b"".join(row.replace(b"100,", b"%d," % number, 1) for number in range(1, 1001))
    tracemalloc.start()
    try:
        archive = opened(path, first + many)
        assert len(archive.rows) == 1000
        assert tracemalloc.get_traced_memory()[0] < MIB
        tracemalloc.reset_peak()
        with pytest.raises(UnreadableArchive, match="more than 10,000 lines that are no rows"):
            opened(path, first + b'"\n' * 50_000)
        refused = opened(path, first + (b"," * 1000 + b"\n") * 1000)
        assert refused.activities is not None
        assert refused.activities.unreadable_rows == 1000
        assert tracemalloc.get_traced_memory()[1] < 10 * MIB
    finally:
        tracemalloc.stop()


def test_recordings_are_opened_together_by_their_names(tmp_path: Path) -> None:
    """Two of one name come into two archives; an export or a folder is one of its own, and a lost file is told."""
    (tmp_path / "a").mkdir()
    first, other, again = tmp_path / "a" / "1.gpx", tmp_path / "2.FIT.gz", tmp_path / "1.gpx"
    for path in (first, other, again):
        path.write_bytes(TRACK + path.name.encode())
    lost, export = tmp_path / "3.tcx", tmp_path / "export_1.zip"
    given = [first, export, other, again, tmp_path / "a", lost, first]
    assert bags(given) == [[export], [tmp_path / "a"], [first, other, lost], [again]]
    with open_recordings([first, other, lost], now=NOW) as archive:
        assert list(archive.files) == ["1.gpx", "2.FIT.gz"]
        assert archive.read("2.FIT.gz") == TRACK + b"2.FIT.gz"
        assert archive.problems == [Problem("3.tcx", "cannot be read: No such file or directory")]
    with pytest.raises(UnreadableArchive):
        open_recordings([lost], now=NOW)
