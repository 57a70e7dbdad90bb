"""dbt in a process of its own, which ends when it has built: the resident program does without the 100 MB of it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, TypeVar

from worker.dbt_runner.port import Build
from worker.dbt_runner.script import Script

if TYPE_CHECKING:
    from worker.dbt_runner.dbt import WarmDbt

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class DbtApart:
    """Implements `Dbt`. `make` puts dbt together there, so it and what it holds can be pickled."""

    make: "Callable[[], WarmDbt]"

    def build(self, *, full_refresh: bool, tests: bool) -> Build:
        """Have dbt build what has changed, or everything."""
        return _asked(_build, self.make, full_refresh, tests)

    def written_script(self) -> Script:
        """Have dbt write the statements of a refresh. Raises RuntimeError where it cannot."""
        return _asked(_written_script, self.make)

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be, as dbt judges."""
        return _asked(_stale_sources, self.make)


def _asked(function: Callable[..., Answer], *arguments: object) -> Answer:
    """Call a function in a new process and return its answer, or raise its error. Raises RuntimeError if it died."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_depend_on_parent) as process:
        return process.submit(function, *arguments).result()


def _depend_on_parent() -> None:
    """Leave the signals to the parent, which lets a run finish; end where the parent was killed."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _build(make: "Callable[[], WarmDbt]", full_refresh: bool, tests: bool) -> Build:  # noqa: FBT001 - by position only
    return make().build(full_refresh=full_refresh, tests=tests)


def _written_script(make: "Callable[[], WarmDbt]") -> Script:
    return make().written_script()


def _stale_sources(make: "Callable[[], WarmDbt]") -> list[str]:
    return make().stale_sources()
