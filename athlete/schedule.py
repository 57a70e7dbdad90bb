"""Runs the daily job once a local day, as a process that ends, and catches up after the machine slept or was off."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from backends.atomic_file import write_private
from runtime.clock import utc_now
from worker.daily_report import ExitCode

log = structlog.get_logger(__name__)

LOOK_S = 30.0  # by the wall clock each time, so that a machine that wakes up is at most so late
FIRST_LOOK_S = 60.0  # the programs start first
MOST_TRIES = 6  # a day
_FIRST_REST = timedelta(minutes=15)
_LONGEST_REST = timedelta(hours=4)
_ONE_DAY = timedelta(days=1)
# What a later try of the same day does not mend: all is well, or a person has to say something.
_SETTLED = frozenset({ExitCode.COMPLETE, ExitCode.GUARDED})


class Tried(BaseModel):
    """The newest day whose run was tried, how often, when last, and whether no more is to be tried. Kept in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    day: date
    tries: int
    tried_at: datetime
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """Once a local day at a time of day, however long that day is."""

    at: time
    zone: ZoneInfo

    def due_at(self, day: date) -> datetime:
        """Return the moment of a day's run: of a time that comes twice the first, for one that is left out the next."""
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def newest_due(self, now: datetime) -> date:
        """Return the newest day whose moment has come."""
        today = now.astimezone(self.zone).date()
        return today if self.due_at(today) <= now else today - _ONE_DAY

    def is_due(self, now: datetime, tried: Tried | None) -> bool:
        """Whether a run is to be started now.

        A day more than one after the newest due was noted by a clock that has been set back since, and counts for
        nothing. Neither does a try in the future, which would hold back the next.
        """
        day = self.newest_due(now)
        if tried is None or tried.day < day:
            return True
        if tried.day > day:
            return tried.day > day + _ONE_DAY
        if tried.is_settled or tried.tries >= MOST_TRIES:
            return False
        return not now - rest(tried.tries) < tried.tried_at <= now


def rest(tries: int) -> timedelta:
    """Return the pause after so many failed tries: it doubles."""
    return min(_FIRST_REST * 2.0 ** (tries - 1), _LONGEST_REST)


class DailyRuns:
    """Looks at the clock now and then, and starts `run`, which returns an exit code, when a run is due."""

    def __init__(
        self,
        schedule: Schedule,
        kept: Path,
        run: Callable[[], Awaitable[int]],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._schedule = schedule
        self._kept = kept
        self._run = run
        self._clock = clock

    async def keep_on(self, stop: asyncio.Event, *, first_s: float = FIRST_LOOK_S, every_s: float = LOOK_S) -> None:
        """Run what is due until `stop` is set."""
        wait_s = first_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await stop.wait()
                    return
            wait_s = every_s
            try:
                await self.run_if_due()
            except OSError as error:
                log.warning("daily.not_started", reason=str(error))

    async def run_if_due(self) -> bool:
        """Start a run if one is due, and note how it ended; return whether one was. Raises OSError."""
        now, tried = self._clock(), self._read()
        if not self._schedule.is_due(now, tried):
            return False
        day = self._schedule.newest_due(now)
        before = tried.tries if tried is not None and tried.day == day else 0
        begun = Tried(day=day, tries=before + 1, tried_at=now, is_settled=False)
        self._write(begun)  # before the run: one that takes all programs with it is not begun again and again
        code = await self._run()
        ended = begun.model_copy(update={"tried_at": self._clock(), "is_settled": code in _SETTLED})
        self._write(ended)
        if not ended.is_settled:
            is_last = ended.tries >= MOST_TRIES
            again = None if is_last else self._clock() + rest(ended.tries)
            log.warning("daily.unsettled", exit_code=code, tries=ended.tries, again_at=again and again.isoformat())
        return True

    def _read(self) -> Tried | None:
        try:
            return Tried.model_validate_json(self._kept.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def _write(self, tried: Tried) -> None:
        write_private(self._kept, tried.model_dump_json().encode())
