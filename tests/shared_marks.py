"""Marks that programs share, in memory."""

from threading import Lock

from backends.warehouse import WarehouseBusy


class MemoryMarks:
    """Implements `SharedMarks`; while `is_down` every call fails, while `is_answer_lost` after what it does."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.is_down = False
        self.is_answer_lost = False
        self._lock = Lock()

    def read(self, name: str) -> str:
        """Return what the mark says."""
        self._require_up()
        return self.texts.get(name, "")

    def write(self, name: str, text: str) -> None:
        """Have the mark say it."""
        self._require_up()
        self.texts[name] = text

    def replace(self, name: str, before: str, text: str) -> bool:
        """Have it say it if it says `before` still."""
        with self._lock:
            if self.read(name) != before:
                return False
            self.texts[name] = text
            if self.is_answer_lost:
                raise WarehouseBusy("The answer is lost.")
            return True

    def _require_up(self) -> None:
        if self.is_down:
            raise WarehouseBusy("The marks are down.")
