"""What became of a file: the words in which the reading process answers, and which the report counts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

BUDGET_S = 30.0  # of processor time, for one file


class FileOutcome(StrEnum):
    """How the reading of a file ended."""

    READ = "read"
    CUT_SHORT = "cut_short"  # read to where it breaks off
    SKIPPED = "skipped"  # a sound file, but of no activity: a device's settings, a course
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileResult:
    """One file. `reason` is empty where it was read whole. `start_date` and `sport_type` are those of its recording.

    `seconds_off` is how much later than its row the recording begins, where there is a row with a date. `seconds_more`
    is how much longer than its row it lasts: what was cropped is still in the file.
    """

    name: str
    outcome: FileOutcome
    reason: str = ""
    kind: str | None = None
    start_date: str | None = None
    sport_type: str | None = None
    seconds_off: float | None = None
    seconds_more: float | None = None

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "FileResult":
        """Read what the process answered."""
        return cls(**fields | {"outcome": FileOutcome(fields["outcome"])})
