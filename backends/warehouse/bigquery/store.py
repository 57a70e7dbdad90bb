"""`raw` in BigQuery: what waits together is written by one merge of activities and one of ledger rows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from backends.warehouse import WarehouseBusy, rows
from backends.warehouse.activities import Applied, Decision, Observation, StoredActivity
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.changes import Work
from backends.warehouse.bigquery.client import BigQuery
from backends.warehouse.bigquery.invites import Invites
from backends.warehouse.bigquery.parameters import Parameter, array, scalar
from backends.warehouse.bigquery.recordings import Recordings
from backends.warehouse.bigquery.retention import Retention
from backends.warehouse.bigquery.statements import within
from backends.warehouse.bigquery.watermark import Watermark
from backends.warehouse.fence import Fence
from backends.warehouse.last_write_wins import CLOCK_SKEW
from backends.warehouse.ledger import DueLook, LedgerEntry, LedgerFilter, ObservedDelivery
from backends.warehouse.recording import let_in
from backends.warehouse.schema import STRAVA_EVENTS
from runtime.batching import Batcher
from runtime.clock import utc_now

T = TypeVar("T")

_LARGEST_BYTES = 6_000_000  # of payloads in one statement: a request may have 10 MB, in which quotes are escaped
_MOST_REMEMBERED = 10_000
_MICROSECOND = timedelta(microseconds=1)


class BigQueryRawStore(Retention, Recordings, Watermark, Invites):
    """Implements `RawStore`."""

    def __init__(self, bigquery: BigQuery, *, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(bigquery, clock=clock)
        self._write: Batcher[Work, list[Decision]] = Batcher(self._commit_all, shared=WarehouseBusy)
        # Rows as they were read lately, None where there was none: an event's is read just before it is written.
        self._versions: dict[int, StoredActivity | None] = {}

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
        """Store observations and their ledger rows, each part of a few megabytes on its own."""
        for part in _divided(batch, lambda each: _size([each])):
            await self._write(part)

    async def dismiss(self, entry: LedgerEntry) -> None:
        """Add a row that settles its event, and forget what its message held."""
        await self.record([entry])
        await self._change("dismiss_message", scalar("event_id", "string", entry.event_id))

    async def prune_events(self, before: datetime) -> int:
        """Remove the rows of events that were settled before a moment."""
        return await self._change("prune_events", scalar("settled_before", "timestamp", before))

    async def stored(self, activity_ids: Collection[int]) -> Mapping[int, StoredActivity]:
        """Return what is stored of the activities, tombstones included."""
        stored = await self._read_versions(activity_ids)
        if len(self._versions) > _MOST_REMEMBERED:
            self._versions.clear()
        self._versions |= {each: stored.get(each) for each in activity_ids}
        return stored

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
            scalar("athlete_id", "int64", athlete_id),
            scalar("resource_state", "int64", resource_state),
            scalar("since", "timestamp", since),
        )
        return [row["activity_id"] for row in found]

    async def payloads(self, activity_ids: Collection[int]) -> Mapping[int, str]:
        """Return what is stored of the living ones among these, as BigQuery writes its JSON."""
        return await self._read_payloads("living_payloads", activity_ids)

    async def least_recently_observed(
        self, athlete_id: int, *, observed_before: datetime, first_since: datetime, how_many: int
    ) -> list[int]:
        """Return living details that were last observed before a moment."""
        found = await self._read(
            "least_recently_observed",
            scalar("athlete_id", "int64", athlete_id),
            scalar("observed_before", "timestamp", observed_before),
            scalar("first_since", "timestamp", first_since),
            scalar("how_many", "int64", how_many),
        )
        return [row["activity_id"] for row in found]

    async def recent(self, wanted: LedgerFilter, *, limit: int) -> list[LedgerEntry]:
        """Return the rows that were written last, newest first."""
        kinds = STRAVA_EVENTS.types | {"activity_id": "int64", "since": "timestamp", "until": "timestamp"}
        named = [scalar(name, kinds.get(name, "bool"), value) for name, value in rows.filter_row(wanted).items()]
        found = await self._read("recent_events", *named, scalar("how_many", "int64", limit))
        return [rows.ledger_entry(row) for row in found]

    async def parked_events(self, athlete_id: int) -> list[LedgerEntry]:
        """Return the newest rows of the athlete's parked events, oldest first."""
        found = await self._read("parked_events", scalar("athlete_id", "int64", athlete_id))
        return [rows.ledger_entry(row) for row in found]

    async def deferred_events(
        self, *, due_by: datetime | None, how_many: int, of_athletes: bool = False
    ) -> list[LedgerEntry]:
        """Return the newest rows of events that are off the queue and wait, due first."""
        found = await self._read(
            "deferred_events",
            scalar("due_by", "timestamp", due_by),
            scalar("future", "timestamp", due_by and due_by + CLOCK_SKEW),
            scalar("of_athletes", "bool", of_athletes),
            scalar("how_many", "int64", how_many),
        )
        return [rows.ledger_entry(row) for row in found]

    async def due_looks(self, *, due_after: timedelta, within: timedelta, how_many: int) -> list[DueLook]:
        """Return activities whose create arrived longer ago than `due_after`, and that were not asked for since."""
        now = self._clock()
        found = await self._read(
            "due_looks",
            scalar("since", "timestamp", now - within),
            scalar("received_by", "timestamp", now - due_after),
            scalar("due_after_us", "int64", due_after // _MICROSECOND),
            scalar("how_many", "int64", how_many),
        )
        return [rows.due_look(row) for row in found]

    async def _commit_all(self, works: Sequence[Work]) -> Sequence[list[Decision]]:
        return [answer for part in _divided(works, _size) for answer in await self._commit(part)]

    async def _commit(self, works: Sequence[Work]) -> Sequence[list[Decision]]:
        """Write what callers that wait together bring, as if one came after the other."""
        observations = [seen for work in works for seen in changes.observations_of(work)]
        athlete_ids = changes.athletes_of(works)

        async def settle(fence: Fence, guard: Sequence[Parameter]) -> tuple[list[Decision], list[int]]:
            taken = let_in(observations, fence)
            stored = await self._versions_of(each.activity_id for each in taken)
            payloads = await self._read_payloads("payloads", changes.compared(taken, stored))
            outcomes = changes.decide(observations, stored, payloads, fence=fence, now=self._clock())
            changes.entries_of(works, outcomes.decisions, fence)  # what cannot be told is not stored either
            if statement := changes.put_activities(outcomes, stored, guard):
                await self._run(statement)
            return outcomes.decisions, outcomes.deleted

        decisions, deleted = await self._fenced(athlete_ids, settle)

        async def tell(fence: Fence, guard: Sequence[Parameter]) -> None:
            entries = changes.entries_of(works, decisions, fence)
            gone = changes.deleted_by(deleted, entries)
            if gone:
                await self._run(changes.drop_streams(gone))
            if gone or entries:
                await self._run(changes.put_events(entries, gone, len(observations), guard))

        if deleted or any(not isinstance(each, Observation) for work in works for each in work):
            await self._fenced(athlete_ids, tell)
        answers = iter(decisions)
        return [[next(answers) for _ in changes.observations_of(work)] for work in works]

    async def _versions_of(self, activity_ids: Iterable[int]) -> dict[int, StoredActivity]:
        """Return rows as they were read lately, or else as they are now."""
        wanted = set(activity_ids)
        known = {each: self._versions.pop(each) for each in wanted & self._versions.keys()}
        read = await self._read_versions(wanted - known.keys())
        return {each: row for each, row in known.items() if row is not None} | read

    async def _read_versions(self, activity_ids: Collection[int]) -> dict[int, StoredActivity]:
        if not activity_ids:
            return {}
        ids = array("activity_ids", "int64", sorted(set(activity_ids)))
        found = map(rows.stored_activity, await self._read("activity_versions", ids, ids=within(activity_ids)))
        return {row.activity_id: row for row in found}

    async def _read_payloads(self, statement: str, activity_ids: Collection[int]) -> dict[int, str]:
        if not activity_ids:
            return {}
        ids = array("activity_ids", "int64", activity_ids)
        found = await self._read(statement, ids, ids=within(activity_ids))
        return {row["activity_id"]: row["payload"] for row in found}

    def _forget(self) -> None:
        super()._forget()
        self._versions.clear()


def _size(work: Work) -> int:
    return sum(len(seen.activity.text.encode()) for seen in changes.observations_of(work) if seen.activity)


def _divided(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Divide the items so that no statement is larger than BigQuery takes."""
    part: list[T] = []
    size = 0
    for each in items:
        if part and size + size_of(each) > _LARGEST_BYTES:
            yield part
            part, size = [], 0
        part.append(each)
        size += size_of(each)
    if part:
        yield part
