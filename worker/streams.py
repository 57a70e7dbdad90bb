"""Fetches the recorded curves of activities, in the lane that waits for all others.

What lacks its streams is found in the warehouse, so that a restart forgets nothing: a new activity that STREAMS names,
and any whose start, distance or time changed since its streams were fetched, by an event or a reconcile.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.athletes import AthleteStore, connected_ids
from backends.warehouse.backfills import Backfills
from backends.warehouse.streams import DueStreams, StreamRule, Streams, StreamStore
from runtime.clock import steady_s, utc_now
from strava.errors import OF_ONE_THING, AppInactive, AppRejected, NotFound, RateLimited, StravaError
from worker.periodic import repeat_until_cut_short
from worker.turns import FailuresInARow, in_turns

log = structlog.get_logger(__name__)

_POLL_S = 15.0
_ALL_AGAIN_S = 3600.0  # what failed, and what another program changed unseen, is met again
_AT_ONCE = 2


class StreamSource(Protocol):
    """Where an athlete's streams are asked for: `strava.client.StravaClient`."""

    async def streams(self, activity_id: int) -> dict[str, Any]:
        """Return the activity's streams by key. Raises StravaError, of which NotFound where it has none."""


class SweepStore(StreamStore, AthleteStore, Backfills, Protocol):
    """The part of `raw` that keeping streams complete needs."""


async def fetch_streams(
    source: StreamSource,
    store: StreamStore,
    due: Iterable[DueStreams],
    *,
    clock: Callable[[], datetime] = utc_now,
    on_stored: Callable[[], None] = lambda: None,
) -> None:
    """Fetch and store the streams of each, in order. One that Strava fails on is left for later.

    Raises WarehouseBusy and StravaError, of which RateLimited when the calls are used up; what was stored stays.
    """
    failures = FailuresInARow()

    async def fetch(each: DueStreams) -> None:
        asked_at = clock()
        payload: dict[str, Any] | None
        try:
            payload = await source.streams(each.activity_id)
        except NotFound:  # a manual entry, or deleted by now
            payload = None
        except OF_ONE_THING as error:
            log.warning("streams.failed", activity_id=each.activity_id, reason=str(error))
            failures.add(error)
            return
        failures.end()
        is_stored = await store.put_streams(Streams(due=each, observed_at=asked_at, payload=payload))
        log.info("streams.fetched", activity_id=each.activity_id, is_stored=is_stored)
        on_stored()

    await in_turns(due, fetch, at_once=_AT_ONCE)


class StreamSweep:
    """Keeps the streams complete that the rules name. A backfill under way comes first: it has the details to load.

    Once all is there, a poll reads one number, and looks at what changed since the last.
    """

    def __init__(  # noqa: PLR0913 - two collaborators and the rules, and by keyword what may be left as it is
        self,
        store: SweepStore,
        source_of: Callable[[int], StreamSource],
        rules: Sequence[StreamRule],
        *,
        poll_s: float = _POLL_S,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = steady_s,
    ) -> None:
        self._store = store
        self._source_of = source_of
        self._rules = rules
        self._poll_s = poll_s
        self._clock = clock
        self._steady = steady
        self._complete_to: datetime | None = None
        self._looks_at_all_s = 0.0
        self._waits_until_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch what is due until `stop` is set; what is under way then is fetched at the next start."""
        await repeat_until_cut_short(self.fetch_due, stop, every_s=self._poll_s, name="streams")

    async def fetch_due(self) -> None:
        """Fetch what is due as far as the budget goes now. Raises WarehouseBusy."""
        now_s = self._steady()
        if now_s < self._waits_until_s:
            return
        if now_s >= self._looks_at_all_s:
            self._complete_to, self._looks_at_all_s = None, now_s + _ALL_AGAIN_S
        newest = await self._store.newest_change()
        if newest is None or newest == self._complete_to:
            return
        under_way = {each.athlete_id for each in await self._store.backfills() if each.finished_at is None}
        connected = await connected_ids(self._store)
        for athlete_id in connected:
            if athlete_id not in under_way and not await self._fetch_for(athlete_id):
                return
        self._complete_to = None if under_way.intersection(connected) else newest

    async def _fetch_for(self, athlete_id: int) -> bool:
        """Return False where all athletes have to wait."""
        due = await self._store.due_streams(athlete_id, self._rules, changed_since=self._complete_to)
        try:
            await fetch_streams(self._source_of(athlete_id), self._store, due, clock=self._clock)
        except (RateLimited, AppInactive, AppRejected) as error:  # Strava answers nobody now
            log.info("streams.waiting", reason=str(error), left=len(due))
            self._wait(error.retry_after)
            return False
        except (StravaError, TokensUnavailable) as error:
            log.warning("streams.failed", athlete_id=athlete_id, reason=str(error))
        return True

    def _wait(self, seconds: float) -> None:
        """Wait so long; then what was left is met again, for nothing is complete yet."""
        self._waits_until_s = self._steady() + min(seconds, timedelta(hours=1).total_seconds())
