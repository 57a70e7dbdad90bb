"""The data folder, from its files' side: it is private from the moment it is made."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backends.sqlite import open_database
from backends.tokens.file import FileTokenStore
from backends.warehouse.duckdb.extension import extension_directory
from runtime.data_dir import make_private
from strava.tokens import TokenSet

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def save_tokens(folder: Path) -> None:
    """Save somebody's tokens in the folder."""
    tokens = TokenSet(access_token="a", refresh_token="r", expires_at=datetime.now(UTC))
    asyncio.run(FileTokenStore(folder / "tokens.json").save(1, tokens))


@pytest.mark.parametrize(
    "make",
    [make_private, lambda folder: open_database(folder / "pipeline.sqlite").close(), save_tokens, extension_directory],
    ids=["itself", "pipeline", "tokens", "extensions"],
)
def test_nobody_else_may_look_into_a_new_data_folder(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """The folder and those made on the way to it are the owner's alone, whichever program needs them first."""
    make(tmp_path / "data" / "demo")
    assert not (tmp_path / "data").stat().st_mode & OTHERS
    assert not (tmp_path / "data" / "demo").stat().st_mode & OTHERS


OURS = (
    *("pipeline.sqlite", "pipeline.sqlite-wal", "transform.duckdb", "transform.lock", "mart.duckdb", "pipeline.lock"),
    *("connect-recovery.token", "connect-recovery.token.new", "budget.json", "budget.json.lock"),
    *("dbt/target/manifest.json", "logs/worker.log", "duckdb_extensions/v1/linux/one", "demo/pipeline.sqlite"),
)


def wide(folder: Path) -> set[str]:
    """Name what in the folder, itself included, others have rights on; links have no rights of their own."""
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    return {str(path.relative_to(folder)) for path in paths if path.stat().st_mode & OTHERS}


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """A data folder of ours as a generous umask would leave it."""
    data = tmp_path / "data"
    for name in OURS:
        file = data / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    for path in (data, *data.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o664)
    return data


def test_a_loose_data_folder_is_taken_from_others(loose: Path) -> None:
    """Files become 0600, folders 0700, the folder itself among them, and one line of the log says so, once."""
    with capture_logs() as logs:
        make_private(loose)
        make_private(loose)
    assert wide(loose) == set()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in loose.rglob("*")}
    assert modes == {0o600, 0o700}
    assert [line["event"] for line in logs] == ["data_folder.narrowed"]
    assert str(loose) in logs[0]["taken_from_others"]


def test_what_is_not_ours_is_left_as_it_is(loose: Path, tmp_path: Path) -> None:
    """A file of the user's keeps its mode and keeps the folder open, and no link is followed; the rest is closed."""
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "elsewhere").chmod(0o644)
    (loose / "logs" / "link").symlink_to(tmp_path / "elsewhere")
    (loose / "holiday.jpg").write_text("")
    (loose / "holiday.jpg").chmod(0o644)
    make_private(loose)
    assert wide(loose) == {".", "holiday.jpg"}
    assert (tmp_path / "elsewhere").stat().st_mode & OTHERS


def test_the_folder_above_is_left_as_it_is(tmp_path: Path) -> None:
    """Only the data folder is ours to close."""
    tmp_path.chmod(0o755)
    make_private(tmp_path / "data")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_what_libraries_create_is_private_too(tmp_path: Path) -> None:
    """All that the process makes after it has opened the data folder is its owner's alone, its children's files too."""
    before = os.umask(0o022)
    try:
        make_private(tmp_path)
        with closing(sqlite3.connect(tmp_path / "by_a_library.sqlite")) as connection:
            connection.execute("create table t (a)")
        subprocess.run([sys.executable, "-c", "open('by_a_child', 'w')"], cwd=tmp_path, check=True)
        assert wide(tmp_path) == set()
    finally:
        os.umask(before)


def test_a_folder_that_everybody_shares_stays_open(tmp_path: Path) -> None:
    """One like /tmp, in which all may write, is nobody's alone, even while it is empty."""
    tmp_path.chmod(0o1777)
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
