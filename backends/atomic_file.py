"""Replacing a file so that a reader, a kill or a power cut finds the old one or the new one, whole."""

import os
from pathlib import Path

_OWNER_ONLY = 0o600


def write_private(path: Path, content: bytes) -> None:
    """Replace the file's content, readable by its owner alone; it is on disk when this returns. Raises OSError.

    For one writer at a time: the draft has a fixed name, so a killed writer's leftover is cleared by the next.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(content)
    atomic_replace(draft, path)


def atomic_replace(draft: Path, path: Path) -> None:
    """Flush the draft to the disk and give it the path's name; it must lie in the same folder. Raises OSError."""
    _flush(draft)
    draft.replace(path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
