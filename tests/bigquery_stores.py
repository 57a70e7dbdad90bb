"""Stores on the BigQuery emulator."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from backends.warehouse.bigquery.client import Answer, BigQuery, Place, connected
from backends.warehouse.bigquery.marts import PUBLICATION, BigQueryMartReader
from backends.warehouse.bigquery.parameters import Parameter
from backends.warehouse.bigquery.store import BigQueryRawStore
from backends.warehouse.bigquery.tables import migrate
from backends.warehouse.schema import TABLES
from runtime.clock import utc_now
from tests.bigquery_emulator import new_dataset

PROJECT = "athlete-dashboard"


def place_at(endpoint: str) -> Place:
    """Name a dataset that is not there yet."""
    return Place(project=PROJECT, dataset=new_dataset(), location="EU", endpoint=endpoint)


class CountingBigQuery(BigQuery):
    """Notes the name of every statement."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.statements: list[str] = []

    async def query(self, name: str, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        self.statements.append(name)
        return await super().query(name, sql, parameters)


class EmptiedDataset:
    """One dataset that is emptied for each test: making its tables takes longer than a test."""

    def __init__(self, endpoint: str) -> None:
        self.place = place_at(endpoint)
        self._client = connected(self.place)
        migrate(self._client, self.place)

    def opener(self, clock: Callable[[], datetime] = utc_now) -> Callable[[], BigQueryRawStore]:
        """Empty it, and return a way to open it, each time with connections of its own."""
        counts = [f"select '{each.name}' as name, count(*) as n from {each.name}" for each in TABLES]  # noqa: S608 - our own names
        for row in self.rows(f"select name from ({' union all '.join(counts)}) where n > 0"):  # noqa: S608 - as above
            self.rows(f"delete from {row['name']} where true")  # noqa: S608 - as above
        return lambda: BigQueryRawStore(BigQuery(self.place), clock=clock)

    def tables(self) -> list[str]:
        """Name the tables that are there."""
        return [each.table_id for each in self._client.list_tables(self.place.dataset)]

    def loads(self) -> list[Mapping[str, str]]:
        """Return the labels of the load jobs into this dataset, newest first."""
        jobs = self._client.list_jobs()
        ours = (each for each in jobs if each.job_type == "load" and each.destination.dataset_id == self.place.dataset)
        return [each.labels for each in ours]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Run a statement as another program would."""
        return [dict(row) for row in self._client.query(sql, job_retry=None).result()]


class BigQueryMarts:
    """The marts of a project of their own, built as dbt builds them: all tables, and then what says so."""

    def __init__(self, endpoint: str) -> None:
        name = new_dataset().replace("_", "-")
        self.place = Place(project=f"marts-{name}", location="EU", endpoint=endpoint)
        self.client = connected(self.place)

    def build(self, n: int) -> None:
        """Build `mart.numbers` with the rows 1 … n."""
        moment = "timestamp '2026-05-04 12:00:00+02' as moment, date '2026-05-04' as day"
        numbers = f"select n, {moment} from unnest(generate_array(1, {n})) as n"  # noqa: S608 - a number of ours
        self.make("mart.numbers", numbers)
        self.publish()

    def make(self, table: str, rows: str) -> None:
        """Make a table of a query's rows, and its dataset."""
        dataset = bigquery.Dataset(f"{self.place.project}.{table.partition('.')[0]}")
        dataset.location = self.place.location
        self.client.create_dataset(dataset, exists_ok=True)
        self.client.query_and_wait(f"create or replace table {table} as {rows}")

    def publish(self) -> None:
        """Say that all tables are there."""
        self.make(PUBLICATION, "select current_timestamp() as started_at")

    def reader(self) -> BigQueryMartReader:
        """Return a reader with connections of its own."""
        return BigQueryMartReader(self.place)
