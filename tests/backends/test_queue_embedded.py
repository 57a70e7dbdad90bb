"""The embedded queue inside one process: leases, several deliverers, stopping, and a file that cannot be used."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog

from backends.queue import QueueUnavailable
from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy
from backends.queue.envelope import PushEnvelope
from backends.sqlite import connect, open_database

Worker = Callable[[PushEnvelope], Awaitable[int]]
SOON = RedeliveryPolicy(min_backoff_s=0.01, max_backoff_s=0.02, max_delivery_attempts=3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The queue's file."""
    return tmp_path / "pipeline.sqlite"


@pytest.fixture
async def queue(path: Path) -> AsyncIterator[EmbeddedQueue]:
    """An empty queue that waits at most 50 ms for the lock."""
    queue = EmbeddedQueue(path, busy_timeout_s=0.05, publish_timeout_s=30)
    yield queue
    await queue.close()


def http_of(worker: Worker) -> httpx.AsyncClient:
    """Return a client that calls the worker without a network."""

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(await worker(PushEnvelope.from_json(request.content)))

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


@asynccontextmanager
async def delivering(
    path: Path, worker: Worker, policy: RedeliveryPolicy = SOON, *, ahead: timedelta = timedelta()
) -> AsyncIterator[asyncio.Event]:
    """Run a deliverer with its clock ahead while the context lasts or until the event is set."""
    stop = asyncio.Event()
    async with http_of(worker) as http, asyncio.TaskGroup() as tasks:
        clock = lambda: datetime.now(UTC) + ahead  # noqa: E731 - one line says it
        deliverer = Deliverer(path, http, "http://worker/push", policy=policy, clock=clock, busy_timeout_s=0.05)
        tasks.create_task(deliverer.run(stop))
        yield stop
        stop.set()


async def is_waiting(queue: EmbeddedQueue) -> bool:
    """Whether a message waits. On a busy machine the file may be locked at the moment."""
    try:
        return (await queue.status()).waiting > 0
    except QueueUnavailable:
        return True


async def drained(queue: EmbeddedQueue) -> None:
    """Wait until no message waits."""
    while await is_waiting(queue):  # noqa: ASYNC110 - the port can only be asked
        await asyncio.sleep(0.005)


class Recorder:
    """A worker that keeps the pushes and answers 204 or what the test says."""

    def __init__(self, answer: Callable[[PushEnvelope], int] = lambda _: 204) -> None:
        self.envelopes: list[PushEnvelope] = []
        self._answer = answer
        self._arrived = asyncio.Condition()

    async def __call__(self, envelope: PushEnvelope) -> int:
        async with self._arrived:
            self.envelopes.append(envelope)
            self._arrived.notify_all()
        return self._answer(envelope)

    async def received(self, how_many: int) -> None:
        """Wait until so many have arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.envelopes) >= how_many)


class Holding:
    """A worker that answers when the test says so and counts the pushes that wait."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.begun = asyncio.Semaphore(0)
        self.free = asyncio.Event()
        self.most = self.now = self.done = 0

    async def __call__(self, envelope: PushEnvelope) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.release()
        await self.free.wait()
        self.now -= 1
        self.done += 1
        return self.status


async def test_leased_message_is_nobody_elses(queue: EmbeddedQueue, path: Path) -> None:
    """While one deliverer holds a message, another delivers only the others."""
    holding, other = Holding(), Recorder()
    held = await queue.publish(b"held", {})
    async with delivering(path, holding, RedeliveryPolicy(concurrency=1)):
        await holding.begun.acquire()
        async with delivering(path, other):
            free = [await queue.publish(b"free", {}) for _ in range(5)]
            await other.received(5)
        holding.free.set()
    assert sorted(envelope.message_id for envelope in other.envelopes) == sorted(free)
    assert held not in free
    assert holding.done == 1


async def test_a_lease_outlives_the_longest_push(queue: EmbeddedQueue, path: Path) -> None:
    """Nobody takes a message whose push may still be acknowledged."""
    await queue.publish(b"event", {})
    holding = Holding()
    async with delivering(path, holding, RedeliveryPolicy(ack_deadline_s=30)):
        await holding.begun.acquire()
        with closing(connect(path, read_only=True)) as connection:
            [(lease_ms,)] = connection.execute("select due_ms - decided_ms from queue_messages").fetchall()
        holding.free.set()
    assert lease_ms > 30_000


async def test_ended_lease_is_delivered_again(queue: EmbeddedQueue, path: Path) -> None:
    """When a deliverer dies, another delivers its message after the lease has ended."""
    await queue.publish(b"event", {})
    holding, other = Holding(), Recorder()
    with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
        async with delivering(path, holding):
            await holding.begun.acquire()
            raise asyncio.CancelledError
    async with delivering(path, other, ahead=timedelta(seconds=66)):
        await drained(queue)
    assert [envelope.delivery_attempt for envelope in other.envelopes] == [2]


async def test_late_answer_of_a_lost_lease(queue: EmbeddedQueue, path: Path) -> None:
    """A refusal after the lease has ended does not release the lease of the next deliverer."""
    slow, holding, third = Holding(status=503), Holding(), Recorder()
    await queue.publish(b"event", {})
    async with AsyncExitStack() as first:
        await first.enter_async_context(delivering(path, slow))
        await slow.begun.acquire()
        async with delivering(path, holding, RedeliveryPolicy(concurrency=1), ahead=timedelta(seconds=66)):
            await holding.begun.acquire()
            slow.free.set()
            await first.aclose()
            marker = await queue.publish(b"marker", {})
            async with delivering(path, third, ahead=timedelta(seconds=66)):
                await third.received(1)
            holding.free.set()
    assert [envelope.message_id for envelope in third.envelopes] == [marker]
    assert (await queue.status()).waiting == 0


async def test_attempts_spent_by_killed_deliverers(queue: EmbeddedQueue, path: Path) -> None:
    """Attempts of killed deliverers count too. A message without attempts left is dead and not pushed."""
    await queue.publish(b"event", {})
    for round_ in range(3):
        holding = Holding()
        with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
            async with delivering(path, holding, ahead=timedelta(seconds=66 * round_)):
                await holding.begun.acquire()
                raise asyncio.CancelledError
    last = Recorder()
    async with delivering(path, last, ahead=timedelta(seconds=66 * 3)):
        await drained(queue)
    assert last.envelopes == []
    with closing(connect(path, read_only=True)) as connection:
        dead = connection.execute("select state, last_failure from queue_messages").fetchall()
    assert dead == [("dead", "the deliverer was killed")]


async def test_two_deliverers_share_the_work(queue: EmbeddedQueue, path: Path) -> None:
    """Two deliverers at once deliver each message once."""
    ids = await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(300)))
    one, two = Recorder(), Recorder()
    async with delivering(path, one), delivering(path, two):
        await drained(queue)
    assert sorted(envelope.message_id for envelope in one.envelopes + two.envelopes) == sorted(ids)


async def test_concurrency_is_bounded(queue: EmbeddedQueue, path: Path) -> None:
    """At most `concurrency` pushes are under way at once, and exactly so many when enough messages wait."""
    await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(20)))
    holding = Holding()
    async with delivering(path, holding, RedeliveryPolicy(concurrency=4)):
        for _ in range(4):
            await holding.begun.acquire()
        holding.free.set()
        await drained(queue)
    assert (holding.most, holding.done) == (4, 20)


async def test_stop_finishes_what_is_in_flight(queue: EmbeddedQueue, path: Path) -> None:
    """A stopped deliverer leases nothing, waits for its pushes and stores their acknowledgements."""
    await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(10)))
    holding = Holding()
    async with delivering(path, holding, RedeliveryPolicy(concurrency=4)) as stop:
        for _ in range(4):
            await holding.begun.acquire()
        stop.set()
        holding.free.set()
    assert holding.done == 4
    assert (await queue.status()).waiting == 6


async def test_stop_waits_for_a_hanging_worker_no_longer_than_the_grace(queue: EmbeddedQueue, path: Path) -> None:
    """A push without an answer by then has failed. No lease remains that would delay the next deliverer."""
    await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(5)))
    holding, later = Holding(), Recorder()
    policy = RedeliveryPolicy(concurrency=4, min_backoff_s=0.01, stop_grace_s=0.1)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(5), delivering(path, holding, policy) as stop:
            for _ in range(4):
                await holding.begun.acquire()
            stop.set()
    told = [(log["event"], log["reason"]) for log in logs]
    assert told == [("queue.deferred", "the deliverer was stopped before the worker answered")] * 4
    async with asyncio.timeout(5), delivering(path, later):
        await drained(queue)
    assert sorted(envelope.delivery_attempt for envelope in later.envelopes) == [1, 2, 2, 2, 2]


async def test_a_push_that_begins_after_the_grace_fails_at_once(queue: EmbeddedQueue, path: Path) -> None:
    """The message was leased in the moment of the stop; no deadline of a minute is waited for."""
    await queue.publish(b"event", {})
    stop = asyncio.Event()

    def clock() -> datetime:
        stop.set()
        return datetime.now(UTC)

    policy = RedeliveryPolicy(stop_grace_s=0)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(30), http_of(Holding()) as http:
            await Deliverer(path, http, "http://worker/push", policy=policy, clock=clock).run(stop)
    assert [log["reason"] for log in logs] == ["the deliverer was stopped before the worker answered"]


async def test_silent_worker_times_out(queue: EmbeddedQueue, path: Path) -> None:
    """An answer after the deadline does not acknowledge, and the message is tried again."""
    attempts: list[int] = []

    async def silent_at_first(envelope: PushEnvelope) -> int:
        attempts.append(envelope.delivery_attempt)
        if envelope.delivery_attempt == 1:
            await asyncio.Event().wait()
        return 204

    await queue.publish(b"event", {})
    async with delivering(path, silent_at_first, RedeliveryPolicy(ack_deadline_s=0.05, min_backoff_s=0.01)):
        await drained(queue)
    assert attempts == [1, 2]


async def test_a_worker_that_is_away_for_long_costs_no_message_its_life(queue: EmbeddedQueue, path: Path) -> None:
    """While the worker cannot be reached, attempts do not count. The message is delivered once it can."""
    attempts: list[int] = []

    async def away_at_first(envelope: PushEnvelope) -> int:
        attempts.append(envelope.delivery_attempt)
        if envelope.delivery_attempt <= 5:
            raise httpx.ConnectError("nobody listens")
        return 204

    await queue.publish(b"patient", {})
    policy = RedeliveryPolicy(max_delivery_attempts=2, min_backoff_s=0.001, max_backoff_s=0.001)
    async with delivering(path, away_at_first, policy):
        await drained(queue)
    assert (attempts, (await queue.status()).dead) == ([1, 2, 3, 4, 5, 6], 0)


async def test_unreachable_worker_is_outwaited(queue: EmbeddedQueue, path: Path) -> None:
    """A connection error is followed by another attempt."""
    attempts: list[int] = []

    async def unreachable_at_first(envelope: PushEnvelope) -> int:
        attempts.append(envelope.delivery_attempt)
        if envelope.delivery_attempt == 1:
            raise httpx.ConnectError("nobody listens")
        return 204

    await queue.publish(b"event", {})
    async with delivering(path, unreachable_at_first):
        await drained(queue)
    assert attempts == [1, 2]


async def test_without_dead_letter_address(queue: EmbeddedQueue, path: Path) -> None:
    """Without a dead-letter address a dead letter is kept with its payload and the reason."""
    await queue.publish(b"poison", {"event_id": "e1"})
    async with delivering(path, Recorder(lambda _: 500)):
        await drained(queue)
    with closing(connect(path, read_only=True)) as connection:
        row = connection.execute("select data, attempts, last_failure from queue_messages where state = 'dead'")
        assert row.fetchone() == ("cG9pc29u", 3, "answered 500")


async def test_dead_letter_address_taken_away(queue: EmbeddedQueue, path: Path) -> None:
    """A dead letter whose address was removed from the settings is kept and not pushed."""
    await queue.publish(b"poison", {})
    worker = Recorder(lambda envelope: 503)
    policy = RedeliveryPolicy(max_delivery_attempts=1, dead_letter_url="http://worker/dead-letter", min_backoff_s=0.01)
    async with delivering(path, worker, policy):
        await worker.received(2)
    assert worker.envelopes[1].subscription == "dead-letter"
    later = Recorder()
    async with delivering(path, later, ahead=timedelta(seconds=66)):
        await drained(queue)
    assert (later.envelopes, (await queue.status()).dead) == ([], 1)


async def test_ends_are_logged_with_their_ids(queue: EmbeddedQueue, path: Path) -> None:
    """Each delivery is logged with its message id and event id, and without its data."""
    message_id = await queue.publish(b"private", {"event_id": "e1"})
    other_id = await queue.publish(b"private", {"event_id": "e2"})
    worker = Recorder(lambda envelope: 204 if envelope.attributes["event_id"] == "e1" else 503)
    with structlog.testing.capture_logs() as logs:
        async with delivering(path, worker):
            await drained(queue)
    told = sorted((log["event"], log["message_id"], log["event_id"], log["attempt"]) for log in logs)
    assert told == [
        ("queue.dead", other_id, "e2", 3),
        ("queue.deferred", other_id, "e2", 1),
        ("queue.deferred", other_id, "e2", 2),
        ("queue.delivered", message_id, "e1", 1),
    ]
    assert "private" not in str(logs)


async def test_locked_file_is_unavailable(queue: EmbeddedQueue, path: Path) -> None:
    """While the file is locked, publishing raises QueueUnavailable and stores nothing. Then it recovers."""
    with closing(open_database(path)) as other:
        other.execute("begin immediate")
        with pytest.raises(QueueUnavailable, match="locked"):
            await queue.publish(b"event", {})
        other.execute("rollback")
    assert (await queue.status()).waiting == 0
    assert await queue.publish(b"event", {})


@pytest.mark.slow
async def test_locked_file_is_outwaited_by_the_deliverer(queue: EmbeddedQueue, path: Path) -> None:
    """A deliverer that cannot write logs it, keeps running, and delivers once it can write."""
    await queue.publish(b"event", {})
    worker = Recorder()
    with closing(open_database(path)) as other, structlog.testing.capture_logs() as logs:
        other.execute("begin immediate")
        async with delivering(path, worker):
            while not logs:  # noqa: ASYNC110 - a log can only be read
                await asyncio.sleep(0.005)
            other.execute("rollback")
            await drained(queue)
    assert logs[0]["event"] == "queue.unavailable"
    assert len(worker.envelopes) == 1


async def test_a_locked_file_does_not_hold_up_a_stop(queue: EmbeddedQueue, path: Path) -> None:
    """What ended cannot be settled then: the deliverer ends, and the message comes again after its lease."""
    await queue.publish(b"event", {})
    holding, later = Holding(), Recorder()
    with closing(open_database(path)) as other:
        async with asyncio.timeout(30), delivering(path, holding) as stop:
            await holding.begun.acquire()
            other.execute("begin immediate")
            stop.set()
            holding.free.set()
        other.execute("rollback")
    async with delivering(path, later, ahead=timedelta(seconds=66)):
        await drained(queue)
    assert [envelope.delivery_attempt for envelope in later.envelopes] == [2]


async def test_missing_file_is_unavailable(queue: EmbeddedQueue, path: Path) -> None:
    """Without its file, `status` raises QueueUnavailable."""
    path.rename(path.with_suffix(".away"))
    with pytest.raises(QueueUnavailable):
        await queue.status()


async def test_wrong_attribute_fails_alone(queue: EmbeddedQueue) -> None:
    """A message that cannot be encoded fails alone, before anything is stored."""
    good, bad = queue.publish(b"good", {}), queue.publish(b"bad", {"broken": "\ud800"})
    outcomes = await asyncio.gather(good, bad, return_exceptions=True)
    assert isinstance(outcomes[0], str)
    assert isinstance(outcomes[1], TypeError)
    assert (await queue.status()).waiting == 1


async def test_impatient_publisher(queue: EmbeddedQueue) -> None:
    """The message of a cancelled publish may be stored, and later publishes work."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(queue.publish(b"first", {}), timeout=0)
    assert await queue.publish(b"second", {})
    assert (await queue.status()).waiting in {1, 2}


async def test_ids_are_never_given_twice(path: Path) -> None:
    """Ids keep rising after every message was delivered and the file was reopened."""
    seen: list[int] = []
    for _ in range(3):
        queue = EmbeddedQueue(path)
        seen.append(int(await queue.publish(b"event", {})))
        async with delivering(path, Recorder()):
            await drained(queue)
        await queue.close()
    assert seen == sorted(set(seen))


async def test_unusable_folder_is_told_at_the_start(tmp_path: Path) -> None:
    """A queue whose file cannot be created fails when it is opened, not at the first event."""
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, sqlite3.Error)):
        EmbeddedQueue(tmp_path / "file" / "pipeline.sqlite")
