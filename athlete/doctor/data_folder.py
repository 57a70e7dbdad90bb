"""Whether the data folder is there, is its owner's alone, and has room."""

import errno
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from athlete.doctor.context import Context
from athlete.doctor.findings import Finding, green, red, yellow
from runtime.data_dir import is_open, open_to_others

_LEAST_BYTES = 200_000_000
_AMPLE_BYTES = 1_000_000_000
_MOST_NAMED = 3
_MEGABYTE = 1_000_000
_PROBE = bytes(4096)


async def check_folder(context: Context) -> list[Finding]:
    """Look whether the folder and its files are ours, and nobody else's to open."""
    folder = context.settings.data_dir.absolute()
    nearest = _nearest(folder)
    if not nearest.is_dir():
        return [red(f"DATA_DIR cannot be used, for {nearest} is a file.", "Set DATA_DIR to a folder.")]
    if not folder.exists():
        start = "Start with `athlete demo` or `athlete up`, or set DATA_DIR to where your data is."
        return [yellow(f"{folder} is not there yet; the first start makes it.", start)]
    found = [*_open_ones(folder), *_foreign_ones(folder)]
    return found or [green(f"{folder} and its files are yours alone.")]


def _open_ones(folder: Path) -> Iterator[Finding]:
    wide = [*open_to_others(folder), *filter(is_open, folder.glob("tokens.*"))]
    if wide:
        places = [folder] if folder in wide else wide
        what = f"Others on this machine have rights on {_named(wide)}, which tell where you live."
        yield red(what, f"Run `chmod -R go-rwx {shlex.join(map(str, places))}`.")


def _foreign_ones(folder: Path) -> Iterator[Finding]:
    ours = os.geteuid()
    foreign = [each for each in (folder, *folder.rglob("*")) if not each.is_symlink() and _is_foreign(each, ours)]
    if foreign:
        owner = f'sudo chown -R "$(id -un)" {shlex.quote(str(folder))}'
        yield red(
            f"{_named(foreign)} cannot be read and written by you.", f"Run `{owner}`, then `athlete doctor` again."
        )


def _is_foreign(path: Path, ours: int) -> bool:
    try:
        return path.lstat().st_uid != ours or not os.access(path, os.R_OK | os.W_OK)
    except FileNotFoundError:  # another process has removed it meanwhile
        return False


def _named(paths: Sequence[Path]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(map(str, paths[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")


async def check_disk(context: Context) -> list[Finding]:
    """Look how much room is left, and whether a file that has no name can be written."""
    place = _nearest(context.settings.data_dir)
    if not place.is_dir():
        return []  # told of the folder
    if (reason := _refusal(place)) is not None:
        return [
            red(f"Nothing can be written in {place} ({reason}).", f"Make {place} writable, or set another DATA_DIR.")
        ]
    free, needed = context.machine.free_bytes(place), 2 * _size(context.settings.data_dir)
    left = f"{free / _MEGABYTE:,.0f} MB are free in {place.resolve()}"
    if free < _LEAST_BYTES:
        return [
            red(f"Only {left}.", f"Free {_LEAST_BYTES // _MEGABYTE} MB or more, or move DATA_DIR to a larger disk.")
        ]
    if free < max(_AMPLE_BYTES, needed):
        wanted = max(_AMPLE_BYTES, needed) / _MEGABYTE
        return [yellow(f"Only {left}.", f"Free {wanted:,.0f} MB: rebuilding the marts needs twice what is stored.")]
    return [green(f"{left}, and it can be written.")]


def _nearest(folder: Path) -> Path:
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def _refusal(folder: Path) -> str | None:
    """Return why no file can be written; the one that is tried has no name, so nothing of it can be left."""
    nameless = getattr(os, "O_TMPFILE", None)
    try:
        if nameless is None:
            return None if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)
        descriptor = os.open(folder, nameless | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, _PROBE)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:  # a file system without such files
            return None if os.access(folder, os.W_OK) else os.strerror(errno.EACCES)
        return os.strerror(error.errno or errno.EIO)
    return None


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.duckdb"))
