"""Hands files over to `athlete up`, which imports what lies in the inbox."""

import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

_LONGEST = 180  # bytes of a name


def put(folder: Path, name: str, content: BinaryIO) -> str:
    """Write a file into the inbox under its name, or another that is free, and return that. Raises OSError.

    Until it is whole and durable its name begins with a dot, which `athlete up` leaves alone.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    unfinished = folder / f".{uuid4().hex}"
    try:
        with open(unfinished, "xb", opener=_private) as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        target = _reserved(folder, plain_name(name))
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target.name


def _reserved(folder: Path, plain: str) -> Path:
    """Return a name that nobody else gets: an empty file has it, which `athlete up` leaves alone."""
    for number in count(1):
        target = folder / (plain if number == 1 else f"{number}-{plain}")
        with suppress(FileExistsError), open(target, "xb", opener=_private):
            return target
    raise AssertionError("numbers do not end")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def plain_name(name: str) -> str:
    """Return the name of a file without folders and what cannot be printed, and not hidden: its end tells its kind."""
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(each for each in last if each.isprintable()).lstrip(". ")
    short = printable.encode()[-_LONGEST:].decode(errors="ignore")
    return short.lstrip(". ") or "upload"
