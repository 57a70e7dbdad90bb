"""Activities and their ledger rows in BigQuery: what waits together is written by one merge of each.

BigQuery has no unique keys, and two merges that only add rows do not stand in each other's way, nor in a purge's. So
after rows were added the next statement proves that each is the only one of its activity, and that the fence still is
as it was; else what should not be there is removed.
https://cloud.google.com/bigquery/docs/data-manipulation-language#dml_statement_conflicts
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import TypeVar

from backends.warehouse import WarehouseBusy, activity_changes, rows
from backends.warehouse.activities import Applied, Decision, Observation, StoredActivity
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.changes import Work
from backends.warehouse.bigquery.client import BigQuery, Stale
from backends.warehouse.bigquery.database import LARGEST_REQUEST, BigQueryDatabase
from backends.warehouse.bigquery.parameters import Parameter, array, int64s, scalar, timestamps
from backends.warehouse.bigquery.read_cache import MOST_BYTES, ReadCache
from backends.warehouse.bigquery.statements import ROW_BYTES, SQL, within
from backends.warehouse.event_basis import EventBasis
from backends.warehouse.fence import Fence
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery
from backends.warehouse.recording import let_in
from backends.warehouse.runs import last_stamp_statement
from backends.warehouse.schema import STRAVA_ACTIVITIES
from runtime.batching import Batcher
from runtime.clock import utc_now

T = TypeVar("T")

_LARGEST_PART = 32_000_000  # bytes of rows that are written, and kept in memory, together
_OF_VERSION = [each.name for each in fields(StoredActivity)]


class Activities(BigQueryDatabase):
    """Implements `ActivityStore`, `EventBases` and the writing part of `EventLedger`."""

    def __init__(
        self,
        bigquery: BigQuery,
        *,
        clock: Callable[[], datetime] = utc_now,
        largest_request: int = LARGEST_REQUEST,
        most_kept: int = MOST_BYTES,
        archive_follows: bool = True,
    ) -> None:
        super().__init__(bigquery, clock=clock, largest_request=largest_request, archive_follows=archive_follows)
        self._write: Batcher[Work, list[Decision]] = Batcher(self._commit_all, shared=WarehouseBusy)
        self._lately = ReadCache(most_kept)

    async def close(self) -> None:
        """Finish what is in flight and release the connections."""
        await self._write.finish()
        await self._bigquery.close()

    async def apply(self, observations: Sequence[Observation]) -> list[Applied]:
        """Fold the observations in; one answer each, in order."""
        parts = _divided(observations, lambda each: _size([each]))
        decisions = [decision for part in parts for decision in await self._write(part)]
        return [decision.applied for decision in decisions]

    async def record(self, batch: Sequence[LedgerEntry | ObservedDelivery]) -> None:
        """Store observations and their ledger rows, each part of some megabytes on its own."""
        for part in _divided(batch, lambda each: _size([each])):
            await self._write(part)

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        """Return what is stored of the activities, tombstones included."""
        stored = await self._read_versions(activity_ids)
        self._lately.add(activity_ids, stored, {})
        return stored

    async def event_basis(self, activity_ids: Collection[int]) -> EventBasis:
        """Return every athlete and what is stored of the activities, by one statement.

        It brings the payloads too that an edit would replace, so that the edit need not ask for them.
        """
        ids = array("activity_ids", "int64", sorted(set(activity_ids)))
        room = scalar("room", "int64", self._lately.room())
        texts = {"athletes": SQL["athletes"], "ids": within(activity_ids)}
        found = await self._read("event_basis", ids, room, **texts)
        athletes = self._athletes_of([row for row in found if row["activity_id"] is None])
        known = [row for row in found if row["activity_id"] is not None]
        versions = [rows.stored_activity({name: row[name] for name in _OF_VERSION}) for row in known]
        stored = {each.activity_id: each for each in versions}
        if len(stored) < len(known):
            return EventBasis(athletes, await self.stored(activity_ids))  # which mends it
        payloads = {row["activity_id"]: row["payload"] for row in known if row["payload"] is not None}
        self._lately.add(activity_ids, stored, payloads)
        return EventBasis(athletes, stored)

    async def counts(self, athlete_id: int) -> Mapping[int, int]:
        """Return how many living activities are stored, by `resource_state`."""
        found = await self._read("counts", scalar("athlete_id", "int64", athlete_id))
        return {row["resource_state"]: row["activities"] for row in found}

    async def activity_ids(
        self, athlete_id: int, *, resource_state: int | None = None, since: datetime | None = None
    ) -> list[int]:
        """Return the ids of living activities, newest start first."""
        found = await self._read(
            "activity_ids",
            *int64s(athlete_id=athlete_id, resource_state=resource_state),
            *timestamps(since=since),
        )
        return [row["activity_id"] for row in found]

    async def payloads(self, activity_ids: Collection[int]) -> Mapping[int, str]:
        """Return what is stored of the living ones among these, as BigQuery writes its JSON."""
        return await self._read_payloads(activity_ids)

    async def least_recently_observed(
        self, athlete_id: int, *, observed_before: datetime, first_since: datetime, how_many: int
    ) -> list[int]:
        """Return living details that were last observed before a moment."""
        found = await self._read(
            "least_recently_observed",
            *int64s(athlete_id=athlete_id, how_many=how_many),
            *timestamps(observed_before=observed_before, first_since=first_since),
        )
        return [row["activity_id"] for row in found]

    async def _commit_all(self, works: Sequence[Work]) -> Sequence[list[Decision]]:
        return [answer for part in _divided(works, _size) for answer in await self._commit(part)]

    async def _commit(self, works: Sequence[Work]) -> Sequence[list[Decision]]:
        """Write what callers that wait together bring, as if one came after the other."""
        observations = [seen for work in works for seen in changes.observations_of(work)]
        athlete_ids = changes.athletes_of(works)
        settled = await self._fenced(athlete_ids, partial(self._settle, works, observations))
        has_entries = any(not isinstance(each, Observation) for work in works for each in work)
        if settled.gone or settled.added or settled.told or has_entries:
            tell = partial(self._tell, works, observations, settled)
            await self._fenced(athlete_ids, tell, is_fence_new=True)
        answers = iter(settled.decisions)
        return [[next(answers) for _ in changes.observations_of(work)] for work in works]

    async def _settle(
        self, works: Sequence[Work], observations: Sequence[Observation], fence: Fence, guard: Sequence[Parameter]
    ) -> changes.Settled:
        """Put what the rule makes of the observations."""
        taken = let_in(observations, fence)
        stored, kept = await self._versions_of(each.activity_id for each in taken)
        payloads = await self._payloads_of(changes.compared(taken, stored), kept)
        outcomes = changes.decide(observations, stored, payloads, fence=fence, now=self._clock())
        changes.entries_of(works, outcomes.decisions, fence)  # what cannot be told is not stored either
        before = await self._payloads_of(activity_changes.edited(outcomes.changes, stored), kept)
        told = activity_changes.change_rows(outcomes.changes, stored, before)
        if statement := changes.put_activities(outcomes, stored, guard):
            await self._run(statement)
        added = sorted(outcomes.changes.winners.keys() - stored.keys())
        return changes.Settled(outcomes.decisions, outcomes.changes.rows, list(outcomes.gone_at), added, told)

    async def _tell(
        self,
        works: Sequence[Work],
        observations: Sequence[Observation],
        settled: changes.Settled,
        fence: Fence,
        guard: Sequence[Parameter],
    ) -> None:
        """Remove the streams of what is deleted, tell what changed, add the ledger rows, and prove that it may stay."""
        await self._remove_held_back(observations, settled, fence)
        held_back = changes.held_back_ids(observations, fence)
        told = [row for row in settled.told if row["activity_id"] not in held_back]
        unproved = changes.Unproved(settled.added, {row["activity_id"] for row in told})
        entries = changes.entries_of(works, settled.decisions, fence)
        gone = await self._gone(settled, entries)
        try:
            if gone:
                await self._run(changes.drop_deleted(gone, archive_follows=self._archive_follows))
            if told:
                await self._run(changes.put_changes(told, guard))
            if gone or entries:
                await self._run(changes.put_events(entries, gone, len(observations), guard, unproved))
            if (settled.added or told) and not entries:
                await self._run(changes.prove(unproved, guard))
        except Stale:
            await self._keep_one_of(STRAVA_ACTIVITIES, settled.added)
            if told:
                await self._run(changes.drop_changes(unproved.told))
            raise

    async def _gone(self, settled: changes.Settled, entries: Sequence[LedgerEntry]) -> list[int]:
        """Return what is deleted now, and what was before by an event that comes again: a kill left the rest undone.

        A tombstone that was read lately tells it; a row that lived then may be a tombstone by now.
        """
        told = changes.told_deleted(entries)
        lately = self._lately.take(told - settled.after.keys()).rows
        tombstones = {each: row for each, row in lately.items() if row is not None and row.is_deleted}
        known = {**settled.after, **tombstones}
        known |= await self._read_versions(told - known.keys())
        return sorted({*settled.gone, *(each for each in told & known.keys() if known[each].is_deleted)})

    async def _remove_held_back(
        self, observations: Sequence[Observation], settled: changes.Settled, fence: Fence
    ) -> None:
        """Remove what was stored of an athlete just while a purge came, and what the activities were before.

        The latter also where nothing is stored this time: a kill may have come between the two.
        """
        if seen := changes.held_back_since(observations, settled, fence):
            ids = [each.activity_id for each in seen]
            which = array("activity_ids", "int64", ids)
            until = scalar("observed_until", "timestamp", max(each.observed_at for each in seen))
            if await self._change("remove_held_back", which, until, ids=within(ids)):
                await self._move_receipts_on({each.athlete_id for each in seen})
        if held_back := changes.held_back_ids(observations, fence):
            await self._run(changes.drop_changes(held_back))

    async def _move_receipts_on(self, athlete_ids: Collection[int]) -> None:
        """Date the last purge of these athletes once more: marts built until now may hold what went just now."""
        purged_at = (await self._read_fence()).purged_at
        found = [await self._checked(partial(self._receipts.of, each, purged_at)) for each in athlete_ids]
        hashes = array("hashes", "string", [max(marks, key=purged_at.__getitem__) for marks in found if marks])
        now = scalar("purged_at", "timestamp", self._clock())
        await self._change("move_receipts_on", hashes, now, last_stamp=last_stamp_statement())

    async def _versions_of(self, activity_ids: Iterable[int]) -> tuple[dict[int, StoredActivity], dict[int, str]]:
        """Return rows as they were read lately, with payloads that came with them, or else as they are now."""
        wanted = set(activity_ids)
        lately = self._lately.take(wanted)
        read = await self._read_versions(wanted - lately.rows.keys())
        return {each: row for each, row in lately.rows.items() if row is not None} | read, lately.payloads

    async def _read_versions(self, activity_ids: Collection[int]) -> dict[int, StoredActivity]:
        if not activity_ids:
            return {}
        ids = array("activity_ids", "int64", sorted(set(activity_ids)))
        found = await self._read("activity_versions", ids, ids=within(activity_ids))
        versions = {row.activity_id: row for row in map(rows.stored_activity, found)}
        if len(versions) == len(found):
            return versions
        # Left by a program that ended before it had proved what it added.
        await self._keep_one_of(STRAVA_ACTIVITIES, activity_ids)
        return await self._read_versions(activity_ids)

    async def _payloads_of(self, activity_ids: Sequence[int], kept: Mapping[int, str]) -> dict[int, str]:
        """Return the stored payloads of living activities, those that are kept without asking."""
        known = {each: kept[each] for each in activity_ids if each in kept}
        return known | await self._read_payloads([each for each in activity_ids if each not in known])

    async def _read_payloads(self, activity_ids: Collection[int]) -> dict[int, str]:
        if not activity_ids:
            return {}
        ids = array("activity_ids", "int64", activity_ids)
        found = await self._read("living_payloads", ids, ids=within(activity_ids))
        return {row["activity_id"]: row["payload"] for row in found}

    def _forget(self) -> None:
        super()._forget()
        self._lately.clear()


def _size(work: Work) -> int:
    payloads = [seen.activity.text for seen in changes.observations_of(work) if seen.activity]
    messages = [each.message or "" for each in work if isinstance(each, LedgerEntry)]
    return ROW_BYTES * len(work) + sum(len(text.encode()) for text in payloads + messages)


def _divided(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Divide the items, so that no more is kept in memory than must be."""
    part: list[T] = []
    size = 0
    for each in items:
        if part and size + size_of(each) > _LARGEST_PART:
            yield part
            part, size = [], 0
        part.append(each)
        size += size_of(each)
    if part:
        yield part
