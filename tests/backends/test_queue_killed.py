"""The embedded queue under kill -9, with real processes and real HTTP: no acknowledged message is lost."""

import asyncio
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

import httpx
import pytest

from backends.queue.embedded import Deliverer, EmbeddedQueue, RedeliveryPolicy
from backends.queue.envelope import PushEnvelope

PUBLISHER = """
import asyncio, os, sys
from pathlib import Path
from backends.queue.embedded import EmbeddedQueue

async def caller(queue, name):
    number = 0
    while True:
        data = f"{name}-{number}"
        await queue.publish(data.encode(), {"event_id": data})
        os.write(1, f"{data}\\n".encode())
        number += 1

async def main():
    queue = EmbeddedQueue(Path(sys.argv[1]))
    await asyncio.gather(*(caller(queue, f"{sys.argv[2]}-{number}") for number in range(8)))

asyncio.run(main())
"""

DELIVERER = """
import asyncio, sys
from pathlib import Path
from backends.queue.embedded import Deliverer, RedeliveryPolicy, push_client

async def main():
    policy = RedeliveryPolicy(min_backoff_s=0.01, ack_deadline_s=30)
    async with push_client() as http:
        await Deliverer(Path(sys.argv[1]), http, sys.argv[2], policy=policy).run(asyncio.Event())

asyncio.run(main())
"""

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from backends.queue import QueueUnavailable
from backends.queue.embedded import EmbeddedQueue

async def main():
    queue = EmbeddedQueue(Path(sys.argv[1]))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, unlimited[1]))
    number = 0
    try:
        while number < 10_000:
            await queue.publish(str(number).encode() * 1000, {})
            number += 1
    except QueueUnavailable:
        print("full at", number)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await queue.publish(b"after" * 100_000, {})
    print("stored", (await queue.status()).waiting - 1)
    await queue.close()

asyncio.run(main())
"""


def start(program: str, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start a program; by default the test reads its output."""
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=stdout, text=True)


@contextmanager
def endpoint(arrived: SimpleQueue[PushEnvelope], free: threading.Event) -> Iterator[str]:
    """Serve a worker that reports the pushes and acknowledges them when the test says so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            arrived.put(PushEnvelope.from_json(self.rfile.read(int(self.headers["content-length"]))))
            free.wait()
            self.send_response_only(204)
            self.end_headers()

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/push"
    finally:
        free.set()
        server.shutdown()
        serving.join()
        server.server_close()


async def deliver_everything(path: Path, *, ahead: timedelta = timedelta()) -> list[PushEnvelope]:
    """Deliver the waiting messages in this process without a network, and return them."""
    delivered: list[PushEnvelope] = []

    def answer(request: httpx.Request) -> httpx.Response:
        delivered.append(PushEnvelope.from_json(request.content))
        return httpx.Response(204)

    stop, queue = asyncio.Event(), EmbeddedQueue(path)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http, asyncio.TaskGroup() as tasks:
        policy = RedeliveryPolicy(concurrency=64)
        deliverer = Deliverer(path, http, "http://w/", policy=policy, clock=lambda: datetime.now(UTC) + ahead)
        tasks.create_task(deliverer.run(stop))
        while (await queue.status()).waiting:  # noqa: ASYNC110 - the port can only be asked
            await asyncio.sleep(0.01)
        stop.set()
    await queue.close()
    return delivered


@pytest.mark.slow
async def test_killed_publisher_loses_nothing(tmp_path: Path) -> None:
    """Every acknowledged message is delivered, although its publisher is killed again and again at random points."""
    path, chance = tmp_path / "pipeline.sqlite", random.Random(4)
    acknowledged: list[str] = []
    for round_ in range(6):
        publisher = start(PUBLISHER, str(path), str(round_))
        assert publisher.stdout is not None
        acknowledged += [publisher.stdout.readline().strip() for _ in range(chance.randrange(1, 200))]
        publisher.kill()
        acknowledged += publisher.communicate()[0].split()
    delivered = [envelope.data.decode() for envelope in await deliver_everything(path)]
    assert len(delivered) == len(set(delivered))
    assert set(acknowledged) <= set(delivered)


@pytest.mark.slow
async def test_killed_deliverer_is_replaced(tmp_path: Path) -> None:
    """After its lease the next deliverer pushes what a killed one was pushing, as a further attempt."""
    path = tmp_path / "pipeline.sqlite"
    queue = EmbeddedQueue(path)
    ids = await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(30)))
    await queue.close()
    arrived: SimpleQueue[PushEnvelope] = SimpleQueue()
    with endpoint(arrived, threading.Event()) as url:
        deliverer = start(DELIVERER, str(path), url, stdout=subprocess.DEVNULL)
        in_hand = {(await asyncio.to_thread(arrived.get)).message_id for _ in range(16)}
        deliverer.kill()
        deliverer.communicate()
        attempts = {
            envelope.message_id: envelope.delivery_attempt
            for envelope in await deliver_everything(path, ahead=timedelta(seconds=36))
        }
    assert attempts == {message_id: 2 if message_id in in_hand else 1 for message_id in ids}


@pytest.mark.slow
async def test_deliverers_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    """After deliverers are killed, only the messages that they were pushing are delivered again."""
    path, chance = tmp_path / "pipeline.sqlite", random.Random(5)
    queue = EmbeddedQueue(path)
    ids = await asyncio.gather(*(queue.publish(b"event", {}) for _ in range(600)))
    await queue.close()
    arrived: SimpleQueue[PushEnvelope] = SimpleQueue()
    seen: list[str] = []
    free = threading.Event()
    free.set()
    with endpoint(arrived, free) as url:
        for _ in range(4):
            deliverer = start(DELIVERER, str(path), url, stdout=subprocess.DEVNULL)
            seen += [(await asyncio.to_thread(arrived.get)).message_id for _ in range(chance.randrange(1, 100))]
            deliverer.kill()
            deliverer.communicate()
    while not arrived.empty():
        seen.append(arrived.get().message_id)
    seen += [envelope.message_id for envelope in await deliver_everything(path, ahead=timedelta(seconds=36))]
    assert set(seen) == set(ids)
    assert len(seen) - len(ids) <= 4 * 16


@pytest.mark.slow
async def test_two_deliverer_processes(tmp_path: Path) -> None:
    """Two deliverer processes at once deliver each message once."""
    path = tmp_path / "pipeline.sqlite"
    queue = EmbeddedQueue(path)
    ids = await asyncio.gather(*(queue.publish(json.dumps(n).encode(), {}) for n in range(400)))
    arrived: SimpleQueue[PushEnvelope] = SimpleQueue()
    free = threading.Event()
    free.set()
    with endpoint(arrived, free) as url:
        deliverers = [start(DELIVERER, str(path), url, stdout=subprocess.DEVNULL) for _ in range(2)]
        while (await queue.status()).waiting:  # noqa: ASYNC110 - other processes do the work
            await asyncio.sleep(0.01)
        for deliverer in deliverers:
            deliverer.kill()
            deliverer.communicate()
    await queue.close()
    assert sorted(arrived.get().message_id for _ in range(arrived.qsize())) == sorted(ids)


@pytest.mark.slow
def test_full_disk_is_unavailable(tmp_path: Path) -> None:
    """On a full disk a publish raises QueueUnavailable. Acknowledged messages remain, and publishing recovers."""
    program = start(FULL_DISK, str(tmp_path / "pipeline.sqlite"))
    lines = dict(line.rsplit(" ", 1) for line in program.communicate()[0].splitlines())
    assert program.returncode == 0
    assert 0 < int(lines["full at"]) == int(lines["stored"])
