"""The real dbt on a small warehouse: `raw` made by the real migrations, filled by hand, each in its own folder."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from backends.sqlite import open_database
from backends.warehouse.duckdb.session import DuckdbSession
from backends.warehouse.runs import changed_tables
from backends.warehouse.sqlite.watermark import watermark
from transforms.functions import register
from worker.dbt_runner.script import Script
from worker.dbt_runner.script_run import run_script
from worker.dbt_runner.statements import Execute, Statements

AS_OF = "2026-04-02 10:00:00"
BERLIN = 7
BUILD = ("build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
QUIET = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "none", "--no-write-json")
# As `WarmDbt` parses for each engine: under another target, path or address dbt reads the whole project again.
PARSING = {
    "duckdb": {
        "TRANSFORM_DUCKDB_PATH": "transform.duckdb",
        "PIPELINE_SQLITE_PATH": "pipeline.sqlite",
        "DUCKDB_EXTENSION_DIR": "duckdb_extensions",
    },
    "bigquery": {"BIGQUERY_API_ENDPOINT": "127.0.0.1:9", "BIGQUERY_TOKEN": "none"},
}
# The project as dbt parsed it for each engine. Parsing takes longer than a build, so all tests share it, as the runs of
# the resident transformer do.
MANIFESTS: dict[str, Any] = {}
# What is built whole each time, and neither from the ledger nor read by what is built of changed activities alone.
WHOLE_EACH_TIME = (
    *("path:models/intermediate/pipeline", "path:models/mart/pipeline"),
    *("path:models/intermediate/summaries", "path:models/mart/summaries"),
    *("path:models/intermediate/records", "path:models/mart/records,config.materialized:table"),
)
# The statements of a refresh, which dbt writes once, by what is left out of them.
SCRIPTS: dict[tuple[str, ...], Script] = {}


@cache
def session_on(built: Path, pipeline: Path, extensions: Path) -> DuckdbSession:
    """Return the session of all refreshes, over links to files: starting one takes a third of a refresh."""
    return DuckdbSession(built, pipeline, lambda: extensions, register)


def know_script(mark: Path) -> None:
    """Take the statements of a refresh from where a transformer keeps them, after a line of its own."""
    SCRIPTS.clear()
    SCRIPTS[()] = Script.from_json(mark.read_text().partition("\n")[2])


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Give a program these variables while it runs in this process."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Raw:
    """`raw` as the worker would have filled it; every write gets the next `ingested_at`."""

    path: Path
    minute: str = "2026-04-01T12:00"
    writes: int = 0

    def __post_init__(self) -> None:
        open_database(self.path).close()

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run one statement and commit it."""
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute(sql, parameters)
        connection.close()

    def insert(self, table: str, **columns: Any) -> None:
        """Put one row, replacing the one with its key."""
        marks = ", ".join("?" * len(columns))
        self.execute(f"insert or replace into {table} ({', '.join(columns)}) values ({marks})", *columns.values())  # noqa: S608  # names are the test's own

    def watermark(self) -> str:
        """Return how far it has come."""
        with closing(sqlite3.connect(self.path)) as connection:
            return watermark(connection)

    def next_ingested_at(self) -> str:
        """Return a moment after all earlier ones."""
        self.writes += 1
        return f"{self.minute}:00.{self.writes:06d}Z"

    def activity(self, activity_id: int, payload: Any, *, athlete_id: int = BERLIN, resource_state: int = 3) -> None:
        """Store a payload: a mapping, or text as it is."""
        text = payload if isinstance(payload, str) else json.dumps({"id": activity_id, **payload})
        moment = self.next_ingested_at()
        self.insert(
            "strava_activities",
            activity_id=activity_id,
            athlete_id=athlete_id,
            payload=text,
            resource_state=resource_state,
            observed_at=moment,
            is_deleted=0,
            source="webhook",
            ingested_at=moment,
        )

    def tombstone(self, activity_id: int, *, athlete_id: int = BERLIN) -> None:
        """Delete an activity as the last-write-wins rule does: the payload goes, the row stays."""
        moment = self.next_ingested_at()
        self.insert(
            "strava_activities",
            activity_id=activity_id,
            athlete_id=athlete_id,
            observed_at=moment,
            is_deleted=1,
            source="webhook",
            ingested_at=moment,
        )

    def event(self, delivery_id: str, **columns: Any) -> None:
        """Add a ledger row; what is not given is that of a stored create."""
        row = {
            "event_id": delivery_id,
            "athlete_id": BERLIN,
            "object_type": "activity",
            "object_id": 1,
            "aspect_type": "create",
            "event_time": "2026-04-01T12:00:00.000000Z",
            "received_at": "2026-04-01T12:00:00.250000Z",
            "outcome": "stored",
            "reason": "",
            "attempt": 1,
            "finished_at": "2026-04-01T12:00:01.500000Z",
            "ingested_at": self.next_ingested_at(),
        }
        self.insert("strava_events", delivery_id=delivery_id, **(row | columns))

    def athlete(self, athlete_id: int, status: str = "connected") -> None:
        """Connect an athlete."""
        self.insert(
            "strava_athletes",
            athlete_id=athlete_id,
            scope="read",
            status=status,
            updated_at="2026-04-01T00:00:00.000000Z",
        )


@dataclass
class Warehouse:
    """A data folder and the dbt project over it.

    `levels` keeps the hour and the watermark of the last complete refresh, by what it left out.
    """

    folder: Path
    variables: Mapping[str, str]
    levels: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)
    raw: Raw = field(init=False)
    _reading: duckdb.DuckDBPyConnection | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.raw = Raw(self.folder / "pipeline.sqlite")

    @property
    def built(self) -> Path:
        """What dbt writes."""
        return self.folder / "transform.duckdb"

    def dbt(self, *arguments: str) -> Any:
        """Run one dbt command on the parsed project and return its result, with the database closed again."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415 - takes longer than a test
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - as above

        self.close()
        manifest = self.manifest()
        with environment({**self.variables, "DATA_DIR": str(self.folder)}):
            result = dbtRunner(manifest=manifest).invoke([*arguments, *QUIET])
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        return result

    def manifest(self) -> Any:
        """Return the parsed project."""
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 - as above

        target = self.variables.get("DBT_TARGET", "duckdb")
        if target not in MANIFESTS:
            with environment({**self.variables, "DBT_TARGET": target, **PARSING[target]}):
                parsed = dbtRunner().invoke(["parse", *QUIET])
            assert parsed.success, parsed.exception
            MANIFESTS[target] = parsed.result
        return MANIFESTS[target]

    def with_variables(self, **variables: str) -> "Warehouse":
        """Return the same folder under other environment variables."""
        self.close()
        other = copy(self)
        other.variables = {**self.variables, **variables}
        return other

    def refresh(
        self,
        *arguments: str,
        leave_out: tuple[str, ...] = (),
        as_of: str = AS_OF,
        meanwhile: Callable[[], None] = lambda: None,
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        """Build as at a moment, without the tests: first every model and the seed, then as the transformer does.

        That is what comes of the tables that changed, and in another hour every table; arguments choose something else.
        What happens `meanwhile` comes once it is known which those are, and before raw is read; `afterwards` comes once
        raw is read, and before the rest is built.
        Raises AssertionError when a model fails.
        """
        level = as_of[:13], self.raw.watermark()
        meanwhile()
        if self.built.exists() and not arguments:
            hour, mark = self.levels.get(leave_out) or self.levels.get(()) or ("", "")
            changed = changed_tables(mark, level[1]) if hour == level[0] else None
            self.run_script(changed, leave_out, datetime.fromisoformat(as_of).replace(tzinfo=UTC), afterwards)
        else:
            command = ["run", *arguments] if self.built.exists() else BUILD
            excluded = ["--exclude", *leave_out] if leave_out else []
            result = self.dbt(*command, *excluded, "--vars", json.dumps({"as_of": as_of}))
            assert result.success, failures(result)
        if arguments in {(), ("--full-refresh",)}:
            self.levels = {**self.levels, leave_out: level} if leave_out else {(): level}

    def script(self, leave_out: tuple[str, ...] = ()) -> Script:
        """Return the statements of a refresh."""
        if leave_out not in SCRIPTS:
            left = {node.name for each in leave_out for node in self.manifest().nodes.values() if _is_of(node, each)}
            SCRIPTS[leave_out] = Script([model for model in self.script().models if model.name not in left])
        return SCRIPTS[leave_out]

    def run_script(
        self,
        changed: frozenset[str] | None,
        leave_out: tuple[str, ...],
        as_of: datetime,
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        """Run the statements of a refresh, as the transformer does."""
        with self.opened() as (execute, beside):
            read = iter([afterwards])

            def told(sql: str) -> Any:
                rows = execute(sql)
                if sql == "commit":
                    next(read, lambda: None)()
                return rows

            own = Statements(told, as_of, lambda: as_of)
            run_script(self.script(leave_out), changed, [own, own.beside(beside)], [])

    @contextmanager
    def opened(self) -> Iterator[Sequence[Execute]]:
        """Give what runs statements on what was built, on the session that all warehouses of this process share."""
        self.close()
        extensions = Path(self.variables["DUCKDB_EXTENSION_DIR"])
        folder = extensions.parent / "session"
        folder.mkdir(exist_ok=True)
        links = folder / "transform.duckdb", folder / "pipeline.sqlite"
        for link, file in zip(links, (self.built, self.raw.path), strict=True):
            link.unlink(missing_ok=True)
            link.symlink_to(file)
        with session_on(*links, extensions).opened() as connections:
            yield connections

    def refresh_activities(self, *arguments: str, as_of: str = AS_OF) -> None:
        """Build what is built of changed activities alone, and what that reads: a third of all models."""
        self.refresh(*arguments, leave_out=WHOLE_EACH_TIME, as_of=as_of)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Query what was built, without `raw`. The file stays open until dbt runs: opening it takes long."""
        self._reading = self._reading or duckdb.connect(str(self.built), read_only=True)
        cursor = self._reading.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Let others write to what was built."""
        if self._reading:
            self._reading.close()
            self._reading = None

    def row(self, sql: str) -> dict[str, Any]:
        """Return the one row of a query."""
        (row,) = self.rows(sql)
        return row


def _is_of(node: Any, choice: str) -> bool:
    """Whether a path chooses a node, as dbt does; a kind of materialization may follow."""
    path, _, kind = choice.removeprefix("path:").partition(",config.materialized:")
    return node.original_file_path.startswith(path) and kind in {"", node.config.materialized}


def failures(result: Any) -> str:
    """Say what failed in a dbt result."""
    if result.exception:
        return str(result.exception)
    return "\n".join(f"{r.node.name}: {r.message}" for r in result.result if r.status not in {"success", "pass"})
