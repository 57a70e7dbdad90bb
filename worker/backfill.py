"""Loads an athlete's past: first a line for every activity, so that charts fill at once, then the details."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from backends.warehouse.activities import ActivityStore, Applied, Archived, Observation, Source
from backends.warehouse.athletes import IngestionState, IngestionStates
from runtime.clock import utc_now
from strava.errors import UnreadableAnswer
from strava.payload import SUMMARY, ActivityPage, ActivityPayload
from worker.activities import ActivitySource, apply_all
from worker.attempts import Attempts, Rests

log = structlog.get_logger(__name__)

NEVER = datetime(2100, 1, 1, tzinfo=UTC)  # with both bounds the newest come first
_ONE_SECOND = timedelta(seconds=1)  # Strava compares whole seconds, and what started in the cursor's own may be missing


class BackfillSource(ActivitySource, Protocol):
    """Where an athlete's activities are listed: `strava.client.StravaClient`."""

    def activities(
        self, *, after: datetime | None = None, before: datetime | None = None
    ) -> AsyncIterator[ActivityPage]:
        """Yield pages of summaries, newest first, of what started between two moments. Raises StravaError."""


class BackfillStore(ActivityStore, Archived, IngestionStates, Protocol):
    """The part of `raw` that a history needs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How many activities were listed, and of those that lacked a detail, how many have one now.

    With `unreadable` items in the list it is not complete: they are not stored, and the next start lists all again.
    """

    listed: int = 0
    is_listed: bool = False
    unreadable: int = 0
    detailed: int = 0
    to_detail: int | None = None  # known once everything is listed


async def backfill(  # noqa: PLR0913 - three collaborators, and by keyword what may be left as it is
    client: BackfillSource,
    store: BackfillStore,
    athlete_id: int,
    *,
    since: datetime | None = None,
    with_list: bool = True,
    with_details: bool = True,
    spares_archived: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    concurrency: int = 4,
    rests: Rests | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Progress:
    """Store every activity that Strava lists, then the detail of each that has none or an outdated one.

    With `since` only what started then or later is loaded, which vouches for nothing; without the list, what is stored
    gets its details. Where that `spares_archived`, what an export tells of gets none. Running it again goes on where
    it stopped: a listing from its cursor, and what is detailed is not asked for twice. A detail that Strava lists but
    does not show, or fails on, is left out while it is among the `rests`. Raises WarehouseBusy and StravaError, of
    which RateLimited when the calls are used up; what was stored by then stays.
    """
    history = _Backfill(client, store, athlete_id, on_progress, rests or Rests(clock), clock)
    if with_list:
        await (history.list_all(concurrency) if since is None else history.list_since(since, concurrency))
    if with_details:
        lacking = await lacking_details(store, athlete_id, since, spares_archived=spares_archived)
        await history.detail_all(lacking, concurrency)
    return history.progress


async def lacking_details(
    store: BackfillStore, athlete_id: int, since: datetime | None, *, spares_archived: bool
) -> list[int]:
    """Return what is stored without its detail, newest first. Raises WarehouseBusy.

    Where that `spares_archived`, what an export tells of needs none.
    """
    found = await store.activity_ids(athlete_id, resource_state=SUMMARY, since=since)
    spared = await store.archived_ids(athlete_id) if found and spares_archived else set[int]()
    return [each for each in found if each not in spared]


class _Backfill:
    def __init__(  # noqa: PLR0913, PLR0917 - three collaborators, and what may be left as it is
        self,
        client: BackfillSource,
        store: BackfillStore,
        athlete_id: int,
        on_progress: Callable[[Progress], None],
        rests: Rests,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._store = store
        self._athlete_id = athlete_id
        self._on_progress = on_progress
        self._clock = clock
        self._rests = rests
        self._attempts = Attempts(rests, "history.detail_failed")
        self.progress = Progress()

    async def list_all(self, concurrency: int) -> None:
        """Store every summary, and fetch each detail that one shows to be outdated before the cursor moves past it.

        The cursor never moves past an item that could not be read or is another athlete's: it must be met again.
        """
        state = await self._begin()
        before = None if state.backfill_cursor is None else state.backfill_cursor + _ONE_SECOND
        async for own in self._pages(self._client.activities(before=before), concurrency):
            if not self.progress.unreadable:
                cursor = _oldest_start(own, state.backfill_cursor)
                state = replace(state, backfill_cursor=cursor, updated_at=self._clock())
                await self._store.put_ingestion_state(state)
        await self._store.put_ingestion_state(self._ended(state))
        self._tell(replace(self.progress, is_listed=True))

    async def list_since(self, since: datetime, concurrency: int) -> None:
        """Store the summaries of what started at `since` or later; a listing that was cut short begins again."""
        async for _ in self._pages(self._client.activities(after=since - _ONE_SECOND, before=NEVER), concurrency):
            pass
        self._tell(replace(self.progress, is_listed=True))

    async def _pages(
        self, pages: AsyncIterator[ActivityPage], concurrency: int
    ) -> AsyncIterator[list[ActivityPayload]]:
        """Store page after page with the details that it shows to be outdated, and yield what was stored of each."""
        while True:
            asked_at = self._clock()
            page = await anext(pages, None)
            if page is None:
                return
            own = [activity for activity in page.activities if activity.athlete_id == self._athlete_id]
            applied = await apply_all(self._store, self._athlete_id, [self._seen(each, asked_at) for each in own])
            ends = zip(own, applied, strict=True)
            outdated = [seen.activity_id for seen, end in ends if end is Applied.NEEDS_DETAIL]
            await self._detail_some(outdated, concurrency)
            listed = self.progress.listed + len(own)
            unreadable = self.progress.unreadable + page.unreadable + len(page.activities) - len(own)
            self._tell(replace(self.progress, listed=listed, unreadable=unreadable))
            yield own

    async def _begin(self) -> IngestionState:
        """Go on with a listing that was cut short, or begin one."""
        now = self._clock()
        state = await self._store.ingestion_state(self._athlete_id)
        if state is not None and state.listing_began_at is not None and state.backfill_cursor is not None:
            return state
        return IngestionState(
            athlete_id=self._athlete_id,
            complete_as_of=state.complete_as_of if state else None,
            listing_began_at=now,
            backfill_cursor=None,
            updated_at=now,
        )

    def _ended(self, state: IngestionState) -> IngestionState:
        """Vouch for the whole list as of its beginning, unless an item of it could not be read."""
        complete_as_of = state.listing_began_at
        if unreadable := self.progress.unreadable:
            log.warning("history.incomplete", athlete_id=self._athlete_id, unreadable=unreadable)
            complete_as_of = state.complete_as_of
        return replace(
            state,
            complete_as_of=complete_as_of,
            listing_began_at=None,
            backfill_cursor=None,
            updated_at=self._clock(),
        )

    async def detail_all(self, activity_ids: list[int], concurrency: int) -> None:
        """Fetch the details in this order, some at a time."""
        self._tell(replace(self.progress, to_detail=self.progress.detailed + len(activity_ids)))
        await self._detail_some(activity_ids, concurrency)

    async def _detail_some(self, activity_ids: list[int], concurrency: int) -> None:
        await self._attempts.each(activity_ids, self._detail, at_once=concurrency)

    async def _detail(self, activity_id: int) -> None:
        asked_at = self._clock()
        with self._attempts.of(activity_id):  # of what is not shown its event, or a reconciliation, tells the fate
            activity = await self._client.activity(activity_id, tries=self._rests.tries(activity_id))
            if activity.athlete_id != self._athlete_id:
                raise UnreadableAnswer(f"activities/{activity_id}", "it is about another athlete's activity")
            await apply_all(self._store, self._athlete_id, [self._seen(activity, asked_at)])
            self._tell(replace(self.progress, detailed=self.progress.detailed + 1))

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


def _oldest_start(page: list[ActivityPayload], earlier: datetime | None) -> datetime | None:
    """Return the oldest start that is known of a listing so far."""
    starts = [activity.start_date for activity in page if activity.start_date is not None]
    return min([*starts, *([] if earlier is None else [earlier])], default=None)
