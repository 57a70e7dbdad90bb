"""Publishing to the embedded queue: durable before the answer, in few transactions, in the right file."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.queue import QueueUnavailable
from backends.queue.embedded import EmbeddedQueue
from backends.queue.embedded.messages import LARGEST_BATCH
from backends.sqlite import connect, open_database

pytestmark = pytest.mark.uvloop_too


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The queue's file, in a folder that can be moved."""
    return tmp_path / "data" / "pipeline.sqlite"


@pytest.fixture
async def queue(path: Path) -> AsyncIterator[EmbeddedQueue]:
    """An empty queue."""
    queue = EmbeddedQueue(path, publish_timeout_s=30)
    yield queue
    await queue.close()


def move_away(path: Path, name: str) -> None:
    """Rename the file and the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(name + suffix))


def rows_of(path: Path) -> int:
    """Count the messages in the file."""
    with closing(connect(path, read_only=True)) as connection:
        return int(connection.execute("select count(*) from queue_messages").fetchone()[0])


def writers() -> list[str]:
    """Return the names of this process's writer threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sqlite-writer")]


async def test_nothing_is_answered_before_it_is_stored(queue: EmbeddedQueue, path: Path) -> None:
    """While another process holds the lock, a publish waits. It returns its id once the row is stored."""
    await queue.open()
    with closing(open_database(path)) as other:
        other.execute("begin immediate")
        publishes = [asyncio.ensure_future(queue.publish(b"event", {})) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert not any(publish.done() for publish in publishes)
        other.execute("rollback")
        await publishes[0]
        assert other.execute("select count(*) from queue_messages").fetchone() == (5,)
    assert await asyncio.gather(*publishes) == ["1", "2", "3", "4", "5"]


async def test_what_takes_too_long_is_refused(path: Path) -> None:
    """Strava waits two seconds. A publish that is not durable in time fails, and so does one that joined it later."""
    queue = EmbeddedQueue(path, publish_timeout_s=0.1)
    with closing(open_database(path)) as other:
        other.execute("begin immediate")
        first = asyncio.ensure_future(queue.publish(b"first", {}))
        await asyncio.sleep(0.05)
        outcomes = await asyncio.gather(first, queue.publish(b"later", {}), return_exceptions=True)
        other.execute("rollback")
    assert {str(outcome) for outcome in outcomes} == {"not durable within 0.1 s"}
    assert all(isinstance(outcome, QueueUnavailable) for outcome in outcomes)
    assert await queue.publish(b"after", {})
    await queue.close()


async def test_what_waits_together_is_one_transaction(queue: EmbeddedQueue) -> None:
    """Messages that are published while the event loop is busy share one commit."""

    async def publish(turn: int) -> str:
        for _ in range(turn):
            await asyncio.sleep(0)
        return await queue.publish(b"event", {})

    await queue.open()
    assert queue._writer is not None
    statements: list[str] = []
    queue._writer._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(publish(number // 10) for number in range(100)))
    assert statements.count("commit") == 1


async def test_more_than_a_statement_holds(queue: EmbeddedQueue, path: Path) -> None:
    """More messages than one statement holds are stored in the order of publishing, each under its own id."""
    ids = await asyncio.gather(*(queue.publish(b"%d" % number, {}) for number in range(LARGEST_BATCH + 1)))
    assert ids == [str(number) for number in range(1, LARGEST_BATCH + 2)]
    assert rows_of(path) == LARGEST_BATCH + 1


async def test_refused_batch_stores_nothing_and_ends_nothing(queue: EmbeddedQueue, path: Path) -> None:
    """A batch fails as a whole, with the reason, and the next batch is stored."""
    with closing(open_database(path)) as other:
        other.execute(
            "create trigger no_b before insert on queue_messages when new.data = 'Yg==' "
            "begin select raise(abort, 'no b here'); end"
        )
    outcomes = await asyncio.gather(*(queue.publish(data, {}) for data in (b"a", b"b")), return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {"the queue's file could not be used: no b here"}
    assert all(isinstance(outcome, QueueUnavailable) for outcome in outcomes)
    assert await queue.publish(b"c", {})
    assert rows_of(path) == 1


async def test_no_thread_without_a_publish(queue: EmbeddedQueue) -> None:
    """`status` alone starts no thread. A queue that publishes has one thread until it is closed."""
    await queue.status()
    assert writers() == []
    await asyncio.gather(queue.open(), *(queue.publish(b"event", {}) for _ in range(10)))
    assert len(writers()) == 1
    await queue.close()
    assert writers() == []


async def test_asking_publishes_nothing(queue: EmbeddedQueue, path: Path) -> None:
    """`status` stores no message and uses no id, also while messages are being published."""
    ids = [
        int(await publish)
        for publish in [asyncio.ensure_future(queue.publish(b"event", {})) for _ in range(20)]
        if await queue.status()
    ]
    assert ids == list(range(1, 21))
    assert rows_of(path) == 20


async def test_file_of_a_newer_program(queue: EmbeddedQueue, path: Path) -> None:
    """After a newer program has migrated the file, opening and publishing fail and say what to do."""
    with closing(open_database(path)) as other:
        version = other.execute("pragma user_version").fetchone()[0]
        other.execute("pragma user_version = 999")
        with pytest.raises(QueueUnavailable, match="Upgrade the program"):
            await queue.open()
        with pytest.raises(QueueUnavailable, match="Upgrade the program"):
            await queue.publish(b"event", {})
        other.execute(f"pragma user_version = {version}")
    assert await queue.publish(b"event", {})


async def test_file_that_was_moved_away_takes_no_more_events(queue: EmbeddedQueue, path: Path) -> None:
    """The first event after the move is refused, so that Strava sends it again. Later ones are stored in a new file."""
    await queue.publish(b"before", {})
    move_away(path, "away.sqlite")
    with pytest.raises(QueueUnavailable, match="was moved or replaced"):
        await queue.publish(b"refused", {})
    assert await queue.publish(b"after", {})
    assert (await queue.status()).waiting == 1
    assert (rows_of(path.with_name("away.sqlite")), rows_of(path)) == (1, 1)


async def test_file_that_was_replaced_is_the_one_that_is_used(queue: EmbeddedQueue, path: Path) -> None:
    """After the file was replaced by a backup, one call fails, and later events are stored in the backup."""
    await queue.publish(b"before", {})
    open_database(path.with_name("backup.sqlite")).close()
    move_away(path, "away.sqlite")
    path.with_name("backup.sqlite").rename(path)
    with pytest.raises(QueueUnavailable, match="was moved or replaced"):
        await queue.status()
    ids = await asyncio.gather(*(queue.publish(b"after", {}) for _ in range(3)))
    assert (ids, rows_of(path)) == (["1", "2", "3"], 3)


async def test_file_that_cannot_be_opened_again_refuses(queue: EmbeddedQueue, path: Path) -> None:
    """While another kind of file is at the path, every event is refused. Events are stored once it is gone."""
    await queue.publish(b"before", {})
    move_away(path, "away.sqlite")
    path.write_text("no database" * 200)
    for _ in range(2):
        with pytest.raises(QueueUnavailable, match="not a database"):
            await queue.publish(b"refused", {})
    path.unlink()
    with pytest.raises(QueueUnavailable, match="was moved or replaced"):
        await queue.publish(b"refused", {})
    assert await queue.publish(b"after", {})
    assert rows_of(path) == 1
