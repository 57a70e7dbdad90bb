"""A person's own SQL over all of the warehouse in BigQuery's dialect, read-only, its bytes told and bounded."""

from collections.abc import Iterator

from google.cloud.bigquery.table import RowIterator

from backends.warehouse.bigquery.client import Place
from backends.warehouse.bigquery.reading import GOOGLES_ERRORS, Selects, reading_error
from backends.warehouse.marts import ArrowResult, QueryResult


class BigQuerySqlConsole:
    """Implements `SqlConsole` on the datasets of the project; a table without a dataset is one of `raw`."""

    def __init__(self, place: Place) -> None:
        self._selects = Selects(place, reader="console")

    def query(self, sql: str) -> QueryResult:
        """Run one select, after a dry run has told that it is one and what it reads.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        scanned_bytes = self._selects.bytes_of(sql)
        found = self._selects.rows(sql)
        return QueryResult([field.name for field in found.schema], _fetched(found), scanned_bytes)

    def arrow(self, sql: str) -> ArrowResult:
        """Run one select as `query` does."""
        scanned_bytes = self._selects.bytes_of(sql)
        try:
            table = self._selects.rows(sql).to_arrow(create_bqstorage_client=False)
        except GOOGLES_ERRORS as error:
            raise reading_error(error) from error
        return ArrowResult(table.schema, iter(table.to_batches()), scanned_bytes)

    def close(self) -> None:
        """Release the connection."""
        self._selects.close()


def _fetched(found: RowIterator) -> Iterator[tuple[object, ...]]:
    try:
        for row in found:
            yield row.values()
    except GOOGLES_ERRORS as error:
        raise reading_error(error) from error
