"""The bytes of imported recordings, kept by their content: `DATA_DIR/files/ab/abcd….gz`."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from runtime.data_dir import make_private

_GZIP = b"\x1f\x8b"
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """A folder of files. A file is there whole or not at all; a power cut may cost the last ones."""

    folder: Path

    def keep(self, sha256: str, content: bytes) -> None:
        """Keep a file, gzipped unless it is; `sha256` is of the unpacked content. Raises OSError."""
        path = self.path(sha256)
        if path.exists():
            return
        make_private(path.parent)
        draft = path.with_name(f"{path.name}.{uuid4().hex}")  # the sessions of one file may be kept at once
        draft.write_bytes(content if content.startswith(_GZIP) else gzip.compress(content, _LEVEL, mtime=0))
        draft.replace(path)

    def path(self, sha256: str) -> Path:
        """Return where a file is, or would be."""
        return self.folder / sha256[:2] / f"{sha256}.gz"
