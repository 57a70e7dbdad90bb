"""Publishing what dbt built, and rewriting it without what was removed.

dbt builds `transform.duckdb`; readers open a published file, so that they never meet the builder's lock. Publishing
gives readers the builder's file by a second name, which takes no time; the builder gets a copy of its own afterwards,
when the marts are on the charts already.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from backends.atomic_file import atomic_replace
from backends.warehouse import WarehouseBusy
from backends.warehouse.duckdb.connection import NO_DOWNLOADS, attach, in_memory
from backends.warehouse.duckdb.errors import REBUILD, sentence
from backends.warehouse.duckdb.marts import SnapshotCheck
from backends.warehouse.marts import MartMissing

# What DuckDB says of a file that it cannot read any more, and of an engine that has met one.
_DAMAGE = re.compile(
    "serialization error|internal error|fatal error|corrupt database|not a valid duckdb database|could not read enough|"
    "we can only read versions? ",  # a newer DuckDB wrote it
    re.IGNORECASE,
)
_BLOCK_SIZE = 65536  # as transforms/profiles.yml says of new files, and of those that are older none does


class DuckdbSnapshot:
    """Implements `MartSnapshot`: `transform_path` is dbt's file, `mart_path` the published one."""

    def __init__(self, transform_path: Path, mart_path: Path) -> None:
        self._transform_path = transform_path
        self._mart_path = mart_path
        self._check = SnapshotCheck(mart_path)

    def is_built(self) -> bool:
        """Whether dbt has built anything."""
        return self._transform_path.exists()

    def is_published(self) -> bool:
        """Whether readers have a snapshot that is not damaged."""
        return self._check()

    def publish(self) -> None:
        """Replace the snapshot with what dbt built, as a whole."""
        publish(self._transform_path, self._mart_path)

    def separate(self) -> None:
        """Give dbt a file of its own, where readers see the one that it built."""
        separate(self._transform_path, self._mart_path)

    def compact(self) -> None:
        """Rewrite what dbt built without the bytes of rows that were removed."""
        self.separate()  # of what readers have open nothing else may be read with a writer's lock
        compact(self._transform_path)

    def discard_if_damaged(self, error: str) -> bool:
        """Remove what dbt built if dbt's error says that it cannot be read."""
        if not _DAMAGE.search(error):
            return False
        for file in (self._transform_path, _log_of(self._transform_path)):
            file.unlink(missing_ok=True)
        return True


def publish(transform_path: Path, mart_path: Path, link: Callable[[Path, Path], None] = os.link) -> None:
    """Give readers what dbt built, as a whole: one file with two names, until `separate`.

    The caller sees to it that nobody has the builder's file open meanwhile, least of all this process: on Unix, closing
    one of a process's handles on a file gives up its locks of it, and then two may write. Readers keep what they have
    open and see the new snapshot at their next query. Raises MartMissing when nothing was built, WarehouseBusy.
    """
    draft = mart_path.with_name(f"{mart_path.name}.new")  # one name, so a killed publisher leaves no second copy
    try:
        if _log_of(transform_path).exists() or not _is_one(transform_path, mart_path):
            _link_or_copy(transform_path, draft, link)
            atomic_replace(draft, mart_path)
    except FileNotFoundError as error:
        raise MartMissing(f"There is nothing to publish in {transform_path}: {REBUILD}") from error
    except (OSError, duckdb.Error) as error:
        raise WarehouseBusy(f"{transform_path} cannot be published just now: {sentence(error)}") from error


def separate(transform_path: Path, mart_path: Path) -> None:
    """Give the builder a copy of the file that it has published; nobody may build before.

    Does nothing where each has a file of its own. Raises WarehouseBusy.
    """
    draft = transform_path.with_name(f"{transform_path.name}.new")
    try:
        if _is_one(transform_path, mart_path):
            shutil.copyfile(mart_path, draft)
            atomic_replace(draft, transform_path)
    except OSError as error:
        if draft.is_file():  # where the disk is full, others need the room
            draft.unlink()
        raise WarehouseBusy(f"{mart_path} cannot be copied just now: {sentence(error)}") from error


def compact(path: Path) -> None:
    """Write what dbt built into a new file, which takes the old one's place: DuckDB keeps the bytes of deleted rows.

    The caller sees to it that nobody has the file open meanwhile, as with `publish`. Takes 0.1 ms a row of the widest
    tables. Raises MartMissing when nothing was built, WarehouseBusy.
    """
    if not path.exists():
        raise MartMissing(f"There is nothing to compact in {path}: {REBUILD}")
    draft = path.with_name(f"{path.name}.new")
    try:
        for leftover in (draft, _log_of(draft)):
            leftover.unlink(missing_ok=True)
        with in_memory(path) as connection:
            attach(connection, path, "built", "")
            # views hold the name that the file will have
            attach(connection, draft, f'"{path.stem}"', f"block_size {_BLOCK_SIZE}")
            connection.execute(f'copy from database built to "{path.stem}"')
        atomic_replace(draft, path)
    except (OSError, duckdb.Error) as error:
        raise WarehouseBusy(f"{path} cannot be compacted just now: {sentence(error)}") from error


def _is_one(transform_path: Path, mart_path: Path) -> bool:
    """Whether both are names of one file."""
    return transform_path.exists() and mart_path.exists() and transform_path.samefile(mart_path)


def _link_or_copy(path: Path, draft: Path, link: Callable[[Path, Path], None]) -> None:
    """Give the database a second name; copy it where there is a log to bring in, or the file system has no links."""
    for leftover in (draft, _log_of(draft)):
        leftover.unlink(missing_ok=True)
    log = _log_of(path)
    if not log.exists():
        try:
            link(path, draft)
        except OSError:
            shutil.copyfile(path, draft)
        return
    shutil.copyfile(path, draft)
    shutil.copyfile(log, _log_of(draft))
    with duckdb.connect(str(draft), config=dict(NO_DOWNLOADS)) as connection:
        connection.execute("checkpoint")


def _log_of(path: Path) -> Path:
    """Return DuckDB's write-ahead log of a database."""
    return path.with_name(f"{path.name}.wal")
