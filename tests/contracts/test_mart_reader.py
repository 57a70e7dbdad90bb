"""What every reader of the marts must do, on every engine. A new adapter adds itself to WAREHOUSES."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

import duckdb
import pytest

from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.duckdb.snapshot import publish
from backends.warehouse.marts import MartMissing, MartReader, QueryFailed


class PublishedMarts(Protocol):
    """Marts that a test can build and publish: `mart.numbers` holds n rows 1 … n, all with the same moment."""

    def build(self, n: int) -> None: ...

    def reader(self) -> MartReader: ...


class DuckdbMarts:
    """The embedded warehouse: one file built, a copy of it published."""

    def __init__(self, folder: Path) -> None:
        self._transform, self._mart = folder / "transform.duckdb", folder / "mart.duckdb"

    def build(self, n: int) -> None:
        with duckdb.connect(str(self._transform)) as connection:
            connection.execute("create schema if not exists mart")
            connection.execute(
                "create or replace table mart.numbers as "
                "select range::bigint as n, timestamptz '2026-05-04 12:00:00+02' as moment, date '2026-05-04' as day "
                "from range(1, ? + 1)",
                [n],
            )
        publish(self._transform, self._mart)

    def reader(self) -> MartReader:
        return DuckdbMartReader(self._mart)


def duckdb_marts(request: pytest.FixtureRequest) -> PublishedMarts:
    """Marts in files of this test's own."""
    return DuckdbMarts(request.getfixturevalue("tmp_path"))


def bigquery_marts(request: pytest.FixtureRequest) -> PublishedMarts:
    """Marts in a project of this test's own."""
    from tests.bigquery_stores import BigQueryMarts  # noqa: PLC0415 - Google's SDK

    return BigQueryMarts(request.getfixturevalue("bigquery_emulator"))


WAREHOUSES = [pytest.param(duckdb_marts, id="duckdb"), pytest.param(bigquery_marts, id="bigquery")]


@pytest.fixture(params=WAREHOUSES)
def marts(request: pytest.FixtureRequest) -> PublishedMarts:
    """Marts of which none is published yet."""
    make: Callable[[pytest.FixtureRequest], PublishedMarts] = request.param
    return make(request)


@pytest.fixture
def reader(marts: PublishedMarts) -> Iterator[MartReader]:
    """A reader that was opened before anything was published."""
    opened = marts.reader()
    yield opened
    opened.close()


def test_before_the_first_publish(reader: MartReader) -> None:
    """Without a published mart the error names the command that makes one."""
    with pytest.raises(MartMissing, match="`athlete transform`"):
        reader.rows("select 1 as one")


def test_rows_come_as_dictionaries(marts: PublishedMarts, reader: MartReader) -> None:
    """Columns go by name, moments come aware and in UTC, and an empty answer is an empty list."""
    marts.build(1)
    assert reader.rows("select n, moment, day from mart.numbers") == [
        {"n": 1, "moment": datetime(2026, 5, 4, 10, tzinfo=UTC), "day": date(2026, 5, 4)}
    ]
    assert reader.rows("select n from mart.numbers where n > 1") == []


def test_parameters_are_bound(marts: PublishedMarts, reader: MartReader) -> None:
    """Values go through `?` in order and unchanged."""
    marts.build(5)
    found = reader.rows("select n, ? as word from mart.numbers where n between ? and ? order by n", ["'; drop", 2, 3])
    assert found == [{"n": 2, "word": "'; drop"}, {"n": 3, "word": "'; drop"}]


def test_a_new_snapshot_is_seen_at_once(marts: PublishedMarts, reader: MartReader) -> None:
    """The query after a publish reads the new marts, without anybody telling the reader."""
    for n in (3, 1, 7):
        marts.build(n)
        assert reader.rows("select count(*) as n from mart.numbers") == [{"n": n}]


def test_each_publication_is_another_version(marts: PublishedMarts, reader: MartReader) -> None:
    """None before the first; then one text for as long as the same marts are published."""
    assert reader.version() is None
    versions = []
    for n in (3, 3, 1):
        marts.build(n)
        versions.append(reader.version())
        reader.rows("select count(*) as n from mart.numbers")
        assert reader.version() == marts.reader().version() == versions[-1]
    assert len({None, *versions}) == 4


def test_a_faulty_query_says_why(marts: PublishedMarts, reader: MartReader) -> None:
    """The engine's refusal becomes one sentence on one line, and the reader goes on working."""
    marts.build(1)
    with pytest.raises(QueryFailed) as caught:
        reader.rows("select nothing_such from mart.numbers")
    assert "nothing_such" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert reader.rows("select n from mart.numbers") == [{"n": 1}]


def test_a_mart_that_is_not_built_yet(marts: PublishedMarts, reader: MartReader) -> None:
    """A snapshot of an older program that lacks a table is a matter of transforming again."""
    marts.build(1)
    with pytest.raises(MartMissing, match="`athlete transform`"):
        reader.rows("select * from mart.of_the_future")


def test_the_marts_cannot_be_changed(marts: PublishedMarts, reader: MartReader) -> None:
    """Reading is all that a reader can do."""
    marts.build(2)
    for sql in ("delete from mart.numbers", "create table mart.mine as select 1 as n", "drop schema mart cascade"):
        with pytest.raises(QueryFailed):
            reader.rows(sql)
    assert reader.rows("select count(*) as n from mart.numbers") == [{"n": 2}]


def test_threads_share_a_reader_while_snapshots_change(marts: PublishedMarts, reader: MartReader) -> None:
    """Queries of several threads all succeed on whole snapshots, and never go back to an older one."""
    marts.build(1)
    seen: list[list[int]] = [[], [], []]
    failures: list[Exception] = []
    done = threading.Event()

    def read(numbers: list[int]) -> None:
        try:
            while not done.is_set():
                [row] = reader.rows("select count(*) as n, max(n) as last from mart.numbers")
                assert row["n"] == row["last"]
                numbers.append(int(str(row["n"])))
        except Exception as error:  # noqa: BLE001 - told in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=read, args=(numbers,)) for numbers in seen]
    for thread in threads:
        thread.start()
    for n in range(2, 15):
        marts.build(n)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert all(numbers and numbers == sorted(numbers) for numbers in seen)


def test_closing_twice_is_success(marts: PublishedMarts, reader: MartReader) -> None:
    """A closed reader may be closed again."""
    marts.build(1)
    reader.rows("select 1 as one")
    reader.close()
    reader.close()
