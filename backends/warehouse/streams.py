"""Streams in `raw`: which activities lack theirs, and storing what Strava gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRule:
    """Whose streams are wanted, and of which sport; None stands for all."""

    athlete_id: int | None = None
    sport_type: str | None = None

    def names(self, athlete_id: int, sport_type: str | None) -> bool:
        """Whether it wants the streams of such an activity; small and capital letters are the same."""
        is_sport = self.sport_type is None or self.sport_type.lower() == (sport_type or "").lower()
        return is_sport and self.athlete_id in {None, athlete_id}


@dataclass(frozen=True, kw_only=True, slots=True)
class DueStreams:
    """A living, detailed activity without streams, or with those of another version of it.

    `fetched_for` is its start, distance and times, `activity_hash` that of its payload, both as they are stored now.
    """

    activity_id: int
    athlete_id: int
    fetched_for: str
    activity_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """What Strava gave for `due` when it was asked at `observed_at`; `payload` None where it has no streams."""

    due: DueStreams
    observed_at: datetime
    payload: dict[str, Any] | None


class StreamStore(Protocol):
    """Streams, which never outlive their activity and of which the newest observation stays."""

    async def due_streams(
        self,
        athlete_id: int,
        rules: Sequence[StreamRule],
        *,
        since: datetime | None = None,
        created_before: datetime | None = None,
        changed_since: datetime | None = None,
    ) -> list[DueStreams]:
        """Return the athlete's activities that lack streams and are wanted by a rule, newest start first.

        What has streams already is due whenever its start, distance or time changed; where Strava had none, whenever
        anything did; where they expired, at once. With `since` only what started then or later, with `created_before`
        all but what Strava told of as new at that moment or later, with `changed_since` only what changed after.
        """

    async def put_streams(self, streams: Streams) -> bool:
        """Store them; False where the activity or its athlete is gone, or newer ones are stored.

        Raises WarehouseBusy.
        """

    async def stream_count(self, athlete_id: int, *, since: datetime | None = None) -> int:
        """Return for how many living activities Strava was asked for streams that did not expire, of those since."""

    async def newest_change(self) -> datetime | None:
        """Return the stamp of the newest row of an activity."""
