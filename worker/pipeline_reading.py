"""Writes down how the rate budget and the queue stand, so that the pages, which read marts alone, can tell it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from backends.queue import QueueMonitor, QueueStatus, QueueUnavailable
from backends.warehouse.readings import LimitUse, PipelineReading, PipelineReadings
from runtime.clock import utc_now
from strava.budget import BudgetStatus, RateBudget
from strava.budget_state import WindowName, ends_after
from strava.errors import RateLimited, StravaError
from worker.periodic import repeat
from worker.reason_kinds import kind_of

log = structlog.get_logger(__name__)

_LOOK_S = 15.0
_WRITTEN_EVERY = timedelta(minutes=1)
_IS_WAITING_AFTER_S = 60.0  # what is in the queue for less is on its way


class ReadingKeeper:
    """Takes a reading now and then, and keeps it where it tells something new.

    What a page must show soon is kept at once and moves `changed_at`, which has the marts built again. A number that
    only grows is kept once a minute at most and waits for the next build. In an idle pipeline nothing is written. A
    queue that does not tell how it stands counts as one in which nothing waits.

    The budget of a program that `is_brief` began empty and ends with it. What no answer told in its time is as it was
    read before, and what each such program finds out for itself, the calls that wait and until when, has no build.
    """

    def __init__(
        self,
        store: PipelineReadings,
        queue: QueueMonitor | None,
        budget: RateBudget,
        *,
        is_brief: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._queue = queue
        self._budget = budget
        self._is_brief = is_brief
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Take readings until `stop` is set."""
        await repeat(self.take, stop, every_s=_LOOK_S, name="pipeline_reading")

    async def take(self) -> bool:
        """Take one, and return whether it was kept. Raises WarehouseBusy."""
        before = await self._store.reading()
        now = _reading(await self._budget.status(), await self._waiting(), self._clock())
        nothing = PipelineReading(read_at=now.read_at, changed_at=now.read_at)
        if self._is_brief:
            now = _going_on(now, before or nothing)
        if now.tells_the_same_as(before or nothing):
            return False
        if self._is_as_urgent(now, before or nothing):
            if before is not None and before.read_at <= now.read_at < before.read_at + _WRITTEN_EVERY:
                return False
            now = replace(now, changed_at=(before or nothing).changed_at)
        await self._store.put_reading(now)
        return True

    def _is_as_urgent(self, now: PipelineReading, before: PipelineReading) -> bool:
        if self._is_brief:
            before = replace(before, closed_until=now.closed_until, refused=now.refused)
        return now.is_as_urgent_as(before)

    async def _waiting(self) -> QueueStatus:
        nothing = QueueStatus(waiting=0, oldest_age_s=None, dead=0)
        try:
            return nothing if self._queue is None else await self._queue.status()
        except QueueUnavailable as error:
            log.warning("pipeline_reading.no_queue", reason=str(error))
            return nothing


def _reading(budget: BudgetStatus, queue: QueueStatus, now: datetime) -> PipelineReading:
    age_s = queue.oldest_age_s or 0.0
    is_waiting = age_s > _IS_WAITING_AFTER_S
    since = (now - timedelta(seconds=age_s)).replace(second=0, microsecond=0)  # each look measures the age
    lapse, lapsed_since = budget.lapse or (None, None)
    because = lapse or budget.closed_because
    return PipelineReading(
        read_at=now,
        changed_at=now,
        limits={
            each.name.value: LimitUse(limit=each.limit, used=each.used, resets_at=each.resets_at)
            for each in budget.windows
        },
        refused={lane.value: count for lane, count in budget.refused.items()},
        lapsed_since=lapsed_since,
        closed_until=budget.closed_until,
        closed_because=None if because is None else _reason(because),
        closed_kind=None if because is None else kind_of(because),
        queued_count=queue.waiting if is_waiting else 0,
        queued_since=since if is_waiting else None,
    )


def _going_on(now: PipelineReading, before: PipelineReading) -> PipelineReading:
    """Complete what a program read that knows only the answers of its own time."""
    is_known = bool(now.limits) or now.closed_because is not None
    limits = {name: _still(use, name, now.read_at) for name, use in before.limits.items()}
    now = replace(now, limits=limits | dict(now.limits))
    was_lapsed, is_closed = before.lapsed_since is not None, now.read_at < (before.closed_until or now.read_at)
    if now.lapsed_since is not None and was_lapsed:
        closed_until = before.closed_until if is_closed else now.closed_until
        return replace(now, lapsed_since=before.lapsed_since, closed_until=closed_until)
    if is_known or not (was_lapsed or is_closed):
        return now
    return replace(
        now,
        lapsed_since=before.lapsed_since,
        closed_until=before.closed_until,
        closed_because=before.closed_because,
        closed_kind=before.closed_kind,
    )


def _still(use: LimitUse, name: str, now: datetime) -> LimitUse:
    """Return the use of a limit if nobody called since: none in a new window."""
    if now < use.resets_at:
        return use
    ends_at = ends_after(now.timestamp(), WindowName(name).length_s)
    return replace(use, used=0, resets_at=datetime.fromtimestamp(ends_at, UTC))


def _reason(error: StravaError) -> str:
    """Return the sentence without the wait, which changes with each look."""
    return error.reason if isinstance(error, RateLimited) else str(error)
