"""Replacing a file so that a reader, a kill or a power cut finds the old one or the new one, whole."""

import os
from pathlib import Path


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
