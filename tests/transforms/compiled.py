"""Models as dbt compiled them for DuckDB, executed in memory: for hundreds of lives, where a build is too slow."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.transforms.warehouse import AS_OF, Warehouse, failures
from transforms.functions import register

Rows = Sequence[Mapping[str, Any]]
FOLDERS = ("summaries", "records", "streams", "training")  # of models that are executed so


def compiled_for_duckdb(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the SQL of the models in FOLDERS, as at AS_OF, by `schema.name`."""
    warehouse = Warehouse(folder, variables)
    selected = [f"path:models/{layer}/{folder}" for layer in ("intermediate", "mart") for folder in FOLDERS]
    result = warehouse.dbt("compile", "--select", *selected, "--vars", f'{{"as_of": "{AS_OF}"}}')
    assert result.success, failures(result)
    nodes = [each.node for each in result.result if each.node.resource_type == "model"]
    return {f"{node.schema}.{node.name}": node.compiled_code for node in nodes}


class InMemory:
    """A database in memory: `put` makes a table of rows, `build` one of a model's SQL."""

    def __init__(self, sql_of: Mapping[str, str]) -> None:
        self._sql_of = sql_of
        self._connection = duckdb.connect(config={"threads": 1})  # for a few rows a second one only costs
        register(self._connection)
        self._connection.execute("create schema staging; create schema mart; set TimeZone = 'UTC'")

    def put(self, table: str, types: Mapping[str, str], rows: Rows) -> None:
        """Make a table of rows; a column that a row does not name is null."""
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        self._connection.execute(f"create or replace table {table} ({columns})")
        if rows:
            values = ", ".join(f"unnest(cast(? as {kind}[]))" for kind in types.values())
            by_column = [[row.get(name) for row in rows] for name in types]
            self._connection.execute(f"insert into {table} select {values}", by_column)

    def put_days(self, table: str, athlete_id: int, sport_group: str, first: date, loads: Sequence[float]) -> None:
        """Add a row for each load, one day after the other; quick for many."""
        days = [first + timedelta(days=number) for number in range(len(loads))]
        columns = "athlete_id, sport_group, date_day, load"
        self._connection.execute(
            f"insert into {table} ({columns}) select ?, ?, unnest(?), unnest(?)",
            [athlete_id, sport_group, days, [*loads]],
        )

    def build(self, *models: str) -> None:
        """Make tables of models, each of which reads the ones before."""
        for model in models:
            sql = self._sql_of[model].replace('"transform".', "")
            self._connection.execute(f"create or replace table {model} as {sql}")

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Execute statements that dbt wrote; return the rows of the last one."""
        for sql in statements:
            self._connection.execute(sql.replace('"transform".', ""))
        return self._connection.fetchall()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Query what was put and built."""
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()
