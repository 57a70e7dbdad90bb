"""Reading the marts that dbt keeps in BigQuery."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

from backends.warehouse.bigquery.client import Place
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.reading import GOOGLES_ERRORS, REBUILD, Selects, reading_error
from backends.warehouse.marts import MartMissing, MartRows

# dbt makes this table when a build has ended and no model of it failed; see `transforms/macros/publication.sql`.
PUBLICATION = "mart.publication"
_LAYERS = ("staging", "mart")
_KINDS = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", datetime: "TIMESTAMP", date: "DATE"}
_NO_MART = f"No marts have been built yet: {REBUILD}"


class BigQueryMartReader:
    """Implements `MartReader` and `MartCounts` on the datasets `staging` and `mart`.

    Tables are replaced one by one while dbt builds, each as a whole; the version changes when all of them are new.
    """

    def __init__(self, place: Place) -> None:
        self._selects = Selects(place, reader="marts")
        self._is_published = False
        self._checked: set[str] = set()

    def version(self) -> str | None:
        """Return what tells the last complete build from the one before, by a table's metadata: no query, no cost.

        None while there is none. Raises WarehouseBusy.
        """

        def etag(client: bigquery.Client) -> str | None:
            try:
                return str(client.get_table(f"{client.project}.{PUBLICATION}").etag)
            except NotFound:
                return None

        return self._selects.call(etag)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> MartRows:
        """Run one query (positional `?` parameters). A statement's first run is preceded by a dry one.

        Raises MartMissing, WarehouseBusy, QueryFailed.
        """
        self._require_publication()
        bound = bound_in_order(parameters)
        if sql not in self._checked:
            self._selects.bytes_of(sql, bound)
            self._checked.add(sql)
        return self._fetched(sql, bound)

    def rows_of(self, athlete_id: int, activity_ids: Sequence[int]) -> Mapping[str, int]:
        """Implements `MartCounts`: every table that names athletes or activities is counted, those to come included.

        Views hold no rows. One query counts all tables; what they are comes from their metadata.
        """
        self._require_publication()
        counts = dict.fromkeys(_LAYERS, 0)
        if counting := self._selects.call(lambda client: list(_counting(client))):
            bound: list[Parameter] = [
                ScalarQueryParameter("athlete_id", "INT64", athlete_id),
                ArrayQueryParameter("activity_ids", "INT64", list(activity_ids)),
            ]
            for row in self._fetched("\nunion all\n".join(counting), bound):
                counts[str(row["layer"])] += int(str(row["n"]))
        return counts

    def close(self) -> None:
        """Release the connections of this thread; closing twice is success."""
        self._selects.close()

    def _require_publication(self) -> None:
        if not self._is_published and self.version() is None:
            raise MartMissing(_NO_MART)
        self._is_published = True

    def _fetched(self, sql: str, bound: Sequence[Parameter]) -> MartRows:
        found = self._selects.rows(sql, bound)
        try:
            return MartRows((dict(row.items()) for row in found), found.total_bytes_processed or 0)
        except GOOGLES_ERRORS as error:
            raise reading_error(error) from error


def bound_in_order(values: Sequence[Any]) -> list[ScalarQueryParameter]:
    """Return values for the `?` of a statement, each of the type that BigQuery has for Python's."""
    return [ScalarQueryParameter(None, _kind_of(value), value) for value in values]


def _kind_of(value: object) -> str:
    return next(kind for known, kind in _KINDS.items() if isinstance(value, known))


def _counting(client: bigquery.Client) -> Iterator[str]:
    """Yield a select for each table that names athletes, or only activities."""
    for layer in _LAYERS:
        for listed in client.list_tables(f"{client.project}.{layer}"):
            names = {field.name for field in client.get_table(listed).schema} if listed.table_type == "TABLE" else set()
            condition = "athlete_id = @athlete_id" if "athlete_id" in names else "activity_id in unnest(@activity_ids)"
            if names & {"athlete_id", "activity_id"}:
                yield f"select '{layer}' as layer, count(*) as n from `{layer}`.`{listed.table_id}` where {condition}"  # noqa: S608 - own names
