"""Durable webhook answers a second, as a share of what an ASGI application that does nothing reaches."""

import functools
import tempfile
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from athlete.programs import at_defaults
from athlete.supervisor import free_port
from backends.sqlite import connect
from benchmarks.load import LoadResult, load
from benchmarks.servers import running
from service.settings import ServiceSettings

CONNECTIONS = 64
ROUNDS = 9
SECONDS = 2.0
SECRET = "benchmark-benchmark"  # noqa: S105


EVENT = (
    b'{"aspect_type":"create","event_time":1700000000,"object_id":%d,"object_type":"activity",'
    b'"owner_id":4242424242,"subscription_id":1,"updates":{}}'
)


def event(number: int, first: int = 1) -> bytes:
    """Return the body of one event of its own."""
    return EVENT % (first + number)


def measure() -> dict[str, float]:
    """Alternate rounds of bare and durable answers; return the ratio of the medians, and the durable p99."""
    bare_port, service_port = free_port(), free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(["-m", "benchmarks.baseline", str(bare_port)], f"http://127.0.0.1:{bare_port}/"),
        running(
            ["-m", "service.main"], f"http://127.0.0.1:{service_port}/health", _settings(folder, service_port), folder
        ),
    ):
        bare: list[LoadResult] = []
        durable: list[LoadResult] = []
        for number in range(ROUNDS):
            bodies = functools.partial(event, first=1 + number * 1_000_000)
            bare.append(load(bare_port, "/", bodies, connections=CONNECTIONS, seconds=SECONDS))
            durable.append(load(service_port, f"/webhook/{SECRET}", bodies, connections=CONNECTIONS, seconds=SECONDS))
        check_kept(Path(folder) / "pipeline.sqlite", answered=sum(len(result.latencies_s) for result in durable))
    return {
        "webhook_bare_per_s": median(result.answers_per_s for result in bare),
        "webhook_durable_per_s": median(result.answers_per_s for result in durable),
        "webhook_ratio": median(r.answers_per_s for r in durable) / median(r.answers_per_s for r in bare),
        "webhook_p99_ms": 1000 * median(quantiles(result.latencies_s, n=100)[98] for result in durable),
    }


def check_kept(pipeline: Path, *, answered: int) -> None:
    """Raise RuntimeError unless the queue's file holds what was answered: only a kept event may be answered 200."""
    with closing(connect(pipeline, read_only=True)) as connection:
        (kept,) = connection.execute("select count(*) from queue_messages").fetchone()
    if kept < answered:
        raise RuntimeError(f"the service answered {answered:,} events, but its queue holds only {kept:,}")


def _settings(folder: str, port: int) -> dict[str, str]:
    return {
        **at_defaults(ServiceSettings),
        "DATA_DIR": folder,
        "SERVICE_PORT": str(port),
        "WEBHOOK_PATH_SECRET": SECRET,
        "STRAVA_VERIFY_TOKEN": SECRET,
    }
