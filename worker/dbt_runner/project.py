"""What is known of our dbt project without dbt: its fingerprint, which version built what is there, and its script."""

import hashlib
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from backends.marks import Marks
from backends.warehouse.marts import MartSnapshot
from worker.dbt_runner.script import Script

_BUILT = "built.sha256"  # the mark of the project that built what is there
_SCRIPT = "refresh_script"  # after the fingerprint of the project that wrote it
_ENGINES = {"duckdb": ("dbt-core", "dbt-duckdb", "duckdb"), "bigquery": ("dbt-core", "dbt-bigquery")}  # by target
_SOURCES = ("*.py", "dbt_project.yml", "macros", "models", "seeds", "tests")


class Project:
    """A dbt project and the marks about it.

    A project that has changed, another dbt or DuckDB, or a first run, loads the seeds and rebuilds everything, so that
    an upgrade never meets tables or views of another shape.
    """

    def __init__(self, folder: Path, *, target: str, marks: Marks, snapshot: MartSnapshot) -> None:
        self.folder = folder
        self._target = target
        self._marks = marks
        self._snapshot = snapshot

    def look_again(self) -> None:
        """Read the project's files now, which may be those of another version since the program started.

        Before dbt does, so that what is built while a newer version is installed is not taken for the newer one's.
        """
        self._fingerprint = _fingerprint_of(self.folder, self._target)

    def is_built(self) -> bool:
        """Whether what is there was built by this project with these versions. Raises OSError, WarehouseBusy."""
        return self._snapshot.is_built() and self._marks.read(_BUILT) == self._fingerprint

    def mark_built(self, *, is_built: bool) -> None:
        """Remember whether what is there was built by it. Raises OSError."""
        self._marks.write(_BUILT, self._fingerprint if is_built else "")

    def script(self) -> Script | None:
        """Return the statements of a refresh; None where this version has not written them whole. Raises OSError."""
        fingerprint, _, text = self._marks.read(_SCRIPT).partition("\n")
        try:
            return Script.from_json(text) if fingerprint == self._fingerprint else None
        except (ValueError, TypeError):
            return None

    def keep_script(self, script: Script) -> None:
        """Remember the statements of a refresh. Raises OSError."""
        self._marks.write(_SCRIPT, f"{self._fingerprint}\n{script.json()}")

    @cached_property
    def _fingerprint(self) -> str:
        return _fingerprint_of(self.folder, self._target)


def is_built_by(folder: Path, *, target: str, marks: Marks) -> bool:
    """Whether the project in this folder built the marts last, by the mark alone. Raises OSError, WarehouseBusy."""
    return marks.read(_BUILT) == _fingerprint_of(folder, target)


def _fingerprint_of(folder: Path, target: str) -> str:
    digest = hashlib.sha256("\n".join(f"{name} {version(name)}" for name in _ENGINES[target]).encode())
    for place in (place for name in _SOURCES for place in sorted(folder.glob(name))):
        for file in [place] if place.is_file() else sorted(place.rglob("*.*")):
            if file.is_file():
                digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()
