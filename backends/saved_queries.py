"""The athlete's own SQL by name: a file `<name>.sql` for each, in a folder that is theirs to edit and to copy."""

import re
from pathlib import Path

from backends.atomic_file import write_private

LONGEST = 60  # letters of a name, which are 240 bytes at most
_NAME = re.compile(rf"\w(?:[\w -]{{0,{LONGEST - 2}}}\w)?")
_END = ".sql"


def is_name(text: str) -> bool:
    """Whether a query can have that name: letters, digits and underscores, within it spaces and hyphens as well."""
    return _NAME.fullmatch(text) is not None


class SavedQueries:
    """The queries of a folder. A file whose name no query can have is left alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Return the names in the order of the alphabet; none while there is no folder."""
        return sorted((path.stem for path in self._folder.glob(f"*{_END}") if is_name(path.stem)), key=str.casefold)

    def saved_as(self, name: str) -> str | None:
        """Return the name that saving under this one writes over: the same but for capitals, which no file needs."""
        names = self.names()
        return name if name in names else next((one for one in names if one.casefold() == name.casefold()), None)

    def read(self, name: str) -> str:
        """Return the SQL of a name. Raises OSError."""
        path = self._path(name)
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise OSError(f"{path} is no text in UTF-8; save it as such.") from error

    def save(self, name: str, sql: str) -> None:
        """Write the SQL under a name, in place of what was saved so; a link stays one. Raises OSError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_private(self._path(name).resolve(), f"{sql.rstrip()}\n".encode())

    def delete(self, name: str) -> None:
        """Remove what is saved under a name, if anything is. Raises OSError."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not is_name(name):
            raise FileNotFoundError(f"{name!r} can be no name of a query")
        return self._folder / f"{name}{_END}"
