"""Loads an athlete's past: first a line for every activity, so that charts fill at once, then the details."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from backends.warehouse import ActivityStore, Applied, IngestionState, IngestionStates, Observation, Source
from strava.errors import NotFound
from strava.network import utc_now
from strava.payload import SUMMARY, ActivityPayload
from worker.activities import ActivitySource


class HistorySource(ActivitySource, Protocol):
    """Where an athlete's activities are listed: `strava.client.StravaClient`."""

    def activities(self) -> AsyncIterator[list[ActivityPayload]]:
        """Yield pages of summaries, newest first. Raises StravaError."""


class HistoryStore(ActivityStore, IngestionStates, Protocol):
    """The part of `raw` that a history needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How many activities were listed, and of those that lacked a detail, how many have one now."""

    listed: int = 0
    detailed: int = 0
    to_detail: int | None = None  # known once everything is listed


async def load_history(  # noqa: PLR0913 - three collaborators, and by keyword what may be left as it is
    client: HistorySource,
    store: HistoryStore,
    athlete_id: int,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    concurrency: int = 4,
    clock: Callable[[], datetime] = utc_now,
) -> Progress:
    """Store every activity that Strava lists, then the detail of each that has none or an outdated one.

    Running it again goes on where it stopped: what is detailed is not asked for twice. A detail that Strava lists but
    does not show is left for later. Raises WarehouseBusy and StravaError, of which RateLimited when
    the calls are used up; what was stored by then stays.
    """
    history = _History(client, store, athlete_id, on_progress, clock)
    outdated = await history.list_all()
    summaries = await store.activity_ids(athlete_id, resource_state=SUMMARY)
    await history.detail_all([*outdated, *summaries], concurrency)
    return history.progress


class _History:
    def __init__(
        self,
        client: HistorySource,
        store: HistoryStore,
        athlete_id: int,
        on_progress: Callable[[Progress], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._store = store
        self._athlete_id = athlete_id
        self._on_progress = on_progress
        self._clock = clock
        self.progress = Progress()

    async def list_all(self) -> list[int]:
        """Store every summary and return the ids of those whose stored detail is outdated."""
        outdated: list[int] = []
        span = _Span()
        state = await self._store.ingestion_state(self._athlete_id)
        vouched_for = state.last_successful_start_date if state else None
        pages = aiter(self._client.activities())
        while True:
            asked_at = self._clock()
            page = await anext(pages, None)
            if page is None:
                break
            applied = await self._store.apply([self._seen(activity, asked_at) for activity in page])
            outdated += [
                seen.activity_id for seen, end in zip(page, applied, strict=True) if end is Applied.NEEDS_DETAIL
            ]
            span = span.including(page)
            await self._vouch(vouched_for, span)
            self._tell(replace(self.progress, listed=self.progress.listed + len(page)))
        await self._vouch(span.newest, span)
        return outdated

    async def detail_all(self, activity_ids: list[int], concurrency: int) -> None:
        """Fetch the details in this order, some at a time."""
        self._tell(replace(self.progress, to_detail=len(activity_ids)))
        waiting = iter(activity_ids)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(concurrency):
                    tasks.create_task(self._detail_each(waiting))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None  # the first that failed stopped the others

    async def _detail_each(self, waiting: Iterator[int]) -> None:
        for activity_id in waiting:
            asked_at = self._clock()
            try:
                activity = await self._client.activity(activity_id)
            except NotFound:  # its own event, or a reconciliation, tells whether it was deleted
                continue
            await self._store.apply([self._seen(activity, asked_at)])
            self._tell(replace(self.progress, detailed=self.progress.detailed + 1))

    async def _vouch(self, last_successful: datetime | None, span: "_Span") -> None:
        await self._store.put_ingestion_state(
            IngestionState(
                athlete_id=self._athlete_id,
                last_successful_start_date=last_successful,
                backfill_cursor=None if span.oldest is None else span.oldest.isoformat(),
                updated_at=self._clock(),
            )
        )

    def _seen(self, activity: ActivityPayload, asked_at: datetime) -> Observation:
        return Observation(
            activity_id=activity.activity_id,
            athlete_id=self._athlete_id,
            observed_at=asked_at,
            source=Source.BACKFILL,
            activity=activity,
        )

    def _tell(self, progress: Progress) -> None:
        self.progress = progress
        self._on_progress(progress)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Span:
    """The starts between which everything is stored."""

    newest: datetime | None = None
    oldest: datetime | None = None

    def including(self, page: list[ActivityPayload]) -> "_Span":
        starts = [activity.start_date for activity in page if activity.start_date is not None]
        known = [*starts, *(start for start in (self.newest, self.oldest) if start is not None)]
        return _Span(newest=max(known), oldest=min(known)) if known else self
