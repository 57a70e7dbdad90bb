"""Makes the tables of `raw` in BigQuery as the schema states them, and adds what a newer version needs.

https://cloud.google.com/bigquery/docs/managing-table-schemas
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import bigquery

from backends.sqlite import SchemaMismatch
from backends.warehouse.bigquery.client import Place
from backends.warehouse.schema import TABLES
from backends.warehouse.table import Column, Table

LABELS = {"program": "athlete-dashboard", "layer": "raw"}
_TIME_TRAVEL_H = 48  # the least there is: until then a purge's rows can be had by time travel
_KINDS = {"int64": "INTEGER", "string": "STRING", "bool": "BOOLEAN", "timestamp": "TIMESTAMP", "json": "JSON"}
# What the same types are called in BigQuery's SQL.
_ALSO = {"INT64": "INTEGER", "BOOL": "BOOLEAN"}


def migrate(client: bigquery.Client, place: Place, tables: Sequence[Table] = TABLES) -> None:
    """Make the dataset and the tables that are missing, and bring the others to the schema.

    Several programs may do this at once. A column that is new is added without values. Raises SchemaMismatch, where a
    table was made otherwise than BigQuery lets it be changed; then nothing is changed.
    """
    dataset = _dataset(client, place)
    found = {table.name: _found(client, dataset, table) for table in tables}
    changes = {table.name: _change(each, table) for table in tables if (each := found[table.name]) is not None}
    for table in tables:
        if found[table.name] is None:
            client.create_table(_new(dataset, table), exists_ok=True)
        elif (change := changes[table.name]) is not None:
            with suppress(PreconditionFailed):  # another program has just brought it to its schema
                client.update_table(change, ["schema", "description", "labels"])


def _dataset(client: bigquery.Client, place: Place) -> bigquery.DatasetReference:
    reference = bigquery.DatasetReference(place.project, place.dataset)
    try:
        client.get_dataset(reference)
    except NotFound:
        dataset = bigquery.Dataset(reference)
        dataset.location = place.location
        dataset.description = "What Strava said, word for word, and what became of every event."
        dataset.labels = LABELS
        dataset.max_time_travel_hours = _TIME_TRAVEL_H
        client.create_dataset(dataset, exists_ok=True)
    return reference


def _found(client: bigquery.Client, dataset: bigquery.DatasetReference, table: Table) -> bigquery.Table | None:
    try:
        return client.get_table(dataset.table(table.name))
    except NotFound:
        return None


def _new(dataset: bigquery.DatasetReference, table: Table) -> bigquery.Table:
    new = bigquery.Table(dataset.table(table.name), schema=[_field(column) for column in table.columns])
    new.description = table.description
    new.labels = LABELS
    new.clustering_fields = list(table.clustering) or None
    new.range_partitioning = _partitioning(table)
    return new


def _field(column: Column, *, is_added: bool = False) -> bigquery.SchemaField:
    mode = "REQUIRED" if column.is_required and not is_added else "NULLABLE"
    return bigquery.SchemaField(column.name, _KINDS[column.type], mode=mode, description=column.description)


def _partitioning(table: Table) -> bigquery.RangePartitioning | None:
    if table.partitions is None:
        return None
    ids = bigquery.PartitionRange(
        start=table.partitions.start, end=table.partitions.end, interval=table.partitions.interval
    )
    return bigquery.RangePartitioning(range_=ids, field=table.partitioned_by or table.key)


def _change(found: bigquery.Table, table: Table) -> bigquery.Table | None:
    """Return the table as it is to be, or None where it is so already. Raises SchemaMismatch."""
    _require_layout(found, table)
    wanted = _fields(found, table)
    labels = {**found.labels, **LABELS}
    if (wanted, table.description, labels) == (list(found.schema), found.description, dict(found.labels)):
        return None
    found.schema, found.description, found.labels = wanted, table.description, labels
    return found


def _fields(found: bigquery.Table, table: Table) -> list[bigquery.SchemaField]:
    """Return the columns in their order, those that are missing at the end. Columns of others stay as they are."""
    stated = {column.name: column for column in table.columns}
    fields = [_kept(each, stated, found, table) for each in found.schema]
    names = {each.name for each in found.schema}
    return fields + [_field(column, is_added=True) for column in table.columns if column.name not in names]


def _kept(
    field: bigquery.SchemaField, stated: Mapping[str, Column], found: bigquery.Table, table: Table
) -> bigquery.SchemaField:
    column = stated.get(field.name)
    if column is None:
        if field.mode == "REQUIRED":
            raise _mismatch(found, table, f"it requires the column {field.name}, which this program does not know")
        return field
    kind = _ALSO.get(field.field_type, field.field_type)
    if kind != _KINDS[column.type] or field.mode == "REPEATED":
        raise _mismatch(found, table, f"its column {field.name} is {kind}, and has to be {_KINDS[column.type]}")
    # BigQuery lets a required column become nullable, never the other way.
    mode = "NULLABLE" if not column.is_required else field.mode
    return bigquery.SchemaField(field.name, _KINDS[column.type], mode=mode, description=column.description)


def _require_layout(found: bigquery.Table, table: Table) -> None:
    if found.table_type != "TABLE":
        raise _mismatch(found, table, f"it is a {found.table_type.lower()}")
    partitioned = found.range_partitioning
    if partitioned is not None and partitioned != _partitioning(table):
        raise _mismatch(found, table, "it is partitioned otherwise")


def _mismatch(found: bigquery.Table, table: Table, why: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"{found.full_table_id or table.name} cannot be used: {why}. Use the version of this program that made it, or "
        f"copy its rows into a table that this program makes: `bq cp` it under another name, remove it, start the "
        "worker once, and insert the rows."
    )
