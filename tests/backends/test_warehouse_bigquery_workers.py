"""Several programs on one dataset of BigQuery, and kills in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Applied, Observation
from backends.warehouse.bigquery.client import Answer, BigQuery, Conflict, Place
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.ledger import LedgerFilter, ObservedDelivery, Outcome
from backends.warehouse.runs import changed_tables
from backends.warehouse.schema import STRAVA_ACTIVITIES, STRAVA_STREAMS
from runtime.clock import utc_now
from tests.bigquery_stores import EmptiedDataset
from tests.contracts.test_raw_store import ANNA, BEN, at, athlete, entry, gone, payload, seen, streams, verdict


def delivery(observation: Observation, number: int) -> ObservedDelivery:
    """A delivery whose row says what the rule made of it."""
    row = entry(f"d{number}/{observation.observed_at}", athlete_id=observation.athlete_id)
    assert row.event is not None
    aspect = "update" if observation.activity else "delete"
    event = replace(row.event, object_id=observation.activity_id, aspect_type=aspect)
    row = replace(row, event=event, event_id=f"e{number}")
    return ObservedDelivery(observation, lambda decision: replace(row, reason=decision.applied.value))


class FaultyBigQuery(BigQuery):
    """Raises an error in the place of a statement, as often as it is told to."""

    def __init__(self, place: Place, name: str, errors: list[Exception]) -> None:
        super().__init__(place)
        self._name, self.errors = name, errors

    async def query(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        if name == self._name and self.errors:
            raise self.errors.pop(0)
        return await super().query(name, sql, parameters)


async def test_what_another_worker_stored_meanwhile_is_not_overwritten(bigquery_dataset: EmptiedDataset) -> None:
    """Rows that were read before another worker changed them are read again, and the rule holds for each row."""
    open_store = bigquery_dataset.opener()
    slow, quick = open_store(), open_store()
    await slow.stored([1, 2, 3])
    await quick.apply([seen(payload(1, name="newer"), 9), gone(9, 2)])
    answers = await slow.apply([seen(payload(each, name="older"), 5) for each in (1, 2, 3)])
    assert answers == [Applied.SUPERSEDED, Applied.SUPERSEDED, Applied.STORED]
    rows = await slow.stored([1, 2, 3])
    assert [rows[each].is_deleted for each in (1, 2, 3)] == [False, True, False]
    assert rows[1].payload_hash == payload(1, name="newer").payload_hash
    await asyncio.gather(slow.close(), quick.close())


@pytest.mark.parametrize("reads_row_again", [True, False])
async def test_an_edit_replaces_what_another_worker_stored_meanwhile(
    bigquery_dataset: EmptiedDataset, *, reads_row_again: bool
) -> None:
    """The payload that was read with the row is no longer the stored one, so it is not told to be the old value."""
    open_store = bigquery_dataset.opener()
    slow, quick = open_store(), open_store()
    await quick.apply([seen(payload(1, name="a"), 1)])
    await slow.event_basis([1])
    await quick.apply([seen(payload(1, name="b"), 5)])
    if reads_row_again:
        await slow.stored([1])
    await slow.record([delivery(seen(payload(1, name="c"), 9), 1)])
    assert told(bigquery_dataset) == [("a", "b"), ("b", "c")]
    await asyncio.gather(slow.close(), quick.close())


async def test_a_purge_that_comes_in_between_is_noticed(bigquery_dataset: EmptiedDataset) -> None:
    """A worker that has read the fence before stores nothing of the athlete, and its row names nobody."""
    open_store = bigquery_dataset.opener()
    slow, other = open_store(), open_store()
    await other.put_athlete(athlete())
    await slow.athletes()
    await slow.stored([1])
    await other.purge(ANNA)
    await slow.record([delivery(seen(payload(1), 1), 1), entry("d2")])
    assert (await slow.stored([1]), await slow.row_count(ANNA)) == ({}, 0)
    told = await slow.recent(LedgerFilter(outcome=Outcome.PURGED), limit=9)
    assert [each.event for each in told] == [None, None]
    await asyncio.gather(slow.close(), other.close())


async def test_a_kill_between_the_merges_is_repaired_by_the_redelivery(bigquery_dataset: EmptiedDataset) -> None:
    """The observation is stored, its message not acknowledged: it comes again, changes nothing and leaves its row."""
    open_store = bigquery_dataset.opener()
    killed = BigQueryRawStore(FaultyBigQuery(bigquery_dataset.place, "put_events", [WarehouseBusy("killed")]))
    with pytest.raises(WarehouseBusy, match="killed"):
        await killed.record([delivery(seen(payload(1), 1), 1)])
    store = open_store()
    assert (list(await store.stored([1])), await store.recent(LedgerFilter(), limit=9)) == ([1], [])
    await store.record([delivery(seen(payload(1), 2), 1)])
    assert [each.reason for each in await store.recent(LedgerFilter(), limit=9)] == ["unchanged"]
    await asyncio.gather(store.close(), killed.close())


def told(dataset: EmptiedDataset) -> list[tuple[str, str]]:
    """Return what is told of edits: the old and the new values."""
    values = "json_value(payload, '$.old') as old, json_value(payload, '$.new') as new"
    return [(row["old"], row["new"]) for row in dataset.rows(f"select {values} from activity_changes order by old")]  # noqa: S608 - constants


@pytest.mark.parametrize(
    ("other", "left"), [(gone(9), []), (seen(payload(1, name="c"), 9), [("a", "c")])], ids=["deletion", "newer edit"]
)
async def test_an_edit_that_was_overtaken_is_not_told(
    bigquery_dataset: EmptiedDataset, other: Observation, left: list[tuple[str, str]]
) -> None:
    """What another worker stored meanwhile is what took the place of the content, or its end."""
    open_store = bigquery_dataset.opener()
    slow, quick = open_store(), open_store()
    await quick.apply([seen(payload(1, name="a"), 1)])
    await slow.stored([1])
    await quick.apply([other])
    assert await slow.apply([seen(payload(1, name="b"), 5)]) == [Applied.SUPERSEDED]
    assert told(bigquery_dataset) == left
    await asyncio.gather(slow.close(), quick.close())


@pytest.mark.parametrize(("killed_at", "left"), [("put_changes", []), ("put_events", [("a", "b")])])
async def test_an_edit_is_told_once_or_not_after_a_kill(
    bigquery_dataset: EmptiedDataset, killed_at: str, left: list[tuple[str, str]]
) -> None:
    """The redelivery asks Strava once more, finds what is stored, and tells nothing again."""
    open_store = bigquery_dataset.opener()
    killed = BigQueryRawStore(FaultyBigQuery(bigquery_dataset.place, killed_at, [WarehouseBusy("killed")]))
    store = open_store()
    await store.apply([seen(payload(1, name="a"), 1)])
    for number, (one, second) in enumerate([(killed, 5), (store, 7)]):
        try:
            await one.record([delivery(seen(payload(1, name="b"), second), number)])
        except WarehouseBusy:
            assert one is killed
    assert told(bigquery_dataset) == left
    assert [each.reason for each in await store.recent(LedgerFilter(), limit=9)] == ["unchanged"]
    await asyncio.gather(store.close(), killed.close())


@pytest.mark.parametrize("after", ["put_activities", "put_changes"])
@pytest.mark.parametrize("has_rows", [True, False])
async def test_what_an_activity_was_goes_where_a_deletion_comes_in_between(
    bigquery_dataset: EmptiedDataset, after: str, *, has_rows: bool
) -> None:
    """Whether its removal came before the rows or after them, none is left; another activity's stay."""
    other = bigquery_dataset.opener()()
    await other.apply([seen(payload(n, name="a"), 1) for n in (1, 2)])

    async def delete() -> None:
        bigquery_dataset.rows("update strava_activities set is_deleted = true, payload = null where activity_id = 1")

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, after, delete))
    observations = [seen(payload(n, name=f"b{n}"), 5) for n in (1, 2)]
    if has_rows:
        await store.record([delivery(each, n) for n, each in enumerate(observations)])
    else:
        await store.apply(observations)
    assert told(bigquery_dataset) == [("a", "b2")]
    assert len(await store.recent(LedgerFilter(), limit=9)) == 2 * has_rows
    await asyncio.gather(store.close(), other.close())


@pytest.mark.parametrize("after", ["put_activities", "put_changes"])
async def test_what_an_activity_was_goes_where_a_purge_comes_in_between(
    bigquery_dataset: EmptiedDataset, after: str
) -> None:
    """What the purge did not see goes by the next statement; so do rows that a kill left, with the redelivery."""
    other = bigquery_dataset.opener()()
    await other.put_athlete(athlete())
    await other.apply([seen(payload(1, name="a"), 1)])
    tables = ("strava_activities", "activity_changes")

    async def purge() -> None:
        for table in tables:
            bigquery_dataset.rows(f"create table kept_{table} as select * from {table} where true")  # noqa: S608 - constants
        await other.purge(ANNA)
        for table in tables:
            bigquery_dataset.rows(f"insert into {table} select * from kept_{table} where true")  # noqa: S608 - constants

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, after, purge))
    edit = delivery(seen(payload(1, name="b"), 5), 1)
    await store.record([edit])
    assert (await other.row_count(ANNA), told(bigquery_dataset)) == (0, [])
    bigquery_dataset.rows("insert into activity_changes select * from kept_activity_changes where true")
    await store.record([edit])
    assert told(bigquery_dataset) == []
    bigquery_dataset.rows("drop table kept_strava_activities")
    bigquery_dataset.rows("drop table kept_activity_changes")
    await asyncio.gather(store.close(), other.close())


@pytest.mark.parametrize("reads_after", [True, False])
async def test_streams_of_a_deletion_that_was_cut_short_go_with_the_redelivery(
    bigquery_dataset: EmptiedDataset, *, reads_after: bool
) -> None:
    """The row is a tombstone already when the event comes again; what is kept beside it goes then.

    So it does also where the worker that takes it remembers the row as it was before.
    """
    open_store = bigquery_dataset.opener()
    faulty = FaultyBigQuery(bigquery_dataset.place, "drop_streams", [WarehouseBusy("killed")])
    killed, store = BigQueryRawStore(faulty), open_store()
    await store.apply([seen(payload(1), 1), seen(payload(2), 1)])
    for activity_id in (1, 2):
        values = f"{activity_id}, {ANNA}, '[]', 'h', current_timestamp(), current_timestamp()"
        columns = "activity_id, athlete_id, fetched_for, activity_hash, observed_at, ingested_at"
        bigquery_dataset.rows(f"insert into strava_streams ({columns}) values ({values})")  # noqa: S608 - constants
    await store.event_basis([1])
    with pytest.raises(WarehouseBusy, match="killed"):
        await killed.record([delivery(gone(5, 1), 1)])
    if reads_after:
        await store.event_basis([1])
    row = entry("d1")
    assert row.event is not None
    await store.record([replace(row, event=replace(row.event, aspect_type="delete"))])
    assert bigquery_dataset.rows("select activity_id from strava_streams") == [{"activity_id": 2}]
    await asyncio.gather(store.close(), killed.close())


async def test_a_conflict_is_tried_again(bigquery_dataset: EmptiedDataset) -> None:
    """Two that change one table at once: the one that BigQuery turns away goes on by itself, and nothing is lost."""
    bigquery_dataset.opener()
    faulty = FaultyBigQuery(bigquery_dataset.place, "put_activities", [Conflict("busy")] * 2)
    store = BigQueryRawStore(faulty)
    assert await store.apply([seen(payload(1), 1)]) == [Applied.STORED]
    assert faulty.errors == []
    await store.close()


class Interrupted(BigQuery):
    """Runs another program's work right after a statement, before its answer comes back."""

    def __init__(self, place: Place, name: str, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__(place)
        self._name, self._between = name, work

    async def query(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        answer = await super().query(name, sql, parameters)
        if name == self._name:
            self._name = ""
            await self._between()
        return answer


def add_again(dataset: EmptiedDataset, change: str) -> None:
    """Add each activity once more, changed, as a merge does that began before the others were there."""
    names = ", ".join(STRAVA_ACTIVITIES.types)
    dataset.rows(f"insert into strava_activities ({names}) select * replace ({change}) from strava_activities")  # noqa: S608 - constants


@pytest.mark.parametrize("has_rows", [True, False])
async def test_an_activity_that_two_programs_add_at_once_is_there_once(
    bigquery_dataset: EmptiedDataset, *, has_rows: bool
) -> None:
    """BigQuery lets both: the newest observation stays, with what it says, and the ledger rows come after."""
    bigquery_dataset.opener()
    newer = f"timestamp '{at(9).isoformat()}' as observed_at, 'h' as payload_hash"

    async def add() -> None:
        add_again(bigquery_dataset, newer)

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, "put_activities", add))
    if has_rows:
        await store.record([delivery(seen(payload(1), 1), 1), delivery(seen(payload(2), 1), 2)])
    else:
        await store.apply([seen(payload(1), 1), seen(payload(2), 1)])
    found = bigquery_dataset.rows("select activity_id, payload_hash from strava_activities order by activity_id")
    assert found == [{"activity_id": n, "payload_hash": "h"} for n in (1, 2)]
    assert len(await store.recent(LedgerFilter(), limit=9)) == 2 * has_rows
    add_again(bigquery_dataset, "'older' as payload_hash, timestamp '2020-01-01' as observed_at")
    assert [row.payload_hash for row in (await store.stored([1, 2])).values()] == ["h", "h"]
    [left] = bigquery_dataset.rows("select count(*) as n from strava_activities")
    assert left == {"n": 2}
    await store.close()


@pytest.mark.parametrize("has_rows", [True, False])
async def test_what_is_added_while_a_purge_comes_is_removed(
    bigquery_dataset: EmptiedDataset, *, has_rows: bool
) -> None:
    """A merge that began before the purge may end after it: what it added goes, another athlete's stays.

    The receipt moves on, so that marts which were built in between are built again.
    """
    other = bigquery_dataset.opener()()
    await other.put_athlete(athlete())
    receipts = []

    async def purge() -> None:
        bigquery_dataset.rows("create table kept_back as select * from strava_activities where true")
        receipts.append(await other.purge(ANNA))
        bigquery_dataset.rows("insert into strava_activities select * from kept_back where true")
        bigquery_dataset.rows("drop table kept_back")

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, "put_activities", purge))
    observations = [seen(payload(1), 1), seen(payload(2, athlete_id=BEN), 1)]
    if has_rows:
        await store.record([delivery(each, n) for n, each in enumerate(observations)])
    else:
        await store.apply(observations)
    assert bigquery_dataset.rows("select activity_id from strava_activities") == [{"activity_id": 2}]
    assert await other.row_count(ANNA) == 0
    last_purge = await other.last_purge()
    assert last_purge is not None
    assert [each.purged_at < last_purge for each in receipts] == [True]
    await asyncio.gather(store.close(), other.close())


async def test_a_purge_between_a_verdict_and_its_state_leaves_neither(bigquery_dataset: EmptiedDataset) -> None:
    """A complete verdict is put by two statements; what comes in between keeps the second from naming the athlete."""
    other = bigquery_dataset.opener()()
    await other.put_athlete(athlete())
    bigquery = Interrupted(bigquery_dataset.place, "put_reconciliations", lambda: other.purge(ANNA))
    store = BigQueryRawStore(bigquery)
    await store.put_reconciliation(verdict("r1"))
    assert await other.row_count(ANNA) == 0
    await asyncio.gather(store.close(), other.close())


async def test_the_end_of_a_purge_is_told_too(bigquery_dataset: EmptiedDataset) -> None:
    """What a transform built while rows were still there is behind: the moment moves on once all are gone."""
    other = bigquery_dataset.opener()()
    await other.put_athlete(athlete())
    told = []

    async def build() -> None:
        assert await other.row_count(ANNA) == 1
        told.append(await other.last_purge())

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, "put_purges", build))
    receipt = await store.purge(ANNA)
    assert await store.last_purge() == receipt.purged_at
    assert [moment is not None and moment < receipt.purged_at for moment in told] == [True]
    assert (receipt.removed["strava_athletes"], await store.purged_at(ANNA)) == (1, receipt.purged_at)
    behind = BigQueryRawStore(BigQuery(bigquery_dataset.place), clock=lambda: utc_now() - timedelta(hours=1))
    again = await behind.purge(BEN)
    assert await store.last_purge() == again.purged_at > receipt.purged_at
    await asyncio.gather(store.close(), other.close(), behind.close())


async def test_a_merge_that_commits_late_moves_the_watermark(bigquery_dataset: EmptiedDataset) -> None:
    """Its stamp is of when it began, and may be older than those of rows that were there before it."""
    store = bigquery_dataset.opener()()
    await store.record([delivery(seen(payload(n), 1), n) for n in (1, 2)])
    for table, row in (("strava_activities", "activity_id = 1"), ("strava_events", "event_id = 'e1'")):
        mark = await store.watermark()
        earlier = "timestamp_sub(ingested_at, interval 1 hour)"
        bigquery_dataset.rows(f"update {table} set ingested_at = {earlier} where {row}")  # noqa: S608 - constants
        assert changed_tables(mark, await store.watermark()) == frozenset({table})
    await store.close()


async def test_streams_that_two_programs_add_at_once_are_there_once(bigquery_dataset: EmptiedDataset) -> None:
    """The newest observation of them stays."""
    bigquery_dataset.opener()

    async def add() -> None:
        names = ", ".join(STRAVA_STREAMS.types)
        moved = f"timestamp '{at(0).isoformat()}' as observed_at"
        bigquery_dataset.rows(f"insert into strava_streams ({names}) select * replace ({moved}) from strava_streams")  # noqa: S608 - constants

    store = BigQueryRawStore(Interrupted(bigquery_dataset.place, "put_streams", add))
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1), 1)])
    assert await store.put_streams(streams(payload(1), 5, 1, 2))
    assert bigquery_dataset.rows("select observed_at from strava_streams") == [{"observed_at": at(5)}]
    await store.close()
