"""The data folder, from its files' side: whoever makes it first makes it private."""

import asyncio
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.data_folder import make_private
from backends.sqlite import open_database
from backends.tokens.file import FileTokenStore
from backends.warehouse.duckdb import extension_directory
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
    """The folder and those made on the way to it are the owner's alone, whoever is the first to need them."""
    make(tmp_path / "data" / "demo")
    assert not (tmp_path / "data").stat().st_mode & OTHERS
    assert not (tmp_path / "data" / "demo").stat().st_mode & OTHERS


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    """Whoever made the folder on purpose for a group to read is not overruled."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o750)
    make_private(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o750
