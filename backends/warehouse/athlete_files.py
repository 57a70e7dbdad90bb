"""What athletes say of themselves in a file of their own: settings, goals and gear, as checked values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class AthleteFile:
    """What `backends.athlete_file` read of one athlete's settings, goals and gear; `read_at` is when that was."""

    athlete_id: int
    payload: Mapping[str, Any]
    file_hash: str
    read_at: datetime


class AthleteFiles(Protocol):
    """Files of athletes who are connected; of others nothing is stored."""

    async def file_hashes(self) -> Mapping[int, str]:
        """Return the `file_hash` of each athlete's row."""

    async def put_athlete_file(self, file: AthleteFile) -> bool:
        """Put it in the place of the athlete's earlier one; False where it says the same or the athlete is unknown.

        Raises WarehouseBusy.
        """
