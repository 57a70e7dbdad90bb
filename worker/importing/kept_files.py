"""The bytes of imported recordings, kept by their content: `DATA_DIR/files/ab/abcd….gz`."""

import asyncio
import gzip
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from backends.warehouse.own_files import OwnFiles
from runtime.data_dir import make_private

_GZIP = b"\x1f\x8b"
_LEVEL = 6
_STORED_WITHIN_S = 3600.0  # a file is kept before its row is stored


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """A folder of files. A file is there whole or not at all; a power cut may cost the last ones."""

    folder: Path

    def keep(self, sha256: str, content: bytes) -> None:
        """Keep a file, gzipped unless it is; `sha256` is of the unpacked content. Raises OSError."""
        path = self.path(sha256)
        if path.exists():
            path.touch()  # so that it counts as new until it has a row once more
            return
        make_private(path.parent)
        draft = path.with_name(f"{path.name}.{uuid4().hex}")  # the sessions of one file may be kept at once
        draft.write_bytes(content if content.startswith(_GZIP) else gzip.compress(content, _LEVEL, mtime=0))
        draft.replace(path)

    def path(self, sha256: str) -> Path:
        """Return where a file is, or would be."""
        return self.folder / sha256[:2] / f"{sha256}.gz"

    def paths(self) -> dict[Path, str]:
        """Return all that is there with the hash of its content, drafts that a kill left among them."""
        return {path: path.name.partition(".")[0] for path in sorted(self.folder.glob("??/*"))}


async def remove_gone(keep: KeptFiles, store: OwnFiles, *, at_once: Collection[str] = ()) -> int:
    """Remove files of which no recording is stored any more; return how many. Raises WarehouseBusy, OSError.

    One that was kept within the hour may be about to be stored, and stays unless its hash is among those `at_once`.
    """
    latest = time.time() - _STORED_WITHIN_S
    found = await asyncio.to_thread(keep.paths)
    old = {path: sha256 for path, sha256 in found.items() if sha256 in at_once or path.stat().st_mtime < latest}
    known = await store.known_files(set(old.values())) if old else set[str]()
    gone = [path for path, sha256 in old.items() if sha256 not in known]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
