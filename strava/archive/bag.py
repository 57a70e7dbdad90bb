"""Recordings that lie in any folders, opened together as one archive."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from runtime.clock import utc_now
from strava.archive.archive import Archive, read_archive
from strava.archive.container import ODD_NAME, FileContainer, Limits, Member, Problem, shown
from strava.archive.members import is_recording


class FilesContainer:
    """Files on their own, by their names without the folders."""

    is_copy = True

    def __init__(self, paths: Iterable[Path], limits: Limits) -> None:
        self._files: dict[str, FileContainer] = {}
        self.problems: list[Problem] = []
        for path in paths:
            if not path.name.isprintable():
                self.problems.append(Problem(shown(path.name), ODD_NAME))
                continue
            try:
                self._files[path.name] = FileContainer(path, limits)
            except OSError as error:
                self.problems.append(Problem(path.name, f"cannot be read: {error.strerror}"))
        self.members: Sequence[Member] = [member for file in self._files.values() for member in file.members]

    def read(self, name: str) -> bytes:
        """Return a file's content. Raises UnreadableArchive."""
        return self._files[name].read(name)

    def modified(self, name: str) -> datetime:
        """Return when the file was last written."""
        return self._files[name].modified(name)

    def close(self) -> None:
        """Nothing is open."""


def open_recordings(paths: Iterable[Path], *, limits: Limits | None = None, now: datetime | None = None) -> Archive:
    """Open recordings, whose names differ, as one archive. Raises UnreadableArchive where none can be opened."""
    limits = limits or Limits()
    container = FilesContainer(paths, limits)
    names = [member.name for member in container.members]
    return read_archive(container, ", ".join(names[:3]), limits=limits, now=now or utc_now())


def bags(paths: Iterable[Path]) -> Sequence[Sequence[Path]]:
    """Divide paths into what is opened together: recordings whose names differ, and each other path alone."""
    others, recordings = list[Path](), list[dict[str, Path]]()
    for path in dict.fromkeys(paths):
        if not is_recording(path.name) or path.is_dir():
            others.append(path)
            continue
        bag = next((bag for bag in recordings if path.name not in bag), None)
        if bag is None:
            recordings.append(bag := {})
        bag[path.name] = path
    return [*([each] for each in others), *(list(bag.values()) for bag in recordings)]
