"""The stores of `raw` that the suites with a clock run on. A new adapter adds one constructor to STORES."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.warehouse import RawStore
from backends.warehouse.sqlite.store import SqliteRawStore

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


def sqlite_store(folder: Path, clock: HandClock) -> RawStore:
    """The store in SQLite; opened once more, as another process would."""
    return SqliteRawStore(folder / "pipeline.sqlite", clock=clock)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run Pub/Sub's emulator, which retries once a second, on the services' event loop alone."""
    items[:] = [item for item in items if not {"pubsub", "asyncio"} <= set(re.findall(r"\w+", item.name))]


STORES = [pytest.param(sqlite_store, id="sqlite")]
