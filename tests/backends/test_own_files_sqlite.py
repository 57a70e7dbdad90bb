"""Own files in the pipeline's SQLite file: when they are compared again, and what stays of a deleted one."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from backends.warehouse.sqlite.store import SqliteRawStore
from tests.contracts.conftest import HandClock
from tests.contracts.test_own_files import NOON, an_import, gone, item, known, listed, of_row, recorded, shown, unlinked
from tests.contracts.test_raw_store import athlete


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "pipeline.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteRawStore]:
    """A store with an import of ANNA's, who is connected."""
    store = SqliteRawStore(path, clock=HandClock())
    await store.put_athlete(athlete())
    await store.put_import(an_import())
    yield store
    await store.close()


async def test_a_file_is_not_compared_again_while_nothing_comes(path: Path, store: SqliteRawStore) -> None:
    """An activity that was there when the file was compared asks for nothing; one that changes does."""
    await store.apply([shown(3)])
    clock = HandClock()
    clock.now = NOON + timedelta(seconds=2)
    later = SqliteRawStore(path, clock=clock)
    await later.put_files([recorded()], [item()])
    assert await unlinked(later) == []
    await later.apply([shown(3, at=clock.now, name="renamed")])
    assert await unlinked(later) == ["aa/0"]
    await later.close()


async def test_nothing_of_what_followed_a_delete_stays_in_the_file(path: Path, store: SqliteRawStore) -> None:
    """Neither the row's words nor the recording's, once the log is emptied."""
    words = "Sunrise over Zurich" * 200
    await store.put_archive_rows([listed(name=words)], "i1")
    await store.put_files([of_row(streams=f'{{"{words}": 1}}')], [item()])
    await store.apply([gone()])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert b"Sunrise over Zurich" not in path.read_bytes()


async def test_an_archive_may_outlive_a_delete(tmp_path: Path) -> None:
    """Where it does not follow, neither what is stored goes nor is anything skipped later."""
    store = SqliteRawStore(tmp_path / "kept.sqlite", archive_follows=False)
    await store.put_import(an_import())
    await store.put_archive_rows([listed(1)], "i1")
    await store.put_files([of_row()], [item()])
    await store.apply([gone(1), gone(2)])
    assert await known(store) == {1: "archive", "aa/0": "file"}
    assert [each.outcome for each in await store.put_archive_rows([listed(2)], "i1")] == ["new"]
    await store.close()
