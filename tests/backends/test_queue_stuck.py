"""The embedded queue when its committing process hangs or its file is taken away: it says so, and gets over it."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.queue import QueueStatus, QueueUnavailable, committer
from backends.queue.embedded import EmbeddedQueue
from backends.sqlite import connect, open_database

pytestmark = pytest.mark.uvloop_too


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the queue lies."""
    return tmp_path / "data" / "pipeline.sqlite"


@pytest.fixture
async def queue(path: Path) -> AsyncIterator[EmbeddedQueue]:
    """An open queue that takes its committer for stuck after about a second."""
    queue = EmbeddedQueue(path, busy_timeout_s=0.05)
    await queue.open()
    yield queue
    await queue.close()


def committer_id() -> int:
    """Return the id of the only committer among our children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    (child,) = [each for each in children if committer.__name__ in Path(f"/proc/{each}/cmdline").read_text()]
    return int(child)


async def once_well(queue: EmbeddedQueue) -> QueueStatus:
    """Ask until the queue is available again."""
    async with asyncio.timeout(20):
        while True:
            with suppress(QueueUnavailable):
                return await queue.status()


def move_away(path: Path, name: str) -> None:
    """Rename the file and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(name + suffix))


def rows_of(path: Path) -> int:
    """Count the messages in the file."""
    with closing(connect(path, read_only=True)) as connection:
        return int(connection.execute("select count(*) from queue_messages").fetchone()[0])


async def test_stuck_committer_is_replaced(queue: EmbeddedQueue) -> None:
    """What a committer leaves unanswered for too long fails, and the next publish is stored by another one."""
    stuck = committer_id()
    os.kill(stuck, signal.SIGSTOP)
    with capture_logs() as logs:
        outcomes = await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(3)), return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {"the committing process did not answer for 1.05 s"}
    assert [(log["event"], log["unanswered"]) for log in logs] == [("queue.committer_ended", 3)]
    assert await queue.publish(b"event", {})
    assert committer_id() != stuck


async def test_idle_committer_is_not_stuck(queue: EmbeddedQueue) -> None:
    """Answering every batch is enough: neither a long pause nor steady work ends a committer."""
    first = committer_id()
    for _ in range(6):
        await queue.publish(b"event", {})
        await asyncio.sleep(0.3)
    await asyncio.sleep(1.5)
    assert await queue.publish(b"event", {})
    assert committer_id() == first


async def test_status_tells_of_a_stuck_committer(queue: EmbeddedQueue) -> None:
    """While nothing could be published the queue cannot be called well, and it is once that is over."""
    stuck = committer_id()
    os.kill(stuck, signal.SIGSTOP)
    with pytest.raises(QueueUnavailable, match=r"(did not|has not) answer"):
        await queue.status()
    assert (await once_well(queue)).waiting == 0
    assert committer_id() != stuck


async def test_status_tells_of_a_full_disk(queue: EmbeddedQueue, path: Path) -> None:
    """A queue that can be read but takes no message is not well, and it is again once there is room."""
    await queue.publish(b"event", {})
    limits = resource.prlimit(committer_id(), resource.RLIMIT_FSIZE)
    resource.prlimit(committer_id(), resource.RLIMIT_FSIZE, (1, limits[1]))
    with pytest.raises(QueueUnavailable, match="could not be used"):
        await queue.status()
    resource.prlimit(committer_id(), resource.RLIMIT_FSIZE, limits)
    assert (await queue.status()).waiting == 1
    assert rows_of(path) == 1


async def test_status_is_soon_told(path: Path) -> None:
    """Whoever asks learns of a stuck committer long before it is given up."""
    queue = EmbeddedQueue(path, busy_timeout_s=5)
    await queue.open()
    os.kill(committer_id(), signal.SIGSTOP)
    async with asyncio.timeout(4):
        with pytest.raises(QueueUnavailable, match=r"has not answered for 1\.5 s"):
            await queue.status()
    os.kill(committer_id(), signal.SIGCONT)
    assert (await once_well(queue)).waiting == 0
    await queue.close()


async def test_status_tells_of_a_committer_that_cannot_start(queue: EmbeddedQueue, path: Path) -> None:
    """A committer that ended and cannot open the file again makes the queue unavailable to whoever asks."""
    with closing(open_database(path)) as other:
        version = other.execute("pragma user_version").fetchone()[0]
        other.execute("pragma user_version = 999")
        os.kill(committer_id(), signal.SIGKILL)
        with pytest.raises(QueueUnavailable, match=r"exit code -9|is ending|Upgrade the program"):
            await queue.status()
        with pytest.raises(QueueUnavailable, match="Upgrade the program"):
            await queue.publish(b"event", {})
        other.execute(f"pragma user_version = {version}")
    assert (await queue.status()).waiting == 0


async def test_asking_publishes_nothing(queue: EmbeddedQueue, path: Path) -> None:
    """Asking for the state stores no message and uses up no id, also while events are being published."""
    ids = [
        int(await publish)
        for publish in [asyncio.ensure_future(queue.publish(b"event", {})) for _ in range(20)]
        if await queue.status()
    ]
    assert ids == list(range(1, 21))
    assert rows_of(path) == 20


async def test_file_that_was_moved_away_takes_no_more_events(queue: EmbeddedQueue, path: Path) -> None:
    """An event is never stored in a file that nobody will read again, but in a new one."""
    await queue.publish(b"before", {})
    move_away(path, "away.sqlite")
    assert await queue.publish(b"after", {})
    assert (await queue.status()).waiting == 1
    assert (rows_of(path.with_name("away.sqlite")), rows_of(path)) == (1, 1)


async def test_file_that_was_replaced_is_the_one_that_is_used(queue: EmbeddedQueue, path: Path) -> None:
    """After a backup was put in the file's place, events go there."""
    open_database(path.with_name("backup.sqlite")).close()
    move_away(path, "away.sqlite")
    path.with_name("backup.sqlite").rename(path)
    ids = await asyncio.gather(*(queue.publish(b"after", {}) for _ in range(3)))
    assert (ids, rows_of(path)) == (["1", "2", "3"], 3)


async def test_file_that_cannot_be_opened_anew_refuses(queue: EmbeddedQueue, path: Path) -> None:
    """While something else lies in the file's place every event is refused; once that is gone, they are stored."""
    await queue.publish(b"before", {})
    move_away(path, "away.sqlite")
    path.write_text("no database" * 200)
    for _ in range(2):
        with pytest.raises(QueueUnavailable, match="not a database"):
            await queue.publish(b"refused", {})
    path.unlink()
    assert await queue.publish(b"after", {})
    assert rows_of(path) == 1
