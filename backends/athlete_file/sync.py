"""Brings what athlete.toml says into `raw`: replaced as a whole where it says something else than before."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from backends.athlete_file.faults import AthleteFileFault
from backends.athlete_file.reading import State, read_documents, state_of
from backends.warehouse.athlete_files import AthleteFile, AthleteFiles
from backends.warehouse.athletes import AthleteStore
from runtime.clock import utc_now

log = structlog.get_logger(__name__)


class KnownAthleteFiles(AthleteFiles, AthleteStore, Protocol):
    """The part of `raw` that the file needs."""


async def push_file(path: Path, store: KnownAthleteFiles, clock: Callable[[], datetime] = utc_now) -> list[int]:
    """Store what the file says, and return whose rows changed. Raises AthleteFileFault, WarehouseBusy.

    Of an athlete of whom the file says nothing any more, an empty row stays.
    """
    athlete_ids = [each.athlete_id for each in await store.athletes()]
    documents, hashes = read_documents(path, athlete_ids), await store.file_hashes()
    changed = []
    for athlete_id, document in documents.items():
        file_hash = document.file_hash
        is_new = athlete_id not in hashes and not document.is_empty
        if is_new or hashes.get(athlete_id, file_hash) != file_hash:
            file = AthleteFile(athlete_id=athlete_id, payload=document.payload, file_hash=file_hash, read_at=clock())
            if await store.put_athlete_file(file):
                changed.append(athlete_id)
    return changed


class OwnFile:
    """The file on this machine, for a program that goes on while a person edits it."""

    def __init__(self, path: Path, store: KnownAthleteFiles) -> None:
        self._path = path
        self._store = store
        self._state: State | tuple[()] | None = ()

    async def push_if_edited(self) -> None:
        """Store what the file says if it was written since; a look costs no reading. Raises WarehouseBusy."""
        if state_of(self._path) != self._state:
            await self.push()

    async def push(self) -> None:
        """Store what the file says; a fault is logged, and what it said before stays in force. Raises WarehouseBusy."""
        state = state_of(self._path)
        try:
            changed = await push_file(self._path, self._store)
        except AthleteFileFault as fault:
            if state != self._state:
                log.warning("athlete_file.refused", file=self._path.name, reason=str(fault))
        else:
            if changed:
                log.info("athlete_file.stored", athletes=len(changed))
        self._state = state
