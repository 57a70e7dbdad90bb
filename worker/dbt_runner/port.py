"""Building the models, as a port: dbt builds them, and tests use a fake."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from worker.dbt_runner.script import Script


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One model, seed or test of a build: how it ended (dbt's word) and how long it took."""

    name: str
    status: str
    seconds: float
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """One build. `error` is None when every node succeeded."""

    nodes: tuple[Node, ...]
    is_full_refresh: bool
    error: str | None = None


class Dbt(Protocol):
    """dbt, as a refresh by its script needs it."""

    def build(self, *, full_refresh: bool, tests: bool) -> Build:
        """Build what has changed, or everything. A failure is told in the answer, not raised."""

    def written_script(self) -> Script:
        """Write the statements of a refresh; the tables must have been built. Raises RuntimeError."""

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be, each with dbt's word for how much too old."""


class Models(Protocol):
    """Builds staging and mart. Blocks, so it is called in a thread; never twice at a time."""

    def is_built(self) -> bool:
        """Whether this version of the models built what is there. Raises OSError, WarehouseBusy."""

    def build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None = None) -> Build:
        """Build what has changed, or everything. A failure is told in the answer, not raised.

        `changed` names the tables of raw that alone changed since all models were built; None where more may have.
        """

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be, each with dbt's word for how much too old."""
