"""The tables of `raw` in SQLite are those that the schema states, column by column."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends.sqlite import open_database
from backends.warehouse.schema import TABLES
from backends.warehouse.table import Table

SQLITE_TYPES = {"int64": "INTEGER", "bool": "INTEGER", "string": "TEXT", "timestamp": "TEXT", "json": "TEXT"}
NOT_RAW = {"queue_messages", "schema_migrations", "sqlite_sequence", "waiting_events"}


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[sqlite3.Row]]:
    """What a fresh file has, by the name of the table."""
    with closing(open_database(tmp_path / "pipeline.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        return {name: connection.execute(f"pragma table_info({name})").fetchall() for name in names}


def test_every_table_is_stated(tables: dict[str, list[sqlite3.Row]]) -> None:
    """Nothing is stored that the schema does not know of, beside the queue and an index."""
    assert tables.keys() - NOT_RAW == {table.name for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_are_as_stated(tables: dict[str, list[sqlite3.Row]], table: Table) -> None:
    """Names, types, nullability and key of a fresh file, whose columns the migrations may have added later."""
    stated = {
        column.name: (SQLITE_TYPES[column.type], column.is_required, column.name == table.key)
        for column in table.columns
    }
    found = {
        row["name"]: (row["type"], bool(row["notnull"] or row["pk"]), bool(row["pk"])) for row in tables[table.name]
    }
    assert found == stated


def test_a_purge_can_tell_whose_a_row_is() -> None:
    """A table of activities, or of what Strava sent, names the athlete in the one column that a purge looks at."""
    personal = {"activity_id", "object_id", "owner_id", "payload"}
    nameless = [table.name for table in TABLES if personal & table.types.keys() and "athlete_id" not in table.types]
    assert nameless == []
