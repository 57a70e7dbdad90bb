"""All of the warehouse, for a person's own SQL."""

from pathlib import Path

from backends.engine import bigquery_place, google_packages, is_on_gcp
from backends.warehouse.duckdb.console import DuckdbSqlConsole
from backends.warehouse.marts import SqlConsole
from runtime.settings import SharedSettings


def open_console(settings: SharedSettings, mart_path: Path | None = None) -> SqlConsole:
    """Open raw, staging and mart for a person's own SQL; the caller closes them.

    On one machine `mart_path` names other marts than those published. Raises WarehouseBusy, QueryFailed, PartMissing.
    """
    if not is_on_gcp(settings):
        return DuckdbSqlConsole(
            data_dir=settings.data_dir, mart_path=mart_path or settings.mart_path, pipeline_path=settings.pipeline_path
        )
    with google_packages():
        from backends.warehouse.bigquery.console import BigQuerySqlConsole  # noqa: PLC0415 - Google's packages
    return BigQuerySqlConsole(bigquery_place(settings))
