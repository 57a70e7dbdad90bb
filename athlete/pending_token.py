"""The refresh token of a connect that has not ended: Strava may retire the old one before we know whose the new is."""

import os
from pathlib import Path

from backends.atomic_file import atomic_replace
from runtime.data_dir import make_private

OWNER_ONLY = 0o600


class PendingToken:
    """One token in one file, readable by its owner alone; the next connect goes on with it. Methods raise OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """Return the token, or None when no connect was interrupted."""
        try:
            return self._path.read_text(encoding="ascii", errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def keep(self, token: str) -> None:
        """Replace the token; on disk when this returns."""
        make_private(self._path.parent)
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
            file.write(token)
        atomic_replace(draft, self._path)

    def drop(self) -> None:
        """Forget the token; forgetting none is success."""
        self._path.unlink(missing_ok=True)
