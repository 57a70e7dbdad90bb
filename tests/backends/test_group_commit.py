"""The writer's thread shares transactions between callers and keeps their errors apart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from backends.group_commit import SqliteWriter
from backends.sqlite import connect, open_database


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[SqliteWriter]:
    """A writer that waits at most 50 ms for the lock."""
    writer = SqliteWriter(tmp_path / "p.sqlite", busy_timeout_s=0.05)
    yield writer
    await writer.close()


def add(connection: sqlite3.Connection, key: str) -> str:
    """Insert one row and return its key."""
    connection.execute("insert into purges values (?, 'h', 't', '{}')", (key,))
    return key


def add_and_fail(connection: sqlite3.Connection, key: str) -> None:
    """Insert one row, then fail."""
    add(connection, key)
    raise LookupError(key)


def keys(path: Path) -> set[str]:
    """Return what another process would see."""
    with closing(connect(path, read_only=True)) as connection:
        return {key for (key,) in connection.execute("select purge_id from purges")}


async def test_returned_work_is_committed(writer: SqliteWriter, tmp_path: Path) -> None:
    """When `submit` returns, every other connection sees what the work wrote."""
    assert await writer.submit(partial(add, key="a")) == "a"
    assert keys(tmp_path / "p.sqlite") == {"a"}


async def test_error_is_its_callers_own(writer: SqliteWriter, tmp_path: Path) -> None:
    """Work that raises is undone, and its caller gets the error. Work committed with it is kept."""
    outcomes = await asyncio.gather(
        *(writer.submit(partial(add_and_fail if number % 3 == 0 else add, key=str(number))) for number in range(30)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, LookupError) for outcome in outcomes] == [number % 3 == 0 for number in range(30)]
    assert keys(tmp_path / "p.sqlite") == {str(number) for number in range(30) if number % 3}


async def test_broken_constraint_is_its_callers_own(writer: SqliteWriter) -> None:
    """Only the caller that wrote the wrong row gets SQLite's error."""
    outcomes = await asyncio.gather(
        *(writer.submit(partial(add, key="same")) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [str, sqlite3.IntegrityError, sqlite3.IntegrityError]


async def test_work_runs_in_the_order_of_its_submission(writer: SqliteWriter) -> None:
    """Later work sees what earlier work wrote, also in the same transaction."""

    def count_and_add(connection: sqlite3.Connection, key: str) -> int:
        add(connection, key)
        return int(connection.execute("select count(*) from purges").fetchone()[0])

    counts = await asyncio.gather(*(writer.submit(partial(count_and_add, key=str(number))) for number in range(20)))
    assert counts == list(range(1, 21))


async def test_locked_file_fails_and_recovers(writer: SqliteWriter, tmp_path: Path) -> None:
    """While another process holds the lock for too long, work fails and nothing is stored. Later work succeeds."""
    with closing(open_database(tmp_path / "p.sqlite")) as other:
        other.execute("begin immediate")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await writer.submit(partial(add, key="a"))
        other.execute("rollback")
        assert await writer.submit(partial(add, key="b")) == "b"
    assert keys(tmp_path / "p.sqlite") == {"b"}


async def test_full_disk_fails_all_of_the_transaction_and_recovers(writer: SqliteWriter, tmp_path: Path) -> None:
    """When the file cannot grow, all work of the transaction fails and is absent. With room, work succeeds."""
    size = await writer.submit(lambda connection: connection.execute("pragma page_count").fetchone()[0])
    await writer.submit(lambda connection: connection.execute(f"pragma max_page_count = {size}").fetchone())
    big = "x" * 1_000_000
    outcomes = await asyncio.gather(
        *(writer.submit(partial(add, key=key)) for key in ("a", big, "b")), return_exceptions=True
    )
    stored = keys(tmp_path / "p.sqlite")
    assert isinstance(outcomes[1], sqlite3.OperationalError)
    assert stored == {key for key, outcome in zip(("a", big, "b"), outcomes, strict=True) if outcome == key}
    await writer.submit(lambda connection: connection.execute("pragma max_page_count = 1000000").fetchone())
    assert await writer.submit(partial(add, key="c")) == "c"


async def test_work_that_ends_the_transaction_fails(writer: SqliteWriter) -> None:
    """Work that commits by itself raises an error, and the writer goes on."""
    with pytest.raises(sqlite3.OperationalError):
        await writer.submit(lambda connection: connection.execute("commit"))
    assert await writer.submit(partial(add, key="a")) == "a"


async def test_impatient_caller(writer: SqliteWriter, tmp_path: Path) -> None:
    """The work of a cancelled caller is done, and the writer goes on."""
    waiting = asyncio.ensure_future(writer.submit(partial(add, key="a")))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await writer.submit(partial(add, key="b")) == "b"
    assert keys(tmp_path / "p.sqlite") == {"a", "b"}


async def test_closing(writer: SqliteWriter, tmp_path: Path) -> None:
    """Closing finishes submitted work, may be repeated, and refuses later work."""
    under_way = [asyncio.ensure_future(writer.submit(partial(add, key=str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    await writer.close()
    await asyncio.gather(*under_way)
    assert len(keys(tmp_path / "p.sqlite")) == 50
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        await writer.submit(partial(add, key="late"))


def test_one_writer_serves_several_event_loops(tmp_path: Path) -> None:
    """The answer reaches the event loop that submitted the work, also a second loop."""
    writer = SqliteWriter(tmp_path / "p.sqlite")
    assert asyncio.run(writer.submit(partial(add, key="a"))) == "a"
    assert asyncio.run(writer.submit(partial(add, key="b"))) == "b"
    asyncio.run(writer.close())
