"""The models and dbt in processes of their own. See docs/decisions/0025."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import wait
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from backends.warehouse import WarehouseBusy
from runtime.logs import configure_logs
from runtime.settings import LogFormat
from worker.dbt_runner.port import Build, Models
from worker.dbt_runner.project import Project
from worker.dbt_runner.script import Script

if TYPE_CHECKING:
    from worker.dbt_runner.dbt import WarmDbt


class ModelsApart:
    """Implements `Models` with those that `make` puts together in another process, which stays until `close`.

    The other process reads the pipeline's SQLite file through DuckDB, which has a SQLite of its own, and a second one
    in this process would void the locks of the first. `make` can be pickled; lines of the log look as this program's.
    What is built of the `project` is looked up here, several times a second.
    """

    def __init__(self, project: Project, make: Callable[[], Models], log_format: LogFormat) -> None:
        self._project = project
        self._make = make
        self._log_format = log_format
        self._process: ProcessPoolExecutor | None = None

    def is_built(self) -> bool:
        """Whether this version of the models built what is there. Raises OSError."""
        return self._project.is_built()

    def build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None = None) -> Build:
        """Build what has changed, or everything."""
        try:
            build: Build = self._ask(methodcaller("build", full_refresh=full_refresh, tests=tests, changed=changed))
            if not self._project.is_built():
                self._project.look_again()  # the other process did before it built
        except Exception as error:  # noqa: BLE001 - as in `WarmDbt.build`
            return Build(nodes=(), is_full_refresh=full_refresh, error=str(error))
        return build

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be. Raises WarehouseBusy."""
        stale: list[str] = self._ask(methodcaller("stale_sources"))
        return stale

    def close(self) -> None:
        """Let the other process finish what it does, and end it."""
        if self._process:
            self._process.shutdown()
            self._process = None

    def _ask(self, question: Callable[[Models], Any]) -> Any:
        self._process = self._process or self._started()
        try:
            return self._process.submit(_answered, question).result()
        except BrokenProcessPool as error:
            self.close()
            raise WarehouseBusy("The process that builds the models was ended; the next try starts another.") from error

    def _started(self) -> ProcessPoolExecutor:
        level = logging.getLevelName(logging.getLogger().getEffectiveLevel())
        told = (self._make, self._log_format, level)
        return ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_remember_logging, initargs=told
        )


class DbtApart:
    """Implements `Dbt` with one in another process; see `dbt_apart`."""

    def __init__(self, process: ProcessPoolExecutor) -> None:
        self._process = process

    def build(self, *, full_refresh: bool, tests: bool) -> Build:
        """Have dbt build what has changed, or everything."""
        build: Build = self._asked(methodcaller("build", full_refresh=full_refresh, tests=tests))
        return build

    def written_script(self) -> Script:
        """Have dbt write the statements of a refresh. Raises RuntimeError where it cannot."""
        script: Script = self._asked(methodcaller("written_script"))
        return script

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be, as dbt judges."""
        stale: list[str] = self._asked(methodcaller("stale_sources"))
        return stale

    def _asked(self, question: "Callable[[WarmDbt], Any]") -> Any:
        """Ask; raise the error there, or RuntimeError if the process died."""
        return self._process.submit(_answered, question).result()


@contextmanager
def dbt_apart(make: "Callable[[], WarmDbt]") -> Iterator[DbtApart]:
    """Open dbt in a process that ends with the block, so that who stays does without the 100 MB of dbt.

    It starts with the first question. `make` puts dbt together there, so it and what it holds can be pickled.
    """
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawned, initializer=_remember, initargs=(make,)) as process:
        yield DbtApart(process)


_makes: list[Callable[[], Any]] = []  # in the other process: how what is asked there is put together


def _remember(make: Callable[[], Any]) -> None:
    _depend_on_parent()
    _makes.append(make)


def _remember_logging(make: Callable[[], Models], log_format: LogFormat, level: str) -> None:
    _remember(make)
    configure_logs(log_format, level)


@cache
def _made() -> Any:
    """Put it together when it is first asked, so that what is wrong with it is told to who asks.

    Raises RuntimeError, since not every error comes through to another process.
    """
    try:
        return _makes[0]()
    except Exception as error:  # noqa: BLE001 - as in `WarmDbt.build`
        raise RuntimeError(f"the models could not be put together: {error}") from None


def _answered(question: Callable[[Any], Any]) -> Any:
    return question(_made())


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
