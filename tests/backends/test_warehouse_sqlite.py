"""What is particular to raw in SQLite: stamps, what stays in the file's bytes, errors, and other processes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.queue.embedded import EmbeddedQueue
from backends.sqlite import MIGRATIONS, open_database
from backends.warehouse import WarehouseBusy
from backends.warehouse.activities import Applied, Observation, Source
from backends.warehouse.ledger import LedgerEntry, LedgerFilter, Outcome
from backends.warehouse.own_file_tables import OWN_FILES
from backends.warehouse.purge_receipts import CheckedReceipts
from backends.warehouse.schema import STRAVA_ACTIVITIES, TABLES
from backends.warehouse.sqlite import transactions
from backends.warehouse.sqlite.database import SQL, put_statement
from backends.warehouse.sqlite.retention import REMOVALS
from backends.warehouse.sqlite.store import SqliteRawStore
from backends.warehouse.sqlite.transactions import LAST_STAMP
from backends.warehouse.sqlite.watermark import STAMPS
from strava.events import ReceivedEvent, StravaEvent
from strava.payload import DETAILED, SUMMARY, ActivityPayload

ANNA, BEN = 910_000_771, 910_000_772
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The pipeline's file, not there yet."""
    return tmp_path / "pipeline.sqlite"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is set."""
    return Clock()


@pytest.fixture
async def store(path: Path, clock: Clock) -> AsyncIterator[SqliteRawStore]:
    """A store with little patience."""
    opened = SqliteRawStore(path, clock=clock, busy_timeout_s=0.1)
    yield opened
    await opened.close()


def seen(
    activity_id: int = 1, second: float = 0, *, athlete_id: int = ANNA, state: int = DETAILED, **fields: Any
) -> Observation:
    """An activity, observed that many seconds after noon."""
    activity = ActivityPayload.from_json(
        {"id": activity_id, "athlete": {"id": athlete_id}, "resource_state": state, **fields}
    )
    return Observation(
        activity_id=activity_id,
        athlete_id=athlete_id,
        observed_at=NOON + timedelta(seconds=second),
        source=Source.WEBHOOK,
        activity=activity,
        event_time=NOON,
        event_id="e1",
    )


def gone(activity_id: int = 1, second: float = 0) -> Observation:
    """The activity was not there."""
    at = NOON + timedelta(seconds=second)
    return Observation(activity_id=activity_id, athlete_id=ANNA, observed_at=at, source=Source.WEBHOOK)


def event(athlete_id: int = ANNA, **updates: str) -> StravaEvent:
    """An update of an activity."""
    return StravaEvent(
        object_type="activity",
        aspect_type="update",
        object_id=1,
        owner_id=athlete_id,
        subscription_id=5,
        event_time=NOON,
        updates=updates,
    )


def entry(delivery_id: str, told: StravaEvent) -> LedgerEntry:
    """A ledger row about the event."""
    return LedgerEntry(
        delivery_id=delivery_id,
        event_id=told.event_id,
        event=told,
        outcome=Outcome.STORED,
        reason="",
        attempt=1,
        received_at=NOON,
        finished_at=NOON,
    )


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Look into the file as another process would."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def stamps(path: Path) -> list[str]:
    """Every ingested_at, in the order of the activities' ids."""
    return [row[0] for row in rows(path, "select ingested_at from strava_activities order by activity_id")]


# -- what a row holds -----------------------------------------------------------------------------------------------


async def test_a_row_holds_what_strava_said(store: SqliteRawStore, path: Path) -> None:
    """The payload is kept word for word; times are UTC texts of one width."""
    text = (
        '{ "id":1,"athlete":{"id":7}, "resource_state":3, "name":"Früh 🌄", "start_date":"2026-05-04T06:00:00+02:00" }'
    )
    observed_at = NOON.astimezone(tz=None)
    await store.apply(
        [
            Observation(
                activity_id=1,
                athlete_id=7,
                observed_at=observed_at,
                source=Source.ARCHIVE,
                activity=ActivityPayload.from_http(text),
            )
        ]
    )
    assert rows(path, "select payload, start_date, observed_at, ingested_at, source from strava_activities") == [
        (text, "2026-05-04T04:00:00.000000Z", "2026-05-04T12:00:00.000000Z", "2026-05-04T12:00:00.000000Z", "archive")
    ]


async def test_a_tombstone_keeps_no_payload(store: SqliteRawStore, path: Path) -> None:
    """A deleted activity leaves its id and when it went: nothing of what Strava said stays, in the row or the file."""
    await store.apply([seen(name="Sunrise over Zurich" * 500, start_date="2026-05-04T06:00:00Z")])
    assert await store.apply([gone(second=1)]) == [Applied.DELETED]
    assert rows(
        path, "select payload, resource_state, start_date, payload_hash, is_deleted from strava_activities"
    ) == [(None, None, None, None, 1)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert b"Sunrise over Zurich" not in path.read_bytes()


async def test_the_ledger_keeps_what_changed_but_no_title(store: SqliteRawStore, path: Path) -> None:
    """The event's own fields are columns of its row; a title, which would outlive a deletion, is null."""
    await store.record([entry("d1", event(title="Früh 🌄", private="true"))])
    assert rows(path, "select updates, athlete_id, object_id, event_time, outcome from strava_events") == [
        ('{"title":null,"private":"true"}', ANNA, 1, "2026-05-04T12:00:00.000000Z", "stored")
    ]


# -- stamps ---------------------------------------------------------------------------------------------------------


async def test_stamps_rise_strictly(store: SqliteRawStore, path: Path, clock: Clock) -> None:
    """No two changes share a stamp and none is earlier than one before it, even when the clock stands or goes back."""
    await store.apply([seen(1), seen(2), seen(3)])
    clock.now -= timedelta(hours=1)
    await store.apply([seen(4)])
    await store.record([entry("d1", event()), entry("d2", event())])
    clock.now += timedelta(days=1)
    await store.apply([seen(5), seen(6)])
    given_stamps = stamps(path)
    assert given_stamps[4] == "2026-05-05T11:00:00.000000Z"  # once the clock is right again the stamps follow it
    assert all(one < other for one, other in pairwise(given_stamps))
    ledger = [row[0] for row in rows(path, "select ingested_at from strava_events order by delivery_id")]
    assert given_stamps[3] < ledger[0] < ledger[1] < given_stamps[4]


async def test_an_unchanged_payload_keeps_its_stamp(store: SqliteRawStore, path: Path) -> None:
    """Seeing the same again moves observed_at and nothing that an incremental reader looks at."""
    await store.apply([seen(1, 1)])
    before = rows(path, "select ingested_at, event_id, source from strava_activities")
    await store.apply([seen(1, 9)])
    assert rows(path, "select ingested_at, event_id, source from strava_activities") == before
    assert rows(path, "select observed_at from strava_activities") == [("2026-05-04T12:00:09.000000Z",)]


async def test_a_purge_does_not_turn_the_stamps_back(store: SqliteRawStore, path: Path, clock: Clock) -> None:
    """When the newest row is purged and the clock goes back, the next row still comes after what readers have seen."""
    await store.apply([seen(1)])
    [newest] = stamps(path)
    await store.purge(ANNA)
    clock.now -= timedelta(hours=1)
    await store.apply([seen(2, athlete_id=BEN)])
    assert stamps(path) > [newest]


async def test_two_processes_never_share_a_stamp(path: Path, clock: Clock) -> None:
    """Two stores on one file take turns, so an incremental reader misses nothing."""
    stores = [SqliteRawStore(path, clock=clock), SqliteRawStore(path, clock=clock)]
    await asyncio.gather(*(stores[n % 2].apply([seen(n)]) for n in range(1, 101)))
    for opened in stores:
        await opened.close()
    assert len(set(stamps(path))) == 100


async def test_rows_of_an_older_file_are_kept(path: Path, tmp_path: Path) -> None:
    """A file from before signs of life were kept opens with every row as it was, living ones seen when observed."""
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:2]:
        (older / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    columns = "activity_id, athlete_id, observed_at, is_deleted, source, payload_hash, ingested_at, payload"
    told = "2026-05-04T12:00:00.000000Z"
    with closing(open_database(path, migrations=older)) as connection:
        for values in ((1, ANNA, told, 0, "webhook", "h", "i1", "{}"), (2, ANNA, told, 1, "webhook", None, "i2", None)):
            connection.execute(f"insert into strava_activities ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - constant
        before = connection.execute(f"select {columns} from strava_activities").fetchall()  # noqa: S608 - constant
    with closing(open_database(path)) as connection:
        assert connection.execute(f"select {columns} from strava_activities").fetchall() == before  # noqa: S608 - constant
        alive = connection.execute("select seen_alive_at from strava_activities order by activity_id").fetchall()
    assert alive == [(told,), (None,)]


async def test_what_waits_in_an_older_file_waits_on(path: Path, tmp_path: Path) -> None:
    """Of each event the newest row counts, and a message that could not be read becomes an event of its own."""
    older = tmp_path / "older"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if file.name < "0012":
            (older / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    names = ("delivery_id", "event_id", "outcome", "retry_at", "ingested_at", "received_at", "reason", "attempt",
             "finished_at")  # fmt: skip
    with closing(open_database(path, migrations=older)) as connection:
        for told in (("e1/1", "e1", "deferred", "2026", "1"), ("e1/2", "e1", "deferred", "2027", "2"),
                     ("e2/1", "e2", "deferred", "2026", "3"), ("e2/2", "e2", "stored", None, "4"),
                     ("unreadable/3/1", None, "parked", None, "5")):  # fmt: skip
            received_at = "2026" if told[1] else None
            row = (*told, received_at, "", 1, "2026")
            connection.execute(f"insert into strava_events ({', '.join(names)}) values ({'?, ' * 8}?)", row)  # noqa: S608 - constant
    with closing(open_database(path)) as connection:
        waiting = connection.execute("select event_id, delivery_id, is_replay, retry_at from waiting_events").fetchall()
        unread = connection.execute("select event_id from strava_events where received_at is null").fetchall()
    assert (waiting, unread) == ([("e1", "e1/2", 0, "2027")], [("unreadable/3/1",)])


# -- laws, on the engine --------------------------------------------------------------------------------------------

SEEN = st.builds(
    seen,
    st.integers(1, 2),
    st.integers(0, 3),
    state=st.sampled_from([SUMMARY, DETAILED]),
    name=st.sampled_from(["a", "b"]),
)
HISTORIES = st.lists(SEEN | st.builds(gone, st.integers(1, 2), st.integers(0, 3)), min_size=1, max_size=8)


@contextmanager
def empty_again(connection: sqlite3.Connection) -> Iterator[None]:
    """Run an example in a transaction that is undone, so that the next finds the file empty."""
    connection.execute("begin immediate")
    try:
        yield
    finally:
        connection.execute("rollback")


def table(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """Every row, without when it was stored."""
    times = "start_date, observed_at, seen_alive_at"
    columns = f"activity_id, athlete_id, resource_state, {times}, is_deleted, payload_hash, payload"
    return connection.execute(f"select {columns} from strava_activities order by 1").fetchall()  # noqa: S608 - constant


def test_batches_store_what_single_observations_would(path: Path) -> None:
    """One batch leaves the same rows and answers as the same observations one by one, summaries included."""
    with closing(open_database(path)) as connection:

        @settings(max_examples=60, deadline=None)
        @given(HISTORIES)
        def law(history: list[Observation]) -> None:
            with empty_again(connection):
                answers = [transactions.apply(connection, [one], Clock(), CheckedReceipts())[0] for one in history]
                singly = table(connection)
            with empty_again(connection):
                assert transactions.apply(connection, history, Clock(), CheckedReceipts()) == answers
                assert table(connection) == singly

        law()


def test_any_order_and_repetition_leaves_the_same_table(path: Path) -> None:
    """Details and tombstones in any order and any repetition leave the same table, payloads included."""
    orderless = HISTORIES.map(lambda history: [one for one in history if not one.activity or one.activity.is_detailed])
    with closing(open_database(path)) as connection:

        @settings(max_examples=60, deadline=None)
        @given(orderless.filter(bool), st.data())
        def law(history: list[Observation], data: st.DataObject) -> None:
            with empty_again(connection):
                transactions.apply(connection, history, Clock(), CheckedReceipts())
                expected = table(connection)
            again = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=4))))
            with empty_again(connection):
                for one in again:
                    transactions.apply(connection, [one], Clock(), CheckedReceipts())
                assert table(connection) == expected

        law()


# -- purge ----------------------------------------------------------------------------------------------------------


async def test_a_purge_reaches_every_table_that_knows_athletes(store: SqliteRawStore, path: Path) -> None:
    """No table with an athlete's id is forgotten, those of coming steps included, and the queue is among them."""
    tables = {
        row[0]
        for row in rows(
            path, "select m.name from sqlite_schema m, pragma_table_info(m.name) c where c.name = 'athlete_id'"
        )
    }
    assert set((await store.purge(ANNA)).removed) == tables | {"queue_messages"}


async def test_a_purge_leaves_no_trace_in_the_files(store: SqliteRawStore, path: Path) -> None:
    """After a purge the athlete's id, text or number, is in no byte of the data files; queued work is gone too."""
    queue = EmbeddedQueue(path)
    for athlete_id in (ANNA, BEN):
        received = ReceivedEvent.of(event(athlete_id, title="Hidden title"), NOON)
        await queue.publish(received.to_message(), received.attributes())
        await store.record([entry(f"d{athlete_id % 10}", event(athlete_id, title="Hidden title"))])
    await store.apply([seen(n, name="Hidden title") for n in range(1, 50)])
    receipt = await store.purge(ANNA)
    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert receipt.removed["queue_messages"] == 1
    assert (await queue.status()).waiting == 1
    assert str(ANNA).encode() not in left
    assert ANNA.to_bytes(4, "big") not in left
    assert b"Hidden title" not in left
    assert str(BEN).encode() in left
    await queue.close()


def holding(folder: Path, words: bytes) -> list[str]:
    """Name the files of a folder that hold the words."""
    return [file.name for file in folder.iterdir() if words in file.read_bytes()]


async def until_gone(folder: Path, words: bytes) -> None:
    """Wait until no file of the folder holds the words."""
    async with asyncio.timeout(30):
        while holding(folder, words):  # noqa: ASYNC110 - what is asked is the disk
            await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_a_deleted_payload_leaves_the_files_by_itself(store: SqliteRawStore, path: Path) -> None:
    """Of many activities of every size the deleted ones leave no byte, in the log neither, and the others stay."""
    sizes = [1, 3, 20, 400, 2_000]
    for n in range(1, 101):
        await store.apply([seen(n, name=f"Sunrise over {'Zurich' if n % 2 else 'Oslo'} {n} " * sizes[n % 5])])
    assert holding(path.parent, b"Sunrise over Zurich")
    await store.apply([gone(n, 1) for n in range(1, 101, 2)])
    await until_gone(path.parent, b"Sunrise over Zurich")
    assert holding(path.parent, b"Sunrise over Oslo")


async def test_what_is_kept_beside_a_deleted_activity_goes_with_it(store: SqliteRawStore, path: Path) -> None:
    """Every table of what Strava said of activities loses its rows of it, those of coming steps included."""
    beside = [each for each in TABLES if "activity_id" in each.types and each not in (STRAVA_ACTIVITIES, *OWN_FILES)]
    await store.apply([seen(1), seen(2)])
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in beside:
            values = {"bool": 0, "timestamp": "2026-04-01T12:00:00.000000Z", "json": "{}"}
            for number in (1, 2):
                values["string"] = f"x{number}"
                row = {name: values.get(kind, number) for name, kind in table.types.items()}
                connection.execute(put_statement(table, replaces=False), row)
    await store.apply([gone(1, 1)])
    left = {each.name: rows(path, f"select activity_id from {each.name}") for each in beside}  # noqa: S608 - our names
    assert left == {each.name: [(2,)] for each in beside}
    assert [each.name for each in beside] >= ["strava_streams"]


async def test_dead_letters_of_a_deleted_activity_go_with_it(store: SqliteRawStore, path: Path) -> None:
    """An event that was given up may hold the activity's title; those that wait, and those of others, stay."""
    queue = EmbeddedQueue(path)
    for activity_id in (1, 1, 2):
        told = replace(event(title="Sunrise over Zurich"), object_id=activity_id)
        received = ReceivedEvent.of(told, NOON)
        await queue.publish(received.to_message(), received.attributes())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update queue_messages set state = 'dead' where message_id > 1")
    await store.apply([seen(1), seen(2), gone(1, 1)])
    assert rows(path, "select message_id from queue_messages") == [(1,), (3,)]
    await queue.close()


async def test_a_dead_letter_goes_when_its_event_is_settled(store: SqliteRawStore, path: Path) -> None:
    """Also where it could not be read; what waits in the queue stays, and so does what is parked."""
    queue = EmbeddedQueue(path)
    received = ReceivedEvent.of(event(), NOON)
    for attributes in (received.attributes(), {}, received.attributes()):
        await queue.publish(received.to_message(), attributes)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update queue_messages set state = 'dead' where message_id < 3")
    parked = replace(entry("d1", event()), outcome=Outcome.PARKED)
    await store.record([parked, replace(parked, delivery_id="d2", event_id="unreadable/2", event=None)])
    assert (await queue.status()).dead == 2
    await store.record([replace(parked, delivery_id="d3", outcome=Outcome.UNCHANGED)])
    assert rows(path, "select message_id from queue_messages") == [(2,), (3,)]
    await store.dismiss(replace(parked, delivery_id="d4", event_id="unreadable/2", outcome=Outcome.IGNORED, event=None))
    assert rows(path, "select message_id from queue_messages") == [(3,)]
    await queue.close()


async def test_what_could_not_be_read_goes_with_whom_it_names(store: SqliteRawStore, path: Path) -> None:
    """What it held goes with a deleted activity that it names, and all of it with a purged athlete."""
    told = replace(entry("d1", event()), event=None, received_at=None, outcome=Outcome.PARKED)
    await store.record([
        replace(told, event_id="u1", message='{"object_id": 771000001, "title": "Sunrise"}'),
        replace(told, delivery_id="d2", event_id="u2", message=f'{{"owner_id": {ANNA}}}'),
    ])  # fmt: skip
    await store.apply([seen(771_000_001), gone(771_000_001, 1)])
    assert rows(path, "select event_id, message is null from strava_events") == [("u1", 1), ("u2", 0)]
    assert (await store.purge(ANNA)).removed["strava_events"] == 1


@pytest.mark.slow
async def test_a_reader_delays_the_emptying_but_does_not_prevent_it(store: SqliteRawStore, path: Path) -> None:
    """While another process reads an older state the log is kept and writing goes on; then the log is emptied."""
    await store.apply([seen(1, name="Sunrise over Zurich" * 500)])
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from strava_activities").fetchone()
        await store.apply([gone(1, 1)])
        await asyncio.sleep(1.3)  # longer than the delay, so that it has been tried
        assert await store.apply([seen(2)]) == [Applied.STORED]
        assert holding(path.parent, b"Sunrise over Zurich")
        reader.execute("commit")
        await until_gone(path.parent, b"Sunrise over Zurich")


@pytest.mark.slow
async def test_what_a_killed_program_left_in_the_log_goes_at_the_next_start(path: Path, clock: Clock) -> None:
    """Nobody may have emptied the log of what it removed: a program that starts does so."""
    with closing(open_database(path)) as left_open:  # keeps the log, as a kill does
        left_open.execute("insert into strava_gear values ('g', 1, 'Sunrise over Zurich', 't', 't', null)")
        left_open.execute("delete from strava_gear")
        assert holding(path.parent, b"Sunrise over Zurich")
        store = SqliteRawStore(path, clock=clock)
        await until_gone(path.parent, b"Sunrise over Zurich")
        await store.close()


async def test_after_a_close_the_file_alone_is_the_backup(store: SqliteRawStore, path: Path, tmp_path: Path) -> None:
    """Once all have closed, a copy of pipeline.sqlite holds every row; there is no log that would have to go along."""
    queue = EmbeddedQueue(path)
    await queue.publish(b"event", {})
    await store.apply([seen(n) for n in range(1, 50)])
    await asyncio.gather(queue.close(), store.close())
    assert [file.name for file in path.parent.iterdir()] == ["pipeline.sqlite"]
    (tmp_path / "backup").mkdir()
    copy = tmp_path / "backup" / "pipeline.sqlite"
    copy.write_bytes(path.read_bytes())
    assert rows(copy, "select count(*) from strava_activities") == [(49,)]
    assert rows(copy, "select count(*) from queue_messages") == [(1,)]


# -- the newest removal ---------------------------------------------------------------------------------------------


async def test_the_newest_removal_is_told(store: SqliteRawStore, path: Path, clock: Clock) -> None:
    """A deletion's or a purge's stamp, whichever came last, also by a clock that was set back."""
    assert await store.last_removal() is None
    await store.apply([seen(1), seen(2)])
    assert await store.last_removal() is None
    await store.apply([gone(1, 1)])
    assert await store.last_removal() == datetime.fromisoformat(max(stamps(path)))
    clock.now -= timedelta(hours=2)
    receipt = await store.purge(ANNA)
    assert await store.last_removal() == receipt.purged_at > NOON


# -- another file in its place --------------------------------------------------------------------------------------


async def test_a_moved_folder_is_noticed(tmp_path: Path) -> None:
    """One write is refused, nothing goes to the file that was moved away, and the next goes to where the path leads."""
    path = tmp_path / "data" / "pipeline.sqlite"
    store = SqliteRawStore(path)
    await store.apply([seen(1)])
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(WarehouseBusy, match="cannot be opened"):
        await store.counts(ANNA)
    with pytest.raises(WarehouseBusy, match="was moved or replaced"):
        await store.apply([seen(2)])
    assert await store.apply([seen(3), seen(4)]) == [Applied.STORED] * 2
    assert await store.counts(ANNA) == {DETAILED: 2}
    await store.close()
    assert rows(tmp_path / "moved" / "pipeline.sqlite", "select activity_id from strava_activities") == [(1,)]


async def test_a_moved_folder_whose_place_cannot_be_used(tmp_path: Path) -> None:
    """While nothing can be stored at the path every write says why; once it can, writing goes on there."""
    path = tmp_path / "data" / "pipeline.sqlite"
    store = SqliteRawStore(path)
    (tmp_path / "data").rename(tmp_path / "moved")
    (tmp_path / "data").write_text("a file in the way")
    for _ in range(2):
        with pytest.raises(WarehouseBusy, match="what is there now cannot be used"):
            await store.apply([seen(1)])
    (tmp_path / "data").unlink()
    (tmp_path / "moved").rename(tmp_path / "data")
    assert await store.apply([seen(1)]) == [Applied.STORED]
    await store.close()


# -- errors ---------------------------------------------------------------------------------------------------------


async def test_a_locked_file_is_busy(store: SqliteRawStore, path: Path) -> None:
    """While another holds the write lock writing is refused and says so, reading goes on; then all is well again."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("begin immediate")
        with pytest.raises(WarehouseBusy, match="database is locked") as caught:
            await store.apply([seen(1)])
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert await store.counts(ANNA) == {}
        other.rollback()
    assert await store.apply([seen(1)]) == [Applied.STORED]


async def test_a_full_disk_is_busy(store: SqliteRawStore) -> None:
    """When the file cannot grow nothing of the batch is stored, and the store works again once it can."""
    writer = store._writer
    assert writer
    await writer.submit(lambda connection: connection.execute("pragma max_page_count = 60").close())
    with pytest.raises(WarehouseBusy, match="full"):
        await store.apply([seen(n, name="x" * 20_000) for n in range(1, 100)])
    assert await store.counts(ANNA) == {}
    await writer.submit(lambda connection: connection.execute("pragma max_page_count = 1000000").close())
    assert await store.apply([seen(1)]) == [Applied.STORED]


async def test_a_closed_store_is_busy(path: Path) -> None:
    """Work that comes after closing is refused, not lost in silence."""
    store = SqliteRawStore(path)
    await store.close()
    with pytest.raises(WarehouseBusy):
        await store.apply([seen(1)])
    with pytest.raises(WarehouseBusy):
        await store.watermark()


def test_a_file_that_is_no_database_is_busy(path: Path) -> None:
    """Opening something else says so."""
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(WarehouseBusy, match="not a database"):
        SqliteRawStore(path)


# -- cost -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        *(STAMPS, LAST_STAMP, "last_removal", "activity_versions", "counts", "activity_ids", "deferred_events"),
        *(
            "deferred_deauthorizations",
            "expired_activities",
            "expired_athletes",
            *(each for each in REMOVALS if "strava_streams" in each),
        ),
    ],
)
def test_frequent_questions_use_an_index(path: Path, statement: str) -> None:
    """What is asked for every event, every refresh or every step of a retention never scans a table that grows."""
    sql = SQL.get(statement, statement)
    parameters = {"activity_ids": "[1]", "athlete_id": 1, "resource_state": None, "since": None, "how_many": 50}
    parameters |= {"due_by": "2026", "future": "2026", "observed_before": "2026", "asked_for": "[]"}
    with closing(open_database(path)) as connection:
        plan = [row[3] for row in connection.execute(f"explain query plan {sql}", parameters)]
    assert plan
    grows = ("strava_", "events", "waiting_events", "transform_runs", "reconciliations", "expired")
    few = ("USING INDEX strava_activities_expired", "USING INDEX strava_events_of_athletes")  # of no other rows
    read = {step: step.split() for step in plan if step.startswith(("SCAN ", "SEARCH "))}
    # A "SEARCH" for a maximum without an index reads all rows.
    whole = [step for step, words in read.items() if words[0] == "SCAN" or "USING" not in words]
    assert not [step for step in whole if read[step][1].startswith(grows) and not step.endswith(few)]


async def test_a_look_for_streams_reads_no_more_than_is_due(store: SqliteRawStore, path: Path) -> None:
    """Among 300 details without streams a look at what changed, or at another athlete's, costs next to nothing."""
    await store.apply([seen(key) for key in range(1, 301)])
    sql = (Path(transactions.__file__).parent / "sql" / "due_streams.sql").read_text()
    with closing(open_database(path)) as connection:
        [newest] = connection.execute("select max(ingested_at) from strava_activities").fetchone()

        def cost(athlete_id: int, changed_since: str | None) -> int:
            """Count the steps of SQLite's machine."""
            steps = [0]

            def count() -> int:
                steps[0] += 1
                return 0

            bounds = {"since": None, "created_before": None, "changed_since": changed_since}
            connection.set_progress_handler(count, 1)
            connection.execute(sql, {"rules": "[[null, null]]", "athlete_id": athlete_id, **bounds}).fetchall()
            connection.set_progress_handler(None, 0)
            return steps[0]

        assert cost(ANNA, None) > 10_000
        assert [cost(ANNA, newest) < 200, cost(BEN, None) < 200] == [True, True]


# -- reading only ---------------------------------------------------------------------------------------------------


async def test_a_store_that_only_reads_leaves_the_file_as_it_is(store: SqliteRawStore, path: Path) -> None:
    """It reads what another wrote, refuses to write, and migrates no file that an older program made."""
    await store.record([entry("d1", event())])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 1")
    reader = SqliteRawStore(path, read_only=True)
    assert [row.delivery_id for row in await reader.recent(LedgerFilter(), limit=9)] == ["d1"]
    with pytest.raises(WarehouseBusy, match="read only"):
        await reader.record([entry("d2", event())])
    await reader.close()
    assert rows(path, "pragma user_version") == [(1,)]


def test_a_store_that_only_reads_makes_no_file(path: Path) -> None:
    """Where there is none, it cannot be opened."""
    with pytest.raises(WarehouseBusy):
        SqliteRawStore(path, read_only=True)
    assert not path.exists()
