"""Making the data folder, whose files tell where somebody lives: nobody else on the machine may look in."""

from pathlib import Path

OWNER_ONLY = 0o700


def make_private(folder: Path) -> None:
    """Create the folder, and whatever is missing above it, for its owner alone; one that exists keeps its mode.

    Safe in several processes at once. Raises OSError.
    """
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
