"""Fetches the recorded curves of activities, in the lane that waits for all others.

What lacks its streams is found in the warehouse, so that a restart forgets nothing: a new activity that STREAMS names,
and any whose start, distance or time changed since its streams were fetched, by an event or a reconcile.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.athletes import AthleteStore, connected_ids
from backends.warehouse.backfills import Backfills
from backends.warehouse.streams import DueStreams, StreamRule, Streams, StreamStore
from runtime.clock import steady_s, utc_now
from strava.errors import AppInactive, AppRejected, NotFound, RateLimited, StravaError
from worker.attempts import Attempts, Rests
from worker.kept import MOST, Kept, key_of
from worker.periodic import repeat_until_cut_short

log = structlog.get_logger(__name__)

_POLL_S = 5.0
_ALL_AGAIN_S = 86_400.0  # what another program changed unseen is met again
_LONGEST_WAIT_S = 3600.0
_RETRY_S = 300.0  # after a fault of Strava's, or one that is this athlete's alone
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
    due: Sequence[DueStreams],
    rests: Rests,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Fetch and store the streams of each, in order. One that Strava fails on is left out while it is among the rests.

    Raises WarehouseBusy and StravaError, of which RateLimited when the calls are used up; what was stored stays.
    """
    attempts = Attempts(rests, "streams.failed")
    by_id = {each.activity_id: each for each in due}

    async def fetch(activity_id: int) -> None:
        asked_at = clock()
        with attempts.of(activity_id):
            payload: dict[str, Any] | None
            try:
                payload = await source.streams(activity_id)
            except NotFound:  # a manual entry, or deleted by now
                payload = None
            seen = Streams(due=by_id[activity_id], observed_at=asked_at, payload=payload)
            log.info("streams.fetched", activity_id=activity_id, is_stored=await store.put_streams(seen))

    await attempts.each(by_id, fetch, at_once=_AT_ONCE)


@dataclass
class _Looked:
    """How far an athlete's are complete: all that changed until then has its streams, or failed and rests."""

    complete_to: datetime | None = None  # None: all is to be looked at
    all_again_s: float = 0.0
    not_before_s: float = 0.0


class StreamSweep:
    """Keeps the streams complete that the rules name, with `days` only of what began in the last so many days.

    A backfill under way comes first: it has the details to load.

    Once an athlete's are all there, a poll reads what changed since the last, and all again when a rest ends. With
    `kept` the next program goes on from there, and `steady` is a clock that both have.
    """

    def __init__(  # noqa: PLR0913 - two collaborators and the rules, and by keyword what may be left as it is
        self,
        store: SweepStore,
        source_of: Callable[[int], StreamSource],
        rules: Sequence[StreamRule],
        *,
        days: int | None = None,
        poll_s: float = _POLL_S,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], float] = steady_s,
        kept: Kept | None = None,
    ) -> None:
        self._store = store
        self._source_of = source_of
        self._rules = rules
        self._days = days
        self._poll_s = poll_s
        self._clock = clock
        self._steady = steady
        self._rests = Rests(clock)
        self._kept = kept
        self._kept_rests: dict[str, list[float] | None] = {}  # of what was not met yet
        self._looked: defaultdict[str, _Looked] = defaultdict(_Looked)
        self._waits_until_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Fetch what is due until `stop` is set; what is under way then is fetched at the next start."""
        await repeat_until_cut_short(self.fetch_due, stop, every_s=self._poll_s, name="streams")

    async def fetch_due(self) -> None:
        """Fetch what is due as far as the budget goes now. Raises WarehouseBusy."""
        if self._kept is None:
            await self._fetch_due()
            return
        self._go_on(await self._kept.read())
        try:
            await self._fetch_due()
        finally:
            await self._kept.write(self._told())

    def _go_on(self, told: dict[str, Any]) -> None:
        self._waits_until_s = told.get("waits_until_s", 0.0)
        self._kept_rests = told.get("rests", {})
        for key, (complete_to, *moments) in told.get("looked", {}).items():
            self._looked[key] = _Looked(complete_to and datetime.fromisoformat(complete_to), *moments)

    def _told(self) -> dict[str, Any]:
        looked = {
            key: [each.complete_to and each.complete_to.isoformat(), each.all_again_s, each.not_before_s]
            for key, each in self._looked.items()
        }
        rests = list((self._rests.told() | self._kept_rests).items())[:MOST]
        return {"waits_until_s": self._waits_until_s, "rests": dict(rests), "looked": looked}

    async def _fetch_due(self) -> None:
        if self._steady() < self._waits_until_s:
            return
        newest = await self._store.newest_change()
        if newest is None:
            return
        under_way = {each.athlete_id for each in await self._store.backfills() if each.finished_at is None}
        for athlete_id in await connected_ids(self._store):
            if athlete_id not in under_way and not await self._fetch_for(athlete_id, newest):
                return

    async def _fetch_for(self, athlete_id: int, newest: datetime) -> bool:
        """Fetch what is due of the athlete's up to the newest change; return False where all athletes have to wait."""
        looked, now_s = self._looked[key_of(athlete_id)], self._steady()
        if now_s >= looked.all_again_s:
            looked.complete_to, looked.all_again_s = None, now_s + _ALL_AGAIN_S
        if now_s < looked.not_before_s or looked.complete_to == newest:
            return True
        due = await self._due(athlete_id, looked.complete_to)
        self._rests.remember(self._kept_rests, [each.activity_id for each in due])
        try:
            await fetch_streams(self._source_of(athlete_id), self._store, due, self._rests, clock=self._clock)
        except (RateLimited, AppInactive, AppRejected) as error:  # Strava answers nobody now
            log.info("streams.waiting", reason=str(error), left=len(due))
            self._waits_until_s = self._steady() + min(error.retry_after, _LONGEST_WAIT_S)
            return False
        except (StravaError, TokensUnavailable) as error:
            log.warning("streams.stopped", athlete_id=athlete_id, reason=str(error))
            looked.not_before_s = self._steady() + _RETRY_S
            return True
        looked.complete_to = newest
        for end in self._rests.ends(each.activity_id for each in due)[:1]:
            rest_s = (end - self._clock()).total_seconds()
            looked.all_again_s = min(looked.all_again_s, self._steady() + rest_s)
        return True

    async def _due(self, athlete_id: int, changed_since: datetime | None) -> list[DueStreams]:
        """Return what is wanted, and what has streams of an earlier version of it, however long ago it was."""
        find = partial(self._store.due_streams, athlete_id, changed_since=changed_since)
        if self._days is None:
            return await find(self._rules)
        recent = await find(self._rules, since=self._clock() - timedelta(days=self._days))
        known = {each.activity_id for each in recent}
        return recent + [each for each in await find(()) if each.activity_id not in known]
