"""The port of marks: short texts by name that outlast the programs, such as which run built all tables last."""

from typing import Protocol


class Marks(Protocol):
    """Every call blocks, for a tenth of a second at most as a rule. Raises WarehouseBusy, OSError."""

    def read(self, name: str) -> str:
        """Return what the mark says, or nothing where there is none."""

    def write(self, name: str, text: str) -> None:
        """Have the mark say it; an empty text removes the mark."""


class SharedMarks(Marks, Protocol):
    """Marks by which programs on several machines agree."""

    def replace(self, name: str, before: str, text: str) -> bool:
        """Have the mark say `text` if it says `before` still; of several who try at once, one does it."""
