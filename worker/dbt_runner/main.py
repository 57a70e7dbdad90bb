"""Runs the transformer, which stays resident: the one place that reads its settings and picks the engine."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, nullcontext, suppress
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import structlog

from backends.athlete_file.sync import OwnFile
from backends.database_errors import explain_database_error
from backends.engine import bigquery_place, built_every, google_packages, is_on_gcp
from backends.engine.pipeline import open_shared_marks, opened_store
from backends.marks.file import FileMarks
from backends.marks.lease import LeasePolicy, leased
from backends.sqlite import last_write
from backends.warehouse import RawStore, WarehouseBusy
from backends.warehouse.duckdb.extension import extension_directory
from backends.warehouse.duckdb.session import DuckdbSession
from backends.warehouse.duckdb.snapshot import DuckdbSnapshot
from runtime.data_dir import make_private
from runtime.logs import configure_logs
from runtime.settings import PartMissing
from runtime.startup import exit_on_startup_error
from worker.dbt_runner.apart import ModelsApart, dbt_apart
from worker.dbt_runner.loop import PollPolicy, keep_fresh
from worker.dbt_runner.port import Dbt, Models
from worker.dbt_runner.project import Project
from worker.dbt_runner.refresher import Refresher
from worker.dbt_runner.settings import PROJECT_DIR, TransformSettings
from worker.dbt_runner.single_flight import single_flight
from worker.dbt_runner.transformer import Transformer
from worker.importing.relink import relink_open

if TYPE_CHECKING:
    from worker.dbt_runner.dbt import WarmDbt

LONGEST_RUN_S = 1800.0  # on Google Cloud, where its job ends then

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_transformer(
    settings: TransformSettings, *, waits_s: float = LONGEST_RUN_S, stays: bool = False
) -> AsyncIterator[Transformer]:
    """Put a transformer together as the settings say, and release what it holds at the end.

    One that stays has dbt run in a process of its own, because it seldom needs it.
    On Google Cloud another one that runs is waited for `waits_s`; then LeaseHeld is raised. Raises WarehouseBusy,
    PartMissing, OSError.
    """
    make_private(settings.data_dir)
    async with opened_store(settings) as store:  # which also brings raw to its newest shape, before dbt reads it
        if is_on_gcp(settings):
            yield _on_bigquery(settings, store, waits_s)
        else:
            make = partial(_refresher, settings, stays=stays)
            with closing(ModelsApart(_project(settings), make, settings.log_format)) as models:
                yield _on_duckdb(settings, store, models)


def _on_duckdb(settings: TransformSettings, store: RawStore, models: Models) -> Transformer:
    return Transformer(
        store,
        models,
        _snapshot(settings),
        single_flight=partial(single_flight, settings.lock_path),
        marks=FileMarks(settings.dbt_dir),
        own_file=OwnFile(settings.athlete_file_path, store),
        relink=partial(relink_open, store),
    )


def _snapshot(settings: TransformSettings) -> DuckdbSnapshot:
    return DuckdbSnapshot(settings.transform_path, settings.mart_path)


def _project(settings: TransformSettings) -> Project:
    marks = FileMarks(settings.dbt_dir)
    return Project(PROJECT_DIR, target="duckdb", marks=marks, snapshot=_snapshot(settings))


def _refresher(settings: TransformSettings, *, stays: bool) -> Refresher:
    snapshot = _snapshot(settings)
    extensions = partial(extension_directory, settings.data_dir)
    session = DuckdbSession(settings.transform_path, settings.pipeline_path, extensions, _register_functions)
    make = partial(_warm_dbt, settings, settings.data_dir, settings.dbt_dir, snapshot)
    once = cache(make)

    def open_dbt() -> AbstractContextManager[Dbt]:
        return dbt_apart(make) if stays else nullcontext(once())

    return Refresher(_project(settings), open_dbt, snapshot, session.opened)


def _register_functions(connection: Any) -> None:
    from transforms.functions import register  # noqa: PLC0415 - numpy and Arrow, which only a refresh needs

    register(connection)


def _on_bigquery(settings: TransformSettings, store: RawStore, waits_s: float) -> Transformer:
    """Have it run on a change and once in a day of UTC: each run is billed, so an idle hour is none."""
    from worker.dbt_runner.dbt import WarmDbt  # noqa: PLC0415 - as in `_warm_dbt`

    with google_packages():
        from backends.warehouse.bigquery.marks import BigQuerySnapshot  # noqa: PLC0415 - Google's packages
    marks, snapshot = open_shared_marks(settings), BigQuerySnapshot(bigquery_place(settings))
    environment = settings.bigquery_environment
    models = WarmDbt(
        PROJECT_DIR, settings.dbt_dir, snapshot=snapshot, environment=environment, target="bigquery", marks=marks
    )
    policy = LeasePolicy(wait_s=waits_s)
    return Transformer(
        store,
        models,
        snapshot,
        single_flight=partial(leased, marks, "transform", policy),
        marks=marks,
        relink=partial(relink_open, store),
        max_age=built_every(settings),
    )


def _warm_dbt(settings: TransformSettings, folder: Path, work_dir: Path, snapshot: DuckdbSnapshot) -> "WarmDbt":
    from worker.dbt_runner.dbt import WarmDbt  # noqa: PLC0415 - a refusal to start need not wait for its seconds

    environment = settings.dbt_environment(extension_directory(folder))
    return WarmDbt(PROJECT_DIR, work_dir, snapshot=snapshot, environment=environment)


def dbt_in(folder: Path, settings: TransformSettings) -> "WarmDbt":
    """Put dbt together over `transform.duckdb` in a folder that is thrown away; it reads `raw` as it is.

    What the transformer has parsed before is used. Raises OSError.
    """
    from worker.dbt_runner.dbt import WarmDbt  # noqa: PLC0415 - as in `_warm_dbt`

    with suppress(OSError):
        shutil.copytree(settings.dbt_dir / "target", folder / "target")
    database = folder / "transform.duckdb"
    told = settings.dbt_environment(extension_directory(settings.data_dir))
    environment = {**told, "TRANSFORM_DUCKDB_PATH": str(database.resolve())}
    snapshot = DuckdbSnapshot(database, folder / "mart.duckdb")
    return WarmDbt(PROJECT_DIR, folder, snapshot=snapshot, environment=environment)


def _all_but_parsed(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name != "partial_parse.msgpack"]


def project_fault(settings: TransformSettings) -> str | None:
    """Return why dbt cannot read our project, tried in a folder that is thrown away; None where it can.

    What the transformer has parsed before is used: dbt then reads only what has changed since.
    """
    with TemporaryDirectory() as folder:
        work_dir = Path(folder)
        with suppress(OSError):
            shutil.copytree(settings.dbt_dir / "target", work_dir / "target", ignore=_all_but_parsed)
        snapshot = DuckdbSnapshot(work_dir / "transform.duckdb", work_dir / "mart.duckdb")
        return _warm_dbt(settings, work_dir, work_dir, snapshot).project_fault()


async def serve(settings: TransformSettings, on_started: Callable[[], None]) -> None:
    """Keep the marts level with raw until a signal comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    async with open_transformer(settings, stays=True) as transformer:
        on_started()
        log.info("transformer.started")
        policy = PollPolicy(debounce_s=settings.transform_debounce_s)
        await keep_fresh(transformer, stop, policy, partial(last_write, settings.pipeline_path))
    log.info("transformer.stopped")


def main() -> None:
    """Start the program."""
    with exit_on_startup_error("transformer", WarehouseBusy, explain=explain_database_error) as started:
        settings = TransformSettings()
        if is_on_gcp(settings):
            raise PartMissing("BACKEND=gcp has no resident transformer: `python -m worker.transform` is its job.")
        configure_logs(settings.log_format, settings.log_level)
        asyncio.run(serve(settings, started))


if __name__ == "__main__":
    main()
