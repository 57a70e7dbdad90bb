"""dbt, imported once and kept warm: the project is read once, so that a run costs only its own SQL."""

import json
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, cast

import structlog
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from backends.marks import Marks
from backends.marks.file import FileMarks
from backends.warehouse.marts import MartSnapshot
from worker.dbt_runner.port import Build, Node
from worker.dbt_runner.project import Project
from worker.dbt_runner.script import CHANGES, Model, Replaced, Script

_FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
# Unit tests are about this project and not about anybody's data: who develops it runs them.
_WITH_TESTS = ("build", "--exclude-resource-type", "seed", "--exclude-resource-type", "unit_test")
_RUN = ("run", "--no-write-json")  # the manifest has not changed; writing it takes a third of a second
_NO_VIEWS = ("--exclude", "config.materialized:view")  # a view is its SQL, which is the project's
AS_SCRIPT = (*_RUN, *_NO_VIEWS, "--vars", '{"as_script": true}')  # dbt's command that writes the refresh script
_STALE = {"error": "too old", "runtime error": "cannot be asked"}  # a warning is no failure


log = structlog.get_logger(__name__)


def refresh_command(changed: Collection[str] | None) -> list[str]:
    """Return dbt's command that builds what comes of these tables of raw, or every table where None."""
    upstream = [] if changed is None else ["tag:every_run+", *(f"source:raw.{table}+" for table in sorted(changed))]
    return [*_RUN, *_NO_VIEWS, *(["--select", *upstream] if upstream else [])]


class WarmDbt:
    """Implements `Models` with dbt. Its manifest and compiled SQL go to `work_dir`, never to the project.

    Between builds the database is closed, so that another process may build, and the file is all there is to copy. One
    that cannot be read any more is rebuilt: everything in it comes from raw.

    Marks about the project are kept beside them unless told otherwise.
    """

    def __init__(  # noqa: PLR0913 - where the project is, and by keyword what the engine needs
        self,
        project_dir: Path,
        work_dir: Path,
        *,
        snapshot: MartSnapshot,
        environment: Mapping[str, str],
        target: str = "duckdb",
        marks: Marks | None = None,
    ) -> None:
        self._environment = {**environment, "DO_NOT_TRACK": "1"}
        self._project = Project(project_dir, target=target, marks=marks or FileMarks(work_dir), snapshot=snapshot)
        self._work_dir = work_dir.resolve()  # what is relative dbt looks for in the project
        self._snapshot = snapshot

    def is_built(self) -> bool:
        """Whether this version of the project built what is there. Raises OSError, WarehouseBusy."""
        return self._project.is_built()

    def build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None = None) -> Build:
        """Build what has changed, or everything."""
        try:
            return self._build_or_rebuild(full_refresh=full_refresh, tests=tests, changed=changed)
        except Exception as error:  # noqa: BLE001 - dbt, DuckDB and our files each meet a full disk in their own way
            return Build(nodes=(), is_full_refresh=full_refresh, error=f"dbt could not run: {_plain(str(error))}")

    def build_as_of(self, moment: datetime, sql: str) -> Build:
        """Build from nothing what a statement names and what that is made of, with a moment in the place of now.

        Activities that began later are left out.
        Where it names none of the models, all of them are built.
        """
        variables = json.dumps({"as_of": f"{moment:%Y-%m-%d %H:%M:%S}", "without_later": True})
        seeds = self._load_seeds()
        if seeds.error is not None:
            return seeds
        names = {node.name for node in cast("Manifest", self._warm.manifest).nodes.values()}
        wanted = [f"+{name}" for name in sorted(names.intersection(re.findall(r"\w+", sql)))]
        return self._run([*_RUN, "--vars", variables, *(["--select", *wanted] if wanted else [])], True, seeds)

    def write_documents(self) -> None:
        """Write dbt's pages as one file, `target/static_index.html` in `work_dir`. Raises RuntimeError."""
        try:
            result = self._invoke(self._warm, ["docs", "generate", "--static", "--empty-catalog"])
        except _Unparsable as error:
            raise RuntimeError(str(error)) from error
        if not result.success:
            raise RuntimeError(f"dbt cannot write its documents: {_plain(str(result.exception))}")

    def stale_sources(self) -> list[str]:
        """Return the tables of raw that are older than they may be; one that cannot be asked counts as such."""
        try:
            result = self._invoke(self._warm, ["source", "freshness", "--output", str(self._work_dir / "sources.json")])
        except _Unparsable as error:
            return [str(error)]
        nodes = [_node(each) for each in getattr(result.result, "results", ())]
        return [f"{node.name}: {_STALE[node.status]}" for node in nodes if node.status in _STALE]

    def project_fault(self) -> str | None:
        """Return why dbt cannot read the project; None where it can. No database is opened for it."""
        try:
            _ = self._warm
        except _Unparsable as error:
            return str(error)
        return None

    def written_script(self) -> Script:
        """Have dbt write the statements of a refresh; the tables must have been built.

        Raises RuntimeError where it cannot.
        """
        try:
            dbt = self._warm
        except _Unparsable as error:
            raise RuntimeError(str(error)) from error
        result = self._invoke(dbt, AS_SCRIPT)
        results = getattr(result.result, "results", ())
        fault = _error(result, [_node(each) for each in results])
        if fault is not None:
            raise RuntimeError(fault)
        return script_of(cast("Manifest", dbt.manifest), results)

    def _build_or_rebuild(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None) -> Build:
        build = self._build(full_refresh=full_refresh, tests=tests, changed=changed)
        if build.error is None or not self._snapshot.discard_if_damaged(build.error):
            return build
        log.error("transform.database_damaged", error=build.error.splitlines()[0])
        return self._build(full_refresh=True, tests=tests, changed=None)

    def _build(self, *, full_refresh: bool, tests: bool, changed: Collection[str] | None) -> Build:
        everything = full_refresh or not self.is_built()
        build = self._load_seeds() if everything else Build(nodes=(), is_full_refresh=False)
        if build.error is None:
            command = _WITH_TESTS if tests else _RUN if everything else refresh_command(changed)
            build = self._run(command, everything, build)
        if build.error is None:
            self._project.mark_built(is_built=True)
        return build

    def _load_seeds(self) -> Build:
        self._project.mark_built(is_built=False)
        return self._run(["seed", "--no-write-json"], True, Build(nodes=(), is_full_refresh=True))

    def _run(self, command: Sequence[str], everything: bool, before: Build) -> Build:  # noqa: FBT001 - private
        arguments = [*command, *(["--full-refresh"] if everything else [])]
        try:
            result = self._invoke(self._warm, arguments)
        except _Unparsable as error:
            return Build(nodes=before.nodes, is_full_refresh=everything, error=str(error))
        nodes = tuple(_node(each) for each in getattr(result.result, "results", ()))
        return Build(nodes=before.nodes + nodes, is_full_refresh=everything, error=_error(result, nodes))

    @cached_property
    def _warm(self) -> dbtRunner:
        self._project.look_again()
        parsed = self._invoke(dbtRunner(), ["parse"], _without_folders(self._environment))
        if not parsed.success:
            raise _Unparsable(f"dbt cannot read the project in {self._project.folder}: {parsed.exception}")
        return dbtRunner(manifest=cast("Manifest", parsed.result))

    def _invoke(
        self, dbt: dbtRunner, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> dbtRunnerResult:
        with _variables(environment or self._environment), _without_arguments():
            try:
                return dbt.invoke(self._complete(arguments))
            finally:
                DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]

    def _complete(self, arguments: Sequence[str]) -> list[str]:
        return [
            *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-use-colors", "--quiet"),
            *("--log-level", "none", "--log-level-file", "none", "--log-path", str(self._work_dir / "logs")),
            *arguments,
            *("--project-dir", str(self._project.folder), "--profiles-dir", str(self._project.folder)),
            *("--target-path", str(self._work_dir / "target")),
        ]


def script_of(manifest: Manifest, results: Sequence[Any]) -> Script:
    """Return the project's models, each after those that it reads, with what the command AS_SCRIPT told of them."""
    written = {each.node.unique_id: json.loads(each.message) for each in results if isinstance(each.node, ModelNode)}
    models = {key: node for key, node in manifest.nodes.items() if isinstance(node, ModelNode)}
    parents = {key: [one for one in node.depends_on.nodes if one in models] for key, node in models.items()}
    order = TopologicalSorter(parents).static_order()
    return Script([_model(manifest, models[key], written.get(key, {})) for key in order])


def _model(manifest: Manifest, node: ModelNode, written: Mapping[str, Any]) -> Model:
    sources = [manifest.sources[one] for one in node.depends_on.nodes if one in manifest.sources]
    parents = [manifest.nodes[one] for one in node.depends_on.nodes if one in manifest.nodes]
    replaced = written.get("replaced")
    return Model(
        name=node.name,
        # a list of what changed tells a model which rows to make again, and is in none of them, but in another list
        parents=[each.name for each in parents if CHANGES not in each.tags or CHANGES in node.tags],
        lists=[each.name for each in parents if CHANGES in each.tags],
        sources=[source.name for source in sources],
        tags=sorted({*node.tags, *(tag for source in sources for tag in source.tags)}),
        statements=[statement.strip() for statement in written.get("statements", ()) if statement.strip()],
        table=written.get("table"),
        replaced=Replaced(**replaced) if replaced else None,
        last=written.get("last"),
    )


def _without_folders(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with the last part of each path only, for parsing.

    dbt reads a project again in full when the profile's paths have changed, although nothing that it reads depends on
    them. What was parsed with these serves each data folder, also a restored copy.
    """
    return {name: Path(value).name for name, value in environment.items()}


@contextmanager
def _variables(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which is where the project's profile looks, and put back what was there."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _without_arguments() -> Iterator[None]:
    """Hide this program's arguments from dbt, which writes them to its artifacts: an athlete's number may be one."""
    before = sys.argv
    sys.argv = before[:1]
    try:
        yield
    finally:
        sys.argv = before


class _Unparsable(Exception):
    """The project cannot be read at all."""


def _node(result: Any) -> Node:
    return Node(
        name=result.node.name,
        status=str(result.status),
        seconds=round(result.execution_time, 4),
        message=_plain(result.message),
    )


def _error(result: Any, nodes: Sequence[Node]) -> str | None:
    if result.success:
        return None
    faults = [f"{node.name}: {node.message}" for node in nodes if node.status in _FAILED]
    return "\n".join(faults) or f"dbt failed: {_plain(str(result.exception))}"


def _plain(message: str | None) -> str | None:
    """Leave out the addresses in its own code that DuckDB adds to an error of its own."""
    return message and message.split("\n\nStack Trace")[0]
