"""Builds the models: from nothing by dbt, and after that by the statements that dbt wrote for refreshes.

For each model dbt spends more time on its own work than DuckDB on its statement. See docs/decisions/0023.
"""

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime

import structlog

from backends.warehouse import WarehouseBusy
from backends.warehouse.marts import MartMissing, MartSnapshot
from runtime.clock import utc_now
from worker.dbt_runner.port import Build, Dbt, Node
from worker.dbt_runner.project import Project
from worker.dbt_runner.script import CHANGES, MEASURES_ONLY, Execute, Model, News, Script, Statements

log = structlog.get_logger(__name__)


class Refresher:
    """Implements `Models`. A refresh is one transaction: where a statement fails, every table stays as it was."""

    def __init__(
        self,
        project: Project,
        open_dbt: Callable[[], AbstractContextManager[Dbt]],
        snapshot: MartSnapshot,
        transaction: Callable[[], AbstractContextManager[Execute]],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._project = project
        self._open_dbt = open_dbt
        self._snapshot = snapshot
        self._transaction = transaction
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
        places = ["the beginning of the refresh"]
        try:
            with self._transaction() as execute:
                run_script(script, changed, Statements(execute, self._clock(), self._clock), nodes, places)
        except WarehouseBusy as error:
            return Build(nodes=tuple(nodes), is_full_refresh=False, error=f"{places[-1]}: {error}")
        return Build(nodes=tuple(nodes), is_full_refresh=False)


def run_script(
    script: Script, changed: Collection[str] | None, statements: Statements, nodes: list[Node], places: list[str]
) -> None:
    """Run in order what comes of these tables of raw, as far as something that it reads is other than before.

    Then comes what waits for the end. Adds each model that ran to `nodes`, and where the run is to `places`.
    """
    new: set[str] = set()
    measured: set[str] = set()  # what is new in more than labels
    is_alone = statements.is_alone()
    ran: list[Model] = []
    for model in script.models:
        is_measured = model.is_due(changed, measured)
        if not is_measured and (MEASURES_ONLY in model.tags or not model.is_due(changed, new)):
            continue
        if model.is_view:
            news = News.ROWS if is_measured else News.LABELS
        else:
            places.append(model.name)
            began = time.perf_counter()
            news = statements.build(model, is_measured=is_measured)
            seconds = round(time.perf_counter() - began, 4)
            nodes.append(Node(name=model.name, status="success", seconds=seconds))
            ran.append(model)
        if changed is not None and CHANGES in model.tags and model.sources and statements.is_filled(model):
            # the list says how far raw was read: what came since `changed` was told is in it, and in no later one
            changed = {*changed, *model.sources}
        if news or not is_alone:
            new.add(model.name)
        if news is News.ROWS or not is_alone:
            measured.add(model.name)
    places.append("the end of the refresh")
    for model in ran:
        if model.last:
            statements.run(model.last)
    statements.end()
