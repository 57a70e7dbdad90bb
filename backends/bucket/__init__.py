"""The bucket port: a folder of a bucket, whose files are taken and put aside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import IO, Protocol, TypeVar

P = TypeVar("P", bound=PurePath)


class BucketUnavailable(Exception):
    """The bucket does not answer, refuses, or a file in it was replaced meanwhile; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file of the folder: its name there, size in bytes, when it was written, and which of that name it is."""

    name: str
    size: int
    written_at: datetime
    generation: int


class Bucket(Protocol):
    """A folder of a bucket. A file is there whole or not at all. All methods block, and raise BucketUnavailable."""

    def files(self) -> list[StoredFile]:
        """Return what lies in the folder itself, and not in folders of it."""

    def open(self, file: StoredFile) -> IO[bytes]:
        """Open a file to be read from any place; no more is fetched than is read, in pieces."""

    def read(self, file: StoredFile) -> bytes:
        """Return all of a file."""

    def put_aside(self, file: StoredFile, folder: str, report: str) -> bool:
        """Move a file to a folder within, with the report beside it as `NAME.txt`; another of that name stays.

        Return False, with the file where it is, where it was replaced or removed meanwhile.
        """


def free_place(target: P, is_taken: Callable[[P], bool]) -> P:
    """Return where a file and its report go: its own place, or the first with a number that is free for both."""
    place, number = target, 1
    while is_taken(place) or is_taken(report_of(place)):
        number += 1
        place = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return place


def report_of(place: P) -> P:
    """Return where the report of a file is."""
    return place.with_name(f"{place.name}.txt")
