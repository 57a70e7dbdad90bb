"""Marks as files of a folder, for the programs of one machine."""

from pathlib import Path

from runtime.data_dir import make_private


class FileMarks:
    """Implements `Marks`: a file for each, named as it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str:
        """Return what the mark says, or nothing where there is none. Raises OSError."""
        file = self._folder / name
        return file.read_text() if file.exists() else ""

    def write(self, name: str, text: str) -> None:
        """Have the mark say it, all of it or none; an empty text removes the mark. Raises OSError."""
        file = self._folder / name
        if text:
            make_private(self._folder)
            draft = file.with_name(f"{name}.new")
            draft.write_text(text)
            draft.replace(file)
        else:
            file.unlink(missing_ok=True)
