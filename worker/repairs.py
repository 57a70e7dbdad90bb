"""The repairs of one check, some at a time: what fails is left alone, and an outage of Strava ends them all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from backends.tokens import TokensUnavailable
from strava.errors import OF_ONE_THING, StravaError
from worker.activities import ActivitySource
from worker.findings import Findings, Progress
from worker.turns import in_turns

_AT_ONCE = 4
_MOST_FAILURES = 5  # in a row, before Strava itself is thought to fail

log = structlog.get_logger(__name__)


class Repairs:
    """`prove` asks a step's source for what Strava has shown before: where it fails too, Strava fails on all.

    `failed` are the activities that Strava failed on. What stopped the repairs is noted in what was found.
    """

    def __init__(
        self,
        found: Findings,
        prove: Callable[[ActivitySource], Awaitable[None]],
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.failed = set[int]()
        self._found = found
        self._prove = prove
        self._on_progress = on_progress
        self._in_a_row = 0
        self._proving = asyncio.Lock()

    async def each(
        self,
        step: str,
        activity_ids: Iterable[int],
        source: ActivitySource,
        work: Callable[[ActivitySource, int], Awaitable[None]],
    ) -> None:
        """Do the work for each through the source: a list in its order, others from the newest on."""
        ordered = list(activity_ids) if isinstance(activity_ids, list) else sorted(activity_ids, reverse=True)

        async def take(turn: tuple[int, int]) -> None:
            place, activity_id = turn
            async with self._proving:
                if self._in_a_row >= _MOST_FAILURES and self._found.stopped is None:
                    self._in_a_row = 0
                    await self._stop_if_refused(self._prove(source))
            if self._found.stopped is None:
                self._on_progress(Progress(step, place, len(ordered)))
                await self._stop_if_refused(self._one(activity_id, work(source, activity_id)))

        await in_turns(enumerate(ordered, 1), take, at_once=_AT_ONCE)

    async def _one(self, activity_id: int, work: Awaitable[None]) -> None:
        try:
            await work
            self._in_a_row = 0
        except OF_ONE_THING as error:
            log.warning("reconcile.failed", activity_id=activity_id, reason=str(error))
            self.failed.add(activity_id)
            self._in_a_row += 1

    async def _stop_if_refused(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (StravaError, TokensUnavailable) as error:
            self._found.stopped = self._found.stopped or error
