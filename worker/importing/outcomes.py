"""What became of a file: the words in which the reading process answers, and which the report counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

BUDGET_S = 30.0  # of processor time, for one file


class FileOutcome(StrEnum):
    """How the reading of a file ended."""

    READ = "read"
    CUT_SHORT = "cut_short"  # read to where it breaks off
    SAME_FILE = "same_file"  # stored before, and so not read again
    SKIPPED = "skipped"  # a sound file, but of no activity: a device's settings, a course
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileResult:
    """One file. `reason` is empty where it was read whole. `start_date` and `sport_type` are those of its recording.

    `seconds_off` is how much later than its row the recording begins, where there is a row with a date. `seconds_more`
    is how much longer than its row it lasts: what was cropped is still in the file. `sha256` is of the unpacked file.
    """

    name: str
    outcome: FileOutcome
    reason: str = ""
    kind: str | None = None
    start_date: str | None = None
    sport_type: str | None = None
    seconds_off: float | None = None
    seconds_more: float | None = None
    sha256: str | None = None

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "FileResult":
        """Read what the process answered."""
        return cls(**fields | {"outcome": FileOutcome(fields["outcome"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One recorded session of a file, as it is stored.

    `number` counts the file's sessions from 0, `start` is in seconds since 1970. `device_key` is the same in each copy
    of a recording. `activity` is JSON in the words of Strava's API, and so are `streams`.
    """

    number: int
    start: int
    elapsed_s: int
    device_key: str | None
    activity: bytes
    streams: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadFile:
    """A file with its bytes as they are in the archive, none if they could not be had, and its sessions if wanted."""

    result: FileResult
    content: bytes = b""
    sessions: Sequence[Session] = ()
