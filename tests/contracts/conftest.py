"""The stores of `raw` that every suite runs on. A new adapter adds one constructor to STORES."""

import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from backends.warehouse import RawStore
from backends.warehouse.sqlite.store import SqliteRawStore

if TYPE_CHECKING:
    from tests.bigquery_stores import EmptiedDataset

Clock = Callable[[], datetime]
OpenStore = Callable[[], RawStore]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class HandClock:
    """A clock that only moves when told."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> HandClock:
    """The stores' clock."""
    return HandClock()


def sqlite_stores(request: pytest.FixtureRequest, clock: Clock) -> OpenStore:
    """Each call opens the same file once more, as another process would."""
    path: Path = request.getfixturevalue("tmp_path") / "pipeline.sqlite"
    shutil.copy(request.getfixturevalue("migrated"), path)
    return lambda: SqliteRawStore(path, clock=clock)


def bigquery_stores(request: pytest.FixtureRequest, clock: Clock) -> OpenStore:
    """Each call opens the same dataset once more, as another process would."""
    dataset: EmptiedDataset = request.getfixturevalue("bigquery_dataset")
    return dataset.opener(clock)


STORES = [pytest.param(sqlite_stores, id="sqlite"), pytest.param(bigquery_stores, id="bigquery")]


@pytest.fixture(params=STORES)
async def open_store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[OpenStore]:
    """A way to open one store several times; all are closed at the end."""
    open_one: OpenStore = request.param(request, clock)
    async with AsyncExitStack() as stack:

        def opened() -> RawStore:
            store = open_one()
            stack.push_async_callback(store.close)
            return store

        yield opened


@pytest.fixture
def store(open_store: OpenStore) -> RawStore:
    """The store, opened once."""
    return open_store()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run Pub/Sub's emulator, which retries once a second, on the services' event loop alone."""
    items[:] = [item for item in items if not {"pubsub", "asyncio"} <= set(re.findall(r"\w+", item.name))]
