"""What is particular to raw in BigQuery: its tables, how many statements it takes, kills in between, and errors."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.cloud import bigquery

from backends.sqlite import SchemaMismatch
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Applied, Observation
from backends.warehouse.bigquery.client import Answer, BigQuery, Conflict, Place, StatementRejected, connected
from backends.warehouse.bigquery.loads import PREFIX, load
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.statements import Given, within
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.bigquery.tables import migrate
from backends.warehouse.ledger import LedgerFilter, ObservedDelivery, Outcome
from backends.warehouse.schema import STRAVA_ACTIVITIES, STRAVA_STREAMS, TABLES, Table
from tests.bigquery_stores import CountingBigQuery, EmptiedDataset, place_at
from tests.contracts.test_raw_store import ANNA, BEN, at, athlete, entry, gone, payload, seen, streams

WAITING = 1_000
FIELD = {"int64": "INTEGER", "string": "STRING", "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "json": "JSON"}


def delivery(observation: Observation, number: int) -> ObservedDelivery:
    """A delivery whose row says what the rule made of it."""
    row = entry(f"d{number}/{observation.observed_at}", athlete_id=observation.athlete_id)
    assert row.event is not None
    aspect = "update" if observation.activity else "delete"
    event = replace(row.event, object_id=observation.activity_id, aspect_type=aspect)
    row = replace(row, event=event, event_id=f"e{number}")
    return ObservedDelivery(observation, lambda decision: replace(row, reason=decision.applied.value))


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


async def test_a_thousand_waiting_events_take_five_statements(bigquery_dataset: EmptiedDataset) -> None:
    """Athletes, rows, and the two merges of a batch; of deletions, such as these, the streams go in one more."""
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting)
    await store.put_athlete(athlete())
    for observations, statements in (
        ([seen(payload(n), 1) for n in range(1, 4)], ["put_activities", "put_events"]),
        ([gone(2, n) for n in range(1, WAITING + 1)], ["put_activities", "drop_streams", "put_events"]),
    ):
        counting.statements.clear()
        await store.athletes()
        await store.stored([each.activity_id for each in observations])
        await store.record([delivery(each, n) for n, each in enumerate(observations)])
        assert counting.statements == ["athletes", "activity_versions", *statements]
    await store.close()
    told = bigquery_dataset.rows("select reason, count(*) as n from strava_events group by reason order by reason")
    assert told == [{"reason": "deleted", "n": WAITING}, {"reason": "stored", "n": 3}]
    [row] = bigquery_dataset.rows(
        "select countif(is_deleted) as n, count(distinct ingested_at) as stamps from strava_activities"
    )
    assert row == {"n": WAITING, "stamps": WAITING}


def test_ids_are_named_by_literals() -> None:
    """Each id is in a range of literals, and what is between ids that are far apart is in none."""
    assert within([5, 3, 4]) == "(activity_id between 3 and 5)" or within([5, 3, 4]).count("between") == 3
    far = within([1, 2, 15_000_000_000, 15_000_000_007], "kept.activity_id")
    assert "between 15000000000" in far
    assert "between 1 and 15000000007" not in far
    assert within(range(1, 2000)).count("between") <= 16


async def test_a_large_batch_comes_by_a_load_job(bigquery_dataset: EmptiedDataset) -> None:
    """Rows that are too many for a request are stored as others are, and the table that they came in is gone."""
    bigquery_dataset.opener()
    counting = CountingBigQuery(bigquery_dataset.place)
    store = BigQueryRawStore(counting, largest_request=100_000)
    texts = 'Früh 🌄 "quoted"\n' * 5
    shown = [seen(payload(n, name=texts, distance=n + 0.5), 1) for n in range(1, 200)]
    await store.record([delivery(each, n) for n, each in enumerate([*shown, gone(3, 200), gone(3, 5)])])
    assert counting.statements == ["athletes", "activity_versions", "put_activities", "drop_streams", "put_events"]
    assert bigquery_dataset.loads()[:2] == [
        {"program": "athlete-dashboard", "statement": name} for name in ("put_events", "put_activities")
    ]
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


# -- several workers, and kills -------------------------------------------------------------------------------------


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


async def test_streams_of_a_deletion_that_was_cut_short_go_with_the_redelivery(
    bigquery_dataset: EmptiedDataset,
) -> None:
    """The row is a tombstone already when the event comes again; what is kept beside it goes then."""
    open_store = bigquery_dataset.opener()
    faulty = FaultyBigQuery(bigquery_dataset.place, "drop_streams", [WarehouseBusy("killed")])
    killed, store = BigQueryRawStore(faulty), open_store()
    await store.apply([seen(payload(1), 1), seen(payload(2), 1)])
    for activity_id in (1, 2):
        values = f"{activity_id}, {ANNA}, '[]', 'h', current_timestamp(), current_timestamp()"
        columns = "activity_id, athlete_id, fetched_for, activity_hash, observed_at, ingested_at"
        bigquery_dataset.rows(f"insert into strava_streams ({columns}) values ({values})")  # noqa: S608 - constants
    with pytest.raises(WarehouseBusy, match="killed"):
        await killed.record([delivery(gone(5, 1), 1)])
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
    """A merge that began before the purge may end after it: what it added goes, another athlete's stays."""
    other = bigquery_dataset.opener()()
    await other.put_athlete(athlete())

    async def purge() -> None:
        bigquery_dataset.rows("create table kept_back as select * from strava_activities where true")
        await other.purge(ANNA)
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
    await asyncio.gather(store.close(), other.close())


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


# -- errors ---------------------------------------------------------------------------------------------------------


class Refusing(BaseHTTPRequestHandler):
    """Answers every request with one error, as BigQuery's REST interface does, and keeps what was asked."""

    status: int
    reason: str
    message: str
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:  # http.server's name
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        error = {"reason": self.reason, "message": self.message}
        body = json.dumps({"error": {"code": self.status, "message": self.message, "errors": [error]}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def refused_with() -> Iterator[Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]]]:
    """A way to speak to a BigQuery that answers everything with one error."""
    servers: list[ThreadingHTTPServer] = []

    def serve(status: int, reason: str, message: str) -> tuple[BigQuery, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []
        told = {"status": status, "reason": reason, "message": message, "asked": asked}
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Refusing,), told))
        threading.Thread(target=server.serve_forever).start()
        servers.append(server)
        place = Place(project="p", location="EU", endpoint=f"http://127.0.0.1:{server.server_port}")
        return BigQuery(place, repeats_for_s=0), asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


ERRORS = [
    (400, "invalidQuery", "Could not serialize access to table t due to concurrent update", Conflict, "somebody else"),
    (400, "invalidQuery", "Transaction is aborted due to concurrent update against table t", Conflict, "somebody else"),
    (400, "resourcesExceeded", "Too many DML statements outstanding against table t", Conflict, "somebody else"),
    (403, "quotaExceeded", "Quota exceeded: too many table dml insert operations", WarehouseBusy, "quota is spent"),
    (403, "rateLimitExceeded", "Exceeded rate limits", WarehouseBusy, "try again later"),
    (403, "accessDenied", "Access Denied: User does not have permission", WarehouseBusy, "BigQuery Data Editor"),
    (404, "notFound", "Not found: Table p:raw.t", WarehouseBusy, "start the worker once"),
    (503, "backendError", "Try again", WarehouseBusy, "try again later"),
    (400, "invalidQuery", "Syntax error", StatementRejected, "does not take"),
]


@pytest.mark.parametrize(("status", "reason", "message", "kind", "told"), ERRORS)
async def test_googles_errors_become_ours(
    refused_with: Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]],
    status: int,
    reason: str,
    message: str,
    kind: type[Exception],
    told: str,
) -> None:
    """What time can mend is to be tried later; what it cannot is a fault. A statement is labelled and has a limit."""
    bigquery, asked = refused_with(status, reason, message)
    with pytest.raises(kind, match=told):
        await bigquery.query("probe", "select 1")
    query = asked[0]["configuration"]
    assert query["labels"] == {"program": "athlete-dashboard", "statement": "probe"}
    assert query["query"]["maximumBytesBilled"] == str(10 * 2**30)
    assert query["query"]["defaultDataset"] == {"projectId": "p", "datasetId": "raw"}
    await bigquery.close()


async def test_a_load_that_is_refused_is_to_be_tried_later(
    refused_with: Callable[[int, str, str], tuple[BigQuery, list[dict[str, Any]]]],
) -> None:
    """As a statement is; the table that the rows were to come in would have expired within an hour."""
    bigquery, asked = refused_with(403, "quotaExceeded", "Quota exceeded: too many load jobs")
    with pytest.raises(WarehouseBusy, match="quota is spent"):
        await bigquery.run(partial(load, statement="put_events", given=Given("entries", {"delivery_id": "string"}, [])))
    assert asked[0]["tableReference"]["tableId"].startswith(PREFIX)
    assert 0 < int(asked[0]["expirationTime"]) / 1000 - time.time() <= 3600
    await bigquery.close()


async def test_a_closed_store_is_busy(bigquery_dataset: EmptiedDataset) -> None:
    """Work that comes after closing is refused, not lost in silence."""
    store = bigquery_dataset.opener()()
    await store.close()
    with pytest.raises(WarehouseBusy, match="was closed"):
        await store.apply([seen(payload(1), 1)])
