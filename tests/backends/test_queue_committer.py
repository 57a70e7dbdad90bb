"""The process that commits for the embedded queue: what it answers, and that it may die at any time but not outlive."""

import asyncio
import base64
import contextlib
import io
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.queue import QueueUnavailable, committer, messages
from backends.queue.embedded import EmbeddedQueue
from backends.sqlite import connect, open_database

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

PUBLISHER = """
import asyncio, sys
from pathlib import Path
from backends.queue.embedded import EmbeddedQueue

async def main():
    queue = EmbeddedQueue(Path(sys.argv[1]))
    await queue.publish(b"event", {})
    print("durable", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the queue lies."""
    return tmp_path / "pipeline.sqlite"


@pytest.fixture
async def queue(path: Path) -> AsyncIterator[EmbeddedQueue]:
    """An empty queue."""
    queue = EmbeddedQueue(path)
    yield queue
    await queue.close()


def committers(path: Path) -> list[int]:
    """Return the ids of the processes that commit to this file now."""
    command = f"{committer.__name__}\0{path}\0".encode()
    return [int(each.parent.name) for each in Path("/proc").glob("[0-9]*/cmdline") if command in _read(each)]


def _read(cmdline: Path) -> bytes:
    try:
        return cmdline.read_bytes()
    except OSError:  # it ended while we looked
        return b""


def until_none(path: Path) -> None:
    """Wait until nobody commits to this file."""
    deadline = time.monotonic() + 30
    while committers(path):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def batch(*datas: bytes) -> bytes:
    """Return a line that asks to store these."""
    return messages.batch([messages.encode(data, {}) for data in datas], NOON)


def answers_of(path: Path, *lines: bytes) -> list[bytes]:
    """Return the answers to these lines, that of the opening first."""
    answers = io.BytesIO()
    committer.serve(path, 0.05, io.BytesIO(b"".join(lines)), answers)
    return answers.getvalue().splitlines()


def test_each_batch_is_answered_by_its_last_id(path: Path) -> None:
    """Batches are stored in their order, and the ids of one follow each other without a gap."""
    assert answers_of(path, batch(b"a"), batch(b"b", b"c\n"), batch(b"d")) == [b"0", b"1", b"3", b"4"]
    with closing(connect(path, read_only=True)) as connection:
        rows = connection.execute("select message_id, data, published_at, due_ms from queue_messages").fetchall()
    moment = ("2026-05-01T12:00:00.000000Z", 1_777_636_800_000)
    assert rows == [(1, "YQ==", *moment), (2, "Yg==", *moment), (3, "Ywo=", *moment), (4, "ZA==", *moment)]


def test_refused_batch_stores_nothing_and_ends_nothing(path: Path) -> None:
    """What cannot be stored is answered with the reason, none of it is kept, and the next batch is stored."""
    with closing(open_database(path)) as other:
        other.execute(
            "create trigger no_b before insert on queue_messages when new.data = 'Yg==' "
            "begin select raise(abort, 'no b\n here'); end"
        )
    assert answers_of(path, batch(b"a", b"b"), batch(b"c")) == [b"0", b"!no b here", b"1"]


def test_file_that_cannot_be_opened_is_answered(path: Path) -> None:
    """The first answer says why, in one line, and there is no further one."""
    path.write_text("this is no database, and long enough to be told from an empty one" * 20)
    (answer,) = answers_of(path, batch(b"a"))
    assert answer == b"!file is not a database"


async def test_killed_committer_is_replaced(queue: EmbeddedQueue, path: Path) -> None:
    """What a killed committer left unanswered fails, so that its sender sends it again; the next publish works."""
    await queue.publish(b"before", {})
    (committer_id,) = committers(path)
    os.kill(committer_id, signal.SIGSTOP)  # so that it is killed before it answers
    under_way = [asyncio.ensure_future(queue.publish(b"lost", {})) for _ in range(10)]
    await asyncio.sleep(0.05)
    with capture_logs() as logs:
        os.kill(committer_id, signal.SIGKILL)
        outcomes = await asyncio.gather(*under_way, return_exceptions=True)
    assert all(isinstance(outcome, QueueUnavailable) for outcome in outcomes)
    assert "exit code -9" in str(outcomes[0])
    assert [(log["event"], log["unanswered"]) for log in logs] == [("queue.committer_ended", 10)]
    assert await queue.publish(b"after", {})
    assert (await queue.status()).waiting == 2


async def test_committers_killed_at_random_lose_nothing(queue: EmbeddedQueue, path: Path) -> None:
    """Whatever was answered by its id is stored under it, though committers are killed in the midst of their work."""
    chance, stored = random.Random(7), dict[int, bytes]()

    async def caller(name: int) -> None:
        for number in range(200):
            data = f"{name}-{number}".encode()
            with contextlib.suppress(QueueUnavailable):
                stored[int(await queue.publish(data, {}))] = data

    async def killer() -> None:
        for _ in range(5):
            await asyncio.sleep(chance.uniform(0.1, 0.3))
            for committer_id in committers(path):
                os.kill(committer_id, signal.SIGKILL)

    await asyncio.gather(killer(), *(caller(name) for name in range(8)))
    with closing(connect(path, read_only=True)) as connection:
        rows = dict(connection.execute("select message_id, data from queue_messages").fetchall())
    assert stored
    assert {number: base64.b64decode(rows[number]) for number in stored} == stored


async def test_committer_that_cannot_open_the_file(queue: EmbeddedQueue, path: Path) -> None:
    """When a newer program has changed the file meanwhile, opening and publishing fail with what to do about it."""
    with closing(open_database(path)) as other:
        version = other.execute("pragma user_version").fetchone()[0]
        other.execute("pragma user_version = 999")
        with pytest.raises(QueueUnavailable, match="Upgrade the program"):
            await queue.open()
        with pytest.raises(QueueUnavailable, match="Upgrade the program"):
            await queue.publish(b"event", {})
        other.execute(f"pragma user_version = {version}")
    assert await queue.publish(b"event", {})


async def test_committer_that_cannot_be_started(queue: EmbeddedQueue) -> None:
    """When no file descriptor is left for a process, publishing fails cleanly, and works again once there are."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        with pytest.raises(QueueUnavailable, match="could not be started"):
            await queue.publish(b"event", {})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert await queue.publish(b"event", {})


async def test_no_process_without_a_publish(queue: EmbeddedQueue, path: Path) -> None:
    """Who only asks for the state starts nothing; who publishes starts one, and closing ends it."""
    await queue.status()
    assert not committers(path)
    await asyncio.gather(queue.open(), *(queue.publish(b"event", {}) for _ in range(10)))
    assert len(committers(path)) == 1
    await queue.close()
    assert not committers(path)


def test_committer_leaves_signals_to_its_parent_and_ends_with_it(path: Path) -> None:
    """Ctrl-C and SIGTERM, which reach a whole group, do not end it before its parent; a killed parent does."""
    with subprocess.Popen([sys.executable, "-c", PUBLISHER, str(path)], stdout=subprocess.PIPE) as publisher:
        assert publisher.stdout is not None
        assert publisher.stdout.readline() == b"durable\n"
        (committer_id,) = committers(path)
        os.kill(committer_id, signal.SIGINT)
        os.kill(committer_id, signal.SIGTERM)
        time.sleep(0.1)
        assert committers(path) == [committer_id]
        publisher.kill()
    until_none(path)
