"""Takes up the backfills that were asked for: the list first, so that charts fill at once, then details and streams."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Retention
from backends.warehouse.athletes import connected_ids
from backends.warehouse.backfills import Backfill, Backfills
from backends.warehouse.streams import DueStreams, StreamRule, StreamStore
from runtime.clock import utc_now, utc_text
from strava.budget import RateBudget
from strava.budget_state import Lane
from strava.errors import AppInactive, AppRejected, RateLimited, StravaError, TokenRejected
from strava.payload import ActivityPage, ActivityPayload
from worker.attempts import Rests
from worker.backfill import BackfillSource, BackfillStore, Progress, backfill, lacking_details
from worker.periodic import repeat_until_cut_short
from worker.profile import KnownProfiles, ProfileSource, refresh_profile
from worker.reason_kinds import OWN_FAULT, kind_of
from worker.streams import StreamSource, fetch_streams

log = structlog.get_logger(__name__)

_POLL_S = 2.0  # a person may be watching
_LOOK_S = 0.5  # at whether it is still wanted
_TOLD_EVERY = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(days=2)
_RETRY = timedelta(minutes=5)  # after a fault of Strava's or ours
_LONG_RETRY = timedelta(hours=1)  # with tokens that somebody has to mend
_NO_WAIT = {"waits_until": None, "waits_because": None, "waits_kind": None}
_OWN_FAULT = "The pipeline itself failed; the worker's log says how."


class HistorySource(BackfillSource, ProfileSource, StreamSource, Protocol):
    """All that a history asks Strava for: `strava.client.StravaClient`."""


ClientOf = Callable[[int, Lane], HistorySource]


class HistoryStore(BackfillStore, Backfills, Retention, StreamStore, KnownProfiles, Protocol):
    """The part of `raw` that loading a history needs."""


class HistoryClient:
    """Lists in the lane of reconciling, which is before that of the details: a history costs few calls to list."""

    def __init__(self, athlete_id: int, client_of: ClientOf) -> None:
        self.profile: ProfileSource = client_of(athlete_id, Lane.RECONCILE)
        self._listing = client_of(athlete_id, Lane.RECONCILE)
        self._details = client_of(athlete_id, Lane.DETAIL)
        self._streams = client_of(athlete_id, Lane.STREAMS)

    def activities(
        self, *, after: datetime | None = None, before: datetime | None = None
    ) -> AsyncIterator[ActivityPage]:
        """See `StravaClient.activities`."""
        return self._listing.activities(after=after, before=before)

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        """See `StravaClient.activity`."""
        return await self._details.activity(activity_id, tries=tries)

    async def streams(self, activity_id: int) -> dict[str, Any]:
        """See `StravaClient.streams`."""
        return await self._streams.streams(activity_id)


class Histories:
    """Finds in the warehouse what was asked for and is not finished, so that a restart forgets nothing.

    Each row says how far its backfill is and until when it waits; the rows of activities are stored before it. What
    could not be fetched rests, also beyond the end of a backfill, and is tried again; a new request tries it at once.
    Where that `spares_archived`, no detail is asked for of what the athlete's own export tells.
    """

    def __init__(  # noqa: PLR0913 - three collaborators, and by keyword what may be left as it is
        self,
        store: HistoryStore,
        client_of: ClientOf,
        budget: RateBudget,
        *,
        clock: Callable[[], datetime] = utc_now,
        poll_s: float = _POLL_S,
        look_s: float = _LOOK_S,
        spares_archived: bool = False,
    ) -> None:
        self._store = store
        self._client_of = client_of
        self._budget = budget
        self._clock = clock
        self._poll_s = poll_s
        self._look_s = look_s
        self._spares = spares_archived
        self._rests: dict[int, tuple[datetime, Rests]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Load what is asked for until `stop` is set. What is cut short then goes on at the next start."""
        await repeat_until_cut_short(self.load_due, stop, every_s=self._poll_s, name="history")

    async def load_due(self) -> None:
        """Bring each backfill as far as it goes now, the oldest request first. Raises WarehouseBusy."""
        await self._reload_expired()
        details_ahead, streams_ahead = 0, 0
        due = await self._unfinished()
        for place, asked in enumerate(due, 1):
            if not self._is_waiting(asked):
                ahead, rests = (details_ahead, streams_ahead), self._rests_of(asked)
                who, spares = (self._store, self._budget, self._clock), self._spares
                loading = _Loading(*who, asked, ahead, rests, look_s=self._look_s, spares_archived=spares)
                await loading.go_on(HistoryClient(asked.athlete_id, self._client_of))
            if all(self._is_waiting(each) for each in due[place:]):  # nobody whose time it would tell
                return
            details, streams = await lacking_calls(self._store, asked, spares_archived=self._spares)
            details_ahead, streams_ahead = details_ahead + details, streams_ahead + streams

    async def has_due(self) -> bool:
        """Whether `load_due` has something to load now, also what expired. Raises WarehouseBusy."""
        await self._reload_expired()
        return not all(self._is_waiting(each) for each in await self._unfinished())

    async def _reload_expired(self) -> None:
        if expired := await self._store.reload_expired():
            log.info("history.reloading", athlete_ids=expired, reason="payloads were removed for their age")

    async def _unfinished(self) -> list[Backfill]:
        """Return what is not loaded, or left something out, of athletes who are connected."""
        asked = [
            each for each in await self._store.backfills() if each.finished_at is None or each.retry_at is not None
        ]
        if not asked:
            return []
        connected = await connected_ids(self._store)
        return [each for each in asked if each.athlete_id in connected]

    def _is_waiting(self, asked: Backfill) -> bool:
        """Tell whether its time is still to come; a wait that a set clock made longer than any is none."""
        now, until = self._clock(), asked.waits_until if asked.finished_at is None else asked.retry_at
        return until is not None and now < until < now + _LONGEST_WAIT

    def _rests_of(self, asked: Backfill) -> Rests:
        """Return what failed since this backfill was asked for, or what it left out was asked for again."""
        requested_at, rests = self._rests.get(asked.athlete_id, (None, Rests(self._clock)))
        if requested_at != asked.requested_at or asked.started_at is None:
            rests = Rests(self._clock)
        self._rests[asked.athlete_id] = asked.requested_at, rests
        return rests


async def lacking_calls(store: HistoryStore, asked: Backfill, *, spares_archived: bool) -> tuple[int, int]:
    """Return how many details and how many streams a backfill has still to load of what is stored."""
    if not asked.has_details:
        return 0, 0
    summaries = await lacking_details(store, asked.athlete_id, asked.since, spares_archived=spares_archived)
    if not asked.has_streams:
        return len(summaries), 0
    known = await store.activity_ids(asked.athlete_id, since=asked.since)
    return len(summaries), len(known) - await store.stream_count(asked.athlete_id, since=asked.since)


async def load_what_is_left(
    store: HistoryStore, athlete_id: int, now: datetime, *, spares_archived: bool = False
) -> None:
    """Take the athlete's finished backfill up again where it left out details that it was to load.

    A daily check stores what it finds as summaries; their details wait where the budget has no call left for them.
    Raises WarehouseBusy.
    """
    for asked in await store.backfills():
        is_finished = asked.athlete_id == athlete_id and asked.finished_at is not None
        if is_finished and (await lacking_calls(store, asked, spares_archived=spares_archived))[0]:
            await store.note_backfill(asked.changed(now, retry_at=now))  # what it could not fetch is taken up too


class _Loading:
    """One backfill, as far as it goes without waiting."""

    def __init__(  # noqa: PLR0913, PLR0917 - three collaborators, what it goes on from, and its pace
        self,
        store: HistoryStore,
        budget: RateBudget,
        clock: Callable[[], datetime],
        asked: Backfill,
        ahead: tuple[int, int],
        rests: Rests,
        *,
        look_s: float,
        spares_archived: bool,
    ) -> None:
        self._store = store
        self._budget = budget
        self._look_s = look_s
        self._spares = spares_archived
        self._clock = clock
        self._row = asked
        self._details_ahead, self._streams_ahead = ahead
        self._rests = rests
        begins_again = asked.since is not None and asked.listed_at is None  # it has no cursor
        self._listed_before = 0 if begins_again else asked.listed_count
        self._progress = Progress()
        self._met = set[int]()

    async def go_on(self, client: HistoryClient) -> None:
        """Load, and tell now and then how far it is. Raises WarehouseBusy."""
        row = self._row
        if not await self._note(started_at=row.started_at or self._clock(), **_NO_WAIT):
            return
        loading = asyncio.create_task(self._load(client, row))
        try:
            if await self._tell_until_done(loading):
                await loading
                ended = {"finished_at": row.finished_at or self._clock(), "expected_at": None}
                await self._note(**{**await self._how_far(), **await self._left_out(), **await self._came(), **ended})
                self._log_end()
        except WarehouseBusy:
            raise
        except (StravaError, TokensUnavailable) as error:
            await self._note(**await self._how_far(), **{**await self._left_out(), **self._wait(error)})
            log.info("history.waiting", athlete_id=row.athlete_id, reason=str(error))
        except Exception:  # a fault in one history must not hold up those of others
            log.exception("history.fault", athlete_id=row.athlete_id)
            await self._note(**{**await self._left_out(), **self._wait_for(_RETRY, _OWN_FAULT, OWN_FAULT)})
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)

    async def _load(self, client: HistoryClient, asked: Backfill) -> None:
        """Load the list, the settings, the totals and the gear that it names, the details, and the streams last."""
        whose = (client, self._store, asked.athlete_id)
        spares = self._spares
        load = partial(
            backfill, *whose, since=asked.since, spares_archived=spares, rests=self._rests, clock=self._clock
        )
        if asked.listed_at is None:
            await load(with_details=False, on_progress=self._on_progress)
            await refresh_profile(client.profile, self._store, asked.athlete_id, clock=self._clock)
        if asked.has_details:
            self._met = set(await self._summaries())
            await load(with_list=False)
        if asked.has_streams:
            await fetch_streams(client, self._store, await self._due_streams(), self._rests, clock=self._clock)

    async def _due_streams(self) -> list[DueStreams]:
        row, all_of_it = self._row, [StreamRule(athlete_id=self._row.athlete_id)]
        return await self._store.due_streams(row.athlete_id, all_of_it, since=row.since, created_before=row.finished_at)

    async def _left_out(self) -> dict[str, object]:
        """Count what could not be fetched and is still wanted, and tell when the first of it is tried again."""
        row, lacking = self._row, list[int]()
        if row.has_details and not self._rests.is_empty:
            lacking += await self._summaries()
            lacking += [each.activity_id for each in await self._due_streams()] if row.has_streams else []
        ends = self._rests.ends(lacking)
        return {"failed_count": len(ends), "retry_at": max(ends[0], self._clock()) if ends else None}

    async def _came(self) -> dict[str, object]:
        """Have it go on at once where a daily check left more to load while this round was under way."""
        is_more = self._row.has_details and not self._met.issuperset(await self._summaries())
        return {"retry_at": self._clock()} if is_more else {}

    async def _summaries(self) -> list[int]:
        row = self._row
        return await lacking_details(self._store, row.athlete_id, row.since, spares_archived=self._spares)

    def _log_end(self) -> None:
        row = self._row
        facts = {"athlete_id": row.athlete_id, "listed": row.listed_count}
        if not row.failed_count:
            log.info("history.loaded", **facts)
        else:
            retry_at = row.retry_at and utc_text(row.retry_at)
            log.warning("history.loaded", **facts, failed=row.failed_count, retry_at=retry_at)

    async def _tell_until_done(self, loading: asyncio.Task[None]) -> bool:
        """Return whether it is still wanted: another may be asked for, or the athlete purged."""
        told, told_at = self._said(), self._clock()
        while not loading.done():
            await asyncio.wait({loading}, timeout=self._look_s)
            if not await self._stands():
                return False
            if self._said() != told or self._clock() - told_at >= _TOLD_EVERY:
                told, told_at = self._said(), self._clock()
                if not await self._note(**await self._how_far()):
                    return False
        return True

    async def _stands(self) -> bool:
        """Whether its row is there: a purge removes it, another request takes its place or has it begin again."""
        row = self._row
        asked = {(each.athlete_id, each.requested_at, each.started_at) for each in await self._store.backfills()}
        return (row.athlete_id, row.requested_at, row.started_at) in asked

    def _said(self) -> tuple[int, bool]:
        """What is told at once; how many details there are is told by the activities."""
        return self._progress.listed, self._progress.is_listed

    def _on_progress(self, progress: Progress) -> None:
        self._progress = progress

    async def _how_far(self) -> dict[str, object]:
        now = self._clock()
        if not self._progress.is_listed and self._row.listed_at is None:
            return {"listed_count": self._listed_before + self._progress.listed}
        expected = await self._expected_at() if self._row.has_details and self._row.finished_at is None else None
        return {
            "listed_count": self._listed_before + self._progress.listed,
            "listed_at": self._row.listed_at or now,
            "expected_at": expected,
        }

    async def _expected_at(self) -> datetime | None:
        details, streams = await lacking_calls(self._store, self._row, spares_archived=self._spares)
        details += self._details_ahead
        if not self._row.has_streams:
            return await self._budget.allows_by(Lane.DETAIL, details)
        return await self._budget.allows_by(Lane.STREAMS, self._streams_ahead + streams, first=[(Lane.DETAIL, details)])

    def _wait(self, error: StravaError | TokensUnavailable) -> dict[str, object]:
        wait, because = _RETRY, str(error)
        if isinstance(error, RateLimited | AppInactive | AppRejected):
            wait = timedelta(seconds=error.retry_after)
        elif isinstance(error, TokenRejected):  # connecting again asks for a new one
            wait = _LONG_RETRY
        if isinstance(error, RateLimited):
            because = error.reason
        return self._wait_for(wait, because, kind_of(error))

    def _wait_for(self, wait: timedelta, because: str, kind: str) -> dict[str, object]:
        """Have it go on after the wait; one that is finished waits for nothing but to try again."""
        row, until = self._row, self._clock() + wait
        if row.finished_at is not None:
            return {"failed_count": row.failed_count, "retry_at": until}
        return {"waits_until": until, "waits_because": because, "waits_kind": kind}

    async def _note(self, **changes: object) -> bool:
        self._row = self._row.changed(self._clock(), **changes)
        return await self._store.note_backfill(self._row)
