"""A reader's own SQL over the marts in BigQuery, as a page offers it: its bytes told first, and bounded."""

from itertools import islice

from backends.warehouse.bigquery.client import Place
from backends.warehouse.bigquery.reading import GOOGLES_ERRORS, Selects, reading_error
from backends.warehouse.marts import MartAnswer, MartLimits, QueryFailed


class BigQueryMartConsole:
    """Implements `MartConsole`; which datasets can be read is what the account's roles say: the dashboard's is mart."""

    def __init__(self, place: Place, limits: MartLimits) -> None:
        self._selects = Selects(place, reader="sql-page", longest_s=limits.seconds)
        self._limits = limits

    def bytes_of(self, sql: str) -> int | None:
        """Return what a dry run says, which costs nothing. Raises MartMissing, WarehouseBusy, QueryFailed."""
        return self._selects.bytes_of(sql)

    def asking(self, sql: str) -> "BigQueryQuestion":
        """Prepare a question."""
        return BigQueryQuestion(self._selects, sql, self._limits)


class BigQueryQuestion:
    """Implements `MartQuestion`. What was cancelled is still billed, and its rows are not fetched."""

    def __init__(self, selects: Selects, sql: str, limits: MartLimits) -> None:
        self._selects = selects
        self._sql = sql
        self._limits = limits
        self._is_cancelled = False

    def answer(self) -> MartAnswer:
        """Run it, after another dry run. Raises MartMissing, WarehouseBusy, QueryFailed."""
        scanned_bytes = self._selects.bytes_of(self._sql)
        found = self._selects.rows(self._sql)
        if self._is_cancelled:
            raise QueryFailed("The query was cancelled.")
        try:
            rows = [row.values() for row in islice(found, self._limits.rows + 1)]
        except GOOGLES_ERRORS as error:
            raise reading_error(error) from error
        return MartAnswer.of([field.name for field in found.schema], rows, self._limits, scanned_bytes)

    def cancel(self) -> None:
        """Have no row fetched any more."""
        self._is_cancelled = True
