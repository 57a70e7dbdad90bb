"""The refresh token of a connect that has not ended: Strava may retire the old token before we know the new one."""

from pathlib import Path

from backends.atomic_file import write_private
from runtime.data_dir import make_private


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
        write_private(self._path, token.encode())

    def drop(self) -> None:
        """Forget the token; forgetting none is success."""
        self._path.unlink(missing_ok=True)
