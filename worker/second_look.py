"""Asks once more after a create: the first detail may lack efforts and calories, and no event follows.

The worker looks twice, some minutes after the create and some hours after it, when late segments have settled.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from operator import itemgetter
from typing import Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.activities import Applied
from backends.warehouse.ledger import EventLedger
from runtime.clock import steady_s
from strava.errors import AppInactive, AppRejected, RateLimited, StravaError
from worker.kept import MOST, Kept, key_of
from worker.periodic import repeat
from worker.results import TryLater

log = structlog.get_logger(__name__)

_WITHIN = timedelta(days=1)
_AT_ONCE = 20
_POLL_S = 15.0
_RETRY_S = 3600.0


class Looking(Protocol):
    """Who looks: `worker.activities.ActivityEvents`."""

    async def look_again(self, activity_id: int, event_id: str) -> Applied | None:
        """Fetch the activity without an event; None when Strava does not show it. Raises StravaError, WarehouseBusy."""


class SecondLooks:
    """Finds in the warehouse what is due, so that a restart forgets nothing. A zero `due_after` switches it off.

    An activity that was looked at is left alone for an hour, also where its look brought nothing. With `kept` the next
    program does so too, and `steady` is a clock that both have.
    """

    def __init__(  # noqa: PLR0913 - two collaborators, and by keyword what may be left as it is
        self,
        looking: Looking,
        ledger: EventLedger,
        *,
        due_after: timedelta,
        poll_s: float = _POLL_S,
        steady: Callable[[], float] = steady_s,
        kept: Kept | None = None,
    ) -> None:
        self._looking = looking
        self._ledger = ledger
        self._due_after = due_after
        self._poll_s = poll_s
        self._steady = steady
        self._kept = kept
        self._resting_until_s: dict[str, float] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Look at what is due until `stop` is set."""
        if self._due_after:
            await repeat(lambda: self.look_at_due(stop), stop, every_s=self._poll_s, name="second_look")

    async def look_at_due(self, stop: asyncio.Event) -> None:
        """Look once at each activity that is due, until `stop` is set. Raises WarehouseBusy."""
        if self._kept is None:
            await self._look_at_due(stop)
            return
        self._resting_until_s = await self._kept.read()
        try:
            await self._look_at_due(stop)
        finally:
            latest = sorted(self._resting_until_s.items(), key=itemgetter(1))[-MOST:]
            await self._kept.write(dict(latest))

    async def _look_at_due(self, stop: asyncio.Event) -> None:
        now_s = self._steady()
        self._resting_until_s = {key: until_s for key, until_s in self._resting_until_s.items() if until_s > now_s}
        how_many = _AT_ONCE + len(self._resting_until_s)
        found = await self._ledger.due_looks(due_after=self._due_after, within=_WITHIN, how_many=how_many)
        for due in found:
            if stop.is_set():
                return
            if key_of(due.activity_id) in self._resting_until_s:
                continue
            try:
                await self._look(due.activity_id, due.event_id)
            except (RateLimited, AppInactive, AppRejected) as error:  # Strava answers nobody now, so all wait
                log.info("second_look.waiting", reason=str(error))
                return

    async def _look(self, activity_id: int, event_id: str) -> None:
        try:
            applied = await self._looking.look_again(activity_id, event_id)
        except (RateLimited, AppInactive, AppRejected):
            raise
        except (StravaError, TokensUnavailable, TryLater) as error:
            log.warning("second_look.failed", activity_id=activity_id, reason=str(error))
        else:
            log.info("second_look.done", activity_id=activity_id, outcome=applied and applied.value)
        self._resting_until_s[key_of(activity_id)] = self._steady() + _RETRY_S
