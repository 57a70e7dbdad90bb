"""Compares Strava's whole list with what is stored, row by row, repairs what differs, and tells the verdict.

An activity may be saved, edited or deleted while the list is read, which also shifts its pages. So a row that came or
changed since the listing began is never called missing or extra, a listing that saw a deletion is read once more, and
what is not listed is asked for on its own before it becomes a tombstone. Each repair goes through the
last-write-wins rule, and the verdict is written last: a run that was killed leaves nothing to undo.
"""

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import uuid4

import structlog

from backends.tokens import TokensUnavailable
from backends.warehouse.activities import ActivityStore, Applied, Observation, Source, StoredActivity, StoredPayloads
from backends.warehouse.reconciliations import Reconciliation, Reconciliations, Verdict
from runtime.clock import utc_now
from strava.errors import OF_ONE_THING, NotFound, StravaError, UnreadableAnswer
from strava.payload import DETAILED, SUMMARY, ActivityPage, ActivityPayload, is_edited
from worker.activities import ActivitySource, apply_all
from worker.event_ordering import observed_after
from worker.findings import Findings, Progress, ReconcilePolicy, is_guarded, judged, reason
from worker.reason_kinds import kind_of
from worker.repairs import Repairs

_MOST_LISTINGS = 3
_LOOK_AFTER = timedelta(hours=20)  # less than the day between two runs, more than a rerun waits
_LOOKED_AT_FIRST = timedelta(days=14)
_PROOFS = 2  # so that not one activity, which may be another that always fails, decides alone
_SPARE = 20  # looks that others may take the place of, so that none that always fail hold them all

log = structlog.get_logger(__name__)


class ReconcileSource(ActivitySource, Protocol):
    """Where an athlete's activities are listed and shown: `strava.client.StravaClient`."""

    def activities(self) -> AsyncIterator[ActivityPage]:
        """Yield pages of summaries until Strava has no more. Raises StravaError."""


class ReconcileStore(ActivityStore, StoredPayloads, Reconciliations, Protocol):
    """The part of `raw` that a reconcile needs."""


async def reconcile(  # noqa: PLR0913 - four collaborators, and by keyword what may be left as it is
    listing: ReconcileSource,
    details: ActivitySource,
    store: ReconcileStore,
    athlete_id: int,
    *,
    policy: ReconcilePolicy | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    clock: Callable[[], datetime] = utc_now,
) -> Reconciliation:
    """Compare, repair what the rate budget allows now, store the verdict and return it.

    `listing` asks in the reconcile lane, `details` in that of details. What Strava refuses is told in the verdict.
    Raises WarehouseBusy.
    """
    run = _Reconcile(listing, details, store, athlete_id, policy or ReconcilePolicy(), on_progress, clock)
    return await run.verdict()


class _Reconcile:
    def __init__(  # noqa: PLR0913, PLR0917 - as `reconcile`
        self,
        listing: ReconcileSource,
        details: ActivitySource,
        store: ReconcileStore,
        athlete_id: int,
        policy: ReconcilePolicy,
        on_progress: Callable[[Progress], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._listing = listing
        self._details = details
        self._store = store
        self._athlete_id = athlete_id
        self._policy = policy
        self._on_progress = on_progress
        self._clock = clock
        self._began_at = clock()
        self._before: Mapping[int, StoredActivity] = {}
        self._archived: AbstractSet[int] = frozenset()
        self._found = Findings()
        self._repairs = Repairs(self._found, self._prove, on_progress)

    async def verdict(self) -> Reconciliation:
        """List, compare, repair and conclude."""
        living = await self._store.activity_ids(self._athlete_id)
        self._before = await self._store.stored(living)
        self._archived = await self._store.archived_ids(self._athlete_id)
        try:
            await self._list_until_steady()
        except (StravaError, TokensUnavailable) as error:
            self._found.stopped = error
            return await self._conclude(Verdict.CUT_SHORT, len(self._before))
        await self._find_extra()
        await self._repair()
        held = await self._held()
        return await self._conclude(judged(self._found, held), held)

    # -- listing ------------------------------------------------------------------------------------------------------

    async def _list_until_steady(self) -> None:
        """Read the list, and once more after a deletion on the way: an activity may have slipped between two pages."""
        deleted: set[int] = set()
        for _ in range(_MOST_LISTINGS):
            await self._list_all()
            deleted_by_now = await self._deleted_meanwhile()
            if deleted_by_now == deleted:
                return
            deleted = deleted_by_now
        self._found.is_shifting = True

    async def _list_all(self) -> None:
        self._found.unreadable = 0
        pages = aiter(self._listing.activities())
        while True:
            asked_at = self._clock()
            page = await anext(pages, None)
            if page is None:
                return
            await self._take(page, asked_at)
            self._on_progress(Progress("listed", len(self._found.listed)))

    async def _take(self, page: ActivityPage, asked_at: datetime) -> None:
        """Store what a page shows, and note what was missing or is outdated.

        What the athlete's own export tells of is there: it is not missing, and what only got too old stays so.
        """
        found, rows = self._found, await self._store.stored([each.activity_id for each in page.activities])
        own = [each for each in page.activities if self._is_own(each, rows.get(each.activity_id))]
        found.unreadable += page.unreadable + len(page.activities) - len(own)
        dead = {each.activity_id for each in own if (row := rows.get(each.activity_id)) and row.is_deleted}
        kept = {key for key in dead & self._archived if rows[key].source == Source.RETENTION}
        buried = dead - kept - found.listed - self._before.keys()  # the others were deleted since the listing began
        found.buried |= buried
        found.missing |= buried
        found.listed |= {each.activity_id for each in own}

        alive = [each for each in own if each.activity_id not in dead]
        summaries = [key for key, row in rows.items() if not row.is_deleted and row.resource_state == SUMMARY]
        stored = await self._store.payloads(summaries)
        applied = await apply_all(self._store, self._athlete_id, [self._seen(each, asked_at) for each in alive])
        for each, end in zip(alive, applied, strict=True):
            key = each.activity_id
            if end is Applied.NEEDS_DETAIL:
                found.changed.add(key)
            elif end is Applied.STORED and key not in rows.keys() | self._archived:
                found.missing.add(key)
                found.repaired.add(key)
            elif end is Applied.STORED and _is_edited(stored.get(key), each):
                found.changed.add(key)
                found.repaired.add(key)

    async def _deleted_meanwhile(self) -> set[int]:
        known = (self._before.keys() | self._found.listed) - self._found.buried
        rows = (await self._store.stored(known)).items()
        return {key for key, row in rows if row.is_deleted and row.source != Source.RETENTION}

    async def _find_extra(self) -> None:
        """Note what is stored and not listed; nothing where an item could not be read, for it may be any of them."""
        found = self._found
        if found.unreadable or found.is_shifting:
            return
        now = await self._store.stored(self._before.keys() - found.listed)
        found.extra = {key for key, row in now.items() if row == self._before[key]}
        found.is_guarded = is_guarded(found, len(self._before), self._policy)

    # -- repairs ------------------------------------------------------------------------------------------------------

    async def _repair(self) -> None:
        """Repair what the budget allows, the most urgent first; who is refused stops all that is less urgent."""
        found = self._found
        if not found.is_guarded:
            await self._repairs.each("unlisted", found.extra, self._listing, self._bury_if_gone)
        await self._repairs.each("reappeared", found.buried & found.missing, self._listing, self._dig_up)
        await self._repairs.each("changed", found.changed - found.repaired, self._details, self._renew)
        await self._repairs.each("missing", found.missing - found.buried, self._details, self._complete)
        await self._look_again()

    async def _look_again(self) -> None:
        """Look at what was not seen for longest; for each that fails at another, chosen by chance."""
        how_many = self._policy.looks
        due = await self._store.least_recently_observed(
            self._athlete_id,
            observed_before=self._began_at - _LOOK_AFTER,
            first_since=self._began_at - _LOOKED_AT_FIRST,
            how_many=how_many * _SPARE,
        )
        looks, spare = due[:how_many], due[how_many:]
        await self._repairs.each("looked at again", looks, self._details, self._look)
        failed = len(self._repairs.failed.intersection(looks))
        others = random.sample(spare, min(failed, len(spare)))
        await self._repairs.each("looked at again", others, self._details, self._look)

    async def _prove(self, source: ActivitySource) -> None:
        """Return where Strava shows one of two others, chosen by chance, or the list where there are not two.

        Those come first whose details are stored and that need no repair. Raises StravaError.
        """
        shown = {key for key, row in self._before.items() if row.resource_state == DETAILED} - self._found.left
        others = sorted(self._found.listed - self._found.buried - self._repairs.failed)
        random.shuffle(others)
        others.sort(key=shown.__contains__, reverse=True)
        failure: StravaError | None = None
        for activity_id in others[:_PROOFS]:
            try:
                await self._look(source, activity_id)
            except OF_ONE_THING as error:
                self._repairs.failed.add(activity_id)
                failure = error
            else:
                return
        if failure is not None and len(others) >= _PROOFS:
            raise failure
        await anext(self._listing.activities(), None)

    async def _bury_if_gone(self, source: ActivitySource, activity_id: int) -> None:
        found, asked_at = self._found, self._clock()
        shown = await self._fetch(source, activity_id)
        if shown is not None:  # an edit, or a deletion before it, moved it past the page that was being read
            found.extra.discard(activity_id)
            found.listed.add(activity_id)
            self._note_edit(activity_id, shown)
            return
        gone = Observation(
            activity_id=activity_id,
            athlete_id=self._athlete_id,
            observed_at=observed_after(self._before[activity_id], asked_at),
            source=Source.RECONCILE,
        )
        [applied] = await apply_all(self._store, self._athlete_id, [gone])
        if applied is Applied.DELETED:
            found.repaired.add(activity_id)
        else:  # an event has brought something newer meanwhile
            found.extra.discard(activity_id)

    async def _dig_up(self, source: ActivitySource, activity_id: int) -> None:
        """Lift a tombstone on the activity's own word: a list may show for a while what was deleted just now."""
        shown = await self._fetch(source, activity_id)
        if shown is None:
            self._found.missing.discard(activity_id)
            self._found.listed.discard(activity_id)
        elif shown.applied is Applied.STORED:
            self._found.repaired.add(activity_id)
        else:
            self._found.missing.discard(activity_id)

    async def _renew(self, source: ActivitySource, activity_id: int) -> None:
        shown = await self._fetch(source, activity_id)
        if shown is not None and shown.applied is Applied.STORED:
            self._found.repaired.add(activity_id)
        elif shown is not None:  # the detail is as it is stored, or something newer is
            self._found.changed.discard(activity_id)

    async def _complete(self, source: ActivitySource, activity_id: int) -> None:
        """Fetch the detail of what was missing; where that does not succeed the backfill does it later."""
        await self._fetch(source, activity_id)

    async def _look(self, source: ActivitySource, activity_id: int) -> None:
        shown = await self._fetch(source, activity_id, tries=1)
        if shown is not None:
            self._note_edit(activity_id, shown)

    def _note_edit(self, activity_id: int, shown: "_Shown") -> None:
        if shown.applied is Applied.STORED and shown.is_edited:
            self._found.changed.add(activity_id)
            self._found.repaired.add(activity_id)

    async def _fetch(self, source: ActivitySource, activity_id: int, tries: int | None = None) -> "_Shown | None":
        """Ask for the activity and store what Strava shows; None where that is nothing."""
        row = (await self._store.stored([activity_id])).get(activity_id)
        payload = (await self._store.payloads([activity_id])).get(activity_id)
        asked_at = self._clock()
        try:
            shown = await source.activity(activity_id, tries=tries)
        except NotFound:
            return None
        if not self._is_own(shown, row):
            raise UnreadableAnswer(f"activities/{activity_id}", "it is about another athlete's activity")
        seen = self._seen(shown, observed_after(row, asked_at))
        [applied] = await apply_all(self._store, self._athlete_id, [seen])
        return _Shown(applied, _is_edited(payload, shown))

    # -- verdict ------------------------------------------------------------------------------------------------------

    async def _held(self) -> int:
        """Count what is stored of the list as it was read, without what came and went since, and what is extra."""
        found, rows = self._found, await self._store.stored(self._found.listed)
        absent = found.missing - found.repaired
        held = [key for key, row in rows.items() if not (row.is_deleted and key in absent)]
        return len(held) + len(found.extra - found.repaired)

    async def _conclude(self, verdict: Verdict, warehouse_count: int) -> Reconciliation:
        found, finished_at = self._found, self._clock()
        wait_s = getattr(found.stopped, "retry_after", None) if verdict is not Verdict.COMPLETE else None
        row = Reconciliation(
            reconciliation_id=uuid4().hex,
            athlete_id=self._athlete_id,
            strava_count=len(found.listed) + found.unreadable,
            warehouse_count=warehouse_count,
            missing=len(found.missing),
            extra=len(found.extra),
            changed=len(found.changed),
            repaired=len(found.repaired),
            unreadable=found.unreadable,
            verdict=verdict,
            reason=reason(verdict, found, len(self._before)),
            stopped_kind=None if found.stopped is None else kind_of(found.stopped),
            retry_at=None if wait_s is None else finished_at + timedelta(seconds=wait_s),
            started_at=self._began_at,
            finished_at=finished_at,
        )
        await self._store.put_reconciliation(row)
        return row

    def _is_own(self, activity: ActivityPayload, row: StoredActivity | None) -> bool:
        return activity.athlete_id == self._athlete_id and (row is None or row.athlete_id == self._athlete_id)

    def _seen(self, activity: ActivityPayload, observed_at: datetime) -> Observation:
        return Observation(
            activity_id=activity.activity_id,
            athlete_id=self._athlete_id,
            observed_at=observed_after(self._before.get(activity.activity_id), observed_at),
            source=Source.RECONCILE,
            activity=activity,
        )


class _Shown(NamedTuple):
    """What became of an answer, and whether it differs in what an athlete edits from what was stored."""

    applied: Applied
    is_edited: bool


def _is_edited(stored: str | None, shown: ActivityPayload) -> bool:
    return stored is not None and is_edited(stored=json.loads(stored), shown=json.loads(shown.text))
