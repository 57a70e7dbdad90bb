"""The deliverer respects `retry-after`, and an attempt with it does not count towards the limit."""

import asyncio
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy
from backends.queue.envelope import PushEnvelope
from backends.sqlite import MIGRATIONS, open_database
from runtime.clock import utc_text

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Worker:
    """Gives the test's answers; keeps the attempts that it saw and their times by the test's clock."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.now = NOON
        self.seen: list[tuple[int, datetime]] = []
        self.is_done = asyncio.Event()
        self._answers = list(answers)

    def clock(self) -> datetime:
        """Advance by an hour at each look, so that the test does not wait."""
        self.now += timedelta(hours=1)
        return self.now

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((PushEnvelope.from_json(request.content).delivery_attempt, self.now))
        answer = self._answers.pop(0)
        if not self._answers:
            self.is_done.set()
        return answer


async def deliver(path: Path, worker: Worker, policy: RedeliveryPolicy) -> int:
    """Publish one event, deliver until the worker has given all its answers, and count the dead letters."""
    queue = EmbeddedQueue(path, clock=lambda: NOON)
    await queue.publish(b"event", {})
    stop = asyncio.Event()
    patient = replace(policy, ack_deadline_s=30 * 86_400)  # a lease outlasts the leaps of the clock
    async with httpx.AsyncClient(transport=httpx.MockTransport(worker)) as http, asyncio.TaskGroup() as tasks:
        tasks.create_task(Deliverer(path, http, "http://worker/push", policy=patient, clock=worker.clock).run(stop))
        await worker.is_done.wait()
        stop.set()
    dead = (await queue.status()).dead
    await queue.close()
    return dead


@pytest.mark.slow
@pytest.mark.parametrize(("stated", "least_h"), [("43200", 12), ("9999999999", 24)])
async def test_the_worker_is_not_asked_before_the_time_it_named(tmp_path: Path, stated: str, least_h: int) -> None:
    """A wait of half a day is kept, and a longer wait than a day becomes one day."""
    worker = Worker(httpx.Response(429, headers={"retry-after": stated}), httpx.Response(204))
    await deliver(tmp_path / "pipeline.sqlite", worker, RedeliveryPolicy())
    (first, began), (second, again) = worker.seen
    assert (first, second) == (1, 2)
    assert timedelta(hours=least_h) <= again - began <= timedelta(hours=least_h + 6)


@pytest.mark.slow
async def test_days_of_waiting_make_no_dead_letter(tmp_path: Path) -> None:
    """With three attempts allowed, ten deferrals and two failures still end in a delivery with its count."""
    put_off = [httpx.Response(503, headers={"retry-after": "3600"}) for _ in range(10)]
    worker = Worker(*put_off, httpx.Response(500), httpx.Response(500), httpx.Response(204))
    assert await deliver(tmp_path / "pipeline.sqlite", worker, RedeliveryPolicy(max_delivery_attempts=3)) == 0
    assert [attempt for attempt, _ in worker.seen] == list(range(1, 14))


@pytest.mark.parametrize("stated", ["", "soon", "-1", "Wed, 25 Nov 2026 00:00:00 GMT"])
async def test_what_is_no_number_of_seconds_is_an_ordinary_failure(tmp_path: Path, stated: str) -> None:
    """An answer without `retry-after` counts as an attempt, and the last one makes a dead letter."""
    worker = Worker(httpx.Response(503, headers={"retry-after": stated}))
    assert await deliver(tmp_path / "pipeline.sqlite", worker, RedeliveryPolicy(max_delivery_attempts=1)) == 1


async def test_a_file_from_before_deferrals_were_counted(tmp_path: Path) -> None:
    """A message of the queue's first schema is deferred and delivered, and no published migration changes."""
    path, first_two = tmp_path / "pipeline.sqlite", tmp_path / "migrations"
    first_two.mkdir()
    for migration in sorted(MIGRATIONS.glob("*.sql"))[:2]:
        shutil.copy(migration, first_two)
    with closing(open_database(path, migrations=first_two)) as old:
        columns = [row[1] for row in old.execute("pragma table_info(queue_messages)")]
        old.execute(
            "insert into queue_messages (data, attributes, published_at, due_ms) values ('b2xk', '{}', ?, 0)",
            (utc_text(NOON),),
        )
    assert "deferrals" not in columns  # a migration that was released is never edited
    put_off = [httpx.Response(503, headers={"retry-after": "3600"}) for _ in range(2)]
    worker = Worker(*put_off, httpx.Response(204), httpx.Response(204))
    assert await deliver(path, worker, RedeliveryPolicy(max_delivery_attempts=1)) == 0
