"""How the rate budget and the queue stand: what the ledger cannot tell, written down for the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

LEVELS = 4  # how finely the use of a limit is told at once


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitUse:
    """One of Strava's limits, as it was read."""

    limit: int
    used: int
    resets_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineReading:
    """The row of `raw.pipeline_readings`; its columns are described in the schema.

    `refused` counts by lane the calls that had to wait in the quarter hour. `queued_count` is 0 while nothing waits in
    the queue for longer than a minute.
    """

    read_at: datetime
    changed_at: datetime
    limits: Mapping[str, LimitUse] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    lapsed_since: datetime | None = None
    closed_until: datetime | None = None
    closed_because: str | None = None
    closed_kind: str | None = None
    queued_count: int = 0
    queued_since: datetime | None = None

    def tells_the_same_as(self, other: "PipelineReading") -> bool:
        """Whether only time has passed between the two: a limit that nobody uses begins again and again."""
        return _content(self) == _content(other)

    def is_as_urgent_as(self, other: "PipelineReading") -> bool:
        """Whether a page may wait for the next build, because what changed is a number that stays small or large."""
        return _urgency(self) == _urgency(other)


class PipelineReadings(Protocol):
    """The one current reading. Methods raise WarehouseBusy."""

    async def reading(self) -> PipelineReading | None:
        """Return it, or None before the first."""

    async def put_reading(self, reading: PipelineReading) -> None:
        """Replace it."""


def _content(reading: PipelineReading) -> tuple[object, ...]:
    in_use = {name: use for name, use in reading.limits.items() if use.used}
    return *_state(reading), in_use, dict(reading.refused), reading.queued_count, reading.queued_since


def _urgency(reading: PipelineReading) -> tuple[object, ...]:
    levels = {name: use.used * LEVELS // max(use.limit, 1) for name, use in reading.limits.items()}
    scarce = {name: level for name, level in levels.items() if level}
    return *_state(reading), scarce, set(reading.refused), bool(reading.queued_count)


def _state(reading: PipelineReading) -> tuple[object, ...]:
    return reading.lapsed_since, reading.closed_until, reading.closed_because
