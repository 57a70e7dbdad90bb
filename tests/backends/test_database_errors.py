"""SQLite's errors are told with the file's name and what to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backends.database_errors import database_fault
from backends.warehouse import WarehouseBusy
from backends.warehouse.sqlite.store import SqliteRawStore

PATH = Path("here/pipeline.sqlite")


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_NOTADB, "restore it from a backup"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "restore it from a backup"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "check that the file and its folder are yours"),
        (sqlite3.SQLITE_IOERR_WRITE, "check its free space and its health"),
        (sqlite3.SQLITE_FULL, "check its free space and its health"),
        (sqlite3.SQLITE_CANTOPEN, "check the rights of the file and of its folder"),
        (sqlite3.SQLITE_BUSY, "try again in a moment"),
        (sqlite3.SQLITE_ERROR, "`athlete up` brings it up to date"),
        (sqlite3.SQLITE_TOOBIG, "cannot be used"),
    ],
)
def test_each_fault_names_the_file_and_what_to_do(code: int, advice: str) -> None:
    """The kind of the fault decides, also where SQLite says more of it."""
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    sentence = database_fault(error, PATH)
    assert str(PATH) in sentence
    assert "(as SQLite says)" in sentence
    assert advice in sentence


def test_an_error_of_python_s_own_is_named_too() -> None:
    """It carries no code of SQLite's."""
    assert database_fault(sqlite3.ProgrammingError("closed"), PATH) == f"{PATH} cannot be used (closed)."


def test_a_real_file_that_is_no_database(tmp_path: Path) -> None:
    """What SQLite raises when it meets one leads to the right sentence, in the warehouse as well."""
    path = tmp_path / "pipeline.sqlite"
    path.write_text("no database" * 200)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError) as caught:
        connection.execute("select * from sqlite_master")
    assert database_fault(caught.value, path).startswith(f"{path} is damaged or no database (file is not a database)")
    with pytest.raises(WarehouseBusy, match="is damaged or no database"):
        SqliteRawStore(path)
