"""Making the data folder private: its files tell where somebody lives, so nobody else on the machine may look in."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OWNER_ONLY = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OUR_FILES = ("pipeline.", "transform.", "mart.", "budget.", "daily.", "import.", "connect-recovery.")
_OUR_FOLDERS = frozenset({"dbt", "logs", "duckdb_extensions", "demo", "demo-once", "files", "inbox", "queries"})
_TOKENS = "tokens."  # ours too, and looked after by the token store


def make_private(folder: Path) -> None:
    """Create the folder, and its parents if they are missing, for its owner alone, and take what is ours from others.

    From here on everything that this process and its children create is their owner's alone, libraries included.
    In a folder that exists our files and folders lose the rights of others, and so does the folder itself, if we own
    it and nothing else is in it. Safe in several processes at once. Raises OSError.
    """
    os.umask(_OTHERS)
    _create(folder)
    narrowed = [str(path) for path in open_to_others(folder) if _narrow(path)]
    if narrowed:
        import structlog  # noqa: PLC0415 - takes 0.3 s, and the committing process is to start at once

        log = structlog.get_logger(__name__)
        log.warning("data_folder.narrowed", folder=str(folder), taken_from_others=narrowed)


def _create(folder: Path) -> None:
    if not folder.is_dir():
        _create(folder.parent)
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)


def open_to_others(folder: Path) -> Iterator[Path]:
    """Yield what of the folder is ours and open to others, tokens left out; within a closed folder nothing is."""
    entries = list(folder.iterdir())
    holds_only_ours = all(_is_ours(entry) or entry.name.startswith(_TOKENS) for entry in entries)
    is_shared = folder.stat().st_mode & stat.S_ISVTX  # such as /tmp
    if holds_only_ours and not is_shared and is_open(folder):
        yield folder
    for entry in filter(_is_ours, entries):
        if is_open(entry):
            yield entry
            if entry.is_dir():
                yield from filter(is_open, entry.rglob("*"))


def _is_ours(entry: Path) -> bool:
    return entry.name in _OUR_FOLDERS or entry.name.startswith(_OUR_FILES)


def is_open(path: Path) -> bool:
    """Whether others have rights on what we own; a link, which has none of its own, may lead to anything."""
    try:
        found = path.lstat()
    except FileNotFoundError:  # another process has removed it meanwhile
        return False
    return not stat.S_ISLNK(found.st_mode) and found.st_uid == os.geteuid() and bool(found.st_mode & _OTHERS)


def _narrow(path: Path) -> bool:
    with suppress(FileNotFoundError):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
        return True
    return False
