"""What an upsert of one activity costs with 100,000 stored, as a multiple of what it costs with 1,000."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from backends.warehouse.activities import Observation, Source
from backends.warehouse.sqlite.store import SqliteRawStore
from benchmarks.fake_strava import ATHLETE_ID, recorded_activity
from strava.payload import ActivityPayload

SMALL = 1_000
LARGE = 100_000
ROUNDS = 300
BATCH = 500
START = datetime(2026, 1, 1, tzinfo=UTC)


def observations(first: int, count: int, *, observed_at: datetime = START, title: str = "Ride") -> list[Observation]:
    """Return so many activities of the recorded ride's size, from a first id on, seen at one moment."""
    return [_observation(activity_id, observed_at, title) for activity_id in range(first, first + count)]


def _observation(activity_id: int, observed_at: datetime, title: str) -> Observation:
    start = START - timedelta(hours=activity_id % 40_000)
    fields = recorded_activity() | {
        "id": activity_id,
        "name": title,
        "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{start:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Observation(
        activity_id=activity_id,
        athlete_id=ATHLETE_ID,
        observed_at=observed_at,
        source=Source.BACKFILL,
        activity=ActivityPayload.from_http(json.dumps(fields)),
    )


async def fill(store: SqliteRawStore, count: int) -> None:
    """Store activities 1 … count."""
    for first in range(1, count + 1, BATCH):
        await store.apply(observations(first, min(BATCH, count + 1 - first)))


def measure() -> dict[str, float]:
    """Alternate single upserts into the small and the large store; return the medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = asyncio.run(_measure(Path(folder)))
    return {
        "upsert_small_ms": 1000 * median(small),
        "upsert_large_ms": 1000 * median(large),
        "upsert_growth": median(large) / median(small),
    }


async def _measure(folder: Path) -> tuple[list[float], list[float]]:
    stores = SqliteRawStore(folder / "small.sqlite"), SqliteRawStore(folder / "large.sqlite")
    await fill(stores[0], SMALL)
    await fill(stores[1], LARGE)
    small, large = [], []
    for edited_id, seen_at in _edits():
        small.append(await _upsert(stores[0], 1 + edited_id % SMALL, seen_at))
        large.append(await _upsert(stores[1], 1 + edited_id % LARGE, seen_at))
    for store in stores:
        await store.close()
    return small, large


def _edits() -> Iterator[tuple[int, datetime]]:
    for number in range(ROUNDS):
        yield number * 7_919, START + timedelta(seconds=1 + number)


async def _upsert(store: SqliteRawStore, activity_id: int, seen_at: datetime) -> float:
    edit = observations(activity_id, 1, observed_at=seen_at, title=f"Edited at {seen_at:%H:%M:%S}")
    began = time.perf_counter()
    await store.apply(edit)
    return time.perf_counter() - began
