"""Own files in the pipeline's SQLite file, and what code that both engines share decides about them."""

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from backends.warehouse.sqlite.store import SqliteRawStore
from tests.contracts.conftest import HandClock
from tests.contracts.test_own_files import (
    EXPORTED,
    NOON,
    an_import,
    gone,
    item,
    known,
    listed,
    of_row,
    outcomes,
    recorded,
    shown,
    unlinked,
)
from tests.contracts.test_raw_store import ANNA, athlete

IMPORTING = """
import asyncio, os, sys
from pathlib import Path
from backends.warehouse.sqlite.store import SqliteRawStore
from tests.contracts.test_own_files import an_import, item, listed, of_row

async def main():
    store = SqliteRawStore(Path(sys.argv[1]))
    await store.put_import(an_import())
    number = 0
    while True:
        some = range(number, number + 5)
        await store.put_archive_rows([listed(each) for each in some], "i1")
        files = [of_row(f"f{each}", each) for each in some]
        await store.put_files(files, [item(f"f{each}", activity_id=each) for each in some])
        number += 5
        os.write(1, f"{number}\\n".encode())

asyncio.run(main())
"""


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


async def test_the_newest_export_stays(store: SqliteRawStore) -> None:
    """An edit comes with a newer export, and an older one brings nothing back; a better reading is an update too."""
    newer = listed(name="new name", exported_at=EXPORTED + timedelta(hours=1))
    assert await outcomes(store, listed()) == ["new"]
    assert await outcomes(store, newer) == ["updated"]
    assert await outcomes(store, listed()) == ["same_id"]
    await store.put_import(an_import("i2"))
    assert await outcomes(store, replace(newer, import_id="i2")) == ["same_id"]
    assert await outcomes(store, replace(newer, activity='{"elapsed_time": 9}')) == ["updated"]
    [fact] = await store.match_facts(ANNA)
    assert fact.elapsed_time_s == 9


async def test_an_activity_of_the_api_is_no_new_one(store: SqliteRawStore) -> None:
    """Its row is stored beside what the API says, which it does not touch."""
    await store.apply([shown()])
    before = (await store.stored([1]))[1]
    assert await outcomes(store, listed(1), listed(2)) == ["same_id", "new"]
    assert {(each.activity_id, each.source.value) for each in await store.match_facts(ANNA)} == {
        (1, "api"),
        (1, "archive"),
        (2, "archive"),
    }
    assert (await store.stored([1, 2]), await store.activity_ids(ANNA)) == ({1: before}, [1])


async def test_an_item_keeps_its_first_outcome(store: SqliteRawStore) -> None:
    """A part that is put twice, because nobody heard that it was stored, tells what it was at first."""
    assert await outcomes(store, listed()) == ["new"]
    assert await outcomes(store, listed()) == ["new"]
    assert await outcomes(store, listed(name="edited")) == ["updated"]
    assert [each.outcome for each in await store.import_items("i1")] == ["new"]


async def test_a_delete_before_the_export_leaves_it(store: SqliteRawStore) -> None:
    """So does one that is too late by the last-write-wins rule; a second delete of what came back is one again."""
    await store.put_archive_rows([listed(1)], "i1")
    await store.apply([gone(1, at=EXPORTED - timedelta(seconds=1))])
    assert await known(store) == {1: "archive"}
    await store.apply([shown(1, at=NOON), gone(1, at=NOON - timedelta(seconds=1))])
    assert await known(store) == {1: "archive"}
    await store.apply([gone(1, at=NOON + timedelta(seconds=1))])
    assert await known(store) == {}
    await outcomes(store, listed(1, exported_at=NOON + timedelta(hours=1)))
    assert await known(store) == {1: "archive"}
    await store.apply([gone(1, at=NOON + timedelta(hours=2))])
    assert await known(store) == {}


async def test_what_only_got_too_old_stays_in_the_export(store: SqliteRawStore) -> None:
    """A payload of the API that expires is not deleted at Strava."""
    await store.apply([shown(1, at=EXPORTED)])
    assert await outcomes(store, listed(1)) == ["same_id"]
    assert (await store.expire(observed_before=NOON, how_many=10)).activities == 1
    assert await store.reload_expired() == []
    assert await known(store) == {1: "archive"}
    await store.put_import(an_import("i2"))
    assert await outcomes(store, listed(1, import_id="i2"), listed(2, import_id="i2")) == ["same_id", "new"]
    assert await outcomes(store, listed(1, name="edited")) == ["updated"]


async def test_imports_at_once_leave_each_item_once(path: Path, store: SqliteRawStore) -> None:
    """Two programs that import the same rows and files at once leave each of them once."""
    stores = [store, SqliteRawStore(path)]
    await asyncio.gather(*(each.put_archive_rows([listed(n) for n in range(1, 9)], "i1") for each in stores))
    await asyncio.gather(*(each.put_files([of_row(f"a{n}", n) for n in range(1, 5)], [item()]) for each in stores))
    assert len(await store.import_items("i1")) == 9
    assert len(await store.match_facts(ANNA)) == 12
    await stores[1].close()


@pytest.mark.slow
def test_a_kill_leaves_rows_and_items_together(path: Path) -> None:
    """Killed at any moment: what was answered is there, and no row or file without its item, or an item without it."""
    importing = subprocess.Popen([sys.executable, "-c", IMPORTING, str(path)], stdout=subprocess.PIPE, text=True)
    answers = importing.stdout
    assert answers is not None
    for _ in range(random.randrange(10, 60)):
        answers.readline()
    importing.kill()
    answered = int((["50", *answers.read().split()])[-1])
    importing.wait()
    answers.close()
    with closing(sqlite3.connect(path)) as connection:
        rows = [row[0] for row in connection.execute("select activity_id from archive_activities order by 1")]
        files = [row[0] for row in connection.execute("select sha256 from activity_files order by 1")]
        told = [row[0] for row in connection.execute("select item_id from import_items order by 1")]
    assert rows == list(range(len(rows)))
    assert len(rows) >= len(files) >= answered
    assert told == sorted([f"i1/file/{each}" for each in files] + [f"i1/row/{each}" for each in rows])
