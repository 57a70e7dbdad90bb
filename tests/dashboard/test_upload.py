"""The page that takes files: what lands in the inbox is whole, has a safe name, and takes no other's place."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashboard.inbox import plain_name, put


def test_a_file_is_whole_before_it_has_its_name(tmp_path: Path) -> None:
    """Half-way there is a name with a dot alone; what fails leaves nothing; nobody else may read what is there."""
    folder = tmp_path / "inbox"
    seen: list[list[str]] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append([each.name for each in folder.iterdir()])
            return super().read(size)

    assert put(folder, "export_1.zip", Slow(b"PK" * 200_000)) == "export_1.zip"
    assert len(seen) > 1
    assert all(name.startswith(".") for names in seen for name in names)
    [file] = folder.iterdir()
    assert (file.name, file.read_bytes()) == ("export_1.zip", b"PK" * 200_000)
    assert (folder.stat().st_mode | file.stat().st_mode) & 0o077 == 0

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        put(folder, "other.fit", Broken())
    assert list(folder.iterdir()) == [file]


def test_a_name_that_is_taken_stays_its_owners(tmp_path: Path) -> None:
    """The second file of a name gets another, with the end that tells its kind; the folders of the inbox count."""
    (tmp_path / "done").mkdir()
    names = [put(tmp_path, name, io.BytesIO(name.encode())) for name in ("run.fit.gz", "run.fit.gz", "done")]
    assert names == ["run.fit.gz", "2-run.fit.gz", "2-done"]
    assert (tmp_path / "run.fit.gz").read_bytes() == b"run.fit.gz"


def test_two_files_of_one_name_at_once_are_both_there(tmp_path: Path) -> None:
    """Two readers of the page hand over a file of the same name while both are being written."""
    with ThreadPoolExecutor(8) as threads:
        content = [bytes([number]) * 1000 for number in range(16)]
        names = list(threads.map(lambda each: put(tmp_path, "run.fit", io.BytesIO(each)), content))
    assert len(set(names)) == len(content)
    assert sorted(each.read_bytes() for each in tmp_path.iterdir()) == content


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("export_12345.zip", "export_12345.zip"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\Lauf ä.fit", "Lauf ä.fit"),
        (".hidden.gpx", "hidden.gpx"),
        ("../..", "upload"),
        ("a\nb\x00\u202ec.tcx", "abc.tcx"),
        ("x" * 300 + ".fit.gz", "x" * 173 + ".fit.gz"),
        ("走" * 100 + ".fit", "走" * 58 + ".fit"),  # a file system counts bytes
    ],
)
def test_a_name_leads_nowhere_and_is_not_hidden(given: str, name: str) -> None:
    """Folders, control characters and leading dots go; of a long name its end stays."""
    assert plain_name(given) == name
