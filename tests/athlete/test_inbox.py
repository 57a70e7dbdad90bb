"""The inbox: what lies there is imported once it has stopped growing, and what fails rests before the next try."""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from athlete.inbox import FIRST_REST_S, Inbox


class Watched:
    """An inbox whose clock the test turns; `taken` are the names that were imported together."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, 0.0
        self.taken: list[list[str]] = []
        self.codes: deque[int] = deque()
        self.inbox = Inbox(folder, self._run, clock=lambda: self.now)

    async def _run(self, names: Sequence[str]) -> int:
        self.taken.append(list(names))
        code = self.codes.popleft() if self.codes else 0
        for name in () if code else names:
            (self.folder / name).unlink()
        return code

    async def look(self, *, after_s: float = 1.0) -> list[list[str]]:
        """Look once and return what was taken."""
        self.now += after_s
        before = len(self.taken)
        await self.inbox.look()
        return self.taken[before:]


async def test_a_file_is_taken_when_it_stands_still(tmp_path: Path) -> None:
    """A name with a dot at its begin, a folder and a missing inbox are left alone."""
    watched = Watched(tmp_path / "inbox")
    assert await watched.look() == []
    (tmp_path / "inbox" / "done").mkdir(parents=True)
    (tmp_path / "inbox" / ".part.zip").write_bytes(b"half")
    grown = tmp_path / "inbox" / "export.zip"
    for size in range(1, 4):
        grown.write_bytes(b"x" * size)
        assert await watched.look() == []
    (tmp_path / "inbox" / "run.fit").write_bytes(b"x")
    assert [await watched.look() for _ in range(2)] == [[], [["export.zip"]]]
    assert [await watched.look() for _ in range(2)] == [[["run.fit"]], []]


async def test_what_is_still_being_loaded_is_left(tmp_path: Path) -> None:
    """As browsers name it, the file that it becomes, and an empty one; then it is taken."""
    watched = Watched(tmp_path)
    for name in ("a.zip.part", "a.zip", "b.zip.CRDOWNLOAD", "c.fit.download", "d.gpx.tmp", "whole.fit"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty.fit").touch()
    assert [await watched.look(after_s=2) for _ in range(3)] == [[], [["whole.fit"]], []]
    (tmp_path / "a.zip.part").replace(tmp_path / "a.zip")
    (tmp_path / "empty.fit").write_bytes(b"x")
    assert [await watched.look(after_s=2) for _ in range(2)] == [[], [["a.zip", "empty.fit"]]]


async def test_an_import_that_fails_rests(tmp_path: Path) -> None:
    """The pause doubles, and ends with what succeeds."""
    watched = Watched(tmp_path)
    (tmp_path / "run.fit").write_bytes(b"x")
    watched.codes.extend([1, 1])
    await watched.look()
    assert await watched.look(after_s=2) == [["run.fit"]]
    assert await watched.look(after_s=FIRST_REST_S - 1) == []
    assert await watched.look(after_s=1) == [["run.fit"]]
    assert await watched.look(after_s=2 * FIRST_REST_S - 1) == []
    assert await watched.look(after_s=1) == [["run.fit"]]
    assert list(tmp_path.iterdir()) == []


async def test_it_looks_until_it_is_stopped(tmp_path: Path) -> None:
    """Also after a folder that cannot be read."""
    stop, looked = asyncio.Event(), 0

    def clock() -> float:
        nonlocal looked
        looked += 1
        if looked == 3:
            stop.set()
        return 0.0

    async def run(names: Sequence[str]) -> int:
        raise AssertionError(names)

    (tmp_path / "file").write_bytes(b"x")
    await Inbox(tmp_path / "file", run, clock=clock).keep_on(stop, every_s=0)
    assert looked == 3
