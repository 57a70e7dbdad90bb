"""Reads athlete.toml from the disk."""

from collections.abc import Sequence
from pathlib import Path

from backends.athlete_file.document import Document, document_of
from backends.athlete_file.faults import AthleteFileFault

State = tuple[int, int, int]


def state_of(path: Path) -> State | None:
    """Return what is other after each time the file was written; None without one."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def read_documents(path: Path, athlete_ids: Sequence[int]) -> dict[int, Document]:
    """Return what the file says of each of these athletes; nothing where there is no file. Raises AthleteFileFault."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError as error:
        raise AthleteFileFault("it is no text in UTF-8; save it as such") from error
    except OSError as error:
        raise AthleteFileFault(f"it cannot be read ({error.strerror}); make it a file of your own") from error
    return document_of(text, athlete_ids)
