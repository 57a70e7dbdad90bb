"""Builds the models: from nothing by dbt, and after that by the statements that dbt wrote for refreshes.

For each model dbt spends more time on its own work than DuckDB on its statement. See docs/decisions/0023.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartMissing, MartSnapshot
from runtime.clock import utc_now
from worker.dbt_runner.port import Build, Dbt, Node
from worker.dbt_runner.project import Project
from worker.dbt_runner.script import Script
from worker.dbt_runner.script_run import run_script
from worker.dbt_runner.statements import Execute, Statements

log = structlog.get_logger(__name__)


class Refresher:
    """Implements `Models`. A refresh is all or nothing: where a statement fails, every table stays as it was."""

    def __init__(
        self,
        project: Project,
        open_dbt: Callable[[], AbstractContextManager[Dbt]],
        snapshot: MartSnapshot,
        opened: Callable[[], AbstractContextManager[Sequence[Execute]]],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._project = project
        self._open_dbt = open_dbt
        self._snapshot = snapshot
        self._opened = opened
        self._clock = clock
        self._known_script: Script | None = None

    def is_built(self) -> bool:
        """Whether this version of the project built what is there. Raises OSError."""
        return self._project.is_built()

    def build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None = None) -> Build:
        """Refresh what has changed, or have dbt build everything."""
        try:
            if full_refresh or tests or not self.is_built():
                return self._built_by_dbt(full_refresh=full_refresh, tests=tests)
            try:
                build = self._refresh(changed)
            except MartMissing as error:
                log.error("transform.tables_missing", error=str(error))
                return self._built_by_dbt(full_refresh=True, tests=tests)
            if build.error is None or not self._snapshot.discard_if_damaged(build.error):
                return build
            log.error("transform.database_damaged", error=build.error.splitlines()[0])
            return self._built_by_dbt(full_refresh=True, tests=tests)
        except Exception as error:  # noqa: BLE001 - as in `WarmDbt.build`
            return Build(nodes=(), is_full_refresh=full_refresh, error=f"the refresh could not run: {error}")

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be, as dbt judges."""
        with self._open_dbt() as dbt:
            return dbt.stale_sources()

    def _built_by_dbt(self, *, full_refresh: bool, tests: bool) -> Build:
        self._project.look_again()  # dbt does, and builds what is there now
        self._known_script = None
        with self._open_dbt() as dbt:
            build = dbt.build(full_refresh=full_refresh, tests=tests)
            if build.error is None:
                # the next refresh need not wait for it
                self._known_script = self._project.script() or self._written(dbt)
        return build

    def _script(self) -> Script:
        self._known_script = self._known_script or self._project.script()
        if self._known_script is None:
            with self._open_dbt() as dbt:
                self._known_script = self._written(dbt)
        return self._known_script

    def _written(self, dbt: Dbt) -> Script:
        script = dbt.written_script()
        self._project.keep_script(script)
        return script

    def _refresh(self, changed: Collection[str] | None) -> Build:
        script = self._script()
        nodes: list[Node] = []
        try:
            with self._opened() as (execute, *others):
                first = Statements(execute, self._clock(), self._clock)
                run_script(script, changed, [first, *map(first.beside, others)], nodes)
        except WarehouseBusy as error:
            return Build(nodes=tuple(nodes), is_full_refresh=False, error=str(error))
        return Build(nodes=tuple(nodes), is_full_refresh=False)
