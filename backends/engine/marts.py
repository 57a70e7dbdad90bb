"""The published marts, for who shows or counts them."""

from typing import Protocol

from backends.engine import bigquery_place, google_packages, is_on_gcp
from backends.warehouse.duckdb.mart_console import DuckdbMartConsole
from backends.warehouse.duckdb.marts import DuckdbMartReader
from backends.warehouse.marts import MartConsole, MartCounts, MartLimits, MartReader
from runtime.settings import SharedSettings


class Marts(MartReader, MartCounts, Protocol):
    """The published marts, to be shown or to be counted."""


def open_mart_console(settings: SharedSettings, limits: MartLimits) -> MartConsole:
    """Open the published marts for a reader's own SQL. Raises PartMissing."""
    if not is_on_gcp(settings):
        return DuckdbMartConsole(settings.mart_path, limits)
    with google_packages():
        from backends.warehouse.bigquery.mart_console import BigQueryMartConsole  # noqa: PLC0415 - Google's packages
    return BigQueryMartConsole(bigquery_place(settings), limits)


def open_marts(settings: SharedSettings) -> Marts:
    """Open the published marts; the caller closes them. Raises PartMissing."""
    if not is_on_gcp(settings):
        return DuckdbMartReader(settings.mart_path)
    with google_packages():
        from backends.warehouse.bigquery.marts import BigQueryMartReader  # noqa: PLC0415 - Google's packages
    return BigQueryMartReader(bigquery_place(settings))
