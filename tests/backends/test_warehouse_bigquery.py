"""What is particular to raw in BigQuery: its tables, how many statements it takes, and large batches."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from google.cloud import bigquery

from backends.sqlite import SchemaMismatch
from backends.warehouse.activities import Applied, Decision
from backends.warehouse.bigquery import changes
from backends.warehouse.bigquery.client import BigQuery, Place, connected
from backends.warehouse.bigquery.loads import PREFIX
from backends.warehouse.bigquery.statements import within
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.bigquery.tables import LABELS, migrate
from backends.warehouse.fence import Fence
from backends.warehouse.ledger import LedgerEntry, ObservedDelivery, Outcome
from backends.warehouse.reconciliations import Verdict
from backends.warehouse.schema import STRAVA_ACTIVITIES, TABLES
from backends.warehouse.table import Table
from strava.payload import SUMMARY, ActivityPage, ActivityPayload
from tests.backends.test_warehouse_bigquery_workers import delivery
from tests.bigquery_stores import CountingBigQuery, EmptiedDataset, place_at
from tests.contracts.test_raw_store import ANNA, at, athlete, entry, gone, payload, seen, streams
from tests.transforms import bigquery_asked as asked
from worker.findings import ReconcilePolicy
from worker.reconcile import reconcile

WAITING = 1_000
FIELD = {"int64": "INTEGER", "string": "STRING", "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "json": "JSON"}


# -- tables ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(bigquery_emulator: str) -> Place:
    """A dataset that is not there yet."""
    return place_at(bigquery_emulator)


def fields_of(client: bigquery.Client, place: Place, table: Table) -> dict[str, tuple[str, str, str]]:
    """Return type, mode and description of each column that a table has."""
    fields = client.get_table(f"{place.project}.{place.dataset}.{table.name}").schema
    return {each.name: (each.field_type, each.mode, each.description) for each in fields}


def test_tables_are_made_as_the_schema_states_them(place: Place) -> None:
    """Columns with types, modes and descriptions, clusters and labels; making them again changes nothing."""
    client = connected(place)
    migrate(client, place)
    migrate(client, place)
    for table in TABLES:
        assert fields_of(client, place, table) == {
            each.name: (FIELD[each.type], "REQUIRED" if each.is_required else "NULLABLE", each.description)
            for each in table.columns
        }
        made = client.get_table(f"{place.project}.{place.dataset}.{table.name}")
        assert made.description == table.description
        assert made.labels["layer"] == "raw"
        assert list(made.clustering_fields or []) == list(table.clustering)


def test_a_table_of_an_older_program_gets_what_is_new(place: Place) -> None:
    """A column that is missing is added without values, one that needs none any more may be empty, rows stay."""
    client = connected(place)
    older = replace(
        STRAVA_ACTIVITIES,
        columns=[replace(each, is_required=True) for each in STRAVA_ACTIVITIES.columns if each.name != "seen_alive_at"],
    )
    migrate(client, place, [older])
    migrate(client, place, [STRAVA_ACTIVITIES])
    found = fields_of(client, place, STRAVA_ACTIVITIES)
    assert found["seen_alive_at"][:2] == ("TIMESTAMP", "NULLABLE")
    assert (found["payload"][1], found["source"][1]) == ("NULLABLE", "REQUIRED")


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ({"name": "payload_hash", "type": "int64"}, "its column payload_hash is INTEGER, and has to be STRING"),
        ({"name": "shoe_size", "is_required": True}, "requires the column shoe_size, which this program does not know"),
    ],
)
def test_a_table_that_cannot_be_migrated_is_refused(place: Place, column: dict[str, Any], why: str) -> None:
    """The sentence names what is wrong and what to do, and no table is made or changed."""
    client = connected(place)
    changed = replace(next(each for each in STRAVA_ACTIVITIES.columns if each.name == "payload_hash"), **column)
    others = [each for each in STRAVA_ACTIVITIES.columns if each.name != "payload_hash"]
    migrate(client, place, [replace(STRAVA_ACTIVITIES, columns=[*others, changed])])
    with pytest.raises(SchemaMismatch, match=f"{why}.*`bq cp`"):
        migrate(client, place)
    assert [each.table_id for each in client.list_tables(f"{place.project}.{place.dataset}")] == ["strava_activities"]


# -- cost -----------------------------------------------------------------------------------------------------------


def deletion(activity_id: int, applied: Applied) -> Callable[[Decision | None], LedgerEntry]:
    """Return what makes the row of a deletion of which this came."""
    row = entry(f"deletion/{activity_id}")
    assert row.event is not None
    event = replace(row.event, object_id=activity_id, aspect_type="delete")
    return lambda _: replace(row, event=event, reason=applied.value)


async def test_a_thousand_waiting_events_take_few_statements(bigquery_dataset: EmptiedDataset) -> None:
    """What they rest on, and the two merges of a batch; one more for edits, and one for deletions, of the streams.

    No mixture takes more: the last batch has all of them, deletions that come again or that Strava contradicts, and
    summaries of what is stored in detail.
    """
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting)
    await store.put_athlete(athlete())
    edited, deleted, new = range(1, 301), range(301, 601), range(601, 891)
    deferred = range(891, 901)
    summarised, contradicted, deleted_before = range(901, 951), range(951, 976), range(976, WAITING + 1)
    known = [*edited, *deleted, *deferred, *summarised, *contradicted]
    mixed: list[LedgerEntry | ObservedDelivery] = [
        *(delivery(seen(payload(n, name="b"), 5), n) for n in [*edited, *new]),
        *(delivery(gone(5, n), n) for n in deleted),
        *(delivery(seen(payload(n, name="b", state=SUMMARY), 5), n) for n in summarised),
        *(ObservedDelivery(seen(payload(n, name="b"), 5), deletion(n, Applied.STORED)) for n in contradicted),
        *(deletion(n, Applied.UNCHANGED)(None) for n in deleted_before),
        *(replace(deletion(n, Applied.UNCHANGED)(None), outcome=Outcome.DEFERRED) for n in deferred),
    ]
    assert len(mixed) == WAITING
    for ids, batch, statements in (
        (known, [delivery(seen(payload(n, name="a"), 1), n) for n in known], asked.BATCH),
        (edited, [delivery(seen(payload(n, name="c"), 2), n) for n in edited], asked.EDITS),
        (deleted_before, [delivery(gone(2, n), n) for n in deleted_before], asked.DELETIONS),
        (range(1, WAITING + 1), mixed, asked.MIXED),
    ):
        counting.statements.clear()
        await store.event_basis(ids)
        await store.record(batch)
        assert counting.statements == statements
    await store.close()
    told = bigquery_dataset.rows("select reason, count(*) as n from strava_events group by reason order by reason")
    assert told == [
        {"reason": "deleted", "n": 25 + 300},
        {"reason": "needs_detail", "n": 50},
        {"reason": "stored", "n": 685 + 300 + 615},
        {"reason": "unchanged", "n": 25 + 10},
    ]
    edits = "select json_value(payload, '$.old') as old, count(*) as n from activity_changes group by old order by old"
    assert bigquery_dataset.rows(edits) == [{"old": "a", "n": 300 + 25}, {"old": "c", "n": 300}]
    [row] = bigquery_dataset.rows(
        "select countif(is_deleted) as n, count(distinct ingested_at) as stamps from strava_activities"
    )
    assert row == {"n": 325, "stamps": WAITING}


async def test_no_more_payloads_are_kept_than_there_is_room_for(bigquery_dataset: EmptiedDataset) -> None:
    """Those of the newest activities come with their rows; an edit of another asks for what it replaces.

    Events that write nothing do not take up the room for ever.
    """
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting, most_kept=300_000)
    await store.put_athlete(athlete())
    await store.apply([seen(payload(n, name="ж" * 45_000), 1) for n in range(1, 5)])
    for edits, statements in (
        ([1], ["living_payloads", *asked.EDITS[1:]]),
        ([3, 4], asked.EDITS[1:]),
        ([2], asked.EDITS[1:]),
    ):
        await store.event_basis(range(1, 5))
        counting.statements.clear()
        await store.record([delivery(seen(payload(n, name="b"), n), n) for n in edits])
        assert counting.statements == statements
    old = bigquery_dataset.rows("select distinct json_value(payload, '$.old') as old from activity_changes")
    assert old == [{"old": "ж" * 45_000}]
    await store.close()


class Strava:
    """Shows so many activities, one on each page of the list."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def activities(self) -> AsyncIterator[ActivityPage]:
        for n in range(1, self.count + 1):
            yield ActivityPage([payload(n, state=SUMMARY)])

    async def activity(self, activity_id: int, *, tries: int | None = None) -> ActivityPayload:
        assert tries == 1
        return payload(activity_id)


@pytest.mark.parametrize(("pages", "looks"), [(1, 0), (3, 1)])
async def test_a_daily_check_asks_what_its_bill_counts(
    bigquery_dataset: EmptiedDataset, pages: int, looks: int
) -> None:
    """The guide's costs are made of these: so much once, for each page of the list, and for each look."""
    clock = lambda: at(86_400)  # noqa: E731 - a look is due after some hours
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting, clock=clock)
    await store.put_athlete(athlete())
    await store.apply([seen(payload(n), 1) for n in range(1, pages + 1)])
    counting.statements.clear()
    strava, policy = Strava(pages), ReconcilePolicy(looks=looks)
    assert (await reconcile(strava, strava, store, ANNA, policy=policy, clock=clock)).verdict is Verdict.COMPLETE
    assert sorted(counting.statements) == sorted([*asked.CHECK, *asked.PAGE * pages, *asked.LOOK * looks])
    await store.close()


def test_ids_are_named_by_literals() -> None:
    """Each id is in a range of literals, and what is between ids that are far apart is in none."""
    assert within([5, 3, 4]) == "(activity_id between 3 and 5)" or within([5, 3, 4]).count("between") == 3
    far = within([1, 2, 15_000_000_000, 15_000_000_007], "kept.activity_id")
    assert "between 15000000000" in far
    assert "between 1 and 15000000007" not in far
    assert within(range(1, 2000)).count("between") <= 16


@pytest.mark.parametrize("text", ["run", "ж" * 9_999, '"' * 9_999, "🌄" * 999, "\n" * 9_999])
def test_rows_are_no_larger_than_they_are_taken_to_be(text: str) -> None:
    """In a request every letter beyond ASCII takes six bytes or twelve, and a quote or a line's end takes two."""
    shown = [seen(payload(n, name=text), 1) for n in range(1, 9)]
    outcomes = changes.decide(shown, {}, {}, fence=Fence({}), now=at(9))
    told = [replace(entry(f"d{n}"), event=None, message=text) for n in range(1, 9)]
    nothing = changes.Unproved([], [])
    for statement in (changes.put_activities(outcomes, {}, []), changes.put_events(told, [], 0, [], nothing)):
        assert statement is not None
        assert statement.given is not None
        assert len(json.dumps(statement.given.parameter.to_api_repr())) <= statement.given.size


async def test_a_large_batch_comes_by_a_load_job(bigquery_dataset: EmptiedDataset) -> None:
    """Rows that are too many for a request are stored as others are, and the table that they came in is gone."""
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting, largest_request=100_000)
    texts = 'Früh 🌄 "quoted"\n' * 5
    shown = [seen(payload(n, name=texts, distance=n + 0.5), 1) for n in range(1, 200)]
    await store.record([delivery(each, n) for n, each in enumerate([*shown, gone(3, 200), gone(3, 5)])])
    assert counting.statements == ["athletes", "activity_versions", "put_activities", "drop_streams", "put_events"]
    assert bigquery_dataset.loads()[:2] == [{**LABELS, "statement": name} for name in ("put_events", "put_activities")]
    by_request = BigQueryRawStore(BigQuery(bigquery_dataset.place))
    await by_request.apply([seen(payload(1_000, name=texts, distance=1.5), 1)])
    rows = bigquery_dataset.rows(
        "select to_json_string(payload) as p from strava_activities where activity_id in (1, 1000)"
    )
    assert len({json.loads(row["p"])["name"] for row in rows}) == 1
    assert await store.counts(ANNA) == {3: 199}
    [told] = bigquery_dataset.rows("select count(*) as n, count(distinct ingested_at) as stamps from strava_events")
    assert told == {"n": 201, "stamps": 201}
    assert [name for name in bigquery_dataset.tables() if name.startswith(PREFIX)] == []
    await asyncio.gather(store.close(), by_request.close())


async def test_streams_of_a_day_come_by_a_load_job(bigquery_dataset: EmptiedDataset) -> None:
    """A recording that is too large for a request is stored as a short one is."""
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting, largest_request=100_000)
    await store.put_athlete(athlete())
    await store.apply([seen(payload(1), 1)])
    before, seconds = len(bigquery_dataset.loads()), range(86_400)
    counting.statements.clear()
    assert await store.put_streams(streams(payload(1), 5, *seconds))
    assert counting.statements == asked.STREAMS
    assert not await store.put_streams(streams(payload(1), 4, *seconds))
    assert [each["statement"] for each in bigquery_dataset.loads()[: -before or None]] == ["put_streams"] * 2
    [row] = bigquery_dataset.rows("select to_json_string(payload) as p from strava_streams")
    assert json.loads(row["p"])["time"]["data"] == list(seconds)
    assert [name for name in bigquery_dataset.tables() if name.startswith(PREFIX)] == []
    await store.close()
