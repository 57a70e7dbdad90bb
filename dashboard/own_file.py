"""What is wrong with athlete.toml, which the athlete sees in the place where its numbers are."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from backends.athlete_file.faults import AthleteFileFault
from backends.athlete_file.reading import State, read_documents, state_of
from dashboard import empty_states
from dashboard.formatting import Teller


def draw(path: Path | None, athlete_ids: Sequence[int], tell: Teller) -> None:
    """Say that the file is not taken; nothing where there is none, or where it can be read."""
    if path and (reason := fault(path, athlete_ids)):
        empty_states.warning("own-file-refused", tell(empty_states.OWN_FILE_REFUSED), reason)


def fault(path: Path, athlete_ids: Sequence[int]) -> str:
    """Return why the file cannot be taken, or nothing. It is read again only when it was written since."""
    return _fault(path, tuple(athlete_ids), state_of(path))


@lru_cache(maxsize=1)
def _fault(path: Path, athlete_ids: tuple[int, ...], _state: State | None) -> str:
    try:
        read_documents(path, athlete_ids)
    except AthleteFileFault as found:
        return str(found)
    return ""
