"""Stores on the BigQuery emulator."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from backends.warehouse.bigquery.client import Answer, BigQuery, Place, connected
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
    """One dataset that is emptied for each test: making thirteen tables takes longer than a test."""

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
