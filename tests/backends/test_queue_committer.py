"""The process that commits for the embedded queue: what it answers, and that it may die at any time but not outlive."""

import asyncio
import base64
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from backends.queue import QueueUnavailable, committer, messages
from backends.queue.embedded import EmbeddedQueue
from backends.sqlite import connect, open_database

pytestmark = pytest.mark.uvloop_too
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


def unhandled_errors() -> list[dict[str, Any]]:
    """Return where the running loop will put what nobody catches."""
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    return unhandled


def batch(*datas: bytes) -> bytes:
    """Return a line that asks to store these."""
    return messages.batch([messages.encode(data, {}) for data in datas], NOON)


def answers_of(path: Path, *lines: bytes) -> list[bytes]:
    """Return the answers to these lines, that of the opening first."""
    answers: list[bytes] = []
    committer.serve(path, 0.05, lines, answers.append)
    return answers


def test_each_batch_is_answered_by_its_last_id(path: Path) -> None:
    """Batches are stored in their order, and the ids of one follow each other without a gap."""
    assert answers_of(path, batch(b"a"), batch(b"b", b"c\n"), batch(b"d")) == [b"0\n", b"1\n", b"3\n", b"4\n"]
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
    assert answers_of(path, batch(b"a", b"b"), batch(b"c")) == [b"0\n", b"!no b here\n", b"1\n"]


def test_file_that_cannot_be_opened_is_answered(path: Path) -> None:
    """The first answer says why, in one line, and there is no further one."""
    path.write_text("this is no database, and long enough to be told from an empty one" * 20)
    (answer,) = answers_of(path, batch(b"a"))
    assert answer == b"!file is not a database\n"


def test_half_a_line_is_no_batch(path: Path) -> None:
    """What a parent had not finished writing when it was killed is not stored."""
    assert answers_of(path, batch(b"a"), batch(b"b")[:-1]) == [b"0\n", b"1\n"]


async def test_nothing_is_answered_before_it_is_stored(queue: EmbeddedQueue, path: Path) -> None:
    """While another process holds the file's lock a publish waits for it, and has its id once the row is there."""
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
    chance, stored, refused, over = random.Random(7), dict[int, bytes](), list[bytes](), asyncio.Event()
    unhandled = unhandled_errors()

    async def caller(name: int) -> None:
        for number in itertools.count():
            if over.is_set():
                return
            data = f"{name}-{number}".encode()
            try:
                stored[int(await queue.publish(data, {}))] = data
            except QueueUnavailable:
                refused.append(data)

    async def killer() -> None:
        for _ in range(20):
            with suppress(QueueUnavailable):  # on a busy machine the one before was killed while it started
                await queue.open()
            await asyncio.sleep(chance.uniform(0.005, 0.03))
            for committer_id in committers(path):
                os.kill(committer_id, signal.SIGKILL)
            await asyncio.sleep(0.01)
        over.set()

    await asyncio.gather(killer(), *(caller(name) for name in range(8)))
    with closing(connect(path, read_only=True)) as connection:
        rows = dict(connection.execute("select message_id, data from queue_messages").fetchall())
    assert stored
    assert len(refused) >= 20
    assert unhandled == []
    assert {number: base64.b64decode(rows.get(number, "")) for number in stored} == stored


async def dying(queue: EmbeddedQueue, path: Path) -> None:
    """Kill the committer and return when its input is closed, before the news of its end."""
    await queue.open()
    process = queue._process
    assert process is not None
    assert process._input is not None
    os.kill(committers(path)[0], signal.SIGKILL)
    while not process._input.is_closing():  # noqa: ASYNC110 - there is nothing to wait for
        await asyncio.sleep(0)


async def test_publishing_while_the_committer_dies(queue: EmbeddedQueue, path: Path) -> None:
    """Between the end of its input and the news of its own end, publishing fails cleanly or is taken by the next."""
    unhandled = unhandled_errors()
    for _ in range(5):
        await dying(queue, path)
        (outcome,) = await asyncio.gather(queue.publish(b"event", {}), return_exceptions=True)
        assert isinstance(outcome, QueueUnavailable | str)
    assert unhandled == []


async def test_closing_while_the_committer_dies(queue: EmbeddedQueue, path: Path) -> None:
    """Then a publish that was under way fails, and closing succeeds."""
    unhandled = unhandled_errors()
    await dying(queue, path)
    publish = asyncio.ensure_future(queue.publish(b"event", {}))
    await asyncio.sleep(0)
    await queue.close()
    assert isinstance(publish.exception(), QueueUnavailable | None)
    assert unhandled == []


async def test_stuck_committer_is_killed_at_the_end(path: Path) -> None:
    """A committer that does not answer holds up the end no longer than waiting for the lock may take."""
    queue = EmbeddedQueue(path, busy_timeout_s=0.05)
    await queue.open()
    os.kill(committers(path)[0], signal.SIGSTOP)
    publish = asyncio.ensure_future(queue.publish(b"event", {}))
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await queue.close()
    assert isinstance(publish.exception(), QueueUnavailable)
    assert not committers(path)
    assert [log["unanswered"] for log in logs] == [1]


async def test_start_that_is_cancelled(queue: EmbeddedQueue) -> None:
    """When everything is being cancelled, so is the start: the publish fails, and closing does not hang."""
    publish = asyncio.ensure_future(queue.publish(b"event", {}))
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {publish, asyncio.current_task()}:
        if "CommitProcess" in repr(task.get_coro()):
            task.cancel()
    with pytest.raises(QueueUnavailable, match="cancelled"):
        await publish
    await queue.close()


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


def test_committer_starts_with_little(project_root: Path) -> None:
    """An event may wait for its start, so it imports neither the event loop nor what writes the logs."""
    program = f"import sys, {committer.__name__}; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], cwd=project_root, check=True, capture_output=True, text=True)
    assert {"asyncio", "structlog", "httpx", "pydantic"} & set(told.stdout.split()) == set()


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
